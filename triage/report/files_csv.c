#include "triage/base/error.h"
#include "triage/report/timeline.h"
#include "triage/report/writer.h"

struct target {
    FILE *out;
    struct buffer line;
};

static const char header[] =
    "path,evidence,volume,snapshot,mft_entry,size,attributes,owner,"
    "si_modified,si_accessed,si_changed,si_created,fn_modified,fn_accessed,fn_changed,fn_created,"
    "md5,sha1,sha256,stored,artifact,damaged,deleted\r\n";

static void cell(struct buffer *out, const char *text)
{
    buffer_add_byte(out, ',');
    csv_cell(out, slice_of_text(text));
}

static int add_row(void *context, const struct case_stored *row)
{
    struct target *target = context;
    struct buffer *out = &target->line;

    buffer_clear(out);
    csv_cell(out, slice_of_text(row->path));
    cell(out, row->evidence);
    buffer_format(out, ",%lld,%lld", (long long)row->volume, (long long)row->snapshot);
    cell(out, row->mft_entry);
    buffer_format(out, ",%lld", (long long)row->size);
    cell(out, row->attributes);
    cell(out, row->owner);
    for (size_t i = 0; i < 4; i++)
        cell(out, row->si[i]);
    for (size_t i = 0; i < 4; i++)
        cell(out, row->fn[i]);
    cell(out, row->md5);
    cell(out, row->sha1);
    cell(out, row->sha256);
    cell(out, row->stored);
    cell(out, row->why);
    buffer_format(out, ",%s,%s\r\n", row->damaged ? "true" : "false",
                  row->deleted ? "true" : "false");
    if (fwrite(out->data, 1, out->size, target->out) != out->size)
        return error_set_errno("cannot write files.csv");
    return 0;
}

static int write_all(struct case_file *file, FILE *out)
{
    struct target target = {out, BUFFER_EMPTY};
    int result = fputs(header, out) < 0 ? error_set_errno("cannot write files.csv") : 0;

    if (result == 0)
        result = case_each_stored(file, add_row, &target);
    buffer_release(&target.line);
    return result;
}

const struct writer writer_files_csv = {
    .name = "files",
    .file = "files.csv",
    .title = "extracted files and the contents of web roots, with hashes and MACB times",
    .write = write_all,
};
