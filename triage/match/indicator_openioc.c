/*
 * OpenIOC 1.0 and 1.1 (Mandiant; schemas openioc.xsd): a tree of <Indicator operator="OR|AND"> with
 * <IndicatorItem condition="is|contains|..."> leaves, each with a <Context search="FileItem/...">
 * and a <Content>.
 */
#include "triage/match/indicator_reader.h"

#include "triage/base/error.h"
#include "triage/formats/xml.h"

enum { DEPTH_MOST = 24 };

struct reading {
    struct arena *arena;
    const struct indicator_sink *sink;
    const char *campaign;
};

static const struct {
    const char *search; /* without case, the end of the search path */
    int kind;
} searches[] = {
    {"FileItem/Md5sum", INDICATOR_MD5},
    {"FileItem/Sha1sum", INDICATOR_SHA1},
    {"FileItem/Sha256sum", INDICATOR_SHA256},
    {"TaskItem/md5sum", INDICATOR_MD5},
    {"ServiceItem/pathmd5sum", INDICATOR_MD5},
    {"ServiceItem/serviceDLLmd5sum", INDICATOR_MD5},
    {"FileItem/FileName", INDICATOR_FILE_NAME},
    {"FileItem/FullPath", INDICATOR_PATH},
    {"FileItem/FilePath", INDICATOR_PATH_REGEX},
    {"FileItem/FileExtension", INDICATOR_FILE_EXTENSION},
    {"ProcessItem/name", INDICATOR_FILE_NAME},
    {"ProcessItem/path", INDICATOR_PATH},
    {"PrefetchItem/ApplicationFileName", INDICATOR_FILE_NAME},
    {"PortItem/remoteIP", INDICATOR_ADDRESS},
    {"PortItem/localIP", INDICATOR_ADDRESS},
    {"RouteEntryItem/Destination", INDICATOR_ADDRESS},
    {"DnsEntryItem/Host", INDICATOR_DOMAIN},
    {"DnsEntryItem/RecordName", INDICATOR_DOMAIN},
    {"Network/DNS", INDICATOR_DOMAIN},
    {"Network/URI", INDICATOR_URL},
    {"UrlHistoryItem/URL", INDICATOR_URL},
    {"UrlHistoryItem/HostName", INDICATOR_DOMAIN},
    {"Network/UserAgent", INDICATOR_USER_AGENT},
    {"RegistryItem/KeyPath", INDICATOR_REGISTRY_KEY},
    {"RegistryItem/Path", INDICATOR_REGISTRY_KEY},
    {"ServiceItem/name", INDICATOR_SERVICE},
    {"ServiceItem/path", INDICATOR_PATH},
    {"ServiceItem/serviceDLL", INDICATOR_PATH},
    {"Email/From", INDICATOR_EMAIL},
    {"ProcessItem/HandleList/Handle/Name", INDICATOR_IGNORED + 1},
    {"HandleItem/Name", INDICATOR_IGNORED + 1},
};

static int kind_of_search(const char *search)
{
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++)
        if (slice_is_nocase(slice_of_text(search), searches[i].search))
            return searches[i].kind;
    return -1;
}

static const char *attribute_or(const struct xml_element *element, const char *name,
                                const char *other)
{
    const char *value = xml_attribute(element, name);

    return value ? value : other;
}

static bool is_path_like(int kind)
{
    return kind == INDICATOR_FILE_NAME || kind == INDICATOR_PATH || kind == INDICATOR_PATH_REGEX;
}

/* Sets the leaf for a condition; NULL or why it cannot be looked for. */
static const char *shape_leaf(struct reading *reading, const char *condition, int kind,
                              struct slice text, struct indicator_leaf *leaf)
{
    const struct slice word = slice_of_text(condition);
    const bool start = slice_is_nocase(word, "starts-with"),
               end = slice_is_nocase(word, "ends-with");

    *leaf = (struct indicator_leaf){(enum indicator_kind)kind, text};
    if (slice_is_nocase(word, "is") && kind != INDICATOR_PATH_REGEX)
        return NULL;
    if (kind == INDICATOR_DOMAIN && slice_is_nocase(word, "contains"))
        return NULL;
    if (!is_path_like(kind))
        return arena_format(reading->arena, "condition '%.30s' is not understood here", condition);
    leaf->kind = INDICATOR_PATH_REGEX;
    if (slice_is_nocase(word, "matches"))
        return NULL;
    if (!start && !end && !slice_is_nocase(word, "contains") && !slice_is_nocase(word, "is"))
        return arena_format(reading->arena, "condition '%.30s' is not known", condition);
    leaf->text =
        indicator_text_regex(reading->arena, text, start && kind != INDICATOR_FILE_NAME, end);
    return NULL;
}

static const char *read_item(struct reading *reading, const struct xml_element *item,
                             struct indicator_terms *out, bool *ignored)
{
    const struct xml_element *context = xml_child(item, "Context");
    const struct xml_element *content = xml_child(item, "Content");
    const char *search = attribute_or(context, "search", "");
    struct indicator_leaf *leaf = arena_take(reading->arena, sizeof *leaf);
    const int kind = kind_of_search(search);

