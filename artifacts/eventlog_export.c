/*
 * Events that were exported from event logs, recognised by their content:
 * - JSON, one object a line or in an array, in the layouts of evtx_dump, Velociraptor, Winlogbeat
 * and NXLog (flat);
 * - XML as wevtutil and the event viewer write it.
 * What a tool calls by a name of its own gets the name that the log has.
 */
#include "artifacts/eventlog_event.h"
#include "triage/base/error.h"
#include "triage/formats/json_reader.h"
#include "triage/formats/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_SIZE = 16 << 20, /* an event must fit */
    READ_SIZE = 1 << 20,
    RECORD_MEMORY = 64 << 20,
    REJECTED_TOLD = 20,
    TAG_SIZE = 16, /* what an event begins with is shorter */
};

struct export
{
    struct job *job;
    struct eventlog *log;
    struct arena *arena; /* of the event at hand */
    uint8_t *window;
    size_t filled;
    uint64_t place; /* of the window in the file */
    struct evtx_value *values;
    size_t value_count;
    struct buffer text;
    struct instant written;
    uint64_t number;
    bool told_zone;
};

/* --- values --- */

static void add_named(struct export *export, struct evtx_name name, struct slice text)
{
    struct evtx_name *kept = arena_take(export->arena, sizeof *kept);

    if (!kept || !name.text || export->value_count == EVTX_VALUES_MOST)
        return;
    *kept = name;
    export->values[export->value_count++] = (struct evtx_value){kept, text};
    buffer_add(&export->text, text);
    buffer_add_byte(&export->text, '\n');
}

static void add_plain(struct export *export, struct slice name, struct slice text)
{
    add_named(export, (struct evtx_name){.text = (const char *)name.data}, text);
}

static void add_unnamed(struct export *export, struct slice text)
{
    add_named(export, (struct evtx_name){.text = "Data", .role = EVTX_ROLE_UNNAMED}, text);
}

/* Seconds since 1970 with a fraction, as Velociraptor writes times. */
static bool epoch_time(struct slice text, struct instant *when)
{
    const size_t point = slice_find(text, 0, '.');
    uint64_t seconds, fraction = 0;
    const struct slice digits =
        point == SIZE_MAX ? slice_of(NULL, 0) : slice_part(text, point + 1, 9);

    if (!slice_to_u64(slice_part(text, 0, point), &seconds) || seconds > UINT32_MAX)
        return false;
    if (digits.size && !slice_to_u64(digits, &fraction))
        return false;
    for (size_t i = digits.size; i < 9; i++)
        fraction *= 10;
    *when = instant_from_unix((int64_t)seconds, (int64_t)fraction);
    return true;
}

static void add_system(struct export *export, struct slice element, struct slice attribute,
                       struct slice text)
{
    const struct evtx_name name = evtx_system_name(export->arena, element, attribute);

    if (name.role == EVTX_ROLE_TIME && epoch_time(text, &export->written))
        return;
    add_named(export, name, text);
}

/* --- JSON --- */

static bool is_list(const struct json_value *value)
{
    return value->type == JSON_ARRAY || value->type == JSON_OBJECT;
}

/* An element of <System>: a value, or an object of attributes with the content as "#text" or
 * "Value". */
static void json_system_element(struct export *export, struct slice element,
                                const struct json_value *value)
{
    if (!is_list(value)) {
        if (value->type != JSON_NULL)
            add_system(export, element, slice_of(NULL, 0), value->text);
        return;
    }
    for (const struct json_value *part = value->first; part; part = part->next) {
        const bool content = slice_is(part->name, "#text") || slice_is(part->name, "Value");
        if (slice_is(part->name, "#attributes"))
            json_system_element(export, element, part);
        else if (!is_list(part))
            add_system(export, element, content ? slice_of(NULL, 0) : part->name, part->text);
    }
}

static void json_system(struct export *export, const struct json_value *system)
{
    for (const struct json_value *part = system->first; part; part = part->next)
        json_system_element(export, part->name, part);
}

/* <Data> without names: one text, several, or "#text" with either. */
static void json_unnamed(struct export *export, const struct json_value *data, unsigned depth)
{
    if (!is_list(data)) {
        add_unnamed(export, data->text);
        return;
    }
    for (const struct json_value *part = data->first; part && depth; part = part->next)
        if (!slice_is(part->name, "#attributes"))
            json_unnamed(export, part, depth - 1);
}

