#include "triage/formats/csv.h"

#include <string.h>

enum quoting {
    QUOTES_ANYWHERE, /* each quote opens or closes, as the bare scan counts */
    QUOTES_AT_START, /* RFC 4180: only a cell that starts with a quote is quoted */
    QUOTES_NONE,
};

void csv_header(struct columns *columns, struct slice names)
{
    columns_clear(columns);
    for (size_t at = 0; at <= names.size;) {
        size_t end = slice_find(names, at, ',');
        end = end == SIZE_MAX ? names.size : end;
        const struct slice name = slice_trim(slice_part(names, at, end - at));
        if (name.size || end < names.size)
            columns_add(columns, name);
        at = end + 1;
    }
}

bool csv_is_header(const struct columns *columns, struct slice line)
{
    static const char *const first[] = {"DateTime", "TimeStamp", "date-time"};
    const size_t comma = slice_find(line, 0, ',');
    const struct slice name = slice_part(line, 0, comma == SIZE_MAX ? line.size : comma);

    if (columns->count && slice_is_nocase(name, columns->column[0].name))
        return true;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (slice_is_nocase(name, first[i]))
            return comma != SIZE_MAX;
    return false;
}

/* The text of a cell that is wrapped in quotes; doubled quotes become one in the scratch. */
static struct slice unquoted(struct cells *cells, struct slice raw)
{
    if (raw.size < 2 || raw.data[0] != '"' || raw.data[raw.size - 1] != '"')
        return raw;
    const struct slice inner = slice_part(raw, 1, raw.size - 2);
    if (!inner.size || !memmem(inner.data, inner.size, "\"\"", 2))
        return inner;
    const size_t start = cells->scratch.size;
    for (size_t i = 0; i < inner.size; i++) {
        buffer_add_byte(&cells->scratch, inner.data[i]);
        i += inner.data[i] == '"' && i + 1 < inner.size && inner.data[i + 1] == '"';
    }
    return slice_from(buffer_slice(&cells->scratch), start);
}

static void cell_take(struct cells *cells, struct slice raw, enum quoting quoting)
{
    cells_add(cells, raw);
    if (quoting != QUOTES_NONE && cells->count <= CELLS_CEILING)
        cells->text[cells->count - 1] = unquoted(cells, raw);
}

static size_t find_either(struct slice text, size_t at, uint8_t a, uint8_t b)
{
    while (at < text.size && text.data[at] != a && text.data[at] != b)
        at++;
    return at;
}

/* End of a cell when every quote opens or closes. */
static size_t cell_end_anywhere(struct slice text, size_t at)
{
    for (;;) {
        at = find_either(text, at, ',', '"');
        if (at >= text.size || text.data[at] == ',')
            return at;
        const size_t close = slice_find(text, at + 1, '"');
        if (close == SIZE_MAX)
            return text.size;
        at = close + 1;
    }
}

/*
 * End of a cell that starts with a quote, behind its closing one; SIZE_MAX when there is no closing
 * quote, or one that something else than a comma or a line end follows.
 */
static size_t cell_end_quoted(struct slice text, size_t at)
{
    for (at++;;) {
        const size_t quote = slice_find(text, at, '"');
        if (quote == SIZE_MAX)
            return SIZE_MAX;
        at = quote + 1;
        if (at >= text.size)
            return at;
        if (text.data[at] != '"')
            return strchr(",\r\n", text.data[at]) && text.data[at] ? at : SIZE_MAX;
        at++;
    }
}

/* Splits a whole line; false when a quoted cell does not end as it should (it then reaches to the
 * end of the line). */
static bool split(struct slice line, enum quoting quoting, struct cells *cells)
{
    bool whole = true;

    cells_reset(cells, line.size);
    for (size_t at = 0;;) {
        size_t end;
        if (quoting == QUOTES_ANYWHERE) {
            end = cell_end_anywhere(line, at);
        } else if (quoting == QUOTES_AT_START && at < line.size && line.data[at] == '"') {
            end = cell_end_quoted(line, at);
            whole = whole && end != SIZE_MAX;
        } else {
            end = slice_find(line, at, ',');
        }
        end = end < line.size ? end : line.size;
        cell_take(cells, slice_of(line.data + at, end - at), quoting);
        if (end >= line.size)
            return whole;
        at = end + 1;
    }
}

/* The first line of `text` by its LF alone, without CR. */
static struct slice first_line(struct slice text)
{
    const size_t end = slice_find(text, 0, '\n');
    struct slice line = slice_part(text, 0, end == SIZE_MAX ? text.size : end);

