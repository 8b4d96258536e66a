#include "triage/match/content.h"

#include "triage/base/arena.h"
#include "triage/base/error.h"
#include "triage/formats/page_text.h"
#include "triage/match/content_compile.h"
#include "triage/match/content_gate.h"
#include "triage/match/content_text.h"

#ifdef HAVE_YARA

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yara.h>

enum { TIMEOUT_SECONDS = 10, PLACES_MOST = 16, PLACES_TOLD_MOST = 4096 };

struct content_rules {
    struct arena *arena;
    struct content_source *sources;
    size_t source_count;
    struct content_rule *rules;
    size_t count;
    YR_RULES *compiled;
    struct content_gate *gate; /* NULL: every file is scanned */
    size_t *numbers;           /* of the compiled rules in the set; SIZE_MAX for private ones */
};

struct content_scanner {
    const struct content_rules *rules;
    YR_SCANNER *scanner;
    const struct content_sink *sink; /* of the present scan */
    struct buffer detail, plain;
    bool *told; /* rules that matched the bytes as they are */
    bool bare;  /* the present scan looks at a page's text without its disguise */
    struct content_gate_scratch *gate; /* NULL: there is none */
    bool no_gate;                      /* scan whatever the gate says */
};

bool content_available(void)
{
    return true;
}

int content_new(struct content_rules **out)
{
    struct content_rules *rules = calloc(1, sizeof *rules);
    int code;

    if (!rules || !(rules->arena = arena_new(0))) {
        free(rules);
        return error_set("out of memory");
    }
    code = yr_initialize();
    if (code != ERROR_SUCCESS) {
        arena_free(rules->arena);
        free(rules);
        return content_yara_error("libyara", code);
    }
    /* Copies of what matched are not needed, and a crafted file could make them many. */
    yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, 0);
    *out = rules;
    return 0;
}

void content_free(struct content_rules *rules)
{
    if (!rules)
        return;
    if (rules->compiled)
        yr_rules_destroy(rules->compiled);
    content_gate_free(rules->gate);
    yr_finalize();
    arena_free(rules->arena);
    free(rules->sources);
    free(rules->rules);
    free(rules->numbers);
    free(rules);
}

static const char *copy_text(struct content_rules *rules, const char *text)
{
    return arena_text(rules->arena, slice_of_text(text));
}

static const char *meta_text(struct content_rules *rules, const YR_META *meta)
{
    if (meta->type == META_TYPE_STRING)
        return copy_text(rules, meta->string);
    if (meta->type == META_TYPE_BOOLEAN)
        return meta->integer ? "true" : "false";
    return arena_format(rules->arena, "%" PRId64, meta->integer);
}

static int copy_metas(struct content_rules *rules, const YR_RULE *from, struct content_rule *to)
{
    const YR_META *meta;
    struct content_meta *copies;
    size_t count = 0;

    yr_rule_metas_foreach(from, meta) count++;
    to->metas = copies = arena_array(rules->arena, count + 1, sizeof *copies);
    if (!copies)
        return -1;
    yr_rule_metas_foreach(from, meta)
    {
        struct content_meta *copy = &copies[to->meta_count++];

        copy->name = copy_text(rules, meta->identifier);
        copy->text = meta_text(rules, meta);
        if (!copy->name || !copy->text)
            return -1;
    }
    return 0;
}

static int copy_tags(struct content_rules *rules, const YR_RULE *from, struct content_rule *to)
{
    const char **copies;
    const char *tag;
    size_t count = 0;

    yr_rule_tags_foreach(from, tag) count++;
    to->tags = copies = arena_array(rules->arena, count + 1, sizeof *copies);
    if (!copies)
        return -1;
    yr_rule_tags_foreach(from, tag) if (!(*copies++ = copy_text(rules, tag))) return -1;
    return 0;
}

static int copy_rule(struct content_rules *rules, const struct content_source *source,
                     const YR_RULE *from, unsigned line)
{
    struct content_rule *to = &rules->rules[rules->count];

    *to = (struct content_rule){.path = source->path, .line = line};
    to->identifier = copy_text(rules, from->identifier);
    if (!to->identifier || copy_metas(rules, from, to) < 0 || copy_tags(rules, from, to) < 0)
        return -1;
    rules->count++;
    return 0;
}

