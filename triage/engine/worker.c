#include "triage/engine/worker.h"

#include "artifacts/artifact.h"
#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/base/sandbox.h"
#include "triage/engine/helper_programs.h"
#include "triage/engine/inventory.h"
#include "triage/engine/mailbox_store.h"
#include "triage/engine/plan.h"
#include "triage/engine/survey.h"
#include "triage/evidence/evidence.h"
#include "triage/evidence/mft.h"
#include "triage/match/correlation.h"
#include "triage/match/matcher.h"
#include "triage/record/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    JOB_MEMORY = 64 << 20,      /* ceiling of a job's arena */
    SURVEY_MEMORY = 1 << 30,    /* hives are read whole */
    CONTENT_CEILING = 64 << 20, /* files up to this size are held in memory and scanned whole */
    COPY_WINDOW = 1 << 20,
    HEAD_SIZE = 64 << 10, /* what artifacts recognise a file by */
    EVENT_CEILING = 8 << 20,
    NEIGHBOUR_CEILING = 64 << 20,
    MOST_NEIGHBOURS = 4, /* files beside the one at work that are held at a time */
    MOST_NOTICES = 1000, /* of one file */
    HOST_CEILING = 8 << 20,
    WANTED_BYTES = 600,    /* of a wanted file, beside its path, in the parent */
    MOST_REJECTED = 10000, /* kept of one file; all are counted */
    MOST_FACTS = 20000,    /* likewise */
    MOST_CONTEXT = 1000,   /* events of a file in a stretch of time */
    CONTEXT_ROOMS = 1 << 16,
};

static const uint64_t WANTED_CEILING = UINT64_C(2)
                                       << 30; /* an intruder can make any number of files */

struct worker {
    const struct worker_setup *setup;
    struct evidence **evidence;
    struct matcher *matcher; /* NULL without rules */
    struct helper_programs *helpers;
    struct arena *arena; /* of the task at hand */
    struct buffer frame, content, window;
    struct buffer windows_path, stream_path;
    enum list_fit {
        FIT_UNKNOWN,
        FIT_YES,
        FIT_NO
    } *
        fits; /* Microsoft's lists of pages, per item */
    uint64_t
        *damage_told; /* per evidence item: damaged bytes already sent; ranges may grow together */
};

/* What the content rules are looking at. */
struct scanned {
    struct slice bytes;
    const char *windows_path;
    struct digests digests;
    uint64_t offset; /* in the file */
    bool recovered;  /* no file of its own any more */
};

/* A parse or copy task at work. */
struct running {
    struct job job;
    struct worker *worker;
    struct outbox *outbox;
    struct evidence *evidence;
    struct stream *stream;
    const struct prefilter *prefilter;
    struct tally tally;
    bool loaded;               /* content holds the whole file */
    const struct event *event; /* being matched */
    const char *owner;
    struct digests digests;
    bool digested;
    struct scanned scanned;
    uint32_t *rooms;       /* of context: events in each stretch of time */
    uint64_t context_left; /* events that found no room */
    bool loss_told;        /* that the file is deleted and not whole any more */
    size_t notices, rejected, facts;
    struct buffer neighbours[MOST_NEIGHBOURS];
    size_t neighbour_count;
    struct stream *mft;    /* of the file's volume, opened on first use */
    struct stream *peeked; /* the other file that the artifact looks into, and its address */
    uint64_t peeked_address;
    struct mft_input mft_input;
    bool mft_sought;
};

/* --- tasks --- */

void task_put_survey(struct buffer *out, uint32_t evidence)
{
    wire_put_u8(out, TASK_SURVEY);
    wire_put_u32(out, evidence);
}

void task_put_verify(struct buffer *out, uint32_t evidence)
{
    wire_put_u8(out, TASK_VERIFY);
    wire_put_u32(out, evidence);
}

void task_put_parse(struct buffer *out, uint32_t artifact, const struct file *file)
{
    wire_put_u8(out, TASK_PARSE);
    wire_put_u32(out, artifact);
    wire_put_file(out, file);
}

void task_put_context(struct buffer *out, uint32_t artifact, const struct file *file)
{
    wire_put_u8(out, TASK_CONTEXT);
    wire_put_u32(out, artifact);
    wire_put_file(out, file);
}

void task_put_copy(struct buffer *out, const struct file *file)
{
    wire_put_u8(out, TASK_COPY);
    wire_put_file(out, file);
}

/* --- results --- */

static struct buffer *frame(struct worker *worker)
{
    buffer_clear(&worker->frame);
    return &worker->frame;
}

static void send_frame(struct worker *worker, struct outbox *outbox, enum result_kind kind)
{
    if (buffer_failed(&worker->frame))
        _exit(1); /* out of memory: the parent notes the task */
    outbox_send(outbox, (uint8_t)kind, buffer_slice(&worker->frame));
}

static void send_unread(struct worker *worker, struct outbox *outbox, const char *path,
                        const char *why)
{
    struct buffer *out = frame(worker);

    wire_put_text(out, path);
    wire_put_text(out, why);
    send_frame(worker, outbox, RESULT_UNREAD);
}

static void send_notice(struct worker *worker, struct outbox *outbox, uint64_t offset,
                        const char *text)
{
    struct buffer *out = frame(worker);

    wire_put_u64(out, offset);
    wire_put_text(out, text);
    send_frame(worker, outbox, RESULT_NOTICE);
}

/* Damage of the medium that came up since this worker last told. */
static void send_damage(struct worker *worker, struct outbox *outbox, uint32_t index)
{
    size_t count;
    const struct damage *damage = evidence_damage(worker->evidence[index], &count);
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += damage[i].size;
    if (bytes == worker->damage_told[index])
        return;
    worker->damage_told[index] = bytes;
    for (size_t i = 0; i < count; i++) {
        struct buffer *out = frame(worker);
        wire_put_u64(out, damage[i].offset);
        wire_put_u64(out, damage[i].size);
        wire_put_text(out, damage[i].why);
        send_frame(worker, outbox, RESULT_DAMAGE);
    }
}

static void put_tally(struct buffer *out, const struct tally *tally, uint64_t bytes, bool damaged)
{
    wire_put_u64(out, bytes);
    wire_put_u64(out, tally->records);
    wire_put_u64(out, tally->used);
    wire_put_u64(out, tally->repaired);
    wire_put_u64(out, tally->rejected);
    wire_put_u64(out, tally->backward);
    wire_put_u8(out, tally->continuous);
    wire_put_u64(out, tally->gaps);
    wire_put_u64(out, tally->missing);
    wire_put_u64(out, (uint64_t)tally->first.ticks);
    wire_put_u64(out, (uint64_t)tally->last.ticks);
    wire_put_u8(out, damaged);
    wire_put_u32(out, (uint32_t)tally->day_count);
    for (size_t i = 0; i < tally->day_count; i++)
        wire_put_u32(out, tally->days[i]);
    for (size_t i = 0; i < tally->day_count; i++)
        wire_put_u32(out, tally->hours[i]);
}

static void put_indicator(struct buffer *out, const struct hit *hit, const struct event *event,
                          const char *sha256)
{
    wire_put_u32(out, (uint32_t)hit->rule);
    wire_put_text(out, hit->how);
    wire_put_text(out, hit->detail);
    wire_put_text(out, sha256);
    wire_put_u8(out, event->raw.size > RAW_CEILING);
    wire_put_event(out, event, RAW_CEILING);
}

