#include "triage/formats/iis_text.h"

#include "triage/formats/log_time.h"

/* What stands behind so many commas. By places in the line: an empty cell has none of its own. */
static struct slice behind_commas(struct slice line, size_t count)
{
    size_t at = 0;

    for (; count > 0; count--)
        at = slice_find(line, at, ',') + 1;
    return slice_trim(slice_from(line, at));
}

enum record_state iis_native_record(const struct columns *columns, struct slice line,
                                    struct cells *cells)
{
    cells_reset(cells, line.size);
    line = slice_trim(line);
    if (line.size && line.data[line.size - 1] == ',')
        line.size--;
    for (size_t at = 0; at <= line.size;) {
        size_t end = slice_find(line, at, ',');
        end = end == SIZE_MAX ? line.size : end;
        cells_add(cells, slice_trim(slice_of(line.data + at, end - at)));
        at = end + 1;
    }
    if (cells->count == columns->count)
        return RECORD_USED;
    if (cells->count < columns->count || cells->count > CELLS_CEILING)
        return RECORD_REJECTED;
    /* A comma in the query, which is the last column. */
    struct slice *last = &cells->raw[columns->count - 1];
    *last = behind_commas(line, columns->count - 1);
    cells->text[columns->count - 1] = *last;
    cells->count = columns->count;
    cells->repair = "separators within one cell";
    return RECORD_REPAIRED;
}

/* The next cell of a common log line: "...", [...] or up to a blank. */
static struct slice ncsa_cell(struct slice line, size_t *at)
{
    while (*at < line.size && line.data[*at] == ' ')
        ++*at;
    const uint8_t opens = *at < line.size ? line.data[*at] : 0;
    const uint8_t closes = opens == '"' ? '"' : opens == '[' ? ']' : ' ';
    const size_t start = *at + (closes != ' ');
    size_t end = slice_find(line, start, closes);
    end = end == SIZE_MAX ? line.size : end;
    *at = end + 1 < line.size ? end + 1 : line.size;
    return slice_part(line, start, end - start);
}

/* "GET /path?query HTTP/1.0" as four cells. */
static void ncsa_request(struct cells *cells, struct slice request)
{
    const size_t blank = slice_find(request, 0, ' ');
    const struct slice rest = blank == SIZE_MAX ? request : slice_from(request, blank + 1);
    size_t version = SIZE_MAX;

    for (size_t at = 0; (at = slice_find(rest, at, ' ')) != SIZE_MAX; at++)
        version = at;
    const struct slice uri = slice_part(rest, 0, version);
    const size_t query = slice_find(uri, 0, '?');
    cells_add(cells, slice_part(request, 0, blank == SIZE_MAX ? 0 : blank));
    cells_add(cells, slice_part(uri, 0, query));
    cells_add(cells, query == SIZE_MAX ? slice_of("-", 1) : slice_from(uri, query + 1));
    cells_add(cells, version == SIZE_MAX ? slice_of("-", 1) : slice_from(rest, version + 1));
}

enum record_state ncsa_record(struct slice line, struct cells *cells)
{
    struct instant unused;
    int offset;
    size_t at = 0;

    cells_reset(cells, line.size);
    for (unsigned i = 0; i < 4; i++)
        cells_add(cells, ncsa_cell(line, &at));
    ncsa_request(cells, ncsa_cell(line, &at));
    cells_add(cells, ncsa_cell(line, &at));
    cells_add(cells, ncsa_cell(line, &at));
    if (slice_trim(slice_from(line, at)).size > 0) {
        cells_add(cells, ncsa_cell(line, &at));
        cells_add(cells, ncsa_cell(line, &at));
    }
    if (!column_fits(COLUMN_ADDRESS, cells->text[0]) ||
        !log_ncsa_time(cells->text[3], &unused, &offset) ||
        !column_fits(COLUMN_STATUS, cells->text[8]))
        return RECORD_REJECTED;
    return RECORD_USED;
}

const char *ncsa_columns(const struct cells *cells)
{
    return cells->count == NCSA_CELLS
               ? "c-ip remote-logname cs-username date-time cs-method cs-uri-stem cs-uri-query "
                 "cs-version sc-status sc-bytes"
               : "c-ip remote-logname cs-username date-time cs-method cs-uri-stem cs-uri-query "
                 "cs-version sc-status sc-bytes cs-referer cs-user-agent";
}
