#include "triage/commands/run_identity.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/case/custody.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* A line for each part: what it is called, a tab, what it is. */
static void put_number(struct buffer *out, const char *name, int64_t value)
{
    buffer_format(out, "%s\t%" PRId64 "\n", name, value);
}

static void put_hash(struct buffer *out, const char *name, struct slice bytes)
{
    char hash[SHA256_TEXT_SIZE];

    hash_sha256(bytes, hash);
    buffer_format(out, "%s\t%s\n", name, hash);
}

static void put_file(struct buffer *out, const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0)
        buffer_format(out, "the evidence '%s'\t%lld bytes, changed at %lld.%09ld\n",
                      evidence_name(path), S_ISDIR(status.st_mode) ? 0 : (long long)status.st_size,
                      (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

/* Another build of the same version may find other things. */
static void put_program(struct buffer *out)
{
    char hash[SHA256_TEXT_SIZE];

    buffer_format(out, "the version of the program\t%s\n", PACKAGE_VERSION);
    if (custody_hash_file("/proc/self/exe", hash) == 0)
        buffer_format(out, "the build of the program\t%s\n", hash);
}

static void put_options(struct buffer *out, const struct options *o)
{
    put_number(out, "--carve", o->carve);
    put_number(out, "--yara-all", o->yara_all);
    put_number(out, "--context", o->context_minutes);
    put_number(out, "--from", o->from.ticks);
    put_number(out, "--to", o->to.ticks);
    put_number(out, "--min-level", (int)o->min_level);
    put_number(out, "--clock-skew", o->clock_skew);
    put_hash(out, "--vss", slice_of((const uint8_t *)&o->snapshots, sizeof o->snapshots));
    buffer_format(out, "--baseline\t%s\n", o->baseline ? o->baseline : "");
}

/* Only which were given: a case does not hold a key, nor what could be tried against one. */
static void put_keys(struct buffer *out, const struct bitlocker_keys *keys)
{
    put_number(out, "--recovery-key", keys->recovery_key != NULL);
    put_number(out, "--password", keys->password != NULL);
    put_number(out, "--startup-key", (int64_t)keys->startup_key.size);
}

static void put_rules(struct buffer *out, const struct rule_set *rules)
{
    put_hash(out, "the settings of the rules", slice_of_text(rule_set_settings(rules)));
    for (size_t i = 0; i < rule_set_count(rules); i++)
        buffer_format(out, "the rule %s\t%s\n", rule_set_rule(rules, i)->name,
                      rule_set_rule(rules, i)->sha256);
}

static void describe(const struct options *o, const struct rule_set *rules,
                     const struct known_good *known, struct buffer *out)
{
    put_program(out);
    for (size_t i = 0; i < o->path_count; i++)
        put_file(out, o->paths[i]);
    put_options(out, o);
    put_keys(out, &o->keys);
    for (size_t i = 0; i < o->known_good_count; i++)
        buffer_format(out, "--known-good %zu\t%s\n", i + 1, o->known_good[i]);
    put_number(out, "the files known as good", (int64_t)known_good_files(known));
    put_number(out, "the hashes known as good", (int64_t)known_good_hashes(known));
    put_rules(out, rules);
}

/* --- what differs --- */

struct lines {
    struct slice rest;
};

static bool next_line(struct lines *lines, struct slice *name, struct slice *value)
{
    if (!lines->rest.size)
        return false;
    const struct slice line = slice_part(lines->rest, 0, slice_find(lines->rest, 0, '\n'));
    const size_t tab = slice_find(line, 0, '\t');
    *name = slice_part(line, 0, tab);
    *value = tab == SIZE_MAX ? slice_of(NULL, 0) : slice_from(line, tab + 1);
    lines->rest = slice_from(lines->rest,
                             line.size + 1 < lines->rest.size ? line.size + 1 : lines->rest.size);
    return true;
}

/* Both are in one order, so nearly always the line in the same place is asked. */
static bool has_line(struct slice text, struct slice name, struct slice value)
{
    struct lines lines = {text};
    struct slice other, what;

    while (next_line(&lines, &other, &what))
        if (slice_equal(other, name) && slice_equal(what, value))
            return true;
    return false;
}

enum { NAMED_MOST = 4 };

/* Lines of `one` that `other` does not have. */
static void name_missing(struct slice one, struct slice other, struct buffer *names, size_t *count)
{
    struct lines ones = {one}, others = {other};
    struct slice name, value, same, what;

    while (next_line(&ones, &name, &value)) {
        const bool in_place =
            next_line(&others, &same, &what) && slice_equal(name, same) && slice_equal(value, what);
        if (in_place || *count > NAMED_MOST || has_line(other, name, value))
            continue;
        const struct slice known = buffer_slice(names);
        struct buffer quoted = BUFFER_EMPTY;
        buffer_format(&quoted, "%.*s", (int)name.size, (const char *)name.data);
        if (*count < NAMED_MOST && !strstr(buffer_text(names), buffer_text(&quoted)))
            buffer_format(names, "%s%s", known.size ? ", " : "", buffer_text(&quoted));
        else if (*count == NAMED_MOST)
            buffer_add_text(names, " and more");
        (*count)++;
        buffer_release(&quoted);
    }
}

static int compare(struct slice begun, struct slice now)
{
    struct buffer names = BUFFER_EMPTY;
    size_t count = 0;
    int result = 0;

    if (slice_equal(begun, now))
        return 0;
    name_missing(now, begun, &names, &count);
    name_missing(begun, now, &names, &count);
    result =
        error_set("the interrupted run cannot be gone on with, because this differs: %s. Name what "
                  "it was begun with, or start again with --clobber",
                  names.size ? buffer_text(&names) : "the order of evidence or rules");
    buffer_release(&names);
    return result;
}

/* The document is of the run as it began; without one it begins now. */
static int check(const char *document, const struct buffer *now, bool resumed,
                 struct case_file *file)
{
    struct buffer begun = BUFFER_EMPTY;
    int result;

    if (buffer_failed(now))
        return error_set("out of memory");
    if (resumed && case_document(file, document, &begun))
        result = compare(buffer_slice(&begun), buffer_slice(now));
    else
        result = case_set_document(file, document, buffer_slice(now)) < 0 ? -1 : case_flush(file);
    buffer_release(&begun);
    return result;
}

int run_identity_check(const struct options *options, const struct rule_set *rules,
                       const struct known_good *known, struct case_file *file)
{
    struct buffer now = BUFFER_EMPTY;

    describe(options, rules, known, &now);
    const int result = check(CASE_RUN_DOCUMENT, &now, options->resume, file);
    buffer_release(&now);
    return result;
}

int run_identity_check_segments(const struct options *options, const struct session *session,
                                struct case_file *file)
{
    struct buffer now = BUFFER_EMPTY;

    for (size_t i = 0; i < options->path_count; i++) {
        const struct container *container = &session_inventory(session, i)->container;
        for (size_t j = 0; j < container->segment_count; j++)
            put_file(&now, container->segments[j]);
    }
    const int result = check(CASE_RUN_DOCUMENT ": segments", &now, options->resume, file);
    buffer_release(&now);
    return result;
}
