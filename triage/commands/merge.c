/* Many servers, one picture. */
#include "triage/base/error.h"
#include "triage/case/custody.h"
#include "triage/case/fleet.h"
#include "triage/case/hashed_file.h"
#include "triage/case/postgres.h"
#include "triage/case/sign.h"
#include "triage/commands/common.h"
#include "triage/report/fleet_report.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A case on the command line. */
struct member {
    const char *folder; /* as it was given */
    char *real, *name;  /* where it lies, and how the fleet names it */
    char *problem;      /* why it cannot be joined; NULL when it can */
    struct member_facts facts;
};

struct merge {
    const struct options *options;
    struct log log;
    struct member *members;
    size_t count, bad;
    struct fleet *fleet;
    struct case_file *file; /* the fleet, once it is finished */
    struct hash_job *hashing;
    struct custody_known known[3];
    struct postgres *database;
    size_t sent[POSTGRES_HOW_COUNT];
};

static int by_real(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    return strcmp(x->real ? x->real : x->folder, y->real ? y->real : y->folder);
}

/* The folder's name; where two have the same, the later ones get a number. */
static char *name_of(const struct member *members, size_t count)
{
    const char *slash = strrchr(members[count].real, '/');
    const char *base = slash && slash[1] ? slash + 1 : members[count].real;
    unsigned same = 1;
    char *name = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *other = members[i].real ? strrchr(members[i].real, '/') : NULL;
        same += other && strcmp(other + 1, base) == 0;
    }
    if (same == 1 ? asprintf(&name, "%s", base) < 0 : asprintf(&name, "%s-%u", base, same) < 0)
        return NULL;
    for (char *c = name; *c; c++)
        if (*c == ',' || (unsigned char)*c < 0x20)
            *c = '_'; /* lists of names are separated by commas */
    return name;
}

static void look_at(struct member *member)
{
    if (!(member->real = realpath(member->folder, NULL)))
        error_set_errno("cannot read '%s'", member->folder);
    else if (member_look(member->folder, &member->facts) == 0)
        return;
    member->problem = strdup(error_text());
}

/* The first whole case before this one that holds the same. */
static const struct member *twin_of(const struct merge *merge, size_t at)
{
    const struct member *member = &merge->members[at];

    for (size_t i = 0; i < at; i++)
        if (!merge->members[i].problem &&
            strcmp(merge->members[i].facts.evidence, member->facts.evidence) == 0)
            return &merge->members[i];
    return NULL;
}

static void check_twice(struct merge *merge, size_t at)
{
    struct member *member = &merge->members[at];
    const struct member *twin = member->problem ? NULL : twin_of(merge, at);

    if (!twin)
        return;
    if (strcmp(twin->real, member->real) == 0)
        error_set("'%s' is given twice", member->folder);
    else if (strcmp(twin->facts.sha256, member->facts.sha256) == 0)
        error_set("'%s' is a copy of the case in '%s'", member->folder, twin->folder);
    else
        error_set("'%s' holds the same evidence as '%s': the same server would be counted twice",
                  member->folder, twin->folder);
    member->problem = strdup(error_text());
}

/* All that is wrong is told, not only the first of it. */
static int judge_members(struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        const struct member *member = &merge->members[i];
        if (!member->problem)
            continue;
        merge->bad++;
        log_say(&merge->log, merge->options->skip_errors ? LOG_WARNING : LOG_ERROR, "%s%s",
                merge->options->skip_errors ? "left out: " : "", member->problem);
    }
    if (merge->bad == merge->count)
        return error_set("none of the cases can be joined");
    if (merge->bad && !merge->options->skip_errors)
        return error_set("%zu of %zu cases cannot be joined (--skip-errors leaves them out, and "
                         "says so in the report)",
                         merge->bad, merge->count);
    return 0;
}

