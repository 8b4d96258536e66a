/* A small reader of PCRE2 patterns (pcre2pattern(3)) that follows every construct it knows to the
 * words that a match cannot do without. What it does not know ends the run of literal text that it
 * was in, or the whole attempt. */
#include "triage/match/regex_literals.h"

#include "triage/match/ascii.h"
#include "triage/match/regex_demand.h"

#include <string.h>

enum {
    DEPTH_MOST = 50,
    CLASS_MOST = 4, /* a class of more characters ends a run */
};

struct reader {
    struct demand_maker maker;
    struct slice pattern;
    size_t at;
    unsigned depth;
};

static struct demand read_alternatives(struct reader *reader);

/* A construct that could change the meaning of all: nothing is promised. */
static void lose(struct reader *reader)
{
    reader->maker.lost = true;
}

static bool more(const struct reader *reader)
{
    return reader->at < reader->pattern.size && !reader->maker.lost;
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
        lose(reader);
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
        const int digit = hex_digit(peek(reader, 0));
        if (digit < 0)
            break;
        value = value << 4 | (unsigned)digit;
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
        lose(reader);
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

/* Any escape but \Q and \E. */
static struct demand read_escape(struct reader *reader)
{
    const uint8_t letter = peek(reader, 1);
    const int byte = simple_escape(letter);

    reader->at += 2;
    if (reader->at > reader->pattern.size)
        lose(reader);
    if (byte >= 0)
        return demand_byte(&reader->maker, (unsigned)byte);
    if (letter == 'x')
        return demand_byte(&reader->maker, read_hex_escape(reader));
    if (strchr("bBAZzGK", letter))
        return demand_empty(&reader->maker);
    if (is_digit(letter))
        return skip_digits(reader);
    if (strchr("pPgk", letter))
        return skip_argument(reader, true);
    if (strchr("oN", letter))
        return skip_argument(reader, false);
    if (letter == 'c')
        reader->at++;
    else if (!strchr("dDwWsShHvVRXC", letter))
        lose(reader);
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
        lose(reader);
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
            lose(reader); /* a POSIX class, or not quite: where it ends is not worth knowing */
            return;
        }
        if (peek(reader, 0) == '\\' && reader->at + 1 >= reader->pattern.size) {
            lose(reader);
            return;
        }
        const int low = read_member(reader);

        if (low < 0 || peek(reader, 0) == '-')
            members->many = true; /* a range, or a hyphen at the end */
        else
            add_member(members, (unsigned)low);
    }
    if (!accept(reader, "]"))
        lose(reader);
}

static struct demand read_class(struct reader *reader)
{
    struct members members = {.count = 0};

    reader->at++;
    const bool negated = accept(reader, "^");
    read_members(reader, &members);
    return negated || members.many || reader->maker.lost
               ? demand_nothing()
               : demand_one_of(&reader->maker, members.lower, members.count);
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
        /* x changes how all is read; numbers and the like call groups */
        if (!strchr("imsnUJ-^", letter))
            lose(reader);
    }
    lose(reader);
    return false;
}

enum group { GROUP_PLAIN, GROUP_AHEAD, GROUP_UNKNOWN, GROUP_FLAGS };

/* Reads the opening of a group. */
static enum group read_opening(struct reader *reader)
{
    reader->at++;
    if (peek(reader, 0) == '*') {
        lose(reader);
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
        lose(reader);
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

    if (group == GROUP_FLAGS || reader->maker.lost)
        return demand_empty(&reader->maker);
    if (++reader->depth > DEPTH_MOST) {
        lose(reader);
        return demand_nothing();
    }
    const struct demand inside = read_alternatives(reader);
    reader->depth--;
    if (!accept(reader, ")"))
        lose(reader);
    return group == GROUP_PLAIN   ? inside
           : group == GROUP_AHEAD ? demand_ahead(&reader->maker, inside)
                                  : demand_empty(&reader->maker);
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
        return demand_empty(&reader->maker);
    case '.':
        reader->at++;
        return demand_nothing();
    default:
        reader->at++;
        return demand_byte(&reader->maker, letter);
    }
}

static unsigned read_number(struct reader *reader)
{
    unsigned value = 0;

    for (; is_digit(peek(reader, 0)); reader->at++)
        value = value < DEMAND_UNLIMITED ? value * 10 + (peek(reader, 0) - '0') : DEMAND_UNLIMITED;
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
        *most = is_digit(peek(reader, 0)) ? read_number(reader) : DEMAND_UNLIMITED;
    if (counted && accept(reader, "}"))
        return true;
    reader->at = start + 1;
    while (is_digit(peek(reader, 0)) || (peek(reader, 0) && strchr(", ", peek(reader, 0))))
        reader->at++;
    if (reader->at > start + 1 && accept(reader, "}")) {
        *least = 0;
        *most = DEMAND_UNLIMITED;
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
    *most = letter == '?' ? 1 : DEMAND_UNLIMITED;
    return true;
}

/* The element with the quantifiers that follow it, which may be lazy or possessive. */
static struct demand quantified(struct reader *reader, struct demand element)
{
    unsigned least, most;

    while (more(reader) && read_quantifier(reader, &least, &most)) {
        if (!accept(reader, "?"))
            accept(reader, "+");
        element = demand_repeated(&reader->maker, element, least, most);
    }
    return element;
}

/* Behind an \E: a quantifier here belongs to something further back, which has been read already.
 */
static void refuse_quantifier(struct reader *reader)
{
    unsigned least, most;

    if (more(reader) && read_quantifier(reader, &least, &most))
        lose(reader);
}

/* Behind \Q: the text up to \E as it stands; of it only the last byte takes a quantifier. The end
 * may be missing. */
static void read_quoted(struct reader *reader, struct demand_sequence *sequence)
{
    while (more(reader)) {
        struct demand byte;

        if (accept(reader, "\\E")) {
            refuse_quantifier(reader);
            return;
        }
        byte = demand_byte(&reader->maker, peek(reader, 0));
        reader->at++;
        if (accept(reader, "\\E")) {
            byte = quantified(reader, byte);
            demand_append(&reader->maker, sequence, &byte);
            return;
        }
        demand_append(&reader->maker, sequence, &byte);
    }
}

static void read_next(struct reader *reader, struct demand_sequence *sequence)
{
    struct demand element;

    if (accept(reader, "\\Q")) {
        read_quoted(reader, sequence);
    } else if (accept(reader, "\\E")) {
        refuse_quantifier(reader);
    } else {
        element = quantified(reader, read_element(reader));
        demand_append(&reader->maker, sequence, &element);
    }
}

static struct demand read_sequence(struct reader *reader)
{
    struct demand_sequence sequence = demand_sequence_start(&reader->maker);

    while (more(reader) && peek(reader, 0) != '|' && peek(reader, 0) != ')')
        read_next(reader, &sequence);
    return demand_sequence_end(&reader->maker, &sequence);
}

static struct demand read_alternatives(struct reader *reader)
{
    struct demand demand = read_sequence(reader);

    while (more(reader) && accept(reader, "|"))
        demand = demand_either(&reader->maker, demand, read_sequence(reader));
    return demand;
}

size_t regex_literals(struct slice pattern, unsigned options, const char *breaks, size_t shortest,
                      struct arena *arena, struct literal **list)
{
    struct reader reader = {{arena, breaks, shortest, false}, .pattern = pattern};

    if (options & REGEX_LITERAL_EXTENDED)
        return 0;
    const struct demand demand = read_alternatives(&reader);
    return reader.at < pattern.size ? 0 : demand_needed(&reader.maker, demand, list);
}
