#include "triage/record/source_map.h"

#include "triage/base/arena.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SELECTORS_MOST = 8, HEADS = 256 };

struct selector {
    const char *category, *service;
    uint64_t number;
    struct source_where where;
};

struct named_channel {
    const char *service, *channel;
};

struct also {
    const char *service;
    struct log_source source;
};

/* The answers for one event id of a channel: a list for each set of selectors that hold. */
struct numbered {
    uint64_t number;
    const struct selector *selectors[SELECTORS_MOST];
    size_t count;
    const struct log_source **lists; /* 1 << count */
};

struct channel {
    const char *name;
    struct channel *next; /* with the same hash */
    const struct log_source *plain;
    struct numbered *numbers; /* ascending */
    size_t count;
};

struct source_map {
    struct arena *arena;   /* what was added */
    struct arena *answers; /* what source_map_finish made */
    struct selector *selectors;
    struct named_channel *channels;
    struct also *also;
    size_t selector_count, channel_count, also_count;
    struct log_source *all;
    struct channel *heads[HEADS];
};

const struct log_source source_map_any[] = {{NULL, "windows", "(event logs)"}, {NULL, NULL, NULL}};
static const struct log_source others[] = {{NULL, "windows", NULL}, {NULL, NULL, NULL}};

struct source_map *source_map_new(void)
{
    struct source_map *map = calloc(1, sizeof *map);

    if (!map)
        return NULL;
    map->arena = arena_new(0);
    map->answers = arena_new(0);
    if (map->arena && map->answers)
        return map;
    source_map_free(map);
    return NULL;
}

void source_map_free(struct source_map *map)
{
    if (!map)
        return;
    arena_free(map->arena);
    arena_free(map->answers);
    free(map->selectors);
    free(map->channels);
    free(map->also);
    free(map);
}

/* Room for one more at the end of a list; NULL when memory is out. */
static void *grow(void *list, size_t count, size_t size)
{
    return realloc(list, (count + 1) * size);
}

int source_map_add_channel(struct source_map *map, const char *service, const char *channel)
{
    for (size_t i = 0; i < map->channel_count; i++)
        if (strcmp(map->channels[i].service, service) == 0 &&
            strcasecmp(map->channels[i].channel, channel) == 0)
            return 0;
    struct named_channel *list = grow(map->channels, map->channel_count, sizeof *list);
    if (!list)
        return error_set("out of memory");
    map->channels = list;
    list[map->channel_count++] = (struct named_channel){service, channel};
    return 0;
}

static bool same_where(const struct source_where *a, const struct source_where *b)
{
    if (!a->field || !b->field)
        return a->field == b->field;
    size_t i = 0;
    while (a->values[i] && b->values[i] && strcmp(a->values[i], b->values[i]) == 0)
        i++;
    return strcmp(a->field, b->field) == 0 && !a->values[i] && !b->values[i];
}

int source_map_add_category(struct source_map *map, const char *category, const char *service,
                            uint64_t number, struct source_where where)
{
    size_t alike = 0;

    for (size_t i = 0; i < map->selector_count; i++) {
        const struct selector *known = &map->selectors[i];
        if (known->number != number || strcmp(known->service, service) != 0)
            continue;
        if (strcmp(known->category, category) == 0 && same_where(&known->where, &where))
            return 0;
        alike++;
    }
    if (alike == SELECTORS_MOST)
        return error_set("more than %d categories for event id %llu of service '%s'",
                         SELECTORS_MOST, (unsigned long long)number, service);
    struct selector *list = grow(map->selectors, map->selector_count, sizeof *list);
    if (!list)
        return error_set("out of memory");
    map->selectors = list;
    list[map->selector_count++] = (struct selector){category, service, number, where};
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int source_map_add_also(struct source_map *map, const char *service, struct log_source source)
{
    for (size_t i = 0; i < map->also_count; i++)
        if (strcmp(map->also[i].service, service) == 0 &&
            same_text(map->also[i].source.category, source.category) &&
            same_text(map->also[i].source.product, source.product) &&
            same_text(map->also[i].source.service, source.service))
            return 0;
    struct also *list = grow(map->also, map->also_count, sizeof *list);
    if (!list)
        return error_set("out of memory");
    map->also = list;
    list[map->also_count++] = (struct also){service, source};
    return 0;
}

/* --- answers --- */

static struct channel **head_of(struct source_map *map, struct slice name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.size; i++) {
        const uint8_t byte = name.data[i];
        hash = (hash ^ (byte >= 'A' && byte <= 'Z' ? byte | 0x20u : byte)) * 16777619u;
    }
    return &map->heads[hash % HEADS];
}

static const struct channel *find_channel(const struct source_map *map, struct slice name)
{
    const struct channel *channel = *head_of((struct source_map *)map, name);

    while (channel && !slice_is_nocase(name, channel->name))
        channel = channel->next;
    return channel;
}

