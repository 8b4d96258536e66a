#include "triage/match/rules.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/match/indicator_reader.h"
#include "triage/match/indicator_rules.h"
#include "triage/match/rule_links.h"
#include "triage/match/rule_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_DEPTH = 16, FILE_MOST = 64 << 20, LIST_MOST = 1 << 30, HEAD_SIZE = 4096 };

static const char *const level_names[] = {"informational", "low", "medium", "high", "critical"};
static const char *const no_texts[] = {NULL};

const char *level_name(enum level level)
{
    return level_names[level];
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

static const char *keep_text(struct rule_set *set, const char *text)
{
    const char *kept = arena_text(set->arena, slice_of_text(text));

    return kept ? kept : "out of memory";
}

static void refuse(struct rule_set *set, struct rule_entry *entry, const char *reason)
{
    entry->rule.state = RULE_NOT_LOADED;
    entry->rule.reason = keep_text(set, reason);
}

int rule_set_add_refused(struct rule_set *set, const struct rule_file *file,
                         enum rule_language language, unsigned line, const char *reason)
{
    struct rule_entry *entry = rule_set_add_entry(set, file, language);

    if (!entry)
        return error_set("out of memory");
    entry->rule.line = line;
    entry->rule.name = entry->rule.title = file->path;
    refuse(set, entry, reason);
    return 0;
}

static struct rule_entry **id_head(struct rule_set *set, const char *id)
{
    uint32_t hash = 0;

    for (; *id; id++)
        hash = hash * 31 + (uint8_t)(*id | 0x20);
    return &set->ids[hash % ID_HEADS];
}

/* Of several rules with the same id the first one counts; those of a collection may share the id
 * that its `action: global` gives them. */
static void check_duplicate(struct rule_set *set, struct rule_entry *entry, bool has_own_id)
{
    if (!*entry->rule.id)
        return;
    struct rule_entry **head = id_head(set, entry->rule.id);
    for (const struct rule_entry *other = *head; other; other = other->next_id) {
        if (strcasecmp(other->rule.id, entry->rule.id) != 0 ||
            (!has_own_id && strcmp(other->rule.path, entry->rule.path) == 0))
            continue;
        entry->rule.state = RULE_NOT_LOADED;
        entry->rule.reason = arena_format(set->arena, "the same id as %s line %u", other->rule.path,
                                          other->rule.line);
        return;
    }
    entry->next_id = *head;
    *head = entry;
}

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

static int add_sigma(struct rule_set *set, const struct rule_file *file,
                     const struct yaml_node *document, bool has_own_id)
{
    struct rule_entry *entry = rule_set_add_entry(set, file, RULE_SIGMA);

    if (!entry)
        return error_set("out of memory");
    if (sigma_compile(&set->memory, document, &entry->rule, &entry->sigma) < 0)
        refuse(set, entry, error_text());
    else
        check_duplicate(set, entry, has_own_id);
    if (!*entry->rule.title)
        entry->rule.title = file->path;
    if (!*entry->rule.name)
        entry->rule.name = file->path;
    return 0;
}

/* Rule collections: `action: global` lays its keys under all documents behind it, `repeat` lays its
 * own over the document before, `reset` forgets (Sigma 1.0, "Rule Collections"). */
static int add_document(struct rule_set *set, const struct rule_file *file,
                        const struct yaml_node *document, const struct yaml_node **global,
                        const struct yaml_node **previous)
{
    const char *action = yaml_get_text(document, "action");
    const struct yaml_node *base = *global;

    if (action && strcmp(action, "reset") == 0) {
        *global = NULL;
        return 0;
    }
    if (action && strcmp(action, "repeat") == 0)
        base = *previous;
    const struct yaml_node *whole = yaml_merge(set->arena, base, document);
    if (!whole)
        return error_set("out of memory");
    if (action && strcmp(action, "global") == 0) {
        *global = whole;
        return 0;
    }
    *previous = whole;
    return add_sigma(set, file, whole, yaml_get_text(document, "id") != NULL);
}

static bool is_nothing(const struct yaml_node *document)
{
    return document->type == YAML_TEXT && document->plain && document->text.size == 0;
}

static int load_sigma(struct rule_set *set, const struct rule_file *file)
{
    const struct yaml_node *global = NULL, *previous = NULL;
    struct yaml_file yaml;

    if (yaml_read(set->arena, file->text, &yaml) < 0)
        return -1;
    for (size_t i = 0; i < yaml.count; i++)
        if (!is_nothing(yaml.documents[i]) &&
            add_document(set, file, yaml.documents[i], &global, &previous) < 0)
            return -1;
    if (yaml.problem)
        return rule_set_add_refused(set, file, RULE_SIGMA, yaml.problem_line, yaml.problem);
    return 0;
}

/* The words of a comma-separated text behind those of `first`. */
static const char *const *join_words(struct rule_set *set, const char *const *first,
                                     const char *text)
{
    struct slice rest = slice_of_text(text);
    size_t count = 0, most = 2;

    for (size_t i = 0; i < rest.size; i++)
        most += rest.data[i] == ',';
    while (first[count])
        count++;
    const char **words = arena_array(set->arena, count + most, sizeof(*words));
    if (!words)
        return no_texts;
    memcpy(words, first, count * sizeof(*words));
    while (rest.size) {
        const size_t comma = slice_find(rest, 0, ',');
        const struct slice word = slice_trim(slice_part(rest, 0, comma));
        if (word.size)
            words[count++] = arena_text(set->arena, word);
        rest = comma == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, comma + 1);
    }
    return words;
}

