/* GPT and MBR. Formats: see partitions.h. */
#include "triage/evidence/partitions.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/evidence/probe.h"

#include <stdio.h>
#include <string.h>

enum {
    PARTITIONS_MAX = 4096, /* a real GPT has room for 128 */
    LOGICAL_MAX = 256,
    SECTOR_MAX = 4096,
    GPT_ENTRY_MIN = 128,
    GPT_ENTRY_MAX = 4096,
    MBR_TABLE = 446,
    MBR_ENTRY = 16,
};

enum mbr_type {
    MBR_EMPTY = 0,
    MBR_EXTENDED = 0x05,
    MBR_EXTENDED_LBA = 0x0F,
    MBR_EXTENDED_LINUX = 0x85,
    MBR_PROTECTIVE = 0xEE,
};

struct known_type {
    const char *guid, *name, *problem;
    bool vacant; /* by its nature there is nothing to read */
};

static const struct known_type gpt_types[] = {
    {"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "basic data", NULL, false},
    {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system", NULL, false},
    {"de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery", NULL, false},
    {"e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved",
     "a Microsoft reserved partition holds no file system; there is nothing to read", true},
    {"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "LDM metadata",
     "the database of a Windows dynamic disk (LDM) holds no file system; there is nothing to read",
     true},
    {"af9b60a0-1431-4f62-bc68-3311714a69ad", "LDM data",
     "the data of a Windows dynamic disk (LDM) cannot be put together; image each volume on its "
     "own from a running Windows, or use ldmtool and give the mapped volumes",
     false},
    {"e75caf8f-f680-4cee-afa3-b001e56efc2d", "Storage Spaces",
     "Storage Spaces pools cannot be read; attach all disks to a Windows machine and image the "
     "virtual disk instead",
     false},
    {"e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM", NULL, false},
    {"0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux data", NULL, false},
};

static const struct {
    uint8_t type;
    const char *name;
} mbr_types[] = {
    {0x01, "FAT12"},     {0x04, "FAT16"},      {0x06, "FAT16"}, {0x07, "NTFS or exFAT"},
    {0x0B, "FAT32"},     {0x0C, "FAT32"},      {0x0E, "FAT16"}, {0x27, "Windows recovery"},
    {0x42, "LDM"},       {0x82, "Linux swap"}, {0x83, "Linux"}, {0x8E, "Linux LVM"},
    {0xEE, "GPT guard"}, {0xEF, "EFI system"},
};

struct builder {
    struct image *image;
    struct arena *arena;
    struct partition_table *table;
    size_t room;
};

static bool read_exactly(struct image *image, uint64_t offset, uint8_t *bytes, size_t size)
{
    return image_read(image, offset, bytes, size) == (ssize_t)size;
}

static uint32_t crc32_of(struct slice bytes)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

static struct partition *add_partition(struct builder *builder, uint64_t sector, uint64_t sectors)
{
    struct partition_table *table = builder->table;
    struct partition partition = {.text = ""};

    if (table->count >= PARTITIONS_MAX ||
        __builtin_mul_overflow(sector, (uint64_t)table->sector_size, &partition.offset) ||
        __builtin_mul_overflow(sectors, (uint64_t)table->sector_size, &partition.size))
        return NULL;
    if (table->count == builder->room) {
        const size_t room = builder->room ? builder->room * 2 : 16;
        struct partition *grown = arena_array(builder->arena, room, sizeof *grown);
        if (!grown)
            return NULL;
        if (table->count)
            memcpy(grown, table->partitions, table->count * sizeof *grown);
        table->partitions = grown;
        builder->room = room;
    }
    table->partitions[table->count] = partition;
    return &table->partitions[table->count++];
}

static const struct known_type *gpt_type(const char *guid)
{
    for (size_t i = 0; i < sizeof gpt_types / sizeof *gpt_types; i++)
        if (strcmp(gpt_types[i].guid, guid) == 0)
            return &gpt_types[i];
    return NULL;
}

static void add_gpt_entry(struct builder *builder, size_t number, struct slice bytes)
{
    char type[GUID_TEXT_SIZE], guid[GUID_TEXT_SIZE];
    struct cursor c = cursor_over(slice_from(bytes, 32), 0);
    const uint64_t first = cursor_u64le(&c), last = cursor_u64le(&c);

    guid_plain(slice_part(bytes, 0, 16), type);
    guid_plain(slice_part(bytes, 16, 16), guid);
    if (strcmp(type, "00000000-0000-0000-0000-000000000000") == 0 || last < first ||
        last == UINT64_MAX)
        return;
    struct partition *partition = add_partition(builder, first, last - first + 1);
    if (!partition)
        return;
    const struct known_type *known = gpt_type(type);
    const char *name = utf16_to_text(builder->arena, slice_part(bytes, 56, 72), true);
    const char *text =
        arena_format(builder->arena, "GPT %zu: %s%s%s", number, known ? known->name : type,
                     name && *name ? ", " : "", name ? name : "");
    partition->text = text ? text : "";
    partition->problem = known ? known->problem : NULL;
    partition->vacant = known && known->vacant;
    memcpy(partition->guid, guid, sizeof guid);
}

struct gpt {
    uint64_t entries;
    uint32_t count, entry_size, entries_crc;
    bool header_fits; /* its checksum is right */
};

/* Reads the header at `sector`; false when there is none. */
static bool read_gpt_header(struct image *image, uint64_t sector, uint32_t sector_size,
                            struct gpt *gpt)
{
    uint8_t bytes[512];
    uint64_t offset;

    if (__builtin_mul_overflow(sector, (uint64_t)sector_size, &offset) ||
        !read_exactly(image, offset, bytes, sizeof bytes) || memcmp(bytes, "EFI PART", 8) != 0)
        return false;
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), 0);
    cursor_seek(&c, 12);
    const uint32_t size = cursor_u32le(&c), crc = cursor_u32le(&c);
    cursor_seek(&c, 72);
    gpt->entries = cursor_u64le(&c);
    gpt->count = cursor_u32le(&c);
    gpt->entry_size = cursor_u32le(&c);
    gpt->entries_crc = cursor_u32le(&c);
    memset(bytes + 16, 0, 4);
    gpt->header_fits = size >= 92 && size <= sizeof bytes && crc32_of(slice_of(bytes, size)) == crc;
    return gpt->entry_size >= GPT_ENTRY_MIN && gpt->entry_size <= GPT_ENTRY_MAX &&
           gpt->count <= PARTITIONS_MAX;
}