static int copy_rules(struct content_rules *rules, const struct content_source *source,
                      YR_RULES *compiled)
{
    const size_t before = rules->count;
    unsigned from = 1;
    size_t at = 0;
    struct content_rule *larger;
    YR_RULE *rule;
    size_t count = 0;

    yr_rules_foreach(compiled, rule) count++;
    larger = realloc(rules->rules, (before + count + 1) * sizeof *larger);
    if (!larger)
        return error_set("out of memory");
    rules->rules = larger;
    yr_rules_foreach(compiled, rule)
    {
        const unsigned line =
            content_text_find_rule(slice_of_text(source->text), rule->identifier, &at, &from);

        if (!RULE_IS_PRIVATE(rule) && copy_rule(rules, source, rule, line) < 0) {
            rules->count = before;
            return -1;
        }
    }
    return 0;
}

static int add_source(struct content_rules *rules, const struct content_source *source)
{
    struct content_source *larger =
        realloc(rules->sources, (rules->source_count + 1) * sizeof *rules->sources);

    if (!larger)
        return error_set("out of memory");
    rules->sources = larger;
    rules->sources[rules->source_count] = *source;
    return 0;
}

static int keep_file(struct content_rules *rules, struct content_source *source,
                     const struct content_refusals *refusals)
{
    YR_RULES *compiled = NULL;
    unsigned line = 0;
    int result = -1;

    if (content_compile_file(rules->arena, source, refusals, &line, &compiled) < 0) {
        refusals->refuse(refusals->context, line, error_text());
        return 0;
    }
    if (add_source(rules, source) == 0 && copy_rules(rules, source, compiled) == 0) {
        rules->source_count++;
        result = 0;
    }
    yr_rules_destroy(compiled);
    return result;
}

int content_add_file(struct content_rules *rules, const char *path, struct slice text,
                     const struct content_refusals *refusals)
{
    struct content_source source = {copy_text(rules, path), arena_text(rules->arena, text)};

    if (!source.path || !source.text)
        return -1;
    if (strlen(source.text) != text.size) {
        refusals->refuse(refusals->context, 0, "holds a NUL byte");
        return 0;
    }
    return keep_file(rules, &source, refusals);
}

/* Gives the compiled rules, which stand in the order of the files, their numbers in the set. */
static int number_rules(struct content_rules *rules)
{
    YR_RULE *rule;
    size_t count = 0, number = 0;

    yr_rules_foreach(rules->compiled, rule) count++;
    rules->numbers = calloc(count + 1, sizeof *rules->numbers);
    if (!rules->numbers)
        return error_set("out of memory");
    count = 0;
    yr_rules_foreach(rules->compiled, rule) rules->numbers[count++] =
        RULE_IS_PRIVATE(rule) ? SIZE_MAX : number++;
    return number == rules->count ? 0 : error_set("rules were lost when compiled together");
}

/* The gate must number the rules as libyara does, or there is none. */
static int make_gate(struct content_rules *rules)
{
    struct content_gate *gate = content_gate_new(rules->arena);
    YR_RULE *rule;
    size_t count = 0;

    yr_rules_foreach(rules->compiled, rule) count++;
    if (!gate)
        return -1;
    for (size_t i = 0; i < rules->source_count; i++)
        if (content_gate_add(gate, slice_of_text(rules->sources[i].text)) < 0)
            return arena_full(rules->arena) ? -1 : 0;
    if (content_gate_rule_count(gate) != count)
        return 0;
    rules->gate = gate;
    return content_gate_finish(gate);
}

int content_compile(struct content_rules *rules)
{
    if (content_compile_all(rules->sources, rules->source_count, &rules->compiled) < 0)
        return error_prefix("YARA rules");
    return number_rules(rules) < 0 ? -1 : make_gate(rules);
}

size_t content_rule_count(const struct content_rules *rules)
{
    return rules->count;
}

const struct content_rule *content_rule(const struct content_rules *rules, size_t index)
{
    return &rules->rules[index];
}

