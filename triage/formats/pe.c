#include "triage/formats/pe.h"

#include "triage/base/error.h"

#include <stdio.h>

enum {
    HEADER_OFFSET_AT = 0x3C,
    DIRECTORIES_AT_PE32 = 96, /* within the optional header */
    DIRECTORIES_AT_PE32_PLUS = 112,
    MAGIC_PE32 = 0x10B,
    MAGIC_PE32_PLUS = 0x20B,
    DIRECTORY_RESOURCES = 2,
    SECTION_SIZE = 40,
    RESOURCE_DIRECTORY_SIZE = 16,
    RESOURCE_ENTRY_SIZE = 8,
    TYPE_VERSION = 16,
    ANY_ID = -1,
};

static const uint32_t SUBDIRECTORY = 0x80000000, FIXED_INFO_SIGNATURE = 0xFEEF04BD;

struct image {
    struct slice bytes, sections;
    uint32_t resources; /* address in memory of the resource directory */
};

/* The file's bytes from the memory address on, to the end of the section that holds it. */
static struct slice at_address(const struct image *image, uint32_t address)
{
    struct cursor c = cursor_over(image->sections, 0);

    while (cursor_left(&c) >= SECTION_SIZE) {
        cursor_skip(&c, 12); /* name, size in memory */
        const uint32_t start = cursor_u32le(&c), size = cursor_u32le(&c), offset = cursor_u32le(&c);
        cursor_skip(&c, 16);
        if (address >= start && address - start < size)
            return slice_from(slice_part(image->bytes, offset, size), address - start);
    }
    return slice_of(NULL, 0);
}

static int read_headers(struct slice bytes, struct image *image)
{
    struct cursor c = cursor_over(bytes, 0);

    cursor_seek(&c, HEADER_OFFSET_AT);
    cursor_seek(&c, cursor_u32le(&c));
    const struct slice signature = cursor_take(&c, 4);
    if (!slice_starts(bytes, "MZ") || !slice_equal(signature, SLICE_LITERAL("PE\0\0")))
        return error_set("not a Windows program");
    cursor_skip(&c, 2);
    const uint16_t section_count = cursor_u16le(&c);
    cursor_skip(&c, 12);
    const uint16_t optional_size = cursor_u16le(&c);
    cursor_skip(&c, 2);
    struct cursor optional = cursor_over(cursor_take(&c, optional_size), 0);
    image->sections = cursor_take(&c, (size_t)section_count * SECTION_SIZE);
    const uint16_t magic = cursor_u16le(&optional);
    cursor_seek(&optional,
                (magic == MAGIC_PE32_PLUS ? DIRECTORIES_AT_PE32_PLUS : DIRECTORIES_AT_PE32));
    cursor_skip(&optional, DIRECTORY_RESOURCES * 8);
    image->resources = cursor_u32le(&optional);
    image->bytes = bytes;
    if (cursor_failed(&c) || cursor_failed(&optional) ||
        (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS))
        return error_set("the headers of the program are cut short");
    return 0;
}

/* The offset that the directory at `offset` has for an id; false when it has none. */
static bool find_entry(struct slice resources, uint32_t offset, int id, uint32_t *found)
{
    struct cursor c = cursor_over(slice_from(resources, offset & ~SUBDIRECTORY), 0);

    cursor_skip(&c, RESOURCE_DIRECTORY_SIZE - 4);
    const uint32_t count = (uint32_t)cursor_u16le(&c) + cursor_u16le(&c);
    for (uint32_t i = 0; i < count && cursor_left(&c) >= RESOURCE_ENTRY_SIZE; i++) {
        const uint32_t entry_id = cursor_u32le(&c);
        *found = cursor_u32le(&c);
        if (id == ANY_ID || entry_id == (uint32_t)id)
            return true;
    }
    return false;
}

/* The bytes of the first version resource: type, name, language. */
static struct slice version_resource(const struct image *image)
{
    const struct slice resources = at_address(image, image->resources);
    uint32_t offset = 0;

    if (!find_entry(resources, 0, TYPE_VERSION, &offset) || !(offset & SUBDIRECTORY) ||
        !find_entry(resources, offset, ANY_ID, &offset) || !(offset & SUBDIRECTORY) ||
        !find_entry(resources, offset, ANY_ID, &offset) || (offset & SUBDIRECTORY))
        return slice_of(NULL, 0);
    struct cursor c = cursor_over(slice_from(resources, offset), 0);
    const uint32_t address = cursor_u32le(&c), size = cursor_u32le(&c);
    return slice_part(at_address(image, address), 0, cursor_failed(&c) ? 0 : size);
}

int pe_file_version(struct slice bytes, struct pe_version *version)
{
    static const size_t FIXED_INFO_AT = 40; /* behind three sizes, the name and its padding */
    struct image image;

    if (read_headers(bytes, &image) < 0)
        return -1;
    struct cursor c = cursor_over(slice_from(version_resource(&image), FIXED_INFO_AT), 0);
    const uint32_t signature = cursor_u32le(&c);
    cursor_skip(&c, 4);
    const uint32_t high = cursor_u32le(&c), low = cursor_u32le(&c);
    if (cursor_failed(&c) || signature != FIXED_INFO_SIGNATURE)
        return error_set("the program has no version resource");
    *version = (struct pe_version){(uint16_t)(high >> 16), (uint16_t)high, (uint16_t)(low >> 16),
                                   (uint16_t)low};
    return 0;
}

const char *pe_version_format(struct pe_version version, char text[PE_VERSION_TEXT_SIZE])
{
    snprintf(text, PE_VERSION_TEXT_SIZE, "%u.%u.%u.%u", version.major, version.minor, version.build,
             version.revision);
    return text;
}
