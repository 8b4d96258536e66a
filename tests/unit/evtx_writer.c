#include "tests/unit/evtx_writer.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 4096, CHUNK = 65536, CHUNK_HEAD = 512 };

static void put(struct evtx_writer *writer, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_add_byte(&writer->file, (uint8_t)(value >> (8 * i)));
}

static void patch(struct evtx_writer *writer, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        writer->file.data[at + i] = (uint8_t)(value >> (8 * i));
}

static size_t here(const struct evtx_writer *writer)
{
    return writer->file.size - writer->chunk;
}

static void put_utf16(struct evtx_writer *writer, const char *text)
{
    for (; *text; text++)
        put(writer, (uint8_t)*text, 2);
}

/* A name that stands where it is used: its own place, then next, hash, size, text, NUL. */
static void put_name(struct evtx_writer *writer, const char *name)
{
    uint32_t hash = 0;

    for (const char *c = name; *c; c++)
        hash = hash * 65599 + (uint8_t)*c;
    put(writer, here(writer) + 4, 4);
    put(writer, 0, 4);
    put(writer, hash & 0xFFFF, 2);
    put(writer, strlen(name), 2);
    put_utf16(writer, name);
    put(writer, 0, 2);
}

/* The places of sizes are left for later: an element's size, and that of its attributes. */
static size_t open_element(struct evtx_writer *writer, const char *name, bool attributes,
                           bool numbered)
{
    put(writer, attributes ? 0x41 : 0x01, 1);
    if (numbered)
        put(writer, 0xFFFF, 2);
    const size_t size_at = writer->file.size;
    put(writer, 0, 4);
    put_name(writer, name);
    writer->attributes = writer->file.size;
    if (attributes)
        put(writer, 0, 4);
    return size_at;
}

static void end_attributes(struct evtx_writer *writer)
{
    patch(writer, writer->attributes, writer->file.size - writer->attributes - 4, 4);
}

static void end_element(struct evtx_writer *writer, size_t size_at, uint8_t token)
{
    put(writer, token, 1);
    patch(writer, size_at, writer->file.size - size_at - 4, 4);
}

static void put_text(struct evtx_writer *writer, const char *text)
{
    put(writer, 0x05, 1);
    put(writer, 1, 1);
    put(writer, strlen(text), 2);
    put_utf16(writer, text);
}

static void put_substitution(struct evtx_writer *writer, uint16_t index, uint8_t type)
{
    put(writer, 0x0D, 1);
    put(writer, index, 2);
    put(writer, type, 1);
}

static void element_of_value(struct evtx_writer *writer, const char *name, uint16_t index,
                             uint8_t type)
{
    const size_t size_at = open_element(writer, name, false, true);

    put(writer, 0x02, 1);
    put_substitution(writer, index, type);
    end_element(writer, size_at, 0x04);
}

static void attribute_of_value(struct evtx_writer *writer, const char *element, const char *name,
                               uint16_t index, uint8_t type)
{
    const size_t size_at = open_element(writer, element, true, true);

    put(writer, 0x06, 1);
    put_name(writer, name);
    put_substitution(writer, index, type);
    end_attributes(writer);
    end_element(writer, size_at, 0x03);
}

/* Everything but what differs between records. Values: 0 provider, 1 id, 2 time, 3 record id, 4
 * channel, 5 EventData. */
static void put_outer_body(struct evtx_writer *writer)
{
    put(writer, 0x0001010F, 4);
    const size_t event = open_element(writer, "Event", false, true);
    put(writer, 0x02, 1);
    const size_t system = open_element(writer, "System", false, true);
    put(writer, 0x02, 1);
    attribute_of_value(writer, "Provider", "Name", 0, 1);
    element_of_value(writer, "EventID", 1, 6);
    attribute_of_value(writer, "TimeCreated", "SystemTime", 2, 0x11);
    element_of_value(writer, "EventRecordID", 3, 10);
    element_of_value(writer, "Channel", 4, 1);
    end_element(writer, system, 0x04);
    put_substitution(writer, 5, 0x21);
    end_element(writer, event, 0x04);
    put(writer, 0, 1);
}

