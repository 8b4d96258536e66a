/*
 * Each key and each value as an event that public rules about the registry can look at.
 * TargetObject and Details are written as Sysmon writes them: "DWORD (0x00000001)", "Binary Data",
 * "(Default)". The time is that of the key's last write: the value was written then or before.
 */
#include "artifacts/registry_hive.h"

#include "triage/base/utf16.h"
#include "triage/formats/hive_recover.h"

#include <inttypes.h>

enum {
    BASE_BLOCK_SIZE = 4096,
    SHORTEST_RUN = 6,         /* characters that count as text within binary data */
    TEXT_CEILING = 256 << 10, /* of the texts that are taken from one value */
    SCAN_CEILING = 16 << 20,  /* bytes of a value that are looked through for text */
};

#define REGISTRY_SOURCE                                                                            \
    {                                                                                              \
        NULL, "windows", "registry"                                                                \
    }
#define EVENT_SOURCE                                                                               \
    {                                                                                              \
        "registry_event", "windows", NULL                                                          \
    }
#define NO_SOURCE                                                                                  \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct log_source set_sources[] = {
    {"registry_set", "windows", NULL}, EVENT_SOURCE, REGISTRY_SOURCE, NO_SOURCE};
static const struct log_source add_sources[] = {
    {"registry_add", "windows", NULL}, EVENT_SOURCE, REGISTRY_SOURCE, NO_SOURCE};
static const struct log_source deleted_value_sources[] = {
    {"registry_set", "windows", NULL},
    {"registry_delete", "windows", NULL},
    EVENT_SOURCE,
    REGISTRY_SOURCE,
    NO_SOURCE,
};
static const struct log_source deleted_key_sources[] = {
    {"registry_delete", "windows", NULL}, EVENT_SOURCE, REGISTRY_SOURCE, NO_SOURCE};

static bool is_printable(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7F) || byte == '\t';
}

static void add_run(struct buffer *out, struct slice bytes, size_t start, size_t end, size_t stride)
{
    if (out->size > TEXT_CEILING)
        return;
    if (out->size)
        buffer_add_byte(out, ' ');
    for (size_t i = start; i < end; i += stride)
        buffer_add_byte(out, bytes.data[i]);
}

/* Where the run of readable characters of `stride` bytes that begins at `start` ends. */
static size_t run_end(struct slice bytes, size_t start, size_t stride)
{
    size_t at = start;

    while (at + stride <= bytes.size && is_printable(bytes.data[at]) &&
           (stride == 1 || bytes.data[at + 1] == 0))
        at += stride;
    return at;
}

/* Runs of characters of one byte, or of two at even and odd places. Behind a place where no run
 * begins the next one is tried. */
static void add_texts(struct buffer *out, struct slice bytes, size_t stride)
{
    for (size_t at = 0; at + stride * SHORTEST_RUN <= bytes.size;) {
        const size_t last = at + stride * (SHORTEST_RUN - 1);
        if (!is_printable(bytes.data[last]) || !is_printable(bytes.data[at])) {
            at = stride == 1 && !is_printable(bytes.data[last]) ? last + 1 : at + 1;
            continue;
        }
        const size_t end = run_end(bytes, at, stride);
        if ((end - at) / stride >= SHORTEST_RUN)
            add_run(out, bytes, at, end, stride);
        at = end + 1;
    }
}

/* What can be read within binary data: rules look there for script. */
static void find_texts(struct registry *registry, struct slice data)
{
    const struct slice part = slice_part(data, 0, SCAN_CEILING);

    buffer_clear(&registry->found);
    add_texts(&registry->found, part, 1);
    add_texts(&registry->found, part, 2);
}

static void put_texts(struct buffer *out, struct slice data)
{
    size_t start = 0;

    for (size_t i = 0; i + 2 <= data.size; i += 2) {
        if (data.data[i] || data.data[i + 1])
            continue;
        if (i > start) {
            if (start)
                buffer_add_text(out, ", ");
            utf16_append(out, slice_part(data, start, i - start), false);
        }
        start = i + 2;
    }
    if (start < data.size) {
        if (start)
            buffer_add_text(out, ", ");
        utf16_append(out, slice_from(data, start), true);
    }
}

