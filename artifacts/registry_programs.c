/*
 * Programs that were there or that ran: AppCompatCache ("shim cache") of Windows Server 2008 R2 to
 * 2025, BAM and DAM, UserAssist, Amcache. Formats: libyal's winreg-kb (Application Compatibility
 * Cache, User Assist), and Amcache as described by Blanche Lagny (ANSSI, "Analysis of the
 * AmCache"); checked against the samples.
 */
#include "artifacts/registry_hive.h"

#include "triage/base/utf16.h"

#include <inttypes.h>
#include <string.h>

enum {
    MOST_PROGRAMS = 1 << 16, /* entries of one list */
    OLD_HEADER_SIZE = 0x80,  /* Windows 7 to 8.1 */
    OLD_MAGIC = 0xBADC0FEE,
    OLD_ENTRY_SIZE = 48, /* 64-bit Windows 7 and Server 2008 R2 */
    OLD_ENTRY_SIZE_32 = 32,
    EXECUTED_FLAG = 2, /* "insert flags": the process was created */
    ASSIST_SIZE = 72,  /* a UserAssist entry since Windows 7 */
    ASSIST_OLD_SIZE = 16,
    SHA1_DIGITS = 40,
    PATH_CEILING = 4096, /* bytes of a path */
};

/* 1990 to 2100 as FILETIME. */
static const uint64_t EARLIEST = UINT64_C(122756256000000000),
                      LATEST = UINT64_C(157469184000000000);

/* --- AppCompatCache --- */

struct cache {
    struct registry *registry;
    const char *path;
    const struct hive_key *key;
    unsigned position; /* the newest is first */
};

static void tell_cached(struct cache *cache, struct slice utf16, uint64_t modified,
                        const char *executed)
{
    struct registry *registry = cache->registry;

    registry_begin(registry, cache->path);
    registry_add(registry, FIELD_ProgramPath,
                 utf16_to_text(registry->scratch, slice_part(utf16, 0, PATH_CEILING), true));
    registry_add_number(registry, FIELD_Position, cache->position++);
    registry_add(registry, FIELD_Executed, executed);
    registry_emit(registry, KIND_registry_shimcache, instant_from_filetime(modified), cache->key);
}

static bool is_plausible(uint64_t filetime)
{
    return filetime == 0 || (filetime >= EARLIEST && filetime <= LATEST);
}

/* Windows 8 and Server 2012 (R2): what stands behind the path. Some builds put a package name in
 * between, with its size in front: the time tells which. */
static bool read_old_tail(struct cursor *c, bool package, uint32_t *flags, uint64_t *modified)
{
    if (package)
        cursor_skip(c, cursor_u16le(c));
    *flags = cursor_u32le(c);
    cursor_skip(c, 4);
    *modified = cursor_u64le(c);
    return !cursor_failed(c) && is_plausible(*modified);
}

static void tell_tagged_entry(struct cache *cache, struct cursor *entry, bool old)
{
    const uint16_t path_size = cursor_u16le(entry);
    const struct slice path = cursor_take(entry, path_size);
    struct cursor other = *entry;
    uint32_t flags = 0;
    uint64_t modified = 0;

    if (path.size == 0)
        return;
    if (!old)
        modified = cursor_u64le(entry);
    else if (!read_old_tail(entry, true, &flags, &modified) &&
             !read_old_tail(&other, false, &flags, &modified))
        modified = 0;
    tell_cached(cache, path, modified, !old ? NULL : flags & EXECUTED_FLAG ? "true" : "false");
}

/* Windows 8 and later: entries with a tag, each with its size. */
static void tell_tagged(struct cache *cache, struct slice data, size_t header_size)
{
    struct cursor c = cursor_over(data, 0);

    cursor_seek(&c, header_size);
    while (cursor_left(&c) && cache->position < MOST_PROGRAMS) {
        const struct slice tag = cursor_take(&c, 4);
        cursor_skip(&c, 4);
        const uint32_t size = cursor_u32le(&c);
        struct cursor entry = cursor_over(cursor_take(&c, size), 0);
        if (cursor_failed(&c) || !(slice_is(tag, "10ts") || slice_is(tag, "00ts")))
            return;
        tell_tagged_entry(cache, &entry, header_size == OLD_HEADER_SIZE);
    }
}

