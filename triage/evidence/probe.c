/* Signatures of volumes. Offsets: the formats' own specifications; see the table. */
#include "triage/evidence/probe.h"

#include "triage/base/error.h"

#include <string.h>

enum { CLUSTER_MAX = 2 * 1024 * 1024 };

struct signature {
    uint32_t offset;
    uint8_t size;
    const char *bytes;
    enum probe_kind kind;
    const char *problem;
};

#define DO_BITLOCKER "it is encrypted with BitLocker"

/* In order of certainty. Texts of `problem` follow on "volume N: ". */
static const struct signature signatures[] = {
    {3, 8, "-FVE-FS-", PROBE_BITLOCKER, DO_BITLOCKER},
    {424, 16, "\x3B\xD6\x67\x49\x29\x2E\xD8\x4A\x83\x99\xF6\xA3\x39\xE3\xD0\x01", PROBE_BITLOCKER,
     DO_BITLOCKER},
    {3, 8, "ReFS\0\0\0\0", PROBE_UNREADABLE,
     "ReFS cannot be read; attach the image to a Windows Server, copy the logs with their times "
     "(robocopy /COPY:DAT) and give that folder as evidence"},
    {0, 6, "LUKS\xBA\xBE", PROBE_UNREADABLE,
     "it is encrypted with LUKS; open it with cryptsetup (read-only) and give the mapped device"},
    {0, 8, "SPACEDB ", PROBE_UNREADABLE,
     "it belongs to a Storage Spaces pool; attach all disks to a Windows machine and image the "
     "virtual disk instead"},
    {512 + 0, 8, "LABELONE", PROBE_UNREADABLE,
     "it is an LVM2 physical volume; activate it read-only (vgchange -ay) and give the logical "
     "volumes as evidence"},
    {32, 4, "NXSB", PROBE_UNREADABLE,
     "it is an APFS container, which is not read; mount it read-only and give the folder"},
    {0, 4, "XFSB", PROBE_UNREADABLE,
     "XFS cannot be read; mount it read-only and give the folder as evidence"},
    {65536 + 64, 8, "_BHRfS_M", PROBE_UNREADABLE,
     "Btrfs cannot be read; mount it read-only and give the folder as evidence"},
    {4096, 4, "\xFC\x4E\x2B\xA9", PROBE_UNREADABLE,
     "it is a member of a Linux software RAID; assemble it read-only (mdadm) and give the array"},
    {1048576, 4, "\x0D\xD0\x01\xC0", PROBE_UNREADABLE,
     "it is a VMFS volume of VMware ESX; give the virtual disks that lie on it"},
    {4086, 10, "SWAPSPACE2", PROBE_UNREADABLE, "it is Linux swap space and holds no files"},
    {1024, 4, "H+\0\4", PROBE_UNREADABLE, "HFS+ cannot be read; mount it and give the folder"},
    {1024, 4, "HX\0\5", PROBE_UNREADABLE, "HFSX cannot be read; mount it and give the folder"},
    {3, 8, "NTFS    ", PROBE_NTFS, NULL},
    {3, 8, "EXFAT   ", PROBE_EXFAT, NULL},
    {82, 5, "FAT32", PROBE_FAT, NULL},
    {54, 4, "FAT1", PROBE_FAT, NULL},
    {54, 5, "FAT  ", PROBE_FAT, NULL},
    {1080, 2, "\x53\xEF", PROBE_EXT, NULL},
    {32769, 5, "CD001", PROBE_ISO9660, NULL},
};

static bool bytes_are(struct image *image, uint64_t offset, const void *bytes, size_t size)
{
    uint8_t there[32];

    return size <= sizeof there && image_read(image, offset, there, size) == (ssize_t)size &&
           memcmp(there, bytes, size) == 0;
}

static bool power_of_two(uint32_t value)
{
    return value && (value & (value - 1)) == 0;
}

/* A count byte of the boot sector: clusters when positive, a power of two in bytes when negative.
 */
static uint32_t signed_size(uint8_t byte, uint32_t unit)
{
    if (byte < 0x80)
        return byte * unit;
    return 256 - byte < 32 ? UINT32_C(1) << (256 - byte) : 0;
}

static bool parse_ntfs(struct probe *probe)
{
    struct cursor c = cursor_over(slice_of(probe->boot, sizeof probe->boot), 0);

    cursor_seek(&c, 11);
    probe->sector_size = cursor_u16le(&c);
    probe->cluster_size = signed_size(cursor_u8(&c), probe->sector_size);
    if (probe->boot[13] >= 0x80) /* above 128 sectors it is a power of two of sectors */
        probe->cluster_size =
            256 - probe->boot[13] < 16 ? probe->sector_size << (256 - probe->boot[13]) : 0;
    cursor_seek(&c, 40);
    const uint64_t sectors = cursor_u64le(&c), mft = cursor_u64le(&c), mirror = cursor_u64le(&c);
    probe->record_size = signed_size(cursor_u8(&c), probe->cluster_size);
    cursor_seek(&c, 72);
    probe->serial = cursor_u64le(&c);
    if (!power_of_two(probe->sector_size) || !power_of_two(probe->cluster_size) ||
        probe->cluster_size > CLUSTER_MAX || probe->sector_size < 256 || probe->sector_size > 4096)
        return false;
    return power_of_two(probe->record_size) && probe->record_size >= 256 &&
           probe->record_size <= 65536 && sectors &&
           !__builtin_mul_overflow(sectors, (uint64_t)probe->sector_size, &probe->volume_size) &&
           !__builtin_mul_overflow(mft, (uint64_t)probe->cluster_size, &probe->mft_offset) &&
           !__builtin_mul_overflow(mirror, (uint64_t)probe->cluster_size, &probe->mirror_offset);
}

