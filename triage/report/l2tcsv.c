/* log2timeline's legacy CSV: 17 columns, no quoting, so that a comma within a value is a blank. */
#include "triage/base/instant.h"
#include "triage/match/rules.h"
#include "triage/report/lines.h"
#include "triage/report/writer.h"

#include <string.h>

enum { SHORT = 80 };

static void cell(struct buffer *out, const char *text)
{
    buffer_add_byte(out, ',');
    if (*text)
        lines_add_cell(out, text, ",");
    else
        buffer_add_byte(out, '-');
}

static void add_when(struct buffer *out, int64_t microseconds)
{
    const struct civil civil = instant_to_civil(
        instant_from_unix(microseconds / 1000000 - (microseconds % 1000000 < 0), 0));

    buffer_format(out, "%02d/%02d/%04d,%02d:%02d:%02d,UTC", civil.month, civil.day, civil.year,
                  civil.hour, civil.minute, civil.second);
}

/* Which of the file's times it is; a log's record has none of them. */
static const char *macb(const char *meaning)
{
    return strstr(meaning, "created")    ? "...B"
           : strstr(meaning, "modified") ? "M..."
           : strstr(meaning, "accessed") ? ".A.."
           : strstr(meaning, "changed")  ? "..C."
                                         : "....";
}

static void add_line(struct buffer *out, const struct case_indicator *row,
                     const struct case_rule *rule)
{
    char brief[SHORT + 1] = "";

    strncat(brief, row->message, SHORT);
    add_when(out, row->timestamp);
    cell(out, macb(row->timestamp_desc));
    cell(out, lines_source(row));
    cell(out, row->artifact);
    cell(out, row->timestamp_desc);
    cell(out, "");
    cell(out, row->host);
    cell(out, brief);
    cell(out, row->message);
    buffer_add_text(out, ",2");
    cell(out, row->path);
    cell(out, row->mft_entry);
    buffer_format(out, ",%s ", level_name((enum level)row->level));
    lines_add_plain(out, slice_of_text(rule->name), ",");
    cell(out, "extriage");
    buffer_format(out, ",offset: %lld; record: %lld; sha256: ", (long long)row->offset,
                  (long long)row->record);
    lines_add_plain(out, slice_of_text(row->raw_sha256), ",");
    buffer_add_byte(out, '\n');
}

static int write_all(struct case_file *file, FILE *out)
{
    return lines_write_indicators(file,
                                  "date,time,timezone,MACB,source,sourcetype,type,user,host,short,"
                                  "desc,version,filename,inode,notes,format,extra\n",
                                  add_line, out);
}

const struct writer writer_l2tcsv = {
    .name = "l2tcsv",
    .file = "timeline.l2t.csv",
    .title = "the timeline as log2timeline's legacy CSV",
    .optional = true,
    .write = write_all,
};