/* --- services for artifacts --- */

static struct running *running_of(struct job *job)
{
    return job->engine;
}

static const char mail_is_not_read[] =
    "a mailbox database or store: it is listed, and its content is never opened";

static ssize_t service_read(struct job *job, uint64_t offset, void *buffer, size_t size)
{
    struct running *running = running_of(job);

    if (job->artifact && is_mailbox_store(job->file->path))
        return error_set("%s", mail_is_not_read);
    if (running->loaded) {
        const struct slice part =
            slice_part(buffer_slice(&running->worker->content), (size_t)offset, size);
        if (part.size)
            memcpy(buffer, part.data, part.size);
        return (ssize_t)part.size;
    }
    const ssize_t got = stream_read(running->stream, offset, buffer, size);
    if (got > 0)
        outbox_progress(running->outbox, (uint64_t)got);
    return got;
}

static size_t service_next_candidate(struct job *job, struct slice window, size_t from)
{
    const struct running *running = running_of(job);

    if (job->context)
        return from < window.size ? from : SIZE_MAX;
    return running->prefilter
               ? matcher_next(running->worker->matcher, running->prefilter, window, from)
               : SIZE_MAX;
}

static bool service_could_match(struct job *job, struct slice record)
{
    const struct running *running = running_of(job);
    struct matcher *matcher = running->worker->matcher;

    return matcher && matcher_could_match(matcher, job->artifact->sources, record);
}

static void service_notice(struct job *job, uint64_t offset, const char *text)
{
    struct running *running = running_of(job);

    if (job->context) /* told when the file was parsed */
        return;
    if (running->notices == MOST_NOTICES)
        text = "there are more notices of this file than are kept";
    if (running->notices++ <= MOST_NOTICES)
        send_notice(running->worker, running->outbox, offset, text);
}

/* A small row for the parent: the time, where it stands and what correlations ask of it. */
static void send_correlated(struct running *running, size_t rule, const struct event *whole,
                            const char *sha256)
{
    enum { CORRELATED_RAW = 512, VALUE_MOST = 4096 };
    struct value values[CORRELATED_VALUES_MOST];
    struct event event = *whole;
    size_t correlations;

    rule_set_correlations_on(running->worker->setup->rules, rule, &correlations);
    if (correlations == 0)
        return;
    event.values = values;
    event.value_count =
        matcher_correlated_values(running->worker->matcher, rule, values, CORRELATED_VALUES_MOST);
    for (size_t i = 0; i < event.value_count; i++)
        values[i].text = slice_part(values[i].text, 0, VALUE_MOST);
    struct buffer *out = frame(running->worker);
    wire_put_u32(out, (uint32_t)rule);
    wire_put_text(out, sha256);
    wire_put_u8(out, event.raw.size > CORRELATED_RAW);
    wire_put_event(out, &event, CORRELATED_RAW);
    send_frame(running->worker, running->outbox, RESULT_CORRELATED);
}

static void found(void *context, const struct hit *hit)
{
    struct running *running = context;
    struct event event = *running->event;
    char sha256[SHA256_TEXT_SIZE];

    if (event.render)
        event.raw = event.render(event.render_context);
    hash_sha256(event.record.size ? event.record : event.raw, sha256);
    if (stream_damaged(running->stream))
        event.marks |= EVENT_DAMAGED;
    if (running->job.file->flags & FILE_DELETED)
        event.marks |= EVENT_RECOVERED;
    send_correlated(running, hit->rule, &event, sha256);
    if (rule_set_rule(running->worker->setup->rules, hit->rule)->silent)
        return;
    put_indicator(frame(running->worker), hit, &event, sha256);
    if (running->worker->frame.size > EVENT_CEILING) {
        service_notice(&running->job, event.offset,
                       "a matched record is too large: its fields are left out of the case");
        event.value_count = 0;
        put_indicator(frame(running->worker), hit, &event, sha256);
    }
    send_frame(running->worker, running->outbox, RESULT_INDICATOR);
}

static void undecided(void *context, size_t rule, const char *why)
{
    struct running *running = context;
    const struct rule *r = rule_set_rule(running->worker->setup->rules, rule);
    char text[400];

    snprintf(text, sizeof text, "rule %s is undecided here: %s", r ? r->name : "?", why);
    service_notice(&running->job, running->event->offset, text);
}

static void send_fact(struct running *running, const struct event *event)
{
    struct event fact = *event;

    fact.raw = slice_of(NULL, 0);
    if (running->facts++ == MOST_FACTS)
        service_notice(&running->job, event->offset,
                       "there are more facts of this file than are kept");
    if (running->facts > MOST_FACTS)
        return;
    wire_put_event(frame(running->worker), &fact, 0);
    if (running->worker->frame.size > EVENT_CEILING)
        service_notice(&running->job, event->offset, "a fact is too large to be kept");
    else
        send_frame(running->worker, running->outbox, RESULT_FACT);
}

static bool service_wants(struct job *job, struct instant when)
{
    const struct time_windows *windows = running_of(job)->worker->setup->windows;

    return windows && time_windows_hold(windows, when);
}

/* The rooms of context: stretches of time as long as its reach, each of which holds so many events
 * of a file. An attacker who makes noise does not fill the whole case with it. */
static bool has_room(struct running *running, struct instant when)
{
    const int64_t reach = running->worker->setup->windows->reach;
    const uint64_t number = (uint64_t)(when.ticks / (reach ? reach : 1));

    return running->rooms[number * UINT64_C(0x9E3779B97F4A7C15) >> 48]++ < MOST_CONTEXT;
}

static void send_context(struct running *running, const struct event *event)
{
    const struct hit none = {.how = "", .detail = ""};
    char sha256[SHA256_TEXT_SIZE];

    if (!service_wants(&running->job, event->when))
        return;
    if (!has_room(running, event->when)) {
        running->context_left++;
        return;
    }
    hash_sha256(event->record.size ? event->record : event->raw, sha256);
    put_indicator(frame(running->worker), &none, event, sha256);
    if (running->worker->frame.size <= EVENT_CEILING)
        send_frame(running->worker, running->outbox, RESULT_CONTEXT);
}

static void service_reject(struct job *job, uint64_t offset, uint64_t number, struct slice raw)
{
    struct running *running = running_of(job);

    if (job->context)
        return;
    if (running->rejected++ == MOST_REJECTED)
        service_notice(job, offset,
                       "there are more rejected records than are kept: 10,000 of a file");
    if (running->rejected > MOST_REJECTED)
        return;
    struct buffer *out = frame(running->worker);
    wire_put_u64(out, offset);
    wire_put_u64(out, number);
    wire_put_u8(out, raw.size > RAW_CEILING);
    wire_put_slice(out, slice_part(raw, 0, RAW_CEILING));
    send_frame(running->worker, running->outbox, RESULT_REJECTED);
}

static bool service_owner(struct job *job, char *text, size_t size)
{
    struct running *running = running_of(job);

    if (!evidence_owner(running->evidence, job->file, text, size))
        return false;
    running->owner = arena_text(running->job.arena, slice_of_text(text));
    return true;
}

