#include "triage/match/item_text.h"

#include "triage/base/base64.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

enum { BASE64_OFFSETS = 3 };

/* --- encodings --- */

/* The next character of valid UTF-8. */
static uint32_t next_point(struct slice bytes, size_t *at)
{
    const size_t size = utf8_sequence(slice_from(bytes, *at));
    uint32_t point = bytes.data[*at] & (size > 1 ? 0x7Fu >> size : 0x7Fu);

    for (size_t i = 1; i < size; i++)
        point = point << 6 | (bytes.data[*at + i] & 0x3F);
    *at += size ? size : 1;
    return point;
}

static size_t put_unit(uint8_t *wide, size_t size, uint32_t unit, bool big_endian)
{
    wide[size + !big_endian] = (uint8_t)(unit >> 8);
    wide[size + big_endian] = (uint8_t)unit;
    return size + 2;
}

/* One unit, or a pair of surrogates; a character takes no more bytes than twice those of UTF-8. */
static size_t put_point(uint8_t *wide, size_t size, uint32_t point, bool big_endian)
{
    if (point < 0x10000)
        return put_unit(wide, size, point, big_endian);
    point -= 0x10000;
    size = put_unit(wide, size, 0xD800 | point >> 10, big_endian);
    return put_unit(wide, size, 0xDC00 | (point & 0x3FF), big_endian);
}

static int encode_utf16(struct rule_memory *memory, enum transform transform, struct tokens in,
                        struct tokens *out)
{
    struct slice bytes;
    const bool mark = transform == TRANSFORM_UTF16;

    if (!tokens_bytes(memory->arena, in, &bytes))
        return error_set("wildcards cannot be encoded");
    if (!utf8_valid(bytes))
        return error_set("only text can be encoded as UTF-16");
    uint8_t *wide = arena_array(memory->arena, bytes.size + 1, 2);
    if (!wide)
        return -1;
    size_t size = 0;
    if (mark) {
        wide[size++] = 0xFF;
        wide[size++] = 0xFE;
    }
    for (size_t at = 0; at < bytes.size;)
        size = put_point(wide, size, next_point(bytes, &at), transform == TRANSFORM_UTF16BE);
    return tokens_plain(memory->arena, slice_of(wide, size), out);
}

static int encode_base64(struct rule_memory *memory, struct tokens in, struct tokens *out)
{
    struct buffer digits = BUFFER_EMPTY;
    struct slice bytes;

    if (!tokens_bytes(memory->arena, in, &bytes))
        return error_set("wildcards cannot be encoded");
    base64_add(&digits, bytes);
    const struct slice kept = buffer_failed(&digits)
                                  ? slice_of(NULL, 0)
                                  : arena_copy(memory->arena, buffer_slice(&digits));
    buffer_release(&digits);
    return kept.data ? tokens_plain(memory->arena, kept, out) : error_set("out of memory");
}

static int transform_tokens(struct rule_memory *memory, enum transform transform,
                            struct tokens *tokens)
{
    const bool before = transform == TRANSFORM_CONTAINS || transform == TRANSFORM_ENDS;
    const bool behind = transform == TRANSFORM_CONTAINS || transform == TRANSFORM_STARTS;

    switch (transform) {
    case TRANSFORM_WINDASH:
        return tokens_windash(memory->arena, *tokens, tokens);
    case TRANSFORM_UTF16LE:
    case TRANSFORM_UTF16BE:
    case TRANSFORM_UTF16:
        return encode_utf16(memory, transform, *tokens, tokens);
    case TRANSFORM_BASE64:
        return encode_base64(memory, *tokens, tokens);
    case TRANSFORM_EXPAND:
        return 0; /* done before the text was read: placeholders_compile() */
    default:
        return tokens_open(memory->arena, *tokens, before, behind, tokens);
    }
}

/* --- patterns --- */

/* Letters beyond ASCII fold as Unicode says, which PCRE2 knows. */
static bool needs_unicode(struct rule_memory *memory, const struct item *item, struct tokens tokens)
{
    struct slice bytes;

    for (size_t i = 0; i < item->transform_count; i++)
        if (item->transforms[i] >= TRANSFORM_UTF16LE && item->transforms[i] != TRANSFORM_EXPAND)
            return false;
    if (item->cased || tokens_are_ascii(tokens))
        return false;
    return !tokens_bytes(memory->arena, tokens, &bytes) || utf8_valid(bytes);
}

static const struct expression *pattern_clause(struct rule_memory *memory, const struct item *item,
                                               struct tokens tokens)
{
    struct clause clause = {.kind = CLAUSE_PATTERN};
    struct buffer text = BUFFER_EMPTY;
    bool ok = true;

    clause.pattern = pattern_new(memory->arena, tokens, item->cased);
    if (!clause.pattern)
        return NULL;
    if (needs_unicode(memory, item, tokens)) {
        clause.regex_options = REGEX_CASELESS | REGEX_UNICODE;
        tokens_to_regex(tokens, true, &text);
        ok =
            rule_memory_regex(memory, arena_copy(memory->arena, buffer_slice(&text)), &clause) == 0;
        buffer_release(&text);
    }
    return ok ? item_clause(memory, item, clause) : NULL;
}

static const struct expression *transformed_clause(struct rule_memory *memory,
                                                   const struct item *item, struct tokens tokens,
                                                   size_t next);

/* Three strings, one for each place in a group of three bytes. */
static const struct expression *base64offset_clause(struct rule_memory *memory,
                                                    const struct item *item, struct tokens tokens,
                                                    size_t next)
{
    const struct expression *parts[BASE64_OFFSETS];
    struct slice bytes;

    if (!tokens_bytes(memory->arena, tokens, &bytes)) {
        error_set("wildcards cannot be encoded");
        return NULL;
    }
    for (size_t i = 0; i < BASE64_OFFSETS; i++) {
        const struct slice text = base64_within(memory->arena, bytes, i);
        if (text.size == 0) {
            error_set("the text is too short for base64offset");
            return NULL;
        }
        if (tokens_plain(memory->arena, text, &tokens) < 0 ||
            !(parts[i] = transformed_clause(memory, item, tokens, next)))
            return NULL;
    }
    return expression_at_least(memory->arena, 1, parts, BASE64_OFFSETS);
}

/* Applies the transforms from `next` on, in their order. */
static const struct expression *transformed_clause(struct rule_memory *memory,
                                                   const struct item *item, struct tokens tokens,
                                                   size_t next)
{
    for (size_t i = next; i < item->transform_count; i++) {
        if (item->transforms[i] == TRANSFORM_BASE64OFFSET)
            return base64offset_clause(memory, item, tokens, i + 1);
        if (transform_tokens(memory, item->transforms[i], &tokens) < 0)
            return NULL;
    }
    if (item->keyword && tokens_open(memory->arena, tokens, true, true, &tokens) < 0)
        return NULL;
    return pattern_clause(memory, item, tokens);
}

const struct expression *item_text_clause(struct rule_memory *memory, const struct item *item,
                                          struct slice text)
{
    struct tokens tokens;

    if (tokens_parse(memory->arena, text, &tokens) < 0)
        return NULL;
    return transformed_clause(memory, item, tokens, 0);
}
