/* Which names hold what the client sent. */
#include "triage/formats/page_flow_parts.h"

#include <ctype.h>

enum {
    SHOWN_MOST = 60, /* of the expression that reads the request */
    ROUNDS = 3,
    WRAPPERS_MOST = 8, /* calls around calls that are looked into */
};

/* --- what the client sends --- */

static bool is_part_of_request(struct slice word)
{
    static const char *const parts[] = {
        "form",  "querystring", "params",     "item",   "headers",   "cookies",
        "files", "inputstream", "binaryread", "rawurl", "useragent", "getbufferlessinputstream"};

    return PAGE_IS_ONE_OF(word, parts);
}

/* Whether the word "Request" at this place reads what the client sends: Request["x"], Request("x"),
 * Request.Form ...; not Request.Url, Request.PhysicalApplicationPath ... */
static bool reads_request(struct slice text, size_t at)
{
    if (at && page_is_word(text.data[at - 1]))
        return false;
    if (slice_starts_nocase(slice_from(text, at), "parsequerystring"))
        return true;
    if (!slice_starts_nocase(slice_from(text, at), "request"))
        return false;
    size_t next = page_skip_blanks(text, at + strlen("request"));
    if (page_byte(text, next) == '[' || page_byte(text, next) == '(')
        return true;
    if (page_byte(text, next) != '.')
        return false;
    next = page_skip_blanks(text, next + 1);
    const struct slice part = page_word_at(text, next);
    if (!slice_is_nocase(part, "servervariables"))
        return is_part_of_request(part);
    const struct slice which = slice_part(text, next, 40);
    return slice_find_nocase(which, 0, SLICE_LITERAL("\"HTTP_")) != SIZE_MAX ||
           slice_find_nocase(which, 0, SLICE_LITERAL("\"QUERY")) != SIZE_MAX;
}

/* What was typed into a control: name.Text, name.Value ... */
static bool reads_field(const struct page_flow *flow, struct slice text, size_t at)
{
    static const char *const members[] = {"text",      "value",         "innertext",
                                          "innerhtml", "selectedvalue", "selecteditem"};
    const struct slice name = page_word_at(text, at);
    const size_t dot = page_skip_blanks(text, at + name.size);

    if (page_byte(text, dot) != '.' ||
        !PAGE_IS_ONE_OF(page_word_at(text, page_skip_blanks(text, dot + 1)), members))
        return false;
    if (at && text.data[at - 1] == '.') {
        const struct slice owner = page_word_before(text, at - 1);
        if (!slice_is_nocase(owner, "this") && !slice_is_nocase(owner, "me"))
            return false;
    }
    for (size_t i = 0; i < flow->field_count; i++)
        if (slice_equal_nocase(flow->fields[i], name))
            return true;
    return false;
}

const struct page_holder *page_holder_of(const struct page_flow *flow, struct slice name)
{
    for (size_t i = 0; i < flow->holder_count; i++)
        if (slice_equal_nocase(flow->holders[i].name, name))
            return &flow->holders[i];
    return NULL;
}

/* What the word at this place brings: it reads the client's words itself, or holds them. */
static struct page_source source_at(const struct page_flow *flow, struct slice expression,
                                    size_t at, struct slice word)
{
    const struct slice shown = slice_part(expression, at, SHOWN_MOST);
    const bool is_member = at && expression.data[at - 1] == '.';

    if (reads_request(expression, at))
        return (struct page_source){PAGE_SOURCE_REQUEST, shown};
    if (reads_field(flow, expression, at))
        return (struct page_source){PAGE_SOURCE_FIELD, shown};
    const struct page_holder *const holder = is_member ? NULL : page_holder_of(flow, word);
    return holder ? holder->source : (struct page_source){PAGE_SOURCE_NONE, {NULL, 0}};
}

struct page_source page_source_in(const struct page_flow *flow, struct slice expression)
{
    struct page_source decoded = {PAGE_SOURCE_NONE, {NULL, 0}};

