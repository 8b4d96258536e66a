#include "triage/match/rule_memory.h"

#include "triage/base/error.h"

#include <stdlib.h>

void rule_memory_release(struct rule_memory *memory)
{
    for (size_t i = 0; i < memory->regex_count; i++)
        regex_free(memory->regexes[i]);
    free(memory->regexes);
    memory->regexes = NULL;
    memory->regex_count = memory->regex_room = 0;
}

static int keep_regex(struct rule_memory *memory, struct regex *regex)
{
    if (memory->regex_count == memory->regex_room) {
        const size_t room = memory->regex_room ? 2 * memory->regex_room : 64;
        struct regex **list = realloc(memory->regexes, room * sizeof(*list));
        if (!list)
            return error_set("out of memory");
        memory->regexes = list;
        memory->regex_room = room;
    }
    memory->regexes[memory->regex_count++] = regex;
    return 0;
}

/* Some patterns need character semantics (\x{2013}, \p{L}) to compile at all. */
int rule_memory_regex(struct rule_memory *memory, struct slice pattern, struct clause *clause)
{
    struct regex *regex;

    if (regex_new(pattern, clause->regex_options, &regex) < 0) {
        if (clause->regex_options & REGEX_UNICODE)
            return -1;
        clause->regex_options |= REGEX_UNICODE;
        return rule_memory_regex(memory, pattern, clause);
    }
    if (keep_regex(memory, regex) < 0) {
        regex_free(regex);
        return -1;
    }
    clause->kind = CLAUSE_REGEX;
    clause->regex = regex;
    clause->text = pattern;
    return 0;
}

/* Chains another name behind those that are there, each once. */
static int add_other(struct rule_memory *memory, struct field_use *first, const char *name)
{
    struct field_use *other = arena_take(memory->arena, sizeof *other);
    struct field_use *last = first;

    if (!other || field_list_use(memory->fields, name, other) < 0)
        return -1;
    for (; last->slot != other->slot && last->other; last = (struct field_use *)last->other)
        ;
    if (last->slot != other->slot)
        last->other = other;
    return 0;
}

int rule_memory_field(struct rule_memory *memory, const char *name, struct field_use *out)
{
    enum { SCOPES = 2 }; /* category and service */
    const char *common = memory->sources ? logsources_common_name(memory->sources, name) : name;

    if (field_list_use(memory->fields, common, out) < 0)
        return -1;
    out->name = name;
    for (unsigned scope = 0; memory->sources && memory->source && scope < SCOPES; scope++) {
        const struct yaml_node *names =
            logsources_other_names(memory->sources, memory->source, common, scope);
        const size_t count = !names ? 0 : names->type == YAML_LIST ? names->count : 1;
        for (size_t i = 0; i < count; i++) {
            const struct yaml_node *other = names->type == YAML_LIST ? names->list[i] : names;
            if (add_other(memory, out, (const char *)other->text.data) < 0)
                return -1;
        }
    }
    return 0;
}
