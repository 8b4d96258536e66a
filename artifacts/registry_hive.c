/*
 * Registry hives: SYSTEM, SOFTWARE, SAM, SECURITY, DEFAULT, those of the users, Amcache. Waiting
 * transaction logs are applied in memory first. Every key and value becomes an event that rules can
 * look at, deleted ones too; keys that say something together (services, tasks, programs that ran,
 * accounts) also become one of their own.
 */
#include "artifacts/registry_hive.h"

#include "triage/base/error.h"
#include "triage/base/path.h"
#include "triage/formats/hive_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

enum {
    BASE_BLOCK_SIZE = 4096,
    TYPE_AT = 28,
    PIECE = 1 << 20,    /* read at a time; where one fails, */
    SMALL_PIECE = 4096, /* these are tried one by one */
    LARGE_ROOM = 4 << 20,
    SCRATCH_MEMORY = 64 << 20, /* for one event */
    SMALLEST_VALUE = 24,
    CELL_ALIGNMENT = 8,
    SID_TEXT_SIZE = 192,
};

static const uint64_t HIVE_CEILING = UINT64_C(2) << 30;

/* --- reading --- */

static void read_piece(struct job *job, uint64_t at, uint8_t *out, size_t size)
{
    if (job_read(job, at, out, size) >= 0)
        return;
    job_notice(job, at, error_text());
    for (size_t i = 0; i < size; i += SMALL_PIECE) {
        const size_t part = size - i < SMALL_PIECE ? size - i : SMALL_PIECE;
        if (job_read(job, at + i, out + i, part) < 0)
            memset(out + i, 0, part);
    }
}

static void read_all(struct job *job, struct hive_image *image)
{
    for (size_t at = 0; at < image->size; at += PIECE)
        read_piece(job, at, image->bytes + at, image->size - at < PIECE ? image->size - at : PIECE);
}

static void get_logs(struct job *job, struct slice logs[HIVE_LOGS])
{
    static const char *const suffixes[HIVE_LOGS] = {".LOG1", ".LOG2"};

    for (size_t i = 0; i < HIVE_LOGS; i++)
        if (job_neighbour(job, suffixes[i], &logs[i]) < 0) {
            job_notice(job, 0, error_text());
            logs[i] = slice_of(NULL, 0);
        }
    if (logs[0].size == 0 && logs[1].size == 0 && job_neighbour(job, ".LOG", &logs[0]) < 0)
        logs[0] = slice_of(NULL, 0);
}

static void tell_replay(struct job *job, const struct hive_replay *replay)
{
    if (replay->base_block)
        job_notice(job, 0,
                   "the hive's base block was damaged: it was taken from a transaction log");
    if (replay->problem)
        job_notice(job, 0, replay->problem);
    if (replay->entries == 0) {
        job_notice(job, 0,
                   "the hive is dirty and no transaction log fits: it is read as it is, the last "
                   "changes are missing");
        return;
    }
    job_notice_format(job, 0,
                      "the hive was dirty: %" PRIu32
                      " entries of its transaction logs (sequence %" PRIu32 " to %" PRIu32
                      ") were applied in memory, so that offsets beyond the old state are "
                      "those of the file that Windows would write%s",
                      replay->entries, replay->first, replay->last,
                      replay->gap ? "; entries before them are not there any more" : "");
}

/* Zeroed memory, of large pages where the kernel has them: a fault for each small one takes a tenth
 * of the time that a hive does. */
static uint8_t *large_room(size_t size)
{
    uint8_t *room = calloc(size, 1);
    const uintptr_t start = ((uintptr_t)room + SMALL_PIECE - 1) & ~(uintptr_t)(SMALL_PIECE - 1);

    if (room && size >= LARGE_ROOM)
        (void)madvise((void *)start, size - SMALL_PIECE, MADV_HUGEPAGE); /* else small ones do */
    return room;
}

/* The hive with its logs applied; `image` belongs to the caller. */
static int load(struct job *job, struct hive_image *image)
{
    uint8_t base_block[BASE_BLOCK_SIZE];
    struct slice logs[HIVE_LOGS] = {{0}};
    struct hive_replay replay;

    if (job->size < BASE_BLOCK_SIZE || job->size > HIVE_CEILING)
        return error_set("not a registry hive: its size is impossible");
    if (job_read(job, 0, base_block, sizeof base_block) < (ssize_t)sizeof base_block)
        return -1;
    const bool dirty = hive_log_is_needed(slice_of(base_block, sizeof base_block));
    if (dirty)
        get_logs(job, logs);
    image->size = (size_t)job->size;
    image->room = image->size + image->size / 4 + logs[0].size + logs[1].size;
    image->bytes = large_room(image->room);
    if (!image->bytes)
        return error_set("out of memory");
    read_all(job, image);
    if (dirty) {
        hive_log_replay(image, logs, &replay);
        if (slice_starts(slice_of(image->bytes, image->size), "regf"))
            tell_replay(job, &replay);
    }
    return 0;
}

