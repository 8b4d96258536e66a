#include "triage/match/pattern.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/match/prefilter.h"

#include <string.h>

/* A run of tokens without TOKEN_MANY. */
struct segment {
    const uint16_t *tokens; /* folded unless cased */
    struct slice bytes;     /* the same as bytes, when `plain`; folded likewise */
    struct slice spelled;   /* one byte per token as the rule has it, 0 for a wildcard */
    size_t count;
    bool plain;
};

struct pattern {
    bool cased, open_before, open_behind;
    size_t count;
    struct segment *segments;
};

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

static bool is_special(uint8_t byte)
{
    return byte == '*' || byte == '?' || byte == '\\';
}

int tokens_parse(struct arena *arena, struct slice text, struct tokens *out)
{
    uint16_t *list = arena_array(arena, text.size + 1, sizeof *list);
    size_t count = 0;

    if (!list)
        return -1;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        if (byte == '\\' && i + 1 < text.size && is_special(text.data[i + 1]))
            list[count++] = text.data[++i];
        else if (byte == '*')
            list[count++] = TOKEN_MANY;
        else
            list[count++] = byte == '?' ? TOKEN_ANY : byte;
    }
    *out = (struct tokens){list, count};
    return 0;
}

int tokens_plain(struct arena *arena, struct slice bytes, struct tokens *out)
{
    uint16_t *list = arena_array(arena, bytes.size + 1, sizeof *list);

    if (!list)
        return -1;
    for (size_t i = 0; i < bytes.size; i++)
        list[i] = bytes.data[i];
    *out = (struct tokens){list, bytes.size};
    return 0;
}

int tokens_open(struct arena *arena, struct tokens tokens, bool before, bool behind,
                struct tokens *out)
{
    uint16_t *list = arena_array(arena, tokens.count + 2, sizeof *list);
    size_t count = 0;

    if (!list)
        return -1;
    if (before)
        list[count++] = TOKEN_MANY;
    if (tokens.count)
        memcpy(list + count, tokens.list, tokens.count * sizeof *list);
    count += tokens.count;
    if (behind)
        list[count++] = TOKEN_MANY;
    *out = (struct tokens){list, count};
    return 0;
}

static bool is_word(uint16_t token)
{
    return (token >= '0' && token <= '9') || (token >= 'A' && token <= 'Z') ||
           (token >= 'a' && token <= 'z') || token == '_';
}

/* Tokens that the dash at `at` takes: '-', '/' or one of U+2013, U+2014, U+2015 in UTF-8; 0 when
 * there is none. */
static size_t dash_size(struct tokens tokens, size_t at)
{
    const uint16_t *token = tokens.list + at;

    if (token[0] == '-' || token[0] == '/')
        return 1;
    if (tokens.count - at >= 3 && token[0] == 0xE2 && token[1] == 0x80 && token[2] >= 0x93 &&
        token[2] <= 0x95)
        return 3;
    return 0;
}

int tokens_windash(struct arena *arena, struct tokens tokens, struct tokens *out)
{
    uint16_t *list = arena_array(arena, tokens.count + 1, sizeof *list);
    size_t count = 0;

    if (!list)
        return -1;
    for (size_t at = 0; at < tokens.count;) {
        const size_t size = dash_size(tokens, at);
        const bool begins = at == 0 || !is_word(tokens.list[at - 1]);
        const bool option = at + size < tokens.count && is_word(tokens.list[at + size]);
        if (size && begins && option) {
            list[count++] = TOKEN_DASH;
            at += size;
        } else {
            list[count++] = tokens.list[at++];
        }
    }
    *out = (struct tokens){list, count};
    return 0;
}

bool tokens_have_wildcard(struct tokens tokens)
{
    for (size_t i = 0; i < tokens.count; i++)
        if (tokens.list[i] >= TOKEN_ANY)
            return true;
    return false;
}

bool tokens_are_ascii(struct tokens tokens)
{
    for (size_t i = 0; i < tokens.count; i++)
        if (tokens.list[i] >= 0x80 && tokens.list[i] < TOKEN_ANY)
            return false;
    return true;
}

bool tokens_bytes(struct arena *arena, struct tokens tokens, struct slice *out)
{
    if (tokens_have_wildcard(tokens))
        return false;
    uint8_t *bytes = arena_take(arena, tokens.count + 1);
    if (!bytes)
        return false;
    for (size_t i = 0; i < tokens.count; i++)
        bytes[i] = (uint8_t)tokens.list[i];
    *out = slice_of(bytes, tokens.count);
    return true;
}

