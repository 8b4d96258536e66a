#include "triage/formats/xml.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

#include <libxml/parser.h>
#include <string.h>

enum {
    ATTRIBUTE_PARTS = 5,
    ATTRIBUTES_MOST = 4096
}; /* libxml2 gives name, prefix, URI, value, end */

struct builder {
    struct arena *arena;
    struct xml_document document;
    struct xml_element *at;              /* the element that is open */
    struct buffer texts[XML_DEPTH_MOST]; /* text of each open element */
    unsigned depth;
    bool stopped;
    xmlParserCtxtPtr parser;
};

/* Keeps the first problem. */
static void note(struct builder *builder, const char *problem)
{
    if (builder->document.problem)
        return;
    const struct slice text = slice_trim(slice_of_text(problem));
    builder->document.problem = arena_text(builder->arena, text);
    builder->document.problem_line =
        builder->parser->input ? (uint32_t)builder->parser->input->line : 0;
}

static void stop(struct builder *builder, const char *problem)
{
    note(builder, problem);
    builder->stopped = true;
    xmlStopParser(builder->parser);
}

static const char *keep(struct builder *builder, const xmlChar *start, const xmlChar *end)
{
    return arena_text(builder->arena, slice_of(start, (size_t)(end - start)));
}

static bool keep_attributes(struct builder *builder, struct xml_element *element, size_t count,
                            const xmlChar **parts)
{
    if (count > ATTRIBUTES_MOST)
        return false;
    element->attributes = arena_array(builder->arena, count, sizeof *element->attributes);
    if (!element->attributes)
        return false;
    for (size_t i = 0; i < count; i++, parts += ATTRIBUTE_PARTS) {
        struct xml_attribute *attribute = &element->attributes[element->attribute_count++];
        attribute->name = keep(builder, parts[0], parts[0] + xmlStrlen(parts[0]));
        attribute->value = keep(builder, parts[3], parts[4]);
        if (!attribute->name || !attribute->value)
            return false;
    }
    return true;
}

static void add_child(struct xml_element *parent, struct xml_element *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int defaulted_count, const xmlChar **attributes)
{
    struct builder *builder = context;

    (void)prefix, (void)uri, (void)namespace_count, (void)namespaces, (void)defaulted_count;
    if (builder->stopped)
        return;
    if (builder->depth == XML_DEPTH_MOST) {
        stop(builder, "elements are nested too deeply");
        return;
    }
    struct xml_element *element = arena_take(builder->arena, sizeof *element);
    if (!element || !(element->name = keep(builder, name, name + xmlStrlen(name))) ||
        !keep_attributes(builder, element, (size_t)attribute_count, attributes)) {
        stop(builder, "the document needs too much memory");
        return;
    }
    element->text = "";
    element->parent = builder->at;
    element->line = builder->parser->input ? (uint32_t)builder->parser->input->line : 0;
    if (builder->at)
        add_child(builder->at, element);
    else if (!builder->document.root)
        builder->document.root = element;
    builder->at = element;
    buffer_clear(&builder->texts[builder->depth++]);
}

static void close_element(struct builder *builder)
{
    const struct buffer *text = &builder->texts[--builder->depth];

    if (text->size) {
        const char *kept = arena_text(builder->arena, buffer_slice(text));
        if (kept && !buffer_failed(text))
            builder->at->text = kept;
        else
            stop(builder, "the document needs too much memory");
    }
    builder->at = builder->at->parent;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct builder *builder = context;

    (void)name, (void)prefix, (void)uri;
    if (builder->at && !builder->stopped)
        close_element(builder);
}

static void on_text(void *context, const xmlChar *text, int size)
{
    struct builder *builder = context;

    if (builder->at && !builder->stopped)
        buffer_add(&builder->texts[builder->depth - 1], slice_of(text, (size_t)size));
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *external,
                             const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    stop(context, "it declares a document type, which is not read");
}

static void on_error(void *context, xmlErrorPtr error)
{
    struct builder *builder = context;

    if (error->level >= XML_ERR_ERROR)
        note(builder, error->message ? error->message : "malformed");
}

static void no_words(void *context, const char *format, ...)
{
    (void)context, (void)format;
}