/* Reads the whole file into memory, so that it is read once however often it is looked at. */
static int load_content(struct running *running)
{
    struct buffer *content = &running->worker->content;
    size_t at = 0;

    buffer_clear(content);
    if (running->job.size > CONTENT_CEILING)
        return 0;
    uint8_t *room = buffer_reserve(content, (size_t)running->job.size + 1);
    if (!room)
        return error_set("out of memory");
    while (at < running->job.size) {
        const ssize_t got =
            stream_read(running->stream, at, room + at, (size_t)running->job.size - at);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        at += (size_t)got;
        outbox_progress(running->outbox, (uint64_t)got);
    }
    content->size = at;
    running->loaded = true;
    return 0;
}

/* Calls `take` with the file's bytes from start to end. */
static int each_window(struct running *running, int (*take)(void *context, struct slice window),
                       void *context)
{
    uint8_t *window = buffer_reserve(&running->worker->window, COPY_WINDOW);
    uint64_t at = 0;
    int result = window ? 0 : error_set("out of memory");

    while (result == 0 && at < running->job.size) {
        const ssize_t got = service_read(&running->job, at, window, COPY_WINDOW);
        if (got < 0)
            result = -1;
        if (got <= 0)
            break;
        at += (uint64_t)got;
        result = take(context, slice_of(window, (size_t)got));
    }
    return result;
}

static int add_to_hasher(void *context, struct slice window)
{
    hasher_add(context, window);
    return 0;
}

static int digest(struct running *running)
{
    struct hasher *hasher = hasher_new(HASH_ALL);
    int result = hasher ? 0 : -1;

    if (result == 0 && running->loaded)
        hasher_add(hasher, buffer_slice(&running->worker->content));
    else if (result == 0)
        result = each_window(running, add_to_hasher, hasher);
    if (result == 0) {
        running->digests = hasher_finish(hasher);
        running->digested = true;
    }
    hasher_free(hasher);
    return result;
}

/* A deleted file of which other files have taken clusters. */
static const char *loss_text(struct running *running)
{
    running->loss_told = true;
    return arena_format(running->job.arena,
                        "the file is deleted, and %llu of its %llu bytes lie where other files are "
                        "now: they read as zeroes, and it has no hash",
                        (unsigned long long)stream_lost(running->stream),
                        (unsigned long long)stream_size(running->stream));
}

static int service_digests(struct job *job, char md5[33], char sha1[41], char sha256[65])
{
    struct running *running = running_of(job);

    if (is_mailbox_store(job->file->path))
        return error_set("%s", mail_is_not_read);
    if (stream_lost(running->stream)) {
        const char *text = loss_text(running);
        return error_set("%s", text ? text : "the file is deleted and not whole");
    }
    if (!running->loaded && load_content(running) < 0)
        return -1;
    if (!running->digested && digest(running) < 0)
        return -1;
    memcpy(md5, running->digests.md5, sizeof running->digests.md5);
    memcpy(sha1, running->digests.sha1, sizeof running->digests.sha1);
    memcpy(sha256, running->digests.sha256, sizeof running->digests.sha256);
    return 0;
}

static bool service_find(struct job *job, uint32_t volume, const char *path, struct file *file)
{
    struct running *running = running_of(job);

    if (volume >= evidence_volume_count(running->evidence) ||
        !evidence_find_snapshot(running->evidence, volume, job->file->snapshot, path, job->arena,
                                file))
        return false;
    file->evidence = job->file->evidence;
    return true;
}

static int read_whole(struct running *running, struct stream *stream, size_t most,
                      struct slice *content)
{
    const uint64_t size = stream_size(stream);
    size_t at = 0;

    if (size > most)
        return error_set("the file has more than %zu bytes", most);
    uint8_t *bytes = arena_take(running->job.arena, (size_t)size + 1);
    if (!bytes)
        return -1;
    while (at < size) {
        const ssize_t got = stream_read(stream, at, bytes + at, (size_t)size - at);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    *content = slice_of(bytes, at);
    return 0;
}

static int service_load(struct job *job, const struct file *file, size_t most,
                        struct slice *content)
{
    struct running *running = running_of(job);
    struct stream *stream;

    if (evidence_open_stream(running->evidence, file, &stream) < 0)
        return -1;
    const int result = read_whole(running, stream, most, content);
    stream_close(stream);
    return result;
}

static enum known_state judge_sample(struct running *running, const char *sample)
{
    enum { SAMPLE_MOST = 64 << 10 };
    struct job *job = &running->job;
    const char *root = job->host->exchange_path.value, *build = job->host->exchange_version.value;
    const char *path = arena_format(job->arena, "%s\\%s", root, sample);
    struct buffer found = BUFFER_EMPTY;
    struct file file;
    struct slice content;
    char sha256[SHA256_TEXT_SIZE];
    uint32_t volume;
    const bool there = path && host_resolve(job->host, path, &volume, &found) &&
                       service_find(job, volume, buffer_text(&found), &file) &&
                       service_load(job, &file, SAMPLE_MOST, &content) == 0;

    buffer_release(&found);
    if (!there)
        return KNOWN_NOTHING;
    hash_sha256(content, sha256);
    const struct known_file known = {.path = path,
                                     .sha256 = slice_of_text(sha256),
                                     .build = build ? known_good_build(build) : 0};
    return known_good_judge(running->worker->setup->known, &known);
}

/* A server none of whose pages are Microsoft's is not one that the lists describe (pages of another
 * making, another encoding): then they would call all of them foreign. A few pages that hardly ever
 * changed tell; no intruder is known to have replaced them all. */
static bool lists_fit(struct running *running)
{
    static const char *const samples[] = {
        "FrontEnd\\HttpProxy\\owa\\global.asax",   "FrontEnd\\HttpProxy\\ecp\\global.asax",
        "FrontEnd\\HttpProxy\\ews\\global.asax",   "FrontEnd\\HttpProxy\\oab\\global.asax",
        "FrontEnd\\HttpProxy\\rpc\\global.asax",   "FrontEnd\\HttpProxy\\owa\\auth\\OutlookCN.aspx",
        "ClientAccess\\Autodiscover\\Global.asax", "ClientAccess\\ecp\\Global.asax"};
    enum list_fit *fit = &running->worker->fits[running->job.file->evidence];
    unsigned same = 0, strange = 0;

    if (*fit != FIT_UNKNOWN || !running->job.host->exchange_path.value)
        return *fit != FIT_NO;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const enum known_state state = judge_sample(running, samples[i]);
        same += state == KNOWN_SHIPPED || state == KNOWN_OTHER_BUILD;
        strange += state == KNOWN_FOREIGN || state == KNOWN_UNDECIDED;
    }
    *fit = same > 0 || strange < 2 ? FIT_YES : FIT_NO;
    return *fit == FIT_YES;
}

/* What is known of a file's content is one more field of its event. */
static const struct event *judged(struct running *running, const struct event *event,
                                  struct event *copy)
{
    const struct known_good *known = running->worker->setup->known;
    const char *build = running->job.host->exchange_version.value;
    struct known_file file = {.path = running->job.windows_path,
                              .md5 = event_value(event, "MD5"),
                              .sha1 = event_value(event, "SHA1"),
                              .sha256 = event_value(event, "SHA256"),
                              .build = build ? known_good_build(build) : 0};

