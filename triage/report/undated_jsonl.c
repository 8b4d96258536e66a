#include "triage/report/jsonl.h"
#include "triage/report/writer.h"

static int write_undated(struct case_file *file, FILE *out)
{
    return jsonl_write(file, false, out);
}

const struct writer writer_undated_jsonl = {
    .name = "undated",
    .file = "undated.jsonl",
    .title = "indicators whose record has no time",
    .write = write_undated,
};
