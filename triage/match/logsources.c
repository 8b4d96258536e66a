#include "triage/match/logsources.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The lines of rules/logsources.yml. */
static const char *const built_in[] = {
#include "triage/match/logsources.inc"
};

struct logsources {
    struct arena *arena;
    struct source_map *map;
    const struct yaml_node *fields;       /* scope: {name: names} */
    const struct yaml_node *known;        /* scope: all names, in one text */
    const struct yaml_node **unsupported; /* lists, the user's last */
    size_t unsupported_count;
};

static int refuse(const struct yaml_node *node, const char *what)
{
    return error_set("line %u: %s", node->line, what);
}

/* Every section is a map of texts to something. */
static int each_pair(struct logsources *sources, const struct yaml_node *map, const char *what,
                     int (*take)(struct logsources *sources, const char *key,
                                 const struct yaml_node *value))
{
    if (!map)
        return 0;
    if (map->type != YAML_MAP)
        return refuse(map, what);
    for (size_t i = 0; i < map->count; i++) {
        if (map->map[i].key->type != YAML_TEXT)
            return refuse(map->map[i].key, what);
        if (take(sources, (const char *)map->map[i].key->text.data, map->map[i].value) < 0)
            return -1;
    }
    return 0;
}

/* The item at `i` of a list, or the node itself, which then is the only one. */
static const struct yaml_node *item_at(const struct yaml_node *node, size_t i)
{
    if (node->type == YAML_LIST)
        return i < node->count ? node->list[i] : NULL;
    return i == 0 ? node : NULL;
}

static int take_service(struct logsources *sources, const char *service,
                        const struct yaml_node *channels)
{
    const struct yaml_node *channel;

    for (size_t i = 0; (channel = item_at(channels, i)); i++) {
        if (channel->type != YAML_TEXT)
            return refuse(channel, "a channel must be a text");
        if (source_map_add_channel(sources->map, service, (const char *)channel->text.data) < 0)
            return -1;
    }
    return 0;
}

static int read_where(struct logsources *sources, const struct yaml_node *node,
                      struct source_where *where)
{
    if (!node)
        return 0;
    if (node->type != YAML_MAP || node->count != 1 || node->map[0].key->type != YAML_TEXT)
        return refuse(node, "'where' must name one field with its values");
    const struct yaml_node *values = node->map[0].value, *value;
    const size_t count = values->type == YAML_LIST ? values->count : 1;
    const char **list = arena_array(sources->arena, count + 1, sizeof(*list));
    if (!list)
        return -1;
    for (size_t i = 0; (value = item_at(values, i)); i++) {
        if (value->type != YAML_TEXT)
            return refuse(value, "a value must be a text");
        list[i] = (const char *)value->text.data;
    }
    *where = (struct source_where){(const char *)node->map[0].key->text.data, list};
    return 0;
}

static int take_selector(struct logsources *sources, const char *category,
                         const struct yaml_node *selector)
{
    const char *service = yaml_get_text(selector, "service");
    const struct yaml_node *ids = yaml_get(selector, "ids"), *id;
    struct source_where where = {NULL, NULL};
    uint64_t number;

    if (!service || !ids)
        return refuse(selector, "a category needs 'service' and 'ids'");
    if (read_where(sources, yaml_get(selector, "where"), &where) < 0)
        return -1;
    for (size_t i = 0; (id = item_at(ids, i)); i++) {
        if (id->type != YAML_TEXT || !slice_to_u64(id->text, &number))
            return refuse(id, "an event id must be a number");
        if (source_map_add_category(sources->map, category, service, number, where) < 0)
            return error_prefix("line %u", id->line);
    }
    return 0;
}

static int take_category(struct logsources *sources, const char *category,
                         const struct yaml_node *selectors)
{
    const struct yaml_node *selector;

    for (size_t i = 0; (selector = item_at(selectors, i)); i++)
        if (take_selector(sources, category, selector) < 0)
            return -1;
    return 0;
}

static int take_also(struct logsources *sources, const char *service, const struct yaml_node *list)
{
    const struct yaml_node *node;

    for (size_t i = 0; (node = item_at(list, i)); i++) {
        const struct log_source source = {yaml_get_text(node, "category"),
                                          yaml_get_text(node, "product"),
                                          yaml_get_text(node, "service")};
        if (!source.category && !source.product && !source.service)
            return refuse(node, "a log source needs category, product or service");
        if (source_map_add_also(sources->map, service, source) < 0)
            return -1;
    }
    return 0;
}

static int check_fields(struct logsources *sources, const char *scope,
                        const struct yaml_node *names)
{
    (void)sources;
    (void)scope;
    if (names->type != YAML_MAP)
        return refuse(names, "names of fields are a map");
    for (size_t i = 0; i < names->count; i++) {
        const struct yaml_node *name;
        for (size_t j = 0; (name = item_at(names->map[i].value, j)); j++)
            if (name->type != YAML_TEXT || names->map[i].key->type != YAML_TEXT)
                return refuse(name, "the name of a field must be a text");
    }
    return 0;
}

static int check_known(struct logsources *sources, const char *scope, const struct yaml_node *names)
{
    (void)sources;
    (void)scope;
    return names->type == YAML_TEXT ? 0 : refuse(names, "names stand in one text");
}