static const char *meta_or(const struct content_rule *content, const char *name, const char *other)
{
    const char *text = content_rule_meta(content, name);

    return text && *text ? text : other;
}

/* The score of signature-base's rules, by the steps at which LOKI and THOR notice, warn, alarm. */
static enum level level_of_score(const char *score)
{
    const long points = score ? strtol(score, NULL, 10) : 0;

    return points <= 0    ? LEVEL_MEDIUM
           : points > 80  ? LEVEL_HIGH
           : points >= 60 ? LEVEL_MEDIUM
           : points >= 40 ? LEVEL_LOW
                          : LEVEL_INFORMATIONAL;
}

static void describe_content(struct rule_set *set, const struct content_rule *content,
                             struct rule *rule)
{
    static const char *const none[] = {NULL};

    rule->line = content->line;
    rule->id = content->identifier;
    rule->name = meta_or(content, "id", content->identifier);
    rule->description = meta_or(content, "description", "");
    rule->title =
        meta_or(content, "title", *rule->description ? rule->description : content->identifier);
    rule->author = meta_or(content, "author", "");
    rule->confidence = meta_or(content, "confidence", NULL);
    rule->tags =
        join_words(set, content->tags ? content->tags : none, meta_or(content, "tags", ""));
    rule->references = join_words(set, none, meta_or(content, "reference", ""));
    if (!level_from_name(meta_or(content, "level", ""), &rule->level))
        rule->level = level_of_score(content_rule_meta(content, "score"));
}

static int add_content(struct rule_set *set, const struct rule_file *file, size_t number)
{
    struct rule_entry *entry = rule_set_add_entry(set, file, RULE_YARA);
    size_t *entries = realloc(set->content_entries, (number + 1) * sizeof *entries);

    if (entries)
        set->content_entries = entries;
    if (!entry || !entries)
        return error_set("out of memory");
    entries[number] = set->count - 1;
    set->content_count = number + 1;
    entry->content = number;
    describe_content(set, content_rule(set->content, number), &entry->rule);
    return 0;
}

/* A rule file that is being loaded. */
struct content_loading {
    struct rule_set *set;
    const struct rule_file *file;
    bool failed; /* memory is out */
};

static void refuse_content(void *context, unsigned line, const char *reason)
{
    struct content_loading *loading = context;

    if (rule_set_add_refused(loading->set, loading->file, RULE_YARA, line, reason) < 0)
        loading->failed = true;
}

