#include "triage/findings/moved.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/formats/json_reader.h"

#include <stdlib.h>
#include <string.h>

enum {
    SCRATCH = 4 << 20,
    ARTIFACTS_MOST = 16,
    KEYS_MOST = 50000, /* clients, and users, of one kind of log; more are part of the rest */
    PLACES = 131072,
    MAP_DAYS = 200 * 366,
    USUAL_DAYS = 3, /* fewer make no usual */
    UNUSUAL_TIMES = 10,
};
static const uint64_t UNUSUAL_LEAST = UINT64_C(50) << 20; /* bytes */

struct table {
    struct moved_row *rows;
    uint32_t *places; /* number of the row and one more */
    size_t count;
};

struct making {
    const char *artifact;
    struct moved_row all;
    uint64_t during[MAP_DAYS / 64 + 1], other[MAP_DAYS / 64 + 1]; /* days, from 1990 on */
    struct table clients, users, programs;
};

struct collecting {
    struct arena *arena, *scratch;
    struct moved *volumes;
    struct making *list[ARTIFACTS_MOST];
    size_t count;
};

/* --- tables --- */

/* Where the row of that name is named, or would be. */
static uint32_t *place_of(const struct table *table, struct slice name)
{
    uint64_t hash = 0xCBF29CE484222325;

    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * 0x100000001B3;
    size_t at = (hash ^ hash >> 32) & (PLACES - 1);
    while (table->places[at] && !slice_is(name, table->rows[table->places[at] - 1].name))
        at = (at + 1) & (PLACES - 1);
    return &table->places[at];
}

/* NULL when the table is full, or memory is out. */
static struct moved_row *row_of(struct table *table, struct slice name, struct arena *arena)
{
    if (!table->rows) {
        table->rows = calloc(KEYS_MOST, sizeof *table->rows);
        table->places = calloc(PLACES, sizeof *table->places);
    }
    if (!table->rows || !table->places)
        return NULL;
    uint32_t *place = place_of(table, name);
    if (*place)
        return &table->rows[*place - 1];
    if (table->count == KEYS_MOST)
        return NULL;
    struct moved_row *row = &table->rows[table->count];
    if (!(row->name = arena_text(arena, name)))
        return NULL;
    *place = (uint32_t)++table->count;
    return row;
}

/* Numbers are what a log says: their sum may be beyond any number. */
static void add_number(uint64_t *sum, uint64_t number)
{
    if (__builtin_add_overflow(*sum, number, sum))
        *sum = UINT64_MAX;
}

static void add_to_row(struct moved_row *row, const uint64_t numbers[3], bool during)
{
    add_number(&row->sent, numbers[0]);
    add_number(&row->received, numbers[1]);
    add_number(&row->lines, numbers[2]);
    if (during)
        add_number(&row->sent_during, numbers[0]);
}

/* --- facts --- */

static struct making *making_of(struct collecting *collecting, const char *artifact)
{
    for (size_t i = 0; i < collecting->count; i++)
        if (strcmp(collecting->list[i]->artifact, artifact) == 0)
            return collecting->list[i];
    if (collecting->count == ARTIFACTS_MOST)
        return NULL;
    struct making *making = calloc(1, sizeof *making);
    if (!making)
        return NULL;
    making->artifact = arena_text(collecting->arena, slice_of_text(artifact));
    if (!making->artifact) {
        free(making);
        return NULL;
    }
    collecting->list[collecting->count++] = making;
    return making;
}

static struct slice member(const struct json_value *fields, const char *name)
{
    const struct json_value *value = json_member(fields, name);

    return value && value->type == JSON_STRING ? value->text : slice_of(NULL, 0);
}

/* Whether the file tells of the time of the intrusion. */
static bool is_during(const struct collecting *collecting, const struct case_fact *fact,
                      const struct json_value *fields)
{
    const struct moved *volumes = collecting->volumes;
    struct instant first;

    if (!volumes->has_intrusion || !fact->dated)
        return false;
    const int64_t from = instant_parse(member(fields, "FirstSeen"), &first, NULL)
                             ? instant_to_unix_us(first)
                             : fact->timestamp;
    return from <= volumes->until && fact->timestamp >= volumes->from;
}

static void note_day(const struct case_fact *fact, uint64_t days[MAP_DAYS / 64 + 1])
{
    static const int64_t DAY = INT64_C(86400000000);
    const int64_t start =
        instant_to_unix_us(instant_from_civil((struct civil){1990, 1, 1, 0, 0, 0, 0}));
    const int64_t day = (fact->timestamp - start) / DAY;

    if (fact->dated && fact->timestamp >= start && day < MAP_DAYS)
        days[day / 64] |= UINT64_C(1) << day % 64;
}

