#include "triage/formats/pe_tables.h"

#include <string.h>

enum {
    NAME_MOST = 512,
    EXPORTS_MOST = 65536,
    EXPORT_DIRECTORY_SIZE = 40,
    LIBRARIES_MOST = 1024,
    IMPORTS_MOST = 65536,
    IMPORT_SIZE = 20,
    DEBUG_SIZE = 28,
    DEBUG_MOST = 64,
    DEBUG_CODEVIEW = 2,
    DEBUG_REPRODUCIBLE = 16,
    CODEVIEW_PATH_AT = 24, /* behind "RSDS", a GUID and an age */
    CLI_HEADER_SIZE = 72,
    METADATA_MOST = 256, /* of its root, with the names of the streams */
    STREAMS_MOST = 16,
    STRINGS_MOST = 2 * 1024 * 1024,
    TABLES_MOST = 24 + 64 * 4 + 10,
};

/* The text at an address, to its NUL; empty when it has none within NAME_MOST bytes. */
static struct slice name_at(const struct pe_image *image, uint32_t address)
{
    const struct slice bytes = pe_at(image, address, NAME_MOST);
    const size_t end = slice_find(bytes, 0, 0);

    return slice_part(bytes, 0, end == SIZE_MAX ? 0 : end);
}

size_t pe_exports(const struct pe_image *image, void (*visit)(void *context, struct slice name),
                  void *context)
{
    const uint32_t address = image->directories[PE_EXPORTS].address;
    struct cursor c = cursor_over(pe_at(image, address, address ? EXPORT_DIRECTORY_SIZE : 0), 0);
    size_t told = 0;

    cursor_skip(&c, 24);
    uint32_t count = cursor_u32le(&c);
    cursor_skip(&c, 4);
    const uint32_t names = cursor_u32le(&c);
    if (cursor_failed(&c))
        return 0;
    if (count > EXPORTS_MOST)
        count = EXPORTS_MOST;
    c = cursor_over(pe_at(image, names, (size_t)count * 4), 0);
    for (; cursor_left(&c) >= 4; told++)
        visit(context, name_at(image, cursor_u32le(&c)));
    return told;
}

/* The functions of one library: 32 or 64 bits each, the highest says that it is by number. */
static size_t import_functions(const struct pe_image *image, struct slice library, uint32_t thunks,
                               size_t most, void (*visit)(void *, const struct pe_import *),
                               void *context)
{
    const bool wide = image->is_wide;
    const size_t step = wide ? 8 : 4;
    size_t told = 0;

    for (; told < most; told++) {
        struct cursor c = cursor_over(pe_at(image, thunks + (uint32_t)(told * step), step), 0);
        const uint64_t thunk = wide ? cursor_u64le(&c) : cursor_u32le(&c);
        if (cursor_failed(&c) || !thunk)
            break;
        struct pe_import import = {.library = library};
        if (thunk >> (wide ? 63 : 31))
            import.ordinal = (uint16_t)thunk;
        else
            import.name = name_at(image, (uint32_t)thunk + 2);
        visit(context, &import);
    }
    return told;
}

size_t pe_imports(const struct pe_image *image,
                  void (*visit)(void *context, const struct pe_import *import), void *context)
{
    const uint32_t address = image->directories[PE_IMPORTS].address;
    size_t told = 0;

    for (uint32_t i = 0; address && i < LIBRARIES_MOST && told < IMPORTS_MOST; i++) {
        struct cursor c = cursor_over(pe_at(image, address + i * IMPORT_SIZE, IMPORT_SIZE), 0);
        const uint32_t lookup = cursor_u32le(&c);
        cursor_skip(&c, 8);
        const uint32_t name = cursor_u32le(&c), table = cursor_u32le(&c);
        if (cursor_failed(&c) || (!lookup && !name && !table))
            break;
        const struct slice library = name_at(image, name);
        if (library.size)
            told += import_functions(image, library, lookup ? lookup : table, IMPORTS_MOST - told,
                                     visit, context);
    }
    return told;
}

static const char *pdb_path(const struct pe_image *image, struct arena *arena, uint32_t address,
                            uint32_t size)
{
    const struct slice bytes = pe_at(image, address, size < NAME_MOST ? size : NAME_MOST);
    const struct slice path = slice_from(bytes, CODEVIEW_PATH_AT);
    const size_t end = slice_find(path, 0, 0);

    if (!slice_starts(bytes, "RSDS") || !path.size)
        return NULL;
    return arena_text(arena, slice_part(path, 0, end));
}