int content_scanner_new(const struct content_rules *rules, struct content_scanner **out)
{
    struct content_scanner *scanner = calloc(1, sizeof *scanner);
    int code;

    if (!scanner || !(scanner->told = calloc(rules->count + 1, sizeof *scanner->told))) {
        free(scanner);
        return error_set("out of memory");
    }
    scanner->rules = rules;
    if (rules->gate && content_gate_scratch_new(rules->gate, &scanner->gate) < 0) {
        content_scanner_free(scanner);
        return -1;
    }
    code = yr_scanner_create(rules->compiled, &scanner->scanner);
    if (code != ERROR_SUCCESS) {
        content_scanner_free(scanner);
        return content_yara_error("libyara's scanner", code);
    }
    yr_scanner_set_timeout(scanner->scanner, TIMEOUT_SECONDS);
    *out = scanner;
    return 0;
}

void content_scanner_free(struct content_scanner *scanner)
{
    if (!scanner)
        return;
    if (scanner->scanner)
        yr_scanner_destroy(scanner->scanner);
    buffer_release(&scanner->detail);
    content_gate_scratch_free(scanner->gate);
    buffer_release(&scanner->plain);
    free(scanner->told);
    free(scanner);
}

void content_scanner_set_gate(struct content_scanner *scanner, bool on)
{
    scanner->no_gate = !on;
}

void content_scanner_set_timeout(struct content_scanner *scanner, unsigned seconds)
{
    yr_scanner_set_timeout(scanner->scanner, seconds < INT32_MAX ? (int)seconds : INT32_MAX);
}

static size_t rule_number(const struct content_scanner *scanner, size_t compiled_index)
{
    return scanner->rules->numbers[compiled_index];
}

/* Adds the match number `round` of the string; false when it has fewer. */
static bool add_place(struct buffer *detail, YR_SCAN_CONTEXT *context, YR_STRING *string,
                      size_t round)
{
    YR_MATCH *match;

    yr_string_matches_foreach(context, string, match)
    {
        if (round-- > 0)
            continue;
        buffer_format(detail, "%s%s at 0x%" PRIx64, detail->size ? ", " : "", string->identifier,
                      (uint64_t)(match->base + match->offset));
        return true;
    }
    return false;
}

/* First match of each string, then the second of each ... */
static const char *describe(struct content_scanner *scanner, YR_SCAN_CONTEXT *context,
                            YR_RULE *rule)
{
    size_t places = 0, before = SIZE_MAX;

    buffer_clear(&scanner->detail);
    for (size_t round = 0; places != before && places < PLACES_MOST; round++) {
        YR_STRING *string;

        before = places;
        yr_rule_strings_foreach(
            rule, string) if (places < PLACES_MOST &&
                              add_place(&scanner->detail, context, string, round)) places++;
    }
    if (scanner->bare)
        buffer_add_text(&scanner->detail, scanner->detail.size
                                              ? " of the text without its disguise"
                                              : "in the text without its disguise");
    return buffer_text(&scanner->detail);
}

static void tell_places(const struct content_scanner *scanner, YR_SCAN_CONTEXT *context,
                        YR_RULE *rule, size_t number)
{
    const struct content_sink *sink = scanner->sink;
    YR_STRING *string;
    YR_MATCH *match;
    size_t told = 0;

    if (!sink->place || scanner->bare)
        return;
    yr_rule_strings_foreach(rule, string)
    {
        yr_string_matches_foreach(context, string, match)
        {
            if (told++ == PLACES_TOLD_MOST)
                return;
            sink->place(sink->context, number, (uint64_t)(match->base + match->offset),
                        string->identifier);
        }
    }
}

/* Whether the rule could match the present file at all: one that could not is not undecided, so
 * that the gate does not show in the output. */
static bool is_possible(const struct content_scanner *scanner, size_t compiled_index)
{
    return !scanner->gate || content_gate_possible(scanner->gate, compiled_index);
}

static int tell(YR_SCAN_CONTEXT *context, int message, void *data, void *user_data)
{
    struct content_scanner *scanner = user_data;
    const struct content_sink *sink = scanner->sink;

    if (message == CALLBACK_MSG_RULE_MATCHING) {
        YR_RULE *rule = data;
        const size_t number =
            rule_number(scanner, (size_t)(rule - scanner->rules->compiled->rules_table));

        if (number != SIZE_MAX && !scanner->told[number]) {
            scanner->told[number] = true;
            tell_places(scanner, context, rule, number);
            sink->hit(sink->context, number, describe(scanner, context, rule));
        }
    } else if (message == CALLBACK_MSG_TOO_MANY_MATCHES) {
        const YR_STRING *string = data;
        const size_t number = rule_number(scanner, string->rule_idx);

        if (number != SIZE_MAX && is_possible(scanner, string->rule_idx))
            sink->undecided(sink->context, number, "a string matches too often");
    }
    return CALLBACK_CONTINUE;
}

