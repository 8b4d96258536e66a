#include "triage/engine/message.h"

#include "triage/base/json.h"
#include "triage/base/utf16.h"

#include <string.h>

enum { VALUE_CEILING = 300 };

static void add_cleaned(struct buffer *out, struct slice text)
{
    const struct slice shown = slice_part(text, 0, VALUE_CEILING);

    utf8_append_tame(out, shown);
    if (shown.size < text.size)
        buffer_add_text(out, "...");
}

/* One "{name|instead}". */
static void add_placeholder(const struct event *event, struct slice placeholder, struct buffer *out)
{
    char name[64];
    const size_t bar = slice_find(placeholder, 0, '|');
    const struct slice before = slice_part(placeholder, 0, bar);

    if (before.size >= sizeof name)
        return;
    memcpy(name, before.data, before.size);
    name[before.size] = 0;
    const struct slice value = event_value(event, name);
    if (value.size == 0 && bar != SIZE_MAX)
        buffer_add(out, slice_from(placeholder, bar + 1));
    else
        add_cleaned(out, value);
}

void message_of(const struct event *event, struct buffer *out)
{
    struct slice rest = slice_of_text(event->marks & EVENT_REJECTED ? kind_sentence(KIND_text_line)
                                                                    : kind_sentence(event->kind));

    while (rest.size) {
        const size_t open = slice_find(rest, 0, '{');
        buffer_add(out, slice_part(rest, 0, open));
        const size_t close = open == SIZE_MAX ? SIZE_MAX : slice_find(rest, open, '}');
        if (close == SIZE_MAX)
            return;
        add_placeholder(event, slice_part(rest, open + 1, close - open - 1), out);
        rest = slice_from(rest, close + 1);
    }
}

static bool seen_before(const struct event *event, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!event->values[i].alias && strcmp(event->values[i].name, event->values[at].name) == 0)
            return true;
    return false;
}

void message_fields(const struct event *event, struct buffer *out)
{
    struct json json = json_over(out, false);

    json_object(&json);
    for (size_t i = 0; i < event->value_count; i++)
        if (!event->values[i].alias && !seen_before(event, i))
            json_pair_slice(&json, event->values[i].name, event->values[i].text);
    json_object_end(&json);
}