static int load_content(struct rule_set *set, const struct rule_file *file)
{
    struct content_loading loading = {.set = set, .file = file};
    const struct content_refusals refusals = {&loading, refuse_content};

    if (!set->content)
        return rule_set_add_refused(set, file, RULE_YARA, 0, "built without libyara");
    if (content_add_file(set->content, file->path, file->text, &refusals) < 0 || loading.failed)
        return -1;
    for (size_t i = set->content_count; i < content_rule_count(set->content); i++)
        if (add_content(set, file, i) < 0)
            return -1;
    return 0;
}

static bool is_content_name(const char *path)
{
    const struct slice name = slice_of_text(path);

    return slice_ends_nocase(name, ".yar") || slice_ends_nocase(name, ".yara");
}

static bool is_sigma_name(const char *path)
{
    const struct slice name = slice_of_text(path);

    return slice_ends_nocase(name, ".yml") || slice_ends_nocase(name, ".yaml");
}

/* Of a file in a folder that is neither Sigma nor YARA its start tells whether it is a list. */
static bool is_list(const char *path)
{
    uint8_t head[HEAD_SIZE];
    const int handle = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = handle < 0 ? 0 : read(handle, head, sizeof head);

    if (handle >= 0)
        close(handle);
    return size > 0 && indicator_recognise(path, slice_of(head, (size_t)size));
}

static bool is_rule_name(const char *path)
{
    return is_content_name(path) || is_sigma_name(path) || is_list(path);
}

static int read_all(int handle, size_t most, struct buffer *out)
{
    for (;;) {
        uint8_t *room = buffer_reserve(out, 64 * 1024);
        if (!room || out->size > most)
            return error_set("too large for a rule file");
        const ssize_t size = read(handle, room, 64 * 1024);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return error_set_errno("cannot be read");
        if (size == 0)
            return 0;
        out->size += (size_t)size;
    }
}

static int read_file(const char *path, struct buffer *out)
{
    const int handle = open(path, O_RDONLY | O_CLOEXEC);

    if (handle < 0)
        return error_set_errno("cannot be opened");
    const bool list = !is_content_name(path) && !is_sigma_name(path);
    const int result = read_all(handle, list ? LIST_MOST : FILE_MOST, out);
    close(handle);
    return result;
}

static int load_text(struct rule_set *set, const char *path, struct slice text)
{
    struct rule_file file = {.path = path, .text = text};

    hash_sha256(text, file.sha256);
    return is_content_name(path) ? load_content(set, &file)
           : is_sigma_name(path) ? load_sigma(set, &file)
                                 : indicator_rules_load(set, &file);
}

