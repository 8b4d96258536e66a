#include "triage/match/sigma_rules.h"

#include "triage/base/error.h"

#include <string.h>
#include <strings.h>

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

static int add_sigma(struct rule_set *set, const struct rule_file *file,
                     const struct yaml_node *document, bool has_own_id)
{
    struct rule_entry *entry = rule_set_add_entry(set, file, RULE_SIGMA);

    if (!entry)
        return error_set("out of memory");
    if (sigma_compile(&set->memory, document, &entry->rule, &entry->sigma) < 0)
        rule_set_refuse(set, entry, error_text());
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

int sigma_rules_load(struct rule_set *set, const struct rule_file *file)
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
