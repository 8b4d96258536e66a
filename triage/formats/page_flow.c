#include "triage/formats/page_flow.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    NAMES_MOST = 48,
    NAME_MOST = 48,
    SHOWN_MOST = 60,       /* of the expression that reads the request */
    EXPRESSION_MOST = 400, /* of an assignment or of what a call gets */
    CALLS_MOST = 400,
    LOOKS_MOST = 4000, /* assignments and calls that are looked at */
    ROUNDS = 3,
};

/* A name that holds something of the request. */
struct holder {
    struct slice name, source;
    bool whole; /* nothing stands in front of what the client sent: it may be a path of its own */
};

struct flow {
    struct slice text;
    struct holder holders[NAMES_MOST];
    size_t count;
};

static bool is_word(uint8_t byte)
{
    return isalnum(byte) || byte == '_' || byte >= 0x80;
}

static uint8_t byte_at(struct slice text, size_t at)
{
    return at < text.size ? text.data[at] : 0;
}

static size_t skip_blanks(struct slice text, size_t at)
{
    while (at < text.size && isspace(text.data[at]))
        at++;
    return at;
}

static size_t word_end(struct slice text, size_t at)
{
    while (at < text.size && is_word(text.data[at]))
        at++;
    return at;
}

/* --- what the client sends --- */

static bool is_part_of_request(struct slice word)
{
    static const char *const parts[] = {
        "form",    "querystring", "params",      "item",       "headers",
        "cookies", "files",       "inputstream", "binaryread", "getbufferlessinputstream"};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (slice_is_nocase(word, parts[i]))
            return true;
    return false;
}

/* Whether the word "Request" at this place reads what the client sends: Request["x"], Request("x"),
 * Request.Form ...; not Request.Url, Request.PhysicalApplicationPath ... */
static bool reads_request(struct slice text, size_t at)
{
    if ((at && is_word(text.data[at - 1])) || !slice_starts_nocase(slice_from(text, at), "request"))
        return false;
    size_t next = skip_blanks(text, at + strlen("request"));
    if (byte_at(text, next) == '[' || byte_at(text, next) == '(')
        return true;
    if (byte_at(text, next) != '.')
        return false;
    next = skip_blanks(text, next + 1);
    return is_part_of_request(slice_part(text, next, word_end(text, next) - next));
}

static const struct holder *holder_of(const struct flow *flow, struct slice name)
{
    for (size_t i = 0; i < flow->count; i++)
        if (slice_equal_nocase(flow->holders[i].name, name))
            return &flow->holders[i];
    return NULL;
}

/* The first part of the expression that comes from the request; empty when none does. */
static struct slice source_in(const struct flow *flow, struct slice expression)
{
    for (size_t at = 0; at < expression.size;) {
        if (!is_word(expression.data[at])) {
            at++;
            continue;
        }
        const size_t end = word_end(expression, at);
        const struct slice word = slice_part(expression, at, end - at);
        if (reads_request(expression, at))
            return slice_part(expression, at, SHOWN_MOST);
        const bool is_member = at && expression.data[at - 1] == '.';
        const struct holder *holder = is_member ? NULL : holder_of(flow, word);
        if (holder)
            return holder->source;
        at = end;
    }
    return slice_of(NULL, 0);
}

/* --- expressions --- */

/* To the end of the statement: a semicolon, the end of the code or of the line, a colon of VBScript
 * outside of brackets and texts. */
static struct slice statement_rest(struct slice text, size_t at)
{
    const size_t start = at;
    uint8_t quote = 0;
    int depth = 0;

    for (; at < text.size && at - start < EXPRESSION_MOST; at++) {
        const uint8_t byte = text.data[at];
        if (byte == '\n' || (!quote && byte == ';') ||
            (byte == '%' && byte_at(text, at + 1) == '>'))
            break;
        if (quote)
            quote = byte == quote ? 0 : quote;
        else if (byte == '"')
            quote = byte;
        else if (byte == '(' || byte == '[')
            depth++;
        else if (byte == ')' || byte == ']')
            depth--;
        else if (byte == ':' && depth <= 0)
            break;
    }
    return slice_part(text, start, at - start);
}

/* What stands between the brackets, which may go over lines. */
static struct slice bracketed(struct slice text, size_t open)
{
    size_t at = open + 1;

    for (int depth = 1; at < text.size && at - open < EXPRESSION_MOST; at++) {
        const uint8_t byte = text.data[at];
        depth += byte == '(' ? 1 : byte == ')' ? -1 : 0;
        if (depth == 0)
            break;
    }
    return slice_part(text, open + 1, at - open - 1);
}

/* --- names that hold it --- */

static bool is_type(struct slice word)
{
    static const char *const types[] = {"string", "byte",   "object", "char", "int",
                                        "var",    "stream", "value",  "name", "text"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_is_nocase(word, types[i]))
            return true;
    return false;
}

