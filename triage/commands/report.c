#include "triage/base/error.h"
#include "triage/case/custody.h"
#include "triage/commands/common.h"
#include "triage/report/writer.h"

#include <string.h>

static int write_named(struct case_file *file, const char *names)
{
    struct slice rest = slice_of_text(names);
    char name[32];

    while (rest.size) {
        const size_t comma = slice_find(rest, 0, ',');
        const struct slice part = slice_trim(slice_part(rest, 0, comma));
        snprintf(name, sizeof name, "%.*s", (int)(part.size < 31 ? part.size : 31), (const char *)part.data);
        const struct writer *writer = writer_by_name(name);
        if (!writer)
            return error_set("there is no output '%s' (see extriage report --help)", name);
        if (writer_run(writer, file) < 0)
            return -1;
        rest = comma == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, comma + 1);
    }
    return 0;
}

static int write_all(struct case_file *file)
{
    size_t count;
    const struct writer *const *writers = writer_all(&count);

    for (size_t i = 0; i < count; i++)
        if (writer_run(writers[i], file) < 0)
            return -1;
    return 0;
}

static int run_report(const struct options *options, int argc, char **argv)
{
    struct log log;
    struct case_file *file = NULL;
    int code = EXIT_COMPLETE;

    (void)argc;
    (void)argv;
    log_init(&log, options);
    if (options->path_count != 1) {
        error_set("name one case folder");
        code = log_failure(&log);
    } else if (case_open(options->paths[0], &file) < 0 ||
               (options->formats ? write_named(file, options->formats) : write_all(file)) < 0 ||
               custody_write_sums(file) < 0) {
        code = log_failure(&log);
    }
    case_close(file);
    log_release(&log);
    return code;
}

const struct command command_report = {
    .name = "report",
    .usage = "CASE [--format NAME,...]",
    .summary = "writes outputs again from case.db",
    .bit = FOR_REPORT,
    .run = run_report,
};
