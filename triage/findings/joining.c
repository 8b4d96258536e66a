#include "triage/findings/joining.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS(n) (INT64_C(1000000) * (n))

/* Windows of part E.3; the clocks of one host's logs differ by up to five seconds, IIS writes up to
 * a minute late. */
enum {
    COMMAND_WINDOW = 60,     /* control panel log and the request that it answered */
    FILE_WINDOW = 120,       /* a file and the request or cmdlet that wrote it */
    CHILD_WINDOW = 60,       /* a process and the request that started it */
    POWERSHELL_WINDOW = 600, /* a cmdlet and the request that opened its session */
    BLINDING_WINDOW = 3600,  /* a protection that was switched off, and what it did not see */
    NONE_AFTER = -1,         /* only what lies before it, and not what has the same time */
    AFTERMATH_DAYS = 14,     /* what an intruder does on the host after a page was placed */
};

struct joining {
    const struct sightings *sightings;
    uint32_t *parents; /* disjoint sets */
    struct key {       /* a shared text, and the first sighting that has it */
        const void *text;
        uint32_t sighting;
    } * keys;
    size_t key_count, key_room;
    bool failed; /* memory was out */
};

static uint32_t root_of(struct joining *joining, uint32_t at)
{
    while (joining->parents[at] != at)
        at = joining->parents[at] = joining->parents[joining->parents[at]];
    return at;
}

/* The smaller number becomes the root, so that it does not matter in which order sets are joined.
 */
static void join(struct joining *joining, uint32_t a, uint32_t b)
{
    a = root_of(joining, a);
    b = root_of(joining, b);
    if (a < b)
        joining->parents[b] = a;
    else
        joining->parents[a] = b;
}

/* Each text is kept once, so its address says which it is. */
static struct key *key_place(const struct joining *joining, const void *text)
{
    size_t at = ((uintptr_t)text >> 4) * 0x9E3779B97F4A7C15 & (joining->key_room - 1);

    while (joining->keys[at].text && joining->keys[at].text != text)
        at = (at + 1) & (joining->key_room - 1);
    return &joining->keys[at];
}

static bool grow_keys(struct joining *joining)
{
    struct key *old = joining->keys;
    const size_t old_room = joining->key_room;

    joining->key_room = old_room ? 2 * old_room : 1024;
    joining->keys = calloc(joining->key_room, sizeof *joining->keys);
    for (size_t i = 0; i < old_room && joining->keys; i++)
        if (old[i].text)
            *key_place(joining, old[i].text) = old[i];
    free(old);
    joining->failed |= !joining->keys;
    return joining->keys != NULL;
}

/* Joins it to the first sighting with the same text. */
static void join_by(struct joining *joining, const char *text, uint32_t sighting)
{
    if (!text || joining->failed ||
        (2 * joining->key_count >= joining->key_room && !grow_keys(joining)))
        return;
    struct key *key = key_place(joining, text);
    if (key->text) {
        join(joining, key->sighting, sighting);
    } else {
        *key = (struct key){text, sighting};
        joining->key_count++;
    }
}

static bool rule_is(const struct sighting *sighting, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(sighting->rule, *names) == 0)
            return true;
    return false;
}

/* What makes a group of its own; the rest can only join one. */
static bool is_weighty(const struct sighting *sighting)
{
    return sighting->level >= 2 && sighting->judgement->rung >= RUNG_PROBED;
}

static bool is_attempt(const struct sighting *sighting)
{
    return sighting->judgement->rung >= RUNG_PROBED;
}

/* Two rules that match one record: such sightings stand side by side, or have others of the same
 * moment between them. */
static void join_by_record(struct joining *joining)
{
    enum { BACK_MOST = 64 };
    const struct sightings *sightings = joining->sightings;

    for (size_t i = 1; i < sightings->count; i++) {
        const struct sighting *own = &sightings->list[i];
        const size_t first = i > BACK_MOST ? i - BACK_MOST : 0;
        for (size_t j = i; own->judgement->rung >= RUNG_PROBED && j-- > first;) {
            const struct sighting *other = &sightings->list[j];
            if (other->time != own->time || other->dated != own->dated)
                break;
            if (!own->path || other->path != own->path || other->offset != own->offset ||
                other->artifact != own->artifact || other->judgement->rung < RUNG_PROBED ||
                (!is_weighty(own) && !is_weighty(other)))
                continue;
            join(joining, (uint32_t)j, (uint32_t)i);
            break;
        }
    }
}

