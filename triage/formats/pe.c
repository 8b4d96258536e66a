#include "triage/formats/pe.h"

#include "triage/base/error.h"

#include <string.h>

enum {
    HEADER_OFFSET_AT = 0x3C,
    DOS_HEADER_SIZE = 64,
    COFF_HEADER_SIZE = 24, /* with the signature */
    OPTIONAL_MOST = 1024,
    CHECKSUM_AT = 64,         /* within the optional header */
    DIRECTORIES_AT_PE32 = 96, /* the same */
    DIRECTORIES_AT_PE32_PLUS = 112,
    MAGIC_PE32 = 0x10B,
    MAGIC_PE32_PLUS = 0x20B,
    SECTION_SIZE = 40,
    SECTOR = 512, /* Windows rounds the offset of a section down to it */
};

static struct slice window(const struct pe_image *image, uint64_t offset, size_t size)
{
    if (offset >= image->source.size)
        return slice_of(NULL, 0);
    return slice_part(image->source.window(image->source.context, offset, size), 0, size);
}

static void read_directories(struct pe_image *image, struct cursor *optional)
{
    cursor_seek(optional, image->is_wide ? DIRECTORIES_AT_PE32_PLUS : DIRECTORIES_AT_PE32);
    for (size_t i = 0; i < PE_DIRECTORIES && cursor_left(optional) >= 8; i++) {
        image->directories[i].address = cursor_u32le(optional);
        image->directories[i].size = cursor_u32le(optional);
    }
}

static int read_optional(struct pe_image *image, struct slice bytes, uint64_t at)
{
    struct cursor c = cursor_over(bytes, at);
    const uint16_t magic = cursor_u16le(&c);

    if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
        return error_set("the headers of the program are cut short");
    image->is_wide = magic == MAGIC_PE32_PLUS;
    cursor_seek(&c, CHECKSUM_AT - 4);
    image->headers_size = cursor_u32le(&c);
    image->checksum_at = cursor_place(&c);
    image->checksum = cursor_u32le(&c);
    image->subsystem = cursor_u16le(&c);
    read_directories(image, &c);
    return cursor_failed(&c) ? error_set("the headers of the program are cut short") : 0;
}

static void read_sections(struct pe_image *image, struct slice bytes, size_t count)
{
    struct cursor c = cursor_over(bytes, 0);

    while (image->section_count < count && cursor_left(&c) >= SECTION_SIZE) {
        struct pe_section *section = &image->sections[image->section_count++];
        const struct slice name = cursor_take(&c, PE_SECTION_NAME_SIZE - 1);
        memcpy(section->name, name.data, name.size);
        section->memory_size = cursor_u32le(&c);
        section->address = cursor_u32le(&c);
        section->stored_size = cursor_u32le(&c);
        section->offset = cursor_u32le(&c);
        cursor_skip(&c, 12);
        section->flags = cursor_u32le(&c);
    }
    image->sections_cut = image->section_count < count;
}

int pe_open(const struct pe_source *source, struct pe_image *image)
{
    *image = (struct pe_image){.source = *source};
    const struct slice dos = window(image, 0, DOS_HEADER_SIZE);
    struct cursor c = cursor_over(dos, 0);
    cursor_seek(&c, HEADER_OFFSET_AT);
    const uint32_t at = cursor_u32le(&c);
    c = cursor_over(window(image, at, COFF_HEADER_SIZE), at);
    const struct slice signature = cursor_take(&c, 4);
    if (!slice_starts(dos, "MZ") || !slice_equal(signature, SLICE_LITERAL("PE\0\0")))
        return error_set("not a Windows program");
    image->machine = cursor_u16le(&c);
    const size_t section_count = cursor_u16le(&c);
    image->time_stamp = cursor_u32le(&c);
    cursor_skip(&c, 8);
    const uint16_t optional_size = cursor_u16le(&c);
    image->flags = cursor_u16le(&c);
    const uint64_t optional_at = cursor_place(&c);
    if (cursor_failed(&c) || optional_size > OPTIONAL_MOST)
        return error_set("the headers of the program are cut short");
    if (read_optional(image, window(image, optional_at, optional_size), optional_at) < 0)
        return -1;
    const size_t kept = section_count < PE_SECTIONS ? section_count : PE_SECTIONS;
    read_sections(image, window(image, optional_at + optional_size, kept * SECTION_SIZE),
                  section_count);
    return 0;
}

struct slice pe_at(const struct pe_image *image, uint32_t address, size_t size)
{
    for (size_t i = 0; i < image->section_count; i++) {
        const struct pe_section *section = &image->sections[i];
        if (address < section->address || address - section->address >= section->stored_size)
            continue;
        const uint32_t into = address - section->address, left = section->stored_size - into;
        const uint64_t start = section->offset - section->offset % SECTOR;
        return window(image, start + into, size < left ? size : left);
    }
    if (address < image->headers_size)
        return window(image, address, size);
    return slice_of(NULL, 0);
}

uint64_t pe_stored_size(const struct pe_image *image)
{
    uint64_t end = image->headers_size;

    for (size_t i = 0; i < image->section_count; i++) {
        const uint64_t section_end =
            (uint64_t)image->sections[i].offset + image->sections[i].stored_size;
        if (image->sections[i].stored_size && section_end > end)
            end = section_end;
    }
    return end;
}

uint64_t pe_overlay_size(const struct pe_image *image)
{
    const struct pe_range *signature = &image->directories[PE_CERTIFICATES];
    const uint64_t end = pe_stored_size(image), file_size = image->source.size;

    if (file_size <= end)
        return 0;
    /* The signature comes last; up to seven bytes in front of it align it. */
    const bool fits = signature->address >= end && signature->address <= file_size &&
                      signature->size <= file_size - signature->address;
    const uint64_t others = file_size - end - (fits ? signature->size : 0);
    return fits && others < 8 ? 0 : others;
}

const char *pe_machine(const struct pe_image *image, struct arena *arena)
{
    static const struct {
        uint16_t number;
        const char *name;
    } machines[] = {{0x014C, "i386"}, {0x8664, "amd64"}, {0xAA64, "arm64"},
                    {0x01C4, "arm"},  {0x0200, "ia64"},  {0x0EBC, "efi-byte-code"}};

    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].number == image->machine)
            return machines[i].name;
    return arena_format(arena, "0x%04x", image->machine);
}