    for (size_t at = 0; at < expression.size;) {
        if (!page_is_word(expression.data[at])) {
            at++;
            continue;
        }
        const struct slice word = page_word_at(expression, at);
        const struct page_source source = source_at(flow, expression, at, word);
        if (source.kind == PAGE_SOURCE_REQUEST || source.kind == PAGE_SOURCE_FIELD)
            return source;
        if (source.kind == PAGE_SOURCE_DECODED)
            decoded = source;
        else if (decoded.kind == PAGE_SOURCE_NONE && page_is_decoder(flow, word))
            decoded =
                (struct page_source){PAGE_SOURCE_DECODED, slice_part(expression, at, SHOWN_MOST)};
        at += word.size;
    }
    return decoded;
}

/* --- whose name a path is --- */

/* Calls that give back what they get, or what it stands for. */
static bool is_wrapper(struct slice call)
{
    static const char *const calls[] = {
        "mappath",   "fileinfo", "directoryinfo", "trim",        "cstr",
        "string",    "tostring", "urldecode",     "unescape",    "lcase",
        "ucase",     "replace",  "getstring",     "getfullpath", "frombase64string",
        "getfolder", "getfile",  "getdirectory",  "htmldecode"};

    return PAGE_IS_ONE_OF(call, calls);
}

/* The first word of what wrappers get, with its members; behind it, and whether MapPath is one. */
struct first_part {
    struct slice word, rest;
    bool is_mapped;
};

static struct first_part first_part_of(struct slice expression)
{
    struct first_part part = {0};
    size_t at = page_skip_blanks(expression, 0), end = at;

    for (int wrappers = 0; wrappers < WRAPPERS_MOST; wrappers++) {
        if (slice_is_nocase(page_word_at(expression, at), "new"))
            at = page_skip_blanks(expression, at + strlen("new"));
        if (slice_starts_nocase(slice_from(expression, at), "(string)"))
            at = page_skip_blanks(expression, at + strlen("(string)"));
        end = at;
        while (end < expression.size &&
               (page_is_word(expression.data[end]) || expression.data[end] == '.'))
            end++;
        const size_t open = page_skip_blanks(expression, end);
        const struct slice call = page_word_before(expression, end);
        if (page_byte(expression, open) != '(' || !is_wrapper(call))
            break;
        part.is_mapped |= slice_is_nocase(call, "mappath");
        at = page_skip_blanks(expression, open + 1);
    }
    part.word = slice_part(expression, at, end - at);
    part.rest = slice_from(expression, end);
    return part;
}

/* Whether one of the words reads what the client sends. */
static bool begins_with_client(const struct page_flow *flow, struct slice expression,
                               struct slice first)
{
    const size_t start = page_offset(expression, first);

    for (size_t at = 0; at < first.size; at = page_word_end(first, at) + 1) {
        if (reads_request(expression, start + at))
            return slice_find_nocase(first, at, SLICE_LITERAL(".files")) == SIZE_MAX;
        if (reads_field(flow, expression, start + at))
            return true;
    }
    return false;
}

/* Whether more is joined to the first part, in its own argument, that is not the client's. */
static bool is_continued(const struct page_flow *flow, struct slice rest)
{
    struct slice argument = slice_of(NULL, 0);
    size_t at = 0, join = SIZE_MAX;

    page_next_argument(rest, &at, &argument);
    for (at = 0; at < argument.size && join == SIZE_MAX; at++)
        if (argument.data[at] == '+' || argument.data[at] == '&')
            join = at;
    if (join == SIZE_MAX)
        return false;
    const struct page_source source = page_source_in(flow, slice_from(argument, join));
    return (source.kind != PAGE_SOURCE_REQUEST && source.kind != PAGE_SOURCE_FIELD) ||
           slice_find_nocase(source.words, 0, SLICE_LITERAL(".files")) != SIZE_MAX;
}

/* MapPath("/") & "\\" & name: the folder of the site, or of the page, and behind it a name that is
 * the client's to its end. */
