#include "triage/match/content_rules.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

static const char *const no_words[] = {NULL};

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
        return no_words;
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
    rule->line = content->line;
    rule->id = content->identifier;
    rule->name = meta_or(content, "id", content->identifier);
    rule->description = meta_or(content, "description", "");
    rule->title =
        meta_or(content, "title", *rule->description ? rule->description : content->identifier);
    rule->author = meta_or(content, "author", "");
    rule->confidence = meta_or(content, "confidence", NULL);
    rule->tags =
        join_words(set, content->tags ? content->tags : no_words, meta_or(content, "tags", ""));
    rule->references = join_words(set, no_words, meta_or(content, "reference", ""));
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

int content_rules_load(struct rule_set *set, const struct rule_file *file)
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
