/* The names, each once, in a tree of their bytes. */
#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/report/pseudonym_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MOST = 1 << 20, NODES_MOST = 32 << 20, DOMAINS_MOST = 64 };

struct node {
    uint32_t child, next, name; /* 0: none */
    uint8_t byte;               /* lower case */
};

struct pseudonyms {
    struct pseudonym_name *list;
    size_t count, room;
    struct node *nodes; /* the first 256 are where names begin */
    size_t node_count, node_room;
    uint32_t used[PSEUDONYM_KINDS];
    const char *domains[DOMAINS_MOST];
    size_t domain_count;
    bool failed;
};

static const char *const kinds[PSEUDONYM_KINDS] = {"user", "mailbox", "ip-public", "ip-private",
                                                   "host", "domain",  "sid",       "encoded"};

struct pseudonyms *pseudonyms_new(void)
{
    struct pseudonyms *names = calloc(1, sizeof *names);

    if (names) {
        names->node_room = 4096;
        names->node_count = 256;
        names->nodes = calloc(names->node_room, sizeof *names->nodes);
    }
    if (!names || !names->nodes) {
        free(names);
        return NULL;
    }
    return names;
}

void pseudonyms_free(struct pseudonyms *names)
{
    if (!names)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i].text);
    free(names->list);
    free(names->nodes);
    free(names);
}

int pseudonyms_check(const struct pseudonyms *names)
{
    return names->failed ? error_set("more names than can be replaced by pseudonyms") : 0;
}

static uint32_t child_of(const struct pseudonyms *names, uint32_t node, uint8_t byte)
{
    uint32_t child = names->nodes[node].child;

    while (child && names->nodes[child].byte != byte)
        child = names->nodes[child].next;
    return child;
}

static uint32_t add_child(struct pseudonyms *names, uint32_t node, uint8_t byte)
{
    if (names->node_count == names->node_room) {
        const size_t room = 2 * names->node_room;
        struct node *grown = room > NODES_MOST ? NULL : realloc(names->nodes, room * sizeof *grown);
        if (!grown) {
            names->failed = true;
            return 0;
        }
        names->nodes = grown;
        names->node_room = room;
    }
    const uint32_t child = (uint32_t)names->node_count++;
    names->nodes[child] = (struct node){.byte = byte, .next = names->nodes[node].child};
    names->nodes[node].child = child;
    return child;
}

/* The node of a name, made when it is not there; 0 when memory is out. */
static uint32_t node_of(struct pseudonyms *names, struct slice text)
{
    uint32_t node = ascii_lower(text.data[0]);

    for (size_t i = 1; i < text.size; i++) {
        const uint8_t byte = ascii_lower(text.data[i]);
        const uint32_t child = child_of(names, node, byte);
        node = child ? child : add_child(names, node, byte);
        if (!node)
            return 0;
    }
    return node;
}

static struct pseudonym_name *new_name(struct pseudonyms *names)
{
    if (names->count == names->room) {
        const size_t room = names->room ? 2 * names->room : 1024;
        struct pseudonym_name *grown =
            room > NAMES_MOST ? NULL : realloc(names->list, room * sizeof *grown);
        if (!grown)
            return NULL;
        names->list = grown;
        names->room = room;
    }
    return &names->list[names->count];
}

uint32_t pseudonyms_add(struct pseudonyms *names, enum pseudonym kind, struct slice text,
                        bool in_text)
{
    if (text.size == 0 || text.size > PSEUDONYM_NAME_MOST || names->failed)
        return 0;
    const uint32_t node = node_of(names, text);
    if (names->failed)
        return 0;
    if (names->nodes[node].name) {
        names->list[names->nodes[node].name - 1].in_text |= in_text;
        return names->nodes[node].name;
    }
    struct pseudonym_name *name = new_name(names);
    char *copy = name ? strndup((const char *)text.data, text.size) : NULL;
    if (!copy) {
        names->failed = true;
        return 0;
    }
    *name = (struct pseudonym_name){.kind = kind, .in_text = in_text, .text = copy};
    return names->nodes[node].name = (uint32_t)++names->count;
}

