/* A job over bytes in memory that keeps what a parser told: for tests of artifacts without an
 * engine. */
#ifndef TESTS_UNIT_FAKE_JOB_H
#define TESTS_UNIT_FAKE_JOB_H

#include "artifacts/artifact.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum { FAKE_EVENTS = 512, FAKE_NOTICES = 64 };

struct fake_job {
    struct job job;
    struct file file;
    struct tally tally;
    struct job_services services;
    struct slice bytes;
    const char *needle; /* the prefilter nominates where it stands; NULL: nothing; "": everything */
    uint64_t damage_from, damage_to; /* reading these bytes fails */
    struct buffer text; /* one line per event: "number|offset|kind|marks|when|name=value|..." */
    size_t event_count, notice_count;
    struct event last;  /* of the last event, without what it borrows */
    char time_text[64]; /* of the last event */
    struct buffer notices;
    struct slice neighbours[2]; /* beside the file: ".LOG1" and ".LOG2" */
    struct fake_other {
        const char *path, *text;
    } others[8];
    size_t other_count;
    uint64_t hole_to;    /* the file is sparse up to here */
    struct slice peeked; /* what each other file holds that an artifact looks into */
    /* What an $MFT says of a reference; NULL: there is none. */
    bool (*name_of)(uint64_t reference, struct buffer *name, uint64_t *parent);
    uint64_t lost; /* the reference of the entry that cannot be read; 0: none */
};

static inline ssize_t fake_read(struct job *job, uint64_t offset, void *out, size_t size)
{
    struct fake_job *fake = job->engine;
    const struct slice part = slice_part(fake->bytes, offset, size);

    if (offset < fake->damage_to && offset + size > fake->damage_from)
        return error_set("bytes %llu on are damaged", (unsigned long long)fake->damage_from);
    if (part.size)
        memcpy(out, part.data, part.size);
    return (ssize_t)part.size;
}

static inline size_t fake_next(struct job *job, struct slice window, size_t from)
{
    const struct fake_job *fake = job->engine;

    if (!fake->needle)
        return SIZE_MAX;
    if (!*fake->needle)
        return from < window.size ? from : SIZE_MAX;
    return slice_find_nocase(window, from, slice_of_text(fake->needle));
}

static inline void fake_emit(struct job *job, const struct event *event)
{
    struct fake_job *fake = job->engine;
    char when[INSTANT_TEXT_SIZE];

    const struct slice time_text = slice_part(event->time_text, 0, sizeof fake->time_text - 1);
    memset(fake->time_text, 0, sizeof fake->time_text);
    if (time_text.size)
        memcpy(fake->time_text, time_text.data, time_text.size);
    fake->last = *event;
    if (fake->event_count++ >= FAKE_EVENTS)
        return;
    buffer_format(&fake->text, "%llu|%llu|%s|%u|%d|%s", (unsigned long long)event->number,
                  (unsigned long long)event->offset, kind_name(event->kind), event->marks,
                  (int)event->basis, instant_format(event->when, when));
    for (size_t i = 0; i < event->value_count; i++) {
        buffer_format(&fake->text, "|%s%s=", event->values[i].alias ? "@" : "",
                      event->values[i].name);
        buffer_add(&fake->text, event->values[i].text);
    }
    buffer_add_text(&fake->text, "|raw=");
    buffer_add(&fake->text, slice_part(event->raw, 0, 2048));
    buffer_add_text(&fake->text, "\n");
}

static inline void fake_notice(struct job *job, uint64_t offset, const char *text)
{
    struct fake_job *fake = job->engine;

    if (fake->notice_count++ < FAKE_NOTICES)
        buffer_format(&fake->notices, "%llu: %s\n", (unsigned long long)offset, text);
}

static inline bool fake_owner(struct job *job, char *text, size_t size)
{
    (void)job;
    strncpy(text, "S-1-5-18", size - 1);
    text[size - 1] = 0;
    return true;
}

static inline int fake_digests(struct job *job, char md5[33], char sha1[41], char sha256[65])
{
    (void)job;
    strcpy(md5, "m");
    strcpy(sha1, "s1");
    strcpy(sha256, "s256");
    return 0;
}

/* Other files of the evidence, for artifacts that look at them: volume 0, paths as written. */
static inline bool fake_find(struct job *job, uint32_t volume, const char *path, struct file *file)
{
    const struct fake_job *fake = job->engine;

    for (size_t i = 0; volume == 0 && i < fake->other_count; i++)
        if (slice_is_nocase(slice_of_text(path), fake->others[i].path)) {
            *file = (struct file){
                .path = fake->others[i].path, .size = strlen(fake->others[i].text), .address = i};
            return true;
        }
    return false;
}

