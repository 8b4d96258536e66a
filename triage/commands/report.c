#include "triage/base/error.h"
#include "triage/case/custody.h"
#include "triage/case/sign.h"
#include "triage/commands/common.h"

/* What was signed before is not what the sums say now. */
static int write_sums(const struct options *options, const struct outputs *outputs,
                      struct case_file *file)
{
    sign_remove(case_folder(file));
    if (custody_write_sums_knowing(file, outputs->known, outputs->known_count) < 0)
        return -1;
    return options->sign ? sign_sums(case_folder(file), options->sign) : 0;
}

static int write_all(const struct options *options, struct case_file *file)
{
    struct outputs outputs = {0};
    const int result = write_outputs_asked_for(options, file, &outputs) < 0
                           ? -1
                           : write_sums(options, &outputs, file);

    outputs_release(&outputs);
    return result;
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
    } else if (check_formats(options) < 0 || (options->sign && sign_check(options->sign) < 0) ||
               case_open(options->paths[0], &file) < 0 || write_all(options, file) < 0) {
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
