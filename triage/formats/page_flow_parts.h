/* The steps of page_flow, for its own files alone. */
#ifndef TRIAGE_FORMATS_PAGE_FLOW_PARTS_H
#define TRIAGE_FORMATS_PAGE_FLOW_PARTS_H

#include "triage/base/buffer.h"
#include "triage/formats/page_words.h"

enum {
    PAGE_SPANS_MOST = 256,
    PAGE_NAMES_MOST = 96,
    PAGE_FIELDS_MOST = 48,
    PAGE_FUNCTIONS_MOST = 64,
    PAGE_PARAMETERS_MOST = 6,
    PAGE_LOOKS_MOST = 8000, /* assignments, calls and brackets that are looked at, each */
};

struct page_span {
    size_t start, end;
};

enum page_source_kind {
    PAGE_SOURCE_NONE,
    PAGE_SOURCE_REQUEST,
    PAGE_SOURCE_FIELD,   /* what was typed into a control of the page's own form */
    PAGE_SOURCE_DECODED, /* what the page decoded from a text of its own */
};

/* Where a value comes from: the words that read it. */
struct page_source {
    enum page_source_kind kind;
    struct slice words;
};

/* How much of a path is the client's, the least first. Below a folder that the client names, the
 * page or the uploaded file gives the rest of the name; MapPath keeps a path below the site. */
enum page_reach {
    PAGE_REACH_PART, /* something of the page's own stands in front */
    PAGE_REACH_SITE_FOLDER,
    PAGE_REACH_SITE,
    PAGE_REACH_ANY_FOLDER,
    PAGE_REACH_ANY,
};

/* A name that holds something of the client's. */
struct page_holder {
    struct slice name;
    struct page_source source;
    enum page_reach reach;
};

/* A function that the page defines. */
struct page_function {
    struct slice name, body;
    struct slice parameters[PAGE_PARAMETERS_MOST];
    size_t count;
    bool decodes; /* makes characters from numbers or other characters */
    bool is_web_method;
};

struct page_flow {
    struct slice text;
    struct page_span spans[PAGE_SPANS_MOST]; /* what runs at the server, in order */
    size_t span_count;
    struct page_holder holders[PAGE_NAMES_MOST];
    size_t holder_count;
    struct slice fields[PAGE_FIELDS_MOST]; /* names of controls that the client fills in */
    size_t field_count;
    struct page_function functions[PAGE_FUNCTIONS_MOST];
    size_t function_count;
};

/* page_server.c: finds what runs at the server; behind `page_size` stands what texts held, which
 * counts as such. */
void page_find_server_code(struct page_flow *flow, size_t page_size);
void page_find_fields(struct page_flow *flow);

/* page_functions.c */
void page_find_functions(struct page_flow *flow);
const struct page_function *page_function_of(const struct page_flow *flow, struct slice name);
/* Whether a call of that name undoes an encoding. */
bool page_is_decoder(const struct page_flow *flow, struct slice name);

/* page_holders.c */
void page_find_holders(struct page_flow *flow);
/* The first part of the expression that comes from the client. */
struct page_source page_source_in(const struct page_flow *flow, struct slice expression);
/* Whether the expression begins with what the client sent, which is no uploaded file: every honest
 * upload reads the name of that. */
enum page_reach page_reach_of(const struct page_flow *flow, struct slice expression);
const struct page_holder *page_holder_of(const struct page_flow *flow, struct slice name);

#endif