    if (!known || running->job.file->stream || !file.sha256.size)
        return event;
    file.without_lists = !lists_fit(running);
    struct value *values = arena_array(running->job.arena, event->value_count + 1, sizeof *values);
    if (!values)
        return event;
    memcpy(values, event->values, event->value_count * sizeof *values);
    values[event->value_count] =
        (struct value){.name = field_name(FIELD_Baseline),
                       .field = FIELD_Baseline,
                       .text = slice_of_text(known_state_word(known_good_judge(known, &file)))};
    *copy = *event;
    copy->values = values;
    copy->value_count++;
    return copy;
}

static void service_emit(struct job *job, const struct event *event)
{
    struct running *running = running_of(job);
    const struct match_sink sink = {running, found, undecided};
    struct event copy;

    if (job->context) {
        send_context(running, event);
        return;
    }
    if (event->kind == KIND_file_listed)
        event = judged(running, event, &copy);
    if (event->marks & EVENT_FACT)
        send_fact(running, event);
    if (!running->worker->matcher)
        return;
    running->event = event;
    matcher_event(running->worker->matcher, event, &sink);
}

static ssize_t service_peek(struct job *job, const struct file *file, uint64_t offset, void *buffer,
                            size_t size)
{
    struct running *running = running_of(job);

    if (!running->peeked || running->peeked_address != file->address) {
        stream_close(running->peeked);
        running->peeked = NULL;
        if (evidence_open_stream(running->evidence, file, &running->peeked) < 0)
            return -1;
        running->peeked_address = file->address;
    }
    return stream_read(running->peeked, offset, buffer, size);
}

static bool service_data(struct job *job, uint64_t offset, uint64_t *start, uint64_t *size)
{
    return stream_data(running_of(job)->stream, offset, start, size);
}

static ssize_t read_mft(void *context, uint64_t offset, void *buffer, size_t size)
{
    return stream_read(context, offset, buffer, size);
}

/* Opens the $MFT once; what it cannot do is told once. */
static void seek_mft(struct running *running)
{
    const struct file *file = running->job.file;

    running->mft_sought = true;
    if (evidence_open_mft(running->evidence, file->volume, file->snapshot, &running->mft) < 0) {
        service_notice(&running->job, 0, error_text());
        return;
    }
    running->mft_input = (struct mft_input){
        .read = read_mft, .context = running->mft, .size = stream_size(running->mft)};
    running->mft_input.record_size = mft_record_size(&running->mft_input);
    if (running->mft_input.record_size == 0)
        service_notice(&running->job, 0, error_text());
}

static bool service_name_of(struct job *job, uint64_t reference, struct buffer *name,
                            uint64_t *parent)
{
    struct running *running = running_of(job);

    if (!running->mft_sought)
        seek_mft(running);
    return running->mft_input.record_size &&
           mft_name_of(&running->mft_input, reference, name, parent);
}

static int read_neighbour(struct running *running, const struct file *file, struct buffer *content)
{
    struct stream *stream;

    if (evidence_open_stream(running->evidence, file, &stream) < 0)
        return -1;
    const uint64_t size = stream_size(stream);
    const size_t wanted = size < NEIGHBOUR_CEILING ? (size_t)size : NEIGHBOUR_CEILING;
    uint8_t *room = buffer_reserve(content, wanted + 1);
    const ssize_t got = room ? stream_read(stream, 0, room, wanted) : error_set("out of memory");
    stream_close(stream);
    if (got < 0)
        return -1;
    content->size = (size_t)got;
    outbox_progress(running->outbox, (uint64_t)got);
    return 0;
}

/* Of the same state of the volume: the log of a shadow copy's hive is that of the copy. */
static int service_neighbour(struct job *job, const char *suffix, struct slice *content)
{
    struct running *running = running_of(job);
    const char *path = arena_format(job->arena, "%s%s", job->file->path, suffix);
    struct file file;

    *content = slice_of(NULL, 0);
    if (!path)
        return -1;
    if (job->file->stream || !evidence_find_snapshot(running->evidence, job->file->volume,
                                                     job->file->snapshot, path, job->arena, &file))
        return 0;
    if (running->neighbour_count == MOST_NEIGHBOURS)
        return error_set("too many files beside '%s' are asked for", job->file->path);
    struct buffer *buffer = &running->neighbours[running->neighbour_count++];
    if (read_neighbour(running, &file, buffer) < 0)
        return error_prefix("'%s'", path);
    *content = buffer_slice(buffer);
    return 0;
}

/* A YARA match becomes an event of its own, so that it is stored and shown like all others. */
static void content_found(void *context, const struct hit *hit)
{
    struct running *running = context;
    const struct scanned *scanned = &running->scanned;
    const struct file *file = running->job.file;
    const struct value values[] = {
        {"TargetFilename", FIELD_TargetFilename, false, slice_of_text(scanned->windows_path)},
        {"Matched", FIELD_Matched, false, slice_of_text(hit->detail)},
        {"MD5", FIELD_MD5, false, slice_of_text(scanned->digests.md5)},
        {"SHA1", FIELD_SHA1, false, slice_of_text(scanned->digests.sha1)},
        {"SHA256", FIELD_SHA256, false, slice_of_text(scanned->digests.sha256)},
    };
    const struct event event = {
        .kind = KIND_content_match,
        .artifact = running->job.artifact->name,
        .when = scanned->recovered ? INSTANT_NONE : file_appeared(file),
        .basis = scanned->recovered ? BASIS_UNKNOWN : BASIS_UTC,
        .file = file,
        .offset = scanned->offset,
        .raw = slice_part(scanned->bytes, 0, RAW_CEILING + 1),
        .values = values,
        .value_count = sizeof values / sizeof *values,
        .marks = scanned->recovered ? EVENT_RECOVERED : 0,
    };

    running->event = &event;
    found(running, hit);
}

static void content_undecided(void *context, size_t rule, const char *why)
{
    struct running *running = context;
    const struct event event = {.file = running->job.file};

    running->event = &event;
    undecided(running, rule, why);
}

/* Bytes that were a file of their own once. Nothing is known of its times. */
static void service_scan(struct job *job, const char *windows_path, uint64_t offset,
                         struct slice content, char md5[33], char sha1[41], char sha256[65])
{
    struct running *running = running_of(job);
    const struct match_sink sink = {running, content_found, content_undecided};
    const struct content_file file = {.filename = "",
                                      .filepath = windows_path,
                                      .extension = "",
                                      .filetype = "",
                                      .owner = "",
                                      .md5 = running->scanned.digests.md5};
    struct hasher *hasher = hasher_new(HASH_ALL);

    *md5 = *sha1 = *sha256 = 0;
    if (!hasher) {
        service_notice(job, offset, error_text());
        return;
    }
    hasher_add(hasher, content);
    running->scanned = (struct scanned){.bytes = content,
                                        .windows_path = windows_path,
                                        .digests = hasher_finish(hasher),
                                        .offset = offset,
                                        .recovered = true};
    hasher_free(hasher);
    memcpy(md5, running->scanned.digests.md5, sizeof running->scanned.digests.md5);
    memcpy(sha1, running->scanned.digests.sha1, sizeof running->scanned.digests.sha1);
    memcpy(sha256, running->scanned.digests.sha256, sizeof running->scanned.digests.sha256);
    if (running->worker->matcher &&
        matcher_content(running->worker->matcher, content, &file, &sink) < 0)
        service_notice(job, offset, error_text());
}

