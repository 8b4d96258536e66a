#include "triage/base/error.h"
#include "triage/report/writer.h"

static int write_all(struct case_file *file, FILE *out)
{
    struct buffer body = BUFFER_EMPTY;
    int result =
        case_document(file, "host", &body) ? 0 : error_set("the case has no host document");

    if (result == 0 && fwrite(body.data, 1, body.size, out) != body.size)
        result = error_set_errno("cannot write host.json");
    buffer_release(&body);
    return result;
}

const struct writer writer_host_json = {
    .name = "host",
    .file = "host.json",
    .title = "what the survey found, each value with where it was read",
    .write = write_all,
};
