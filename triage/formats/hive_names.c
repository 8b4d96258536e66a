/* Names of keys and values: written as text, and what is looked for by its name. */
#include "triage/formats/hive.h"

#include "triage/base/utf16.h"

static void append_latin1(struct buffer *buffer, uint8_t byte)
{
    if (byte >= 0x80)
        buffer_add_byte(buffer, (uint8_t)(0xC0 | byte >> 6));
    buffer_add_byte(buffer, byte < 0x80 ? byte : (uint8_t)(0x80 | (byte & 0x3F)));
}

void hive_append_name(struct buffer *buffer, struct hive_name name)
{
    if (!name.latin1) {
        utf16_append(buffer, name.bytes, false);
        return;
    }
    size_t ascii = 0;
    while (ascii < name.bytes.size && name.bytes.data[ascii] < 0x80)
        ascii++;
    buffer_add(buffer, slice_part(name.bytes, 0, ascii));
    for (size_t i = ascii; i < name.bytes.size; i++)
        append_latin1(buffer, name.bytes.data[i]);
}

char *hive_name_text(struct hive_name name, struct arena *arena)
{
    struct buffer buffer = BUFFER_EMPTY;

    hive_append_name(&buffer, name);
    char *text = buffer_failed(&buffer) ? NULL : arena_text(arena, buffer_slice(&buffer));
    buffer_release(&buffer);
    return text;
}

/* UTF-8 text with ASCII and Latin-1 letters in lower case, in place; Latin-1 capitals are C3 80 to
 * C3 9E but for the sign x. */
static void fold_text(uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] |= 0x20;
        else if (i && text[i - 1] == 0xC3 && text[i] <= 0x9E && text[i] != 0x97)
            text[i] |= 0x20;
    }
}

static bool name_is_beyond_ascii(struct hive_name name, struct slice text)
{
    struct buffer a = BUFFER_EMPTY, b = BUFFER_EMPTY;

    hive_append_name(&a, name);
    buffer_add(&b, text);
    fold_text(a.data, a.size);
    fold_text(b.data, b.size);
    const bool same = slice_equal(buffer_slice(&a), buffer_slice(&b));
    buffer_release(&a);
    buffer_release(&b);
    return same;
}

static bool is_ascii(struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] >= 0x80)
            return false;
    return true;
}

static bool name_is(struct hive_name name, struct slice text)
{
    if (name.latin1 && is_ascii(text))
        return slice_equal_nocase(name.bytes, text);
    return name_is_beyond_ascii(name, text);
}

static bool find_subkey(struct hive *hive, const struct hive_key *parent, struct slice name,
                        struct hive_key *key)
{
    struct hive_subkeys subkeys = hive_subkeys(hive, parent);
    struct hive_key found;

    while (hive_next_subkey(&subkeys, &found)) {
        if (name_is(found.name, name)) {
            *key = found;
            return true;
        }
    }
    return false;
}

bool hive_find(struct hive *hive, const struct hive_key *from, const char *path,
               struct hive_key *key)
{
    struct hive_key at = from ? *from : hive_root(hive);
    struct slice rest = slice_of_text(path);

    while (rest.size) {
        const size_t end = slice_find(rest, 0, '\\');
        const struct slice name = slice_part(rest, 0, end);
        rest = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, end + 1);
        if (name.size && !find_subkey(hive, &at, name, &at))
            return false;
    }
    *key = at;
    return true;
}

bool hive_find_value(struct hive *hive, const struct hive_key *key, const char *name,
                     struct hive_value *value)
{
    struct hive_values values = hive_values(hive, key);
    struct hive_value found;

    while (hive_next_value(&values, &found)) {
        if (name_is(found.name, slice_of_text(name))) {
            *value = found;
            return true;
        }
    }
    return false;
}