/* Leaves under their names; a list's items have the name of the list. */
static void json_leaves(struct export *export, struct slice name, const struct json_value *value,
                        unsigned depth)
{
    if (!is_list(value)) {
        add_plain(export, name, value->text);
        return;
    }
    for (const struct json_value *part = value->first; part && depth; part = part->next) {
        const bool own_name = value->type == JSON_OBJECT && !slice_is(part->name, "#text");
        if (!slice_is(part->name, "#attributes"))
            json_leaves(export, own_name ? part->name : name, part, depth - 1);
    }
}

/* What <EventData> or <UserData> holds. */
static void json_data(struct export *export, const struct json_value *data)
{
    for (const struct json_value *part = data ? data->first : NULL; part; part = part->next) {
        if (slice_is(part->name, "Data"))
            json_unnamed(export, part, JSON_NESTED_MOST);
        else if (!slice_is(part->name, "#attributes"))
            json_leaves(export, part->name, part, JSON_NESTED_MOST);
    }
}

/* Names of tools for what the log has in <System>. */
static const struct {
    const char *tool, *element, *attribute;
} flat_names[] = {
    {"SourceName", "Provider", "Name"},
    {"ProviderName", "Provider", "Name"},
    {"provider_name", "Provider", "Name"},
    {"source_name", "Provider", "Name"},
    {"ProviderGuid", "Provider", "Guid"},
    {"provider_guid", "Provider", "Guid"},
    {"EventID", "EventID", ""},
    {"event_id", "EventID", ""},
    {"Channel", "Channel", ""},
    {"channel", "Channel", ""},
    {"log_name", "Channel", ""},
    {"Hostname", "Computer", ""},
    {"Computer", "Computer", ""},
    {"computer_name", "Computer", ""},
    {"RecordNumber", "EventRecordID", ""},
    {"EventRecordID", "EventRecordID", ""},
    {"record_id", "EventRecordID", ""},
    {"record_number", "EventRecordID", ""},
    {"@timestamp", "TimeCreated", "SystemTime"},
    {"TimeCreated", "TimeCreated", "SystemTime"},
    {"EventTime", "TimeCreated", "SystemTime"},
    {"ActivityID", "Correlation", "ActivityID"},
    {"activity_id", "Correlation", "ActivityID"},
    {"ExecutionProcessID", "Execution", "ProcessID"},
};

/* NXLog's EventTime is in local time unless it says otherwise. */
static void tell_zone(struct export *export, struct slice time)
{
    struct instant when;
    bool zoned = true;

    if (export->told_zone || !instant_parse(time, &when, &zoned) || zoned)
        return;
    job_notice(export->job, export->place, "times without a zone are taken for UTC");
    export->told_zone = true;
}

static bool json_flat_system(struct export *export, const struct json_value *part)
{
    for (size_t i = 0; i < sizeof flat_names / sizeof *flat_names; i++)
        if (slice_is(part->name, flat_names[i].tool) && !is_list(part)) {
            add_system(export, slice_of_text(flat_names[i].element),
                       slice_of_text(flat_names[i].attribute), part->text);
            return true;
        }
    return false;
}

/* NXLog and the like: all on one level. */
static void json_flat(struct export *export, const struct json_value *root)
{
    const bool timed = json_member(root, "@timestamp") || json_member(root, "TimeCreated");

    for (const struct json_value *part = root->first; part; part = part->next) {
        const bool local = slice_is(part->name, "EventTime");
        if (local && !timed)
            tell_zone(export, part->text);
        if ((local && timed) || !json_flat_system(export, part))
            json_leaves(export, part->name, part, JSON_NESTED_MOST);
    }
}

/* Data without names are called param1, param2 ...; some events have names like that of their own.
 */
static void json_winlogbeat_value(struct export *export, const struct json_value *part)
{
    json_leaves(export, part->name, part, JSON_NESTED_MOST);
    if (slice_starts(part->name, "param") && !is_list(part))
        add_unnamed(export, part->text);
}

/* Winlogbeat: "winlog" (from version 7 on) or the root hold the event, "event_data" its values. */
static void json_winlogbeat(struct export *export, const struct json_value *root,
                            const struct json_value *event)
{
    const struct json_value *time = json_member(root, "@timestamp");
    const struct json_value *message = json_member(root, "message");
    static const char *const data[] = {"event_data", "user_data"};

    for (const struct json_value *part = event->first; part; part = part->next)
        json_flat_system(export, part);
    if (time && event != root)
        json_flat_system(export, time);
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        const struct json_value *values = json_member(event, data[i]);
        for (const struct json_value *part = values ? values->first : NULL; part; part = part->next)
            json_winlogbeat_value(export, part);
    }
    if (message && !is_list(message))
        add_plain(export, SLICE_LITERAL("Message"), message->text);
}