/* All are looked at before anything is written, and joined in an order of their own. */
static int take_members(struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        merge->members[i].folder = merge->options->paths[i];
        look_at(&merge->members[i]);
    }
    qsort(merge->members, merge->count, sizeof *merge->members, by_real);
    for (size_t i = 0; i < merge->count; i++) {
        check_twice(merge, i);
        if (merge->members[i].real && !(merge->members[i].name = name_of(merge->members, i)))
            return error_set("out of memory");
    }
    return judge_members(merge);
}

/* A list like "jsonl,csv"; without one the lines that Timesketch takes. */
static bool is_wanted(const struct options *options, const char *format)
{
    return options->format_count ? is_asked_for(options, writer_by_name(format))
                                 : strcmp(format, "jsonl") == 0;
}

static int check_timelines(const struct options *options)
{
    size_t count;
    const struct writer *const *writers = writer_all(&count);

    if (check_formats(options) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (is_asked_for(options, writers[i]) && options->format_count &&
            strcmp(writers[i]->name, "jsonl") != 0 && strcmp(writers[i]->name, "csv") != 0)
            return error_set("merge writes jsonl and csv, not '%s'", writers[i]->name);
    return 0;
}

static int check_usage(const struct options *options)
{
    if (options->path_count == 0)
        return error_set("which cases? (see extriage merge --help)");
    if (!options->output && !options->database)
        return error_set("where shall the joined cases go? Name a folder with -o, or a database "
                         "with --to");
    if (options->database && postgres_check(options->database) < 0)
        return -1;
    if (options->sign && !options->output)
        return error_set("--sign is of no use without -o");
    if (options->sign && sign_check(options->sign) < 0)
        return -1;
    if (check_timelines(options) < 0)
        return -1;
    return options->output ? check_output(options) : 0;
}

static int add_members(struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        const struct member *member = &merge->members[i];
        if (member->problem) {
            if (fleet_leave_out(merge->fleet, member->folder, member->problem) < 0)
                return -1;
            continue;
        }
        log_say(&merge->log, LOG_INFO, "joining '%s' as %s", member->folder, member->name);
        if (fleet_add(merge->fleet, member->name, member->folder, &member->facts) < 0)
            return -1;
    }
    return 0;
}

/* fleet.db will not change any more: it is hashed while the outputs are written. */
static int start_hashing(struct merge *merge)
{
    struct buffer path = BUFFER_EMPTY;

    buffer_format(&path, "%s/fleet.db", merge->options->output);
    merge->known[0].name = "fleet.db";
    const int result = hash_job_start(buffer_text(&path), &merge->hashing);
    buffer_release(&path);
    return result;
}

static int write_outputs(struct merge *merge)
{
    const struct options *options = merge->options;

    if (fleet_report(merge->file) < 0 ||
        (is_wanted(options, "jsonl") &&
         fleet_timeline(merge->file, "jsonl", &merge->known[1]) < 0) ||
        (is_wanted(options, "csv") && fleet_timeline(merge->file, "csv", &merge->known[2]) < 0))
        return -1;
    const int hashed = hash_job_end(merge->hashing, merge->known[0].sha256);
    merge->hashing = NULL;
    if (hashed < 0)
        return -1;
    return custody_write_sums_knowing(merge->file, merge->known, 3);
}

/* --- the database --- */

static int fill_database(struct merge *merge)
{
    enum postgres_how how;

    for (size_t i = 0; i < merge->count; i++) {
        const struct member *member = &merge->members[i];
        if (member->problem)
            continue;
        log_say(&merge->log, LOG_INFO, "sending '%s' as %s", member->folder, member->name);
        if (postgres_add(merge->database, member->name, member->real, &member->facts, &how) < 0)
            return error_prefix("the database has not changed");
        merge->sent[how]++;
    }
    return postgres_commit(merge->database);
}

