#include "triage/base/error.h"
#include "triage/report/timeline.h"
#include "triage/report/writer.h"

struct target {
    FILE *out;
    struct buffer line;
};

static int write_line(struct target *target)
{
    if (fwrite(target->line.data, 1, target->line.size, target->out) != target->line.size)
        return error_set_errno("cannot write the timeline");
    buffer_clear(&target->line);
    return 0;
}

static int add_line(void *context, const struct case_indicator *row, const struct case_rule *rule)
{
    struct target *target = context;

    timeline_csv(row, rule, &target->line);
    return write_line(target);
}

static int write_all(struct case_file *file, FILE *out)
{
    struct target target = {out, BUFFER_EMPTY};

    timeline_csv_header(case_is_fleet(file), &target.line);
    int result = write_line(&target);
    if (result == 0)
        result = case_each_indicator(file, true, add_line, &target);
    buffer_release(&target.line);
    return result;
}

const struct writer writer_timeline_csv = {
    .name = "csv",
    .file = "timeline.csv",
    .title = "the same columns for spreadsheets and Timesketch",
    .write = write_all,
};