    if (!leaf)
        return "out of memory";
    if (slice_is_nocase(slice_of_text(attribute_or(item, "negate", "false")), "true") ||
        slice_is_nocase(slice_of_text(attribute_or(item, "condition", "is")), "isnot"))
        return "what must not be there cannot be looked for";
    if (kind < 0)
        return arena_format(reading->arena, "'%.80s' is not looked for", search);
    if (kind > (int)INDICATOR_IGNORED) {
        *ignored = true;
        return NULL;
    }
    const struct slice text = slice_trim(slice_of_text(content ? content->text : ""));
    if (text.size == 0)
        return "empty";
    const char *problem =
        shape_leaf(reading, attribute_or(item, "condition", "is"), kind, text, leaf);
    return problem ? problem : indicator_terms_leaf(reading->arena, leaf, out);
}

static const char *read_group(struct reading *reading, const struct xml_element *group,
                              unsigned depth, struct indicator_terms *out, bool *ignored);

static const char *read_child(struct reading *reading, const struct xml_element *child,
                              unsigned depth, struct indicator_terms *out, bool *ignored)
{
    *out = (struct indicator_terms){NULL, 0};
    if (strcmp(child->name, "IndicatorItem") == 0)
        return read_item(reading, child, out, ignored);
    return strcmp(child->name, "Indicator") == 0
               ? read_group(reading, child, depth + 1, out, ignored)
               : NULL;
}

/* All children of an AND must be understood. */
static const char *read_and(struct reading *reading, const struct xml_element *group,
                            unsigned depth, struct indicator_terms *out, bool *ignored)
{
    bool begun = false;

    for (const struct xml_element *child = group->first; child; child = child->next) {
        struct indicator_terms one, all = *out;
        bool unseen = false;
        const char *problem = read_child(reading, child, depth, &one, &unseen);
        if (!problem && unseen)
            problem = "it asks for what a disk does not show";
        if (problem)
            return problem;
        if (one.count == 0)
            continue;
        problem = begun ? indicator_terms_and(reading->arena, all, one, out) : NULL;
        if (problem)
            return problem;
        *out = begun ? *out : one;
        begun = true;
    }
    *ignored = false;
    return NULL;
}

/* Of an OR each child stands for itself: what is not understood is said, the others count. */
static const char *read_or(struct reading *reading, const struct xml_element *group, unsigned depth,
                           struct indicator_terms *out)
{
    for (const struct xml_element *child = group->first; child; child = child->next) {
        struct indicator_terms one, all = *out;
        bool ignored = false;
        const char *problem = read_child(reading, child, depth, &one, &ignored);
        if (!problem && !ignored)
            problem = indicator_terms_or(reading->arena, all, one, out);
        if (problem)
            reading->sink->refuse(reading->sink->context, child->line, problem);
        else if (ignored)
            reading->sink->ignore(reading->sink->context, child->line, "mutex");
    }
    return NULL;
}

static const char *read_group(struct reading *reading, const struct xml_element *group,
                              unsigned depth, struct indicator_terms *out, bool *ignored)
{
    const struct slice operator= slice_of_text(attribute_or(group, "operator", "OR"));

    *out = (struct indicator_terms){NULL, 0};
    if (depth > DEPTH_MOST)
        return "nested too deep";
    return slice_is_nocase(operator, "AND") ? read_and(reading, group, depth, out, ignored)
                                            : read_or(reading, group, depth, out);
}

/* The top is mostly one OR: each of its children is told with its own line. */
static void tell_top(struct reading *reading, const struct xml_element *top)
{
    for (const struct xml_element *child = top->first; child; child = child->next) {
        struct indicator_fact base = {.campaign = reading->campaign, .line = child->line};
        struct indicator_terms terms;
        bool ignored = false;
        const char *problem = read_child(reading, child, 0, &terms, &ignored);
        if (problem)
            reading->sink->refuse(reading->sink->context, child->line, problem);
        else if (ignored)
            reading->sink->ignore(reading->sink->context, child->line, "mutex");
        else
            indicator_terms_tell(reading->sink, reading->arena, terms, &base);
    }
}

static void tell_definition(struct reading *reading, const struct xml_element *definition)
{
    struct indicator_fact base = {.campaign = reading->campaign};
    struct indicator_terms terms;
    bool ignored = false;

    for (const struct xml_element *top = xml_child(definition, "Indicator"); top;
         top = xml_again(top)) {
        if (!slice_is_nocase(slice_of_text(attribute_or(top, "operator", "OR")), "AND")) {
            tell_top(reading, top);
            continue;
        }
        const char *problem = read_group(reading, top, 0, &terms, &ignored);
        base.line = top->line;
        if (problem)
            reading->sink->refuse(reading->sink->context, top->line, problem);
        else
            indicator_terms_tell(reading->sink, reading->arena, terms, &base);
    }
}

int indicator_read_openioc(struct slice text, struct arena *arena,
                           const struct indicator_sink *sink)
{
    struct reading reading = {.arena = arena, .sink = sink};
    struct xml_document document;

    if (xml_parse(text, arena, &document) < 0)
        return -1;
    const struct xml_element *root = document.root;
    const struct xml_element *definition = xml_child(root, "definition");
    const struct xml_element *title = xml_descendant(root, "short_description");
    if (!definition)
        definition = xml_child(root, "criteria");
    if (document.problem)
        sink->refuse(sink->context, document.problem_line, document.problem);
    if (!definition)
        return error_set("no OpenIOC: neither <definition> nor <criteria>");
    reading.campaign = title && *title->text ? title->text : NULL;
    tell_definition(&reading, definition);
    return 0;
}
