#include "triage/report/document.h"
#include "triage/report/writer.h"

static int write_all(struct case_file *file, FILE *out)
{
    return document_write(file, "findings", out);
}

const struct writer writer_findings_json = {
    .name = "findings",
    .file = "findings.json",
    .title = "the verdict: incidents, outcome per CVE, exposure, state of updates",
    .write = write_all,
};
