#include "triage/record/event.h"

#include <pthread.h>
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

/* Fields by the hash of their names, the first of the vocabulary first; made once. */
enum { NAME_HEADS = 1024 };

static uint16_t name_heads[NAME_HEADS], name_next[FIELD_COUNT];
static pthread_once_t names_hashed = PTHREAD_ONCE_INIT;

/* Size and three letters of any case: a field is looked up for each name of each template. */
static size_t name_head(struct slice name)
{
    const uint32_t first = name.data[0] | 0x20u, middle = name.data[name.size / 2] | 0x20u,
                   last = name.data[name.size - 1] | 0x20u;

    return ((first << 24 | middle << 16 | last << 8 | (uint32_t)(name.size & 0xFF)) *
            2654435761u) >>
           22;
}

static void hash_names(void)
{
    for (size_t i = FIELD_COUNT - 1; i > FIELD_OTHER; i--) {
        uint16_t *head = &name_heads[name_head(slice_of_text(fields[i].name))];
        name_next[i] = *head;
        *head = (uint16_t)i;
    }
}

enum field field_from_name(struct slice name)
{
    pthread_once(&names_hashed, hash_names);
    if (name.size == 0)
        return FIELD_OTHER;
    size_t field = name_heads[name_head(name)];
    while (field != FIELD_OTHER && !slice_is_nocase(name, fields[field].name))
        field = name_next[field];
    return (enum field)field;
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
