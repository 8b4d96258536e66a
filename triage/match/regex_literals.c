/*
 * A small reader of PCRE2 patterns (pcre2pattern(3)) that follows every construct it knows to the
 * words that a match cannot do without. What it does not know ends the run of literal text that it
 * was in, or the whole attempt: it may promise too little, never too much.
 */
#include "triage/match/regex_literals.h"

#include "triage/match/ascii.h"

#include <string.h>

enum {
    WORDS_MOST = 32,     /* alternatives that are followed */
    WORD_SIZE_MOST = 64, /* longer runs are cut: the part says enough */
    DEPTH_MOST = 50,
    CLASS_MOST = 4, /* a class of more characters ends a run */
    COUNT_MOST = 8, /* repetitions that are written out */
    UNLIMITED = 65535,
};

struct words {
    struct slice *items; /* lower case; never changed, so that sets may share them */
    size_t count;
};

/* What a part of the pattern demands of the text. */
struct demand {
    bool exact;          /* the part matches nothing but `words` (which may be empty words) */
    struct words words;  /* when exact */
    struct words needed; /* one of these stands in any text that the part matches; none when it
                            promises nothing */
    double cost;         /* of the needed, when there are any */
};

struct reader {
    struct slice pattern;
    size_t at;
    struct arena *arena;
    const char *breaks;
    size_t shortest;
    unsigned depth;
    bool lost; /* a construct that could change the meaning of all: nothing is promised */
};

static struct demand read_alternatives(struct reader *reader);

static struct demand demand_nothing(void)
{
    return (struct demand){.exact = false};
}

/* A set of one word; empty when memory is out. */
static struct words one_word(struct reader *reader, const uint8_t *bytes, size_t size)
{
    struct words words = {arena_array(reader->arena, 1, sizeof *words.items), 1};
    const struct slice word = arena_copy(reader->arena, slice_of(bytes, size));

    if (!words.items || (size > 0 && !word.data)) {
        reader->lost = true;
        return (struct words){NULL, 0};
    }
    words.items[0] = word;
    return words;
}

/* The part matches without taking any text. */
static struct demand demand_empty(struct reader *reader)
{
    return (struct demand){.exact = true, .words = one_word(reader, (const uint8_t *)"", 0)};
}

static struct demand demand_byte(struct reader *reader, unsigned byte)
{
    const uint8_t lower = ascii_lower((uint8_t)byte);

    if (byte >= 0x80)
        return demand_nothing();
    return (struct demand){.exact = true, .words = one_word(reader, &lower, 1)};
}

static bool has_word(struct words words, struct slice word)
{
    for (size_t i = 0; i < words.count; i++)
        if (slice_equal(words.items[i], word))
            return true;
    return false;
}

/* All words of both, each once; false when there are too many. */
static bool unite(struct reader *reader, struct words a, struct words b, struct words *out)
{
    struct words all = {arena_array(reader->arena, a.count + b.count + 1, sizeof *all.items), 0};

    if (!all.items) {
        reader->lost = true;
        return false;
    }
    for (size_t i = 0; i < a.count + b.count; i++) {
        const struct slice word = i < a.count ? a.items[i] : b.items[i - a.count];

        if (!has_word(all, word))
            all.items[all.count++] = word;
    }
    *out = all;
    return all.count <= WORDS_MOST;
}

static struct slice join(struct reader *reader, struct slice a, struct slice b)
{
    uint8_t *bytes = arena_take(reader->arena, a.size + b.size + 1);

    if (!bytes) {
        reader->lost = true;
        return slice_of(NULL, 0);
    }
    memcpy(bytes, a.data, a.size);
    memcpy(bytes + a.size, b.data, b.size);
    return slice_of(bytes, a.size + b.size);
}

/* Each word of `a` followed by each of `b`; false when that gets too many or too long. */
static bool multiply(struct reader *reader, struct words a, struct words b, struct words *out)
{
    struct words all = {NULL, 0};

    if (a.count * b.count > WORDS_MOST)
        return false;
    all.items = arena_array(reader->arena, a.count * b.count + 1, sizeof *all.items);
    if (!all.items) {
        reader->lost = true;
        return false;
    }
    for (size_t i = 0; i < a.count; i++)
        for (size_t k = 0; k < b.count; k++) {
            if (a.items[i].size + b.items[k].size > WORD_SIZE_MOST)
                return false;
            all.items[all.count++] = join(reader, a.items[i], b.items[k]);
        }
    *out = all;
    return true;
}

static bool is_break(const struct reader *reader, uint8_t byte)
{
    return byte == '\0' || (reader->breaks && strchr(reader->breaks, byte));
}