static void token_to_regex(uint16_t token, struct buffer *out)
{
    switch (token) {
    case TOKEN_ANY:
        buffer_add_text(out, ".");
        break;
    case TOKEN_MANY:
        buffer_add_text(out, ".*?");
        break;
    case TOKEN_DASH:
        buffer_add_text(out, "[-/\\x{2013}\\x{2014}\\x{2015}]");
        break;
    default:
        if (token < 0x80 && !is_word(token))
            buffer_format(out, "\\x%02x", token);
        else
            buffer_add_byte(out, (uint8_t)token);
    }
}

void tokens_to_regex(struct tokens tokens, bool anchored, struct buffer *out)
{
    buffer_add_text(out, anchored ? "(?s)\\A" : "(?s)");
    for (size_t i = 0; i < tokens.count; i++)
        token_to_regex(tokens.list[i], out);
    buffer_add_text(out, anchored ? "\\z" : "");
}

static bool fill_segment(struct arena *arena, struct segment *segment, bool cased)
{
    uint16_t *tokens = arena_array(arena, segment->count, sizeof *tokens);
    uint8_t *bytes = arena_take(arena, segment->count);
    uint8_t *spelled = arena_take(arena, segment->count);

    if (!tokens || !bytes || !spelled)
        return false;
    segment->plain = true;
    for (size_t i = 0; i < segment->count; i++) {
        const uint16_t token = segment->tokens[i];
        const bool wild = token >= TOKEN_ANY;
        spelled[i] = wild ? 0 : (uint8_t)token;
        bytes[i] = cased ? spelled[i] : fold(spelled[i]);
        tokens[i] = wild ? token : bytes[i];
        segment->plain &= !wild;
    }
    segment->tokens = tokens;
    segment->bytes = slice_of(bytes, segment->count);
    segment->spelled = slice_of(spelled, segment->count);
    return true;
}

static size_t count_segments(struct tokens tokens)
{
    size_t count = 0;

    for (size_t i = 0; i < tokens.count; i++)
        count += tokens.list[i] != TOKEN_MANY && (i == 0 || tokens.list[i - 1] == TOKEN_MANY);
    return count;
}

static size_t segment_size(struct tokens tokens, size_t at)
{
    size_t size = 0;

    while (at + size < tokens.count && tokens.list[at + size] != TOKEN_MANY)
        size++;
    return size;
}

const struct pattern *pattern_new(struct arena *arena, struct tokens tokens, bool cased)
{
    struct pattern *pattern = arena_take(arena, sizeof *pattern);

    if (!pattern)
        return NULL;
    pattern->segments = arena_array(arena, count_segments(tokens) + 1, sizeof *pattern->segments);
    if (!pattern->segments)
        return NULL;
    pattern->cased = cased;
    pattern->open_before = tokens.count && tokens.list[0] == TOKEN_MANY;
    pattern->open_behind = tokens.count && tokens.list[tokens.count - 1] == TOKEN_MANY;
    for (size_t at = 0; at < tokens.count;) {
        const size_t size = segment_size(tokens, at);
        if (size) {
            struct segment *segment = &pattern->segments[pattern->count++];
            segment->tokens = tokens.list + at;
            segment->count = size;
            if (!fill_segment(arena, segment, cased))
                return NULL;
        }
        at += size ? size : 1;
    }
    return pattern;
}

/* Bytes that one wildcard token takes of `text`; 0 when it does not match. */
static size_t wildcard_size(uint16_t token, struct slice text)
{
    if (text.size == 0)
        return 0;
    if (token == TOKEN_ANY) {
        const size_t size = utf8_sequence(text);
        return size ? size : 1;
    }
    if (text.data[0] == '-' || text.data[0] == '/')
        return 1;
    if (text.size >= 3 && text.data[0] == 0xE2 && text.data[1] == 0x80 && text.data[2] >= 0x93 &&
        text.data[2] <= 0x95)
        return 3;
    return 0;
}

static bool plain_at(const struct segment *segment, bool cased, const uint8_t *text)
{
    const uint8_t *bytes = segment->bytes.data;

    if (cased)
        return memcmp(text, bytes, segment->count) == 0;
    for (size_t i = 0; i < segment->count; i++)
        if (fold(text[i]) != bytes[i])
            return false;
    return true;
}