static ssize_t read_for_helper(void *context, uint64_t offset, void *out, size_t size)
{
    return job_read(context, offset, out, size);
}

static int service_ask(struct job *job, const char *helper, struct slice request,
                       int (*take)(void *context, struct slice frame), void *context)
{
    const struct helper_file file = {.size = job->size, .read = read_for_helper, .context = job};

    return helper_programs_ask(running_of(job)->worker->helpers, helper, request, &file, take,
                               context);
}

static const struct job_services services = {
    .read = service_read,
    .next_candidate = service_next_candidate,
    .could_match = service_could_match,
    .emit = service_emit,
    .notice = service_notice,
    .owner = service_owner,
    .digests = service_digests,
    .reject = service_reject,
    .neighbour = service_neighbour,
    .find = service_find,
    .load = service_load,
    .data = service_data,
    .name_of = service_name_of,
    .peek = service_peek,
    .scan = service_scan,
    .ask = service_ask,
    .wants = service_wants,
};

/* --- parsing --- */

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *windows_path_of(struct worker *worker, const struct file *file)
{
    struct buffer *path = &worker->windows_path;

    buffer_clear(path);
    host_windows_path(&worker->setup->hosts[file->evidence], file->volume, file->path, path);
    if (file->stream)
        buffer_format(path, ":%s", file->stream);
    return buffer_text(path);
}

static const char *extension_of(struct running *running)
{
    const char *name = last_component(running->job.file->path);
    const char *dot = strrchr(name, '.');
    char *extension = dot ? arena_text(running->job.arena, slice_of_text(dot)) : NULL;

    for (char *c = extension; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    return extension ? extension : "";
}

static void scan_content(struct running *running)
{
    const struct match_sink sink = {running, content_found, content_undecided};
    char md5[33], sha1[41], sha256[65];
    const struct content_file file = {
        .filename = last_component(running->job.file->path),
        .filepath = running->job.windows_path,
        .extension = extension_of(running),
        .filetype = "",
        .owner = running->owner ? running->owner : "",
        .md5 = md5,
    };

    const bool partial = stream_lost(running->stream) > 0;
    *md5 = 0;
    if (is_mailbox_store(running->job.file->path))
        return;
    if (partial && (stream_lost(running->stream) == running->job.size || load_content(running) < 0))
        return;
    if ((!partial && service_digests(&running->job, md5, sha1, sha256) < 0) || !running->loaded) {
        if (running->job.size > CONTENT_CEILING)
            service_notice(&running->job, CONTENT_CEILING,
                           "the file is larger than 64 MiB: its content was not scanned");
        return;
    }
    running->scanned = (struct scanned){.bytes = buffer_slice(&running->worker->content),
                                        .windows_path = running->job.windows_path,
                                        .digests = running->digests};
    if (matcher_content(running->worker->matcher, running->scanned.bytes, &file, &sink) < 0)
        service_notice(&running->job, 0, error_text());
}

static void send_digests(struct running *running)
{
    struct buffer *out = frame(running->worker);
    char owner[200] = "";

    if (!running->owner)
        evidence_owner(running->evidence, running->job.file, owner, sizeof owner);
    wire_put_text(out, running->digests.md5);
    wire_put_text(out, running->digests.sha1);
    wire_put_text(out, running->digests.sha256);
    wire_put_text(out, running->owner ? running->owner : owner);
    send_frame(running->worker, running->outbox, RESULT_DIGESTS);
}

/* Everything a parse or copy task needs; -1 with error_text when the file cannot be opened. */
static int running_init(struct running *running, struct worker *worker, struct outbox *outbox,
                        const struct file *file)
{
    *running = (struct running){.worker = worker, .outbox = outbox};
    if (file->evidence >= worker->setup->evidence_count)
        return error_set("there is no evidence item %u", file->evidence);
    running->evidence = worker->evidence[file->evidence];
    if (evidence_open_stream(running->evidence, file, &running->stream) < 0)
        return -1;
    running->job = (struct job){
        .file = file,
        .host = &worker->setup->hosts[file->evidence],
        .windows_path = windows_path_of(worker, file),
        .size = stream_size(running->stream),
        .arena = worker->arena,
        .tally = &running->tally,
        .services = &services,
        .engine = running,
    };
    return 0;
}

static void running_release(struct running *running)
{
    for (size_t i = 0; i < running->neighbour_count; i++)
        buffer_release(&running->neighbours[i]);
    stream_close(running->mft);
    stream_close(running->peeked);
    stream_close(running->stream);
}

static void parse(struct worker *worker, struct outbox *outbox, const struct artifact *artifact,
                  const struct file *file)
{
    struct running running;

    if (running_init(&running, worker, outbox, file) < 0) {
        send_unread(worker, outbox, "", error_text());
        return;
    }
    running.job.artifact = artifact;
    if (worker->setup->rules)
        running.prefilter = rule_set_prefilter(worker->setup->rules, artifact->sources);
    if (worker->setup->rules)
        running.job.source_map = rule_set_source_map(worker->setup->rules);
    if (artifact->parse(&running.job) < 0)
        send_unread(worker, outbox, "", error_text());
    else if (arena_full(worker->arena)) /* a value that found no room is a value nobody saw */
        send_unread(worker, outbox, "",
                    "it holds more than the job's memory: some of what it says was left out");
    if (artifact->scan && worker->matcher)
        scan_content(&running);
    if (stream_lost(running.stream) && !running.loss_told) {
        const char *text = loss_text(&running);
        service_notice(&running.job, 0, text ? text : error_text());
    }
    if (running.digested)
        send_digests(&running);
    put_tally(frame(worker), &running.tally, running.job.size, stream_damaged(running.stream));
    send_frame(worker, outbox, RESULT_TALLY);
    send_damage(worker, outbox, file->evidence);
    running_release(&running);
}

/* Reads a file again for the events of certain times. What else there is to tell of it was told. */
static void add_context(struct worker *worker, struct outbox *outbox,
                        const struct artifact *artifact, const struct file *file)
{
    struct running running;

    if (!artifact->context || running_init(&running, worker, outbox, file) < 0)
        return; /* a file that cannot be opened was told as unread */
    running.job.artifact = artifact;
    running.job.context = true;
    running.rooms = calloc(CONTEXT_ROOMS, sizeof *running.rooms);
    if (running.rooms)
        artifact->parse(&running.job);
    if (running.context_left) {
        char text[200];
        snprintf(text, sizeof text,
                 "context: %llu events were left out: more than %d in a stretch of time",
                 (unsigned long long)running.context_left, MOST_CONTEXT);
        send_notice(worker, outbox, 0, text);
    }
    running_release(&running);
    free(running.rooms);
}

/* --- copying --- */

struct copy {
    struct hasher *hasher; /* NULL without hashes */
    int output;
    uint64_t bytes;
};

static int copy_window(void *context, struct slice window)
{
    struct copy *copy = context;

    if (copy->hasher)
        hasher_add(copy->hasher, window);
    copy->bytes += window.size;
    while (window.size) {
        const ssize_t written = write(copy->output, window.data, window.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return error_set_errno("the copy cannot be written");
        window = slice_from(window, (size_t)written);
    }
    return 0;
}

static void send_copied(struct running *running, const struct copy *copy)
{
    const struct digests none = {"", "", ""};
    const struct digests digests = copy->hasher ? hasher_finish(copy->hasher) : none;
    char owner[200] = "";

    evidence_owner(running->evidence, running->job.file, owner, sizeof owner);
    struct buffer *out = frame(running->worker);
    wire_put_u64(out, copy->bytes);
    wire_put_u8(out, stream_damaged(running->stream) || stream_lost(running->stream));
    wire_put_text(out, digests.md5);
    wire_put_text(out, digests.sha1);
    wire_put_text(out, digests.sha256);
    wire_put_text(out, owner);
    send_frame(running->worker, running->outbox, RESULT_COPIED);
}

static void copy_file(struct worker *worker, struct outbox *outbox, const struct file *file)
{
    struct running running;
    struct copy copy = {.output = outbox_output(outbox)};

    if (running_init(&running, worker, outbox, file) < 0) {
        send_unread(worker, outbox, "", error_text());
        return;
    }
    if (stream_lost(running.stream)) {
        const char *text = loss_text(&running);
        send_notice(worker, outbox, 0, text ? text : error_text());
    }
    if (!worker->setup->no_hash)
        copy.hasher = hasher_new(HASH_ALL);
    if (each_window(&running, copy_window, &copy) < 0)
        send_unread(worker, outbox, "", error_text());
    send_copied(&running, &copy);
    hasher_free(copy.hasher);
    send_damage(worker, outbox, file->evidence);
    running_release(&running);
}

/* --- surveying --- */

struct listing_walk {
    struct worker *worker;
    struct outbox *outbox;
    struct evidence *evidence;
    uint32_t index;
    const struct plan *plan;
    uint64_t takes_deleted, takes_streams, takes_folders, spare; /* artifacts, as bits */
    bool by_content;
    uint64_t listed, unrecognised, unchanged;
    uint64_t wanted_bytes; /* that the list of wanted files takes in the parent, about */
};

static void send_wanted(struct listing_walk *walk, uint32_t artifact, const struct file *file)
{
    const uint64_t bytes = WANTED_BYTES + 4 * (uint64_t)strlen(file->path);
    struct buffer *out = frame(walk->worker);

    if (walk->wanted_bytes > WANTED_CEILING)
        return;
    if ((walk->wanted_bytes += bytes) > WANTED_CEILING) {
        send_unread(
            walk->worker, walk->outbox, file->path,
            "more files are wanted than can be kept in mind: those from here on were not read");
        return;
    }
    wire_put_u32(out, artifact);
    wire_put_file(out, file);
    send_frame(walk->worker, walk->outbox, RESULT_WANTED);
}

static size_t read_head(struct evidence *evidence, const struct file *file, uint8_t *head)
{
    struct stream *stream;

    if (evidence_open_stream(evidence, file, &stream) < 0)
        return SIZE_MAX;
    const ssize_t got = stream_read(stream, 0, head, HEAD_SIZE);
    stream_close(stream);
    return got < 0 ? SIZE_MAX : (size_t)got;
}

/* The first artifact that knows the content; SIZE_MAX when none does. */
static size_t recognise(const struct file *file, struct slice head)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++)
        if (all[i]->recognise && all[i]->recognise(head, last_component(file->path)))
            return i;
    return SIZE_MAX;
}

