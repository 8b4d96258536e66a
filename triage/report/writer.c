#include "triage/report/writer.h"

#include "triage/base/error.h"

#include <string.h>
#include <unistd.h>

#define WRITER(name) extern const struct writer writer_##name;
#include "triage/report/registry.inc"
#undef WRITER

static const struct writer *const writers[] = {
#define WRITER(name) &writer_##name,
#include "triage/report/registry.inc"
#undef WRITER
};

const struct writer *const *writer_all(size_t *count)
{
    *count = sizeof writers / sizeof *writers;
    return writers;
}

const struct writer *writer_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
        if (strcmp(writers[i]->name, name) == 0)
            return writers[i];
    return NULL;
}

enum { WRITE_SIZE = 256 << 10 }; /* a timeline has hundreds of MB */

int writer_run(const struct writer *writer, struct case_file *file)
{
    struct buffer path = BUFFER_EMPTY;

    buffer_format(&path, "%s/%s", case_folder(file), writer->file);
    unlink(buffer_text(&path));
    FILE *out = fopen(buffer_text(&path), "wxe");
    if (out)
        setvbuf(out, NULL, _IOFBF, WRITE_SIZE);
    int result =
        out ? writer->write(file, out) : error_set_errno("cannot write '%s'", buffer_text(&path));
    if (out && fclose(out) != 0 && result == 0)
        result = error_set_errno("cannot write '%s'", buffer_text(&path));
    buffer_release(&path);
    return result;
}
