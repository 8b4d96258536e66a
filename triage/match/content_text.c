#include "triage/match/content_text.h"

#include <ctype.h>

struct reading {
    struct slice text;
    size_t at;
    unsigned line;
    uint8_t before; /* the last byte that was no white space */
};

static uint8_t byte_at(const struct reading *reading, size_t ahead)
{
    const size_t at = reading->at + ahead;

    return at < reading->text.size ? reading->text.data[at] : 0;
}

static void step(struct reading *reading)
{
    const uint8_t byte = byte_at(reading, 0);

    reading->line += byte == '\n';
    if (!isspace(byte))
        reading->before = byte;
    reading->at++;
}

static bool at_end(const struct reading *reading)
{
    return reading->at >= reading->text.size;
}

/* Skips a quoted text or a regular expression, which both end at their first delimiter without a
 * backslash. */
static void skip_quoted(struct reading *reading)
{
    const uint8_t end = byte_at(reading, 0);

    step(reading);
    while (!at_end(reading) && byte_at(reading, 0) != end && byte_at(reading, 0) != '\n') {
        if (byte_at(reading, 0) == '\\')
            step(reading);
        step(reading);
    }
    step(reading);
}

static void skip_comment(struct reading *reading)
{
    const uint8_t before = reading->before;
    const bool block = byte_at(reading, 1) == '*';

    reading->at += 2;
    while (!at_end(reading) && !(block ? byte_at(reading, 0) == '*' && byte_at(reading, 1) == '/'
                                       : byte_at(reading, 0) == '\n'))
        step(reading);
    reading->at += block ? 2 : 0;
    reading->before = before;
}

static struct slice take_word(struct reading *reading)
{
    const size_t start = reading->at;

    while (isalnum(byte_at(reading, 0)) || byte_at(reading, 0) == '_')
        step(reading);
    return slice_part(reading->text, start, reading->at - start);
}

/* Skips what is neither a word nor the end; a '/' behind "matches", '=' or the like starts a
 * regular expression. */
static void skip_other(struct reading *reading, bool regex_may_start)
{
    const uint8_t byte = byte_at(reading, 0), next = byte_at(reading, 1);

    if (byte == '/' && (next == '/' || next == '*'))
        skip_comment(reading);
    else if (byte == '"' || (byte == '/' && (regex_may_start || reading->before == '=' ||
                                             reading->before == ',' || reading->before == '(')))
        skip_quoted(reading);
    else
        step(reading);
}

static bool at_word(const struct reading *reading)
{
    return isalpha(byte_at(reading, 0)) || byte_at(reading, 0) == '_';
}

unsigned content_text_find_rule(struct slice text, const char *name, size_t *at, unsigned *line)
{
    struct reading reading = {.text = text, .at = *at, .line = *line};
    struct slice before = {0}; /* the word before, white space and comments between */
    unsigned start = 0;

    while (!at_end(&reading)) {
        const unsigned here = reading.line;

        if (!at_word(&reading)) {
            skip_other(&reading, slice_is(before, "matches"));
            continue;
        }
        const struct slice word = take_word(&reading);

        if (slice_is(before, "rule") && slice_is(word, name)) {
            *at = reading.at;
            *line = reading.line;
            return start;
        }
        before = word;
        start = here;
    }
    return 0;
}

/* --- parts --- */

/* Behind the '}' that ends the rule whose name comes next; its name. Braces of hexadecimal strings
 * stand in pairs. */
static struct slice skip_rule(struct reading *reading)
{
    struct slice name = {0}, before = {0};
    unsigned depth = 0;

    while (!at_end(reading)) {
        const uint8_t byte = byte_at(reading, 0);

        if (at_word(reading)) {
            before = take_word(reading);
            name = name.size ? name : before;
            continue;
        }
        skip_other(reading, slice_is(before, "matches"));
        depth += byte == '{';
        if (byte == '}' && depth > 0 && --depth == 0)
            break;
    }
    return name;
}

static struct slice skip_import(struct reading *reading)
{
    while (!at_end(reading) && byte_at(reading, 0) != '"' && !at_word(reading))
        skip_other(reading, false);
    const size_t start = reading->at;

    if (byte_at(reading, 0) == '"')
        skip_quoted(reading);
    return slice_part(reading->text, start, reading->at - start);
}

static bool is_modifier(struct slice word)
{
    return slice_is(word, "private") || slice_is(word, "global");
}

/* The next part; false at the end. */
static bool next_part(struct reading *reading, struct content_part *part)
{
    bool modified = false;

    while (!at_end(reading)) {
        const size_t start = reading->at;
        const unsigned line = reading->line;

        if (!at_word(reading)) {
            skip_other(reading, false);
            continue;
        }
        const struct slice word = take_word(reading);
        if (!modified)
            *part = (struct content_part){.start = start, .line = line};
        modified = is_modifier(word);
        part->is_import = slice_is(word, "import") || slice_is(word, "include");
        if (!part->is_import && !slice_is(word, "rule"))
            continue;
        part->name = part->is_import ? skip_import(reading) : skip_rule(reading);
        part->end = reading->at < reading->text.size ? reading->at : reading->text.size;
        part->last_line = reading->line;
        return true;
    }
    return false;
}

struct content_part *content_text_parts(struct arena *arena, struct slice text, size_t *count)
{
    struct reading reading = {.text = text, .line = 1};
    struct content_part part;
    size_t found = 0;

    while (next_part(&reading, &part))
        found++;
    struct content_part *parts = arena_array(arena, found + 1, sizeof *parts);
    reading = (struct reading){.text = text, .line = 1};
    for (size_t i = 0; parts && i < found; i++)
        next_part(&reading, &parts[i]);
    *count = found;
    return parts;
}

void content_text_drop(char *text, struct content_part *part)
{
    for (size_t i = part->start; i < part->end; i++)
        if (text[i] != '\n' && text[i] != '\r')
            text[i] = ' ';
    part->dropped = true;
}
