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

/* Puts the path of a key as events have it into registry->key. */
static void enter_key(struct registry *registry, const char *path)
{
    buffer_clear(&registry->key);
    registry_put_path(registry, &registry->key, path);
}

/* A line about the key that was entered. */
static struct registry_line line_of(struct registry *registry, const struct hive_key *key,
                                    uint64_t offset, unsigned marks)
{
    count_record(registry, key->written, marks);
    buffer_add(&registry->lines.text, buffer_slice(&registry->key));
    return (struct registry_line){
        .when = key->written,
        .offset = offset,
        .number = registry->job->tally->records,
        .deleted = marks & EVENT_RECOVERED,
    };
}

static void tell_key(struct registry *registry, const struct hive_key *key, uint64_t offset,
                     unsigned marks)
{
    struct registry_line line = line_of(registry, key, offset, marks);

    line.target_end = line.details = line.details_end = line.end = registry->lines.text.size;
    registry_lines_end(&registry->lines, &line);
}

static void put_value_name(struct buffer *out, const struct hive_value *value)
{
    buffer_add_byte(out, '\\');
    if (value->name.bytes.size)
        hive_append_name(out, value->name);
    else
        buffer_add_text(out, "(Default)");
}

static void tell_value(struct registry *registry, const struct hive_recovered *of, unsigned marks)
{
    struct registry_line line = line_of(registry, &of->key, of->offset, marks);
    struct buffer *text = &registry->lines.text;

    line.is_value = true;
    put_value_name(text, of->value);
    line.target_end = text->size;
    buffer_add_text(text, " = ");
    line.details = text->size;
    if (of->data_is_lost)
        buffer_add_text(text, "(overwritten)");
    else
        put_details(registry, of->value, text);
    line.details_end = text->size;
    if (registry->found.size && !of->data_is_lost) {
        buffer_add_text(text, REGISTRY_FOUND_MARK);
        buffer_add(text, buffer_slice(&registry->found));
    }
    line.end = text->size;
    registry_lines_end(&registry->lines, &line);
}

static int visit(void *context, const char *path, const struct hive_key *key)
{
    struct registry *registry = context;
    struct hive_values values = hive_values(registry->hive, key);
    struct hive_recovered of = {.path = path, .key = *key};
    struct hive_value value;

    enter_key(registry, path);
    tell_key(registry, key, BASE_BLOCK_SIZE + (uint64_t)key->cell, 0);
    of.value = &value;
    while (registry->values_left && hive_next_value(&values, &value)) {
        of.offset = BASE_BLOCK_SIZE + (uint64_t)value.cell;
        tell_value(registry, &of, 0);
        if (--registry->values_left == 0)
            job_notice(registry->job, of.offset,
                       "there are more values than a hive of this size can have: keys share their "
                       "values; the rest is not read");
    }
    return 0;
}

int registry_tell_values(struct registry *registry)
{
    const int result = hive_walk(registry->hive, visit, registry);

    registry_lines_flush(&registry->lines);
    return result;
}

static int visit_recovered(void *context, const struct hive_recovered *found)
{
    struct registry *registry = context;

    enter_key(registry, found->path);
    if (found->value)
        tell_value(registry, found, EVENT_RECOVERED);
    else
        tell_key(registry, &found->key, found->offset, EVENT_RECOVERED);
    return 0;
}

int registry_tell_recovered(struct registry *registry)
{
    const int result = hive_recover(registry->hive, visit_recovered, registry);

    registry_lines_flush(&registry->lines);
    return result;
}