/* The part of a word, between breaks, that is rarest in logs; empty when all are too short. */
static struct slice best_piece(const struct reader *reader, struct slice word)
{
    struct slice best = slice_of(NULL, 0);

    for (size_t at = 0; at < word.size;) {
        size_t size = 0;

        while (at + size < word.size && !is_break(reader, word.data[at + size]))
            size++;
        const struct slice piece = slice_part(word, at, size);

        if (size >= reader->shortest &&
            (best.size == 0 || literal_cost(piece) < literal_cost(best)))
            best = piece;
        at += size + 1;
    }
    return best;
}

/* Takes the words as what is needed if they are a cheaper promise than the present one. */
static void offer(struct reader *reader, struct demand *demand, struct words words)
{
    struct words pieces = {arena_array(reader->arena, words.count + 1, sizeof *pieces.items), 0};
    double cost = 0;

    if (!pieces.items) {
        reader->lost = true;
        return;
    }
    for (size_t i = 0; i < words.count; i++) {
        const struct slice piece = best_piece(reader, words.items[i]);

        if (piece.size == 0)
            return;
        if (has_word(pieces, piece))
            continue;
        pieces.items[pieces.count++] = piece;
        cost += literal_cost(piece);
    }
    if (pieces.count > 0 && (demand->needed.count == 0 || cost < demand->cost)) {
        demand->needed = pieces;
        demand->cost = cost;
    }
}

static void offer_needed(struct demand *demand, const struct demand *other)
{
    if (other->needed.count == 0 || (demand->needed.count > 0 && demand->cost <= other->cost))
        return;
    demand->needed = other->needed;
    demand->cost = other->cost;
}

/* Either of two. */
static struct demand demand_either(struct reader *reader, struct demand a, struct demand b)
{
    struct demand either = demand_nothing();

    either.exact = a.exact && b.exact && unite(reader, a.words, b.words, &either.words);
    if (a.exact)
        offer(reader, &a, a.words);
    if (b.exact)
        offer(reader, &b, b.words);
    if (a.needed.count > 0 && b.needed.count > 0 &&
        unite(reader, a.needed, b.needed, &either.needed))
        either.cost = a.cost + b.cost;
    else
        either.needed.count = 0;
    return either;
}

/* The text of a sequence as it is read: `run` is what its end must look like. */
struct sequence {
    struct demand whole;
    struct words run;
    bool exact; /* no element so far was anything but exact: the run is the whole */
};

static void end_run(struct reader *reader, struct sequence *sequence)
{
    offer(reader, &sequence->whole, sequence->run);
    sequence->run = one_word(reader, (const uint8_t *)"", 0);
    sequence->exact = false;
}

static void append(struct reader *reader, struct sequence *sequence, const struct demand *next)
{
    struct words longer;

    offer_needed(&sequence->whole, next);
    if (!next->exact) {
        end_run(reader, sequence);
        return;
    }
    if (next->words.count > 1)
        offer(reader, &sequence->whole, sequence->run);
    if (!multiply(reader, sequence->run, next->words, &longer)) {
        end_run(reader, sequence);
        longer = next->words;
    }
    sequence->run = longer;
}

static struct sequence sequence_start(struct reader *reader)
{
    return (struct sequence){.run = one_word(reader, (const uint8_t *)"", 0), .exact = true};
}

static struct demand sequence_demand(struct reader *reader, struct sequence *sequence)
{
    sequence->whole.exact = sequence->exact;
    sequence->whole.words = sequence->run;
    if (!sequence->exact)
        offer(reader, &sequence->whole, sequence->run);
    return sequence->whole;
}

/* The element so many times in a row, at least `least`. */
static struct demand repeat(struct reader *reader, struct demand element, unsigned least,
                            unsigned most)
{
    struct sequence sequence = sequence_start(reader);

    if (least == 0 && most == 1)
        return demand_either(reader, element, demand_empty(reader));
    if (least == 0)
        return demand_nothing();
    for (unsigned i = 0; i < least && i < COUNT_MOST; i++)
        append(reader, &sequence, &element);
    if (most != least || least > COUNT_MOST)
        end_run(reader, &sequence);
    return sequence_demand(reader, &sequence);
}

static bool more(const struct reader *reader)
{
    return reader->at < reader->pattern.size && !reader->lost;
}

/* The byte `ahead` of the present one, 0 behind the end. */
static uint8_t peek(const struct reader *reader, size_t ahead)
{
    const size_t at = reader->at + ahead;

    return at < reader->pattern.size ? reader->pattern.data[at] : 0;
}

