#include "artifacts/eventlog_event.h"

#include "artifacts/eventlog_script.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    NUMBERED = 64,   /* unnamed values that get a name of their own, Data0 to Data63 */
    ADDED_MOST = 32, /* second names and made-up values of one event */
    VALUES_ROOM = EVTX_VALUES_MOST + ADDED_MOST,
};

struct eventlog {
    struct job *job;
    struct script_blocks *scripts;
    struct value values[VALUES_ROOM];
    size_t value_count;
    char numbered[NUMBERED][8]; /* "Data0" ... */
    struct slice unnamed;       /* all unnamed values ... */
    struct buffer joined;       /* ... which lie here when the record has them apart */
    struct buffer sentence;     /* what the message DLL would say */
};

/* What of a record is looked at before it becomes an event. */
struct essence {
    const struct evtx_value *by_role[EVTX_ROLE_COUNT]; /* NULL: the record has none */
    uint64_t number;                                   /* event id */
};

/* "Data0" to "Data63": without printf, for there are many small files. */
static void number_names(struct eventlog *log)
{
    for (unsigned i = 0; i < NUMBERED; i++) {
        char *end = stpcpy(log->numbered[i], "Data");
        if (i >= 10)
            *end++ = (char)('0' + i / 10);
        *end++ = (char)('0' + i % 10);
        *end = 0;
    }
}

struct eventlog *eventlog_new(struct job *job)
{
    struct eventlog *log = malloc(sizeof *log); /* the room for values is not worth clearing */
    struct script_blocks *scripts = script_blocks_new();

    if (!log || !scripts) {
        error_set("out of memory");
        script_blocks_free(scripts);
        free(log);
        return NULL;
    }
    log->job = job;
    log->scripts = scripts;
    log->value_count = 0;
    log->joined = log->sentence = (struct buffer)BUFFER_EMPTY;
    number_names(log);
    return log;
}

void eventlog_free(struct eventlog *log)
{
    if (!log)
        return;
    script_blocks_free(log->scripts);
    buffer_release(&log->joined);
    buffer_release(&log->sentence);
    free(log);
}

/* The first value of each role: a record that has one twice may be crafted. */
static struct essence essence_of(const struct eventlog_record *record)
{
    struct essence essence = {0};

    for (size_t i = 0; i < record->value_count; i++) {
        const enum evtx_role role = record->values[i].name->role;
        if (!essence.by_role[role])
            essence.by_role[role] = &record->values[i];
    }
    if (essence.by_role[EVTX_ROLE_EVENT_ID])
        slice_to_u64(essence.by_role[EVTX_ROLE_EVENT_ID]->text, &essence.number);
    return essence;
}

static struct slice text_of(const struct essence *essence, enum evtx_role role)
{
    return essence->by_role[role] ? essence->by_role[role]->text : slice_of(NULL, 0);
}

static uint64_t number_of(const struct essence *essence, uint64_t otherwise)
{
    uint64_t number;

    return slice_to_u64(text_of(essence, EVTX_ROLE_RECORD_ID), &number) ? number : otherwise;
}

static struct instant time_of(const struct essence *essence, struct instant written)
{
    struct instant when;
    const struct slice text = text_of(essence, EVTX_ROLE_TIME);

    return text.size && instant_parse(text, &when, NULL) ? when : written;
}

struct instant eventlog_time(const struct eventlog_record *record)
{
    struct essence essence = {0};

    for (size_t i = 0; i < record->value_count && !essence.by_role[EVTX_ROLE_TIME]; i++)
        if (record->values[i].name->role == EVTX_ROLE_TIME)
            essence.by_role[EVTX_ROLE_TIME] = &record->values[i];
    return time_of(&essence, record->written);
}

/* --- values --- */

static void add_value(struct eventlog *log, struct value value)
{
    if (log->value_count < VALUES_ROOM)
        log->values[log->value_count++] = value;
}

static void add_alias(struct eventlog *log, const char *name, struct slice text)
{
    if (text.data)
        add_value(log, (struct value){name, field_from_name(slice_of_text(name)), true, text});
}

static enum field field_of(struct evtx_name *name)
{
    if (!name->resolved)
        name->field = field_from_name(slice_of_text(name->text));
    name->resolved = true;
    return name->field;
}

/* Most names differ in their first letter already. */
static bool may_be_same(const char *a, const char *b)
{
    return ((*a ^ *b) & ~0x20) == 0;
}

static struct slice value_named(const struct eventlog *log, const char *name)
{
    for (size_t i = 0; i < log->value_count; i++)
        if (may_be_same(log->values[i].name, name) &&
            slice_is_nocase(slice_of_text(log->values[i].name), name))
            return log->values[i].text;
    return slice_of(NULL, 0);
}

