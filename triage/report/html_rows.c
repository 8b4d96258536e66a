#include "triage/report/html_rows.h"

#include "triage/base/error.h"

#include <stdlib.h>

struct loading {
    struct rows *rows;
    struct arena *arena;
    const char *artifact, *rule; /* the last ones: rows come in runs */
};

static int make_room(struct rows *rows)
{
    if (rows->count < rows->room)
        return 0;
    const size_t room = rows->room ? 2 * rows->room : 1024;
    struct row *grown = realloc(rows->list, room * sizeof *grown);
    if (!grown)
        return error_set("out of memory");
    rows->list = grown;
    rows->room = room;
    return 0;
}

/* The copy of a text that a row before may have made. */
static const char *keep(struct loading *loading, const char **last, const char *text)
{
    if (!*last || strcmp(*last, text) != 0)
        *last = arena_text(loading->arena, slice_of_text(text));
    return *last;
}

static int add_row(void *context, const struct case_indicator *row, const struct case_rule *rule)
{
    struct loading *loading = context;
    struct rows *rows = loading->rows;

    if (make_room(rows) < 0)
        return -1;
    struct row *added = &rows->list[rows->count];
    *added = (struct row){
        .time = row->timestamp,
        .artifact = keep(loading, &loading->artifact, row->artifact),
        .rule = keep(loading, &loading->rule, rule->name),
        .level = (uint8_t)(row->level < 0 || row->level > 4 ? 0 : row->level),
        .dated = row->dated,
    };
    if (!added->artifact || !added->rule)
        return -1;
    rows->levels[added->level]++;
    rows->dated += row->dated;
    rows->count++;
    return 0;
}

int rows_load(struct case_file *file, struct arena *arena, struct rows *rows)
{
    struct loading loading = {.rows = rows, .arena = arena};

    return case_each_indicator(file, true, add_row, &loading) < 0 ||
                   case_each_indicator(file, false, add_row, &loading) < 0
               ? -1
               : 0;
}

void rows_release(struct rows *rows)
{
    free(rows->list);
    *rows = (struct rows){0};
}

const struct row *rows_at(const struct rows *rows, int64_t number)
{
    return number >= 1 && (uint64_t)number <= rows->count ? &rows->list[number - 1] : NULL;
}