void pe_debug_read(const struct pe_image *image, struct arena *arena, struct pe_debug *debug)
{
    const struct pe_range *range = &image->directories[PE_DEBUG];
    const size_t size =
        range->size < DEBUG_MOST * DEBUG_SIZE ? range->size : (size_t)DEBUG_MOST * DEBUG_SIZE;
    struct cursor c = cursor_over(pe_at(image, range->address, range->address ? size : 0), 0);

    *debug = (struct pe_debug){.pdb_path = NULL};
    while (cursor_left(&c) >= DEBUG_SIZE) {
        cursor_skip(&c, 12);
        const uint32_t type = cursor_u32le(&c), bytes = cursor_u32le(&c),
                       address = cursor_u32le(&c);
        cursor_skip(&c, 4);
        if (type == DEBUG_REPRODUCIBLE)
            debug->reproducible = true;
        if (type == DEBUG_CODEVIEW && !debug->pdb_path)
            debug->pdb_path = pdb_path(image, arena, address, bytes);
    }
}

struct streams {
    struct pe_range tables, strings; /* addresses in memory */
};

static void read_streams(struct cursor *c, uint32_t root, struct streams *streams)
{
    const size_t count = cursor_u16le(c);

    for (size_t i = 0; i < count && i < STREAMS_MOST && !cursor_failed(c); i++) {
        const uint32_t offset = cursor_u32le(c), size = cursor_u32le(c);
        const struct slice left = slice_from(c->bytes, c->at);
        const struct slice name = slice_part(left, 0, slice_find(left, 0, 0));
        cursor_skip(c, (name.size + 4) & ~(size_t)3);
        if (cursor_failed(c))
            return;
        if (slice_is(name, "#~") || slice_is(name, "#-"))
            streams->tables = (struct pe_range){root + offset, size};
        else if (slice_is(name, "#Strings"))
            streams->strings = (struct pe_range){root + offset, size};
    }
}

/* Whether the heap of names has this one, whole. */
static bool heap_has(struct slice heap, const char *name)
{
    const size_t size = strlen(name);

    for (size_t at = 0; at < heap.size; at++) {
        at = slice_find_nocase(heap, at, slice_of_text(name));
        if (at == SIZE_MAX)
            return false;
        if (at > 0 && !heap.data[at - 1] && at + size < heap.size && !heap.data[at + size])
            return true;
    }
    return false;
}

/* The one row of the table Module comes first: a number, then where its name is. */
static const char *module_name(const struct pe_image *image, struct arena *arena,
                               const struct streams *streams, struct slice heap)
{
    struct cursor c = cursor_over(pe_at(image, streams->tables.address, TABLES_MOST), 0);

    cursor_skip(&c, 6);
    const bool wide = cursor_u8(&c) & 1;
    cursor_skip(&c, 1);
    uint64_t present = cursor_u64le(&c);
    if (!(present & 1))
        return NULL;
    cursor_skip(&c, 8);
    for (; present; present &= present - 1)
        cursor_skip(&c, 4);
    cursor_skip(&c, 2);
    const uint32_t at = wide ? cursor_u32le(&c) : cursor_u16le(&c);
    const struct slice name = slice_part(slice_from(heap, at), 0, NAME_MOST);
    const size_t end = slice_find(name, 0, 0);
    if (cursor_failed(&c) || end == SIZE_MAX)
        return NULL;
    return arena_text(arena, slice_part(name, 0, end));
}

void pe_cli_read(const struct pe_image *image, struct arena *arena, struct pe_cli *cli)
{
    const uint32_t address = image->directories[PE_CLI].address;
    struct cursor c = cursor_over(pe_at(image, address, address ? CLI_HEADER_SIZE : 0), 0);
    struct streams streams = {{0, 0}, {0, 0}};

    *cli = (struct pe_cli){.is_managed = false};
    cursor_skip(&c, 8);
    const uint32_t root = cursor_u32le(&c);
    if (cursor_failed(&c))
        return;
    cli->is_managed = true;
    c = cursor_over(pe_at(image, root, METADATA_MOST), 0);
    const bool is_metadata = slice_starts(cursor_take(&c, 4), "BSJB");
    cursor_skip(&c, 8);
    const struct slice version = cursor_take(&c, cursor_u32le(&c));
    cursor_skip(&c, 2);
    if (!is_metadata || cursor_failed(&c))
        return;
    cli->metadata_version = arena_text(arena, slice_trim(version));
    read_streams(&c, root, &streams);
    const struct slice heap =
        pe_at(image, streams.strings.address,
              streams.strings.size < STRINGS_MOST ? streams.strings.size : STRINGS_MOST);
    cli->module_name = module_name(image, arena, &streams, heap);
    cli->is_http_module = heap_has(heap, "IHttpModule");
    cli->is_http_handler = heap_has(heap, "IHttpHandler");
}