/* A link in a folder leads elsewhere: it is named, never followed. */
static void tell_of_link(struct listing_walk *walk, const struct file *file)
{
    struct buffer *out = frame(walk->worker);

    wire_put_u64(out, 0);
    wire_put_text(out, "a link, which is not followed");
    wire_put_text(out, file->path);
    send_frame(walk->worker, walk->outbox, RESULT_NOTICE);
}

static bool is_image(struct slice head)
{
    static const struct {
        const char *bytes;
        size_t size;
    } magics[] = {{"EVF\x09\x0d\x0a\xff", 8},
                  {"EVF2\x0d\x0a\x81", 8},
                  {"conectix", 8},
                  {"vhdxfile", 8},
                  {"KDMV", 4},
                  {"QFI\xfb", 4}};

    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (head.size >= magics[i].size && memcmp(head.data, magics[i].bytes, magics[i].size) == 0)
            return true;
    return false;
}

/* What nobody knows is counted; an image in a folder, or the one file that was named, may not pass
 * for read. */
static void tell_unrecognised(struct listing_walk *walk, const struct file *file, struct slice head)
{
    walk->unrecognised++;
    if (is_image(head))
        send_unread(walk->worker, walk->outbox, file->path,
                    "a disk image in a folder is not looked into: name it as evidence itself");
}

/* A file of mail that was named itself must not pass for read. */
static void tell_of_mail(struct listing_walk *walk, const struct file *file)
{
    walk->unrecognised++;
    if (evidence_shape(walk->evidence) == EVIDENCE_SINGLE_FILE)
        send_unread(walk->worker, walk->outbox, file->path, mail_is_not_read);
}

static void want_by_content(struct listing_walk *walk, const struct file *file)
{
    if (is_mailbox_store(file->path)) {
        tell_of_mail(walk, file);
        return;
    }
    uint8_t *head = malloc(HEAD_SIZE);
    const size_t size = head ? read_head(walk->evidence, file, head) : SIZE_MAX;

    if (size == SIZE_MAX) {
        send_unread(walk->worker, walk->outbox, file->path, error_text());
    } else {
        const size_t artifact = recognise(file, slice_of(head, size));
        if (artifact == SIZE_MAX && evidence_shape(walk->evidence) == EVIDENCE_SINGLE_FILE)
            send_unread(walk->worker, walk->outbox, file->path,
                        "no artifact knows the content of this file");
        if (artifact == SIZE_MAX)
            tell_unrecognised(walk, file, slice_of(head, size));
        else
            send_wanted(walk, (uint32_t)artifact, file);
    }
    free(head);
}

/* Artifacts that name the stream itself: "$Extend/$UsnJrnl:$J". */
static uint64_t match_stream(const struct listing_walk *walk, const struct file *file)
{
    struct buffer *path = &walk->worker->stream_path;

    if (walk->worker->setup->globs)
        return 0;
    buffer_clear(path);
    buffer_format(path, "%s:%s", file->path, file->stream);
    return plan_match(walk->plan, file->volume, buffer_text(path));
}

/* A folder has an index of its own when its names do not fit into its entry. */
static int visit_folder(struct listing_walk *walk, struct file *folder)
{
    uint64_t artifacts = plan_match(walk->plan, folder->volume, folder->path) & walk->takes_folders;

    if (!(folder->flags & FILE_INDEXED) || walk->worker->setup->globs)
        return 0;
    if (folder->flags & FILE_DELETED)
        artifacts &= walk->takes_deleted;
    folder->stream = "$I30";
    for (; artifacts; artifacts &= artifacts - 1)
        send_wanted(walk, (uint32_t)__builtin_ctzll(artifacts), folder);
    return 0;
}

/* Deleted files that no other artifact wants go to those that take what is left. */
static uint64_t without_spare(const struct listing_walk *walk, const struct file *file,
                              uint64_t artifacts)
{
    const uint64_t others = artifacts & ~walk->spare;

    return others || !(file->flags & FILE_DELETED) ? others : artifacts;
}

