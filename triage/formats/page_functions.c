/* The functions that a page defines: their names, what they are given, what they do with
 * characters. */
#include "triage/formats/page_flow_parts.h"

enum {
    BODY_MOST = 16 << 10,
    ATTRIBUTE_FAR = 300, /* from [WebMethod] to the name */
};

/* Words that stand in front of brackets and names without defining anything. */
static bool defines_nothing(struct slice word)
{
    static const char *const words[] = {"if",    "for",    "foreach", "while", "switch",
                                        "catch", "using",  "lock",    "fixed", "new",
                                        "end",   "return", "else",    "throw", "await",
                                        "exit",  "call",   "select",  "case",  "elseif"};

    return !word.size || PAGE_IS_ONE_OF(word, words);
}

/* "ByVal s As String", "s : String", "string s": s. */
static struct slice parameter_name(struct slice parameter)
{
    const size_t colon = slice_find(parameter, 0, ':');
    const size_t as = slice_find_nocase(parameter, 0, SLICE_LITERAL(" as "));
    const size_t equals = slice_find(parameter, 0, '=');
    size_t end = parameter.size;

    end = colon < end ? colon : end;
    end = as < end ? as : end;
    end = equals < end ? equals : end;
    return page_word_before(parameter, end);
}

static void add_parameters(struct page_function *function, struct slice parameters)
{
    struct slice parameter;

    for (size_t at = 0;
         function->count < PAGE_PARAMETERS_MOST && page_next_argument(parameters, &at, &parameter);)
        function->parameters[function->count++] = parameter_name(parameter);
}

static struct slice braced(struct slice text, size_t open)
{
    size_t at = open + 1;

    for (int depth = 1; at < text.size && at - open < BODY_MOST; at++) {
        depth += text.data[at] == '{' ? 1 : text.data[at] == '}' ? -1 : 0;
        if (depth == 0)
            break;
    }
    return slice_part(text, open, at - open);
}

static struct slice to_end(struct slice text, size_t at, const char *end_words)
{
    const struct slice rest = slice_part(text, at, BODY_MOST);
    const size_t end = slice_find_nocase(rest, 0, slice_of_text(end_words));

    return end == SIZE_MAX ? rest : slice_part(rest, 0, end);
}

static bool turns_characters(struct slice body)
{
    static const char *const words[] = {"chr(",          "chrw(", "chrb(",     "fromcharcode",
                                        "strreverse",    "xor ",  "unescape(", "frombase64",
                                        "bin.base64",    "chr (", "decodeuri", "char(",
                                        "convert.tochar"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_find_nocase(body, 0, slice_of_text(words[i])) != SIZE_MAX)
            return true;
    return false;
}

/* "For i = 1 To Len(t) ... Mid(t, i, 1)": letter by letter, as decoders go. */
static bool walks_letters(struct slice body)
{
    struct slice argument = slice_of(NULL, 0);

    if (slice_find_nocase(body, 0, SLICE_LITERAL("for ")) == SIZE_MAX)
        return false;
    for (size_t mid = 0; (mid = slice_find_nocase(body, mid, SLICE_LITERAL("mid("))) != SIZE_MAX;
         mid += strlen("mid(")) {
        const struct slice arguments = page_bracketed(body, mid + strlen("mid"));
        size_t at = 0, count = 0;
        while (count < 3 && page_next_argument(arguments, &at, &argument))
            count++;
        if (count == 3 && slice_is_nocase(slice_trim(argument), "1"))
            return true;
    }
    return false;
}

/* [WebMethod] in front of it, with nothing between that ends another function. */
static bool is_web_method(struct slice text, size_t name)
{
    const size_t start = name > ATTRIBUTE_FAR ? name - ATTRIBUTE_FAR : 0;
    struct slice before = slice_part(text, start, name - start);

    for (size_t at = before.size; at > 0; at--)
        if (before.data[at - 1] == '}' || before.data[at - 1] == '{') {
            before = slice_from(before, at);
            break;
        }
    return slice_find_nocase(before, 0, SLICE_LITERAL("webmethod")) != SIZE_MAX ||
           slice_find_nocase(before, 0, SLICE_LITERAL("operationcontract")) != SIZE_MAX;
}

