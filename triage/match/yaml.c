/* YAML 1.1 as libyaml reads it, made into a tree: https://pyyaml.org/wiki/LibYAML */
#include "triage/match/yaml.h"

#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_LIMIT = 32, NODE_LIMIT = 2000000, ANCHOR_LIMIT = 256 };

struct anchor {
    const char *name;
    const struct yaml_node *node;
};

/* One run over a text. The first problem ends it. */
struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    const char *problem;
    unsigned line;
    bool out_of_memory;
    size_t nodes;
    struct anchor anchors[ANCHOR_LIMIT];
    size_t anchor_count;
};

/* Children as they come, before their number is known. */
struct growing {
    const struct yaml_node **nodes;
    size_t count, room;
};

static const struct yaml_node *read_node(struct reader *reader, unsigned depth);

static unsigned line_of(yaml_mark_t mark)
{
    return (unsigned)mark.line + 1;
}

static const void *fail(struct reader *reader, unsigned line, const char *problem)
{
    if (!reader->problem) {
        reader->problem = problem;
        reader->line = line;
    }
    return NULL;
}

static const void *fail_memory(struct reader *reader)
{
    reader->out_of_memory = true;
    return fail(reader, 0, "out of memory");
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    const char *problem = reader->parser.problem ? reader->parser.problem : "malformed YAML";
    fail(reader, line_of(reader->parser.problem_mark),
         arena_text(reader->arena, slice_of_text(problem)));
    return false;
}

static struct yaml_node *new_node(struct reader *reader, enum yaml_type type, unsigned line)
{
    struct yaml_node *node = arena_take(reader->arena, sizeof *node);

    if (!node) {
        fail_memory(reader);
        return NULL;
    }
    if (++reader->nodes > NODE_LIMIT) {
        fail(reader, line, "too many nodes");
        return NULL;
    }
    node->type = type;
    node->line = line;
    return node;
}

/* An anchor that is given twice stands for its last node (YAML 1.1, 3.2.2.2). */
static bool keep_anchor(struct reader *reader, const char *name, const struct yaml_node *node)
{
    if (!name || !node)
        return node != NULL;
    if (reader->anchor_count == ANCHOR_LIMIT)
        return fail(reader, node->line, "too many anchors");
    struct anchor *anchor = &reader->anchors[reader->anchor_count++];
    anchor->name = name;
    anchor->node = node;
    return true;
}

static const struct yaml_node *find_anchor(struct reader *reader, const char *name, unsigned line)
{
    for (size_t i = reader->anchor_count; i-- > 0;)
        if (strcmp(reader->anchors[i].name, name) == 0)
            return reader->anchors[i].node;
    return fail(reader, line, "an alias stands for an anchor that is not there");
}

static bool grow(struct growing *children, const struct yaml_node *node)
{
    if (children->count == children->room) {
        const size_t room = children->room ? 2 * children->room : 16;
        const struct yaml_node **nodes = realloc(children->nodes, room * sizeof(*nodes));
        if (!nodes)
            return false;
        children->nodes = nodes;
        children->room = room;
    }
    children->nodes[children->count++] = node;
    return true;
}

/* Reads nodes up to the end of the list or map that was just opened. */
static bool read_children(struct reader *reader, struct growing *children, unsigned depth)
{
    const struct yaml_node *child;

    while ((child = read_node(reader, depth)))
        if (!grow(children, child))
            return fail_memory(reader);
    return !reader->problem;
}

static bool fill_list(struct reader *reader, struct yaml_node *node, const struct growing *from)
{
    node->list = arena_array(reader->arena, from->count + 1, sizeof(*node->list));
    if (!node->list)
        return fail_memory(reader);
    if (from->count)
        memcpy(node->list, from->nodes, from->count * sizeof(*node->list));
    node->count = from->count;
    return true;
}

static bool fill_map(struct reader *reader, struct yaml_node *node, const struct growing *from)
{
    node->count = from->count / 2;
    node->map = arena_array(reader->arena, node->count + 1, sizeof *node->map);
    if (!node->map)
        return fail_memory(reader);
    for (size_t i = 0; i < node->count; i++)
        node->map[i] = (struct yaml_pair){from->nodes[2 * i], from->nodes[2 * i + 1]};
    return true;
}

static const struct yaml_node *read_collection(struct reader *reader, enum yaml_type type,
                                               unsigned line, const char *anchor, unsigned depth)
{
    struct growing children = {0};
    struct yaml_node *node = NULL;

    if (depth >= DEPTH_LIMIT)
        return fail(reader, line, "nested too deeply");
    if (read_children(reader, &children, depth + 1) && (node = new_node(reader, type, line)) &&
        !(type == YAML_LIST ? fill_list : fill_map)(reader, node, &children))
        node = NULL;
    free(children.nodes);
    return keep_anchor(reader, anchor, node) ? node : NULL;
}

static const struct yaml_node *read_text(struct reader *reader, const yaml_event_t *event,
                                         const char *anchor)
{
    struct yaml_node *node = new_node(reader, YAML_TEXT, line_of(event->start_mark));
    const struct slice text = slice_of(event->data.scalar.value, event->data.scalar.length);

    if (!node)
        return NULL;
    node->text = arena_copy(reader->arena, text);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!node->text.data)
        return fail_memory(reader);
    return keep_anchor(reader, anchor, node) ? node : NULL;
}

