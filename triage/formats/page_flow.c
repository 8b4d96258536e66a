#include "triage/formats/page_flow.h"

#include "triage/formats/page_flow_parts.h"

#include <ctype.h>

enum {
    CALLS_MOST = 400, /* told, of one page */
    OWNER_MOST = 60,  /* "System.Diagnostics.Process." */
};

enum call_kind {
    CALL_NONE,
    CALL_RUNS,      /* whatever it gets of the client */
    CALL_EVALUATES, /* the same, but not where a text of the page's own is in front: honest JScript
                       reads JSON so */
    CALL_OPENS,     /* when the whole name is the client's, or the folder and it is any */
    CALL_OPENS_FOR, /* the same, unless it is for reading */
    CALL_FETCHES,   /* the same, of its second argument */
    CALL_WALKS,     /* when the folder may lie outside of the site */
    CALL_CONNECTS,  /* to a database, or says what to do there */
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
        {"writealllines", CALL_OPENS},
        {"appendalltext", CALL_OPENS},
        {"streamwriter", CALL_OPENS},
        {"filestream", CALL_OPENS_FOR},
        {"createtext", CALL_OPENS},
        {"appendtext", CALL_OPENS},
        {"openwrite", CALL_OPENS},
        {"createtextfile", CALL_OPENS},
        {"downloadfile", CALL_FETCHES},
        {"open", CALL_OPENS},
        {"getfolder", CALL_WALKS},
        {"directoryinfo", CALL_WALKS},
        {"getfiles", CALL_WALKS},
        {"getdirectories", CALL_WALKS},
        {"getfilesystementries", CALL_WALKS},
        {"sqlconnection", CALL_CONNECTS},
        {"oledbconnection", CALL_CONNECTS},
        {"odbcconnection", CALL_CONNECTS},
        {"mysqlconnection", CALL_CONNECTS},
        {"sqlcommand", CALL_CONNECTS},
        {"oledbcommand", CALL_CONNECTS},
        {"odbcdataadapter", CALL_CONNECTS},
        {"mysqldataadapter", CALL_CONNECTS},
        {"odbccommand", CALL_CONNECTS},
        {"mysqlcommand", CALL_CONNECTS},
        {"sqldataadapter", CALL_CONNECTS},
        {"oledbdataadapter", CALL_CONNECTS},
        {"arguments", CALL_SETS},
        {"filename", CALL_SETS},
        {"connectionstring", CALL_SETS},
        {"commandtext", CALL_SETS},
    };

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (slice_is_nocase(word, calls[i].word))
            return calls[i].kind;
    return CALL_NONE;
}

/* "word" or "Word(...)": what VBScript's call without brackets gets first. */
static struct slice first_term(struct slice text, size_t at)
{
    const size_t end = page_word_end(text, at), open = page_skip_blanks(text, end);

    if (end > at && page_byte(text, open) == '(')
        return slice_part(text, at, open + 1 + page_bracketed(text, open).size - at);
    return slice_part(text, at, end - at);
}

/* What the call gets: in brackets, as VBScript does without, or assigned. */
static struct slice arguments_of(struct slice text, size_t end, enum call_kind kind)
{
    const size_t next = page_skip_blanks(text, end);

    if (kind == CALL_SETS)
        return page_byte(text, next) == '=' && page_byte(text, next + 1) != '='
                   ? page_statement(text, next + 1)
                   : slice_of(NULL, 0);
    if (page_byte(text, next) == '(')
        return page_bracketed(text, next);
    const struct slice term = next > end ? first_term(text, next) : slice_of(NULL, 0);
    const size_t behind = page_skip_blanks(text, page_offset(text, term) + term.size);
    /* "SqlCommand command = ..." declares, and calls nothing. */
    return kind == CALL_CONNECTS || page_byte(text, behind) == '=' ? slice_of(NULL, 0) : term;
}

/* "System.Diagnostics.Process.Start" for the word "Start". */
static struct slice with_owner(struct slice text, struct slice word)
{
    size_t start = page_offset(text, word);
    const size_t end = start + word.size, least = start > OWNER_MOST ? start - OWNER_MOST : 0;

    while (start > least && (page_is_word(text.data[start - 1]) || text.data[start - 1] == '.'))
        start--;
    return slice_part(text, start, end - start);
}

static bool is_member(struct slice text, struct slice word)
{
    const size_t start = page_offset(text, word);

    return start && text.data[start - 1] == '.';
}

/* "file.CreateText()" where "file" stands for the client's own path. */
static struct page_source source_of_owner(const struct page_flow *flow, struct slice word)
{
    const size_t start = page_offset(flow->text, word);
    const struct page_holder *const holder =
        is_member(flow->text, word) ? page_holder_of(flow, page_word_before(flow->text, start - 1))
                                    : NULL;

    if (holder && holder->reach >= PAGE_REACH_SITE &&
        (slice_is_nocase(word, "createtext") || slice_is_nocase(word, "appendtext") ||
         slice_is_nocase(word, "openwrite")))
        return holder->source;
    return (struct page_source){PAGE_SOURCE_NONE, {NULL, 0}};
}