static void parse_fat(struct probe *probe)
{
    struct cursor c = cursor_over(slice_of(probe->boot, sizeof probe->boot), 0);

    cursor_seek(&c, 11);
    probe->sector_size = cursor_u16le(&c);
    probe->cluster_size = cursor_u8(&c) * probe->sector_size;
    cursor_seek(&c, memcmp(probe->boot + 82, "FAT32", 5) == 0 ? 67 : 39);
    probe->serial = cursor_u32le(&c);
}

static void parse_exfat(struct probe *probe)
{
    struct cursor c = cursor_over(slice_of(probe->boot, sizeof probe->boot), 0);

    cursor_seek(&c, 100);
    probe->serial = cursor_u32le(&c);
    cursor_seek(&c, 108);
    const uint8_t sector_shift = cursor_u8(&c), cluster_shift = cursor_u8(&c);
    probe->sector_size = sector_shift >= 9 && sector_shift <= 12 ? UINT32_C(1) << sector_shift : 0;
    probe->cluster_size = cluster_shift <= 25 - 9 ? probe->sector_size << cluster_shift : 0;
}

static bool boot_is_ntfs(const uint8_t *boot)
{
    return memcmp(boot + 3, "NTFS    ", 8) == 0;
}

/*
 * NTFS keeps a copy of its boot sector in the last sector of the partition. It is used when the
 * first one is damaged or overwritten.
 */
static bool find_backup(struct image *image, uint64_t offset, uint64_t size, struct probe *probe)
{
    static const uint32_t sectors[] = {512, 4096};

    for (size_t i = 0; i < sizeof sectors / sizeof *sectors; i++) {
        const uint64_t last = size / sectors[i];
        if (last < 2 || image_read(image, offset + (last - 1) * sectors[i], probe->boot,
                                   sizeof probe->boot) != (ssize_t)sizeof probe->boot)
            continue;
        if (boot_is_ntfs(probe->boot) && parse_ntfs(probe) && probe->volume_size <= size) {
            probe->kind = PROBE_NTFS;
            probe->from_backup = true;
            return true;
        }
    }
    return false;
}

static bool all_zero(struct image *image, uint64_t offset)
{
    uint8_t bytes[4096];
    const ssize_t got = image_read(image, offset, bytes, sizeof bytes);

    return got > 0 && slice_is_zero(slice_of(bytes, (size_t)got));
}

/* Two bytes tell little: the sizes in the superblock of ext have to make sense too. */
static bool ext_is_plausible(struct image *image, uint64_t offset)
{
    uint8_t bytes[64];

    if (image_read(image, offset + 1024, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return false;
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), 0);
    const uint32_t inodes = cursor_u32le(&c), blocks = cursor_u32le(&c);
    cursor_seek(&c, 24);
    const uint32_t block_shift = cursor_u32le(&c);
    cursor_seek(&c, 32);
    return inodes && blocks && block_shift <= 6 && cursor_u32le(&c) > 0;
}

static bool boot_is_marked(const struct probe *probe)
{
    return probe->boot[510] == 0x55 && probe->boot[511] == 0xAA;
}

/* Does the rest of the volume's head fit to the signature? A damaged NTFS boot sector has a copy.
 */
static bool fits(struct image *image, uint64_t offset, const struct signature *known,
                 struct probe *probe)
{
    switch (known->kind) {
    case PROBE_NTFS:
        return parse_ntfs(probe);
    case PROBE_FAT:
    case PROBE_EXFAT:
        return boot_is_marked(probe);
    case PROBE_EXT:
        return ext_is_plausible(image, offset);
    default:
        return true;
    }
}

static const struct signature *find_signature(struct image *image, uint64_t offset, uint64_t size)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *known = &signatures[i];
        if (size >= known->offset + known->size &&
            bytes_are(image, offset + known->offset, known->bytes, known->size))
            return known;
    }
    return NULL;
}

static void set_unknown(struct image *image, uint64_t offset, uint64_t size, struct probe *probe)
{
    const uint64_t hits = image_damage_hits(image);
    const bool zero = all_zero(image, offset), damaged = image_damage_hits(image) != hits;

    if (find_backup(image, offset, size, probe))
        return;
    probe->kind = zero && !damaged ? PROBE_EMPTY : PROBE_UNKNOWN;
    probe->problem = damaged ? "its start lies in a damaged or missing part of the evidence"
                     : zero  ? "it starts with zeroes: it was never formatted, or it was wiped"
                             : "no file system is recognised in it; it may be encrypted or damaged";
}

int probe_volume(struct image *image, uint64_t offset, uint64_t size, struct probe *probe)
{
    *probe = (struct probe){0};
    const ssize_t got = image_read(image, offset, probe->boot, sizeof probe->boot);
    if (got < 0)
        return error_prefix("volume at byte %llu", (unsigned long long)offset);
    if (got < (ssize_t)sizeof probe->boot)
        return error_set("the volume at byte %llu lies behind the end of the medium",
                         (unsigned long long)offset);
    const struct signature *known = find_signature(image, offset, size);
    if (!known || !fits(image, offset, known, probe)) {
        set_unknown(image, offset, size, probe);
        return 0;
    }
    probe->kind = known->kind;
    probe->problem = known->problem;
    if (known->kind == PROBE_FAT)
        parse_fat(probe);
    else if (known->kind == PROBE_EXFAT)
        parse_exfat(probe);
    return 0;
}
