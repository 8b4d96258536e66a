#include "triage/findings/retention.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/formats/json_reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SCRATCH = 1 << 20, DELETED_MOST = 100000, YOUNG_DAYS = 14 };
static const int64_t DAY = INT64_C(86400000000); /* microseconds */

/* --- deleted files --- */

struct gone { /* a deleted file of a log */
    const char *name, *artifact;
    bool dated, young;
    int64_t day; /* that it told of */
};

struct collecting {
    struct arena *arena, *scratch;
    struct gone *list;
    size_t count, room;
};

/* Which log a file belongs to, by its path. */
static const char *artifact_of(const char *path)
{
    static const struct {
        const char *part, *artifact;
    } known[] = {
        {"HttpProxy", "exchange_httpproxy"},
        {"\\ECP\\Server", "exchange_ecp_server"},
        {"\\ECP\\Activity", "exchange_ecp_activity"},
        {"\\Ews\\", "exchange_ews"},
        {"OABGeneratorLog", "exchange_oab"},
        {"MSGTRK", "exchange_message_tracking"},
        {"MessageTracking", "exchange_message_tracking"},
        {"CmdletInfra", "exchange_rps_cmdlet"},
        {"HTTPERR", "httperr"},
        {".evtx", "eventlog"},
        {"W3SVC", "iis_log"},
        {"u_ex", "iis_log"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasestr(path, known[i].part))
            return known[i].artifact;
    return "";
}

static const char *member(const struct json_value *fields, const char *name)
{
    const struct json_value *value = json_member(fields, name);

    return value && value->type == JSON_STRING ? (const char *)value->text.data : "";
}

static struct gone *next_gone(struct collecting *collecting)
{
    if (collecting->count == collecting->room) {
        const size_t room = collecting->room ? 2 * collecting->room : 256;
        struct gone *grown = realloc(collecting->list, room * sizeof *grown);
        if (!grown)
            return NULL;
        collecting->list = grown;
        collecting->room = room;
    }
    return &collecting->list[collecting->count];
}

static int take_fact(void *context, const struct case_fact *fact)
{
    struct collecting *collecting = context;
    const bool journal = strcmp(fact->kind, "file.deleted_log") == 0;
    struct json_value *fields;
    uint64_t age = 0;

    if ((!journal && strcmp(fact->kind, "file.log_gone") != 0) || fact->snapshot != 0 ||
        collecting->count == DELETED_MOST)
        return 0;
    arena_reset(collecting->scratch);
    if (json_read(slice_of_text(fact->fields), collecting->scratch, &fields) < 0)
        return 0;
    const char *path = member(fields, "TargetFilename");
    const bool aged = slice_to_u64(slice_of_text(member(fields, "LogAge")), &age) && age < 36500;
    struct gone *gone = next_gone(collecting);
    if (!gone)
        return error_set("out of memory");
    *gone = (struct gone){
        .name = arena_text(collecting->arena, slice_of_text(path)),
        .artifact = artifact_of(path),
        .dated = fact->dated && (aged || !journal),
        .young = journal && aged && age < YOUNG_DAYS,
        .day = fact->timestamp - (journal ? (int64_t)age * DAY : 0),
    };
    collecting->count++;
    return gone->name ? 0 : -1;
}

/* The journal and the $MFT tell of the same files; what tells more comes first. */
static int by_name(const void *a, const void *b)
{
    const struct gone *x = a, *y = b;
    const int order = strcasecmp(x->name, y->name);

    if (order)
        return order;
    if (x->young != y->young)
        return x->young ? -1 : 1;
    if (x->dated != y->dated)
        return x->dated ? -1 : 1;
    return (x->day > y->day) - (x->day < y->day);
}

static struct reach *find_reach(struct retention *retention, const char *artifact)
{
    for (size_t i = 0; i < retention->count; i++)
        if (strcmp(retention->list[i].span->artifact, artifact) == 0)
            return &retention->list[i];
    return NULL;
}

static void count_gone(const struct collecting *collecting, struct retention *retention)
{
    for (size_t i = 0; i < collecting->count; i++) {
        const struct gone *gone = &collecting->list[i];
        if (i && strcasecmp(gone->name, gone[-1].name) == 0)
            continue;
        struct reach *reach = find_reach(retention, gone->artifact);
        if (!reach) {
            retention->deleted_others++;
            continue;
        }
        reach->deleted++;
        reach->deleted_young += gone->young;
        if (!gone->dated)
            continue;
        if (!reach->deleted_dated || gone->day < reach->deleted_first)
            reach->deleted_first = gone->day;
        if (!reach->deleted_dated || gone->day > reach->deleted_last)
            reach->deleted_last = gone->day;
        reach->deleted_dated = true;
    }
}

/* --- how far back --- */

static int64_t day_number(int64_t microseconds)
{
    return instant_from_unix(microseconds / 1000000, 0).ticks / TICKS_PER_DAY;
}

/* The day of the first installation that is known; -1: none is. */
static int64_t installed_day(const struct exposure *exposure)
{
    for (size_t i = 0; i < exposure->history_count; i++)
        if (exposure->history[i].dated)
            return day_number(exposure->history[i].time);
    return -1;
}

static void day_text(int64_t microseconds, char text[INSTANT_TEXT_SIZE])
{
    instant_format(instant_from_unix(microseconds / 1000000, 0), text);
    text[10] = 0;
}

static void add_deleted(const struct reach *reach, struct buffer *text)
{
    char first[INSTANT_TEXT_SIZE], last[INSTANT_TEXT_SIZE];

    if (!reach->deleted)
        return;
    buffer_format(text, "; %zu of its files %s deleted", reach->deleted,
                  reach->deleted == 1 ? "was" : "were");
    if (reach->deleted_dated) {
        day_text(reach->deleted_first, first);
        day_text(reach->deleted_last, last);
        buffer_format(text, strcmp(first, last) == 0 ? ", of %s" : ", of %s to %s", first, last);
    }
    if (reach->deleted_young)
        buffer_format(text, ", %zu of them within two weeks of their day, which no retention does",
                      reach->deleted_young);
}

static const char *words_of(const struct reach *reach, struct arena *arena)
{
    struct buffer text = BUFFER_EMPTY;

    buffer_format(&text, "it begins on %.10s", reach->span->first);
    if (reach->begins_after_first_trace)
        buffer_add_text(&text, ", after the first trace: how the intrusion began is not in it");
    else if (reach->traced && !reach->days_before_trace)
        buffer_add_text(&text, ", on the day of the first trace: an earlier one may be lost");
    else if (reach->traced)
        buffer_format(&text, ", %lld day%s before the first trace",
                      (long long)reach->days_before_trace,
                      reach->days_before_trace == 1 ? "" : "s");
    if (reach->days_of_server > 0)
        buffer_format(&text,
                      "%s %lld days after Exchange was installed: the time between is not "
                      "in it",
                      reach->traced ? ", and" : ",", (long long)reach->days_of_server);
    add_deleted(reach, &text);
    const char *kept = arena_text(arena, buffer_slice(&text));
    buffer_release(&text);
    return kept;
}

static int list_logs(const struct exposure *exposure, const struct log_spans *spans,
                     const int64_t *first_trace, struct arena *arena, struct retention *retention)
{
    const int64_t installed = installed_day(exposure);

    retention->list = arena_array(arena, spans->count + 1, sizeof *retention->list);
    if (!retention->list)
        return -1;
    for (size_t i = 0; i < spans->count; i++) {
        const struct log_span *span = &spans->list[i];
        if (!span->continuous || !span->days)
            continue;
        struct reach *reach = &retention->list[retention->count++];
        *reach = (struct reach){.span = span, .traced = first_trace, .days_of_server = -1};
        if (first_trace) {
            const int64_t trace = day_number(*first_trace);
            reach->begins_after_first_trace = span->first_day > trace;
            reach->days_before_trace = span->first_day < trace ? trace - span->first_day : 0;
        }
        if (installed >= 0)
            reach->days_of_server = span->first_day > installed ? span->first_day - installed : 0;
    }
    return 0;
}

static int by_artifact(const void *a, const void *b)
{
    return strcmp(((const struct reach *)a)->span->artifact,
                  ((const struct reach *)b)->span->artifact);
}

int retention_make(struct case_file *file, const struct exposure *exposure,
                   const struct log_spans *spans, const int64_t *first_trace, struct arena *arena,
                   struct retention *retention)
{
    struct collecting collecting = {.arena = arena, .scratch = arena_new(SCRATCH)};
    int result = -1;

    *retention = (struct retention){0};
    if (collecting.scratch)
        result = list_logs(exposure, spans, first_trace, arena, retention);
    if (result == 0)
        result = case_each_fact(file, take_fact, &collecting);
    if (result == 0 && retention->count)
        qsort(retention->list, retention->count, sizeof *retention->list, by_artifact);
    if (result == 0 && collecting.count) {
        qsort(collecting.list, collecting.count, sizeof *collecting.list, by_name);
        count_gone(&collecting, retention);
    }
    for (size_t i = 0; i < retention->count && result == 0; i++)
        if (!(retention->list[i].why = words_of(&retention->list[i], arena)))
            result = -1;
    arena_free(collecting.scratch);
    free(collecting.list);
    return result;
}

const struct reach *reach_of(const struct retention *retention, const char *artifact)
{
    for (size_t i = 0; i < retention->count; i++)
        if (strcmp(retention->list[i].span->artifact, artifact) == 0)
            return &retention->list[i];
    return NULL;
}
