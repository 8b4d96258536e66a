/* Tables with a header (comma, semicolon or tab separated) and plain lists, one value a line. */
#include "triage/match/indicator_reader.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

enum { CELLS_MOST = 64 };

enum column { COLUMN_TYPE, COLUMN_VALUE, COLUMN_CAMPAIGN, COLUMN_LEVEL, COLUMN_COUNT };

/* Names of columns: ours, Sentinel's, MISP's export, those of common feeds. */
static const char *const names[COLUMN_COUNT][8] = {
    {"type", "indicatortype", "indicator_type", "ioc_type", "kind", NULL},
    {"value", "indicator", "ioc", "ioc_value", "observable", "pattern_value", NULL},
    {"campaign", "name", "threat", "malware", "description", "comment", "title", NULL},
    {"level", "severity", NULL},
};

struct table {
    const struct indicator_sink *sink;
    struct arena *arena; /* of one line */
    uint8_t separator;
    size_t places[COLUMN_COUNT]; /* SIZE_MAX: not there */
    unsigned line;
};

/* Splits a line at the separator; cells may stand in quotes, with '""' for a quote in them
 * (RFC 4180). Tab separated lines have no quotes. */
static size_t split(struct table *table, struct slice line, struct slice *cells)
{
    size_t count = 0;

    for (size_t at = 0; at <= line.size && count < CELLS_MOST;) {
        struct buffer cell = BUFFER_EMPTY;
        size_t end;
        if (table->separator == '\t' || at >= line.size || line.data[at] != '"') {
            end = slice_find(line, at, table->separator);
            end = end == SIZE_MAX ? line.size : end;
            cells[count++] = slice_trim(slice_part(line, at, end - at));
            at = end + 1;
            continue;
        }
        for (end = at + 1; end < line.size; end++) {
            if (line.data[end] == '"' && (end + 1 == line.size || line.data[++end] != '"'))
                break;
            buffer_add_byte(&cell, line.data[end]);
        }
        cells[count++] = slice_trim(arena_copy(table->arena, buffer_slice(&cell)));
        buffer_release(&cell);
        end = slice_find(line, end < line.size ? end : line.size, table->separator);
        at = end == SIZE_MAX ? line.size + 1 : end + 1;
    }
    return count;
}

static enum column column_of(struct slice cell)
{
    for (unsigned column = 0; column < COLUMN_COUNT; column++)
        for (size_t i = 0; names[column][i]; i++)
            if (slice_is_nocase(cell, names[column][i]))
                return (enum column)column;
    return COLUMN_COUNT;
}

/* Whether the line names columns for types and values, or is "type,value" itself. */
static bool take_header(struct table *table, struct slice line, bool *is_data)
{
    struct slice cells[CELLS_MOST];
    const size_t count = split(table, line, cells);
    enum indicator_kind kind;

    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        table->places[i] = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const enum column column = column_of(cells[i]);
        if (column < COLUMN_COUNT && table->places[column] == SIZE_MAX)
            table->places[column] = i;
    }
    *is_data = false;
    if (table->places[COLUMN_TYPE] != SIZE_MAX && table->places[COLUMN_VALUE] != SIZE_MAX)
        return true;
    if (count < 2 || (!indicator_type(cells[0], &kind) && !indicator_is_ignored_type(cells[0])) ||
        kind == INDICATOR_KINDS)
        return false;
    *is_data = true;
    table->places[COLUMN_TYPE] = 0;
    table->places[COLUMN_VALUE] = 1;
    table->places[COLUMN_CAMPAIGN] = 2;
    table->places[COLUMN_LEVEL] = SIZE_MAX;
    return true;
}

static struct slice cell_at(const struct slice *cells, size_t count, size_t place)
{
    return place < count ? cells[place] : slice_of(NULL, 0);
}

static void take_row(struct table *table, struct slice line)
{
    struct slice cells[CELLS_MOST];
    const size_t count = split(table, line, cells);
    const struct slice type = cell_at(cells, count, table->places[COLUMN_TYPE]);
    const struct slice value = cell_at(cells, count, table->places[COLUMN_VALUE]);
    const struct slice campaign = cell_at(cells, count, table->places[COLUMN_CAMPAIGN]);
    const struct slice level = cell_at(cells, count, table->places[COLUMN_LEVEL]);
    const struct indicator_fact base = {
        .campaign = campaign.size ? arena_text(table->arena, campaign) : NULL,
        .level = level.size ? arena_text(table->arena, level) : NULL,
        .line = table->line,
    };

    if (!type.size || !value.size)
        table->sink->refuse(table->sink->context, table->line, "no type or no value");
    else
        indicator_tell(table->sink, table->arena, type, value, &base);
}

/* "HASH  name", "ADDRESS,comment": of a line that begins with one of these only that counts. */
static struct slice first_word(struct slice line, enum indicator_kind *kind)
{
    size_t end = 0;

    while (end < line.size && line.data[end] != ' ' && line.data[end] != '\t' &&
           line.data[end] != ',' && line.data[end] != ';')
        end++;
    const struct slice word = slice_part(line, 0, end);
    if (indicator_guess(word, kind) && *kind <= INDICATOR_ADDRESS)
        return word;
    *kind = INDICATOR_KINDS;
    return line;
}

static void take_plain(struct table *table, struct slice line)
{
    const struct indicator_fact base = {.line = table->line};
    enum indicator_kind kind = INDICATOR_KINDS;
    const struct slice value = first_word(line, &kind);

    indicator_tell_kind(table->sink, table->arena, kind, value, &base);
}

static uint8_t separator_of(struct slice line)
{
    return slice_find(line, 0, '\t') != SIZE_MAX  ? '\t'
           : slice_find(line, 0, ',') != SIZE_MAX ? ','
                                                  : ';';
}

int indicator_read_lines(struct slice text, struct arena *arena, const struct indicator_sink *sink)
{
    struct table table = {.sink = sink, .arena = arena_new(0)};
    bool begun = false, is_table = false;

    (void)arena;
    if (!table.arena)
        return error_set("out of memory");
    if (slice_starts(text, "\xEF\xBB\xBF"))
        text = slice_from(text, 3);
    for (size_t at = 0; at < text.size;) {
        const size_t found = slice_find(text, at, '\n');
        const size_t end = found == SIZE_MAX ? text.size : found;
        const struct slice line = slice_trim(slice_part(text, at, end - at));
        bool is_data = true;

        at = end + 1;
        table.line++;
        if (line.size == 0 || line.data[0] == '#')
            continue;
        arena_reset(table.arena);
        if (!begun) {
            table.separator = separator_of(line);
            is_table = take_header(&table, line, &is_data);
            begun = true;
            if (is_table && !is_data)
                continue;
        }
        if (is_table)
            take_row(&table, line);
        else
            take_plain(&table, line);
    }
    arena_free(table.arena);
    return 0;
}