static int set_variables(YR_SCANNER *scanner, const struct content_file *file)
{
    const char *const values[] = {file->filename, file->filepath, file->extension,
                                  file->filetype, file->owner,    file->md5};

    _Static_assert(sizeof values / sizeof *values == CONTENT_VARIABLES, "one value for each");
    for (size_t i = 0; i < CONTENT_VARIABLES; i++) {
        const int code = yr_scanner_define_string_variable(scanner, content_variables[i],
                                                           values[i] ? values[i] : "");

        if (code != ERROR_SUCCESS)
            return content_yara_error("external variable", code);
    }
    return 0;
}

static int scan(struct content_scanner *scanner, struct slice content,
                const struct content_file *file)
{
    static const uint8_t nothing[1];

    if (scanner->gate && !content_gate_ask(scanner->gate, content, file) && !scanner->no_gate)
        return ERROR_SUCCESS;
    return yr_scanner_scan_mem(scanner->scanner, content.size ? content.data : nothing,
                               content.size);
}

/* The first match of a string is enough where the condition does not count; no signal handlers, the
 * content is memory of our own. */
static int scan_flags(const struct content_file *file)
{
    return (file->every_place ? 0 : SCAN_FLAGS_FAST_MODE) | SCAN_FLAGS_NO_TRYCATCH |
           SCAN_FLAGS_REPORT_RULES_MATCHING;
}

int content_scan(struct content_scanner *scanner, struct slice content,
                 const struct content_file *file, const struct content_sink *sink)
{
    int code;

    if (set_variables(scanner->scanner, file) < 0)
        return -1;
    scanner->sink = sink;
    memset(scanner->told, 0, scanner->rules->count * sizeof *scanner->told);
    buffer_clear(&scanner->plain);
    yr_scanner_set_callback(scanner->scanner, tell, scanner);
    yr_scanner_set_flags(scanner->scanner, scan_flags(file));
    code = scan(scanner, content, file);
    scanner->bare = true;
    if (code == ERROR_SUCCESS && page_text_plain(content, &scanner->plain))
        code = scan(scanner, buffer_slice(&scanner->plain), file);
    scanner->bare = false;
    scanner->sink = NULL;
    return code == ERROR_SUCCESS ? 0 : content_yara_error("YARA", code);
}

#else

static int missing(void)
{
    return error_set("built without libyara");
}

bool content_available(void)
{
    return false;
}

int content_new(struct content_rules **out)
{
    (void)out;
    return missing();
}

void content_free(struct content_rules *rules)
{
    (void)rules;
}

int content_add_file(struct content_rules *rules, const char *path, struct slice text,
                     const struct content_refusals *refusals)
{
    (void)rules, (void)path, (void)text, (void)refusals;
    return missing();
}

int content_compile(struct content_rules *rules)
{
    (void)rules;
    return missing();
}

size_t content_rule_count(const struct content_rules *rules)
{
    (void)rules;
    return 0;
}

const struct content_rule *content_rule(const struct content_rules *rules, size_t index)
{
    (void)rules, (void)index;
    return NULL;
}

int content_scanner_new(const struct content_rules *rules, struct content_scanner **out)
{
    (void)rules, (void)out;
    return missing();
}

void content_scanner_free(struct content_scanner *scanner)
{
    (void)scanner;
}

void content_scanner_set_timeout(struct content_scanner *scanner, unsigned seconds)
{
    (void)scanner, (void)seconds;
}

void content_scanner_set_gate(struct content_scanner *scanner, bool on)
{
    (void)scanner, (void)on;
}

int content_scan(struct content_scanner *scanner, struct slice content,
                 const struct content_file *file, const struct content_sink *sink)
{
    (void)scanner, (void)content, (void)file, (void)sink;
    return missing();
}

#endif

const char *content_rule_meta(const struct content_rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->meta_count; i++)
        if (slice_is(slice_of_text(rule->metas[i].name), name))
            return rule->metas[i].text;
    return NULL;
}
