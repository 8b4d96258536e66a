#include "triage/match/content_literals.h"

#include "triage/base/base64.h"
#include "triage/match/regex_literals.h"

#include <ctype.h>
#include <string.h>

enum { FORMS_MOST = 64, TEXT_MOST = 48, HEX_MOST = 24 };

/* The modifiers behind a string. */
struct modifiers {
    bool ascii, wide, base64, base64wide, other; /* other: nothing is promised */
};

/* Literals as they come up. */
struct collection {
    struct arena *arena;
    struct literal *list;
    size_t count;
    bool lost; /* one of them could not be had: nothing is promised */
};

static const struct literal_demands nothing;

static void add(struct collection *to, struct slice bytes)
{
    if (bytes.size < LITERAL_SHORTEST || !bytes.data || to->count == FORMS_MOST)
        to->lost = true;
    else
        to->list[to->count++] = (struct literal){.text = bytes};
}

static struct slice widen(struct arena *arena, struct slice bytes)
{
    uint8_t *out = arena_take(arena, 2 * bytes.size + 1);

    for (size_t i = 0; out && i < bytes.size; i++) {
        out[2 * i] = bytes.data[i];
        out[2 * i + 1] = 0;
    }
    return slice_of(out, out ? 2 * bytes.size : 0);
}

static void add_encoded(struct collection *to, struct slice bytes, bool wide)
{
    for (size_t before = 0; before < 3; before++) {
        const struct slice digits = base64_within(to->arena, bytes, before);
        add(to, wide ? widen(to->arena, digits) : digits);
    }
}

static void add_form(struct collection *to, struct slice bytes, const struct modifiers *modifiers)
{
    if (modifiers->base64)
        add_encoded(to, bytes, false);
    if (modifiers->base64wide)
        add_encoded(to, bytes, true);
    if (!modifiers->base64 && !modifiers->base64wide)
        add(to, bytes);
}

static void add_forms(struct collection *to, struct slice bytes, const struct modifiers *modifiers)
{
    if (modifiers->ascii || !modifiers->wide)
        add_form(to, bytes, modifiers);
    if (modifiers->wide)
        add_form(to, widen(to->arena, bytes), modifiers);
}

/* Of what are no digits YARA makes nothing either. */
static uint8_t hex_byte(uint8_t high, uint8_t low)
{
    return (uint8_t)((unsigned)hex_digit(high) << 4 | (unsigned)hex_digit(low));
}

static uint8_t escaped(uint8_t letter)
{
    return letter == 't' ? '\t' : letter == 'n' ? '\n' : letter == 'r' ? '\r' : letter;
}

/* The text between quotes without its escapes. */
static struct slice plain_text(struct arena *arena, struct slice text)
{
    uint8_t *out = arena_take(arena, text.size + 1);
    size_t used = 0;

    for (size_t at = 0; out && at < text.size; at++) {
        if (text.data[at] != '\\' || at + 1 == text.size) {
            out[used++] = text.data[at];
        } else if (text.data[at + 1] == 'x' && at + 3 < text.size) {
            out[used++] = hex_byte(text.data[at + 2], text.data[at + 3]);
            at += 3;
        } else {
            out[used++] = escaped(text.data[++at]);
        }
    }
    return slice_of(out, used);
}

static void add_text(struct collection *to, struct slice text, const struct modifiers *modifiers)
{
    const struct slice plain = plain_text(to->arena, text);
    const bool whole = modifiers->base64 || modifiers->base64wide;

    add_forms(to, whole ? plain : slice_part(plain, 0, TEXT_MOST), modifiers);
}

bool content_regex_is_odd(struct slice pattern)
{
    for (size_t at = 0; at + 1 < pattern.size; at++) {
        const uint8_t byte = pattern.data[at], next = pattern.data[at + 1];
        if ((byte == '(' && (next == '?' || next == '*')) || (byte == '[' && next == ':') ||
            (byte == '{' && next == ','))
            return true;
        if (byte == '\\' && isalnum(next) && !strchr("wWsSdDbBntrfax", next))
            return true;
        at += byte == '\\';
    }
    return false;
}

/* Literals of the pattern without any of the bytes `breaks`, which grow by those that they have. */
static void add_regex(struct collection *to, struct slice pattern,
                      const struct modifiers *modifiers, struct buffer *breaks)
{
    struct literal *list = NULL;
    const size_t count = regex_literals(pattern, REGEX_LITERAL_CASELESS, buffer_text(breaks),
                                        LITERAL_SHORTEST, to->arena, &list);

    to->lost |= count == 0;
    for (size_t i = 0; i < count; i++) {
        add_forms(to, list[i].text, modifiers);
        buffer_add(breaks, list[i].text);
    }
}

