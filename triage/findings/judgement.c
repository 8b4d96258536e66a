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

static int add(struct judgements *judgements, const struct judgement *row)
{
    if (judgements->count == judgements->room) {
        const size_t room = judgements->room ? 2 * judgements->room : 256;
        struct judgement *grown = arena_array(judgements->arena, room, sizeof *grown);
        if (!grown)
            return -1;
        if (judgements->count)
            memcpy(grown, judgements->rows, judgements->count * sizeof *grown);
        judgements->rows = grown;
        judgements->room = room;
    }
    judgements->rows[judgements->count] = *row;
    judgements->rows[judgements->count].number = judgements->count;
    judgements->count++;
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
    for (size_t i = 0; i < judgements->count; i++)
        if (strcmp(judgements->rows[i].id, rule) == 0)
            return &judgements->rows[i];
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
