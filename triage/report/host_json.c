#include "triage/report/document.h"
#include "triage/report/writer.h"

static int write_all(struct case_file *file, FILE *out)
{
    return document_write(file, "host", out);
}

const struct writer writer_host_json = {
    .name = "host",
    .file = "host.json",
    .title = "what the survey found, each value with where it was read",
    .write = write_all,
};
