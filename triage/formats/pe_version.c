/* The version resource of a program: numbers in its fixed part, texts in the tables below it. */
#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/pe.h"

#include <stdio.h>

enum {
    DIRECTORY_SIZE = 16,
    ENTRY_SIZE = 8,
    ENTRIES_MOST = 4096,
    TYPE_VERSION = 16,
    ANY_ID = -1,
    VERSION_MOST = 64 * 1024,
    TEXT_MOST = 4096, /* bytes of UTF-16 */
    NODES_MOST = 1024,
};

static const uint32_t SUBDIRECTORY = 0x80000000, FIXED_INFO_SIGNATURE = 0xFEEF04BD;

/* One node of the tree: { length, value length, type, key, padding, value, padding, nodes }. */
struct node {
    struct slice key, value, below; /* UTF-16 without its NUL; bytes; further nodes */
};

/* The offset that the directory at `offset` has for an id; false when it has none. */
static bool find_entry(const struct pe_image *image, uint32_t offset, int id, uint32_t *found)
{
    const uint32_t address = image->directories[PE_RESOURCES].address + (offset & ~SUBDIRECTORY);
    struct cursor c = cursor_over(pe_at(image, address, DIRECTORY_SIZE), 0);

    cursor_skip(&c, DIRECTORY_SIZE - 4);
    uint32_t count = (uint32_t)cursor_u16le(&c) + cursor_u16le(&c);
    if (count > ENTRIES_MOST)
        count = ENTRIES_MOST;
    c = cursor_over(pe_at(image, address + DIRECTORY_SIZE, (size_t)count * ENTRY_SIZE), 0);
    while (cursor_left(&c) >= ENTRY_SIZE) {
        const uint32_t entry_id = cursor_u32le(&c);
        *found = cursor_u32le(&c);
        if (id == ANY_ID || entry_id == (uint32_t)id)
            return true;
    }
    return false;
}

/* The bytes of the first version resource: type, name, language. */
static struct slice version_resource(const struct pe_image *image)
{
    const uint32_t base = image->directories[PE_RESOURCES].address;
    uint32_t offset = 0;

    if (!base || !find_entry(image, 0, TYPE_VERSION, &offset) || !(offset & SUBDIRECTORY) ||
        !find_entry(image, offset, ANY_ID, &offset) || !(offset & SUBDIRECTORY) ||
        !find_entry(image, offset, ANY_ID, &offset) || (offset & SUBDIRECTORY))
        return slice_of(NULL, 0);
    struct cursor c = cursor_over(pe_at(image, base + offset, 8), 0);
    const uint32_t address = cursor_u32le(&c), size = cursor_u32le(&c);
    if (cursor_failed(&c))
        return slice_of(NULL, 0);
    return pe_at(image, address, size < VERSION_MOST ? size : VERSION_MOST);
}

static void align(struct cursor *c)
{
    const size_t padding = -c->at & 3;

    cursor_skip(c, padding < cursor_left(c) ? padding : cursor_left(c));
}

/* The next node of a run of nodes; false at its end and where it makes no sense. */
static bool next_node(struct cursor *c, struct node *node)
{
    align(c);
    const size_t start = c->at;
    const uint16_t size = cursor_u16le(c);
    if (cursor_failed(c) || size < 6)
        return false;
    cursor_seek(c, start);
    struct cursor in = cursor_over(cursor_take(c, size), 0);
    if (cursor_failed(c)) /* the last node says that it is longer than the resource */
        in = cursor_over(slice_from(c->bytes, start), 0);
    cursor_skip(&in, 2);
    const uint16_t value_size = cursor_u16le(&in), is_text = cursor_u16le(&in);
    const size_t key_start = in.at;
    while (cursor_u16le(&in))
        continue;
    if (cursor_failed(&in))
        return false;
    node->key = slice_part(in.bytes, key_start, in.at - 2 - key_start);
    align(&in);
    const size_t wanted = (size_t)value_size << (is_text ? 1 : 0);
    node->value = slice_part(in.bytes, in.at, wanted);
    cursor_skip(&in, node->value.size);
    align(&in);
    node->below = slice_from(in.bytes, in.at);
    return true;
}

