#include "triage/report/writer.h"

#include "triage/base/durable.h"

#include <string.h>

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
    struct new_file out = {0};

    buffer_format(&path, "%s/%s", case_folder(file), writer->file);
    int result = new_file_open(&out, buffer_text(&path));
    if (result == 0) {
        setvbuf(out.stream, NULL, _IOFBF, WRITE_SIZE);
        result = writer->write(file, out.stream);
    }
    if (result == 0)
        result = new_file_keep(&out);
    new_file_drop(&out);
    buffer_release(&path);
    return result;
}