static struct slice word_before(struct slice text, size_t end)
{
    while (end && isspace(text.data[end - 1]))
        end--;
    size_t start = end;
    while (start && end - start < NAME_MOST && is_word(text.data[start - 1]))
        start--;
    return slice_part(text, start, end - start);
}

/* The name that is assigned to at this "="; "Dim x As String = ..." assigns to x. */
static struct slice assigned_name(struct slice text, size_t equals)
{
    size_t end = equals;

    if (end && strchr("+&|", text.data[end - 1]))
        end--;
    struct slice name = word_before(text, end);
    if (!name.size)
        return name;
    const struct slice as = word_before(text, (size_t)(name.data - text.data));
    if (slice_is_nocase(as, "as"))
        name = word_before(text, (size_t)(as.data - text.data));
    return name;
}

static void hold(struct flow *flow, struct slice name, struct slice source, bool whole)
{
    if (!name.size || !source.size || isdigit(name.data[0]) || is_type(name) ||
        slice_is_nocase(name, "request") || flow->count == NAMES_MOST || holder_of(flow, name))
        return;
    flow->holders[flow->count++] = (struct holder){name, source, whole};
}

static bool is_assignment(struct slice text, size_t at)
{
    return text.data[at] == '=' && byte_at(text, at + 1) != '=' && at &&
           !strchr("=!<>", text.data[at - 1]);
}

/* "Request.InputStream.Read(buffer, ..." and "CopyTo(memory)" fill what they get. */
static void note_filled(struct flow *flow, size_t at)
{
    const struct slice rest = slice_part(flow->text, at, 100);
    size_t call = slice_find_nocase(rest, 0, SLICE_LITERAL(".Read("));

    if (call == SIZE_MAX)
        call = slice_find_nocase(rest, 0, SLICE_LITERAL("CopyTo("));
    if (call == SIZE_MAX)
        return;
    const size_t open = slice_find(rest, call, '(');
    const size_t name = open == SIZE_MAX ? rest.size : skip_blanks(rest, open + 1);
    hold(flow, slice_part(rest, name, word_end(rest, name) - name), slice_part(rest, 0, SHOWN_MOST),
         false);
}

/* Past "Server.MapPath(" and blanks, which change nothing about whose name it is. */
static struct slice first_argument(struct slice arguments)
{
    size_t at = skip_blanks(arguments, 0);
    const size_t map =
        slice_find_nocase(slice_part(arguments, at, 40), 0, SLICE_LITERAL("MapPath("));

    if (map != SIZE_MAX)
        at = skip_blanks(arguments, at + map + strlen("MapPath("));
    size_t end = at;
    while (end < arguments.size && (is_word(arguments.data[end]) || arguments.data[end] == '.'))
        end++;
    return slice_part(arguments, at, end - at);
}

/* Whether the expression begins with what the client sent, and is no uploaded file, whose name
 * every honest upload reads. */
static bool is_whole(const struct flow *flow, struct slice expression)
{
    const struct slice first = first_argument(expression);
    const size_t end = word_end(first, 0);
    const struct holder *holder = holder_of(flow, slice_part(first, 0, end));

    if (holder)
        return holder->whole;
    for (size_t at = 0; at < first.size; at = word_end(first, at) + 1)
        if (reads_request(expression, (size_t)(first.data - expression.data) + at))
            return slice_find_nocase(first, at, SLICE_LITERAL(".files")) == SIZE_MAX;
    return false;
}

static void note_assignment(struct flow *flow, size_t equals)
{
    const struct slice expression = statement_rest(flow->text, equals + 1);
    const struct slice trimmed = slice_trim(expression);
    const bool adds = equals && strchr("+&|", flow->text.data[equals - 1]);

    if (slice_is_nocase(trimmed, "request") || slice_ends_nocase(trimmed, ".request")) {
        hold(flow, assigned_name(flow->text, equals), SLICE_LITERAL("Request[another name]"),
             false);
        return;
    }
    hold(flow, assigned_name(flow->text, equals), source_in(flow, expression),
         !adds && is_whole(flow, expression));
}

/* "For Each k In Request.Form", "foreach (string k in Request.Form.Keys)" */
static void note_each(struct flow *flow, size_t at)
{
    const struct slice in = word_before(flow->text, at);

    if (slice_is_nocase(in, "in"))
        hold(flow, word_before(flow->text, (size_t)(in.data - flow->text.data)),
             slice_part(flow->text, at, SHOWN_MOST), true);
}

static void note_holders(struct flow *flow)
{
    const struct slice text = flow->text;
    size_t looks = 0;

    for (size_t at = 0; at < text.size && flow->count < NAMES_MOST && looks < LOOKS_MOST; at++) {
        if (is_assignment(text, at) && ++looks)
            note_assignment(flow, at);
        else if ((text.data[at] | 0x20) == 'r' && reads_request(text, at)) {
            note_filled(flow, at);
            note_each(flow, at);
        }
    }
}

/* --- calls that get it --- */