static int keep_unsupported(struct logsources *sources, const struct yaml_node *list)
{
    if (!list)
        return 0;
    if (list->type != YAML_LIST)
        return refuse(list, "'unsupported' is a list");
    const struct yaml_node **lists =
        realloc(sources->unsupported, (sources->unsupported_count + 1) * sizeof(*lists));
    if (!lists)
        return error_set("out of memory");
    sources->unsupported = lists;
    lists[sources->unsupported_count++] = list;
    return 0;
}

static int take_document(struct logsources *sources, const struct yaml_node *document)
{
    const struct yaml_node *fields = yaml_get(document, "fields");

    if (document->type != YAML_MAP)
        return refuse(document, "a map is expected");
    if (each_pair(sources, yaml_get(document, "services"), "'services' is a map", take_service) <
            0 ||
        each_pair(sources, yaml_get(document, "categories"), "'categories' is a map",
                  take_category) < 0 ||
        each_pair(sources, yaml_get(document, "also"), "'also' is a map", take_also) < 0 ||
        each_pair(sources, fields, "'fields' is a map", check_fields) < 0 ||
        keep_unsupported(sources, yaml_get(document, "unsupported")) < 0)
        return -1;
    const struct yaml_node *known = yaml_get(document, "known");
    if (each_pair(sources, known, "'known' is a map", check_known) < 0)
        return -1;
    if (known && !(sources->known = yaml_merge(sources->arena, sources->known, known)))
        return error_set("out of memory");
    if (fields && !(sources->fields = yaml_merge(sources->arena, sources->fields, fields)))
        return error_set("out of memory");
    return source_map_finish(sources->map);
}

int logsources_add(struct logsources *sources, struct slice text)
{
    struct yaml_file yaml;

    if (yaml_read(sources->arena, text, &yaml) < 0)
        return -1;
    if (yaml.problem)
        return error_set("line %u: %s", yaml.problem_line, yaml.problem);
    for (size_t i = 0; i < yaml.count; i++)
        if (take_document(sources, yaml.documents[i]) < 0)
            return -1;
    return 0;
}

static int add_built_in(struct logsources *sources)
{
    struct buffer text = BUFFER_EMPTY;

    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++) {
        buffer_add_text(&text, built_in[i]);
        buffer_add_byte(&text, '\n');
    }
    const int result = buffer_failed(&text) ? error_set("out of memory")
                                            : logsources_add(sources, buffer_slice(&text));
    buffer_release(&text);
    return result;
}

int logsources_new(struct arena *arena, struct logsources **out)
{
    struct logsources *sources = calloc(1, sizeof *sources);

    if (!sources || !(sources->map = source_map_new())) {
        free(sources);
        return error_set("out of memory");
    }
    sources->arena = arena;
    if (add_built_in(sources) < 0) {
        logsources_free(sources);
        return error_prefix("the log sources that are built in");
    }
    *out = sources;
    return 0;
}

void logsources_free(struct logsources *sources)
{
    if (!sources)
        return;
    source_map_free(sources->map);
    free(sources->unsupported);
    free(sources);
}

const struct source_map *logsources_map(const struct logsources *sources)
{
    return sources->map;
}

/* As yaml_get, in any letter case: names of fields compare so. */
static const struct yaml_node *get_nocase(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map && map->type == YAML_MAP && i < map->count; i++)
        if (map->map[i].key->type == YAML_TEXT && slice_is_nocase(map->map[i].key->text, key))
            return map->map[i].value;
    return NULL;
}

const char *logsources_common_name(const struct logsources *sources, const char *name)
{
    const struct yaml_node *names = get_nocase(yaml_get(sources->fields, "any"), name);
    const struct yaml_node *first = names ? item_at(names, 0) : NULL;

    return first ? (const char *)first->text.data : name;
}

const struct yaml_node *logsources_other_names(const struct logsources *sources,
                                               const struct log_source *source, const char *name,
                                               unsigned next)
{
    const char *scope = next == 0 ? source->category : next == 1 ? source->service : NULL;

    return scope ? get_nocase(get_nocase(sources->fields, scope), name) : NULL;
}

static bool has_word(struct slice text, const char *word)
{
    while ((text = slice_trim(text)).size) {
        size_t size = 0;
        while (size < text.size && !strchr(" \t\r\n", text.data[size]))
            size++;
        if (slice_is_nocase(slice_part(text, 0, size), word))
            return true;
        text = slice_from(text, size ? size : 1);
    }
    return false;
}

bool logsources_gives_field(const struct logsources *sources, const struct log_source *source,
                            const char *name)
{
    const struct yaml_node *any = yaml_get(sources->known, "any");
    const char *scopes[] = {source->category, source->service};
    bool known = false;

    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        const struct yaml_node *names = scopes[i] ? get_nocase(sources->known, scopes[i]) : NULL;
        known |= names != NULL;
        if (names && has_word(names->text, name))
            return true;
    }
    return !known || (any && has_word(any->text, name));
}

static bool is_covered(const char *wanted, const char *given)
{
    return !wanted || (given && strcasecmp(wanted, given) == 0);
}

const char *logsources_reason(const struct logsources *sources, const struct log_source *source)
{
    for (size_t i = sources->unsupported_count; i-- > 0;)
        for (size_t j = 0; j < sources->unsupported[i]->count; j++) {
            const struct yaml_node *entry = sources->unsupported[i]->list[j];
            const char *reason = yaml_get_text(entry, "reason");
            if (reason && is_covered(yaml_get_text(entry, "category"), source->category) &&
                is_covered(yaml_get_text(entry, "product"), source->product) &&
                is_covered(yaml_get_text(entry, "service"), source->service))
                return reason;
        }
    return NULL;
}
