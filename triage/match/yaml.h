/*
 * A YAML text as a tree of texts, lists and maps (libyaml's only home). Aliases share the node they
 * stand for; depth and number of nodes are limited, so that a hostile text is an error.
 */
#ifndef TRIAGE_MATCH_YAML_H
#define TRIAGE_MATCH_YAML_H

#include "triage/base/arena.h"

enum yaml_type { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_pair;

struct yaml_node {
    enum yaml_type type;
    unsigned line;     /* from 1 */
    bool plain;        /* a text without quotes: may be meant as a number, a boolean or null */
    struct slice text; /* YAML_TEXT */
    size_t count;      /* YAML_LIST and YAML_MAP */
    const struct yaml_node **list; /* YAML_LIST */
    struct yaml_pair *map;         /* YAML_MAP, in the order of the text */
};

struct yaml_pair {
    const struct yaml_node *key, *value;
};

struct yaml_file {
    const struct yaml_node **documents;
    size_t count;
    const char *problem; /* why the rest of the text was not understood; NULL when all of it was */
    unsigned problem_line;
};

/* Reads all documents of the text; everything lives in the arena. Documents in front of a mistake
 * are kept and the mistake is told in `problem`; -1 only when memory is out. */
int yaml_read(struct arena *arena, struct slice text, struct yaml_file *out);

/* The value of a key that is a plain name, exactly spelled; NULL when `node` is no map or has no
 * such key. */
const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key);
/* The text under a key, NUL-terminated in the arena of the tree; NULL when there is none or it is
 * no text. */
const char *yaml_get_text(const struct yaml_node *node, const char *key);
/* True for the unquoted null, ~ and nothing at all. */
bool yaml_is_null(const struct yaml_node *node);
/* `over` laid upon `base`: maps are joined key by key, everything else of `over` wins. NULL when
 * memory is out. */
const struct yaml_node *yaml_merge(struct arena *arena, const struct yaml_node *base,
                                   const struct yaml_node *over);

#endif
