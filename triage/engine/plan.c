#include "triage/engine/plan.h"

#include "triage/base/error.h"
#include "triage/base/glob.h"

#include <string.h>
#include <strings.h>

struct wanted {
    struct wanted *next;
    uint32_t volume;
    const char *begin; /* the path must begin so (any letter case) ... */
    size_t begin_size;
    const char *glob; /* ... and what follows must match this */
    uint64_t bit;
};

struct plan {
    struct arena *arena;
    struct wanted *first, **end;
};

struct plan *plan_new(struct arena *arena)
{
    struct plan *plan = arena_take(arena, sizeof *plan);

    if (!plan)
        return NULL;
    plan->arena = arena;
    plan->end = &plan->first;
    return plan;
}

/* Bytes of `glob` up to the last '/' in front of its first wildcard. */
static size_t fixed_part(const char *glob)
{
    size_t fixed = 0;

    for (size_t i = 0; glob[i] && !strchr("*?", glob[i]); i++)
        if (glob[i] == '/')
            fixed = i + 1;
    return fixed;
}

static int add(struct plan *plan, uint32_t volume, const char *folder, const char *glob,
               size_t artifact)
{
    const size_t fixed = fixed_part(glob);
    struct wanted *wanted = arena_take(plan->arena, sizeof *wanted);

    if (!wanted)
        return -1;
    wanted->begin =
        arena_format(plan->arena, "%s%s%.*s", folder, *folder ? "/" : "", (int)fixed, glob);
    wanted->glob = arena_text(plan->arena, slice_of_text(glob + fixed));
    if (!wanted->begin || !wanted->glob)
        return -1;
    wanted->begin_size = strlen(wanted->begin);
    wanted->volume = volume;
    wanted->bit = UINT64_C(1) << artifact;
    *plan->end = wanted;
    plan->end = &wanted->next;
    return 0;
}

int plan_add(struct plan *plan, const struct host *host, const char *glob, size_t artifact)
{
    if (artifact >= PLAN_MOST_ARTIFACTS)
        return error_set("there are more than %d artifacts", PLAN_MOST_ARTIFACTS);
    if (*glob != '{')
        return add(plan, PLAN_ANY_VOLUME, "", glob, artifact);
    const char *close = strchr(glob, '}');
    if (!close)
        return error_set("'%s' has no '}'", glob);
    const struct slice name = slice_of(glob + 1, (size_t)(close - glob) - 1);
    const char *rest = close[1] == '/' ? close + 2 : close + 1;
    for (size_t i = 0; i < host->place_count; i++) {
        const struct place *place = &host->places[i];
        if (slice_is(name, place->name) &&
            add(plan, place->volume, place->path, rest, artifact) < 0)
            return -1;
    }
    return 0;
}

uint64_t plan_match(const struct plan *plan, uint32_t volume, const char *path)
{
    uint64_t bits = 0;

    for (const struct wanted *w = plan->first; w; w = w->next) {
        if (bits & w->bit || (w->volume != PLAN_ANY_VOLUME && w->volume != volume))
            continue;
        if (strncasecmp(path, w->begin, w->begin_size) == 0 &&
            glob_match(w->glob, path + w->begin_size))
            bits |= w->bit;
    }
    return bits;
}