static bool is_for_writing(struct slice arguments)
{
    static const char *const modes[] = {"FileMode.Create", "FileMode.Append", "OpenOrCreate",
                                        "FileMode.Truncate", "FileAccess.Write"};

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (slice_find_nocase(arguments, 0, slice_of_text(modes[i])) != SIZE_MAX)
            return true;
    return false;
}

/* What decides: of DownloadFile(address, path) the path, of SqlCommand(text, connection) the text.
 */
static struct slice deciding_part(struct slice arguments, enum call_kind kind)
{
    struct slice argument = slice_of(NULL, 0);
    size_t at = 0;

    if (kind != CALL_FETCHES && kind != CALL_CONNECTS)
        return arguments;
    if (page_next_argument(arguments, &at, &argument) && kind == CALL_FETCHES &&
        !page_next_argument(arguments, &at, &argument))
        return slice_of(NULL, 0);
    return argument;
}

static struct page_source source_of_call(const struct page_flow *flow, struct slice word,
                                         struct slice arguments, enum call_kind kind,
                                         enum page_reach reach)
{
    static const struct page_source none = {PAGE_SOURCE_NONE, {NULL, 0}};
    const uint8_t first = page_byte(arguments, page_skip_blanks(arguments, 0));
    struct page_source source;

    if (kind == CALL_OPENS && reach < PAGE_REACH_SITE)
        return source_of_owner(flow, word);
    if (kind == CALL_OPENS_FOR && (reach < PAGE_REACH_SITE || !is_for_writing(arguments)))
        return none;
    if (kind == CALL_FETCHES && reach < PAGE_REACH_SITE)
        return none;
    if (kind == CALL_WALKS && reach < PAGE_REACH_ANY_FOLDER)
        return none;
    if (kind == CALL_EVALUATES && (first == '"' || first == '\''))
        return none;
    /* A statement for a database is the client's only when all of it is. */
    if (kind == CALL_EVALUATES && is_member(flow->text, word) && slice_is_nocase(word, "execute") &&
        reach < PAGE_REACH_SITE)
        return none;
    source = page_source_in(flow, arguments);
    return source.kind == PAGE_SOURCE_DECODED && kind != CALL_EVALUATES ? none : source;
}

/* The line begins a word that rules look for: "Request", "Field[" or "Decoded[". */
static void add_source(struct buffer *lines, struct page_source source)
{
    static const char *const marks[] = {"", "", "Field[", "Decoded["};
    const bool is_plain =
        slice_starts_nocase(source.words, "request") &&
        slice_find_nocase(source.words, 0, SLICE_LITERAL("rawurl")) == SIZE_MAX &&
        slice_find_nocase(source.words, 0, SLICE_LITERAL("useragent")) == SIZE_MAX;

    buffer_add_text(lines, source.kind == PAGE_SOURCE_REQUEST && !is_plain ? "Request["
                                                                           : marks[source.kind]);
    buffer_add(lines, source.words);
}

static bool tell_call(const struct page_flow *flow, struct slice word, enum call_kind kind,
                      struct buffer *lines)
{
    const size_t end = page_offset(flow->text, word) + word.size;
    const struct slice arguments = deciding_part(arguments_of(flow->text, end, kind), kind);
    const enum page_reach reach = page_reach_of(flow, arguments);
    const struct page_source source = source_of_call(flow, word, arguments, kind, reach);
    const bool is_part = reach < PAGE_REACH_SITE &&
                         (kind == CALL_CONNECTS || slice_is_nocase(word, "connectionstring") ||
                          slice_is_nocase(word, "commandtext"));

    if (source.kind == PAGE_SOURCE_NONE)
        return false;
    buffer_add_byte(lines, '\n');
    buffer_add(lines, with_owner(flow->text, word));
    buffer_add_text(lines, kind == CALL_OPENS_FOR ? ".Write" : "");
    buffer_add_byte(lines, kind == CALL_SETS ? '=' : '(');
    if (is_part)
        buffer_add_text(lines, "Part[");
    add_source(lines, source);
    return true;
}

static size_t tell_span(const struct page_flow *flow, struct page_span span, size_t *looks,
                        struct buffer *lines)
{
    size_t calls = 0;

    for (size_t at = span.start; at < span.end && *looks < PAGE_LOOKS_MOST;) {
        const struct slice word = page_word_at(flow->text, at);
        const enum call_kind kind = word.size ? kind_of(word) : CALL_NONE;
        /* A function of the page's own that is called so is followed, and is no such call. */
        if (kind != CALL_NONE && ++*looks && !page_function_of(flow, word))
            calls += tell_call(flow, word, kind, lines);
        at += word.size ? word.size : 1;
    }
    return calls;
}

bool page_flow(struct slice text, size_t page_size, struct buffer *lines)
{
    struct page_flow flow = {.text = text};
    size_t calls = 0, looks = 0;

    page_find_server_code(&flow, page_size);
    page_find_fields(&flow);
    page_find_functions(&flow);
    page_find_holders(&flow);
    for (size_t i = 0; i < flow.span_count && calls < CALLS_MOST; i++)
        calls += tell_span(&flow, flow.spans[i], &looks, lines);
    return calls > 0;
}