/* In a folder a file that cannot be read is a rule that is not loaded. */
static int load_file(struct rule_set *set, const char *path, bool in_folder)
{
    struct buffer text = BUFFER_EMPTY;
    const struct rule_file file = {.path = path};
    int result;

    if (read_file(path, &text) == 0)
        result = load_text(set, path, buffer_slice(&text));
    else if (in_folder)
        result = rule_set_add_refused(set, &file, is_content_name(path) ? RULE_YARA : RULE_SIGMA, 0,
                                      error_text());
    else
        result = error_prefix("rules '%s'", path);
    buffer_release(&text);
    return result;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_path(struct rule_set *set, const char *path, unsigned depth);

static int keep_placeholders(struct rule_set *set, struct slice text)
{
    struct yaml_file yaml;

    if (yaml_read(set->arena, text, &yaml) < 0)
        return -1;
    if (yaml.problem)
        return error_set("line %u: %s", yaml.problem_line, yaml.problem);
    for (size_t i = 0; i < yaml.count; i++) {
        if (yaml.documents[i]->type != YAML_MAP)
            return error_set("a map of names to values is expected");
        set->placeholders = yaml_merge(set->arena, set->placeholders, yaml.documents[i]);
        if (!set->placeholders)
            return error_set("out of memory");
    }
    set->memory.placeholders = set->placeholders;
    return 0;
}

/* Hashes what is there with what is added. */
static void note_settings(struct rule_set *set, struct slice text)
{
    struct buffer both = BUFFER_EMPTY;

    buffer_add_text(&both, set->settings);
    buffer_add(&both, text);
    hash_sha256(buffer_slice(&both), set->settings);
    buffer_release(&both);
}

const char *rule_set_settings(const struct rule_set *set)
{
    return set->settings;
}

int rule_set_load_placeholders(struct rule_set *set, const char *path)
{
    struct buffer text = BUFFER_EMPTY;
    int result = read_file(path, &text);

    note_settings(set, buffer_slice(&text));
    if (result == 0)
        result = keep_placeholders(set, buffer_slice(&text));
    buffer_release(&text);
    return result < 0 ? error_prefix("placeholders '%s'", path) : 0;
}

int rule_set_load_sources(struct rule_set *set, const char *path)
{
    struct buffer text = BUFFER_EMPTY;
    int result = read_file(path, &text);

    note_settings(set, buffer_slice(&text));
    if (result == 0)
        result = logsources_add(set->sources, buffer_slice(&text));
    buffer_release(&text);
    return result < 0 ? error_prefix("log sources '%s'", path) : 0;
}

/* Files of a folder that are no rules: they are for the rules in it and below, and for what is
 * loaded behind it. */
static const struct {
    const char *name;
    int (*load)(struct rule_set *set, const char *path);
} settings[] = {
    {"logsources.yml", rule_set_load_sources},
    {"logsources.yaml", rule_set_load_sources},
    {"placeholders.yml", rule_set_load_placeholders},
    {"placeholders.yaml", rule_set_load_placeholders},
};

/* Number of the kind of settings in a file of that name; SIZE_MAX for all others. */
static size_t find_settings(const char *name)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (strcasecmp(name, settings[i].name) == 0)
            return i;
    return SIZE_MAX;
}

static int load_settings(struct rule_set *set, const char *folder, const char *name)
{
    const size_t kind = find_settings(name);
    const char *path = arena_format(set->arena, "%s/%s", folder, name);
    const struct rule_file file = {.path = path};

    if (kind == SIZE_MAX)
        return 0;
    if (!path)
        return -1;
    return settings[kind].load(set, path) == 0
               ? 0
               : rule_set_add_refused(set, &file, RULE_SIGMA, 0, error_text());
}

static int load_folder(struct rule_set *set, const char *path, unsigned depth)
{
    struct dirent **names = NULL;
    const int count = scandir(path, &names, is_visible, by_name);
    int result = 0;

    if (count < 0)
        return error_set_errno("rules '%s' cannot be listed", path);
    for (int i = 0; i < count && result == 0; i++)
        result = load_settings(set, path, names[i]->d_name);
    for (int i = 0; i < count; i++) {
        const char *child = arena_format(set->arena, "%s/%s", path, names[i]->d_name);
        if (result == 0 && find_settings(names[i]->d_name) == SIZE_MAX)
            result = child ? load_path(set, child, depth + 1) : -1;
        free(names[i]);
    }
    free(names);
    return result;
}

static int load_path(struct rule_set *set, const char *path, unsigned depth)
{
    struct stat status;
    const bool found = stat(path, &status) == 0;

    if (!found && depth == 0)
        return error_set_errno("rules '%s' cannot be read", path);
    if (found && S_ISDIR(status.st_mode))
        return depth < FOLDER_DEPTH ? load_folder(set, path, depth) : 0;
    return depth == 0 || is_rule_name(path) ? load_file(set, path, depth > 0) : 0;
}

int rule_set_load(struct rule_set *set, const char *path)
{
    const char *kept = arena_text(set->arena, slice_of_text(path));

    return kept ? load_path(set, kept, 0) : -1;
}

int rule_set_load_text(struct rule_set *set, const char *name, struct slice text)
{
    const char *kept = arena_text(set->arena, slice_of_text(name));

    return kept ? load_text(set, kept, text) : -1;
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