/* Bytes behind the first NUL character of a text: what a registry editor does not show. */
static struct slice behind_text(struct slice data)
{
    for (size_t i = 0; i + 2 <= data.size; i += 2)
        if (data.data[i] == 0 && data.data[i + 1] == 0)
            return slice_from(data, i + 2);
    return slice_of(NULL, 0);
}

static void put_hex(struct buffer *out, uint32_t number)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        buffer_add_byte(out, (uint8_t) "0123456789abcdef"[number >> shift & 15]);
}

static bool put_number(struct registry *registry, const struct hive_value *value,
                       struct buffer *out)
{
    uint64_t number;

    if (!hive_number(registry->hive, value, &number))
        return false;
    if (value->type == HIVE_LONG_NUMBER) {
        buffer_add_text(out, "QWORD (0x");
        put_hex(out, (uint32_t)(number >> 32));
    }
    buffer_add_text(out, value->type == HIVE_LONG_NUMBER ? "-0x" : "DWORD (0x");
    put_hex(out, (uint32_t)number);
    buffer_add_byte(out, ')');
    return true;
}

/* The value's data, as long as what was looked at is less than twice the hive: values of a crafted
 * one may share theirs. */
static struct slice take_data(struct registry *registry, const struct hive_value *value)
{
    if (registry->data_left == 0)
        return slice_of(NULL, 0);
    const struct slice data = hive_data(registry->hive, value, registry->scratch);
    if (data.size < registry->data_left) {
        registry->data_left -= data.size;
        return data;
    }
    registry->data_left = 0;
    job_notice(
        registry->job, BASE_BLOCK_SIZE + (uint64_t)value->cell,
        "the values have more data than the hive: they share it; the data of the rest is not "
        "read");
    return slice_of(NULL, 0);
}

/* Appends the value as Sysmon words it; texts within binary data go to registry->found. */
static void put_details(struct registry *registry, const struct hive_value *value,
                        struct buffer *out)
{
    buffer_clear(&registry->found);
    if (put_number(registry, value, out))
        return;
    arena_reset(registry->scratch);
    const struct slice data = take_data(registry, value);
    switch (value->type) {
    case HIVE_TEXT:
    case HIVE_EXPANDED_TEXT:
    case HIVE_LINK:
        utf16_append(out, data, true);
        find_texts(registry, behind_text(data));
        break;
    case HIVE_TEXTS:
        put_texts(out, data);
        break;
    default:
        buffer_add_text(out, "Binary Data");
        find_texts(registry, data);
    }
}