enum call_kind {
    CALL_NONE,
    CALL_RUNS,      /* whatever it gets of the request */
    CALL_EVALUATES, /* the same, but not where a text of the page's own is in front: honest JScript
                       reads JSON so */
    CALL_OPENS,     /* when its first argument comes from the request */
    CALL_SETS,      /* a property that is assigned to */
};

static enum call_kind kind_of(struct slice word)
{
    static const struct {
        const char *word;
        enum call_kind kind;
    } calls[] = {
        {"eval", CALL_EVALUATES},
        {"execute", CALL_EVALUATES},
        {"executeglobal", CALL_EVALUATES},
        {"executestatement", CALL_EVALUATES},
        {"addcode", CALL_EVALUATES},
        {"addscript", CALL_RUNS},
        {"jscriptevaluate", CALL_RUNS},
        {"load", CALL_RUNS},
        {"start", CALL_RUNS},
        {"exec", CALL_RUNS},
        {"run", CALL_RUNS},
        {"shell", CALL_RUNS},
        {"shellexecute", CALL_RUNS},
        {"processstartinfo", CALL_RUNS},
        {"compileassemblyfromsource", CALL_RUNS},
        {"deserialize", CALL_RUNS},
        {"saveas", CALL_OPENS},
        {"savetofile", CALL_OPENS},
        {"writealltext", CALL_OPENS},
        {"writeallbytes", CALL_OPENS},
        {"appendalltext", CALL_OPENS},
        {"streamwriter", CALL_OPENS},
        {"filestream", CALL_OPENS},
        {"createtext", CALL_OPENS},
        {"createtextfile", CALL_OPENS},
        {"downloadfile", CALL_OPENS},
        {"sqlconnection", CALL_OPENS},
        {"oledbconnection", CALL_OPENS},
        {"sqlcommand", CALL_OPENS},
        {"oledbcommand", CALL_OPENS},
        {"arguments", CALL_SETS},
        {"filename", CALL_SETS},
        {"connectionstring", CALL_SETS},
    };

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (slice_is_nocase(word, calls[i].word))
            return calls[i].kind;
    return CALL_NONE;
}

/* "word" or "Word(...)": what VBScript's call without brackets gets first. */
static struct slice first_term(struct slice text, size_t at)
{
    const size_t end = word_end(text, at), open = skip_blanks(text, end);

    if (end > at && byte_at(text, open) == '(')
        return slice_part(text, at, open + 1 + bracketed(text, open).size - at);
    return slice_part(text, at, end - at);
}

/* What the call gets: in brackets, as VBScript does without, or assigned. */
static struct slice arguments_of(struct slice text, size_t end, enum call_kind kind)
{
    const size_t next = skip_blanks(text, end);

    if (kind == CALL_SETS)
        return byte_at(text, next) == '=' && byte_at(text, next + 1) != '='
                   ? statement_rest(text, next + 1)
                   : slice_of(NULL, 0);
    if (byte_at(text, next) == '(')
        return bracketed(text, next);
    return next > end ? first_term(text, next) : slice_of(NULL, 0);
}

/* "System.Diagnostics.Process.Start" for the word "Start". */
static struct slice with_owner(struct slice text, size_t start, size_t end)
{
    const size_t word = start;

    while (start && word - start < 60 &&
           (is_word(text.data[start - 1]) || text.data[start - 1] == '.'))
        start--;
    return slice_part(text, start, end - start);
}

static bool tell_call(const struct flow *flow, size_t start, size_t end, enum call_kind kind,
                      struct buffer *lines)
{
    struct slice arguments, source;

    arguments = arguments_of(flow->text, end, kind);
    if (kind == CALL_OPENS && !is_whole(flow, arguments))
        return false;
    if (kind == CALL_EVALUATES && strchr("\"'", byte_at(arguments, skip_blanks(arguments, 0))))
        return false;
    source = source_in(flow, arguments);
    if (!source.size)
        return false;
    buffer_add_byte(lines, '\n');
    buffer_add(lines, with_owner(flow->text, start, end));
    buffer_add_byte(lines, kind == CALL_SETS ? '=' : '(');
    buffer_add(lines, source);
    return true;
}

bool page_flow(struct slice text, struct buffer *lines)
{
    struct flow flow = {.text = text};
    size_t calls = 0, looks = 0;

    for (size_t round = 0, before = SIZE_MAX; round < ROUNDS && flow.count != before; round++) {
        before = flow.count;
        note_holders(&flow);
    }
    for (size_t at = 0; at < text.size && calls < CALLS_MOST && looks < LOOKS_MOST;) {
        const size_t end = word_end(text, at);
        const enum call_kind kind = end > at ? kind_of(slice_part(text, at, end - at)) : CALL_NONE;
        if (kind != CALL_NONE && ++looks)
            calls += tell_call(&flow, at, end, kind, lines);
        at = end > at ? end : at + 1;
    }
    return calls > 0;
}
