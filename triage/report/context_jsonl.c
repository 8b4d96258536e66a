#include "triage/base/error.h"
#include "triage/report/timeline.h"
#include "triage/report/writer.h"

struct target {
    FILE *out;
    struct buffer line;
};

static int add_line(void *context, const struct case_context *row,
                    const struct case_indicator *near, const struct case_rule *rule)
{
    struct target *target = context;

    buffer_clear(&target->line);
    timeline_context_json(row, near, rule, &target->line);
    if (fwrite(target->line.data, 1, target->line.size, target->out) != target->line.size)
        return error_set_errno("cannot write the context");
    return 0;
}

static int write_context(struct case_file *file, FILE *out)
{
    struct target target = {out, BUFFER_EMPTY};
    const int result = case_each_context(file, add_line, &target);

    buffer_release(&target.line);
    return result;
}

const struct writer writer_context_jsonl = {
    .name = "context",
    .file = "context.jsonl",
    .title = "what happened in the file systems around the indicators (run --context)",
    .write = write_context,
};