/* The end of the segment when it stands at `at`, SIZE_MAX otherwise. */
static size_t segment_at(const struct segment *segment, bool cased, struct slice text, size_t at)
{
    if (segment->plain)
        return text.size - at >= segment->count && plain_at(segment, cased, text.data + at)
                   ? at + segment->count
                   : SIZE_MAX;
    for (size_t i = 0; i < segment->count; i++) {
        const uint16_t token = segment->tokens[i];
        size_t size = 0;
        if (token >= TOKEN_ANY)
            size = wildcard_size(token, slice_from(text, at));
        else if (at < text.size)
            size = (cased ? text.data[at] : fold(text.data[at])) == token;
        if (size == 0)
            return SIZE_MAX;
        at += size;
    }
    return at;
}

/* The end of the segment's first occurrence at or after `from`, SIZE_MAX when there is none. */
static size_t segment_find(const struct segment *segment, bool cased, struct slice text,
                           size_t from)
{
    const uint16_t first = segment->tokens[0];

    for (size_t at = from; at < text.size; at++) {
        if (first < TOKEN_ANY && (cased ? text.data[at] : fold(text.data[at])) != first)
            continue;
        const size_t end = segment_at(segment, cased, text, at);
        if (end != SIZE_MAX)
            return end;
    }
    return SIZE_MAX;
}

/* Whether the segment stands at the very end of the text, not before `from`. */
static bool segment_ends(const struct segment *segment, bool cased, struct slice text, size_t from)
{
    /* A wildcard character takes one to four bytes. */
    const size_t longest = segment->plain ? segment->count : 4 * segment->count;
    size_t at = text.size > longest ? text.size - longest : 0;

    if (segment->plain && text.size < segment->count)
        return false;
    for (at = at < from ? from : at; at < text.size; at++)
        if (segment_at(segment, cased, text, at) == text.size)
            return true;
    return false;
}

static bool match(const struct pattern *pattern, struct slice text, bool open_before,
                  bool open_behind)
{
    size_t at = 0, next = 0, end = pattern->count;

    if (pattern->count == 0)
        return open_before || open_behind || text.size == 0;
    if (!open_before) {
        at = segment_at(&pattern->segments[next++], pattern->cased, text, 0);
        if (at == SIZE_MAX || (next == end && !open_behind && at != text.size))
            return false;
    }
    if (!open_behind && next < end)
        end--;
    for (; next < end; next++) {
        at = segment_find(&pattern->segments[next], pattern->cased, text, at);
        if (at == SIZE_MAX)
            return false;
    }
    return end == pattern->count || segment_ends(&pattern->segments[end], pattern->cased, text, at);
}

bool pattern_matches(const struct pattern *pattern, struct slice text)
{
    return match(pattern, text, pattern->open_before, pattern->open_behind);
}

bool pattern_within(const struct pattern *pattern, struct slice text)
{
    return match(pattern, text, true, true);
}

bool pattern_is_any(const struct pattern *pattern)
{
    return pattern->count == 0 && pattern->open_before;
}

bool pattern_exact(const struct pattern *pattern, struct slice *text)
{
    if (pattern->count != 1 || pattern->open_before || pattern->open_behind ||
        !pattern->segments[0].plain)
        return false;
    *text = pattern->segments[0].bytes;
    return true;
}

static bool breaks_run(uint8_t byte, const char *breaks)
{
    return byte == 0 || byte >= 0x80 || strchr(breaks, byte);
}

struct slice pattern_literal(const struct pattern *pattern, const char *breaks, size_t shortest)
{
    struct slice best = slice_of(NULL, 0);
    double best_cost = 0;

    for (size_t i = 0; i < pattern->count; i++) {
        const struct slice spelled = pattern->segments[i].spelled;
        for (size_t at = 0; at < spelled.size;) {
            size_t end = at;
            while (end < spelled.size && !breaks_run(spelled.data[end], breaks))
                end++;
            const struct slice run = slice_part(spelled, at, end - at);
            const double cost = run.size >= shortest ? literal_cost(run) : 0;
            if (run.size >= shortest && (!best.data || cost < best_cost)) {
                best = run;
                best_cost = cost;
            }
            at = end + 1;
        }
    }
    return best;
}

bool pattern_ends_with(const struct pattern *pattern, struct slice literal)
{
    if (pattern->open_behind || pattern->count == 0)
        return false;
    const struct slice last = pattern->segments[pattern->count - 1].spelled;
    return literal.size && literal.data + literal.size == last.data + last.size;
}
