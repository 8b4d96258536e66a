#include "triage/report/jsonl.h"

#include "triage/base/error.h"
#include "triage/report/timeline.h"

struct target {
    FILE *out;
    struct buffer line;
};

static int add_line(void *context, const struct case_indicator *row, const struct case_rule *rule)
{
    struct target *target = context;

    buffer_clear(&target->line);
    timeline_json(row, rule, &target->line);
    if (fwrite(target->line.data, 1, target->line.size, target->out) != target->line.size)
        return error_set_errno("cannot write the timeline");
    return 0;
}

int jsonl_write(struct case_file *file, bool dated, FILE *out)
{
    struct target target = {out, BUFFER_EMPTY};
    const int result = case_each_indicator(file, dated, add_line, &target);

    buffer_release(&target.line);
    return result;
}
