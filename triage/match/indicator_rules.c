#include "triage/match/indicator_rules.h"

#include "triage/base/error.h"
#include "triage/base/path.h"
#include "triage/match/indicator_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    GROUPS_MOST = 2000, /* of a list; further campaigns share one rule */
    HEADS = 1024,
    REFUSED_SHOWN = 200, /* of a list, each by its line; the rest is counted */
    NAME_MOST = 60,
};

struct group {
    const char *campaign; /* "" for none */
    enum level level;
    size_t rule;
    struct group *next;
};

struct loading {
    struct rule_set *set;
    const struct rule_file *file;
    const char *list; /* its name, without folders */
    struct group *heads[HEADS];
    size_t group_count, refused;
    uint32_t member_set;
    bool failed; /* memory is out */
};

/* A hash is that file and no other; an address belongs to somebody else tomorrow, a name says
 * little alone. */
static enum level default_level(enum indicator_kind kind)
{
    switch (kind) {
    case INDICATOR_MD5:
    case INDICATOR_SHA1:
    case INDICATOR_SHA256:
        return LEVEL_HIGH;
    case INDICATOR_ADDRESS:
    case INDICATOR_FILE_NAME:
    case INDICATOR_FILE_EXTENSION:
    case INDICATOR_USER_AGENT:
    case INDICATOR_EMAIL:
        return LEVEL_LOW;
    default:
        return LEVEL_MEDIUM;
    }
}

static bool is_name(enum indicator_kind kind)
{
    return kind == INDICATOR_FILE_NAME || kind == INDICATOR_FILE_EXTENSION;
}

static enum level level_of(const struct indicator_fact *fact)
{
    enum level level = default_level(fact->kind);

    if (fact->members)
        level = default_level(fact->strongest);
    if (fact->level)
        level_from_name(fact->level, &level);
    return !fact->members && is_name(fact->kind) && level > LEVEL_MEDIUM ? LEVEL_MEDIUM : level;
}

static const char *confidence_of(enum level level)
{
    return level >= LEVEL_HIGH ? "high" : level == LEVEL_MEDIUM ? "medium" : "low";
}

static int describe(struct loading *loading, const struct group *group, unsigned line)
{
    struct rule_set *set = loading->set;
    struct rule *rule = &set->entries[group->rule]->rule;
    const char **tags = arena_array(set->arena, 2, sizeof(*tags));
    const bool named = *group->campaign != 0;

    rule->line = line;
    rule->level = group->level;
    rule->confidence = confidence_of(group->level);
    rule->name =
        named ? arena_text(set->arena, slice_part(slice_of_text(group->campaign), 0, NAME_MOST))
              : loading->list;
    rule->id = arena_format(set->arena, "%s:%s%s%s", loading->list, group->campaign,
                            named ? ":" : "", level_name(group->level));
    rule->title = named ? arena_format(set->arena, "Indicator of %.200s (list %s)", group->campaign,
                                       loading->list)
                        : arena_format(set->arena, "Indicator of list %s", loading->list);
    if (!tags || !rule->name || !rule->id || !rule->title)
        return -1;
    tags[0] = named ? rule->name : NULL;
    rule->tags = tags;
    return 0;
}

static size_t head_of(const char *campaign, enum level level)
{
    uint32_t hash = (uint32_t)level + 1;

    for (; *campaign; campaign++)
        hash = hash * 31 + (uint8_t)*campaign;
    return hash % HEADS;
}

static struct group *add_group(struct loading *loading, const char *campaign, enum level level,
                               unsigned line)
{
    struct rule_set *set = loading->set;
    struct group *group = arena_take(set->arena, sizeof *group);
    const size_t head = head_of(campaign, level);

    if (!group || !rule_set_add_entry(set, loading->file, RULE_INDICATOR))
        return NULL;
    *group = (struct group){.campaign = arena_text(set->arena, slice_of_text(campaign)),
                            .level = level,
                            .rule = set->count - 1,
                            .next = loading->heads[head]};
    if (!group->campaign || describe(loading, group, line) < 0)
        return NULL;
    loading->heads[head] = group;
    loading->group_count++;
    return group;
}