static void add_function(struct page_flow *flow, struct slice name, struct slice parameters,
                         struct slice body)
{
    if (!name.size || flow->function_count == PAGE_FUNCTIONS_MOST || page_function_of(flow, name))
        return;
    struct page_function *const function = &flow->functions[flow->function_count++];
    *function = (struct page_function){.name = name, .body = body};
    add_parameters(function, parameters);
    function->decodes = turns_characters(body) || walks_letters(body);
    function->is_web_method = is_web_method(flow->text, page_offset(flow->text, name));
}

/* "Function name(...)" and "Sub name": VBScript, or JScript when a brace follows. */
static void note_named(struct page_flow *flow, struct slice keyword)
{
    const struct slice text = flow->text;
    const size_t from = page_offset(text, keyword) + keyword.size;
    const struct slice name = page_word_at(text, page_skip_blanks(text, from));
    const size_t open = page_skip_blanks(text, page_offset(text, name) + name.size);
    const bool is_sub = slice_is_nocase(keyword, "sub");
    struct slice parameters = slice_of(NULL, 0);
    size_t behind = open;

    if (!name.size)
        return;
    if (page_byte(text, open) == '(') {
        parameters = page_bracketed(text, open);
        behind = open + 1 + parameters.size + 1;
    }
    const struct slice rest = slice_part(text, behind, 80);
    const size_t line = slice_find(rest, 0, '\n'), brace = slice_find(rest, 0, '{');
    const bool has_brace =
        !is_sub && brace != SIZE_MAX && (brace < line || page_skip_blanks(rest, 0) == brace);
    add_function(flow, name, parameters,
                 has_brace ? braced(text, behind + brace)
                           : to_end(text, behind, is_sub ? "end sub" : "end function"));
}

/* "type name(...) {" */
static void note_typed(struct page_flow *flow, size_t open)
{
    const struct slice text = flow->text;
    const struct slice name = page_word_before(text, open);
    const size_t start = page_offset(text, name);

    if (defines_nothing(name) || !start)
        return;
    const size_t before = start - 1;
    const struct slice type = page_word_before(text, start);
    const bool has_type =
        (type.size && !defines_nothing(type)) ||
        (before && (text.data[before - 1] == ']' || text.data[before - 1] == '>'));
    if (!has_type || page_is_word(text.data[before]) || text.data[before] == '.')
        return;
    const struct slice parameters = page_bracketed(text, open);
    const size_t brace = page_skip_blanks(text, open + 1 + parameters.size + 1);
    if (page_byte(text, brace) == '{')
        add_function(flow, name, parameters, braced(text, brace));
}

static bool is_definition_word(struct slice word)
{
    return slice_is_nocase(word, "function") || slice_is_nocase(word, "sub");
}

void page_find_functions(struct page_flow *flow)
{
    const struct slice text = flow->text;
    size_t looks = 0;

    for (size_t i = 0; i < flow->span_count; i++)
        for (size_t at = flow->spans[i].start;
             at < flow->spans[i].end && looks < PAGE_LOOKS_MOST;) {
            if (text.data[at] == '(' && ++looks)
                note_typed(flow, at);
            if (!page_is_word(text.data[at])) {
                at++;
                continue;
            }
            const struct slice word = page_word_at(text, at);
            if (is_definition_word(word) && ++looks &&
                !slice_is_nocase(page_word_before(text, at), "end") &&
                !slice_is_nocase(page_word_before(text, at), "exit"))
                note_named(flow, word);
            at += word.size;
        }
}

const struct page_function *page_function_of(const struct page_flow *flow, struct slice name)
{
    for (size_t i = 0; i < flow->function_count; i++)
        if (slice_equal_nocase(flow->functions[i].name, name))
            return &flow->functions[i];
    return NULL;
}

bool page_is_decoder(const struct page_flow *flow, struct slice name)
{
    static const char *const known[] = {
        "unescape", "strreverse",       "fromcharcode", "chr",
        "chrw",     "frombase64string", "decodeuri",    "decodeuricomponent"};
    const struct page_function *const function = page_function_of(flow, name);

    return function ? function->decodes : PAGE_IS_ONE_OF(name, known);
}
