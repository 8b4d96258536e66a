/*
 * Each string of a YARA rule is a rule of a nominator, which says in one pass over the file which
 * of them could match; with that the rules' conditions are judged.
 */
#include "triage/match/content_gate.h"

#include "triage/base/error.h"
#include "triage/match/content_condition.h"
#include "triage/match/content_literals.h"
#include "triage/match/nominator.h"

#include <stdlib.h>
#include <string.h>

enum { STRINGS_MOST = 1 << 16 };

struct gate_rule {
    const struct condition *condition;
    struct gate_rule *next;
};

struct content_gate {
    struct arena *arena;
    struct condition_regex *regexes;
    struct gate_rule *rules, **rules_end;
    struct condition_string *strings, **strings_end;
    size_t rule_count, string_count;
    const struct literal_demands **demands; /* by string */
    struct nominator *nominator;
};

struct content_gate_scratch {
    const struct content_gate *gate;
    uint64_t *marks, *strings;
    bool *possible; /* by rule */
    struct condition_facts facts;
};

/* The rule at hand. */
struct reader {
    struct content_gate *gate;
    const struct token *at;
    struct condition_reader condition;
};

struct content_gate *content_gate_new(struct arena *arena)
{
    struct content_gate *gate = arena_take(arena, sizeof *gate);

    if (!gate)
        return NULL;
    *gate = (struct content_gate){.arena = arena};
    gate->rules_end = &gate->rules;
    gate->strings_end = &gate->strings;
    return gate;
}

void content_gate_free(struct content_gate *gate)
{
    if (!gate)
        return;
    for (const struct condition_regex *regex = gate->regexes; regex; regex = regex->next)
        regex_free(regex->regex);
    nominator_free(gate->nominator);
}

size_t content_gate_rule_count(const struct content_gate *gate)
{
    return gate->rule_count;
}

/* --- rules --- */

static int add_string(struct reader *reader)
{
    struct content_gate *gate = reader->gate;
    struct condition_string *string = arena_take(gate->arena, sizeof *string);

    if (!string || gate->string_count == STRINGS_MOST)
        return error_set("there are too many strings");
    *string = (struct condition_string){.name = reader->at->text};
    reader->at += 2;
    string->literals = content_literals(gate->arena, &reader->at);
    *gate->strings_end = string;
    gate->strings_end = &string->next;
    gate->string_count++;
    if (reader->condition.own_count++ == 0)
        reader->condition.own = string;
    return 0;
}

static int read_strings(struct reader *reader)
{
    reader->at += 2;
    while (token_is_string_name(reader->at) && token_is_sign(reader->at + 1, "="))
        if (add_string(reader) < 0)
            return -1;
    return 0;
}

static int add_rule(struct content_gate *gate, const struct condition *condition)
{
    struct gate_rule *rule = arena_take(gate->arena, sizeof *rule);

    if (!rule)
        return -1;
    *rule = (struct gate_rule){.condition = condition};
    *gate->rules_end = rule;
    gate->rules_end = &rule->next;
    gate->rule_count++;
    return 0;
}

static bool is_section(const struct token *token, const char *name)
{
    return token_is_word(token, name) && token_is_sign(token + 1, ":");
}

/* The '}' that ends the condition, or the end. */
static const struct token *rule_end(const struct token *token)
{
    while (token->kind != TOKEN_END && !token_is_sign(token, "}"))
        token++;
    return token;
}

/* From behind "rule" to behind the '}' that ends it. */
static int read_rule(struct content_gate *gate, const struct token **at)
{
    struct reader reader = {
        .gate = gate,
        .at = *at,
        .condition = {gate->arena, &gate->regexes, NULL, gate->string_count, 0, 0, false},
    };

    while (reader.at->kind != TOKEN_END && !is_section(reader.at, "condition")) {
        if (!is_section(reader.at, "strings"))
            reader.at++;
        else if (read_strings(&reader) < 0)
            return -1;
    }
    if (reader.at->kind == TOKEN_END)
        return add_rule(gate, condition_maybe());
    const struct token *end = rule_end(reader.at);
    const struct condition *condition = condition_read(&reader.condition, reader.at + 2, end);
    *at = end->kind == TOKEN_END ? end : end + 1;
    return reader.condition.failed ? -1 : add_rule(gate, condition);
}

int content_gate_add(struct content_gate *gate, struct slice text)
{
    const struct token *token = content_tokens(gate->arena, text);

    if (!token)
        return -1;
    while (token->kind != TOKEN_END) {
        const bool is_rule = token_is_word(token++, "rule");
        if (is_rule && read_rule(gate, &token) < 0)
            return -1;
    }
    return 0;
}

int content_gate_finish(struct content_gate *gate)
{
    size_t i = 0;

    gate->demands = arena_array(gate->arena, gate->string_count + 1, sizeof(*gate->demands));
    if (!gate->demands)
        return -1;
    for (const struct condition_string *string = gate->strings; string; string = string->next)
        gate->demands[i++] = &string->literals;
    return nominator_new(gate->demands, gate->string_count, &gate->nominator);
}

/* --- asking --- */

int content_gate_scratch_new(const struct content_gate *gate, struct content_gate_scratch **out)
{
    struct content_gate_scratch *scratch = calloc(1, sizeof *scratch);

    if (!scratch)
        return error_set("out of memory");
    scratch->gate = gate;
    scratch->marks = calloc(nominator_mark_words(gate->nominator), sizeof *scratch->marks);
    scratch->strings = calloc(nominator_rule_words(gate->nominator), sizeof *scratch->strings);
    scratch->possible = calloc(gate->rule_count + 1, sizeof *scratch->possible);
    if (!scratch->marks || !scratch->strings || !scratch->possible ||
        regex_scratch_new(&scratch->facts.regex) < 0) {
        content_gate_scratch_free(scratch);
        return error_set("out of memory");
    }
    scratch->facts.strings = scratch->strings;
    *out = scratch;
    return 0;
}

void content_gate_scratch_free(struct content_gate_scratch *scratch)
{
    if (!scratch)
        return;
    free(scratch->marks);
    free(scratch->strings);
    free(scratch->possible);
    regex_scratch_free(scratch->facts.regex);
    free(scratch);
}

bool content_gate_ask(struct content_gate_scratch *scratch, struct slice content,
                      const struct content_file *file)
{
    const struct nominator *nominator = scratch->gate->nominator;
    bool any = false, *possible = scratch->possible;

    scratch->facts.content = content;
    scratch->facts.names[CONDITION_FILENAME] = slice_of_text(file->filename);
    scratch->facts.names[CONDITION_FILEPATH] = slice_of_text(file->filepath);
    scratch->facts.names[CONDITION_EXTENSION] = slice_of_text(file->extension);
    nominator_start(nominator, scratch->marks);
    nominator_add(nominator, content, scratch->marks);
    nominator_rules(nominator, scratch->marks, scratch->strings);
    for (const struct gate_rule *rule = scratch->gate->rules; rule; rule = rule->next) {
        *possible = condition_can_be(rule->condition, true, &scratch->facts);
        any |= *possible++;
    }
    return any;
}

bool content_gate_possible(const struct content_gate_scratch *scratch, size_t rule)
{
    return scratch->possible[rule];
}
