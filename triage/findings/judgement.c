#include "triage/findings/judgement.h"

#include "triage/base/error.h"
#include "triage/base/tsv.h"

#include <stdlib.h>
#include <string.h>

static const char *const rung_names[RUNG_COUNT] = {
    "no evidence of an attack", "scanned or probed", "vulnerable and targeted", "exploited",
    "code or files placed",     "web shell used",    "hands on the keyboard",   "data taken",
    "encrypted or destroyed",
};

const char *rung_name(enum rung rung)
{
    return rung_names[rung];
}

/* --- by name --- */

/* Where the rule of that name is, or would be: the table is never full. */
static uint32_t *place_of(const struct judgements *judgements, const char *id)
{
    uint64_t hash = 0xCBF29CE484222325;

    for (const char *at = id; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 0x100000001B3;
    size_t at = hash & (judgements->place_count - 1);
    while (judgements->places[at] &&
           strcmp(judgements->rows[judgements->places[at] - 1].id, id) != 0)
        at = (at + 1) & (judgements->place_count - 1);
    return &judgements->places[at];
}

/* The first row of a name is the one that counts. */
static void take_place(struct judgements *judgements, size_t row)
{
    uint32_t *place = place_of(judgements, judgements->rows[row].id);

    if (!*place)
        *place = (uint32_t)row + 1;
}

static int grow(struct judgements *judgements)
{
    const size_t room = judgements->room ? 2 * judgements->room : 512;
    struct judgement *rows = arena_array(judgements->arena, room, sizeof *rows);
    uint32_t *places = arena_array(judgements->arena, 2 * room, sizeof *places);

    if (!rows || !places)
        return -1;
    if (judgements->count)
        memcpy(rows, judgements->rows, judgements->count * sizeof *rows);
    judgements->rows = rows;
    judgements->room = room;
    judgements->places = places;
    judgements->place_count = 2 * room;
    for (size_t i = 0; i < judgements->count; i++)
        take_place(judgements, i);
    return 0;
}

static int add(struct judgements *judgements, const struct judgement *row)
{
    if (judgements->count == judgements->room && grow(judgements) < 0)
        return -1;
    judgements->rows[judgements->count] = *row;
    judgements->rows[judgements->count].number = judgements->count;
    take_place(judgements, judgements->count++);
    return 0;
}

enum { ID, RUNG, PROVES, SUGGESTS, STEP, COLUMNS };

static int add_row(void *context, const char *const *texts)
{
    const struct judgement row = {
        .id = texts[ID],
        .rung = (enum rung)strtoul(texts[RUNG], NULL, 10),
        .proves = texts[PROVES],
        .suggests = texts[SUGGESTS],
        .step = texts[STEP],
    };

    if (row.rung >= RUNG_COUNT)
        return error_set("'%s' has a rung that is not on the ladder: %s", row.id, texts[RUNG]);
    return add(context, &row);
}

int judgements_load(const char *path, struct arena *arena, struct judgements *judgements)
{
    static const char *const names[COLUMNS] = {"id", "rung", "proves", "suggests", "step"};

    *judgements = (struct judgements){.arena = arena};
    return tsv_read(path, names, COLUMNS, arena, add_row, judgements);
}

/* What ATT&CK techniques come to. */
static enum rung rung_by_tags(const char *tags)
{
    static const struct {
        const char *tag;
        enum rung rung;
    } known[] = {
        {"attack.t1486", RUNG_DESTROYED}, {"attack.t1485", RUNG_DESTROYED},
        {"attack.t1114", RUNG_STOLEN},    {"attack.exfiltration", RUNG_STOLEN},
        {"attack.t1003", RUNG_HANDS_ON},  {"attack.lateral-movement", RUNG_HANDS_ON},
        {"attack.t1136", RUNG_HANDS_ON},  {"attack.t1505", RUNG_PLACED},
        {"attack.t1190", RUNG_EXPLOITED},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(tags, known[i].tag))
            return known[i].rung;
    return RUNG_PROBED;
}

/* "cve.2021-26855" of the tags as "CVE-2021-26855". */
static char *vulnerabilities_of_tags(struct arena *arena, const char *tags)
{
    char *found = arena_text(arena, slice_of_text(""));
    const char *at = tags;

    while (found && (at = strstr(at, "\"cve."))) {
        const size_t size = strcspn(at += 5, "\"");
        found = arena_format(arena, "%s%sCVE-%.*s", found, *found ? "," : "",
                             (int)(size < 20 ? size : 20), at);
    }
    return found;
}

const struct judgement *judgement_of(struct judgements *judgements, const char *rule,
                                     const char *tags)
{
    const uint32_t place = judgements->count ? *place_of(judgements, rule) : 0;

    if (place)
        return &judgements->rows[place - 1];
    const struct judgement row = {
        .id = arena_text(judgements->arena, slice_of_text(rule)),
        .rung = rung_by_tags(tags),
        .proves = "",
        .suggests = vulnerabilities_of_tags(judgements->arena, tags),
        .step = "",
    };
    if (!row.id || !row.suggests || add(judgements, &row) < 0)
        return NULL;
    return &judgements->rows[judgements->count - 1];
}