/* The entries of the table; empty when they cannot be read. `fits`: header and entries have the
 * right checksums. */
static struct slice read_gpt_entries(struct builder *builder, const struct gpt *gpt, bool *fits)
{
    const size_t size = (size_t)gpt->count * gpt->entry_size;
    uint8_t *bytes = arena_take(builder->arena, size ? size : 1);
    uint64_t offset;

    *fits = false;
    if (!bytes ||
        __builtin_mul_overflow(gpt->entries, (uint64_t)builder->table->sector_size, &offset) ||
        !read_exactly(builder->image, offset, bytes, size))
        return slice_of(NULL, 0);
    const struct slice entries = slice_of(bytes, size);
    *fits = gpt->header_fits && crc32_of(entries) == gpt->entries_crc;
    return entries;
}

static struct slice load_gpt(struct builder *builder, uint64_t sector, struct gpt *gpt, bool *fits)
{
    *fits = false;
    if (!read_gpt_header(builder->image, sector, builder->table->sector_size, gpt))
        return slice_of(NULL, 0);
    return read_gpt_entries(builder, gpt, fits);
}

static void add_gpt_entries(struct builder *builder, struct slice entries, uint32_t entry_size)
{
    for (size_t i = 0; (i + 1) * entry_size <= entries.size; i++)
        add_gpt_entry(builder, i + 1, slice_part(entries, i * entry_size, entry_size));
}

/* The table at the start of the medium, or the copy at its end when the first is damaged. */
static bool read_gpt(struct builder *builder, uint32_t sector_size)
{
    const uint64_t sectors = image_container(builder->image)->size / sector_size;
    struct gpt first = {0}, second = {0};
    bool first_fits, second_fits = false;
    struct slice spare = {0};

    builder->table->sector_size = sector_size;
    const struct slice entries = load_gpt(builder, 1, &first, &first_fits);
    if (!first_fits && sectors > 1)
        spare = load_gpt(builder, sectors - 1, &second, &second_fits);
    if (entries.size == 0 && spare.size == 0)
        return false;
    if (!first_fits)
        builder->table->notice =
            second_fits ? "the first GPT is damaged; the copy at the end of the medium was used"
                        : "the GPT has a wrong checksum; it was used as it is";
    if (second_fits || entries.size == 0)
        add_gpt_entries(builder, spare, second.entry_size);
    else
        add_gpt_entries(builder, entries, first.entry_size);
    return true;
}

struct mbr_entry {
    uint8_t status, type;
    uint32_t first, count;
};

static struct mbr_entry mbr_entry_at(const uint8_t sector[512], size_t index)
{
    struct cursor c = cursor_over(slice_of(sector, 512), 0);
    struct mbr_entry entry;

    cursor_seek(&c, MBR_TABLE + index * MBR_ENTRY);
    entry.status = cursor_u8(&c);
    cursor_skip(&c, 3); /* cylinder, head, sector */
    entry.type = cursor_u8(&c);
    cursor_skip(&c, 3);
    entry.first = cursor_u32le(&c);
    entry.count = cursor_u32le(&c);
    return entry;
}

static bool is_extended(uint8_t type)
{
    return type == MBR_EXTENDED || type == MBR_EXTENDED_LBA || type == MBR_EXTENDED_LINUX;
}

static const char *mbr_type_name(uint8_t type)
{
    for (size_t i = 0; i < sizeof mbr_types / sizeof *mbr_types; i++)
        if (mbr_types[i].type == type)
            return mbr_types[i].name;
    return "unknown type";
}

