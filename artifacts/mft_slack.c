/*
 * What lies behind the end of $MFT entries: an entry that shrank, or that was given to another
 * file, keeps the end of what it held. Names of files that a small folder had (its index lies in
 * the entry itself), $FILE_NAME attributes, and the contents of small files, which are searched by
 * the content rules as if they were files.
 */
#include "artifacts/slack_entry.h"
#include "triage/base/error.h"
#include "triage/evidence/mft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_SIZE = 1 << 20,
    RECORD_SIZE_MAX = 64 << 10,
    ALIGNMENT = 8,
    TYPE_DATA = 0x80,
    HEADER_SIZE = 24, /* of a resident attribute */
    LEAST_CONTENT = 16,
    HASH_SIZE = 65,
    NUMBER_SIZE = 24,
    VALUES = 7,
};

struct table {
    struct job *job;
    struct slack_entries *entries;
    uint8_t *window;
    uint32_t record_size;
};

/* A resident, unencrypted $DATA attribute that is whole; its content. */
static bool find_content(struct slice slack, size_t *at, struct slice *content)
{
    for (size_t place = *at; place + HEADER_SIZE + LEAST_CONTENT <= slack.size;
         place += ALIGNMENT) {
        struct cursor c = cursor_over(slice_from(slack, place), 0);
        const uint32_t type = cursor_u32le(&c);
        if (type != TYPE_DATA)
            continue;
        const size_t size = cursor_u32le(&c);
        const uint8_t nonresident = cursor_u8(&c), name_units = cursor_u8(&c);
        const size_t name_at = cursor_u16le(&c);
        const uint16_t flags = cursor_u16le(&c);
        cursor_skip(&c, 2); /* attribute id */
        const size_t content_size = cursor_u32le(&c), content_at = cursor_u16le(&c);
        if (cursor_failed(&c) || nonresident != 0 || flags != 0 || size % ALIGNMENT != 0 ||
            size > slack.size - place || content_size < LEAST_CONTENT || content_at < HEADER_SIZE ||
            content_at > size || content_size > size - content_at ||
            size - content_at - content_size >= ALIGNMENT ||
            (name_units && name_at + 2u * name_units > content_at))
            continue;
        *content = slice_part(slack, place + content_at, content_size);
        *at = place + size;
        return true;
    }
    *at = slack.size;
    return false;
}

static struct value value_of(enum field field, const char *text)
{
    return (struct value){.name = field_name(field), .field = field, .text = slice_of_text(text)};
}

static void tell_content(struct table *table, uint64_t entry, uint64_t offset, struct slice content)
{
    struct job *job = table->job;
    char md5[HASH_SIZE], sha1[HASH_SIZE], sha256[HASH_SIZE], size[NUMBER_SIZE], reference[48];
    struct buffer name = BUFFER_EMPTY;

    buffer_format(&name, "%s", job->windows_path ? job->windows_path : job->file->path);
    buffer_format(&name, "\\slack of entry %" PRIu64, entry);
    snprintf(size, sizeof size, "%zu", content.size);
    snprintf(reference, sizeof reference, "%" PRIu64, entry);
    job_scan(job, buffer_text(&name), offset, content, md5, sha1, sha256);
    const struct value values[VALUES] = {
        value_of(FIELD_TargetFilename, buffer_text(&name)),
        value_of(FIELD_Size, size),
        value_of(FIELD_Deleted, "true"),
        value_of(FIELD_FileReferenceNumber, reference),
        value_of(FIELD_MD5, md5),
        value_of(FIELD_SHA1, sha1),
        value_of(FIELD_SHA256, sha256),
    };
    const struct event event = {
        .kind = KIND_file_remnant_content,
        .artifact = job->artifact->name,
        .sources = job->artifact->sources,
        .when = INSTANT_NONE,
        .file = job->file,
        .offset = offset,
        .number = entry,
        .raw = content,
        .values = values,
        .value_count = VALUES,
        .marks = EVENT_RECOVERED,
    };
    job->tally->records++;
    job->tally->used++;
    job_emit(job, &event);
    buffer_release(&name);
}

static void take_slack(struct table *table, uint64_t entry, uint64_t offset, struct slice slack)
{
    struct index_entry found;
    struct slice content;

    for (size_t at = 0; index_find_entry(slack, &at, &found);)
        slack_entry_take(table->entries, &found,
                         offset + (uint64_t)(found.bytes.data - slack.data));
    for (size_t at = 0; find_content(slack, &at, &content);)
        tell_content(table, entry, offset + (uint64_t)(content.data - slack.data), content);
}

/* The slack begins behind the mark that ends the attributes. A record that is torn or was never
 * used has none that can be trusted; the $MFT's own artifact counts those. */
static void take_record(struct table *table, uint8_t *bytes, uint64_t offset)
{
    const size_t size = table->record_size, good = mft_fix_up(bytes, size);
    struct cursor c = cursor_over(slice_of(bytes, size), offset);

    cursor_seek(&c, HEADER_SIZE);
    const size_t used = cursor_u32le(&c), start = (used + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (good != size || used < 42 || used > size)
        return;
    take_slack(table, offset / size, offset + start, slice_from(slice_of(bytes, size), start));
}

static int read_table(struct table *table)
{
    struct job *job = table->job;
    const size_t window = WINDOW_SIZE - WINDOW_SIZE % table->record_size;
    size_t step, bad = 0, good = 0;

    for (uint64_t at = 0; at < job->size; at += step) {
        step = window;
        ssize_t got = job_read(job, at, table->window, step);
        if (got < 0) /* only the records of the damage are lost */
            got = job_read(job, at, table->window, step = table->record_size);
        bad += got < 0;
        good += got > 0;
        for (size_t i = 0; got > 0 && (size_t)got - i >= table->record_size;
             i += table->record_size)
            take_record(table, table->window + i, at + i);
        if (got >= 0 && (size_t)got < step)
            break;
    }
    return bad && !good ? error_set("the $MFT cannot be read") : 0;
}

static ssize_t read_input(void *context, uint64_t offset, void *buffer, size_t size)
{
    return job_read(context, offset, buffer, size);
}

static int parse(struct job *job)
{
    const struct mft_input input = {.read = read_input, .context = job, .size = job->size};
    struct table table = {.job = job, .record_size = mft_record_size(&input)};
    int result = -1;

    if (table.record_size == 0)
        return -1;
    table.window = malloc(WINDOW_SIZE);
    table.entries = slack_entries_new(job);
    if (table.window && table.entries)
        result = read_table(&table);
    slack_entries_free(table.entries);
    free(table.window);
    return result;
}

static const char *const paths[] = {"$MFT", NULL};

extern const struct artifact artifact_mft_slack;
const struct artifact artifact_mft_slack = {
    .name = "mft_slack",
    .title = "Remnants behind the end of $MFT entries",
    .paths = paths,
    .sources = slack_sources,
    .stay = true,
    .parse = parse,
};