static void emit(struct registry *registry, enum kind kind, const struct log_source *sources,
                 struct instant when, uint64_t offset, unsigned marks)
{
    const struct event event = {
        .kind = kind,
        .artifact = registry->job->artifact->name,
        .sources = sources,
        .when = when,
        .basis = instant_known(when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = registry->job->file,
        .offset = offset,
        .number = registry->job->tally->records,
        .raw = buffer_slice(&registry->line),
        .values = registry->values,
        .value_count = registry->value_count,
        .marks = marks | (registry->job->file->flags & FILE_DAMAGED ? EVENT_DAMAGED : 0),
    };

    job_emit(registry->job, &event);
}

static void set_value(struct registry *registry, enum field field, struct slice text)
{
    registry->values[registry->value_count++] =
        (struct value){field_name(field), field, false, text};
}

/* Keys do not stand in the order of their times, and days without a change are no gap: only the
 * span is told. */
static void widen_span(struct tally *tally, struct instant when)
{
    if (!instant_known(when))
        return;
    if (!instant_known(tally->first) || when.ticks < tally->first.ticks)
        tally->first = when;
    if (when.ticks > tally->last.ticks)
        tally->last = when;
}

static void count_record(struct registry *registry, struct instant when, unsigned marks)
{
    struct tally *tally = registry->job->tally;

    tally->records++;
    tally->used++;
    if (!(marks & EVENT_RECOVERED))
        widen_span(tally, when);
}

static void tell_key(struct registry *registry, const char *path, const struct hive_key *key,
                     uint64_t offset, unsigned marks)
{
    const bool deleted = marks & EVENT_RECOVERED;

    count_record(registry, key->written, marks);
    buffer_clear(&registry->line);
    registry_put_path(registry, &registry->line, path);
    registry->value_count = 0;
    set_value(registry, FIELD_TargetObject, buffer_slice(&registry->line));
    set_value(registry, FIELD_EventType, slice_of_text(deleted ? "DeleteKey" : "CreateKey"));
    if (deleted)
        set_value(registry, FIELD_Deleted, SLICE_LITERAL("true"));
    emit(registry, KIND_registry_key, deleted ? deleted_key_sources : add_sources, key->written,
         offset, marks);
}

static void put_value_name(struct buffer *line, const struct hive_value *value)
{
    buffer_add_byte(line, '\\');
    if (value->name.bytes.size)
        hive_append_name(line, value->name);
    else
        buffer_add_text(line, "(Default)");
}

/* The raw text is "path\name = details", with what can be read within binary data behind. */
static void tell_value(struct registry *registry, const char *path, const struct hive_recovered *of,
                       unsigned marks)
{
    const bool deleted = marks & EVENT_RECOVERED;
    struct buffer *line = &registry->line;

    count_record(registry, of->key.written, marks);
    buffer_clear(line);
    registry_put_path(registry, line, path);
    put_value_name(line, of->value);
    const size_t target_size = line->size;
    buffer_add_text(line, " = ");
    const size_t details_at = line->size;
    if (of->data_is_lost)
        buffer_add_text(line, "(overwritten)");
    else
        put_details(registry, of->value, line);
    const size_t details_end = line->size;
    if (registry->found.size && !of->data_is_lost) {
        buffer_add_text(line, " : ");
        buffer_add(line, buffer_slice(&registry->found));
    }
    const struct slice whole = buffer_slice(line);
    registry->value_count = 0;
    set_value(registry, FIELD_TargetObject, slice_part(whole, 0, target_size));
    set_value(registry, FIELD_Details, slice_part(whole, details_at, details_end - details_at));
    set_value(registry, FIELD_EventType, slice_of_text(deleted ? "DeleteValue" : "SetValue"));
    if (whole.size > details_end)
        set_value(registry, FIELD_DataText, slice_from(whole, details_end + 3));
    if (deleted)
        set_value(registry, FIELD_Deleted, SLICE_LITERAL("true"));
    emit(registry, KIND_registry_value, deleted ? deleted_value_sources : set_sources,
         of->key.written, of->offset, marks);
}

static int visit(void *context, const char *path, const struct hive_key *key)
{
    struct registry *registry = context;
    struct hive_values values = hive_values(registry->hive, key);
    struct hive_recovered of = {.path = path, .key = *key};
    struct hive_value value;

    tell_key(registry, path, key, BASE_BLOCK_SIZE + (uint64_t)key->cell, 0);
    of.value = &value;
    while (registry->values_left && hive_next_value(&values, &value)) {
        of.offset = BASE_BLOCK_SIZE + (uint64_t)value.cell;
        tell_value(registry, path, &of, 0);
        if (--registry->values_left == 0)
            job_notice(registry->job, of.offset,
                       "there are more values than a hive of this size can have: keys share their "
                       "values; the rest is not read");
    }
    return 0;
}

int registry_tell_values(struct registry *registry)
{
    return hive_walk(registry->hive, visit, registry);
}

static int visit_recovered(void *context, const struct hive_recovered *found)
{
    struct registry *registry = context;

    if (found->value)
        tell_value(registry, found->path, found, EVENT_RECOVERED);
    else
        tell_key(registry, found->path, &found->key, found->offset, EVENT_RECOVERED);
    return 0;
}

int registry_tell_recovered(struct registry *registry)
{
    return hive_recover(registry->hive, visit_recovered, registry);
}