static const char *keep_name(struct reader *reader, const yaml_char_t *name)
{
    return name ? arena_text(reader->arena, slice_of_text((const char *)name)) : NULL;
}

/* The next node; NULL at the end of a list, map or document and after a problem. */
static const struct yaml_node *read_node(struct reader *reader, unsigned depth)
{
    const struct yaml_node *node = NULL;
    yaml_event_t event;

    if (!next_event(reader, &event))
        return NULL;
    const unsigned line = line_of(event.start_mark);
    switch (event.type) {
    case YAML_SCALAR_EVENT:
        node = read_text(reader, &event, keep_name(reader, event.data.scalar.anchor));
        break;
    case YAML_SEQUENCE_START_EVENT:
        node = read_collection(reader, YAML_LIST, line,
                               keep_name(reader, event.data.sequence_start.anchor), depth);
        break;
    case YAML_MAPPING_START_EVENT:
        node = read_collection(reader, YAML_MAP, line,
                               keep_name(reader, event.data.mapping_start.anchor), depth);
        break;
    case YAML_ALIAS_EVENT:
        node = find_anchor(reader, (const char *)event.data.alias.anchor, line);
        break;
    default:
        break;
    }
    yaml_event_delete(&event);
    return node;
}

/* Reads up to the end of the stream or the first problem. */
static bool read_documents(struct reader *reader, struct growing *documents)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return true;
        const yaml_event_type_t type = event.type;
        yaml_event_delete(&event);
        more = type != YAML_STREAM_END_EVENT;
        if (type != YAML_DOCUMENT_START_EVENT)
            continue;
        reader->anchor_count = 0;
        const struct yaml_node *node = read_node(reader, 0);
        if (!node)
            return true;
        if (!grow(documents, node))
            return fail_memory(reader);
    }
    return true;
}

static int keep_documents(struct reader *reader, const struct growing *documents,
                          struct yaml_file *out)
{
    struct yaml_node holder = {0};

    if (reader->out_of_memory || !fill_list(reader, &holder, documents))
        return error_set("out of memory for a YAML text");
    out->documents = holder.list;
    out->count = holder.count;
    out->problem = reader->problem;
    out->problem_line = reader->line;
    return 0;
}

int yaml_read(struct arena *arena, struct slice text, struct yaml_file *out)
{
    struct growing documents = {0};
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader || !yaml_parser_initialize(&reader->parser)) {
        free(reader);
        return error_set("out of memory for a YAML text");
    }
    reader->arena = arena;
    yaml_parser_set_input_string(&reader->parser, text.data ? text.data : (const uint8_t *)"",
                                 text.size);
    read_documents(reader, &documents);
    const int result = keep_documents(reader, &documents, out);
    yaml_parser_delete(&reader->parser);
    free(documents.nodes);
    free(reader);
    return result;
}

const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key)
{
    if (!node || node->type != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < node->count; i++)
        if (node->map[i].key->type == YAML_TEXT && slice_is(node->map[i].key->text, key))
            return node->map[i].value;
    return NULL;
}

const char *yaml_get_text(const struct yaml_node *node, const char *key)
{
    const struct yaml_node *value = yaml_get(node, key);

    if (!value || value->type != YAML_TEXT || yaml_is_null(value))
        return NULL;
    return (const char *)value->text.data;
}

bool yaml_is_null(const struct yaml_node *node)
{
    return node->type == YAML_TEXT && node->plain &&
           (node->text.size == 0 || slice_is(node->text, "~") ||
            slice_is_nocase(node->text, "null"));
}

static bool same_key(const struct yaml_node *a, const struct yaml_node *b)
{
    return a->type == YAML_TEXT && b->type == YAML_TEXT && slice_equal(a->text, b->text);
}

static struct yaml_pair *find_pair(struct yaml_node *map, const struct yaml_node *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (same_key(map->map[i].key, key))
            return &map->map[i];
    return NULL;
}

/* Joined maps are no deeper than the deeper of the two, so the recursion is as bounded as reading
 * was. */
const struct yaml_node *yaml_merge(struct arena *arena, const struct yaml_node *base,
                                   const struct yaml_node *over)
{
    if (!base || base->type != YAML_MAP || over->type != YAML_MAP)
        return over;
    struct yaml_node *joined = arena_take(arena, sizeof *joined);
    if (!joined)
        return NULL;
    *joined = *base;
    joined->line = over->line;
    joined->map = arena_array(arena, base->count + over->count + 1, sizeof *joined->map);
    if (!joined->map)
        return NULL;
    if (base->count)
        memcpy(joined->map, base->map, base->count * sizeof *joined->map);
    for (size_t i = 0; i < over->count; i++) {
        struct yaml_pair *pair = find_pair(joined, over->map[i].key);
        if (!pair) {
            joined->map[joined->count++] = over->map[i];
            continue;
        }
        pair->value = yaml_merge(arena, pair->value, over->map[i].value);
        if (!pair->value)
            return NULL;
    }
    return joined;
}
