/*
 * The change journal of NTFS: what was created, renamed, written and deleted, with the path of that
 * time. Two passes: the first only looks for folders (usn_paths.h), the second tells each record
 * (usn_events.h).
 */
#include "artifacts/usn_events.h"
#include "triage/base/error.h"

#include <stdlib.h>

enum { WINDOW_SIZE = 1 << 20, UNREADABLE_STEP = 64 << 10 };

struct journal {
    struct job *job;
    struct usn_events *events;
    uint8_t *bytes; /* the window */
    uint64_t window_offset;
    uint64_t damage_end; /* where the damage told last ends */
};

/* ---- the passes ---- */

static void learn(struct journal *journal, const struct usn_record *record)
{
    if (record->attributes & USN_FOLDER)
        usn_paths_learn(usn_events_paths(journal->events), record);
}

static void tell(struct journal *journal, const struct usn_record *record)
{
    journal->job->tally->records++;
    journal->job->tally->used++;
    tally_time(journal->job->tally, record->when);
    usn_events_add(journal->events, record,
                   journal->window_offset + (uint64_t)(record->bytes.data - journal->bytes));
}

/* One rejected record for each stretch, also when it reaches over several windows. */
static void tell_damage(struct journal *journal, uint64_t start, struct slice bytes, uint64_t size,
                        const char *why)
{
    if (start != journal->damage_end || start == 0) {
        journal->job->tally->records++;
        journal->job->tally->rejected++;
        job_notice(journal->job, start, why);
        if (bytes.size)
            job_reject(journal->job, start, 0, bytes);
    }
    journal->damage_end = start + size;
}

static void skip_damage(struct journal *journal, struct slice damage)
{
    const uint64_t start = journal->window_offset + (uint64_t)(damage.data - journal->bytes);

    tell_damage(journal, start, damage, damage.size, "these bytes are no change journal record");
}

/* Takes the records of a window. Gives the bytes that need not be seen again. */
static size_t take_window(struct journal *journal, size_t size, bool last,
                          void (*take)(struct journal *journal, const struct usn_record *record))
{
    struct usn_window window = {.bytes = slice_of(journal->bytes, size), .last = last};
    struct usn_record record;
    struct slice damage;

    for (;;) {
        switch (usn_next(&window, &record, &damage)) {
        case USN_RECORD:
            take(journal, &record);
            break;
        case USN_DAMAGE:
            if (take == tell)
                skip_damage(journal, damage);
            break;
        case USN_MORE:
        case USN_END:
            return window.at;
        }
    }
}

/* Goes over all stretches of the journal that are not sparse. */
static int pass(struct journal *journal,
                void (*take)(struct journal *journal, const struct usn_record *record))
{
    struct job *job = journal->job;
    uint64_t at = 0, start, size, good = 0, bad = 0;

    while (job_data(job, at, &start, &size)) {
        size_t want = WINDOW_SIZE;
        at = start > at ? (start + 7) & ~UINT64_C(7) : at;
        ssize_t got = job_read(job, at, journal->bytes, want);
        if (got < 0) /* what lies in front of the damage is still wanted */
            got = job_read(job, at, journal->bytes, want = UNREADABLE_STEP);
        if (got == 0)
            break;
        if (got < 0) {
            bad++;
            if (take == tell)
                tell_damage(journal, at, slice_of(NULL, 0), UNREADABLE_STEP, error_text());
            at += UNREADABLE_STEP;
            continue;
        }
        good++;
        journal->window_offset = at;
        const bool last = at + (uint64_t)got >= job->size || (size_t)got < want;
        const size_t used = take_window(journal, (size_t)got, last, take);
        usn_events_flush(journal->events);
        at += used ? used : (size_t)got;
    }
    return bad && !good ? -1 : 0;
}

static int parse(struct job *job)
{
    struct journal journal = {.job = job, .bytes = malloc(WINDOW_SIZE)};
    int result = -1;

    journal.events = usn_events_new(job, 0);
    if (!journal.bytes || !journal.events)
        error_set("out of memory");
    else if (pass(&journal, learn) == 0)
        result = pass(&journal, tell);
    if (journal.events && usn_paths_full(usn_events_paths(journal.events)))
        job_notice(
            job, 0,
            "the journal names more folders than are kept: of some files only the name is known");
    usn_events_free(journal.events);
    free(journal.bytes);
    return result;
}

/* ---- recognition ---- */

/* A copy of the stream under one of the names that collectors give it. */
static bool is_called_journal(const char *name)
{
    const struct slice text = slice_of_text(name);

    return slice_is_nocase(text, "$J") || slice_starts_nocase(text, "$UsnJrnl") ||
           slice_starts_nocase(text, "UsnJrnl");
}

static bool recognise(struct slice head, const char *name)
{
    struct usn_window window = {.bytes = head, .last = head.size < 65536};
    struct usn_record record;
    struct slice damage;
    const enum usn_step step = usn_next(&window, &record, &damage);

    if (step == USN_END) /* its start is sparse, which a copy has as zeroes */
        return head.size > 0 && is_called_journal(name);
    return step == USN_RECORD && record.usn % 8 == 0 &&
           (record.version == 4 || instant_known(record.when));
}

static const char *const paths[] = {"$Extend/$UsnJrnl:$J", "$Extend/$J", "$Extend/$UsnJrnl%3A$J",
                                    "$Extend/$UsnJrnl_$J", "$J",         "$Extend/$UsnJrnl.$J",
                                    "$Extend/$UsnJrnl/$J", NULL};
static const struct log_source sources[] = {
    {"file_event", "windows", "usnjournal"},
    {"file_delete", "windows", "usnjournal"},
    {"file_rename", "windows", "usnjournal"},
    {NULL, NULL, NULL},
};

extern const struct artifact artifact_usn_journal;
const struct artifact artifact_usn_journal = {
    .name = "usn_journal",
    .title = "Change journal ($UsnJrnl:$J)",
    .paths = paths,
    .sources = sources,
    .context = true,
    .stay = true,
    .recognise = recognise,
    .parse = parse,
};
