/*
 * Voice mail queues of unified messaging, UnifiedMessaging/voicemail and badvoicemail: NAME.txt is
 * a header of lines "Name : value", beside the recording. CVE-2021-26857 is a serialised .NET
 * object in ContactInfo; the header stays in badvoicemail when it has failed. The names of the
 * types in it are told, and the content rules search the whole file. Source of the layout: the
 * published analyses of CVE-2021-26857; MS-NRBF for the object.
 */
#include "artifacts/entry.h"
#include "triage/base/base64.h"
#include "triage/base/error.h"

#include <inttypes.h>
#include <string.h>

enum {
    HEADER_MOST = 4 * 1024 * 1024,
    WORD_LEAST = 6, /* shorter runs of letters are chance */
    TYPES_MOST = 8192,
    VALUE_MOST = 1024,
};

static bool is_name_letter(uint8_t c)
{
    return c > ' ' && c < 0x7f;
}

/* The runs of letters in the object: the names of its types, members and texts. */
static const char *words_of(struct job *job, struct slice object)
{
    struct buffer words = BUFFER_EMPTY;
    size_t start = 0;

    for (size_t i = 0; i <= object.size && words.size < TYPES_MOST; i++) {
        if (i < object.size && is_name_letter(object.data[i]))
            continue;
        if (i - start >= WORD_LEAST) {
            if (words.size)
                buffer_add_byte(&words, ' ');
            buffer_add(&words, slice_part(object, start, i - start));
        }
        start = i + 1;
    }
    const char *text = arena_text(job->arena, slice_part(buffer_slice(&words), 0, TYPES_MOST));
    buffer_release(&words);
    return text;
}

static void add_object(struct entry *entry, struct slice value)
{
    struct buffer object = BUFFER_EMPTY;

    base64_read(&object, value, base64_digit);
    entry_add(entry, "SerializedTypes", words_of(entry->job, buffer_slice(&object)));
    buffer_release(&object);
}

/* Letters and digits only, as the service writes its names. */
static bool is_word(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        const uint8_t c = name.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return name.size > 0;
}

/* "Name : value"; lines of another shape are passed over. */
static void add_line(struct entry *entry, struct slice line)
{
    const size_t colon = slice_find(line, 0, ':');

    if (colon == SIZE_MAX || colon > 64)
        return;
    const struct slice name = slice_trim(slice_part(line, 0, colon));
    const struct slice value = slice_trim(slice_from(line, colon + 1));
    if (!is_word(name))
        return;
    const char *name_text = arena_text(entry->job->arena, name);
    if (!name_text)
        return;
    entry_add(entry, name_text, arena_text(entry->job->arena, slice_part(value, 0, VALUE_MOST)));
    if (slice_starts(value, "AAEAAAD/////"))
        add_object(entry, value);
}

static void add_header(struct entry *entry, struct slice content)
{
    size_t at = slice_starts(content, "\xef\xbb\xbf") ? 3 : 0;

    while (at < content.size) {
        const size_t end = slice_find(content, at, '\n');
        const size_t size = (end == SIZE_MAX ? content.size : end) - at;
        add_line(entry, slice_part(content, at, size));
        at += size + 1;
    }
}

static int parse(struct job *job)
{
    const bool header = slice_ends_nocase(slice_of_text(job->file->path), ".txt");
    struct slice content = {0};
    struct entry entry;

    entry_begin(&entry, job, KIND_um_message);
    entry_time(&entry, file_appeared(job->file));
    entry_add(&entry, "Size", arena_format(job->arena, "%" PRIu64, job->file->size));
    if (header && job->size > HEADER_MOST) {
        job_notice(job, 0, "the header is larger than 4 MiB: it was not read");
    } else if (header) {
        if (entry_content(job, &content) < 0)
            return -1;
        add_header(&entry, content);
    }
    entry.event.raw = content.size ? content : entry.values[0].text;
    entry_emit(&entry);
    return 0;
}

static const char *const paths[] = {"{exchange}/UnifiedMessaging/voicemail/**",
                                    "{exchange}/UnifiedMessaging/badvoicemail/**", NULL};
static const struct log_source sources[] = {{NULL, "windows", "um-queue"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_um_queue;
const struct artifact artifact_um_queue = {
    .name = "um_queue",
    .title = "Voice mail queues",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .scan = true,
    .deleted = true,
    .parse = parse,
};
