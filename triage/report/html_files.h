/* What the case knows of the files that incidents are about, by their SHA-256. */
#ifndef TRIAGE_REPORT_HTML_FILES_H
#define TRIAGE_REPORT_HTML_FILES_H

#include "triage/base/arena.h"
#include "triage/case/case.h"
#include "triage/formats/json_reader.h"

struct found_file {
    const char *sha256, *md5, *sha1;
    const char *stored; /* the copy in the case folder; NULL or empty when there is none */
};

struct found_files {
    struct found_file *list; /* sorted by sha256 */
    size_t count, room;
};

/* `findings` may be NULL. -1 with error_text. The texts live in the arena. */
int found_files_load(struct case_file *file, const struct json_value *findings, struct arena *arena,
                     struct found_files *files);
void found_files_release(struct found_files *files);
/* NULL when the case has no file of that hash, or `sha256` is NULL. */
const struct found_file *found_files_at(const struct found_files *files, const char *sha256);

#endif