/* "sent received lines name", a line each. */
static void take_list(struct collecting *collecting, struct table *table, struct slice list,
                      bool during)
{
    while (list.size) {
        const size_t end = slice_find(list, 0, '\n');
        struct slice line = slice_part(list, 0, end);
        uint64_t numbers[3] = {0};
        for (size_t i = 0; i < 3; i++) {
            const size_t blank = slice_find(line, 0, ' ');
            slice_to_u64(slice_part(line, 0, blank), &numbers[i]);
            line = blank == SIZE_MAX ? slice_of(NULL, 0) : slice_from(line, blank + 1);
        }
        struct moved_row *row = line.size ? row_of(table, line, collecting->arena) : NULL;
        if (row)
            add_to_row(row, numbers, during);
        list = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(list, end + 1);
    }
}

static void numbers_of(const struct json_value *fields, const char *lines, uint64_t numbers[3])
{
    slice_to_u64(member(fields, "BytesSent"), &numbers[0]);
    slice_to_u64(member(fields, "BytesReceived"), &numbers[1]);
    slice_to_u64(member(fields, lines), &numbers[2]);
}

static int log_fact(struct collecting *collecting, const struct case_fact *fact,
                    const struct json_value *fields)
{
    struct making *making = making_of(collecting, fact->artifact);
    const bool during = is_during(collecting, fact, fields);
    uint64_t numbers[3] = {0};

    if (!making || fact->snapshot != 0 || strstr(fact->marks, "recovered"))
        return 0;
    numbers_of(fields, "Lines", numbers);
    add_to_row(&making->all, numbers, during);
    note_day(fact, during ? making->during : making->other);
    take_list(collecting, &making->clients, member(fields, "Clients"), during);
    take_list(collecting, &making->users, member(fields, "Users"), during);
    return 0;
}

/* Sums over the whole database: they cannot be told from other days. */
static int monitor_fact(struct collecting *collecting, const struct case_fact *fact,
                        const struct json_value *fields)
{
    struct making *making = making_of(collecting, fact->artifact);
    const struct slice program = member(fields, "Application");
    uint64_t numbers[3] = {0};

    if (!making || fact->snapshot != 0 || !program.size)
        return 0;
    numbers_of(fields, "Intervals", numbers);
    add_to_row(&making->all, numbers, false);
    struct moved_row *row = row_of(&making->programs, program, collecting->arena);
    if (row)
        add_to_row(row, numbers, false);
    return 0;
}

static int take_fact(void *context, const struct case_fact *fact)
{
    struct collecting *collecting = context;
    const bool of_log = strcmp(fact->kind, "log.volume") == 0;
    struct json_value *fields;

    if (!of_log && strcmp(fact->kind, "srum.total") != 0)
        return 0;
    arena_reset(collecting->scratch);
    if (json_read(slice_of_text(fact->fields), collecting->scratch, &fields) < 0)
        return 0;
    return of_log ? log_fact(collecting, fact, fields) : monitor_fact(collecting, fact, fields);
}

/* --- who moved most --- */