/* --- which hive it is --- */

static bool has_key(struct registry *registry, const char *path)
{
    struct hive_key key;

    return hive_find(registry->hive, NULL, path, &key);
}

static enum registry_kind kind_of(struct registry *registry)
{
    static const struct {
        const char *key;
        enum registry_kind kind;
    } known[] = {
        {"Select", REGISTRY_SYSTEM},
        {"SAM\\Domains", REGISTRY_SAM},
        {"Policy\\Secrets", REGISTRY_SECURITY},
        {"Policy\\PolAdtEv", REGISTRY_SECURITY},
        {"Microsoft\\Windows NT", REGISTRY_SOFTWARE},
        {"Microsoft\\Windows", REGISTRY_SOFTWARE},
        {"Root\\InventoryApplicationFile", REGISTRY_AMCACHE},
        {"Root\\File", REGISTRY_AMCACHE},
        {"Software\\Microsoft", REGISTRY_USER},
        {"Local Settings", REGISTRY_CLASSES},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (has_key(registry, known[i].key))
            return known[i].kind;
    return REGISTRY_OTHER;
}

/* "S-1-5-21-1-2-3-1104" from the binary SID at the cursor (MS-DTYP 2.4.2.2). */
static bool read_sid(struct cursor *c, char *text, size_t size)
{
    const uint8_t revision = cursor_u8(c), count = cursor_u8(c);
    const uint16_t authority_high = cursor_u16be(c);
    const uint32_t authority = cursor_u32be(c);
    size_t at = (size_t)snprintf(text, size, "S-%u-%" PRIu64, revision,
                                 (uint64_t)authority_high << 32 | authority);

    for (unsigned i = 0; i < count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "-%" PRIu32, cursor_u32le(c));
    return !cursor_failed(c) && revision == 1 && count <= 15 && at < size;
}

/* The user that the root key's access list names: whose hive it is stands nowhere else in it. */
static bool find_user(struct slice descriptor, char *text, size_t size)
{
    struct cursor c = cursor_over(descriptor, 0);

    cursor_seek(&c, 16);
    cursor_seek(&c, cursor_u32le(&c));
    cursor_skip(&c, 4);
    const uint16_t count = cursor_u16le(&c);
    cursor_skip(&c, 2);
    for (unsigned i = 0; i < count && !cursor_failed(&c); i++) {
        cursor_skip(&c, 2);
        const uint16_t ace_size = cursor_u16le(&c);
        struct cursor ace = cursor_over(cursor_take(&c, ace_size < 4 ? 0 : ace_size - 4u), 0);
        cursor_skip(&ace, 4);
        if (ace_size < 4)
            return false;
        if (read_sid(&ace, text, size) && strncmp(text, "S-1-5-21-", 9) == 0)
            return true;
    }
    return false;
}

/* "anna" of "Users/anna/NTUSER.DAT", else the file's own name. */
static struct slice owner_of(const char *path)
{
    const char *users = strcasestr(path, "Users/");
    const char *name = users ? users + 6 : path_name(path);

