#include "triage/report/jsonl.h"
#include "triage/report/writer.h"

static int write_dated(struct case_file *file, FILE *out)
{
    return jsonl_write(file, true, out);
}

const struct writer writer_timeline_jsonl = {
    .name = "jsonl",
    .file = "timeline.jsonl",
    .title = "indicators with a time, one a line, in time order (Timesketch)",
    .write = write_dated,
};