/* Intruders first, then who moved unusually much, however little that is. */
static int by_weight(const void *a, const void *b)
{
    const struct moved_row *x = a, *y = b;

    if (x->actor != y->actor)
        return x->actor ? -1 : 1;
    if (!x->times_usual != !y->times_usual)
        return x->times_usual ? -1 : 1;
    if (x->sent != y->sent)
        return x->sent > y->sent ? -1 : 1;
    if (x->received != y->received)
        return x->received > y->received ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void compare_with_usual(const struct log_bytes *volume, struct moved_row *row)
{
    if (volume->days_other < USUAL_DAYS || !volume->days_during || row->sent_during < UNUSUAL_LEAST)
        return;
    const uint64_t during = row->sent_during / (uint64_t)volume->days_during;
    const uint64_t usual = (row->sent - row->sent_during) / (uint64_t)volume->days_other;
    const uint64_t times = during / (usual ? usual : 1);
    row->times_usual = times >= UNUSUAL_TIMES ? times : 0;
}

static size_t first_of_actor(const struct sightings *sightings, const struct incident *incident,
                             const char *address)
{
    for (size_t i = 0; i < incident->member_count; i++)
        if (sightings->list[incident->members[i]].actor == address)
            return incident->members[i];
    return 0;
}

static void mark_actors(const struct sightings *sightings, const struct incidents *incidents,
                        struct table *table)
{
    enum { ACTORS_MOST = 200 };

    for (size_t i = 0; i < incidents->count && table->count; i++) {
        const struct incident *incident = &incidents->list[i];
        for (size_t j = 0; j < incident->actor_count && j < ACTORS_MOST; j++) {
            const struct actor *actor = &incident->actors[j];
            const uint32_t place = *place_of(table, slice_of_text(actor->address));
            if (!place || actor->rung < RUNG_EXPLOITED || table->rows[place - 1].actor)
                continue;
            table->rows[place - 1].actor = true;
            table->rows[place - 1].first_sighting =
                first_of_actor(sightings, incident, actor->address);
        }
    }
}

/* What is left of all lines when those that are listed are taken away. */
static struct moved_row rest_of(const struct moved_row *all, const struct moved_list *list)
{
    struct moved_row rest = *all;

    for (size_t i = 0; i < list->count; i++) {
        const struct moved_row *row = &list->rows[i];
        rest.sent -= row->sent < rest.sent ? row->sent : rest.sent;
        rest.received -= row->received < rest.received ? row->received : rest.received;
        rest.lines -= row->lines < rest.lines ? row->lines : rest.lines;
        rest.sent_during -=
            row->sent_during < rest.sent_during ? row->sent_during : rest.sent_during;
    }
    return rest;
}

static void list_most(struct log_bytes *volume, const struct table *table, struct moved_list *list)
{
    for (size_t i = 0; i < table->count; i++)
        compare_with_usual(volume, &table->rows[i]);
    if (table->count)
        qsort(table->rows, table->count, sizeof *table->rows, by_weight);
    for (size_t i = 0; i < table->count && list->count < MOVED_ROWS_MOST; i++)
        list->rows[list->count++] = table->rows[i];
    list->rest = rest_of(&volume->all, list);
}

static int64_t count_days(const uint64_t days[MAP_DAYS / 64 + 1])
{
    int64_t count = 0;

    for (size_t i = 0; i < MAP_DAYS / 64 + 1; i++)
        count += __builtin_popcountll(days[i]);
    return count;
}

static void tell(struct making *making, const struct sightings *sightings,
                 const struct incidents *incidents, struct log_bytes *volume)
{
    mark_actors(sightings, incidents, &making->clients);
    *volume = (struct log_bytes){
        .artifact = making->artifact,
        .all = making->all,
        .days_during = count_days(making->during),
        .days_other = count_days(making->other),
    };
    list_most(volume, &making->clients, &volume->clients);
    list_most(volume, &making->users, &volume->users);
    list_most(volume, &making->programs, &volume->programs);
}

static int by_artifact(const void *a, const void *b)
{
    return strcmp(((const struct log_bytes *)a)->artifact, ((const struct log_bytes *)b)->artifact);
}

static void find_intrusions(const struct incidents *incidents, struct moved *volumes)
{
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = &incidents->list[i];
        if (incident->rung < RUNG_EXPLOITED || !incident->dated)
            continue;
        if (!volumes->has_intrusion || incident->first < volumes->from)
            volumes->from = incident->first;
        if (!volumes->has_intrusion || incident->last > volumes->until)
            volumes->until = incident->last;
        volumes->has_intrusion = true;
    }
}

static void release(struct collecting *collecting)
{
    for (size_t i = 0; i < collecting->count; i++) {
        struct table *tables[] = {&collecting->list[i]->clients, &collecting->list[i]->users,
                                  &collecting->list[i]->programs};
        for (size_t j = 0; j < sizeof tables / sizeof *tables; j++) {
            free(tables[j]->rows);
            free(tables[j]->places);
        }
        free(collecting->list[i]);
    }
    arena_free(collecting->scratch);
}

int moved_make(struct case_file *file, const struct sightings *sightings,
               const struct incidents *incidents, struct arena *arena, struct moved *volumes)
{
    struct collecting collecting = {
        .arena = arena, .scratch = arena_new(SCRATCH), .volumes = volumes};
    int result = -1;

    *volumes = (struct moved){0};
    find_intrusions(incidents, volumes);
    volumes->list = arena_array(arena, ARTIFACTS_MOST, sizeof *volumes->list);
    if (collecting.scratch && volumes->list)
        result = case_each_fact(file, take_fact, &collecting);
    for (size_t i = 0; i < collecting.count && result == 0; i++)
        tell(collecting.list[i], sightings, incidents, &volumes->list[volumes->count++]);
    if (volumes->count)
        qsort(volumes->list, volumes->count, sizeof *volumes->list, by_artifact);
    release(&collecting);
    return result;
}

const struct log_bytes *moved_by_log(const struct moved *volumes, const char *artifact)
{
    for (size_t i = 0; i < volumes->count; i++)
        if (strcmp(volumes->list[i].artifact, artifact) == 0)
            return &volumes->list[i];
    return NULL;
}