const struct pseudonym_name *pseudonyms_at(const struct pseudonyms *names, uint32_t name)
{
    return name ? &names->list[name - 1] : NULL;
}

void pseudonyms_share(struct pseudonyms *names, uint32_t name, uint32_t other)
{
    if (name && other && name != other && !names->list[name - 1].used)
        names->list[name - 1].alias = other;
}

bool pseudonyms_walk(const struct pseudonyms *names, struct slice text, struct pseudonym_walk *walk)
{
    do {
        if (walk->size == text.size)
            return false;
        const uint8_t byte = ascii_lower(text.data[walk->size]);
        walk->node = walk->size ? child_of(names, walk->node, byte) : byte;
        if (walk->size && !walk->node)
            return false;
        walk->size++;
        walk->name = names->nodes[walk->node].name;
    } while (!walk->name);
    return true;
}

void pseudonyms_keep(struct pseudonyms *names, struct slice text)
{
    const uint32_t name = pseudonyms_add(names, PSEUDONYM_PUBLIC_ADDRESS, text, false);

    if (name)
        names->list[name - 1].is_kept = true;
}

uint32_t pseudonyms_find(const struct pseudonyms *names, struct slice text)
{
    struct pseudonym_walk walk = {0};

    while (pseudonyms_walk(names, text, &walk))
        if (walk.size == text.size)
            return walk.name;
    return 0;
}

/* --- domains --- */

void pseudonyms_add_domain(struct pseudonyms *names, uint32_t name)
{
    const char *text = pseudonyms_at(names, name)->text;

    if (names->domain_count < DOMAINS_MOST && !pseudonyms_has_host(names, slice_of_text(text)))
        names->domains[names->domain_count++] = text;
}

static bool is_below(struct slice text, const char *domain)
{
    const size_t size = strlen(domain);

    return text.size > size + 1 && text.data[text.size - size - 1] == '.' &&
           slice_ends_nocase(text, domain);
}

bool pseudonyms_has_host(const struct pseudonyms *names, struct slice text)
{
    for (size_t i = 0; i < names->domain_count; i++)
        if (is_below(text, names->domains[i]))
            return true;
    return false;
}

bool pseudonyms_ends_domain(const struct pseudonyms *names, struct slice text, size_t end)
{
    const struct slice front = slice_part(text, 0, end);

    for (size_t i = 0; i < names->domain_count; i++) {
        const size_t size = strlen(names->domains[i]);
        if (slice_ends_nocase(front, names->domains[i]) &&
            (end == size || !is_alnum(text.data[end - size - 1])))
            return true;
    }
    return false;
}

/* --- pseudonyms --- */

static struct pseudonym_name *shown(const struct pseudonyms *names, uint32_t name)
{
    struct pseudonym_name *own = &names->list[name - 1];

    return own->alias ? &names->list[own->alias - 1] : own;
}

static void add_text(const struct pseudonym_name *name, struct buffer *out)
{
    buffer_format(out, "%s-%04u", kinds[name->kind], name->used);
}

void pseudonyms_use(struct pseudonyms *names, uint32_t name, struct buffer *out)
{
    if (!name) {
        buffer_add_text(out, "redacted");
        return;
    }
    struct pseudonym_name *used = shown(names, name);
    if (!used->used)
        used->used = ++names->used[used->kind];
    add_text(used, out);
}

void pseudonyms_json(const struct pseudonyms *names, struct json *json)
{
    struct buffer text = BUFFER_EMPTY;

    json_array(json);
    for (uint32_t name = 1; name <= names->count; name++) {
        const struct pseudonym_name *used = shown(names, name);
        if (!used->used)
            continue;
        buffer_clear(&text);
        add_text(used, &text);
        json_object(json);
        json_pair_slice(json, "pseudonym", buffer_slice(&text));
        json_pair(json, "kind", kinds[used->kind]);
        json_pair(json, "value", pseudonyms_at(names, name)->text);
        json_object_end(json);
    }
    json_array_end(json);
    buffer_release(&text);
}