static int visit(void *context, const struct file *listed)
{
    struct listing_walk *walk = context;
    struct file file = *listed;

    file.evidence = walk->index;
    walk->listed++;
    if (walk->listed % 65536 == 0)
        outbox_progress(walk->outbox, 0);
    if (file.flags & FILE_FOLDER && !file.stream)
        return visit_folder(walk, &file);
    if (walk->by_content && file.flags & FILE_REPARSE) {
        tell_of_link(walk, &file);
        return 0;
    }
    uint64_t artifacts = plan_match(walk->plan, file.volume, file.path);
    if (file.stream)
        artifacts = (artifacts & walk->takes_streams) | match_stream(walk, &file);
    if (file.flags & FILE_DELETED)
        artifacts &= walk->takes_deleted;
    artifacts = without_spare(walk, &file, artifacts & ~walk->takes_folders);
    if (artifacts && file.snapshot && evidence_is_unchanged(walk->evidence, &file)) {
        walk->unchanged++;
        return 0;
    }
    if (!artifacts && walk->by_content)
        want_by_content(walk, &file);
    for (; artifacts; artifacts &= artifacts - 1)
        send_wanted(walk,
                    walk->worker->setup->globs ? NO_ARTIFACT : (uint32_t)__builtin_ctzll(artifacts),
                    &file);
    return 0;
}

static int plan_artifacts(struct plan *plan, const struct host *host, struct listing_walk *walk)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++) {
        const char *const *paths = all[i]->paths;
        if (all[i]->carve && !walk->worker->setup->carve)
            continue;
        if (walk->worker->setup->only && strcmp(all[i]->name, walk->worker->setup->only) != 0)
            continue;
        for (size_t j = 0; paths && paths[j]; j++)
            if (plan_add(plan, host, paths[j], i) < 0)
                return -1;
        walk->takes_deleted |= (uint64_t)all[i]->deleted << i;
        walk->takes_streams |= (uint64_t)all[i]->scan << i;
        walk->takes_folders |= (uint64_t)all[i]->folders << i;
        walk->spare |= (uint64_t)all[i]->spare << i;
    }
    return 0;
}

static int plan_globs(struct plan *plan, const struct worker_setup *setup, const struct host *host,
                      struct listing_walk *walk)
{
    for (size_t i = 0; setup->globs[i]; i++)
        if (plan_add(plan, host, setup->globs[i], 0) < 0)
            return -1;
    walk->takes_deleted = setup->all_streams;
    walk->takes_streams = 1;
    return 0;
}

/* A folder that holds no whole server: what no known place explains can tell by its content what it
 * is. */
static bool is_by_content(const struct evidence *evidence, const struct host *host)
{
    if (evidence_shape(evidence) == EVIDENCE_SINGLE_FILE)
        return true;
    return evidence_shape(evidence) == EVIDENCE_FOLDER &&
           (!host->windows_root.value || host->windows_root.assumed) &&
           (!host->exchange_path.value || host->exchange_path.assumed);
}

static void want_free_space(struct listing_walk *walk, const struct volume *volume)
{
    const struct file space = {.path = "$Unallocated",
                               .volume = volume->index,
                               .size = volume->size,
                               .flags = FILE_UNALLOCATED};

    if (evidence_shape(walk->evidence) == EVIDENCE_IMAGE)
        visit(walk, &space);
}

/* A damaged copy costs what it holds, never the live volume. */
static void list_snapshots(struct listing_walk *walk, uint32_t index, uint64_t *unreadable_sum)
{
    const struct volume *volume = evidence_snapshots(walk->evidence, index);
    const struct snapshot_choice *choice = &walk->worker->setup->snapshots;

    for (size_t i = 0; i < volume->snapshot_count; i++) {
        const uint32_t number = volume->snapshots[i].number;
        uint64_t unreadable = 0;
        if (!snapshot_is_chosen(choice, number))
            continue;
        outbox_progress(walk->outbox, 0);
        if (evidence_list_snapshot(walk->evidence, index, number, visit, walk, &unreadable) < 0)
            send_unread(walk->worker, walk->outbox, "/", error_text());
        *unreadable_sum += unreadable;
    }
}

static void list_volumes(struct listing_walk *walk)
{
    uint64_t unreadable_sum = 0;

    for (size_t i = 0; i < evidence_volume_count(walk->evidence); i++) {
        const struct volume *volume = evidence_volume(walk->evidence, i);
        uint64_t unreadable = 0;
        if (!*volume->file_system)
            continue;
        if (evidence_list(walk->evidence, (uint32_t)i, visit, walk, &unreadable) < 0)
            send_unread(walk->worker, walk->outbox, "/", error_text());
        else if (walk->worker->setup->carve)
            want_free_space(walk, volume);
        unreadable_sum += unreadable;
        list_snapshots(walk, (uint32_t)i, &unreadable_sum);
    }
    struct buffer *out = frame(walk->worker);
    wire_put_u64(out, walk->listed);
    wire_put_u64(out, unreadable_sum);
    wire_put_u64(out, walk->unrecognised);
    send_frame(walk->worker, walk->outbox, RESULT_LISTED_COUNT);
}

static void send_wanted_files(struct worker *worker, struct outbox *outbox, uint32_t index,
                              const struct host *host, struct arena *arena)
{
    const struct worker_setup *setup = worker->setup;
    struct listing_walk walk = {
        .worker = worker,
        .outbox = outbox,
        .evidence = worker->evidence[index],
        .index = index,
    };
    struct plan *plan = plan_new(arena);

    walk.plan = plan;
    walk.by_content = !setup->globs && !setup->only && is_by_content(walk.evidence, host);
    if (!plan || (setup->globs ? plan_globs(plan, setup, host, &walk)
                               : plan_artifacts(plan, host, &walk)) < 0)
        send_unread(worker, outbox, "/", error_text());
    else
        list_volumes(&walk);
}

/* A host that is too large for a frame goes without its lists: the name, the zone and the drives
 * are what all else needs. */
static void send_host(struct worker *worker, struct outbox *outbox, const struct host *host)
{
    struct host kept = *host;

    host_put(frame(worker), host);
    if (worker->frame.size > HOST_CEILING) {
        send_unread(worker, outbox, "/",
                    "the survey found more than can be kept: sites, places, roles and further "
                    "facts are not in host.json");
        kept.site_count = kept.place_count = kept.role_count = kept.more_count = 0;
        host_put(frame(worker), &kept);
    }
    send_frame(worker, outbox, RESULT_HOST);
}

static void survey(struct worker *worker, struct outbox *outbox, uint32_t index)
{
    struct arena *arena = arena_new(SURVEY_MEMORY);
    struct inventory inventory;
    struct host host = {0};

    if (!arena || index >= worker->setup->evidence_count ||
        inventory_of(worker->evidence[index], arena, &inventory) < 0) {
        send_unread(worker, outbox, "/", "the evidence could not be described");
        arena_free(arena);
        return;
    }
    inventory_put(frame(worker), &inventory);
    send_frame(worker, outbox, RESULT_INVENTORY);
    if (survey_run(worker->evidence[index], arena, &host) < 0)
        send_unread(worker, outbox, "/", error_text());
    send_host(worker, outbox, &host);
    if (!worker->setup->survey_only)
        send_wanted_files(worker, outbox, index, &host, arena);
    send_damage(worker, outbox, index);
    arena_free(arena);
}

