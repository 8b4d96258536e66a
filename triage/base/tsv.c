#include "triage/base/tsv.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tsv {
    const char *const *names;
    size_t count;
    size_t columns[TSV_MOST_COLUMNS]; /* where in the line each name stands; SIZE_MAX: nowhere */
    bool headed;
    struct arena *arena;
};

static struct slice next_cell(struct slice *rest)
{
    const size_t end = slice_find(*rest, 0, '\t');
    const struct slice cell = slice_part(*rest, 0, end);

    *rest = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(*rest, end + 1);
    return cell;
}

static int read_header(struct tsv *tsv, struct slice line)
{
    for (size_t i = 0; i < tsv->count; i++)
        tsv->columns[i] = SIZE_MAX;
    for (size_t at = 0; line.size; at++) {
        const struct slice cell = slice_trim(next_cell(&line));
        for (size_t i = 0; i < tsv->count; i++)
            if (slice_is(cell, tsv->names[i]))
                tsv->columns[i] = at;
    }
    tsv->headed = true;
    return tsv->columns[0] == SIZE_MAX ? error_set("it has no column '%s'", tsv->names[0]) : 0;
}

static int read_row(struct tsv *tsv, struct slice line, const char **texts)
{
    for (size_t i = 0; i < tsv->count; i++)
        texts[i] = "";
    for (size_t at = 0; line.size; at++) {
        const struct slice cell = slice_trim(next_cell(&line));
        for (size_t i = 0; i < tsv->count; i++)
            if (tsv->columns[i] == at && !(texts[i] = arena_text(tsv->arena, cell)))
                return -1;
    }
    return 0;
}

static int read_lines(struct tsv *tsv, FILE *stream,
                      int (*row)(void *context, const char *const *texts), void *context)
{
    const char *texts[TSV_MOST_COLUMNS];
    char *text = NULL;
    size_t room = 0;
    int result = 0;

    while (result == 0) {
        const ssize_t size = getline(&text, &room, stream);
        if (size < 0)
            break;
        struct slice line = slice_of(text, (size_t)size);
        while (line.size && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
            line.size--;
        if (!line.size || line.data[0] == '#')
            continue;
        if (!tsv->headed)
            result = read_header(tsv, line);
        else if ((result = read_row(tsv, line, texts)) == 0)
            result = row(context, texts);
    }
    free(text);
    return result;
}

int tsv_read(const char *path, const char *const *names, size_t count, struct arena *arena,
             int (*row)(void *context, const char *const *texts), void *context)
{
    struct tsv tsv = {.names = names, .count = count, .arena = arena};
    FILE *stream = fopen(path, "rbe");

    if (!stream)
        return error_set_errno("cannot open '%s'", path);
    int result = read_lines(&tsv, stream, row, context);
    if (result == 0 && (ferror(stream) || !tsv.headed))
        result = error_set("it cannot be read, or is empty");
    fclose(stream);
    return result < 0 ? error_prefix("'%s'", path) : 0;
}
