#include "triage/record/event.h"

#include <stddef.h>

static const struct {
    const char *name, *meaning;
    size_t name_size;
} fields[FIELD_COUNT] = {
    [FIELD_OTHER] = {NULL, NULL, 0},
#define FIELD(suffix, name, meaning) [FIELD_##suffix] = {name, meaning, sizeof(name) - 1},
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

enum field field_from_name(struct slice name)
{
    for (size_t i = 1; name.size && i < FIELD_COUNT; i++)
        if (name.size == fields[i].name_size &&
            bytes_equal_nocase(name.data, (const uint8_t *)fields[i].name, name.size))
            return (enum field)i;
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
