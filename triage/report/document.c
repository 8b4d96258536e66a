#include "triage/report/document.h"

#include "triage/base/error.h"

int document_write(struct case_file *file, const char *name, FILE *out)
{
    struct buffer body = BUFFER_EMPTY;
    int result =
        case_document(file, name, &body) ? 0 : error_set("the case has no document '%s'", name);

    if (result == 0 && fwrite(body.data, 1, body.size, out) != body.size)
        result = error_set_errno("cannot write the document '%s'", name);
    buffer_release(&body);
    return result;
}
