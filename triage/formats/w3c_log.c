#include "triage/formats/w3c_log.h"

#include <string.h>

enum { HEADER_NAME_CEILING = 256 };

bool log_directive(struct slice line, const char *name, struct slice *value)
{
    if (!slice_starts_nocase(line, name))
        return false;
    const struct slice rest = slice_from(line, strlen(name));
    if (rest.size == 0 || rest.data[0] != ':')
        return false;
    *value = slice_trim(slice_from(rest, 1));
    return true;
}

/* Other spellings of columns that mean the same. */
static const struct {
    const char *spelling, *name;
} synonyms[] = {
    {"cs(Referrer)", "cs-referer"}, {"cs(Host)", "cs-host"},
    {"TimeTakenMS", "time-taken"},  {"x-forwarded-for", "X-Forwarded-For"},
    {"cs-username", "cs-username"},
};

static bool is_header_cell(struct slice name, struct slice *inner)
{
    if (!slice_starts_nocase(name, "cs(") || name.data[name.size - 1] != ')')
        return false;
    *inner = slice_part(name, 3, name.size - 4);
    return inner->size > 0 && inner->size < HEADER_NAME_CEILING - 4;
}

/* "cs(NAME)": "cs-name" when the vocabulary has that, else NAME when it has that, else "cs-name".
 */
static void header_cell_add(struct columns *columns, struct slice inner)
{
    char text[HEADER_NAME_CEILING] = "cs-";

    for (size_t i = 0; i < inner.size; i++) {
        const char letter = (char)inner.data[i];
        text[3 + i] = letter >= 'A' && letter <= 'Z' ? (char)(letter | 0x20) : letter;
    }
    const struct slice name = slice_of(text, inner.size + 3);
    const bool own = field_from_name(name) == FIELD_OTHER && field_from_name(inner) != FIELD_OTHER;
    columns_add(columns, own ? inner : name);
}

static void name_add(struct columns *columns, struct slice name)
{
    struct slice inner;

    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (slice_is_nocase(name, synonyms[i].spelling)) {
            columns_add(columns, slice_of_text(synonyms[i].name));
            return;
        }
    }
    if (is_header_cell(name, &inner))
        header_cell_add(columns, inner);
    else
        columns_add(columns, name);
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

void w3c_header(struct columns *columns, struct slice names)
{
    columns_clear(columns);
    for (size_t at = 0; at < names.size;) {
        size_t end = at;
        while (end < names.size && !is_blank(names.data[end]))
            end++;
        if (end > at)
            name_add(columns, slice_part(names, at, end - at));
        at = end + 1;
    }
}

static void split_plain(struct slice line, struct cells *cells)
{
    size_t at = 0;

    for (;;) {
        const size_t end = slice_find(line, at, ' ');
        if (end == SIZE_MAX)
            break;
        cells_add(cells, slice_of(line.data + at, end - at));
        at = end + 1;
    }
    cells_add(cells, slice_from(line, at));
}

/* Where the quoted cell that starts at `at` ends, behind its closing quote. A doubled quote stands
 * for one. */
static size_t quoted_end(struct slice line, size_t at)
{
    for (size_t i = at + 1; i < line.size; i++) {
        if (line.data[i] != '"')
            continue;
        if (i + 1 < line.size && line.data[i + 1] == '"')
            i++;
        else
            return i + 1;
    }
    return line.size;
}

static void quoted_add(struct cells *cells, struct slice raw)
{
    struct slice inner = slice_part(raw, 1, raw.size - 1);

    if (inner.size && inner.data[inner.size - 1] == '"')
        inner.size--;
    cells_add(cells, raw);
    if (cells->count > CELLS_CEILING)
        return;
    if (inner.size && memmem(inner.data, inner.size, "\"\"", 2)) {
        const size_t start = cells->scratch.size;
        for (size_t i = 0; i < inner.size; i++) {
            buffer_add_byte(&cells->scratch, inner.data[i]);
            i += inner.data[i] == '"' && i + 1 < inner.size && inner.data[i + 1] == '"';
        }
        inner = slice_from(buffer_slice(&cells->scratch), start);
    }
    cells->text[cells->count - 1] = inner;
}

static void split_quoted(struct slice line, struct cells *cells)
{
    for (size_t at = 0; at < line.size;) {
        size_t end = at;
        if (is_blank(line.data[at])) {
            at++;
            continue;
        }
        if (line.data[at] == '"') {
            end = quoted_end(line, at);
            quoted_add(cells, slice_part(line, at, end - at));
        } else {
            while (end < line.size && !is_blank(line.data[end]))
                end++;
            cells_add(cells, slice_part(line, at, end - at));
        }
        at = end;
    }
}

static struct slice without_blanks_behind(struct slice line)
{
    while (line.size && is_blank(line.data[line.size - 1]))
        line.size--;
    return line;
}

static size_t past(size_t needed, size_t column)
{
    return column != COLUMN_MISSING && column > needed ? column : needed;
}

/* The column that a line which was cut short must at least have: method and path, of those that the
 * header has. */
static size_t needed_column(const struct columns *columns)
{
    size_t needed = 0;

    needed = past(needed, columns_find(columns, "date"));
    needed = past(needed, columns_find(columns, "time"));
    needed = past(needed, columns_find(columns, "cs-method"));
    needed = past(needed, columns_find(columns, "cs-uri-stem"));
    return past(needed, columns_find(columns, "cs-uri"));
}

enum record_state w3c_record(const struct columns *columns, bool quoted, struct slice line,
                             struct cells *cells)
{
    cells_reset(cells, line.size);
    if (columns->overflow || !columns->count)
        return RECORD_REJECTED;
    if (quoted) {
        split_quoted(line, cells);
        if (cells->count == columns->count)
            return RECORD_USED;
        cells_reset(cells, line.size);
    }
    split_plain(line, cells);
    if (cells->count == columns->count)
        return RECORD_USED;
    cells_reset(cells, line.size);
    split_plain(without_blanks_behind(line), cells);
    if (cells->count == columns->count)
        return RECORD_USED;
    if (cells_drop_empty(cells, columns) || cells_absorb(cells, columns) ||
        cells_cut_short(cells, columns, needed_column(columns)))
        return RECORD_REPAIRED;
    return RECORD_REJECTED;
}