static bool key_is(struct slice key, const char *name)
{
    for (size_t i = 0; i + 1 < key.size; i += 2, name++)
        if (!*name || key.data[i] != (uint8_t)*name || key.data[i + 1])
            return false;
    return !*name;
}

/* The text of a string; its count may be wrong either way, its NUL is right. */
static void take_string(const struct node *string, struct arena *arena,
                        struct pe_version_info *info)
{
    const struct {
        const char *name;
        const char **text;
    } wanted[] = {
        {"CompanyName", &info->company},
        {"FileDescription", &info->description},
        {"FileVersion", &info->file_version},
        {"InternalName", &info->internal_name},
        {"OriginalFilename", &info->original_name},
        {"ProductName", &info->product_name},
        {"ProductVersion", &info->product_version},
    };
    const struct slice value = string->value.size ? string->value : string->below;

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!*wanted[i].text && key_is(string->key, wanted[i].name))
            *wanted[i].text = utf16_to_text(arena, slice_part(value, 0, TEXT_MOST), true);
}

/* Of all languages: the first that has a text gives it. */
static void read_strings(struct slice tables, struct arena *arena, struct pe_version_info *info)
{
    struct cursor languages = cursor_over(tables, 0);
    struct node language, string;
    size_t count = 0;

    while (count < NODES_MOST && next_node(&languages, &language)) {
        struct cursor strings = cursor_over(language.below, 0);
        while (count++ < NODES_MOST && next_node(&strings, &string))
            take_string(&string, arena, info);
    }
}

static struct pe_version version_of(uint32_t high, uint32_t low)
{
    return (struct pe_version){(uint16_t)(high >> 16), (uint16_t)high, (uint16_t)(low >> 16),
                               (uint16_t)low};
}

static int read_fixed(struct slice fixed, struct pe_version *file, struct pe_version *product)
{
    struct cursor c = cursor_over(fixed, 0);
    const uint32_t signature = cursor_u32le(&c);

    cursor_skip(&c, 4);
    const uint32_t file_high = cursor_u32le(&c), file_low = cursor_u32le(&c);
    if (cursor_failed(&c) || signature != FIXED_INFO_SIGNATURE)
        return error_set("the program has no version resource");
    *file = version_of(file_high, file_low);
    const uint32_t high = cursor_u32le(&c), low = cursor_u32le(&c);
    *product = version_of(high, low);
    return 0;
}

int pe_version_read(const struct pe_image *image, struct arena *arena, struct pe_version_info *info)
{
    struct cursor c = cursor_over(version_resource(image), 0);
    struct node root, part;

    *info = (struct pe_version_info){.company = NULL};
    if (!next_node(&c, &root) || read_fixed(root.value, &info->file, &info->product) < 0)
        return error_set("the program has no version resource");
    c = cursor_over(root.below, 0);
    for (size_t i = 0; i < NODES_MOST && next_node(&c, &part); i++)
        if (key_is(part.key, "StringFileInfo"))
            read_strings(part.below, arena, info);
    return 0;
}

static struct slice whole_window(void *context, uint64_t offset, size_t size)
{
    const struct slice *bytes = context;

    return slice_part(*bytes, (size_t)offset, size);
}

int pe_file_version(struct slice bytes, struct pe_version *version)
{
    const struct pe_source source = {whole_window, &bytes, bytes.size};
    struct pe_image image;
    struct pe_version product;
    struct node root;

    if (pe_open(&source, &image) < 0)
        return -1;
    struct cursor c = cursor_over(version_resource(&image), 0);
    if (!next_node(&c, &root))
        return error_set("the program has no version resource");
    return read_fixed(root.value, version, &product);
}

const char *pe_version_format(struct pe_version version, char text[PE_VERSION_TEXT_SIZE])
{
    snprintf(text, PE_VERSION_TEXT_SIZE, "%u.%u.%u.%u", version.major, version.minor, version.build,
             version.revision);
    return text;
}
