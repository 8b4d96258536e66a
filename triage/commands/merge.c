/* Many servers, one picture. */
#include "triage/base/error.h"
#include "triage/case/custody.h"
#include "triage/case/fleet.h"
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
};

static int by_real(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->real, ((const struct member *)b)->real);
}

/* The folder's name; where two have the same, the later ones get a number. */
static char *name_of(const struct member *members, size_t count)
{
    const char *slash = strrchr(members[count].real, '/');
    const char *base = slash && slash[1] ? slash + 1 : members[count].real;
    unsigned same = 1;
    char *name = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *other = strrchr(members[i].real, '/');
        same += other && strcmp(other + 1, base) == 0;
    }
    if (same == 1 ? asprintf(&name, "%s", base) < 0 : asprintf(&name, "%s-%u", base, same) < 0)
        return NULL;
    for (char *c = name; *c; c++)
        if (*c == ',' || (unsigned char)*c < 0x20)
            *c = '_'; /* lists of names are separated by commas */
    return name;
}

/* All are looked at before anything is written, and joined in an order of their own. */
static int take_members(const struct options *options, struct member *members)
{
    const size_t count = options->path_count;

    for (size_t i = 0; i < count; i++) {
        members[i].folder = options->paths[i];
        if (!(members[i].real = realpath(options->paths[i], NULL)))
            return error_set_errno("cannot read '%s'", options->paths[i]);
        if (fleet_check(options->paths[i]) < 0)
            return -1;
    }
    qsort(members, count, sizeof *members, by_real);
    for (size_t i = 0; i < count; i++) {
        if (i && strcmp(members[i].real, members[i - 1].real) == 0)
            return error_set("'%s' is given twice", members[i].folder);
        if (!(members[i].name = name_of(members, i)))
            return error_set("out of memory");
    }
    return 0;
}

static int check_usage(const struct options *options)
{
    if (options->path_count == 0)
        return error_set("which cases? (see extriage merge --help)");
    if (!options->output)
        return error_set("where shall the joined cases go? Name a folder with -o");
    if (options->sign && sign_check(options->sign) < 0)
        return -1;
    return check_output(options);
}

static int add_members(const struct options *options, const struct member *members,
                       struct fleet *fleet, struct log *log)
{
    for (size_t i = 0; i < options->path_count; i++) {
        log_say(log, LOG_INFO, "joining '%s' as %s", members[i].folder, members[i].name);
        if (fleet_add(fleet, members[i].name, members[i].folder) < 0)
            return -1;
    }
    return 0;
}

static int print_counts(void *context, const char *const *cells)
{
    const struct options *options = context;

    printf(
        "%s servers, %s of them broken into; %s addresses and %s files were seen on more than one\n"
        "%s: fleet.md fleet.json timeline.jsonl timeline.csv fleet.db\n",
        cells[0], cells[1], cells[2], cells[3], options->output);
    return 0;
}

static int merge(const struct options *options, struct member *members, struct log *log)
{
    struct fleet *fleet = NULL;
    struct case_file *file = NULL;
    struct options shown = *options;
    int result = -1;

    if (take_members(options, members) < 0 ||
        fleet_create(options->output, options->clobber, &fleet) < 0 ||
        add_members(options, members, fleet, log) < 0 || fleet_finish(fleet, &file) < 0 ||
        fleet_report(file) < 0 || custody_write_sums(file) < 0)
        goto out;
    if (options->sign && sign_sums(options->output, options->sign) < 0)
        goto out;
    result = options->quiet
                 ? 0
                 : case_query(file,
                              "SELECT count(*), count(infected), (SELECT count(*) FROM "
                              "v_shared_address WHERE servers > 1), (SELECT count(*) FROM "
                              "v_shared_file WHERE servers > 1) FROM server",
                              print_counts, &shown);
out:
    case_close(file);
    fleet_free(fleet);
    return result;
}

static int run_merge(const struct options *options, int argc, char **argv)
{
    struct member *members = calloc(options->path_count + 1, sizeof *members);
    struct log log;
    int code = EXIT_COMPLETE;

    (void)argc;
    (void)argv;
    log_init(&log, options);
    if (!members)
        error_set("out of memory");
    if (!members || check_usage(options) < 0 || merge(options, members, &log) < 0)
        code = log_failure(&log);
    for (size_t i = 0; members && i < options->path_count; i++) {
        free(members[i].real);
        free(members[i].name);
    }
    free(members);
    log_release(&log);
    return code;
}

const struct command command_merge = {
    .name = "merge",
    .usage = "CASE... -o FLEET",
    .summary = "many servers, one picture: joins finished cases",
    .bit = FOR_MERGE,
    .run = run_merge,
};
