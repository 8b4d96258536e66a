#include "triage/match/rule_links.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An id or a name, with the rule that has it. */
struct named {
    const char *text;
    size_t rule;
};

struct links {
    struct rule_set *set;
    struct named *list; /* sorted, of one text the rule that was loaded first */
    size_t count;
    uint8_t *visits; /* by rule: what the walk over correlations knows of it */
};

enum visit { VISIT_NONE, VISIT_AT_WORK, VISIT_DONE };

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    const int order = strcasecmp(x->text, y->text);

    return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static void add_name(struct links *links, const char *text, size_t rule)
{
    if (*text)
        links->list[links->count++] = (struct named){text, rule};
}

static int list_names(struct links *links)
{
    const struct rule_set *set = links->set;

    links->list = calloc(2 * set->count + 1, sizeof *links->list);
    links->visits = calloc(set->count + 1, sizeof *links->visits);
    if (!links->list || !links->visits)
        return error_set("out of memory");
    for (size_t i = 0; i < set->count; i++) {
        const struct rule *rule = &set->entries[i]->rule;
        if (rule->language != RULE_SIGMA || rule->kind == RULE_FILTER)
            continue;
        add_name(links, rule->id, i);
        if (strcasecmp(rule->id, rule->name) != 0)
            add_name(links, rule->name, i);
    }
    qsort(links->list, links->count, sizeof *links->list, by_name);
    return 0;
}