/* Pages, requests, and addresses of the outside: behind an address of the own network there may be
 * everybody. */
static void join_by_names(struct joining *joining)
{
    for (size_t i = 0; i < joining->sightings->count; i++) {
        const struct sighting *sighting = &joining->sightings->list[i];
        if (!is_weighty(sighting))
            continue;
        join_by(joining, sighting->request, (uint32_t)i);
        join_by(joining, sighting->page, (uint32_t)i);
        if (!sighting->actor_private)
            join_by(joining, sighting->actor, (uint32_t)i);
    }
}

static bool is_forged_command(const struct sighting *sighting)
{
    static const char *const names[] = {"PL-08", "PL-09", "PL-26", "PL-07", NULL};

    return rule_is(sighting, names);
}

static bool writes_files(const struct sighting *sighting)
{
    static const char *const names[] = {"PL-08", "PL-09", "PL-10", "PL-11", "PL-12", "PL-13",
                                        "PL-14", "PL-16", "PL-26", "PL-28", "PL-30", "PL-31",
                                        "PL-32", "PS-03", "PS-07", "PS-09", "PS-12", "PN-01",
                                        "PN-03", "PN-04", NULL};

    return rule_is(sighting, names);
}

static bool is_request_to_page(const struct sighting *sighting)
{
    return sighting->witness == WITNESS_WEB_LOG && sighting->judgement->rung >= RUNG_EXPLOITED;
}

static bool is_command_record(const struct sighting *sighting)
{
    static const char *const names[] = {"PL-10", "PL-11", "PL-12", "PL-13", "PL-14", "PL-28",
                                        "PL-30", "PL-31", "PL-33", "PL-34", NULL};

    return rule_is(sighting, names);
}

/* By the event logs: the page is written, compiled on its first request, and starts programs. */
static bool is_written_page(const struct sighting *sighting)
{
    static const char *const names[] = {"PL-31", "PL-32", "PS-17", NULL};

    return rule_is(sighting, names);
}

static bool is_compilation(const struct sighting *sighting)
{
    static const char *const names[] = {"WS-24", "WS-25", "WS-37", NULL};

    return rule_is(sighting, names);
}

static bool is_placed_file(const struct sighting *sighting)
{
    return sighting->witness == WITNESS_FILE_SYSTEM && sighting->judgement->rung == RUNG_PLACED;
}

static bool opens_powershell(const struct sighting *sighting)
{
    static const char *const names[] = {"PS-03", "PS-07", "PN-01", "PN-03", NULL};

    return rule_is(sighting, names);
}

/* Sessions and cmdlets have no address of the client, or that of the server itself. */
static bool is_powershell_record(const struct sighting *sighting)
{
    static const char *const names[] = {"PN-04", "PS-03", "PS-08", "PS-09", "PS-10",
                                        "PS-11", "PS-12", "PS-18", "PS-20", "MB-01",
                                        "TA-02", "EX-09", NULL};

    return sighting->witness != WITNESS_WEB_LOG && rule_is(sighting, names);
}

static bool is_child_process(const struct sighting *sighting)
{
    static const char *const names[] = {"WS-30", "WS-31", "WS-32", "PN-05", "PL-20", "PE-18", NULL};

    return rule_is(sighting, names);
}

static bool blinds(const struct sighting *sighting)
{
    static const char *const names[] = {"DF-02", "DF-03", "DF-04", "DF-13", NULL};

    return rule_is(sighting, names);
}

static bool would_have_been_seen(const struct sighting *sighting)
{
    return is_placed_file(sighting) || strncmp(sighting->rule, "PE-", 3) == 0;
}

