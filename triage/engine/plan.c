#include "triage/engine/plan.h"

#include "triage/base/error.h"
#include "triage/base/glob.h"
#include "triage/engine/mailbox_store.h"

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

enum { HEADS = 256 };

/* Globs by what is told of a path at one look: most are asked for a few of all files only. */
struct plan {
    struct arena *arena;
    struct wanted *by_ending[HEADS]; /* "*.log": by what stands behind the last point */
    struct wanted *by_folder[HEADS]; /* "Windows/...": by the first folder */
    struct wanted *others;
};

struct plan *plan_new(struct arena *arena)
{
    struct plan *plan = arena_take(arena, sizeof *plan);

    if (!plan)
        return NULL;
    *plan = (struct plan){.arena = arena};
    return plan;
}

/* ASCII letters count without case; other bytes as they are, which only spreads less. */
static size_t head_of(const char *text, size_t size)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((uint8_t)text[i] | 0x20u)) * 16777619u;
    return hash % HEADS;
}

/* What stands behind the last point of the last component; NULL when there is none. */
static const char *ending_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *point = strrchr(slash ? slash : path, '.');

    return point ? point + 1 : NULL;
}

static struct wanted **list_for(struct plan *plan, const struct wanted *wanted)
{
    const char *ending = ending_of(wanted->glob);

    if (ending && !strpbrk(ending, "*?"))
        return &plan->by_ending[head_of(ending, strlen(ending))];
    if (wanted->begin_size)
        return &plan->by_folder[head_of(wanted->begin, strcspn(wanted->begin, "/"))];
    return &plan->others;
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
    struct wanted **list = list_for(plan, wanted);
    wanted->next = *list;
    *list = wanted;
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

static uint64_t match_list(const struct wanted *w, uint32_t volume, const char *path)
{
    uint64_t bits = 0;

    for (; w; w = w->next) {
        if (bits & w->bit || (w->volume != PLAN_ANY_VOLUME && w->volume != volume))
            continue;
        if (strncasecmp(path, w->begin, w->begin_size) == 0 &&
            glob_match(w->glob, path + w->begin_size))
            bits |= w->bit;
    }
    return bits;
}

uint64_t plan_match(const struct plan *plan, uint32_t volume, const char *path)
{
    const char *ending = ending_of(path);
    uint64_t bits = match_list(plan->others, volume, path);

    if (ending)
        bits |= match_list(plan->by_ending[head_of(ending, strlen(ending))], volume, path);
    return bits | match_list(plan->by_folder[head_of(path, strcspn(path, "/"))], volume, path);
}

bool plan_copies(const struct artifact *artifact, const char *path, bool matched)
{
    return (artifact->keep || (matched && !artifact->stay)) && !is_mailbox_store(path);
}