static bool lies_within(struct slice part, struct slice whole)
{
    const uintptr_t start = (uintptr_t)whole.data, at = (uintptr_t)part.data;

    return at >= start && at - start <= whole.size && part.size <= whole.size - (at - start);
}

/* All unnamed values, a line end between them. The record's text mostly has them just so: then they
 * are a part of it, which need not be put together and searched again. */
static struct slice join_unnamed(struct eventlog *log, const struct eventlog_record *record)
{
    struct slice whole = {NULL, 0};
    size_t count = 0;
    bool apart = false;

    buffer_clear(&log->joined);
    for (size_t i = 0; i < record->value_count && !apart; i++) {
        const struct slice text = record->values[i].text;
        if (record->values[i].name->role != EVTX_ROLE_UNNAMED)
            continue;
        apart = !lies_within(text, record->text) ||
                (whole.data && text.data != whole.data + whole.size + 1);
        whole = whole.data ? slice_of(whole.data, whole.size + 1 + text.size) : text;
    }
    if (!apart)
        return whole;
    for (size_t i = 0; i < record->value_count; i++) {
        if (record->values[i].name->role != EVTX_ROLE_UNNAMED)
            continue;
        if (count++)
            buffer_add_byte(&log->joined, '\n');
        buffer_add(&log->joined, record->values[i].text);
    }
    return buffer_slice(&log->joined);
}

static void copy_values(struct eventlog *log, const struct eventlog_record *record)
{
    size_t unnamed = 0;

    log->value_count = 0;
    log->unnamed = join_unnamed(log, record);
    for (size_t i = 0; i < record->value_count; i++) {
        struct evtx_name *name = record->values[i].name;
        const struct slice text = record->values[i].text;
        if (name->role != EVTX_ROLE_UNNAMED) {
            add_value(log, (struct value){name->text, field_of(name), false, text});
            continue;
        }
        const char *numbered = unnamed < NUMBERED ? log->numbered[unnamed] : "DataMore";
        add_value(log, (struct value){numbered, FIELD_OTHER, false, text});
        unnamed++;
    }
    if (unnamed)
        add_alias(log, "Data", log->unnamed);
    else
        add_alias(log, "Data",
                  value_named(log, "Message")); /* exports that have only the sentence */
}

/* --- second names --- */

struct alias {
    const char *from, *to;
};

/* One sentence for Sysmon 1 and Security 4688, which has names of its own. Rules have both names by
 * rules/logsources.yml. */
static const struct alias security_process[] = {{"NewProcessName", "Image"},
                                                {"ParentProcessName", "ParentImage"},
                                                {"SubjectUserName", "User"},
                                                {"SubjectLogonId", "LogonId"},
                                                {NULL, NULL}};
static const struct alias sysmon_process[] = {
    {"Image", "NewProcessName"}, {"ParentImage", "ParentProcessName"}, {NULL, NULL}};
/* Names of Exchange's own log of cmdlets. */
static const struct alias cmdlet[] = {{"Data0", "Cmdlet"},
                                      {"Data1", "Parameters"},
                                      {"Data2", "AuthenticatedUser"},
                                      {"Data6", "ProcessName"},
                                      {NULL, NULL}};

static void add_aliases(struct eventlog *log, const struct alias *alias)
{
    for (; alias->from; alias++)
        add_alias(log, alias->to, value_named(log, alias->from));
}

static void add_to_sentence(struct eventlog *log, const char *text, const char *name)
{
    buffer_add_text(&log->sentence, text);
    buffer_add(&log->sentence, value_named(log, name));
}

/* The record has only the values; rules of the field were written for the text around them,
 * misspelt as it is. */
static void say_cmdlet(struct eventlog *log, bool failed)
{
    buffer_clear(&log->sentence);
    add_to_sentence(log, failed ? "Cmdlet failed. Cmdlet " : "Cmdlet suceeded. Cmdlet ", "Data0");
    add_to_sentence(log, ", parameters ", "Data1");
    add_to_sentence(log, ".", "");
    add_alias(log, "Message", buffer_slice(&log->sentence));
}

/* An export may have the sentence only: "... Cmdlet NAME, parameters VALUES." */
static void read_cmdlet(struct eventlog *log)
{
    static const char name[] = ". Cmdlet ", parameters[] = ", parameters ";
    const struct slice text = value_named(log, "Message");
    const size_t at = slice_find_nocase(text, 0, slice_of_text(name));
    const size_t comma =
        at == SIZE_MAX ? at : slice_find_nocase(text, at, slice_of_text(parameters));

    if (comma == SIZE_MAX)
        return;
    const size_t start = at + sizeof name - 1, rest = comma + sizeof parameters - 1;
    const struct slice values = slice_from(text, rest);
    const bool point = values.size && values.data[values.size - 1] == '.';
    add_alias(log, "Data0", slice_part(text, start, comma - start));
    add_alias(log, "Data1", slice_part(values, 0, values.size - point));
}

