#include "triage/match/rule_settings.h"

#include "triage/base/error.h"
#include "triage/match/rule_files.h"

#include <strings.h>

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

/* Reads a file, which counts as a setting, and hands it to `keep`. */
static int load(struct rule_set *set, const char *path,
                int (*keep)(struct rule_set *set, struct slice text))
{
    struct buffer text = BUFFER_EMPTY;
    int result = rule_file_read(path, &text);

    note_settings(set, buffer_slice(&text));
    if (result == 0)
        result = keep(set, buffer_slice(&text));
    buffer_release(&text);
    return result;
}

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

int rule_set_load_placeholders(struct rule_set *set, const char *path)
{
    return load(set, path, keep_placeholders) < 0 ? error_prefix("placeholders '%s'", path) : 0;
}

static int keep_sources(struct rule_set *set, struct slice text)
{
    return logsources_add(set->sources, text);
}

int rule_set_load_sources(struct rule_set *set, const char *path)
{
    return load(set, path, keep_sources) < 0 ? error_prefix("log sources '%s'", path) : 0;
}

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

bool rule_settings_has(const char *name)
{
    return find_settings(name) != SIZE_MAX;
}

int rule_settings_load(struct rule_set *set, const char *name, const char *path)
{
    return settings[find_settings(name)].load(set, path);
}
