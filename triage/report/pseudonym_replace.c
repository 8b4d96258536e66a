/* Pseudonyms in the place of names: in texts, in what base64 hides, in JSON. */
#include "triage/base/base64.h"
#include "triage/formats/json_reader.h"
#include "triage/report/pseudonym_parts.h"

#include <string.h>

enum {
    ENCODED_LEAST = 20,
    ENCODED_MOST = 64 << 10,
    TELLING = 5, /* bytes of a name that do not stand in other bytes by chance */
};

/* A name so telling that it is looked for within words too. */
static bool stands_anywhere(const struct pseudonym_name *name, size_t size)
{
    const bool odd = strpbrk(name->text, "0123456789.") != NULL;

    return name->kind == PSEUDONYM_USER ? odd && size >= 6 : size >= 6 || (odd && size >= 4);
}

/* The longest learned name that begins here. */
static uint32_t longest_name(const struct pseudonyms *names, struct slice text, size_t at,
                             size_t *size)
{
    const bool begins = pseudonym_begins_word(text, at);
    const struct slice rest = slice_from(text, at);
    struct pseudonym_walk walk = {0};
    uint32_t longest = 0;

    while (pseudonyms_walk(names, rest, &walk)) {
        const struct pseudonym_name *name = pseudonyms_at(names, walk.name);
        const bool ends = walk.size == rest.size || !pseudonym_is_word(rest.data[walk.size]);
        if (name->in_text && !name->is_kept &&
            ((begins && ends) || stands_anywhere(name, walk.size))) {
            longest = walk.name;
            *size = walk.size;
        }
    }
    return longest;
}

static bool holds_name(struct pseudonyms *names, struct slice text)
{
    struct pseudonym_form found;

    for (size_t at = 0; at < text.size; at++) {
        size_t size = 0;
        pseudonym_find_form(names, text, at, &found);
        if (found.size || (longest_name(names, text, at, &size) && size >= TELLING))
            return true;
    }
    return false;
}

/* --- base64 --- */

/* Without NULs UTF-16 reads like ASCII. */
static void leave_nuls_out(struct buffer *bytes)
{
    size_t kept = 0;

    for (size_t i = 0; i < bytes->size; i++)
        if (bytes->data[i])
            bytes->data[kept++] = bytes->data[i];
    bytes->size = kept;
}

/* Bytes of Base64 in which a name is hidden; 0 when there is none. */
static size_t find_encoded(struct pseudonyms *names, struct slice text, size_t at)
{
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_-";
    struct buffer bytes = BUFFER_EMPTY;
    bool hidden = false;

    if (!pseudonym_begins_run(text, at, characters))
        return 0;
    const size_t size = pseudonym_run(slice_from(text, at), characters, ENCODED_MOST);
    if (size < ENCODED_LEAST)
        return 0;
    /* Other characters of the alphabet may stand in front: each of the four ways to begin. */
    for (size_t skipped = 0; skipped < 4 && !hidden; skipped++) {
        buffer_clear(&bytes);
        base64_read(&bytes, slice_part(text, at + skipped, size - skipped), base64url_digit);
        leave_nuls_out(&bytes);
        hidden = holds_name(names, buffer_slice(&bytes));
    }
    buffer_release(&bytes);
    return !hidden ? 0 : size + pseudonym_run(slice_from(text, at + size), "=", 2);
}

/* --- texts --- */

/* What stands at `at`: its size, and the name; 0 when it is nothing to hide. */
static uint32_t find(struct pseudonyms *names, struct slice text, size_t at, size_t *size)
{
    struct pseudonym_form found;

    if ((*size = find_encoded(names, text, at)))
        return pseudonyms_add(
            names, PSEUDONYM_ENCODED,
            slice_part(text, at, *size < PSEUDONYM_NAME_MOST ? *size : PSEUDONYM_NAME_MOST), false);
    pseudonym_find_form(names, text, at, &found);
    if (!found.size)
        return longest_name(names, text, at, size);
    const struct pseudonym_name *known = pseudonyms_at(names, pseudonyms_find(names, found.key));
    *size = found.size;
    return known && known->is_kept        ? 0
           : found.kind == PSEUDONYM_HOST ? pseudonyms_add_full_host(names, found.key)
                                          : pseudonyms_add(names, found.kind, found.key, false);
}

bool pseudonyms_replace(struct pseudonyms *names, struct slice text, struct buffer *out)
{
    bool replaced = false;

    for (size_t at = 0; at < text.size;) {
        size_t size = 0;
        const uint32_t name = find(names, text, at, &size);
        if (name) {
            pseudonyms_use(names, name, out);
            replaced = true;
        } else {
            size = size ? size : 1;
            buffer_add(out, slice_part(text, at, size));
        }
        at += size;
    }
    return replaced;
}

/* --- JSON --- */

/* Bytes of the JSON text that begins with a quote, both quotes included; its content in `plain`. */
static size_t read_text(struct slice json, struct buffer *plain)
{
    size_t at = 1;

    buffer_clear(plain);
    while (at < json.size && json.data[at] != '"') {
        uint8_t character[4];
        size_t size;
        const size_t escape = json_read_escape(slice_from(json, at), character, &size);
        if (escape)
            buffer_add(plain, slice_of(character, size));
        else
            buffer_add_byte(plain, json.data[at]);
        at += escape ? escape : 1;
    }
    return at < json.size ? at + 1 : json.size;
}

bool pseudonyms_replace_json(struct pseudonyms *names, struct slice text, struct buffer *out)
{
    struct buffer plain = BUFFER_EMPTY, changed = BUFFER_EMPTY;
    bool replaced = false;

    for (size_t at = 0; at < text.size;) {
        if (text.data[at] != '"') {
            buffer_add_byte(out, text.data[at++]);
            continue;
        }
        const size_t size = read_text(slice_from(text, at), &plain);
        size_t behind = at + size;
        while (behind < text.size && strchr(" \t\r\n", text.data[behind]) && text.data[behind])
            behind++;
        const bool is_key = behind < text.size && text.data[behind] == ':';
        buffer_clear(&changed);
        if (!is_key && pseudonyms_replace(names, buffer_slice(&plain), &changed)) {
            struct json json = json_over(out, false);
            json_slice(&json, buffer_slice(&changed));
            replaced = true;
        } else {
            buffer_add(out, slice_part(text, at, size));
        }
        at += size;
    }
    buffer_release(&plain);
    buffer_release(&changed);
    return replaced;
}
