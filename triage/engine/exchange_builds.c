#include "triage/engine/exchange_builds.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <string.h>

enum {
    COLUMN_FAMILY,
    COLUMN_UPDATE,
    COLUMN_PATCH,
    COLUMN_NUMBER,
    COLUMN_RELEASED,
    COLUMN_ARTICLE,
    COLUMNS,
    READ_SIZE = 64 * 1024,
    ROWS_MOST = 16 * 1024
};

static struct slice next_part(struct slice *rest, uint8_t separator)
{
    const size_t end = slice_find(*rest, 0, separator);
    const struct slice part = slice_part(*rest, 0, end);

    *rest = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(*rest, end + 1);
    return part;
}

bool exchange_build_parse(struct slice text, uint16_t number[4])
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t part;
        if (!slice_to_u64(next_part(&text, '.'), &part) || part > UINT16_MAX)
            return false;
        number[i] = (uint16_t)part;
    }
    return text.size == 0;
}

static bool parse_row(struct slice line, struct arena *arena, struct exchange_build *row)
{
    const char *texts[COLUMNS];
    struct exchange_build read = {0};

    for (size_t i = 0; i < COLUMNS; i++) {
        const struct slice part = slice_trim(next_part(&line, '\t'));
        if (i == COLUMN_NUMBER && !exchange_build_parse(part, read.number))
            return false;
        texts[i] = arena_text(arena, part);
        if (!texts[i])
            return false;
    }
    read.family = texts[COLUMN_FAMILY];
    read.update = texts[COLUMN_UPDATE];
    read.patch = texts[COLUMN_PATCH];
    read.released = texts[COLUMN_RELEASED];
    read.article = texts[COLUMN_ARTICLE];
    *row = read;
    return true;
}

int exchange_builds_parse(struct slice text, struct arena *arena, struct exchange_builds *builds)
{
    struct slice lines = text;
    size_t most = 1;

    for (size_t at = 0; (at = slice_find(text, at, '\n')) != SIZE_MAX && most < ROWS_MOST; at++)
        most++;
    struct exchange_build *rows = arena_array(arena, most, sizeof *rows);
    size_t count = 0;
    while (rows && lines.size && count < most) {
        const struct slice line = next_part(&lines, '\n');
        if (!slice_starts(line, "#") && parse_row(line, arena, &rows[count]))
            count++;
    }
    if (count == 0)
        return error_set("the table of Exchange builds has no usable line");
    builds->rows = rows;
    builds->count = count;
    return 0;
}

int exchange_builds_load(const char *path, struct arena *arena, struct exchange_builds *builds)
{
    struct buffer text = BUFFER_EMPTY;
    FILE *stream = fopen(path, "rb");
    uint8_t *room;
    int result = -1;

    if (!stream)
        return error_set_errno("cannot open '%s'", path);
    while ((room = buffer_reserve(&text, READ_SIZE)) && !feof(stream) && !ferror(stream))
        text.size += fread(room, 1, READ_SIZE, stream);
    if (ferror(stream) || buffer_failed(&text))
        error_set("cannot read '%s'", path);
    else if (exchange_builds_parse(buffer_slice(&text), arena, builds) < 0)
        error_prefix("'%s'", path);
    else
        result = 0;
    builds->path = arena_text(arena, slice_of_text(path));
    fclose(stream);
    buffer_release(&text);
    return result;
}

int exchange_build_compare(const uint16_t a[4], const uint16_t b[4])
{
    for (size_t i = 0; i < 4; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

const struct exchange_build *exchange_builds_find(const struct exchange_builds *builds,
                                                  const uint16_t number[4])
{
    const struct exchange_build *best = NULL;

    for (size_t i = 0; i < builds->count; i++) {
        const struct exchange_build *row = &builds->rows[i];
        if (memcmp(row->number, number, 3 * sizeof number[0]) == 0 &&
            exchange_build_compare(row->number, number) <= 0 &&
            (!best || exchange_build_compare(row->number, best->number) > 0))
            best = row;
    }
    return best;
}

static const char *with_blank(const char *text, char *out, size_t size)
{
    snprintf(out, size, "%s%s", *text ? " " : "", text);
    return out;
}

void exchange_builds_name(const struct exchange_builds *builds, struct arena *arena,
                          struct host *host)
{
    const struct fact *version = &host->exchange_version;
    char patch[64], number_text[32];
    uint16_t number[4];

    if (!version->value || !exchange_build_parse(slice_of_text(version->value), number))
        return;
    const struct exchange_build *row = exchange_builds_find(builds, number);
    if (!row)
        return;
    const bool exact = exchange_build_compare(row->number, number) == 0;
    snprintf(number_text, sizeof number_text, "%u.%u.%u.%u", row->number[0], row->number[1],
             row->number[2], row->number[3]);
    with_blank(row->patch, patch, sizeof patch);
    const char *name =
        exact ? arena_format(arena, "Exchange Server %s %s%s", row->family, row->update, patch)
              : arena_format(arena, "Exchange Server %s %s, not a listed build (next lower: %s%s)",
                             row->family, row->update, number_text, patch);
    const char *source = arena_format(arena, "exchange_builds.tsv: %s%s%s%s%s", number_text,
                                      *row->released ? ", released " : "", row->released,
                                      *row->article ? ", " : "", row->article);
    host->exchange_build = (struct fact){name, source, !exact};
    host->exchange_family = (struct fact){row->family, source, version->assumed};
}