static void print_sent(const struct merge *merge)
{
    struct buffer shown = BUFFER_EMPTY;

    postgres_show_target(merge->options->database, &shown);
    printf("%s: %zu cases added, %zu replaced, %zu there already\n", buffer_text(&shown),
           merge->sent[POSTGRES_ADDED], merge->sent[POSTGRES_REPLACED], merge->sent[POSTGRES_SAME]);
    buffer_release(&shown);
}

/* --- the folder --- */

static int fill_folder(struct merge *merge)
{
    const struct options *options = merge->options;

    if (fleet_create(options->output, options->clobber, &merge->fleet) < 0 ||
        add_members(merge) < 0 || fleet_finish(merge->fleet, &merge->file) < 0 ||
        start_hashing(merge) < 0 || write_outputs(merge) < 0)
        return -1;
    return options->sign ? sign_sums(options->output, options->sign) : 0;
}

static int print_counts(void *context, const char *const *cells)
{
    const struct options *options = context;

    printf("%s server%s, %s of them broken into", cells[0], strcmp(cells[0], "1") == 0 ? "" : "s",
           cells[1]);
    if (strcmp(cells[4], "0") != 0)
        printf(" (of %s it cannot be told)", cells[4]);
    printf("; seen on more than one: %s address%s, %s file%s\n", cells[2],
           strcmp(cells[2], "1") == 0 ? "" : "es", cells[3], strcmp(cells[3], "1") == 0 ? "" : "s");
    printf("%s: fleet.html fleet.md fleet.json fleet.db%s%s\n", options->output,
           is_wanted(options, "jsonl") ? " timeline.jsonl" : "",
           is_wanted(options, "csv") ? " timeline.csv" : "");
    return 0;
}

static int print_summary(struct merge *merge)
{
    struct options *shown = (struct options *)(uintptr_t)merge->options;

    if (merge->options->quiet)
        return 0;
    if (merge->database)
        print_sent(merge);
    return !merge->file ? 0
                        : case_query(merge->file,
                                     "SELECT count(*), count(infected), (SELECT count(*) FROM "
                                     "v_shared_address WHERE servers > 1), (SELECT count(*) FROM "
                                     "v_shared_file WHERE servers > 1), count(CASE WHEN "
                                     "confidence = 'not_determinable' THEN 1 END) FROM server",
                                     print_counts, shown);
}

/* The database is asked before anything is written, and takes the cases last. */
static int join(struct merge *merge)
{
    const struct options *options = merge->options;

    if (check_usage(options) < 0 || take_members(merge) < 0)
        return -1;
    if (options->database && postgres_open(options->database, &merge->database) < 0)
        return -1;
    if (options->output && fill_folder(merge) < 0)
        return -1;
    if (options->database && fill_database(merge) < 0)
        return -1;
    return print_summary(merge);
}

static void release(struct merge *merge)
{
    char hash[SHA256_TEXT_SIZE];

    hash_job_end(merge->hashing, hash);
    postgres_close(merge->database);
    case_close(merge->file);
    fleet_free(merge->fleet);
    for (size_t i = 0; merge->members && i < merge->count; i++) {
        free(merge->members[i].real);
        free(merge->members[i].name);
        free(merge->members[i].problem);
    }
    free(merge->members);
    log_release(&merge->log);
}

static int run_merge(const struct options *options, int argc, char **argv)
{
    struct merge merge = {.options = options, .count = options->path_count};
    int code = EXIT_COMPLETE;

    (void)argc;
    (void)argv;
    log_init(&merge.log, options);
    merge.members = calloc(merge.count + 1, sizeof *merge.members);
    if (!merge.members)
        error_set("out of memory");
    if (!merge.members || join(&merge) < 0)
        code = log_failure(&merge.log);
    else if (merge.bad)
        code = EXIT_UNREADABLE;
    release(&merge);
    return code;
}

const struct command command_merge = {
    .name = "merge",
    .usage = "CASE... -o FLEET [--to postgresql://...]",
    .summary = "many servers, one picture: joins finished cases",
    .bit = FOR_MERGE,
    .run = run_merge,
};