/* Windows 7 and Server 2008 R2: a table whose entries name their paths by offset. */
static void tell_table(struct cache *cache, struct slice data, size_t stride)
{
    struct cursor c = cursor_over(data, 0);

    cursor_seek(&c, 4);
    const uint32_t count = cursor_u32le(&c);
    for (uint32_t i = 0; i < count && i < MOST_PROGRAMS; i++) {
        cursor_seek(&c, OLD_HEADER_SIZE + (size_t)i * stride);
        const uint16_t path_size = cursor_u16le(&c);
        cursor_skip(&c, stride == OLD_ENTRY_SIZE ? 6 : 2);
        const uint64_t offset = stride == OLD_ENTRY_SIZE ? cursor_u64le(&c) : cursor_u32le(&c);
        const uint64_t modified = cursor_u64le(&c);
        const uint32_t flags = cursor_u32le(&c);
        if (cursor_failed(&c))
            return;
        const struct slice path =
            offset < data.size ? slice_part(data, (size_t)offset, path_size) : slice_of(NULL, 0);
        if (path.size)
            tell_cached(cache, path, modified, flags & EXECUTED_FLAG ? "true" : "false");
    }
}

/* In the 64-bit table four bytes of padding stand where the 32-bit one has the path's offset. */
static bool is_wide_table(struct slice data)
{
    struct cursor c = cursor_over(data, 0);

    cursor_seek(&c, OLD_HEADER_SIZE + 4);
    return cursor_u32le(&c) == 0;
}

static void tell_cache(struct registry *registry, const char *path, const struct hive_key *key)
{
    struct cache cache = {registry, path, key, 0};
    struct arena *own = arena_new(0); /* the list outlives the events made of it */
    struct hive_value value;

    if (own && hive_find_value(registry->hive, key, "AppCompatCache", &value)) {
        const struct slice data = hive_data(registry->hive, &value, own);
        struct cursor c = cursor_over(data, 0);
        const uint32_t first = cursor_u32le(&c);
        if (first == OLD_MAGIC)
            tell_table(&cache, data, is_wide_table(data) ? OLD_ENTRY_SIZE : OLD_ENTRY_SIZE_32);
        else if (first == OLD_HEADER_SIZE || first == 0x30 || first == 0x34)
            tell_tagged(&cache, data, first);
        if (data.size && cache.position == 0)
            job_notice(registry->job, 4096 + (uint64_t)value.cell,
                       "AppCompatCache is empty or in a format that is not known");
    }
    arena_free(own);
}

/* --- BAM and DAM: the last run of each program, by user --- */

static void tell_activity(struct registry *registry, const char *path, const struct hive_key *key)
{
    struct hive_values values = hive_values(registry->hive, key);
    struct hive_value value;

    while (registry->looks_left && hive_next_value(&values, &value)) {
        registry->looks_left--;
        registry_begin(registry, path);
        struct cursor c = cursor_over(hive_data(registry->hive, &value, registry->scratch), 0);
        const uint64_t ran = cursor_u64le(&c);
        if (cursor_failed(&c) || value.type != HIVE_BINARY)
            continue;
        registry_add(registry, FIELD_ProgramPath, hive_name_text(value.name, registry->scratch));
        registry_add(registry, FIELD_User,
                     arena_text(registry->scratch, slice_of_text(registry_last_part(path))));
        registry_emit(registry, KIND_registry_run, instant_from_filetime(ran), key);
    }
}

/* --- UserAssist: programs started from the desktop --- */

static void turn_letters(char *text)
{
    for (char *c = text; *c; c++) {
        const char base = *c >= 'a' && *c <= 'z' ? 'a' : *c >= 'A' && *c <= 'Z' ? 'A' : 0;
        if (base)
            *c = (char)(base + (*c - base + 13) % 26);
    }
}