static bool is_named_in_root(const struct page_flow *flow, struct slice rest)
{
    static const char *const roots[] = {"\"\")",  "\".\")",  "\"./\")",
                                        "\"/\")", "\"~/\")", "\"\\\")"};
    struct slice argument = slice_of(NULL, 0);
    size_t at = 0, last = 0;
    bool is_root = false;

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        is_root |= slice_starts_nocase(rest, roots[i]);
    at = is_root ? slice_find(rest, 0, ')') + 1 : 0;
    if (!is_root || !page_next_argument(rest, &at, &argument))
        return false;
    for (size_t i = 0; i < argument.size; i++)
        if (argument.data[i] == '+' || argument.data[i] == '&')
            last = i + 1;
    return last && page_reach_of(flow, slice_from(argument, last)) == PAGE_REACH_ANY;
}

enum page_reach page_reach_of(const struct page_flow *flow, struct slice expression)
{
    const struct first_part first = first_part_of(expression);
    const struct page_holder *const holder = page_holder_of(flow, page_word_at(first.word, 0));
    enum page_reach reach = PAGE_REACH_PART;

    if (!first.word.size)
        return first.is_mapped && is_named_in_root(flow, first.rest) ? PAGE_REACH_SITE : reach;
    if (holder)
        reach = holder->reach;
    else if (begins_with_client(flow, expression, first.word))
        reach = PAGE_REACH_ANY;
    if (first.is_mapped && reach >= PAGE_REACH_ANY_FOLDER)
        reach = reach == PAGE_REACH_ANY ? PAGE_REACH_SITE : PAGE_REACH_SITE_FOLDER;
    if ((reach == PAGE_REACH_ANY || reach == PAGE_REACH_SITE) && is_continued(flow, first.rest))
        reach = reach == PAGE_REACH_ANY ? PAGE_REACH_ANY_FOLDER : PAGE_REACH_SITE_FOLDER;
    return reach;
}

/* --- names that hold it --- */

static bool is_type(struct slice word)
{
    static const char *const types[] = {"string", "byte",   "object", "char", "int",
                                        "var",    "stream", "value",  "name", "text"};

    return PAGE_IS_ONE_OF(word, types);
}

/* The name that is assigned to at this "="; "Dim x As String = ..." assigns to x. */
static struct slice assigned_name(struct slice text, size_t equals)
{
    size_t end = equals;

    if (end && strchr("+&|", text.data[end - 1]))
        end--;
    struct slice name = page_word_before(text, end);
    if (!name.size)
        return name;
    const struct slice as = page_word_before(text, page_offset(text, name));
    if (slice_is_nocase(as, "as"))
        name = page_word_before(text, page_offset(text, as));
    return name;
}

static bool may_hold(struct slice name)
{
    return name.size && !isdigit(name.data[0]) && !is_type(name) &&
           !slice_is_nocase(name, "request");
}

/* The first source of a name stands, but what the client sends is more than what is decoded. */
static void hold(struct page_flow *flow, struct slice name, struct page_source source,
                 enum page_reach reach)
{
    if (source.kind == PAGE_SOURCE_NONE || !may_hold(name))
        return;
    for (size_t i = 0; i < flow->holder_count; i++)
        if (slice_equal_nocase(flow->holders[i].name, name)) {
            if (flow->holders[i].source.kind == PAGE_SOURCE_DECODED)
                flow->holders[i] = (struct page_holder){name, source, reach};
            return;
        }
    if (flow->holder_count < PAGE_NAMES_MOST)
        flow->holders[flow->holder_count++] = (struct page_holder){name, source, reach};
}

static bool is_assignment(struct slice text, size_t at)
{
    return text.data[at] == '=' && page_byte(text, at + 1) != '=' && at &&
           !strchr("=!<>", text.data[at - 1]);
}

/* "Request.InputStream.Read(buffer, ..." and "CopyTo(memory)" fill what they get. */
static void note_filled(struct page_flow *flow, size_t at)
{
    const struct slice rest = slice_part(flow->text, at, 100);
    size_t call = slice_find_nocase(rest, 0, SLICE_LITERAL(".Read("));

    if (call == SIZE_MAX)
        call = slice_find_nocase(rest, 0, SLICE_LITERAL("CopyTo("));
    if (call == SIZE_MAX)
        return;
    const size_t open = slice_find(rest, call, '(');
    const size_t name = open == SIZE_MAX ? rest.size : page_skip_blanks(rest, open + 1);
    hold(flow, page_word_at(rest, name),
         (struct page_source){PAGE_SOURCE_REQUEST, slice_part(rest, 0, SHOWN_MOST)},
         PAGE_REACH_PART);
}