/* Services of the channel, one after the other: each with the categories that hold, or alone. */
static const struct log_source *make_list(struct source_map *map, const char *channel,
                                          const struct numbered *numbered, size_t held)
{
    const size_t most = map->channel_count + SELECTORS_MOST + map->also_count;
    struct log_source *list = arena_array(map->answers, most + 1, sizeof *list);
    size_t count = 0;

    for (size_t i = 0; list && i < map->channel_count; i++) {
        const char *service = map->channels[i].service;
        const size_t before = count;
        if (strcasecmp(map->channels[i].channel, channel) != 0)
            continue;
        for (size_t j = 0; numbered && j < numbered->count; j++)
            if (held >> j & 1 && strcmp(numbered->selectors[j]->service, service) == 0)
                list[count++] =
                    (struct log_source){numbered->selectors[j]->category, "windows", service};
        if (count == before)
            list[count++] = (struct log_source){NULL, "windows", service};
        for (size_t j = 0; j < map->also_count; j++)
            if (strcmp(map->also[j].service, service) == 0)
                list[count++] = map->also[j].source;
    }
    return list;
}

static bool is_of_channel(const struct source_map *map, const char *service, const char *channel)
{
    for (size_t i = 0; i < map->channel_count; i++)
        if (strcmp(map->channels[i].service, service) == 0 &&
            strcasecmp(map->channels[i].channel, channel) == 0)
            return true;
    return false;
}

static int by_number(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

/* The selectors of a channel's services, by their event ids. */
static int collect(struct source_map *map, struct channel *channel)
{
    channel->numbers = arena_array(map->answers, map->selector_count + 1, sizeof *channel->numbers);
    if (!channel->numbers)
        return -1;
    for (size_t i = 0; i < map->selector_count; i++) {
        const struct selector *selector = &map->selectors[i];
        size_t at = 0;
        if (!is_of_channel(map, selector->service, channel->name))
            continue;
        while (at < channel->count && channel->numbers[at].number != selector->number)
            at++;
        channel->count += at == channel->count;
        struct numbered *numbered = &channel->numbers[at];
        numbered->number = selector->number;
        if (numbered->count == SELECTORS_MOST)
            return error_set("channel '%.100s': too many categories for one event id",
                             channel->name);
        numbered->selectors[numbered->count++] = selector;
    }
    if (channel->count)
        qsort(channel->numbers, channel->count, sizeof *channel->numbers, by_number);
    return 0;
}

static int make_channel(struct source_map *map, const char *name)
{
    struct channel **head = head_of(map, slice_of_text(name));
    struct channel *channel = arena_take(map->answers, sizeof *channel);

    if (find_channel(map, slice_of_text(name)))
        return 0;
    if (!channel)
        return -1;
    channel->name = name;
    channel->next = *head;
    *head = channel;
    if (!(channel->plain = make_list(map, name, NULL, 0)) || collect(map, channel) < 0)
        return -1;
    for (size_t i = 0; i < channel->count; i++) {
        struct numbered *numbered = &channel->numbers[i];
        const size_t sets = (size_t)1 << numbered->count;
        numbered->lists = arena_array(map->answers, sets, sizeof(*numbered->lists));
        for (size_t held = 0; numbered->lists && held < sets; held++)
            if (!(numbered->lists[held] = make_list(map, name, numbered, held)))
                return -1;
        if (!numbered->lists)
            return -1;
    }
    return 0;
}

static int make_all(struct source_map *map)
{
    const size_t most = map->channel_count + map->selector_count + map->also_count + 2;
    size_t count = 0;

    map->all = arena_array(map->answers, most, sizeof *map->all);
    if (!map->all)
        return -1;
    for (size_t i = 0; i < map->channel_count; i++)
        map->all[count++] = (struct log_source){NULL, "windows", map->channels[i].service};
    for (size_t i = 0; i < map->selector_count; i++)
        map->all[count++] =
            (struct log_source){map->selectors[i].category, "windows", map->selectors[i].service};
    for (size_t i = 0; i < map->also_count; i++)
        map->all[count++] = map->also[i].source;
    map->all[count] = others[0];
    return 0;
}

int source_map_finish(struct source_map *map)
{
    arena_reset(map->answers);
    memset(map->heads, 0, sizeof map->heads);
    for (size_t i = 0; i < map->channel_count; i++)
        if (make_channel(map, map->channels[i].channel) < 0)
            return error_prefix("log sources");
    return make_all(map);
}

/* --- questions --- */

const struct log_source *source_map_all(const struct source_map *map)
{
    return map && map->all ? map->all : others;
}

static bool holds(const struct source_where *where, const struct event *event)
{
    if (!where->field)
        return true;
    const struct slice text = event_value(event, where->field);
    for (const char *const *value = where->values; *value; value++)
        if (slice_is_nocase(text, *value))
            return true;
    return false;
}

const struct log_source *source_map_of(const struct source_map *map, struct slice channel,
                                       uint64_t number, const struct event *event)
{
    const struct numbered sought = {.number = number};
    const struct channel *known = map ? find_channel(map, channel) : NULL;
    size_t held = 0;

    if (!known)
        return others;
    const struct numbered *numbered =
        bsearch(&sought, known->numbers, known->count, sizeof sought, by_number);
    if (!numbered)
        return known->plain;
    for (size_t i = 0; i < numbered->count; i++)
        held |= (size_t)holds(&numbered->selectors[i]->where, event) << i;
    return numbered->lists[held];
}
