/*
 * $UsnJrnl:$Max: when the change journal was made, how large it may become, and from which record
 * number on it is its own. One that was made anew goes on where the deleted one ended. Layout: as
 * the Linux-NTFS documentation describes it.
 */
#include "artifacts/artifact.h"
#include "triage/base/error.h"

#include <inttypes.h>
#include <stdio.h>

enum { SIZE = 32, NUMBER_SIZE = 24, VALUES = 4 };

static struct value value_of(enum field field, const char *text)
{
    return (struct value){.name = field_name(field), .field = field, .text = slice_of_text(text)};
}

static void emit(struct job *job, struct slice bytes)
{
    struct cursor c = cursor_over(bytes, 0);
    const uint64_t most = cursor_u64le(&c);
    cursor_skip(&c, 8); /* by how much it grows */
    const uint64_t made = cursor_u64le(&c), lowest = cursor_u64le(&c);
    char texts[VALUES][NUMBER_SIZE];

    snprintf(texts[0], NUMBER_SIZE, "%016" PRIx64, made);
    snprintf(texts[1], NUMBER_SIZE, "%" PRIu64, most);
    snprintf(texts[2], NUMBER_SIZE, "%" PRIu64, lowest);
    const struct value values[] = {
        value_of(FIELD_TargetFilename, job->windows_path ? job->windows_path : job->file->path),
        value_of(FIELD_JournalId, texts[0]),
        value_of(FIELD_MaximumSize, texts[1]),
        value_of(FIELD_LowestValidUsn, texts[2]),
    };
    const struct event event = {
        .kind = KIND_usn_state,
        .artifact = job->artifact->name,
        .sources = job->artifact->sources,
        .when = made <= INT64_MAX ? instant_from_filetime(made) : INSTANT_NONE,
        .basis = made && made <= INT64_MAX ? BASIS_UTC : BASIS_UNKNOWN,
        .file = job->file,
        .raw = bytes,
        .values = values,
        .value_count = VALUES,
        .marks = EVENT_FACT,
    };
    job->tally->used++;
    tally_time(job->tally, event.when);
    job_emit(job, &event);
}

static int parse(struct job *job)
{
    uint8_t bytes[SIZE];
    const ssize_t got = job_read(job, 0, bytes, sizeof bytes);

    if (got < 0)
        return -1;
    job->tally->records++;
    if (got == SIZE) {
        emit(job, slice_of(bytes, SIZE));
        return 0;
    }
    job->tally->rejected++;
    job_notice(job, 0, "the state of the change journal is cut short");
    job_reject(job, 0, 0, slice_of(bytes, (size_t)got));
    return 0;
}

static const char *const paths[] = {"$Extend/$UsnJrnl:$Max", "$Extend/$UsnJrnl%3A$Max",
                                    "$Extend/$Max", NULL};
static const struct log_source sources[] = {{NULL, "windows", "usnjournalstate"},
                                            {NULL, NULL, NULL}};

extern const struct artifact artifact_usn_max;
const struct artifact artifact_usn_max = {
    .name = "usn_max",
    .title = "State of the change journal ($UsnJrnl:$Max)",
    .paths = paths,
    .sources = sources,
    .parse = parse,
};