    if (line.size && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* A record over several lines: size up to its line end, 0 when a quoted cell does not end as it
 * should, SIZE_MAX when the text ends first. */
static size_t record_size(struct slice text, size_t *breaks)
{
    size_t at = 0;

    *breaks = 0;
    for (;;) {
        if (at < text.size && text.data[at] == '"') {
            const size_t end = cell_end_quoted(text, at);
            if (end == SIZE_MAX)
                return slice_find(text, at + 1, '"') == SIZE_MAX ? SIZE_MAX : 0;
            for (size_t i = at; (i = slice_find(slice_part(text, 0, end), i, '\n')) != SIZE_MAX;
                 i++)
                ++*breaks;
            at = end;
        } else {
            at = find_either(text, at, ',', '\n');
        }
        if (at >= text.size)
            return SIZE_MAX;
        if (text.data[at] == '\n' || *breaks > CSV_BREAKS_CEILING)
            return *breaks > CSV_BREAKS_CEILING ? 0 : at;
        at += text.data[at] == ',' || text.data[at] == '\r';
    }
}

/* Does a record, a directive or the end of the text follow? */
static bool record_starts(const struct columns *columns, struct slice text)
{
    const struct slice line = first_line(text);
    const size_t comma = slice_find(line, 0, ',');

    if (!columns->count || line.size == 0 || line.data[0] == '#' || csv_is_header(columns, line))
        return true;
    return columns->column[0].type == COLUMN_STAMP && comma != SIZE_MAX &&
           column_fits(COLUMN_STAMP, slice_part(line, 0, comma));
}

/* The quotes of the record do not pair within its first line, or the cells do not fit. */
static enum record_state resolve(const struct columns *columns, struct slice text, bool final,
                                 struct cells *cells, size_t *size, size_t *breaks)
{
    const struct slice line = first_line(text);
    const struct slice ahead = slice_part(text, 0, CSV_RECORD_CEILING);

    *size = line.size;
    *breaks = 0;
    const bool whole = split(line, QUOTES_AT_START, cells);
    if (whole)
        return cells->count == columns->count ? RECORD_USED : RECORD_REJECTED;
    const size_t next = slice_find(text, line.size, '\n');
    split(line, QUOTES_NONE, cells);
    const bool plain = cells->count == columns->count;
    if (plain && (next == SIZE_MAX || record_starts(columns, slice_from(text, next + 1)))) {
        cells->repair = "a quote that does not pair";
        return RECORD_REPAIRED;
    }
    size_t lines_broken;
    const size_t end = record_size(ahead, &lines_broken);
    if (end == SIZE_MAX && !final && ahead.size < CSV_RECORD_CEILING)
        return RECORD_MORE;
    if (end != SIZE_MAX && end > line.size) {
        const struct slice record = slice_of(text.data, end - (text.data[end - 1] == '\r'));
        if (split(record, QUOTES_AT_START, cells) && cells->count == columns->count) {
            *size = record.size;
            *breaks = lines_broken;
            return RECORD_USED;
        }
    }
    if (plain) {
        split(line, QUOTES_NONE, cells);
        cells->repair = "a quote that does not pair";
        return RECORD_REPAIRED;
    }
    split(line, QUOTES_AT_START, cells);
    return RECORD_REJECTED;
}

/* Repairs on the first line alone, which `cells` holds split with quotes at the start. */
static bool mend(const struct columns *columns, struct slice line, size_t needed,
                 struct cells *cells)
{
    if (cells_absorb(cells, columns))
        return true;
    if (cells_cut_short(cells, columns, needed))
        return true;
    split(line, QUOTES_NONE, cells);
    return cells_absorb(cells, columns) || cells_cut_short(cells, columns, needed);
}

enum record_state csv_record(const struct columns *columns, struct slice text, size_t line,
                             bool final, size_t needed, struct cells *cells, size_t *size,
                             size_t *breaks)
{
    const struct slice seen = slice_part(text, 0, line);

    *breaks = 0;
    *size = line;
    if (columns->overflow || !columns->count) {
        *size = first_line(text).size;
        return RECORD_REJECTED;
    }
    if (slice_find(seen, 0, '\n') == SIZE_MAX) {
        split(seen, QUOTES_ANYWHERE, cells);
        if (cells->count == columns->count)
            return RECORD_USED;
    }
    enum record_state state = resolve(columns, text, final, cells, size, breaks);
    if (state == RECORD_REJECTED && mend(columns, slice_part(text, 0, *size), needed, cells))
        state = RECORD_REPAIRED;
    return state;
}
