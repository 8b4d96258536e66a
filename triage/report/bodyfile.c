/* The body file of The Sleuth Kit, for mactime: MD5|name|inode|mode|UID|GID|size|a|m|c|b, in
 * seconds; one line with the times of $STANDARD_INFORMATION, one with those of $FILE_NAME. Source:
 * wiki.sleuthkit.org, "Body file". */
#include "triage/base/instant.h"
#include "triage/report/lines.h"
#include "triage/report/writer.h"

#include <string.h>

enum { MODIFIED, ACCESSED, CHANGED, CREATED };

static void add_seconds(struct buffer *out, const char *text)
{
    struct instant instant;

    buffer_format(out, "|%lld",
                  instant_parse(slice_of_text(text), &instant, NULL)
                      ? (long long)(instant_to_unix_us(instant) / 1000000)
                      : 0LL);
}

static void add_line(struct buffer *out, const struct case_stored *row, const char *const times[4],
                     const char *suffix)
{
    lines_add_plain(out, slice_of_text(*row->md5 ? row->md5 : "0"), "|");
    buffer_add_byte(out, '|');
    lines_add_cell(out, row->path, "|");
    if (row->snapshot)
        buffer_format(out, " (shadow copy %lld)", (long long)row->snapshot);
    buffer_format(out, "%s%s|", suffix, row->deleted ? " (deleted)" : "");
    lines_add_plain(out, slice_of_text(*row->mft_entry ? row->mft_entry : "0"), "|");
    buffer_format(out, "|r/rrwxrwxrwx|0|0|%lld", (long long)row->size);
    add_seconds(out, times[ACCESSED]);
    add_seconds(out, times[MODIFIED]);
    add_seconds(out, times[CHANGED]);
    add_seconds(out, times[CREATED]);
    buffer_add_byte(out, '\n');
}

static bool has_times(const char *const times[4])
{
    return *times[MODIFIED] || *times[ACCESSED] || *times[CHANGED] || *times[CREATED];
}

static void add_file(struct buffer *out, const struct case_stored *row)
{
    add_line(out, row, row->si, "");
    if (has_times(row->fn))
        add_line(out, row, row->fn, " ($FILE_NAME)");
}

static int write_all(struct case_file *file, FILE *out)
{
    return lines_write_stored(file, NULL, add_file, out);
}

const struct writer writer_bodyfile = {
    .name = "bodyfile",
    .file = "bodyfile.txt",
    .title = "the files of files.csv for mactime",
    .optional = true,
    .write = write_all,
};
