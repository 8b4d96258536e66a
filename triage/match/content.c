#include "triage/match/content.h"

#include "triage/base/arena.h"
#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/formats/page_text.h"
#include "triage/match/content_cache.h"
#include "triage/match/content_gate.h"

#ifdef HAVE_YARA

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yara.h>

enum { TIMEOUT_SECONDS = 10, PLACES_MOST = 16, PLACES_TOLD_MOST = 4096 };

/* A rule file as it was added. */
struct source {
    const char *path, *text;
};

struct content_rules {
    struct arena *arena;
    struct source *sources;
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

static const char *const variables[] = {"filename", "filepath", "extension",
                                        "filetype", "owner",    "md5"};

enum { VARIABLE_COUNT = sizeof variables / sizeof *variables };

bool content_available(void)
{
    return true;
}

static const char *yara_reason(int code)
{
    switch (code) {
    case ERROR_INSUFFICIENT_MEMORY:
        return "out of memory";
    case ERROR_SCAN_TIMEOUT:
        return "out of time";
    case ERROR_TOO_MANY_MATCHES:
        return "too many matches";
    case ERROR_EXEC_STACK_OVERFLOW:
        return "a condition is nested too deep";
    default:
        return NULL;
    }
}

static int yara_error(const char *what, int code)
{
    const char *reason = yara_reason(code);

    return reason ? error_set("%s: %s", what, reason)
                  : error_set("%s: libyara error %d", what, code);
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
        return yara_error("libyara", code);
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

/* The first error of a compilation. */
struct complaint {
    char text[512];
    unsigned line;
};

static void complain(int level, const char *file, int line, const YR_RULE *rule,
                     const char *message, void *context)
{
    struct complaint *complaint = context;

    (void)file;
    if (level != YARA_ERROR_LEVEL_ERROR || complaint->text[0])
        return;
    if (rule)
        snprintf(complaint->text, sizeof complaint->text, "rule '%s': %s", rule->identifier,
                 message);
    else
        snprintf(complaint->text, sizeof complaint->text, "%s", message);
    complaint->line = line > 0 ? (unsigned)line : 0;
}

/* A compiler that knows the external variables and reads no other file. */
static int compiler_new(struct complaint *complaint, YR_COMPILER **out)
{
    YR_COMPILER *compiler;
    int code = yr_compiler_create(&compiler);

    if (code != ERROR_SUCCESS)
        return yara_error("libyara's compiler", code);
    yr_compiler_set_callback(compiler, complain, complaint);
    yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
    for (size_t i = 0; i < VARIABLE_COUNT && code == ERROR_SUCCESS; i++)
        code = yr_compiler_define_string_variable(compiler, variables[i], "");
    if (code != ERROR_SUCCESS) {
        yr_compiler_destroy(compiler);
        return yara_error("libyara's compiler", code);
    }
    *out = compiler;
    return 0;
}

/* Compiles sources [first, first + count), each in a namespace of its own. */
static int compile(const struct source *sources, size_t count, unsigned *line, YR_RULES **out)
{
    struct complaint complaint = {.line = 0};
    YR_COMPILER *compiler = NULL;
    int code = ERROR_SUCCESS, result = 0;

    if (compiler_new(&complaint, &compiler) < 0)
        return -1;
    for (size_t i = 0; i < count && result == 0; i++) {
        char name[32];

        snprintf(name, sizeof name, "%zu", i);
        if (yr_compiler_add_string(compiler, sources[i].text, name) > 0)
            result = error_set("%s", complaint.text[0] ? complaint.text : "does not compile");
    }
    if (result == 0 && (code = yr_compiler_get_rules(compiler, out)) != ERROR_SUCCESS)
        result = yara_error("libyara's compiler", code);
    if (line)
        *line = complaint.line;
    yr_compiler_destroy(compiler);
    return result;
}

/* --- kept from run to run --- */

/* Smaller sources are compiled faster than a file is read. */
enum { CACHED_LEAST = 32 << 10 };

/* Of all that the compiled rules depend on. False when there is little to compile. */
static bool cache_key(const struct source *sources, size_t count, char key[SHA256_TEXT_SIZE])
{
    struct hasher *hasher = hasher_new(HASH_SHA256);
    size_t total = 0;

    if (!hasher)
        return false;
    hasher_add(hasher, SLICE_LITERAL(PACKAGE_VERSION " " YR_VERSION " "));
    for (size_t i = 0; i < VARIABLE_COUNT; i++)
        hasher_add(hasher, slice_of(variables[i], strlen(variables[i]) + 1));
    for (size_t i = 0; i < count; i++) {
        const struct slice text = slice_of_text(sources[i].text);
        hasher_add(hasher, slice_of(text.data, text.size + 1));
        total += text.size;
    }
    memcpy(key, hasher_finish(hasher).sha256, SHA256_TEXT_SIZE);
    hasher_free(hasher);
    return total >= CACHED_LEAST;
}

static size_t write_stream(const void *data, size_t size, size_t count, void *context)
{
    buffer_add(context, slice_of(data, size * count));
    return buffer_failed(context) ? 0 : count;
}

static size_t read_stream(void *data, size_t size, size_t count, void *context)
{
    const struct slice part = cursor_take(context, size * count);

    if (cursor_failed(context))
        return 0;
    if (part.size)
        memcpy(data, part.data, part.size);
    return count;
}

static bool load_compiled(const char *key, YR_RULES **out)
{
    struct buffer content = BUFFER_EMPTY;
    bool loaded = false;

    if (content_cache_load(key, &content)) {
        struct cursor cursor = cursor_over(buffer_slice(&content), 0);
        YR_STREAM stream = {.user_data = &cursor, .read = read_stream};
        loaded = yr_rules_load_stream(&stream, out) == ERROR_SUCCESS;
    }
    buffer_release(&content);
    return loaded;
}

static void store_compiled(const char *key, YR_RULES *compiled)
{
    struct buffer content = BUFFER_EMPTY;
    YR_STREAM stream = {.user_data = &content, .write = write_stream};

    if (yr_rules_save_stream(compiled, &stream) == ERROR_SUCCESS && !buffer_failed(&content))
        content_cache_store(key, buffer_slice(&content));
    buffer_release(&content);
}

static int compile_or_load(const struct source *sources, size_t count, unsigned *line,
                           YR_RULES **out)
{
    char key[SHA256_TEXT_SIZE];
    const bool cached = cache_key(sources, count, key);

    if (cached && load_compiled(key, out)) {
        if (line)
            *line = 0;
        return 0;
    }
    if (compile(sources, count, line, out) < 0)
        return -1;
    if (cached)
        store_compiled(key, *out);
    return 0;
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

/* Going through the text of a rule file to find the lines where rules start, which libyara does not
 * tell. */
struct reading {
    struct slice text;
    size_t at;
    unsigned line;
    uint8_t before; /* the last byte that was no white space */
};

static uint8_t byte_at(const struct reading *reading, size_t ahead)
{
    const size_t at = reading->at + ahead;

    return at < reading->text.size ? reading->text.data[at] : 0;
}

static void step(struct reading *reading)
{
    const uint8_t byte = byte_at(reading, 0);

    reading->line += byte == '\n';
    if (!isspace(byte))
        reading->before = byte;
    reading->at++;
}

static bool at_end(const struct reading *reading)
{
    return reading->at >= reading->text.size;
}

/* Skips a quoted text or a regular expression, which both end at their first delimiter without a
 * backslash. */
static void skip_quoted(struct reading *reading)
{
    const uint8_t end = byte_at(reading, 0);

    step(reading);
    while (!at_end(reading) && byte_at(reading, 0) != end && byte_at(reading, 0) != '\n') {
        if (byte_at(reading, 0) == '\\')
            step(reading);
        step(reading);
    }
    step(reading);
}

static void skip_comment(struct reading *reading)
{
    const uint8_t before = reading->before;
    const bool block = byte_at(reading, 1) == '*';

    reading->at += 2;
    while (!at_end(reading) && !(block ? byte_at(reading, 0) == '*' && byte_at(reading, 1) == '/'
                                       : byte_at(reading, 0) == '\n'))
        step(reading);
    reading->at += block ? 2 : 0;
    reading->before = before;
}

static struct slice take_word(struct reading *reading)
{
    const size_t start = reading->at;

    while (isalnum(byte_at(reading, 0)) || byte_at(reading, 0) == '_')
        step(reading);
    return slice_part(reading->text, start, reading->at - start);
}

/* Skips what is neither a word nor the end; a '/' behind "matches", '=' or the like starts a
 * regular expression. */
static void skip_other(struct reading *reading, bool regex_may_start)
{
    const uint8_t byte = byte_at(reading, 0), next = byte_at(reading, 1);

    if (byte == '/' && (next == '/' || next == '*'))
        skip_comment(reading);
    else if (byte == '"' || (byte == '/' && (regex_may_start || reading->before == '=' ||
                                             reading->before == ',' || reading->before == '(')))
        skip_quoted(reading);
    else
        step(reading);
}

/* Line of the next "rule NAME" of that name; 0 when it is not found. */
static unsigned find_rule(struct reading *reading, const char *identifier)
{
    struct slice before = {0}; /* the word before, white space and comments between */
    unsigned line = 0;

    while (!at_end(reading)) {
        const uint8_t byte = byte_at(reading, 0);
        const unsigned here = reading->line;

        if (!isalpha(byte) && byte != '_') {
            skip_other(reading, slice_is(before, "matches"));
            continue;
        }
        const struct slice word = take_word(reading);

        if (slice_is(before, "rule") && slice_is(word, identifier))
            return line;
        before = word;
        line = here;
    }
    return 0;
}

static int copy_rule(struct content_rules *rules, const struct source *source, const YR_RULE *from,
                     unsigned line)
{
    struct content_rule *to = &rules->rules[rules->count];

    *to = (struct content_rule){.path = source->path, .line = line};
    to->identifier = copy_text(rules, from->identifier);
    if (!to->identifier || copy_metas(rules, from, to) < 0 || copy_tags(rules, from, to) < 0)
        return -1;
    rules->count++;
    return 0;
}

static int copy_rules(struct content_rules *rules, const struct source *source, YR_RULES *compiled)
{
    struct reading reading = {.text = slice_of_text(source->text), .line = 1};
    const size_t before = rules->count;
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
        struct reading ahead = reading;
        const unsigned line = find_rule(&ahead, rule->identifier);

        reading = line ? ahead : reading;
        if (!RULE_IS_PRIVATE(rule) && copy_rule(rules, source, rule, line) < 0) {
            rules->count = before;
            return -1;
        }
    }
    return 0;
}

static int add_source(struct content_rules *rules, const struct source *source)
{
    struct source *larger =
        realloc(rules->sources, (rules->source_count + 1) * sizeof *rules->sources);

    if (!larger)
        return error_set("out of memory");
    rules->sources = larger;
    rules->sources[rules->source_count] = *source;
    return 0;
}

int content_add_file(struct content_rules *rules, const char *path, struct slice text,
                     unsigned *line)
{
    struct source source = {copy_text(rules, path), arena_text(rules->arena, text)};
    YR_RULES *compiled = NULL;
    int result = -1;

    *line = 0;
    if (!source.path || !source.text)
        return -1;
    if (strlen(source.text) != text.size)
        return error_set("holds a NUL byte");
    if (compile_or_load(&source, 1, line, &compiled) < 0)
        return -1;
    if (add_source(rules, &source) == 0 && copy_rules(rules, &source, compiled) == 0) {
        rules->source_count++;
        result = 0;
    }
    yr_rules_destroy(compiled);
    return result;
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
            return -1;
    if (content_gate_rule_count(gate) != count)
        return 0;
    rules->gate = gate;
    return content_gate_finish(gate);
}

int content_compile(struct content_rules *rules)
{
    if (compile_or_load(rules->sources, rules->source_count, NULL, &rules->compiled) < 0)
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
        return yara_error("libyara's scanner", code);
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

    _Static_assert(sizeof values / sizeof *values == VARIABLE_COUNT, "one value for each");
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        const int code =
            yr_scanner_define_string_variable(scanner, variables[i], values[i] ? values[i] : "");

        if (code != ERROR_SUCCESS)
            return yara_error("external variable", code);
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
    return code == ERROR_SUCCESS ? 0 : yara_error("YARA", code);
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
                     unsigned *line)
{
    (void)rules, (void)path, (void)text;
    *line = 0;
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
