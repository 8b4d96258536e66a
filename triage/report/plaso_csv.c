/* The columns of plaso's dynamic CSV, for whoever has a work flow around them. */
#include "triage/report/lines.h"
#include "triage/report/timeline.h"
#include "triage/report/writer.h"

static void cell(struct buffer *out, struct slice text)
{
    buffer_add_byte(out, ',');
    if (text.size)
        csv_cell(out, text);
    else
        buffer_add_byte(out, '-');
}

static void add_line(struct buffer *out, const struct case_indicator *row,
                     const struct case_rule *rule)
{
    struct buffer name = BUFFER_EMPTY;

    lines_add_display_name(&name, row);
    lines_add_time(out, row->timestamp);
    cell(out, slice_of_text(row->timestamp_desc));
    cell(out, slice_of_text(lines_source(row)));
    cell(out, slice_of_text(row->artifact));
    cell(out, slice_of_text(row->message));
    buffer_add_text(out, ",extriage/");
    lines_add_plain(out, slice_of_text(rule->name), ",\"");
    cell(out, buffer_slice(&name));
    cell(out, slice_of_text(rule->tags));
    buffer_add_byte(out, '\n');
    buffer_release(&name);
}

static int write_all(struct case_file *file, FILE *out)
{
    return lines_write_indicators(
        file, "datetime,timestamp_desc,source,source_long,message,parser,display_name,tag\n",
        add_line, out);
}

const struct writer writer_plaso_csv = {
    .name = "plaso",
    .file = "timeline.plaso.csv",
    .title = "the timeline with the columns of plaso's dynamic CSV",
    .optional = true,
    .write = write_all,
};