static bool accept(struct reader *reader, const char *text)
{
    if (!slice_starts(slice_from(reader->pattern, reader->at), text))
        return false;
    reader->at += strlen(text);
    return true;
}

/* Moves behind the next `end`; lost when there is none. */
static void skip_to(struct reader *reader, uint8_t end)
{
    const size_t at = slice_find(reader->pattern, reader->at, end);

    if (at == SIZE_MAX)
        reader->lost = true;
    else
        reader->at = at + 1;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Value of up to `most` hexadecimal digits. */
static unsigned read_hex(struct reader *reader, unsigned most)
{
    unsigned value = 0;

    for (unsigned i = 0; i < most; i++, reader->at++) {
        const uint8_t c = ascii_lower(peek(reader, 0));

        if (is_digit(c))
            value = value << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (c - 'a' + 10u);
        else
            break;
    }
    return value;
}

/* Behind \x: two digits, or any number in braces. */
static unsigned read_hex_escape(struct reader *reader)
{
    unsigned value;

    if (peek(reader, 0) != '{')
        return read_hex(reader, 2);
    reader->at++;
    value = read_hex(reader, 6);
    if (!accept(reader, "}"))
        reader->lost = true;
    return value;
}

/* Behind a backslash that stands before a digit: a back reference or an octal number, neither of
 * which is followed. */
static struct demand skip_digits(struct reader *reader)
{
    while (is_digit(peek(reader, 0)))
        reader->at++;
    return demand_nothing();
}

/* Behind \p, \g, \k, \o, \N: one letter or what stands in brackets. */
static struct demand skip_argument(struct reader *reader, bool letter)
{
    static const char opening[] = "{<'", closing[] = "}>'";
    const char *bracket = peek(reader, 0) ? strchr(opening, peek(reader, 0)) : NULL;

    if (bracket) {
        reader->at++;
        skip_to(reader, (uint8_t)closing[bracket - opening]);
    } else if (letter) {
        reader->at += peek(reader, 0) == '-' || peek(reader, 0) == '+';
        if (is_digit(peek(reader, 0)))
            return skip_digits(reader);
        reader->at++;
    }
    return demand_nothing();
}

/* The byte that a simple escape stands for, -1 for any other; the same within and outside of a
 * class. */
static int simple_escape(uint8_t letter)
{
    static const char letters[] = "aefnrt", bytes[] = "\a\033\f\n\r\t";
    const char *found = letter ? strchr(letters, letter) : NULL;

    if (found)
        return bytes[found - letters];
    if (is_digit(letter) || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'))
        return -1;
    return letter;
}

/* \Q...\E: the text as it stands, the end may be missing. Only the last byte takes a quantifier, so
 * one byte is read and the reader stays within; see read_quoted. */
static struct demand read_escape(struct reader *reader)
{
    const uint8_t letter = peek(reader, 1);
    const int byte = simple_escape(letter);

    reader->at += 2;
    if (reader->at > reader->pattern.size)
        reader->lost = true;
    if (byte >= 0)
        return demand_byte(reader, (unsigned)byte);
    if (letter == 'x')
        return demand_byte(reader, read_hex_escape(reader));
    if (strchr("bBAZzGK", letter))
        return demand_empty(reader);
    if (is_digit(letter))
        return skip_digits(reader);
    if (strchr("pPgk", letter))
        return skip_argument(reader, true);
    if (strchr("oN", letter))
        return skip_argument(reader, false);
    if (letter == 'c')
        reader->at++;
    else if (!strchr("dDwWsShHvVRXC", letter))
        reader->lost = true;
    return demand_nothing();
}

/* The characters of a class as far as they are few. */
struct members {
    uint8_t lower[CLASS_MOST];
    size_t count;
    bool many;
};

static void add_member(struct members *members, unsigned byte)
{
    const uint8_t lower = ascii_lower((uint8_t)byte);

    if (byte < 0x80 && memchr(members->lower, lower, members->count))
        return;
    if (byte >= 0x80 || members->count == CLASS_MOST)
        members->many = true;
    else
        members->lower[members->count++] = lower;
}

/* Reads one character of a class, -1 for an escape that stands for several. */
static int read_member(struct reader *reader)
{
    const uint8_t letter = peek(reader, 0);
    int byte;

    reader->at++;
    if (letter != '\\')
        return letter;
    byte = simple_escape(peek(reader, 0));
    if (byte < 0 && strchr("QE", peek(reader, 0)))
        reader->lost = true;
    reader->at++;
    if (byte >= 0)
        return byte;
    switch (reader->pattern.data[reader->at - 1]) {
    case 'x':
        return (int)read_hex_escape(reader);
    case 'b':
        return '\b';
    case 'p':
    case 'P':
    case 'o':
    case 'N':
        skip_argument(reader, true);
        return -1;
    case 'c':
        reader->at++;
        return -1;
    default:
        return -1;
    }
}

static void read_members(struct reader *reader, struct members *members)
{
    bool first = true;

    for (; more(reader) && (first || peek(reader, 0) != ']'); first = false) {
        if (peek(reader, 0) == '[' && peek(reader, 1) && strchr(":.=", peek(reader, 1))) {
            reader->lost =
                true; /* a POSIX class, or not quite: where it ends is not worth knowing */
            return;
        }
        if (peek(reader, 0) == '\\' && reader->at + 1 >= reader->pattern.size) {
            reader->lost = true;
            return;
        }
        const int low = read_member(reader);

        if (low < 0 || peek(reader, 0) == '-')
            members->many = true; /* a range, or a hyphen at the end */
        else
            add_member(members, (unsigned)low);
    }
    if (!accept(reader, "]"))
        reader->lost = true;
}

static struct demand read_class(struct reader *reader)
{
    struct members members = {.count = 0};
    struct demand demand = {.exact = true};
    bool negated;

    reader->at++;
    negated = accept(reader, "^");
    read_members(reader, &members);
    if (negated || members.many || reader->lost)
        return demand_nothing();
    for (size_t i = 0; i < members.count; i++)
        if (!unite(reader, demand.words, one_word(reader, &members.lower[i], 1), &demand.words))
            return demand_nothing();
    return demand;
}

/* Behind "(?" when it is not a group: flags up to ')' or ':'. True when a group follows. */
static bool read_flags(struct reader *reader)
{
    while (more(reader)) {
        const uint8_t letter = peek(reader, 0);

        reader->at++;
        if (letter == ':')
            return true;
        if (letter == ')')
            return false;
        if (!strchr("imsnUJ-^",
                    letter)) /* x changes how all is read; numbers and the like call groups */
            reader->lost = true;
    }
    reader->lost = true;
    return false;
}

enum group { GROUP_PLAIN, GROUP_AHEAD, GROUP_UNKNOWN, GROUP_FLAGS };

/* Reads the opening of a group. */
static enum group read_opening(struct reader *reader)
{
    reader->at++;
    if (peek(reader, 0) == '*') {
        reader->lost = true;
        return GROUP_UNKNOWN;
    }
    if (!accept(reader, "?"))
        return GROUP_PLAIN;
    if (accept(reader, ":") || accept(reader, ">") || accept(reader, "|"))
        return GROUP_PLAIN;
    if (accept(reader, "="))
        return GROUP_AHEAD;
    if (accept(reader, "!") || accept(reader, "<!") || accept(reader, "<="))
        return GROUP_UNKNOWN;
    if (accept(reader, "<*"))
        reader->lost = true;
    if (accept(reader, "P<") || accept(reader, "<")) {
        skip_to(reader, '>');
        return GROUP_PLAIN;
    }
    if (accept(reader, "'")) {
        skip_to(reader, '\'');
        return GROUP_PLAIN;
    }
    return read_flags(reader) ? GROUP_PLAIN : GROUP_FLAGS;
}

static struct demand read_group(struct reader *reader)
{
    const enum group group = read_opening(reader);
    struct demand inside, demand = demand_empty(reader);

    if (group == GROUP_FLAGS || reader->lost)
        return demand;
    if (++reader->depth > DEPTH_MOST) {
        reader->lost = true;
        return demand;
    }
    inside = read_alternatives(reader);
    reader->depth--;
    if (!accept(reader, ")"))
        reader->lost = true;
    if (group == GROUP_PLAIN)
        return inside;
    if (group == GROUP_AHEAD) {
        if (inside.exact)
            offer(reader, &inside, inside.words);
        offer_needed(&demand, &inside);
    }
    return demand;
}

static struct demand read_element(struct reader *reader)
{
    const uint8_t letter = peek(reader, 0);

    switch (letter) {
    case '\\':
        return read_escape(reader);
    case '[':
        return read_class(reader);
    case '(':
        return read_group(reader);
    case '^':
    case '$':
        reader->at++;
        return demand_empty(reader);
    case '.':
        reader->at++;
        return demand_nothing();
    default:
        reader->at++;
        return demand_byte(reader, letter);
    }
}

static unsigned read_number(struct reader *reader)
{
    unsigned value = 0;

    for (; is_digit(peek(reader, 0)); reader->at++)
        value = value < UNLIMITED ? value * 10 + (peek(reader, 0) - '0') : UNLIMITED;
    return value;
}

/* Reads {n}, {n,}, {n,m}. Other forms are literal text or not, depending on the version of PCRE2:
 * they promise nothing. */
static bool read_braces(struct reader *reader, unsigned *least, unsigned *most)
{
    const size_t start = reader->at;
    bool counted;

    reader->at++;
    counted = is_digit(peek(reader, 0));
    *least = *most = read_number(reader);
    if (accept(reader, ","))
        *most = is_digit(peek(reader, 0)) ? read_number(reader) : UNLIMITED;
    if (counted && accept(reader, "}"))
        return true;
    reader->at = start + 1;
    while (is_digit(peek(reader, 0)) || (peek(reader, 0) && strchr(", ", peek(reader, 0))))
        reader->at++;
    if (reader->at > start + 1 && accept(reader, "}")) {
        *least = 0;
        *most = UNLIMITED;
        return true;
    }
    reader->at = start;
    return false;
}

static bool read_quantifier(struct reader *reader, unsigned *least, unsigned *most)
{
    const uint8_t letter = peek(reader, 0);

    if (letter == '{')
        return read_braces(reader, least, most);
    if (letter != '*' && letter != '+' && letter != '?')
        return false;
    reader->at++;
    *least = letter == '+';
    *most = letter == '?' ? 1 : UNLIMITED;
    return true;
}

/* The element with the quantifiers that follow it, which may be lazy or possessive. */
static struct demand quantified(struct reader *reader, struct demand element)
{
    unsigned least, most;

    while (more(reader) && read_quantifier(reader, &least, &most)) {
        if (!accept(reader, "?"))
            accept(reader, "+");
        element = repeat(reader, element, least, most);
    }
    return element;
}

/* Behind an \E: a quantifier here belongs to something further back, which has been read already.
 */
static void refuse_quantifier(struct reader *reader)
{
    unsigned least, most;

    if (more(reader) && read_quantifier(reader, &least, &most))
        reader->lost = true;
}

/* Behind \Q: the text up to \E as it stands; of it only the last byte takes a quantifier. The end
 * may be missing. */
static void read_quoted(struct reader *reader, struct sequence *sequence)
{
    while (more(reader)) {
        struct demand byte;

        if (accept(reader, "\\E")) {
            refuse_quantifier(reader);
            return;
        }
        byte = demand_byte(reader, peek(reader, 0));
        reader->at++;
        if (accept(reader, "\\E")) {
            byte = quantified(reader, byte);
            append(reader, sequence, &byte);
            return;
        }
        append(reader, sequence, &byte);
    }
}

static void read_next(struct reader *reader, struct sequence *sequence)
{
    struct demand element;

    if (accept(reader, "\\Q")) {
        read_quoted(reader, sequence);
    } else if (accept(reader, "\\E")) {
        refuse_quantifier(reader);
    } else {
        element = quantified(reader, read_element(reader));
        append(reader, sequence, &element);
    }
}

static struct demand read_sequence(struct reader *reader)
{
    struct sequence sequence = sequence_start(reader);

    while (more(reader) && peek(reader, 0) != '|' && peek(reader, 0) != ')')
        read_next(reader, &sequence);
    return sequence_demand(reader, &sequence);
}

static struct demand read_alternatives(struct reader *reader)
{
    struct demand demand = read_sequence(reader);

    while (more(reader) && accept(reader, "|"))
        demand = demand_either(reader, demand, read_sequence(reader));
    return demand;
}

static size_t give(struct reader *reader, struct words words, struct literal **list)
{
    struct literal *literals = arena_array(reader->arena, words.count + 1, sizeof *literals);

    if (!literals)
        return 0;
    for (size_t i = 0; i < words.count; i++)
        literals[i].text = words.items[i];
    *list = literals;
    return words.count;
}

size_t regex_literals(struct slice pattern, unsigned options, const char *breaks, size_t shortest,
                      struct arena *arena, struct literal **list)
{
    struct reader reader = {
        .pattern = pattern, .arena = arena, .breaks = breaks, .shortest = shortest};
    struct demand demand;

    if (options & REGEX_LITERAL_EXTENDED)
        return 0;
    demand = read_alternatives(&reader);
    if (demand.exact)
        offer(&reader, &demand, demand.words);
    if (reader.lost || reader.at < pattern.size || demand.needed.count == 0)
        return 0;
    return give(&reader, demand.needed, list);
}
