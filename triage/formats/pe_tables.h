/*
 * What a program gives to others and takes from them, what built it, and who signed it. All reads
 * go through windows of what the headers name; counts have ceilings. Sources: "PE Format" in the
 * Windows documentation, ECMA-335 II.24 and II.25 for .NET, "Windows Authenticode Portable
 * Executable Signature Format" and RFC 5652 for signatures.
 */
#ifndef TRIAGE_FORMATS_PE_TABLES_H
#define TRIAGE_FORMATS_PE_TABLES_H

#include "triage/formats/pe.h"

/* Calls `visit` for the name of each export, in the order of the table; gives their count. */
size_t pe_exports(const struct pe_image *image, void (*visit)(void *context, struct slice name),
                  void *context);

/* One imported function; `name` is empty for an import by number. */
struct pe_import {
    struct slice library, name;
    uint16_t ordinal;
};

/* Calls `visit` for each import, in the order of the tables; gives their count. */
size_t pe_imports(const struct pe_image *image,
                  void (*visit)(void *context, const struct pe_import *import), void *context);

/* The name that pefile puts for a number of a few well-known libraries; NULL for others. */
const char *pe_ordinal_name(struct slice library, uint16_t ordinal);

struct pe_debug {
    const char *pdb_path; /* in the arena; NULL: not told */
    bool reproducible;    /* the time stamp is a digest and no time */
};

void pe_debug_read(const struct pe_image *image, struct arena *arena, struct pe_debug *debug);

struct pe_cli {
    bool is_managed;
    const char *metadata_version;         /* "v4.0.30319" */
    const char *module_name;              /* the file name it was compiled to */
    bool is_http_module, is_http_handler; /* names the interface of a managed IIS module, handler */
};

void pe_cli_read(const struct pe_image *image, struct arena *arena, struct pe_cli *cli);

enum pe_signature_state { PE_UNSIGNED, PE_SIGNED, PE_SIGNATURE_DAMAGED };

/* Presence only: nothing is verified. */
struct pe_signature {
    enum pe_signature_state state;
    uint32_t offset, size;
    const char *problem; /* of a damaged one */
    const char *signer;  /* common name of the certificate that the signature names; NULL: unread */
};

void pe_signature_read(const struct pe_image *image, struct arena *arena,
                       struct pe_signature *signature);

#endif