static void add_mbr_entry(struct builder *builder, size_t number, const struct mbr_entry *entry,
                          uint64_t base)
{
    struct partition *partition = add_partition(builder, base + entry->first, entry->count);

    if (!partition)
        return;
    const char *text = arena_format(builder->arena, "MBR %zu: type 0x%02X, %s", number, entry->type,
                                    mbr_type_name(entry->type));
    partition->text = text ? text : "";
    if (entry->type == 0x42)
        partition->problem = gpt_type("af9b60a0-1431-4f62-bc68-3311714a69ad")->problem;
}

/* Follows the chain of logical partitions; its links count from the start of the extended one. */
static void add_logical(struct builder *builder, uint32_t start)
{
    uint32_t at = 0;

    for (size_t i = 0; i < LOGICAL_MAX; i++) {
        const uint64_t sector = (uint64_t)start + at;
        uint8_t bytes[512];
        if (!read_exactly(builder->image, sector * builder->table->sector_size, bytes,
                          sizeof bytes) ||
            bytes[510] != 0x55 || bytes[511] != 0xAA)
            return;
        const struct mbr_entry entry = mbr_entry_at(bytes, 0), next = mbr_entry_at(bytes, 1);
        if (entry.type != MBR_EMPTY && entry.count)
            add_mbr_entry(builder, 5 + i, &entry, sector);
        if (!is_extended(next.type) || next.first <= at)
            return; /* the end, or a chain that runs backwards */
        at = next.first;
    }
}

/* A boot sector of a file system ends like an MBR; a table's entries are plausible. */
static bool is_mbr(const uint8_t sector[512], uint64_t medium)
{
    bool any = false;

    if (sector[510] != 0x55 || sector[511] != 0xAA)
        return false;
    for (size_t i = 0; i < 4; i++) {
        const struct mbr_entry entry = mbr_entry_at(sector, i);
        if (entry.status & 0x7F)
            return false;
        if (entry.type == MBR_EMPTY)
            continue;
        if (entry.first == 0 || entry.count == 0 || entry.first > medium / 512)
            return false;
        any = true;
    }
    return any;
}

/* Does a file system start where the first partition would be with sectors of this size? */
static bool starts_file_system(struct image *image, const uint8_t sector[512], uint32_t sector_size)
{
    for (size_t i = 0; i < 4; i++) {
        const struct mbr_entry entry = mbr_entry_at(sector, i);
        struct probe probe;
        if (entry.type == MBR_EMPTY || is_extended(entry.type))
            continue;
        const uint64_t offset = (uint64_t)entry.first * sector_size;
        const uint64_t size = (uint64_t)entry.count * sector_size;
        if (probe_volume(image, offset, size, &probe) == 0 && probe.kind != PROBE_UNKNOWN &&
            probe.kind != PROBE_EMPTY)
            return true;
    }
    return false;
}

static void read_mbr(struct builder *builder, const uint8_t sector[512])
{
    struct partition_table *table = builder->table;
    const uint32_t container_sector = image_container(builder->image)->sector_size;
    struct cursor c = cursor_over(slice_of(sector, 512), 0);

    cursor_seek(&c, 0x1B8);
    table->disk_signature = cursor_u32le(&c);
    table->sector_size = container_sector == SECTOR_MAX ? SECTOR_MAX : 512;
    if (!starts_file_system(builder->image, sector, table->sector_size)) {
        const uint32_t other = table->sector_size == 512 ? SECTOR_MAX : 512;
        if (starts_file_system(builder->image, sector, other))
            table->sector_size = other;
    }
    for (size_t i = 0; i < 4; i++) {
        const struct mbr_entry entry = mbr_entry_at(sector, i);
        if (is_extended(entry.type))
            add_logical(builder, entry.first);
        else if (entry.type != MBR_EMPTY)
            add_mbr_entry(builder, i + 1, &entry, 0);
    }
}

static bool has_protective_entry(const uint8_t sector[512])
{
    for (size_t i = 0; i < 4; i++)
        if (mbr_entry_at(sector, i).type == MBR_PROTECTIVE)
            return true;
    return false;
}

int partitions_read(struct image *image, struct arena *arena, struct partition_table *table)
{
    struct builder builder = {.image = image, .arena = arena, .table = table};
    uint8_t sector[512];
    struct probe probe;

    *table = (struct partition_table){.sector_size = image_container(image)->sector_size};
    const ssize_t got = image_read(image, 0, sector, sizeof sector);
    if (got < 0)
        return -1;
    if (got < (ssize_t)sizeof sector)
        return 0;
    if (read_gpt(&builder, 512) || read_gpt(&builder, SECTOR_MAX))
        return 0;
    table->sector_size = image_container(image)->sector_size;
    if (!is_mbr(sector, image_container(image)->size))
        return 0;
    if ((sector[0] == 0xEB || sector[0] == 0xE9) &&
        probe_volume(image, 0, image_container(image)->size, &probe) == 0 &&
        probe.kind != PROBE_UNKNOWN && probe.kind != PROBE_EMPTY && !probe.from_backup)
        return 0; /* the boot sector of a volume without a table around it */
    read_mbr(&builder, sector);
    if (has_protective_entry(sector))
        table->notice = "the MBR says that there is a GPT, but there is none that can be read";
    return 0;
}
