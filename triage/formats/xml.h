/*
 * XML read into a plain tree: elements, attributes, text. No network, no document types, no
 * entities beyond the five that XML has, limits on size and depth. Names have no namespace prefix.
 * libxml2's only home.
 */
#ifndef TRIAGE_FORMATS_XML_H
#define TRIAGE_FORMATS_XML_H

#include "triage/base/arena.h"

enum { XML_SIZE_MOST = 64 * 1024 * 1024, XML_DEPTH_MOST = 200 };

struct xml_attribute {
    const char *name, *value; /* UTF-8 */
};

struct xml_element {
    const char *name;
    struct xml_attribute *attributes;
    size_t attribute_count;
    const char *text; /* directly below this element, all pieces joined; "" when there is none */
    struct xml_element *parent, *first, *last,
        *next;     /* children: first to last; next: the sibling behind it */
    uint32_t line; /* where its start tag ends, from 1 */
};

struct xml_document {
    struct xml_element *root;
    const char *
        problem; /* NULL, or what was wrong first: the tree holds what could be read nevertheless */
    uint32_t problem_line;
};

/* The tree lives in the arena. -1 with error_text when not even a root element could be read. */
int xml_parse(struct slice bytes, struct arena *arena, struct xml_document *document);

/* Names compare with case, as XML has it. NULL when there is none. */
const struct xml_element *xml_child(const struct xml_element *parent, const char *name);
/* The next sibling of the same name. */
const struct xml_element *xml_again(const struct xml_element *element);
/* The element at "a/b/c" below `from`; NULL for `from` gives NULL. */
const struct xml_element *xml_find(const struct xml_element *from, const char *path);
/* The first element of that name at any depth below `from`, in document order. */
const struct xml_element *xml_descendant(const struct xml_element *from, const char *name);
/* Next element in document order within `root`, NULL at the end. */
const struct xml_element *xml_walk(const struct xml_element *root, const struct xml_element *at);
/* NULL when the element (which may be NULL) has no such attribute. */
const char *xml_attribute(const struct xml_element *element, const char *name);

#endif