static void tell_assist_entry(struct registry *registry, const struct hive_value *value,
                              const struct hive_key *key)
{
    const struct slice data = hive_data(registry->hive, value, registry->scratch);
    char *name = hive_name_text(value->name, registry->scratch);
    struct cursor c = cursor_over(data, 0);

    if (!name || (data.size < ASSIST_SIZE && data.size != ASSIST_OLD_SIZE))
        return;
    cursor_seek(&c, 4);
    const uint32_t count = cursor_u32le(&c);
    if (data.size >= ASSIST_SIZE)
        cursor_seek(&c, 60);
    const uint64_t ran = cursor_u64le(&c);
    turn_letters(name);
    if (strncmp(name, "UEME_CTL", 8) == 0)
        return;
    registry_add(registry, FIELD_ProgramPath, name);
    registry_add_number(registry, FIELD_RunCount, count);
    registry_emit(registry, KIND_registry_run, instant_from_filetime(ran), key);
}

static void tell_assist(struct registry *registry, const char *path, const struct hive_key *key)
{
    struct hive_values values = hive_values(registry->hive, key);
    struct hive_value value;

    while (registry->looks_left && hive_next_value(&values, &value)) {
        registry->looks_left--;
        registry_begin(registry, path);
        tell_assist_entry(registry, &value, key);
    }
}

/* --- Amcache --- */

/* "0000" and then the digest, of the file's first 31 MiB. */
static const char *digest_of(const char *id)
{
    return id && strlen(id) == SHA1_DIGITS + 4 ? id + 4 : NULL;
}

static void tell_inventory_file(struct registry *registry, const char *path,
                                const struct hive_key *key)
{
    registry_begin(registry, path);
    const char *name = registry_text(registry, key, "LowerCaseLongPath");
    if (!name)
        return;
    registry_add(registry, FIELD_ProgramPath, name);
    registry_add(registry, FIELD_SHA1, digest_of(registry_text(registry, key, "FileId")));
    registry_add(registry, FIELD_Size, registry_text(registry, key, "Size"));
    registry_add(registry, FIELD_LinkDate, registry_text(registry, key, "LinkDate"));
    registry_add(registry, FIELD_Product, registry_text(registry, key, "ProductName"));
    registry_add(registry, FIELD_ProductVersion, registry_text(registry, key, "BinFileVersion"));
    registry_add(registry, FIELD_Company, registry_text(registry, key, "Publisher"));
    registry_emit(registry, KIND_registry_amcache, key->written, key);
}

/* Windows 8 and Server 2012: values have numbers for names. */
static void tell_old_file(struct registry *registry, const char *path, const struct hive_key *key)
{
    uint64_t number;

    registry_begin(registry, path);
    const char *name = registry_text(registry, key, "15");
    if (!name)
        return;
    registry_add(registry, FIELD_ProgramPath, name);
    registry_add(registry, FIELD_SHA1, digest_of(registry_text(registry, key, "101")));
    registry_add(registry, FIELD_Size, registry_text(registry, key, "6"));
    if (registry_number(registry, key, "f", &number))
        registry_add_time(registry, FIELD_LinkDate, instant_from_unix((int64_t)number, 0));
    registry_add(registry, FIELD_Product, registry_text(registry, key, "0"));
    registry_add(registry, FIELD_ProductVersion, registry_text(registry, key, "5"));
    registry_add(registry, FIELD_Company, registry_text(registry, key, "1"));
    registry_emit(registry, KIND_registry_amcache, key->written, key);
}

const struct registry_theme registry_programs[] = {
    {REGISTRY_SYSTEM, "@\\Control\\Session Manager\\AppCompatCache", tell_cache},
    {REGISTRY_SYSTEM, "@\\Services\\bam\\State\\UserSettings\\*", tell_activity},
    {REGISTRY_SYSTEM, "@\\Services\\bam\\UserSettings\\*", tell_activity},
    {REGISTRY_SYSTEM, "@\\Services\\dam\\State\\UserSettings\\*", tell_activity},
    {REGISTRY_SYSTEM, "@\\Services\\dam\\UserSettings\\*", tell_activity},
    {REGISTRY_USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\UserAssist\\*\\Count",
     tell_assist},
    {REGISTRY_AMCACHE, "Root\\InventoryApplicationFile\\*", tell_inventory_file},
    {REGISTRY_AMCACHE, "Root\\File\\*\\*", tell_old_file},
};
const size_t registry_program_count = sizeof registry_programs / sizeof *registry_programs;
