/* All that pe_file tells of a program, read from a job's file through windows. */
#ifndef ARTIFACTS_PE_PROGRAM_H
#define ARTIFACTS_PE_PROGRAM_H

#include "artifacts/entry.h"
#include "triage/formats/pe_tables.h"

struct pe_program {
    struct pe_image image;
    bool has_version;
    struct pe_version_info version;
    struct pe_debug debug;
    struct pe_cli cli;
    struct pe_signature signature;
    const char *iis_module; /* "native", "managed"; NULL for what is no module */
    const char *exports;    /* names, the first ones of many */
    const char *imphash;    /* NULL: no imports */
    const char *sections;   /* names */
    const char *packer;     /* by the names of the sections; NULL: none known */
    uint64_t overlay;       /* bytes behind what the headers account for */
    const char *problem;    /* damage, or a ceiling that was reached */
};

/* -1 with error_text when the file is not a program. */
int pe_program_read(struct job *job, struct pe_program *program);
/* Bits a byte, of the fullest of the sections that execute, by the start of each: near 8 what is
 * packed or enciphered. NULL when none can be read. */
const char *pe_program_entropy(struct job *job, const struct pe_program *program);
/* "true" or "false": the checksum of the headers is that of the file, all of which is read. NULL
 * when there is none, as in many programs, or the file is too large. */
const char *pe_program_checksum(struct job *job, const struct pe_program *program);

#endif