static inline int fake_load(struct job *job, const struct file *file, size_t most,
                            struct slice *content)
{
    const struct fake_job *fake = job->engine;

    if (file->size > most)
        return error_set("too large");
    *content = slice_of_text(fake->others[file->address].text);
    return 0;
}

static inline ssize_t fake_peek(struct job *job, const struct file *file, uint64_t offset,
                                void *out, size_t size)
{
    const struct fake_job *fake = job->engine;
    const struct slice part =
        offset <= SIZE_MAX ? slice_part(fake->peeked, (size_t)offset, size) : slice_of(NULL, 0);

    (void)file;
    if (part.size)
        memcpy(out, part.data, part.size);
    return (ssize_t)part.size;
}

static inline void fake_scan(struct job *job, const char *windows_path, uint64_t offset,
                             struct slice content, char md5[33], char sha1[41], char sha256[65])
{
    struct fake_job *fake = job->engine;

    fake_digests(job, md5, sha1, sha256);
    buffer_format(&fake->text, "scanned|%s|%llu|%.*s\n", windows_path, (unsigned long long)offset,
                  (int)content.size, (const char *)content.data);
}

static inline bool fake_data(struct job *job, uint64_t offset, uint64_t *start, uint64_t *size)
{
    const struct fake_job *fake = job->engine;

    *start = offset < fake->hole_to ? fake->hole_to : offset;
    if (*start >= fake->bytes.size)
        return false;
    *size = fake->bytes.size - *start;
    return true;
}

static inline bool fake_name_of(struct job *job, uint64_t reference, struct buffer *name,
                                uint64_t *parent)
{
    const struct fake_job *fake = job->engine;

    return fake->name_of && fake->name_of(reference, name, parent);
}

static inline bool fake_is_lost(struct job *job, uint64_t reference)
{
    const struct fake_job *fake = job->engine;

    return fake->lost && fake->lost == reference;
}

static inline int fake_neighbour(struct job *job, const char *suffix, struct slice *content)
{
    const struct fake_job *fake = job->engine;

    *content = fake->neighbours[suffix[strlen(suffix) - 1] == '2'];
    return 0;
}

/* Fills `fake` for a file of that name; it must not move afterwards. */
/* Two channels and what the ids of processes mean; made once. */
static inline const struct source_map *fake_source_map(void)
{
    static struct source_map *map;

    if (map)
        return map;
    map = source_map_new();
    source_map_add_channel(map, "security", "Security");
    source_map_add_channel(map, "sysmon", "Microsoft-Windows-Sysmon/Operational");
    source_map_add_category(map, "process_creation", "security", 4688,
                            (struct source_where){NULL, NULL});
    source_map_add_channel(map, "msexchange-management", "MSExchange Management");
    source_map_add_also(map, "msexchange-management",
                        (struct log_source){NULL, "exchange", "rps-cmdlet"});
    source_map_finish(map);
    return map;
}

static inline void fake_job_init(struct fake_job *fake, const char *artifact, const char *path,
                                 struct slice bytes, const char *needle)
{
    memset(fake, 0, sizeof *fake);
    fake->services = (struct job_services){.read = fake_read,
                                           .next_candidate = fake_next,
                                           .emit = fake_emit,
                                           .notice = fake_notice,
                                           .owner = fake_owner,
                                           .digests = fake_digests,
                                           .neighbour = fake_neighbour,
                                           .find = fake_find,
                                           .load = fake_load,
                                           .data = fake_data,
                                           .name_of = fake_name_of,
                                           .is_lost = fake_is_lost,
                                           .peek = fake_peek,
                                           .scan = fake_scan};
    fake->file.path = path;
    fake->file.size = bytes.size;
    fake->bytes = bytes;
    fake->needle = needle;
    fake->job = (struct job){.artifact = artifact_by_name(artifact),
                             .file = &fake->file,
                             .windows_path = path,
                             .size = bytes.size,
                             .tally = &fake->tally,
                             .services = &fake->services,
                             .source_map = fake_source_map(),
                             .engine = fake};
    fake->job.arena = arena_new(1 << 20);
}

static inline void fake_job_release(struct fake_job *fake)
{
    buffer_release(&fake->text);
    buffer_release(&fake->notices);
    arena_free(fake->job.arena);
}

#endif