static void add_cmdlet(struct eventlog *log, bool failed)
{
    if (value_named(log, "Data0").data)
        say_cmdlet(log, failed);
    else
        read_cmdlet(log);
    add_aliases(log, cmdlet);
    add_alias(log, "ExecutionResult", failed ? SLICE_LITERAL("Error") : SLICE_LITERAL("Success"));
}

/* "HostApplication=..." stands on a line of its own within the classic PowerShell log's texts. */
static void find_host_application(struct eventlog *log)
{
    const struct slice key = SLICE_LITERAL("HostApplication="), all = log->unnamed;
    const size_t at = slice_find_nocase(all, 0, key);

    if (at == SIZE_MAX)
        return;
    const struct slice rest = slice_from(all, at + key.size);
    const size_t end = slice_find(rest, 0, '\n');
    add_alias(log, "HostApplication", slice_trim(slice_part(rest, 0, end)));
}

/* The log that was cleared is a second Channel, behind that of the record. */
static void add_cleared_log(struct eventlog *log)
{
    for (size_t i = log->value_count; i-- > 0;)
        if (slice_is_nocase(slice_of_text(log->values[i].name), "Channel")) {
            add_alias(log, "ClearedLog", log->values[i].text);
            return;
        }
}

static void add_second_names(struct eventlog *log, const struct event *event)
{
    switch (event->kind) {
    case KIND_evt_process:
        add_aliases(log,
                    value_named(log, "NewProcessName").data ? security_process : sysmon_process);
        break;
    case KIND_evt_cmdlet:
    case KIND_evt_cmdlet_failed:
        add_cmdlet(log, event->kind == KIND_evt_cmdlet_failed);
        break;
    case KIND_evt_log_cleared:
        add_cleared_log(log);
        break;
    case KIND_evt_ps_start:
        find_host_application(log);
        break;
    default:
        break;
    }
}

/* --- events --- */

/* What the installer says of Exchange: the history of updates is made of it; and which mitigations
 * came when. */
static bool is_fact(const struct essence *essence, const struct eventlog_record *record)
{
    if (slice_is_nocase(text_of(essence, EVTX_ROLE_PROVIDER), "MSExchange Mitigation Service"))
        return true;
    return slice_is_nocase(text_of(essence, EVTX_ROLE_PROVIDER), "MsiInstaller") &&
           slice_find_nocase(record->text, 0, SLICE_LITERAL("Exchange")) != SIZE_MAX;
}

static void emit(struct eventlog *log, const struct essence *essence,
                 const struct eventlog_record *record)
{
    struct event event = {
        .kind = eventlog_kind_of(text_of(essence, EVTX_ROLE_PROVIDER), essence->number),
        .artifact = log->job->artifact->name,
        .when = time_of(essence, record->written),
        .basis = BASIS_UTC,
        .time_text = text_of(essence, EVTX_ROLE_TIME),
        .file = log->job->file,
        .offset = record->offset,
        .number = number_of(essence, record->number),
        .raw = record->raw,
        .record = record->record,
        .text = record->text,
        .render = record->render,
        .render_context = record->render_context,
        .marks = record->marks | (is_fact(essence, record) ? EVENT_FACT : 0),
    };

    copy_values(log, record);
    add_second_names(log, &event);
    event.values = log->values;
    event.value_count = log->value_count;
    event.sources = source_map_of(log->job->source_map, text_of(essence, EVTX_ROLE_CHANNEL),
                                  essence->number, &event);
    if (buffer_failed(&log->joined) || buffer_failed(&log->sentence))
        abort(); /* out of memory: the end of a worker is noticed, a record that was not asked is
                    not */
    job_emit(log->job, &event);
    if (event.kind == KIND_evt_script_block)
        script_block_take(log->scripts, log->job, &event);
}

/* Records that have more than their text: sentences, blocks of script. The prefilter knows only the
 * text. */
static bool is_special(const struct essence *essence, const struct eventlog_record *record)
{
    const struct slice provider = text_of(essence, EVTX_ROLE_PROVIDER);

    return slice_is_nocase(provider, "MSExchange CmdletLogs") || is_fact(essence, record) ||
           (essence->number == 4104 &&
            eventlog_kind_of(provider, essence->number) == KIND_evt_script_block);
}

void eventlog_take(struct eventlog *log, const struct eventlog_record *record)
{
    const struct essence essence = essence_of(record);

    if (is_special(&essence, record) || job_next_candidate(log->job, record->text, 0) != SIZE_MAX)
        emit(log, &essence, record);
}

void eventlog_finish(struct eventlog *log)
{
    script_blocks_finish(log->scripts, log->job);
}