static bool may_have_written(const struct sighting *sighting)
{
    return writes_files(sighting) || is_placed_file(sighting);
}

static bool is_page_at_work(const struct sighting *sighting)
{
    return is_written_page(sighting) || is_placed_file(sighting) || is_compilation(sighting);
}

/* "This comes from that": the nearest one of `causes` in a window around it. What the web logs tell
 * comes first; the others are for servers of which only the event logs are left, where each step is
 * known by the nearest one before it. */
static const struct link {
    bool (*effect)(const struct sighting *sighting), (*cause)(const struct sighting *sighting);
    int64_t before, after; /* seconds in which the cause may lie */
} links[] = {
    {is_command_record, is_forged_command, COMMAND_WINDOW, COMMAND_WINDOW},
    {is_placed_file, writes_files, FILE_WINDOW, 5},
    {is_powershell_record, opens_powershell, POWERSHELL_WINDOW, COMMAND_WINDOW},
    {is_child_process, is_request_to_page, CHILD_WINDOW, CHILD_WINDOW},
    {is_compilation, is_request_to_page, CHILD_WINDOW, CHILD_WINDOW},
    {is_command_record, is_command_record, COMMAND_WINDOW, NONE_AFTER},
    {is_written_page, may_have_written, FILE_WINDOW, NONE_AFTER},
    {is_compilation, is_page_at_work, FILE_WINDOW, NONE_AFTER},
    {is_child_process, is_page_at_work, FILE_WINDOW, NONE_AFTER},
    {is_child_process, is_child_process, CHILD_WINDOW, NONE_AFTER},
    {blinds, would_have_been_seen, 0, BLINDING_WINDOW},
};

static int64_t distance(const struct sighting *a, const struct sighting *b)
{
    return a->time > b->time ? a->time - b->time : b->time - a->time;
}

/* The nearest cause in front of an effect and the nearest behind it; SIZE_MAX: none. Both are
 * carried along while the list is walked, which takes no longer when a million sightings fall into
 * one second. */
static bool join_to_nearest(struct joining *joining, const struct link *link, size_t at,
                            size_t before, size_t behind)
{
    const struct sighting *list = joining->sightings->list, *effect = &list[at];

    if (before != SIZE_MAX && effect->time - list[before].time > SECONDS(link->before))
        before = SIZE_MAX;
    if (behind != SIZE_MAX && list[behind].time - effect->time > SECONDS(link->after))
        behind = SIZE_MAX;
    if (behind != SIZE_MAX &&
        (before == SIZE_MAX || distance(&list[behind], effect) < distance(&list[before], effect)))
        before = behind;
    if (before != SIZE_MAX)
        join(joining, (uint32_t)before, (uint32_t)at);
    return before != SIZE_MAX;
}

static size_t next_cause(const struct sightings *sightings, const struct link *link, size_t from)
{
    for (size_t i = from; i < sightings->count && sightings->list[i].dated; i++)
        if (is_weighty(&sightings->list[i]) && link->cause(&sightings->list[i]))
            return i;
    return SIZE_MAX;
}

enum { LINKS = sizeof links / sizeof *links };

/* Of each link: the last cause in front of where the walk is, and the next one. */
struct causes {
    size_t before[LINKS], behind[LINKS];
};

static void join_to_causes(struct joining *joining, size_t at, struct causes *causes)
{
    const struct sightings *sightings = joining->sightings;
    const struct sighting *sighting = &sightings->list[at];
    /* Small things of the server itself, which have no client, are told by what they belong to. */
    bool open = is_attempt(sighting) && (is_weighty(sighting) || !sighting->actor);

    for (size_t i = 0; i < LINKS; i++) {
        const bool is_cause = causes->behind[i] == at;
        if (is_cause)
            causes->behind[i] = next_cause(sightings, &links[i], at + 1);
        if (open && links[i].effect(sighting))
            open = !join_to_nearest(joining, &links[i], at, causes->before[i], causes->behind[i]);
        if (is_cause)
            causes->before[i] = at;
    }
}

