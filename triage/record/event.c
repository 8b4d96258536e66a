#include "triage/record/event.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *meaning;
} fields[FIELD_COUNT] = {
    [FIELD_OTHER] = {NULL, NULL},
#define FIELD(suffix, name, meaning) [FIELD_##suffix] = {name, meaning},
#include "triage/record/fields.def"
#undef FIELD
};

static const uint8_t name_sizes[FIELD_COUNT] = {
#define FIELD(suffix, name, meaning) [FIELD_##suffix] = sizeof(name) - 1,
#include "triage/record/fields.def"
#undef FIELD
};

static const struct {
    const char *name, *time, *sentence;
} kinds[KIND_COUNT] = {
#define KIND(suffix, name, time, sentence) [KIND_##suffix] = {name, time, sentence},
#include "triage/record/kinds.def"
#undef KIND
};

const char *field_name(enum field field)
{
    return field < FIELD_COUNT ? fields[field].name : NULL;
}

const char *field_meaning(enum field field)
{
    return field < FIELD_COUNT ? fields[field].meaning : NULL;
}

/* Names are told apart by their size first: a field is looked up for each name of each template. */
enum field field_from_name(struct slice name)
{
    for (size_t i = 1; name.size <= UINT8_MAX && i < FIELD_COUNT; i++) {
        const uint8_t *found = memchr(name_sizes + i, (int)name.size, FIELD_COUNT - i);
        if (!found)
            break;
        i = (size_t)(found - name_sizes);
        if (name.size && bytes_equal_nocase(name.data, (const uint8_t *)fields[i].name, name.size))
            return (enum field)i;
    }
    return FIELD_OTHER;
}

const char *kind_name(enum kind kind)
{
    return kinds[kind].name;
}

const char *kind_time_meaning(enum kind kind)
{
    return kinds[kind].time;
}

const char *kind_sentence(enum kind kind)
{
    return kinds[kind].sentence;
}

struct slice event_value(const struct event *event, const char *name)
{
    for (size_t i = 0; i < event->value_count; i++)
        if (slice_is_nocase(slice_of_text(event->values[i].name), name))
            return event->values[i].text;
    return slice_of(NULL, 0);
}