static void note_assignment(struct page_flow *flow, size_t equals)
{
    const struct slice expression = page_statement(flow->text, equals + 1);
    const struct slice trimmed = slice_trim(expression);
    const bool adds = equals && strchr("+&|", flow->text.data[equals - 1]);

    if (slice_is_nocase(trimmed, "request") || slice_ends_nocase(trimmed, ".request")) {
        hold(flow, assigned_name(flow->text, equals),
             (struct page_source){PAGE_SOURCE_REQUEST, SLICE_LITERAL("Request[another name]")},
             PAGE_REACH_PART);
        return;
    }
    hold(flow, assigned_name(flow->text, equals), page_source_in(flow, expression),
         adds ? PAGE_REACH_PART : page_reach_of(flow, expression));
}

/* "For Each k In Request.Form", "foreach (string k in Request.Form.Keys)" */
static void note_each(struct page_flow *flow, size_t at)
{
    const struct slice in = page_word_before(flow->text, at);

    if (slice_is_nocase(in, "in"))
        hold(flow, page_word_before(flow->text, page_offset(flow->text, in)),
             (struct page_source){PAGE_SOURCE_REQUEST, slice_part(flow->text, at, SHOWN_MOST)},
             PAGE_REACH_ANY);
}

/* What a function of the page is given, in brackets or, as VBScript allows, without. */
static void note_call(struct page_flow *flow, struct slice name, size_t *looks)
{
    const struct slice text = flow->text;
    const size_t start = page_offset(text, name), next = page_skip_blanks(text, start + name.size);
    const struct page_function *const function = page_function_of(flow, name);
    struct slice arguments, argument;
    size_t at = 0;

    if (!function || function->name.data == name.data)
        return;
    ++*looks;
    arguments = page_byte(text, next) == '(' ? page_bracketed(text, next)
                                             : page_statement(text, start + name.size);
    for (size_t i = 0; i < function->count && page_next_argument(arguments, &at, &argument); i++) {
        const struct page_source source = page_source_in(flow, argument);
        if (source.kind == PAGE_SOURCE_REQUEST || source.kind == PAGE_SOURCE_FIELD)
            hold(flow, function->parameters[i], source, page_reach_of(flow, argument));
    }
}

/* The client fills in what a web method is given. */
static void note_web_methods(struct page_flow *flow)
{
    for (size_t i = 0; i < flow->function_count; i++)
        for (size_t j = 0; flow->functions[i].is_web_method && j < flow->functions[i].count; j++)
            hold(flow, flow->functions[i].parameters[j],
                 (struct page_source){PAGE_SOURCE_REQUEST,
                                      SLICE_LITERAL("Request[given to a web method]")},
                 PAGE_REACH_ANY);
}

static void note_span(struct page_flow *flow, struct page_span span, size_t *looks)
{
    const struct slice text = flow->text;

    for (size_t at = span.start; at < span.end && *looks < PAGE_LOOKS_MOST; at++) {
        const bool starts_word =
            page_is_word(text.data[at]) && !(at > span.start && page_is_word(text.data[at - 1]));
        if (is_assignment(text, at) && ++*looks)
            note_assignment(flow, at);
        else if (starts_word && (text.data[at] | 0x20) == 'r' && reads_request(text, at)) {
            note_filled(flow, at);
            note_each(flow, at);
        } else if (starts_word && flow->function_count) {
            note_call(flow, page_word_at(text, at), looks);
        }
    }
}

void page_find_holders(struct page_flow *flow)
{
    note_web_methods(flow);
    for (size_t round = 0, before = SIZE_MAX; round < ROUNDS && flow->holder_count != before;
         round++) {
        size_t looks = 0;
        before = flow->holder_count;
        for (size_t i = 0; i < flow->span_count; i++)
            note_span(flow, flow->spans[i], &looks);
    }
}