static void begin_instance(struct evtx_writer *writer, uint32_t id, size_t definition)
{
    put(writer, 0x0C, 1);
    put(writer, 1, 1);
    put(writer, id, 4);
    put(writer, definition, 4);
}

/* next, GUID, size; gives the place of the size */
static size_t begin_definition(struct evtx_writer *writer, uint32_t id)
{
    put(writer, 0, 4);
    put(writer, id, 4);
    put(writer, 0, 8);
    put(writer, 0, 4);
    const size_t size_at = writer->file.size;
    put(writer, 0, 4);
    return size_at;
}

static void end_definition(struct evtx_writer *writer, size_t size_at)
{
    patch(writer, size_at, writer->file.size - size_at - 4, 4);
}

static void put_outer(struct evtx_writer *writer)
{
    const uint32_t id = 0x11111111;

    if (writer->outer) {
        begin_instance(writer, id, writer->outer);
        return;
    }
    writer->outer = here(writer) + 10;
    begin_instance(writer, id, writer->outer);
    const size_t size_at = begin_definition(writer, id);
    put_outer_body(writer);
    end_definition(writer, size_at);
}

static size_t field_count(const struct log_entry *entry)
{
    size_t count = 0;

    while (count < WRITER_FIELDS && (entry->fields[count].type || entry->fields[count].text))
        count++;
    return count;
}

static void put_data(struct evtx_writer *writer, const struct log_entry *entry, bool literal)
{
    const size_t data = open_element(writer, "EventData", false, !literal);

    put(writer, 0x02, 1);
    for (size_t i = 0; i < field_count(entry); i++) {
        const struct log_field *field = &entry->fields[i];
        const size_t size_at = open_element(writer, "Data", field->name != NULL, !literal);
        if (field->name) {
            put(writer, 0x06, 1);
            put_name(writer, "Name");
            put_text(writer, field->name);
            end_attributes(writer);
        }
        put(writer, 0x02, 1);
        if (literal)
            put_text(writer, field->text);
        else
            put_substitution(writer, (uint16_t)i, field->type);
        end_element(writer, size_at, 0x04);
    }
    end_element(writer, data, 0x04);
    put(writer, 0, 1);
}

static size_t value_size(const struct log_field *field)
{
    const size_t size = field->text ? strlen(field->text) : 0;

    return field->type == 8      ? 4
           : field->type == 0    ? 0
           : field->type == 0x81 ? size * 2 + 2
                                 : size * 2;
}

static void put_value(struct evtx_writer *writer, const struct log_field *field)
{
    if (field->type == 8) {
        put(writer, strtoul(field->text, NULL, 10), 4);
    } else if (field->type == 0x81) {
        for (const char *c = field->text; *c; c++)
            put(writer, *c == '|' ? 0 : (uint8_t)*c, 2);
        put(writer, 0, 2);
    } else if (field->type) {
        put_utf16(writer, field->text);
    }
}

/* EventData as a template of its own, or as plain elements. */
static void put_inner(struct evtx_writer *writer, const struct log_entry *entry)
{
    const size_t count = field_count(entry);

    put(writer, 0x0001010F, 4);
    if (entry->literal) {
        put_data(writer, entry, true);
        return;
    }
    begin_instance(writer, 0x22222222, here(writer) + 10);
    const size_t size_at = begin_definition(writer, 0x22222222);
    put(writer, 0x0001010F, 4);
    put_data(writer, entry, false);
    end_definition(writer, size_at);
    put(writer, count, 4);
    for (size_t i = 0; i < count; i++) {
        put(writer, value_size(&entry->fields[i]), 2);
        put(writer, entry->fields[i].type, 2);
    }
    for (size_t i = 0; i < count; i++)
        put_value(writer, &entry->fields[i]);
}

static void describe(struct evtx_writer *writer, size_t size, uint8_t type)
{
    put(writer, size, 2);
    put(writer, type, 2);
}

static void start_chunk(struct evtx_writer *writer)
{
    writer->chunk = writer->file.size;
    writer->outer = 0;
    writer->first_id = 0;
    for (size_t i = 0; i < CHUNK_HEAD; i++)
        buffer_add_byte(&writer->file, 0);
}