    return slice_of(name, strcspn(name, "/"));
}

static const char *user_prefix(struct registry *registry)
{
    const struct file *file = registry->job->file;
    const struct hive_key root = hive_root(registry->hive);
    const char *ending = registry->kind == REGISTRY_CLASSES ? "_Classes" : "";
    char sid[SID_TEXT_SIZE];

    if (strcasecmp(path_name(file->path), "DEFAULT") == 0)
        return "HKU\\.DEFAULT";
    if (strcasestr(file->path, "ServiceProfiles/LocalService/"))
        return arena_format(registry->job->arena, "HKU\\S-1-5-19%s", ending);
    if (strcasestr(file->path, "ServiceProfiles/NetworkService/"))
        return arena_format(registry->job->arena, "HKU\\S-1-5-20%s", ending);
    if (find_user(hive_security(registry->hive, &root), sid, sizeof sid))
        return arena_format(registry->job->arena, "HKU\\%s%s", sid, ending);
    const struct slice owner = owner_of(file->path);
    return arena_format(registry->job->arena, "HKU\\%.*s%s", (int)owner.size,
                        (const char *)owner.data, ending);
}

static const char *prefix_of(struct registry *registry)
{
    switch (registry->kind) {
    case REGISTRY_SYSTEM:
        return "HKLM\\SYSTEM";
    case REGISTRY_SOFTWARE:
        return "HKLM\\SOFTWARE";
    case REGISTRY_SAM:
        return "HKLM\\SAM";
    case REGISTRY_SECURITY:
        return "HKLM\\SECURITY";
    case REGISTRY_AMCACHE:
        return "HKLM\\AMCACHE";
    case REGISTRY_USER:
    case REGISTRY_CLASSES:
        return user_prefix(registry);
    default:
        return arena_format(registry->job->arena, "HIVE\\%s", path_name(registry->job->file->path));
    }
}

static const char *control_set_of(struct registry *registry)
{
    struct hive_key select;
    struct hive_value value;
    uint64_t number;

    if (registry->kind != REGISTRY_SYSTEM || !hive_find(registry->hive, NULL, "Select", &select) ||
        !hive_find_value(registry->hive, &select, "Current", &value) ||
        !hive_number(registry->hive, &value, &number) || number > 999)
        return "";
    return arena_format(registry->job->arena, "ControlSet%03u", (unsigned)number);
}

/* --- the artifact --- */

static int tell_all(struct registry *registry)
{
    const char *damage;
    uint64_t offset;
    int result = registry_tell_values(registry);

    if (result == 0) {
        registry_tell_themes(registry, registry_settings, registry_setting_count);
        registry_tell_themes(registry, registry_programs, registry_program_count);
        registry_tell_themes(registry, registry_accounts, registry_account_count);
        result = registry_tell_recovered(registry);
    }
    const uint64_t places = hive_damage(registry->hive, &damage, &offset);
    if (places) {
        job_notice_format(registry->job, offset, "%" PRIu64 " places are damaged; the first: %s",
                          places, damage);
    }
    return result;
}

static int open_hive(struct registry *registry)
{
    if (hive_open(registry->bytes, registry->job->arena, &registry->hive) < 0)
        return -1;
    registry->kind = kind_of(registry);
    registry->prefix = prefix_of(registry);
    registry->control_set = control_set_of(registry);
    registry->values_left = registry->bytes.size / SMALLEST_VALUE;
    registry->looks_left = registry->bytes.size / CELL_ALIGNMENT;
    registry->data_left = 2 * (uint64_t)registry->bytes.size;
    return registry->prefix && registry->control_set ? 0 : -1;
}

static int parse(struct job *job)
{
    struct hive_image image = {0};
    struct registry registry = {
        .job = job, .scratch = arena_new(SCRATCH_MEMORY), .lines = {.job = job}};
    int result = registry.scratch ? load(job, &image) : error_set("out of memory");

    registry.bytes = slice_of(image.bytes, image.size);
    if (result == 0)
        result = open_hive(&registry);
    if (result == 0)
        result = tell_all(&registry);
    free(image.bytes);
    buffer_release(&registry.line);
    buffer_release(&registry.found);
    buffer_release(&registry.key);
    registry_lines_release(&registry.lines);
    arena_free(registry.scratch);
    return result;
}

/* A hive, not one of its logs, whose base block is of another type. */
static bool recognise(struct slice head, const char *name)
{
    struct cursor c = cursor_over(head, 0);

    (void)name;
    cursor_seek(&c, TYPE_AT);
    return slice_starts(head, "regf") && cursor_u32le(&c) == 0 && !cursor_failed(&c);
}

static const char *const paths[] = {
    "{registry}/SYSTEM",
    "{registry}/SOFTWARE",
    "{registry}/SAM",
    "{registry}/SECURITY",
    "{registry}/DEFAULT",
    "Users/*/NTUSER.DAT",
    "Users/*/AppData/Local/Microsoft/Windows/UsrClass.dat",
    "{windows}/ServiceProfiles/*/NTUSER.DAT",
    "{windows}/AppCompat/Programs/Amcache.hve",
    NULL,
};
static const struct log_source sources[] = {
    {"registry_set", "windows", NULL},    {"registry_add", "windows", NULL},
    {"registry_delete", "windows", NULL}, {"registry_event", "windows", NULL},
    {NULL, "windows", "registry"},        {NULL, NULL, NULL},
};

extern const struct artifact artifact_registry_hive;
const struct artifact artifact_registry_hive = {
    .name = "registry_hive",
    .title = "Registry hives",
    .paths = paths,
    .sources = sources,
    .recognise = recognise,
    .parse = parse,
};
