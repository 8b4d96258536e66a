/*
 * Windows programs, read through windows: headers, sections, and what they say of their version.
 * Sources: "PE Format", VS_VERSIONINFO and VS_FIXEDFILEINFO in the Windows documentation.
 */
#ifndef TRIAGE_FORMATS_PE_H
#define TRIAGE_FORMATS_PE_H

#include "triage/base/arena.h"

enum {
    PE_VERSION_TEXT_SIZE = 4 * 6,
    PE_SECTIONS = 96, /* what Windows loads at most */
    PE_DIRECTORIES = 16,
    PE_SECTION_NAME_SIZE = 9,
};

enum pe_directory {
    PE_EXPORTS = 0,
    PE_IMPORTS = 1,
    PE_RESOURCES = 2,
    PE_CERTIFICATES = 4, /* the only one with an offset in the file for its address */
    PE_DEBUG = 6,
    PE_CLI = 14,
};

enum { PE_FLAG_DLL = 0x2000 };

struct pe_version {
    uint16_t major, minor, build, revision;
};

/* Where the bytes of a program come from. */
struct pe_source {
    /* At most `size` bytes at `offset`: fewer at the end and where they cannot be read. They stay
     * as long as the source does. */
    struct slice (*window)(void *context, uint64_t offset, size_t size);
    void *context;
    uint64_t size;
};

struct pe_section {
    char name[PE_SECTION_NAME_SIZE];
    uint32_t address, memory_size, offset, stored_size, flags;
};

struct pe_range {
    uint32_t address, size;
};

struct pe_image {
    struct pe_source source;
    uint16_t machine, flags, subsystem;
    bool is_wide; /* PE32+: addresses of 64 bits */
    uint32_t time_stamp, headers_size;
    uint32_t checksum;
    uint64_t checksum_at; /* where the file has it */
    struct pe_range directories[PE_DIRECTORIES];
    struct pe_section sections[PE_SECTIONS];
    size_t section_count;
    bool sections_cut; /* there are fewer than the header says */
};

/* Texts of the version resource in the arena; NULL for those that are not there. */
struct pe_version_info {
    struct pe_version file, product;
    const char *company, *description, *file_version, *internal_name, *original_name, *product_name,
        *product_version;
};

/* -1 with error_text when it is not a program or its headers are cut short. */
int pe_open(const struct pe_source *source, struct pe_image *image);
/* At most `size` bytes that are at this address in memory, within one section. */
struct slice pe_at(const struct pe_image *image, uint32_t address, size_t size);
/* Where the headers and sections end in the file. */
uint64_t pe_stored_size(const struct pe_image *image);
/* Bytes behind that which are no signature either. */
uint64_t pe_overlay_size(const struct pe_image *image);
/* "amd64", "i386", "arm64" ... ; a number for others. */
const char *pe_machine(const struct pe_image *image, struct arena *arena);

/* -1 with error_text when there is no version resource or it is damaged. */
int pe_version_read(const struct pe_image *image, struct arena *arena,
                    struct pe_version_info *info);
/* FILEVERSION of the fixed part, for bytes that are the whole file. */
int pe_file_version(struct slice bytes, struct pe_version *version);
/* "15.1.2106.2"; gives `text` back. */
const char *pe_version_format(struct pe_version version, char text[PE_VERSION_TEXT_SIZE]);

#endif