static bool json_event(struct export *export, const struct json_value *root)
{
    const struct json_value *event = json_member(root, "Event") ? json_member(root, "Event") : root;
    const struct json_value *system = json_member(event, "System");
    const struct json_value *winlog = json_member(root, "winlog");
    const struct json_value *message = json_member(root, "Message");

    if (system && system->type == JSON_OBJECT) {
        json_system(export, system);
        json_data(export, json_member(event, "EventData"));
        json_data(export, json_member(event, "UserData"));
        if (message && !is_list(message))
            add_plain(export, SLICE_LITERAL("Message"), message->text);
    } else if (winlog && winlog->type == JSON_OBJECT) {
        json_winlogbeat(export, root, winlog);
    } else if (json_member(root, "event_data")) {
        json_winlogbeat(export, root, root);
    } else if (json_member(root, "EventID")) {
        json_flat(export, root);
    }
    return export->value_count > 0;
}

static bool take_json(struct export *export, struct slice bytes)
{
    struct json_value *root;

    return json_read(bytes, export->arena, &root) == 0 && json_event(export, root);
}

/* --- XML --- */

static struct slice xml_name(const struct xml_element *element)
{
    return slice_of_text(element->name);
}

static void xml_system(struct export *export, const struct xml_element *system)
{
    for (const struct xml_element *part = system->first; part; part = part->next) {
        for (size_t i = 0; i < part->attribute_count; i++)
            add_system(export, xml_name(part), slice_of_text(part->attributes[i].name),
                       slice_of_text(part->attributes[i].value));
        if (*part->text)
            add_system(export, xml_name(part), slice_of(NULL, 0), slice_of_text(part->text));
    }
}

static void xml_data(struct export *export, const struct xml_element *data)
{
    for (const struct xml_element *part = xml_walk(data, data); part; part = xml_walk(data, part)) {
        const char *name = xml_attribute(part, "Name");
        if (part->first)
            continue;
        if (name && slice_is(xml_name(part), "Data"))
            add_plain(export, slice_of_text(name), slice_of_text(part->text));
        else if (slice_is(xml_name(part), "Data"))
            add_unnamed(export, slice_of_text(part->text));
        else
            add_plain(export, xml_name(part), slice_of_text(part->text));
    }
}

static bool take_xml(struct export *export, struct slice bytes)
{
    struct xml_document document;

    if (xml_parse(bytes, export->arena, &document) < 0 || document.problem)
        return false;
    const struct xml_element *root = document.root, *system = xml_child(root, "System");
    const struct xml_element *message = xml_find(root, "RenderingInfo/Message");
    if (!system)
        return false;
    xml_system(export, system);
    if (xml_child(root, "EventData"))
        xml_data(export, xml_child(root, "EventData"));
    if (xml_child(root, "UserData"))
        xml_data(export, xml_child(root, "UserData"));
    if (message)
        add_plain(export, SLICE_LITERAL("Message"), slice_of_text(message->text));
    return true;
}

/* The next "<Event ...>...</Event>", found as json_find_object finds objects. */
static enum json_find find_xml(struct slice bytes, size_t from, size_t *start, size_t *end)
{
    const struct slice closing = SLICE_LITERAL("</Event>");

    for (*start = from;; ++*start) {
        *start = slice_find_nocase(bytes, *start, SLICE_LITERAL("<Event"));
        if (*start == SIZE_MAX || *start + 6 >= bytes.size)
            return JSON_NONE;
        if (strchr(" >\t\r\n", bytes.data[*start + 6]))
            break;
    }
    const size_t close = slice_find_nocase(bytes, *start, closing);
    const size_t another = slice_find_nocase(bytes, *start + 6, SLICE_LITERAL("<Event xmlns"));
    *end = bytes.size;
    if (another != SIZE_MAX && (close == SIZE_MAX || another < close)) {
        *end = another;
        return JSON_BROKEN;
    }
    if (close == SIZE_MAX)
        return JSON_PARTIAL;
    *end = close + closing.size;
    return JSON_FOUND;
}

/* --- the file --- */

struct layout {
    enum json_find (*find)(struct slice bytes, size_t from, size_t *start, size_t *end);
    bool (*take)(struct export *export, struct slice bytes);
};

static const struct layout json_layout = {json_find_object, take_json};
static const struct layout xml_layout = {find_xml, take_xml};