void evtx_writer_start(struct evtx_writer *writer)
{
    *writer = (struct evtx_writer){0};
    for (size_t i = 0; i < HEAD; i++)
        buffer_add_byte(&writer->file, 0);
    start_chunk(writer);
}

void evtx_writer_add(struct evtx_writer *writer, const struct log_entry *entry)
{
    const size_t start = writer->file.size;

    put(writer, 0x2A2A, 4);
    put(writer, 0, 4);
    put(writer, entry->id, 8);
    put(writer, entry->ticks, 8);
    put(writer, 0x0001010F, 4);
    put_outer(writer);
    put(writer, 6, 4);
    describe(writer, strlen(entry->provider) * 2, 1);
    describe(writer, 2, 6);
    describe(writer, 8, 0x11);
    describe(writer, 8, 10);
    describe(writer, strlen(entry->channel) * 2, 1);
    const size_t inner_size_at = writer->file.size;
    describe(writer, 0, 0x21);
    put_utf16(writer, entry->provider);
    put(writer, entry->event_id, 2);
    put(writer, entry->ticks, 8);
    put(writer, entry->id, 8);
    put_utf16(writer, entry->channel);
    const size_t inner = writer->file.size;
    put_inner(writer, entry);
    patch(writer, inner_size_at, writer->file.size - inner, 2);
    while ((writer->file.size - start + 4) % 8)
        put(writer, 0, 1);
    put(writer, writer->file.size - start + 4, 4);
    patch(writer, start + 4, writer->file.size - start, 4);
    writer->first_id = writer->first_id ? writer->first_id : entry->id;
    writer->last_id = entry->id;
    writer->last = start - writer->chunk;
}

/* CRC-32 bit by bit. */
static uint32_t crc(const uint8_t *bytes, size_t size, uint32_t sum)
{
    sum = ~sum;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
    }
    return ~sum;
}

void evtx_writer_sum_chunk(struct evtx_writer *writer, size_t at)
{
    const uint8_t *chunk = writer->file.data + at;
    const size_t used = chunk[48] | (size_t)chunk[49] << 8 | (size_t)chunk[50] << 16;

    patch(writer, at + 52, crc(chunk + CHUNK_HEAD, used - CHUNK_HEAD, 0), 4);
    patch(writer, at + 124, crc(chunk + 128, CHUNK_HEAD - 128, crc(chunk, 120, 0)), 4);
}

static void complete_chunk(struct evtx_writer *writer)
{
    const size_t at = writer->chunk, used = here(writer);

    memcpy(writer->file.data + at, "ElfChnk", 8);
    patch(writer, at + 8, writer->first_id, 8);
    patch(writer, at + 16, writer->last_id, 8);
    patch(writer, at + 24, writer->first_id, 8);
    patch(writer, at + 32, writer->last_id, 8);
    patch(writer, at + 40, 128, 4);
    patch(writer, at + 44, writer->last, 4);
    patch(writer, at + 48, used, 4);
    while (here(writer) < CHUNK)
        buffer_add_byte(&writer->file, 0);
    evtx_writer_sum_chunk(writer, at);
    writer->chunks++;
}

void evtx_writer_end_chunk(struct evtx_writer *writer)
{
    complete_chunk(writer);
    start_chunk(writer);
}

struct slice evtx_writer_finish(struct evtx_writer *writer, uint32_t flags)
{
    complete_chunk(writer);
    memcpy(writer->file.data, "ElfFile", 8);
    patch(writer, 16, (uint64_t)writer->chunks - 1, 8);
    patch(writer, 24, writer->last_id + 1, 8);
    patch(writer, 32, 128, 4);
    patch(writer, 36, 1, 2);
    patch(writer, 38, 3, 2);
    patch(writer, 40, HEAD, 2);
    patch(writer, 42, writer->chunks, 2);
    patch(writer, 120, flags, 4);
    patch(writer, 124, crc(writer->file.data, 120, 0), 4);
    return buffer_slice(&writer->file);
}

void evtx_writer_release(struct evtx_writer *writer)
{
    buffer_release(&writer->file);
}