/* The cheapest run of whole bytes of "{ 3C 00 (50|70) ?? [4-6] 41 }", outside of brackets. */
static void add_hex(struct collection *to, struct slice body)
{
    uint8_t *out = arena_take(to->arena, body.size + 1);
    struct slice best = {NULL, 0};
    size_t start = 0, used = 0, depth = 0;

    for (size_t at = 0; out && at <= body.size; at++) {
        const uint8_t byte = at < body.size ? body.data[at] : '}';
        const uint8_t next = at + 1 < body.size ? body.data[at + 1] : 0;
        if (isspace(byte))
            continue;
        if (depth == 0 && isxdigit(byte) && isxdigit(next) && used - start < HEX_MOST) {
            out[used++] = hex_byte(byte, next);
            at++;
            continue;
        }
        const struct slice run = slice_of(out + start, used - start);
        if (run.size >= LITERAL_SHORTEST && (!best.data || literal_cost(run) < literal_cost(best)))
            best = run;
        start = used;
        depth += byte == '(' || byte == '[';
        depth -= (byte == ')' || byte == ']') && depth;
        if (depth == 0)
            at += byte == '~' ? 2 : byte == '?' || isxdigit(byte);
    }
    add(to, best);
}

static bool is_sign(const struct token *token, const char *text)
{
    return token->kind == TOKEN_SIGN && slice_is(token->text, text);
}

static bool note_modifier(struct modifiers *modifiers, struct slice word)
{
    if (slice_is(word, "ascii"))
        modifiers->ascii = true;
    else if (slice_is(word, "wide"))
        modifiers->wide = true;
    else if (slice_is(word, "base64"))
        modifiers->base64 = true;
    else if (slice_is(word, "base64wide"))
        modifiers->base64wide = true;
    else if (slice_is(word, "xor"))
        modifiers->other = true;
    else
        return slice_is(word, "nocase") || slice_is(word, "fullword") ||
               slice_is(word, "private") || slice_is(word, "i") || slice_is(word, "s") ||
               slice_is(word, "is") || slice_is(word, "si");
    return true;
}

/* An argument, "(...)", is another alphabet or key: nothing is promised then. */
static struct modifiers take_modifiers(const struct token **at)
{
    struct modifiers modifiers = {0};

    for (;; (*at)++) {
        if (is_sign(*at, "(")) {
            modifiers.other = true;
            while ((*at)->kind != TOKEN_END && !is_sign(*at, ")"))
                (*at)++;
        } else if ((*at)->kind != TOKEN_WORD || !note_modifier(&modifiers, (*at)->text)) {
            return modifiers;
        }
    }
}

/* Behind the '}' of a hexadecimal string; gives what stands between the brackets. */
static struct slice take_hex(const struct token **at)
{
    const uint8_t *start = (*at)->text.data + 1;

    while ((*at)->kind != TOKEN_END && !is_sign(*at, "}"))
        (*at)++;
    if ((*at)->kind == TOKEN_END)
        return slice_of(NULL, 0);
    const struct slice body = slice_of(start, (size_t)((*at)->text.data - start));
    (*at)++;
    return slice_find(body, 0, '/') == SIZE_MAX ? body : slice_of(NULL, 0); /* a comment in it */
}

static struct collection collection_start(struct arena *arena)
{
    struct collection all = {.arena = arena};

    all.list = arena_array(arena, FORMS_MOST, sizeof *all.list);
    all.lost = !all.list;
    return all;
}

/* Adds the set, unless it promises nothing; false then. */
static bool demand(struct arena *arena, struct literal_demands *to, const struct collection *all)
{
    struct literal_set *sets = (struct literal_set *)to->sets;

    if (!sets)
        to->sets = sets = arena_array(arena, CONTENT_DEMANDS_MOST, sizeof *sets);
    if (!sets || all->lost || all->count == 0)
        return false;
    sets[to->count] = (struct literal_set){all->list, all->count, 0};
    for (size_t i = 0; i < all->count; i++)
        sets[to->count].cost += literal_cost(all->list[i].text);
    to->count++;
    return true;
}

/* What else the pattern demands is found where the bytes of the first literals may not stand. */
static struct literal_demands regex_demands(struct arena *arena, struct slice pattern,
                                            const struct modifiers *modifiers)
{
    struct literal_demands demands = {NULL, 0};
    struct buffer breaks = BUFFER_EMPTY;
    bool more = !content_regex_is_odd(pattern);

    while (more && demands.count < CONTENT_DEMANDS_MOST) {
        struct collection all = collection_start(arena);
        if (!all.lost)
            add_regex(&all, pattern, modifiers, &breaks);
        more = demand(arena, &demands, &all) && !buffer_failed(&breaks);
    }
    buffer_release(&breaks);
    return demands;
}

struct literal_demands content_literals(struct arena *arena, const struct token **at)
{
    struct literal_demands demands = {NULL, 0};
    struct collection all = collection_start(arena);
    const struct token token = **at;
    const bool hex = is_sign(*at, "{");
    const struct slice body = hex ? take_hex(at) : ((*at)++, token.text);
    const struct modifiers modifiers = take_modifiers(at);

    if (modifiers.other || all.lost)
        return nothing;
    if (token.kind == TOKEN_REGEX)
        return regex_demands(arena, body, &modifiers);
    if (hex)
        add_hex(&all, body);
    else if (token.kind == TOKEN_TEXT)
        add_text(&all, body, &modifiers);
    demand(arena, &demands, &all);
    return demands;
}