static struct group *group_of(struct loading *loading, const struct indicator_fact *fact)
{
    const enum level level = level_of(fact);
    const char *campaign = fact->campaign ? fact->campaign : "";

    for (int round = 0; round < 2; round++) {
        for (struct group *group = loading->heads[head_of(campaign, level)]; group;
             group = group->next)
            if (group->level == level && strcmp(group->campaign, campaign) == 0)
                return group;
        if (loading->group_count < GROUPS_MOST)
            break;
        campaign = "";
    }
    return add_group(loading, campaign, level, fact->line);
}

static void refuse(void *context, unsigned line, const char *reason)
{
    struct loading *loading = context;

    loading->set->indicator_totals.refused++;
    if (loading->refused++ < REFUSED_SHOWN &&
        rule_set_add_refused(loading->set, loading->file, RULE_INDICATOR, line, reason) < 0)
        loading->failed = true;
}

static void ignore(void *context, unsigned line, const char *what)
{
    struct loading *loading = context;

    (void)line;
    if (strcmp(what, "mutex") == 0)
        loading->set->indicator_totals.mutexes++;
    else
        loading->set->indicator_totals.ignored++;
}

static void add(void *context, const struct indicator_fact *fact)
{
    struct loading *loading = context;
    struct group *group = group_of(loading, fact);

    if (!group) {
        loading->failed = true;
        return;
    }
    if (fact->members && fact->member == 0)
        loading->member_set = indicator_table_set(loading->set->indicators, fact->members);
    const struct indicator indicator = {.kind = (uint8_t)fact->kind,
                                        .line = fact->line,
                                        .rule = (uint32_t)group->rule,
                                        .set = fact->members ? loading->member_set : 0,
                                        .rooted = fact->rooted};
    const char *problem =
        fact->members && !loading->member_set
            ? "too many indicators joined by AND"
            : indicator_table_add(loading->set->indicators, &indicator, fact->text);
    if (problem)
        refuse(loading, fact->line, problem);
}

static int tell_rest(struct loading *loading)
{
    char text[80];

    if (loading->refused <= REFUSED_SHOWN)
        return 0;
    snprintf(text, sizeof text, "%zu more lines of this list are not understood",
             loading->refused - REFUSED_SHOWN);
    return rule_set_add_refused(loading->set, loading->file, RULE_INDICATOR, 0, text);
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int indicator_rules_load(struct rule_set *set, const struct rule_file *file)
{
    struct loading loading = {.set = set, .file = file, .list = path_name(file->path)};
    const struct indicator_sink sink = {&loading, add, refuse, ignore};
    const int64_t begun = milliseconds();
    struct arena *arena = arena_new(0);
    int result;

    if (!arena || (!set->indicators && indicator_table_new(&set->indicators) < 0)) {
        arena_free(arena);
        return error_set("out of memory");
    }
    set->indicator_totals.lists++;
    if (indicator_read(file->text, arena, &sink) < 0)
        refuse(&loading, 0, error_text());
    result = loading.failed ? error_set("out of memory") : tell_rest(&loading);
    arena_free(arena);
    set->indicator_totals.milliseconds += (uint64_t)(milliseconds() - begun);
    return result;
}

int indicator_rules_compile(struct rule_set *set)
{
    const int64_t begun = milliseconds();
    const int result = set->indicators ? indicator_table_compile(set->indicators) : 0;

    set->indicator_totals.milliseconds += (uint64_t)(milliseconds() - begun);
    return result;
}

void rule_set_indicators(const struct rule_set *set, struct indicator_totals *out)
{
    *out = set->indicator_totals;
    out->loaded = set->indicators ? indicator_table_total(set->indicators) : 0;
}