static void join_by_cause(struct joining *joining)
{
    const struct sightings *sightings = joining->sightings;
    struct causes causes;

    for (size_t i = 0; i < LINKS; i++) {
        causes.before[i] = SIZE_MAX;
        causes.behind[i] = next_cause(sightings, &links[i], 0);
    }
    /* In order of time, the undated ones last. */
    for (size_t i = 0; i < sightings->count && sightings->list[i].dated; i++)
        join_to_causes(joining, i, &causes);
}

static bool is_way_in(const struct sighting *sighting)
{
    return sighting_succeeded(sighting) && sighting->judgement->rung >= RUNG_PLACED &&
           sighting->judgement->rung <= RUNG_USED;
}

/* What happens on the host itself has no address: it goes to the intrusion that was active last
 * before it. */
static void join_aftermath(struct joining *joining)
{
    const struct sighting *active = NULL;

    for (size_t i = 0; i < joining->sightings->count; i++) {
        const struct sighting *sighting = &joining->sightings->list[i];
        if (!sighting->dated || !is_weighty(sighting))
            continue;
        if (is_way_in(sighting))
            active = sighting;
        else if (active && !sighting->actor && sighting->judgement->rung >= RUNG_HANDS_ON &&
                 sighting->time - active->time <= SECONDS(86400) * AFTERMATH_DAYS)
            join(joining, (uint32_t)(active - joining->sightings->list), (uint32_t)i);
    }
}

static bool find_key(const struct joining *joining, const char *text, uint32_t *sighting)
{
    const struct key *key = text && joining->key_room ? key_place(joining, text) : NULL;

    if (!key || !key->text)
        return false;
    *sighting = key->sighting;
    return true;
}

/* What is small alone belongs to what weighs: by the request, by the address of the outside, and
 * what disks tell of a page by the page, which a scanner may ask for as well. Requests that belong
 * to nothing are scanning, and what else there is, is no part of an attack. */
static uint32_t group_of_small(struct joining *joining, const struct sighting *sighting)
{
    const bool is_request = sighting->witness == WITNESS_WEB_LOG;
    uint32_t other;

    if (find_key(joining, sighting->request, &other) ||
        (!is_request && find_key(joining, sighting->page, &other)) ||
        (!sighting->actor_private && find_key(joining, sighting->actor, &other)))
        return root_of(joining, other);
    return is_request || sighting->actor ? JOINED_SCANNING : JOINED_TO_NONE;
}

/* What was joined to a cause belongs to it, however small it is. */
static void tell_groups(struct joining *joining, uint32_t *groups)
{
    enum { ALONE, SHARED };

    /* The first of a set is its root, and must not be taken for one that was not joined. */
    for (size_t i = 0; i < joining->sightings->count; i++)
        groups[i] = ALONE;
    for (size_t i = 0; i < joining->sightings->count; i++) {
        const uint32_t root = root_of(joining, (uint32_t)i);
        if (root != i)
            groups[root] = groups[i] = SHARED;
    }
    for (size_t i = 0; i < joining->sightings->count; i++) {
        const struct sighting *sighting = &joining->sightings->list[i];

        const bool is_shared = groups[i] == SHARED;

        groups[i] = JOINED_TO_NONE;
        if (is_weighty(sighting) || is_shared) {
            groups[i] = root_of(joining, (uint32_t)i);
            continue;
        }
        if (is_attempt(sighting))
            groups[i] = group_of_small(joining, sighting);
    }
}

int joining_groups(const struct sightings *sightings, uint32_t *groups)
{
    struct joining joining = {.sightings = sightings};

    joining.parents = calloc(sightings->count + 1, sizeof *joining.parents);
    joining.failed = !joining.parents;
    for (size_t i = 0; i < sightings->count && !joining.failed; i++)
        joining.parents[i] = (uint32_t)i;
    if (!joining.failed)
        join_by_names(&joining);
    if (!joining.failed) {
        join_by_record(&joining);
        join_by_cause(&joining);
        join_aftermath(&joining);
        tell_groups(&joining, groups);
    }
    free(joining.parents);
    free(joining.keys);
    return joining.failed ? error_set("out of memory") : 0;
}
