/* TLN: Time|Source|Host|User|Description, time in POSIX seconds. */
#include "triage/report/lines.h"
#include "triage/report/writer.h"

static void add_line(struct buffer *out, const struct case_indicator *row,
                     const struct case_rule *rule)
{
    const int64_t seconds = row->timestamp / 1000000 - (row->timestamp % 1000000 < 0);

    buffer_format(out, "%lld|%s|", (long long)seconds, lines_source(row));
    lines_add_cell(out, row->host, "|;");
    buffer_add_text(out, "||");
    lines_add_time(out, row->timestamp);
    buffer_add_text(out, "; ");
    lines_add_plain(out, slice_of_text(row->timestamp_desc), "|;");
    buffer_add_text(out, "; ");
    lines_add_plain(out, slice_of_text(rule->name), "|;");
    buffer_add_byte(out, ' ');
    lines_add_plain(out, slice_of_text(row->message), "|;");
    buffer_add_byte(out, '\n');
}

static int write_all(struct case_file *file, FILE *out)
{
    return lines_write_indicators(file, "Time|Source|Host|User|Description\n", add_line, out);
}

const struct writer writer_tln = {
    .name = "tln",
    .file = "timeline.tln",
    .title = "the timeline as TLN",
    .optional = true,
    .write = write_all,
};
