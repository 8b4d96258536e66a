#include "triage/report/lines.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/base/utf16.h"

#include <string.h>

struct lines {
    FILE *out;
    struct buffer text, before; /* the lines of the file before */
    lines_indicator *indicator;
    lines_stored *stored;
};

static int write_text(struct lines *lines)
{
    if (buffer_failed(&lines->text))
        return error_set("out of memory");
    if (fwrite(lines->text.data, 1, lines->text.size, lines->out) != lines->text.size)
        return error_set_errno("the output cannot be written");
    buffer_clear(&lines->text);
    return 0;
}

static int add_indicator(void *context, const struct case_indicator *row,
                         const struct case_rule *rule)
{
    struct lines *lines = context;

    lines->indicator(&lines->text, row, rule);
    return write_text(lines);
}

/* A file that two artifacts asked for stands twice in the case, one row behind the other: what
 * would be the same lines again is left out. */
static int add_stored(void *context, const struct case_stored *row)
{
    struct lines *lines = context;

    lines->stored(&lines->text, row);
    if (slice_equal(buffer_slice(&lines->text), buffer_slice(&lines->before))) {
        buffer_clear(&lines->text);
        return 0;
    }
    buffer_clear(&lines->before);
    buffer_add(&lines->before, buffer_slice(&lines->text));
    return write_text(lines);
}

static int begin(struct lines *lines, const char *header)
{
    if (header)
        buffer_add_text(&lines->text, header);
    return write_text(lines);
}

int lines_write_indicators(struct case_file *file, const char *header, lines_indicator *line,
                           FILE *out)
{
    struct lines lines = {.out = out, .indicator = line};
    int result = begin(&lines, header);

    if (result == 0)
        result = case_each_indicator(file, true, add_indicator, &lines);
    buffer_release(&lines.text);
    return result;
}

int lines_write_stored(struct case_file *file, const char *header, lines_stored *line, FILE *out)
{
    struct lines lines = {.out = out, .stored = line};
    int result = begin(&lines, header);

    if (result == 0)
        result = case_each_stored(file, add_stored, &lines);
    buffer_release(&lines.text);
    buffer_release(&lines.before);
    return result;
}

void lines_add_plain(struct buffer *out, struct slice text, const char *bad)
{
    const size_t start = out->size;

    utf8_append_tame(out, text);
    for (size_t i = start; i < out->size; i++)
        if (strchr(bad, out->data[i]))
            out->data[i] = ' ';
}

void lines_add_cell(struct buffer *out, const char *text, const char *bad)
{
    const char *first =
        text + strspn(text, " \t\r\n"); /* these become blanks, which are passed over */

    if (*first && first[1] && strchr("=+-@", *first))
        buffer_add_byte(out, '\'');
    lines_add_plain(out, slice_of_text(text), bad);
}

void lines_add_time(struct buffer *out, int64_t microseconds)
{
    char text[INSTANT_TEXT_SIZE];

    buffer_add_text(out, instant_format(instant_from_unix_us(microseconds), text));
}

const char *lines_source(const struct case_indicator *row)
{
    static const struct {
        const char *start, *source;
    } known[] = {
        {"iis_log", "WEBHIST"}, {"httperr", "WEBHIST"},   {"exchange_httpproxy", "WEBHIST"},
        {"eventlog", "EVTX"},   {"registry_hive", "REG"}, {"web_root", "FILE"},
        {"mft_", "FILE"},       {"usn_", "FILE"},         {"i30_", "FILE"},
        {"aspnet_", "FILE"},    {"pe_", "FILE"},          {"program_", "FILE"},
        {"recycle", "FILE"},    {"prefetch", "FILE"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(row->artifact, known[i].start, strlen(known[i].start)) == 0)
            return known[i].source;
    return "LOG";
}

void lines_add_display_name(struct buffer *out, const struct case_indicator *row)
{
    const char *path = row->path;

    if (row->snapshot)
        buffer_format(out, "VSS%lld:", (long long)row->snapshot);
    if (path[0] && path[1] == ':')
        path += 2;
    buffer_format(out, "NTFS:%s", path);
}