static void prepare(struct builder *builder)
{
    xmlSAXHandler *sax = builder->parser->sax;

    memset(sax, 0, sizeof *sax);
    sax->initialized = XML_SAX2_MAGIC;
    sax->startElementNs = on_start;
    sax->endElementNs = on_end;
    sax->characters = on_text;
    sax->cdataBlock = on_text;
    sax->ignorableWhitespace = on_text;
    sax->internalSubset = on_document_type;
    sax->serror = (xmlStructuredErrorFunc)on_error;
    sax->warning = no_words;
    sax->error = no_words;
    builder->parser->userData = builder;
}

static void release(struct builder *builder)
{
    for (size_t i = 0; i < XML_DEPTH_MOST; i++)
        buffer_release(&builder->texts[i]);
    if (builder->parser)
        xmlFreeParserCtxt(builder->parser);
}

/* Whether a tag has more attributes than are kept: libxml2 compares each with all others, for hours
 * if it is let. */
static bool has_swollen_tag(struct slice bytes)
{
    size_t attributes = 0;
    bool in_tag = false;
    uint8_t quote = 0;

    for (size_t i = 0; i < bytes.size && attributes <= ATTRIBUTES_MOST; i++) {
        const uint8_t byte = bytes.data[i];
        if (byte == '<') {
            in_tag = i + 1 < bytes.size && bytes.data[i + 1] != '!' && bytes.data[i + 1] != '?';
            attributes = 0;
            quote = 0;
        } else if (quote) {
            quote = byte == quote ? 0 : quote;
        } else if (in_tag && (byte == '"' || byte == '\'')) {
            quote = byte;
        } else if (byte == '>') {
            in_tag = false;
        } else {
            attributes += in_tag && byte == '=';
        }
    }
    return attributes > ATTRIBUTES_MOST;
}

int xml_parse(struct slice bytes, struct arena *arena, struct xml_document *document)
{
    struct builder builder = {.arena = arena};
    int result = 0;

    if (bytes.size == 0 || bytes.size > XML_SIZE_MOST)
        return error_set("the XML document is empty or larger than %d MiB", XML_SIZE_MOST >> 20);
    if (has_swollen_tag(bytes))
        return error_set("an element has more than %d attributes", ATTRIBUTES_MOST);
    xmlSetGenericErrorFunc(NULL, no_words); /* what it says outside of any parser */
    builder.parser = xmlNewParserCtxt();
    if (!builder.parser)
        return error_set("out of memory");
    prepare(&builder);
    /* All goes through the handlers: a tree of libxml2's own would be empty. */
    xmlFreeDoc(xmlCtxtReadMemory(builder.parser, (const char *)bytes.data, (int)bytes.size, NULL,
                                 NULL, XML_PARSE_NONET | XML_PARSE_RECOVER | XML_PARSE_NOCDATA));
    while (builder.at && !builder.stopped)
        close_element(&builder);
    if (builder.document.root)
        *document = builder.document;
    else
        result = error_set("not an XML document: %s",
                           builder.document.problem ? builder.document.problem : "no element");
    release(&builder);
    return result;
}

static const struct xml_element *named(const struct xml_element *element, struct slice name)
{
    while (element && !slice_is(name, element->name))
        element = element->next;
    return element;
}

const struct xml_element *xml_child(const struct xml_element *parent, const char *name)
{
    return parent ? named(parent->first, slice_of_text(name)) : NULL;
}

const struct xml_element *xml_again(const struct xml_element *element)
{
    return named(element->next, slice_of_text(element->name));
}

const struct xml_element *xml_find(const struct xml_element *from, const char *path)
{
    struct slice rest = slice_of_text(path);

    while (from && rest.size) {
        const size_t end = slice_find(rest, 0, '/');
        from = named(from->first, slice_part(rest, 0, end));
        rest = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, end + 1);
    }
    return from;
}

const struct xml_element *xml_walk(const struct xml_element *root, const struct xml_element *at)
{
    if (at->first)
        return at->first;
    while (at != root && !at->next)
        at = at->parent;
    return at == root ? NULL : at->next;
}

const struct xml_element *xml_descendant(const struct xml_element *from, const char *name)
{
    const struct xml_element *at = from ? xml_walk(from, from) : NULL;

    while (at && strcmp(at->name, name) != 0)
        at = xml_walk(from, at);
    return at;
}

const char *xml_attribute(const struct xml_element *element, const char *name)
{
    for (size_t i = 0; element && i < element->attribute_count; i++)
        if (strcmp(element->attributes[i].name, name) == 0)
            return element->attributes[i].value;
    return NULL;
}
