#include "triage/case/member.h"

#include "triage/base/error.h"
#include "triage/case/case.h"
#include "triage/case/custody.h"
#include "triage/case/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MOST = 4096 };

static int take_number(void *context, const char *const *cells)
{
    *(long long *)context = cells[0] ? strtoll(cells[0], NULL, 10) : 0;
    return 0;
}

/* --- whether it is what its run wrote --- */

/* The hash that SHA256SUMS has for case.db; false when there is none. */
static bool stated_hash(const char *folder, char hash[SHA256_TEXT_SIZE])
{
    static const char wanted[] = "  case.db\n";
    char line[LINE_MOST]; /* a longer one is about a file in files/ */
    bool found = false;

    FILE *in = case_folder_open(folder, "SHA256SUMS");
    while (in && !found && fgets(line, sizeof line, in))
        if (strlen(line) == SHA256_TEXT_SIZE - 1 + sizeof wanted - 1 &&
            strcmp(line + SHA256_TEXT_SIZE - 1, wanted) == 0) {
            line[SHA256_TEXT_SIZE - 1] = 0;
            memcpy(hash, line, SHA256_TEXT_SIZE);
            found = true;
        }
    if (in)
        fclose(in);
    return found;
}

static int take_word(void *context, const char *const *cells)
{
    snprintf(context, 200, "%s", cells[0] ? cells[0] : "");
    return 0;
}

/* Without a hash to compare with, what the database says of itself. */
static int check_pages(struct case_file *file, const char *folder)
{
    char word[200] = "";

    if (case_query(file, "PRAGMA quick_check(1)", take_word, word) < 0)
        return error_prefix("case.db in '%s' is damaged", folder);
    return strcmp(word, "ok") == 0 ? 0 : error_set("case.db in '%s' is damaged: %s", folder, word);
}

static int check_whole(struct case_file *file, const char *folder, struct member_facts *facts)
{
    struct buffer path = BUFFER_EMPTY;
    char stated[SHA256_TEXT_SIZE];

    buffer_format(&path, "%s/case.db", folder);
    const int result = custody_hash_file(buffer_text(&path), facts->sha256);
    buffer_release(&path);
    if (result < 0)
        return -1;
    if (!stated_hash(folder, stated))
        return check_pages(file, folder);
    return strcmp(stated, facts->sha256) == 0
               ? 0
               : error_set("case.db in '%s' is not what its run wrote: SHA256SUMS has another hash "
                           "for it (it is damaged, or was changed)",
                           folder);
}

/* --- what was read --- */

static int add_word(void *context, const char *const *cells)
{
    const struct slice words = slice_of_text(cells[0] ? cells[0] : "");

    hasher_add(context, words);
    hasher_add(context, slice_of("", 1));
    return 0;
}

/* Names of images and folders differ from run to run; what lay in them does not. Cases in which
 * nothing could be read have nothing in common. */
static int hash_evidence(struct case_file *file, struct member_facts *facts)
{
    struct hasher *hasher = hasher_new(HASH_SHA256);
    long long files = 0;
    int result = hasher ? 0 : error_set("out of memory");

    if (result == 0)
        result = case_query(file, "SELECT count(*) FROM coverage", take_number, &files);
    if (result == 0 && files == 0)
        hasher_add(hasher, slice_of_text(facts->sha256));
    if (result == 0)
        result = case_query(file,
                            "SELECT lower(coalesce(json_extract(body, '$.computer.value'), '') || "
                            "'.' || coalesce(json_extract(body, '$.domain.value'), '')) FROM "
                            "document WHERE name = 'host'",
                            add_word, hasher);
    if (result == 0)
        result = case_query(file,
                            "SELECT volume || ' ' || snapshot || ' ' || bytes || ' ' || records || "
                            "' ' || path || ' ' || first || ' ' || last FROM coverage "
                            "ORDER BY volume, snapshot, path, artifact, bytes, records",
                            add_word, hasher);
    if (result == 0) {
        const struct digests digests = hasher_finish(hasher);
        memcpy(facts->evidence, digests.sha256, sizeof facts->evidence);
    }
    hasher_free(hasher);
    return result;
}

static int check_open(struct case_file *file, const char *folder, struct member_facts *facts)
{
    long long redacted = 0;

    if (check_whole(file, folder, facts) < 0)
        return -1;
    if (case_query(file, "SELECT count(*) FROM document WHERE name = 'redaction'", take_number,
                   &redacted) < 0)
        return error_prefix("case.db in '%s' is damaged", folder);
    if (redacted)
        return error_set("the case in '%s' is redacted: its pseudonyms stand for others than those "
                         "of the next case",
                         folder);
    return hash_evidence(file, facts) < 0 ? error_prefix("case.db in '%s' is damaged", folder) : 0;
}

int member_look(const char *folder, struct member_facts *facts)
{
    struct case_file *file = NULL;

    *facts = (struct member_facts){0};
    if (case_folder_has(folder, "case.db.partial"))
        return error_set("the run in '%s' is not finished: extriage run --resume goes on with it",
                         folder);
    if (case_open(folder, &file) < 0)
        return -1;
    const int result = check_open(file, folder, facts);
    case_close(file);
    return result;
}