/* Number of the rule of that id or name; SIZE_MAX when there is none. */
static size_t find_rule(const struct links *links, const char *text)
{
    size_t low = 0, high = links->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcasecmp(links->list[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < links->count && strcasecmp(links->list[low].text, text) == 0
               ? links->list[low].rule
               : SIZE_MAX;
}

static void refuse(struct rule_set *set, struct rule_entry *entry, enum rule_state state,
                   const char *what, const char *name)
{
    const char *reason = arena_format(set->arena, "%s '%.100s'", what, name);

    entry->rule.state = state;
    entry->rule.reason = reason ? reason : "out of memory";
}

/* --- filters --- */

static bool is_covered(const char *wanted, const char *given)
{
    return !wanted || (given && strcasecmp(wanted, given) == 0);
}

static bool fits(const struct rule_entry *filter, const struct rule_entry *entry)
{
    const struct log_source *wanted = &filter->rule.source, *given = &entry->rule.source;

    return entry->rule.kind == RULE_DETECTION && entry->sigma.expression &&
           is_covered(wanted->category, given->category) &&
           is_covered(wanted->product, given->product) &&
           is_covered(wanted->service, given->service);
}

static void filter_rule(struct rule_set *set, const struct rule_entry *filter,
                        struct rule_entry *entry)
{
    const struct expression *parts[] = {entry->sigma.expression, filter->sigma.expression};
    const struct expression *joined = expression_at_least(set->arena, 2, parts, 2);

    if (joined)
        entry->sigma.expression = joined;
    else
        refuse(set, entry, RULE_NOT_LOADED,
               "it cannot take one more filter, as conditions are nested too deeply then:",
               filter->rule.title);
}

static bool means_all(const char *name)
{
    return strcasecmp(name, "any") == 0 || strcmp(name, "*") == 0;
}

static size_t apply_to_all(const struct links *links, const struct rule_entry *filter)
{
    size_t applied = 0;

    for (size_t i = 0; i < links->set->count; i++)
        if (fits(filter, links->set->entries[i])) {
            filter_rule(links->set, filter, links->set->entries[i]);
            applied++;
        }
    return applied;
}

static void apply_filter(const struct links *links, struct rule_entry *filter)
{
    size_t applied = 0;

    for (const char *const *name = filter->sigma.filtered; *name; name++) {
        const size_t found = means_all(*name) ? SIZE_MAX : find_rule(links, *name);
        if (means_all(*name))
            applied += apply_to_all(links, filter);
        if (found == SIZE_MAX || !fits(filter, links->set->entries[found]))
            continue;
        filter_rule(links->set, filter, links->set->entries[found]);
        applied++;
    }
    if (applied == 0) {
        filter->rule.state = RULE_NOT_APPLICABLE;
        filter->rule.reason = "none of the rules it names is loaded for its log source";
    }
}

/* --- correlations --- */

static bool rests_on_itself(const struct rule_entry *entry)
{
    return entry->rule.kind == RULE_DETECTION;
}

/* Whether the rules that can give events are enough; the others were told already. */
static void check_bases(const struct links *links, struct rule_entry *entry)
{
    const struct correlation *correlation = entry->sigma.correlation;
    uint64_t active = 0, missing = 0;

    for (size_t i = 0; i < correlation->rule_count; i++) {
        const struct rule *base = &links->set->entries[correlation->rules[i]]->rule;
        active |= (uint64_t)(base->state == RULE_ACTIVE) << i;
        missing += base->state != RULE_ACTIVE;
        if (base->state == RULE_NOT_LOADED) {
            refuse(links->set, entry, RULE_NOT_LOADED,
                   "it needs a rule that is not loaded:", correlation->names[i]);
            return;
        }
    }
    const bool enough = correlation->type >= CORRELATION_TEMPORAL
                            ? correlation_present(correlation, active)
                            : active != 0;
    if (missing && !enough) {
        entry->rule.state = RULE_NOT_APPLICABLE;
        entry->rule.reason = "no parser makes the events of the rules it rests on";
    }
}

static void resolve(struct links *links, size_t number, unsigned depth);

/* False when the reason was told. */
static bool resolve_base(struct links *links, struct rule_entry *entry, size_t position,
                         unsigned depth)
{
    const struct correlation *correlation = entry->sigma.correlation;
    const char *name = correlation->names[position];
    const size_t base = find_rule(links, name);

    if (base == SIZE_MAX) {
        refuse(links->set, entry, RULE_NOT_LOADED, "it needs a rule that is not there:", name);
        return false;
    }
    correlation->rules[position] = base;
    const struct rule_entry *other = links->set->entries[base];
    if (other->sigma.correlation && rests_on_itself(other)) {
        refuse(links->set, entry, RULE_NOT_LOADED,
               "it rests on a rule that counts its own events:", name);
        return false;
    }
    if (other->rule.kind != RULE_CORRELATION)
        return true;
    if (depth == CORRELATION_DEPTH || links->visits[base] == VISIT_AT_WORK) {
        refuse(links->set, entry, RULE_NOT_LOADED,
               "correlations rest on each other in a circle or too deeply:", name);
        return false;
    }
    resolve(links, base, depth + 1);
    return true;
}

/* Bounded by CORRELATION_DEPTH. */
static void resolve(struct links *links, size_t number, unsigned depth)
{
    struct rule_entry *entry = links->set->entries[number];

    if (!entry->sigma.correlation || entry->rule.state == RULE_NOT_LOADED ||
        links->visits[number] != VISIT_NONE)
        return;
    links->visits[number] = VISIT_AT_WORK;
    if (rests_on_itself(entry)) {
        entry->sigma.correlation->rules[0] = number;
    } else {
        bool good = true;
        for (size_t i = 0; i < entry->sigma.correlation->rule_count && good; i++)
            good = resolve_base(links, entry, i, depth);
        if (good)
            check_bases(links, entry);
    }
    links->visits[number] = VISIT_DONE;
}

/* --- what the base rules get of it --- */

static bool wants_already(const struct rule_entry *base, const char *name)
{
    for (size_t i = 0; i < base->wanted_count; i++)
        if (strcasecmp(base->wanted[i].name, name) == 0)
            return true;
    return false;
}

/* Room for one more: lists double, so that many correlations over one rule cost no square. */
static void *grow(struct arena *arena, const void *list, size_t count, size_t size)
{
    if (count & (count - 1) || !count) {
        if (count)
            return (void *)list;
        return arena_array(arena, 1, size);
    }
    void *larger = arena_array(arena, 2 * count, size);
    if (larger)
        memcpy(larger, list, count * size);
    return larger;
}

static int want_field(struct rule_set *set, struct rule_entry *base, const char *name)
{
    struct field_use use;

    if (base->rule.kind == RULE_CORRELATION || wants_already(base, name) ||
        base->wanted_count == CORRELATED_VALUES_MOST)
        return 0;
    set->memory.source = &base->rule.source;
    if (rule_memory_field(&set->memory, name, &use) < 0)
        return -1;
    struct field_use *list = grow(set->arena, base->wanted, base->wanted_count, sizeof *list);
    if (!list)
        return -1;
    list[base->wanted_count++] = use;
    base->wanted = list;
    return 0;
}

static int add_use(struct rule_set *set, struct rule_entry *base, size_t correlation)
{
    if (base->use_count && base->uses[base->use_count - 1] == correlation)
        return 0; /* it stands in the correlation's list twice */
    size_t *uses = grow(set->arena, base->uses, base->use_count, sizeof *uses);
    if (!uses)
        return -1;
    uses[base->use_count++] = correlation;
    base->uses = uses;
    return 0;
}

const char *rule_set_correlated_field(const struct rule_set *set, size_t correlation,
                                      size_t position, const char *field)
{
    const struct correlation *c = set->entries[correlation]->sigma.correlation;
    const struct rule *base = &set->entries[c->rules[position]]->rule;

    return correlation_field(c, position, base->id, base->name, field);
}

static int link_base(struct rule_set *set, size_t number, size_t position)
{
    const struct correlation *c = set->entries[number]->sigma.correlation;
    struct rule_entry *base = set->entries[c->rules[position]];

    if (add_use(set, base, number) < 0)
        return -1;
    for (size_t i = 0; i < c->group_count + c->field_count; i++) {
        const char *field = i < c->group_count ? c->group_by[i] : c->fields[i - c->group_count];
        if (want_field(set, base, rule_set_correlated_field(set, number, position, field)) < 0)
            return -1;
    }
    return 0;
}

static int link_bases(struct rule_set *set, size_t number)
{
    const struct rule_entry *entry = set->entries[number];

    if (!entry->sigma.correlation || entry->rule.state != RULE_ACTIVE)
        return 0;
    for (size_t i = 0; i < entry->sigma.correlation->rule_count; i++)
        if (link_base(set, number, i) < 0)
            return -1;
    return 0;
}

static bool is_silent(const struct rule_set *set, const struct rule_entry *entry)
{
    bool generate = entry->sigma.generate || entry->use_count == 0;

    for (size_t i = 0; i < entry->use_count; i++)
        generate |= set->entries[entry->uses[i]]->sigma.correlation->generate;
    return !generate;
}

int rule_links_make(struct rule_set *set)
{
    struct links links = {.set = set};
    int result = list_names(&links);

    for (size_t i = 0; i < set->count && result == 0; i++)
        if (set->entries[i]->rule.kind == RULE_FILTER &&
            set->entries[i]->rule.state != RULE_NOT_LOADED)
            apply_filter(&links, set->entries[i]);
    for (size_t i = 0; i < set->count && result == 0; i++)
        resolve(&links, i, 0);
    for (size_t i = 0; i < set->count && result == 0; i++)
        result = link_bases(set, i);
    for (size_t i = 0; i < set->count && result == 0; i++)
        set->entries[i]->rule.silent = is_silent(set, set->entries[i]);
    free(links.list);
    free(links.visits);
    return result;
}

/* --- what others ask --- */

const struct correlation *rule_set_correlation(const struct rule_set *set, size_t rule)
{
    const struct rule_entry *entry = set->entries[rule];

    return entry->rule.state == RULE_ACTIVE ? entry->sigma.correlation : NULL;
}

const size_t *rule_set_correlations_on(const struct rule_set *set, size_t rule, size_t *count)
{
    *count = set->entries[rule]->use_count;
    return set->entries[rule]->uses;
}