static void reject(struct export *export, struct slice raw, uint64_t offset)
{
    struct tally *tally = export->job->tally;
    const struct event event = {
        .kind = KIND_evt_other,
        .artifact = export->job->artifact->name,
        .sources = source_map_any,
        .file = export->job->file,
        .offset = offset,
        .number = export->number,
        .raw = raw,
        .marks = EVENT_REJECTED,
    };

    tally->rejected++;
    if (tally->rejected <= REJECTED_TOLD)
        job_notice(export->job, offset, "this event cannot be read: it is searched as text");
    if (job_next_candidate(export->job, raw, 0) != SIZE_MAX)
        job_emit(export->job, &event);
}

static void take_event(struct export *export, const struct layout *layout, struct slice raw,
                       uint64_t offset, bool whole)
{
    struct tally *tally = export->job->tally;

    arena_reset(export->arena);
    buffer_clear(&export->text);
    export->value_count = 0;
    export->written = INSTANT_NONE;
    export->number++;
    tally->records++;
    if (!whole || !layout->take(export, raw)) {
        reject(export, raw, offset);
        return;
    }
    tally->used++;
    buffer_add(&export->text, raw); /* keywords are searched in it too */
    const struct eventlog_record record = {
        .values = export->values,
        .value_count = export->value_count,
        .text = buffer_slice(&export->text),
        .written = export->written,
        .offset = offset,
        .number = export->number,
        .raw = raw,
    };
    tally_time(tally, eventlog_time(&record));
    eventlog_take(export->log, &record);
}

/* Takes the events that the window holds as a whole; gives the bytes that are done with. */
static size_t take_window(struct export *export, const struct layout *layout, bool last)
{
    const struct slice window = slice_of(export->window, export->filled);
    size_t done = 0, start, end;

    for (;;) {
        const enum json_find find = layout->find(window, done, &start, &end);
        if (find == JSON_NONE && last)
            return window.size;
        if (find == JSON_NONE) /* the beginning of an event may stand at the window's end */
            return window.size - done < TAG_SIZE ? done : window.size - TAG_SIZE;
        if (find == JSON_PARTIAL && !last && window.size - start < WINDOW_SIZE - READ_SIZE)
            return start;
        take_event(export, layout, slice_part(window, start, end - start), export->place + start,
                   find == JSON_FOUND);
        done = end;
    }
}

static int read_events(struct export *export, const struct layout *layout)
{
    for (bool last = false; !last;) {
        const uint64_t at = export->place + export->filled;
        const ssize_t got = job_read(export->job, at, export->window + export->filled, READ_SIZE);
        if (got < 0)
            return -1;
        export->filled += (size_t)got;
        last = got == 0;
        const size_t done = take_window(export, layout, last);
        memmove(export->window, export->window + done, export->filled - done);
        export->filled -= done;
        export->place += done;
    }
    return 0;
}

static bool has(struct slice head, const char *text)
{
    return slice_find_nocase(head, 0, slice_of_text(text)) != SIZE_MAX;
}

static struct slice without_bom(struct slice head)
{
    return slice_starts(head, "\xEF\xBB\xBF") ? slice_from(head, 3) : head;
}

static bool is_xml(struct slice head)
{
    return slice_starts(slice_trim(without_bom(head)), "<") && has(head, "<Event") &&
           has(head, "schemas.microsoft.com/win/2004/08/events/event");
}

static bool is_json(struct slice head)
{
    const struct slice text = slice_trim(without_bom(head));
    const bool starts =
        slice_starts(text, "{") || slice_starts(text, "[") || slice_starts(text, "Record ");

    return starts && (has(head, "\"EventID\"") || has(head, "\"event_id\"")) &&
           (has(head, "\"Channel\"") || has(head, "\"log_name\""));
}

static int parse(struct job *job)
{
    struct export export = {.job = job};
    int result = -1;

    export.window = malloc(WINDOW_SIZE);
    export.values = malloc(EVTX_VALUES_MOST * sizeof *export.values);
    export.arena = arena_new(RECORD_MEMORY);
    export.log = eventlog_new(job);
    if (!export.window || !export.values || !export.arena || !export.log)
        error_set("out of memory");
    else {
        const ssize_t got = job_read(job, 0, export.window, 65536);
        if (got >= 0)
            result = read_events(
                &export, is_xml(slice_of(export.window, (size_t)got)) ? &xml_layout : &json_layout);
        eventlog_finish(export.log);
    }
    eventlog_free(export.log);
    arena_free(export.arena);
    buffer_release(&export.text);
    free(export.values);
    free(export.window);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    (void)name;
    return is_json(head) || is_xml(head);
}

const struct artifact artifact_eventlog_export = {
    .name = "eventlog_export",
    .title = "exported Windows events",
    .sources = source_map_any,
    .recognise = recognise,
    .parse = parse,
};