/* --- verification --- */

struct verify_context {
    struct worker *worker;
    struct outbox *outbox;
    uint64_t told;
};

static void verify_progress(void *context, uint64_t done, uint64_t all)
{
    struct verify_context *verify = context;
    struct buffer *out = frame(verify->worker);

    wire_put_u64(out, done);
    wire_put_u64(out, all);
    send_frame(verify->worker, verify->outbox, RESULT_VERIFY_PROGRESS);
    outbox_progress(verify->outbox, done - verify->told);
    verify->told = done;
}

static void put_verification(struct buffer *out, const struct verification *result)
{
    wire_put_text(out, result->computed.md5);
    wire_put_text(out, result->computed.sha1);
    wire_put_text(out, result->computed.sha256);
    wire_put_text(out, result->stored_md5);
    wire_put_text(out, result->stored_sha1);
    wire_put_u8(out, result->hash_differs);
    wire_put_u64(out, result->bytes);
    wire_put_u64(out, result->chunks);
    wire_put_u64(out, result->bad_chunks);
}

static void verify(struct worker *worker, struct outbox *outbox, uint32_t index)
{
    struct verify_context context = {worker, outbox, 0};
    struct verification result = {0};

    if (image_verify(worker->setup->evidence[index], 0, verify_progress, &context, &result) < 0) {
        send_unread(worker, outbox, "/", error_text());
        return;
    }
    for (size_t i = 0; i < result.damage_count; i++) {
        struct buffer *out = frame(worker);
        wire_put_u64(out, result.damage[i].offset);
        wire_put_u64(out, result.damage[i].size);
        wire_put_text(out, result.damage[i].why);
        send_frame(worker, outbox, RESULT_DAMAGE);
    }
    put_verification(frame(worker), &result);
    send_frame(worker, outbox, RESULT_VERIFIED);
    verification_release(&result);
}

/* --- the worker itself --- */

static int open_evidence(struct worker *worker)
{
    const struct worker_setup *setup = worker->setup;

    sandbox_raise_file_limit();
    for (size_t i = 0; i < setup->evidence_count; i++)
        if (evidence_open_with(setup->evidence[i], setup->keys, &worker->evidence[i]) < 0)
            return -1;
    return 0;
}

static int enter_sandbox(const struct worker *worker)
{
    const struct worker_setup *setup = worker->setup;
    const char **roots = calloc(setup->evidence_count + 1, sizeof *roots);
    struct sandbox sandbox = {.memory = setup->memory ? setup->memory : (size_t)4 << 30,
                              .roots = roots};
    size_t count = 0;

    if (!roots)
        return error_set("out of memory");
    for (size_t i = 0; i < setup->evidence_count; i++)
        if (evidence_shape(worker->evidence[i]) == EVIDENCE_FOLDER)
            roots[count++] = setup->evidence[i];
    sandbox.open_read_only = count > 0;
    const int result = sandbox_enter(&sandbox);
    free(roots);
    return result;
}

static struct worker *new_worker(const struct worker_setup *setup)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        return NULL;
    worker->setup = setup;
    worker->evidence = calloc(setup->evidence_count + 1, sizeof *worker->evidence);
    worker->fits = calloc(setup->evidence_count + 1, sizeof *worker->fits);
    worker->damage_told = calloc(setup->evidence_count + 1, sizeof *worker->damage_told);
    worker->arena = arena_new(JOB_MEMORY);
    if (worker->evidence && worker->damage_told && worker->fits && worker->arena)
        return worker;
    worker_stop(worker);
    error_set("out of memory");
    return NULL;
}

static bool is_helper_wanted(void *context, const char *name)
{
    const struct worker_setup *setup = context;
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++)
        if (setup->artifacts >> i & 1 && all[i]->helper && strcmp(all[i]->helper, name) == 0)
            return true;
    return false;
}

void *worker_start(const struct worker_setup *setup)
{
    struct worker *worker = new_worker(setup);

    if (!worker)
        return NULL;
    if (open_evidence(worker) < 0 ||
        (setup->rules && setup->artifacts && matcher_new(setup->rules, &worker->matcher) < 0)) {
        worker_stop(worker);
        return NULL;
    }
    worker->helpers = helper_programs_start(is_helper_wanted, (void *)setup);
    return worker;
}

int worker_lock_down(void *state)
{
    return enter_sandbox(state);
}

/* The folder that a path lies in, in the worker's arena. */
static const char *folder_of(const struct worker *worker, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == path ? "/"
           : slash       ? arena_text(worker->arena, slice_of(path, (size_t)(slash - path)))
                         : ".";
}

int worker_lock_down_verifier(void *state)
{
    const struct worker *worker = state;
    const struct worker_setup *setup = worker->setup;
    const char **roots = arena_array(worker->arena, setup->evidence_count + 1, sizeof *roots);
    const struct sandbox sandbox = {.memory = setup->memory ? setup->memory : (size_t)4 << 30,
                                    .open_read_only = true,
                                    .threads = true,
                                    .roots = roots};

    if (!roots)
        return -1;
    for (size_t i = 0; i < setup->evidence_count; i++)
        if (!(roots[i] = folder_of(worker, setup->evidence[i])))
            return -1;
    return sandbox_enter(&sandbox);
}

void *worker_start_verifier(const struct worker_setup *setup)
{
    struct worker *worker = new_worker(setup);

    if (worker)
        sandbox_raise_file_limit();
    return worker;
}

void worker_run(void *state, struct slice body, struct outbox *outbox)
{
    struct worker *worker = state;
    struct cursor in = cursor_over(body, 0);
    const uint8_t kind = wire_get_u8(&in);
    const uint32_t number = kind == TASK_COPY ? 0 : wire_get_u32(&in);
    size_t artifact_count;
    const struct artifact *const *artifacts = artifact_all(&artifact_count);
    struct file file;

    arena_reset(worker->arena);
    if (kind == TASK_SURVEY) {
        survey(worker, outbox, number);
    } else if (kind == TASK_VERIFY) {
        verify(worker, outbox, number);
    } else if (wire_get_file(&in, worker->arena, &file) == 0) {
        if (kind == TASK_COPY)
            copy_file(worker, outbox, &file);
        else if (kind == TASK_CONTEXT && number < artifact_count)
            add_context(worker, outbox, artifacts[number], &file);
        else if (number < artifact_count)
            parse(worker, outbox, artifacts[number], &file);
    }
}

void worker_stop(void *state)
{
    struct worker *worker = state;

    if (!worker)
        return;
    for (size_t i = 0; worker->evidence && i < worker->setup->evidence_count; i++)
        if (worker->evidence[i])
            evidence_close(worker->evidence[i]);
    matcher_free(worker->matcher);
    helper_programs_stop(worker->helpers);
    arena_free(worker->arena);
    buffer_release(&worker->frame);
    buffer_release(&worker->content);
    buffer_release(&worker->window);
    buffer_release(&worker->windows_path);
    buffer_release(&worker->stream_path);
    free(worker->evidence);
    free(worker->damage_told);
    free(worker->fits);
    free(worker);
}
