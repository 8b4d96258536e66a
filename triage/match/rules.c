#include "triage/match/rules.h"

#include "triage/base/error.h"
#include "triage/match/indicator_rules.h"
#include "triage/match/rule_links.h"
#include "triage/match/rule_set.h"

#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = {"informational", "low", "medium", "high", "critical"};

const char *level_name(enum level level)
{
    return level_names[(unsigned)level <= LEVEL_CRITICAL ? level : LEVEL_CRITICAL];
}

bool level_from_name(const char *name, enum level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (!slice_is_nocase(slice_of_text(name), level_names[i]))
            continue;
        *level = (enum level)i;
        return true;
    }
    return false;
}

int rule_set_new(const struct log_source *available, struct rule_set **out)
{
    struct rule_set *set = calloc(1, sizeof *set);

    if (!set)
        return error_set("out of memory");
    set->available = available;
    set->arena = arena_new(0);
    set->memory.arena = set->arena;
    set->memory.fields = set->arena ? field_list_new(set->arena) : NULL;
    if (!set->memory.fields || logsources_new(set->arena, &set->sources) < 0 ||
        prefilter_new(NULL, 0, true, &set->all) < 0 ||
        (content_available() && content_new(&set->content) < 0)) {
        rule_set_free(set);
        return error_prefix("rule set");
    }
    set->memory.sources = set->sources;
    *out = set;
    return 0;
}

void rule_set_free(struct rule_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->filter_count; i++)
        prefilter_free(set->filters[i].prefilter);
    free(set->filters);
    prefilter_free(set->all);
    logsources_free(set->sources);
    content_free(set->content);
    indicator_table_free(set->indicators);
    free(set->content_entries);
    rule_memory_release(&set->memory);
    free(set->entries);
    arena_free(set->arena);
    free(set);
}

/* --- entries --- */

/* What a rule has none of. */
static const char *const no_texts[] = {NULL};

struct rule_entry *rule_set_add_entry(struct rule_set *set, const struct rule_file *file,
                                      enum rule_language language)
{
    struct rule_entry *entry = arena_take(set->arena, sizeof *entry);

    if (set->count == set->room && entry) {
        const size_t room = set->room ? 2 * set->room : 64;
        struct rule_entry **entries = realloc(set->entries, room * sizeof(*entries));
        if (!entries)
            return NULL;
        set->entries = entries;
        set->room = room;
    }
    if (!entry)
        return NULL;
    entry->rule = (struct rule){.language = language,
                                .state = RULE_ACTIVE,
                                .name = "",
                                .id = "",
                                .title = "",
                                .author = "",
                                .description = "",
                                .level = LEVEL_MEDIUM,
                                .tags = no_texts,
                                .references = no_texts,
                                .falsepositives = no_texts,
                                .path = file->path};
    memcpy(entry->rule.sha256, file->sha256, sizeof entry->rule.sha256);
    set->entries[set->count++] = entry;
    return entry;
}

void rule_set_refuse(struct rule_set *set, struct rule_entry *entry, const char *reason)
{
    const char *kept = arena_text(set->arena, slice_of_text(reason));

    entry->rule.state = RULE_NOT_LOADED;
    entry->rule.reason = kept ? kept : "out of memory";
}

int rule_set_add_refused(struct rule_set *set, const struct rule_file *file,
                         enum rule_language language, unsigned line, const char *reason)
{
    struct rule_entry *entry = rule_set_add_entry(set, file, language);

    if (!entry)
        return error_set("out of memory");
    entry->rule.line = line;
    entry->rule.name = entry->rule.title = file->path;
    rule_set_refuse(set, entry, reason);
    return 0;
}

/* --- compiling --- */

static bool is_available(const struct rule_set *set, const struct log_source *source)
{
    if (source_applies(source, set->available))
        return true;
    for (const struct log_source *given = set->available; given && !source_is_end(given); given++)
        if (given->service == source_map_any->service)
            return source_applies(source, source_map_all(rule_set_source_map(set)));
    return false;
}

static void check_source(struct rule_set *set, struct rule_entry *entry)
{
    const struct log_source *source = &entry->rule.source;

    if (entry->rule.state != RULE_ACTIVE || entry->rule.language != RULE_SIGMA ||
        entry->rule.kind != RULE_DETECTION || is_available(set, source))
        return;
    entry->rule.state = RULE_NOT_APPLICABLE;
    entry->rule.reason = logsources_reason(set->sources, source);
    if (!entry->rule.reason)
        entry->rule.reason = arena_format(
            set->arena, "no parser for %s/%s/%s", source->product ? source->product : "*",
            source->category ? source->category : "*", source->service ? source->service : "*");
}

int rule_set_compile(struct rule_set *set)
{
    if (set->content && content_compile(set->content) < 0)
        return -1;
    if (indicator_rules_compile(set) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++)
        check_source(set, set->entries[i]);
    if (rule_links_make(set) < 0)
        return -1;
    for (size_t i = 0; i < set->count; i++)
        if (set->entries[i]->sigma.expression)
            set->entries[i]->demands =
                expression_demands(set->arena, set->entries[i]->sigma.expression);
    set->compiled = true;
    return 0;
}

/* --- getters --- */

size_t rule_set_count(const struct rule_set *set)
{
    return set->count;
}

const struct rule *rule_set_rule(const struct rule_set *set, size_t index)
{
    return &set->entries[index]->rule;
}

static bool literal_seen(const struct rule_set *set, size_t rule, size_t number, struct slice text)
{
    for (size_t i = 0; i <= rule; i++) {
        const struct literal_set literals = demands_first(&set->entries[i]->demands);
        for (size_t j = 0; j < literals.count && (i < rule || j < number); j++)
            if (slice_equal_nocase(literals.list[j].text, text))
                return true;
    }
    return false;
}

void rule_set_literals(const struct rule_set *set, struct buffer *out)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct literal_set literals = demands_first(&set->entries[i]->demands);
        if (set->entries[i]->rule.state != RULE_ACTIVE)
            continue;
        for (size_t j = 0; j < literals.count; j++)
            if (!literal_seen(set, i, j, literals.list[j].text)) {
                buffer_add(out, literals.list[j].text);
                buffer_add_byte(out, '\n');
            }
    }
}
