/*
 * Any artifact over bytes in memory, with the shipped rules. Each input is parsed twice, with the
 * prefilter and with every record nominated: accounts, notices and indicators must be the same.
 * Each event goes through the wire as well.
 */
#include "tests/fuzz/target.h"

#include "artifacts/artifact.h"
#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/engine/message.h"
#include "triage/match/matcher.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOB_MEMORY = 64 << 20, MOST_MATCHED = 4096, RAW_KEPT = 4096 };

struct trial {
    struct job job;
    struct tally tally;
    struct slice bytes;
    const struct prefilter *prefilter; /* NULL: every record is nominated */
    const struct event *event;         /* being matched */
    struct buffer told;                /* indicators and notices, as text */
    struct arena *scratch;
    size_t matched, kept_rejected;
};

static struct rule_set *rules;
static struct matcher *matcher;
static struct log_source *sources;
static struct host host;

static ssize_t trial_read(struct job *job, uint64_t offset, void *out, size_t size)
{
    const struct trial *trial = job->engine;
    const struct slice part = offset < trial->bytes.size
                                  ? slice_part(trial->bytes, (size_t)offset, size)
                                  : slice_of(NULL, 0);

    if (part.size)
        memcpy(out, part.data, part.size);
    return (ssize_t)part.size;
}

static size_t trial_next_candidate(struct job *job, struct slice window, size_t from)
{
    const struct trial *trial = job->engine;

    if (trial->prefilter)
        return matcher ? matcher_next(matcher, trial->prefilter, window, from)
                       : prefilter_next(trial->prefilter, window, from);
    return from < window.size ? from : SIZE_MAX;
}

static void hit(void *context, const struct hit *found)
{
    struct trial *trial = context;

    trial->matched++;
    buffer_format(&trial->told, "%s %llu %s %s: ", rule_set_rule(rules, found->rule)->name,
                  (unsigned long long)trial->event->offset, found->how, found->detail);
    message_of(trial->event, &trial->told);
    message_fields(trial->event, &trial->told);
    buffer_add_byte(&trial->told, '\n');
}

/* Whether a pattern gives up depends on what it is shown; it is told to people, not compared. */
static void undecided(void *context, size_t rule, const char *why)
{
    (void)context;
    demand(rule < rule_set_count(rules) && *why, "an undecided rule says why");
}

static void through_the_wire(struct trial *trial, const struct event *event)
{
    struct buffer first = BUFFER_EMPTY, second = BUFFER_EMPTY;
    struct event copy = {.file = event->file};

    wire_put_event(&first, event, RAW_KEPT);
    struct cursor in = cursor_over(buffer_slice(&first), 0);
    demand(wire_get_event(&in, trial->scratch, &copy) == 0, "an event survives the wire");
    demand(cursor_left(&in) == 0, "an event is read to its end");
    wire_put_event(&second, &copy, RAW_KEPT);
    demand(slice_equal(buffer_slice(&first), buffer_slice(&second)), "the wire changes nothing");
    buffer_release(&first);
    buffer_release(&second);
    arena_reset(trial->scratch);
}

static void trial_emit(struct job *job, const struct event *event)
{
    struct trial *trial = job->engine;
    const struct match_sink sink = {trial, hit, undecided, NULL};

    demand(event->artifact && event->sources, "an event says where it belongs");
    demand(event->kind < KIND_COUNT, "an event has a kind");
    trial->event = event;
    if (matcher)
        matcher_event(matcher, event, &sink);
    if (trial->prefilter && trial->matched < MOST_MATCHED)
        through_the_wire(trial, event);
}

static void trial_notice(struct job *job, uint64_t offset, const char *text)
{
    struct trial *trial = job->engine;

    demand(text && *text, "a notice says something");
    buffer_format(&trial->told, "%llu: %s\n", (unsigned long long)offset, text);
}

static bool trial_owner(struct job *job, char *text, size_t size)
{
    (void)job;
    snprintf(text, size, "S-1-5-18");
    return true;
}

static int trial_digests(struct job *job, char md5[33], char sha1[41], char sha256[65])
{
    const struct trial *trial = job->engine;

    (void)md5, (void)sha1;
    memset(md5, 0, 33);
    memset(sha1, 0, 41);
    hash_sha256(trial->bytes, sha256);
    return 0;
}

static bool trial_could_match(struct job *job, struct slice record)
{
    const struct trial *trial = job->engine;

    return !trial->prefilter || !matcher ||
           matcher_could_match(matcher, job->artifact->sources, record);
}

static void trial_reject(struct job *job, uint64_t offset, uint64_t number, struct slice raw)
{
    struct trial *trial = job->engine;

    (void)offset, (void)number;
    demand(raw.data || !raw.size, "a rejected record has its bytes");
    trial->kept_rejected++;
}

/* What lies beside the file is as hostile as the file: it is the same bytes. */
static int trial_neighbour(struct job *job, const char *suffix, struct slice *content)
{
    const struct trial *trial = job->engine;

    *content = strcmp(suffix, ".LOG2") == 0 ? slice_of(NULL, 0) : trial->bytes;
    return 0;
}

static bool trial_find(struct job *job, uint32_t volume, const char *path, struct file *file)
{
    *file = *job->file;
    file->volume = volume;
    file->path = arena_text(job->arena, slice_of_text(path));
    return file->path != NULL;
}

static int trial_load(struct job *job, const struct file *file, size_t most, struct slice *content)
{
    const struct trial *trial = job->engine;

    (void)file;
    if (trial->bytes.size > most)
        return error_set("the file is too large");
    *content = trial->bytes;
    return 0;
}

static bool trial_data(struct job *job, uint64_t offset, uint64_t *start, uint64_t *size)
{
    *start = offset;
    *size = offset < job->size ? job->size - offset : 0;
    return *size > 0;
}

static bool trial_name_of(struct job *job, uint64_t reference, struct buffer *name,
                          uint64_t *parent)
{
    (void)job;
    *parent = reference / 2; /* ends at the root, or goes round in a circle at 0 */
    buffer_format(name, "entry%llu", (unsigned long long)reference);
    return reference % 7 != 3;
}

static ssize_t trial_peek(struct job *job, const struct file *file, uint64_t offset, void *buffer,
                          size_t size)
{
    const struct trial *trial = job->engine;
    const struct slice part = slice_part(trial->bytes, (size_t)(offset / 2), size);

    (void)file;
    if (part.size)
        memcpy(buffer, part.data, part.size);
    return (ssize_t)part.size;
}

static void trial_scan(struct job *job, const char *windows_path, uint64_t offset,
                       struct slice content, char md5[33], char sha1[41], char sha256[65])
{
    demand(*windows_path && content.size && offset + content.size <= job->file->size,
           "what is scanned lies in the file");
    *md5 = *sha1 = *sha256 = 0;
}

/* A helper that was taken over: its frames are the input, a size in front of each. */
static int trial_ask(struct job *job, const char *helper, struct slice request,
                     int (*take)(void *context, struct slice frame), void *context)
{
    const struct trial *trial = job->engine;
    struct cursor c = cursor_over(trial->bytes, 0);

    (void)helper, (void)request;
    while (cursor_left(&c) >= 4) {
        const struct slice frame = cursor_take(&c, cursor_u32le(&c));
        if (cursor_failed(&c))
            return error_set("the helper died");
        if (take(context, frame) < 0)
            return -1;
    }
    return 0;
}

static const struct job_services services = {
    .read = trial_read,
    .next_candidate = trial_next_candidate,
    .could_match = trial_could_match,
    .emit = trial_emit,
    .notice = trial_notice,
    .owner = trial_owner,
    .digests = trial_digests,
    .reject = trial_reject,
    .neighbour = trial_neighbour,
    .find = trial_find,
    .load = trial_load,
    .data = trial_data,
    .name_of = trial_name_of,
    .peek = trial_peek,
    .scan = trial_scan,
    .ask = trial_ask,
};

static void scan(struct trial *trial)
{
    const struct match_sink sink = {trial, hit, undecided, NULL};
    const struct event event = {.file = trial->job.file, .kind = KIND_content_match};
    const struct content_file file = {.filename = trial->job.file->path,
                                      .filepath = trial->job.windows_path,
                                      .extension = ".aspx",
                                      .filetype = "",
                                      .owner = "",
                                      .md5 = ""};

    trial->event = &event;
    if (trial->job.artifact->scan && matcher)
        matcher_content(matcher, trial->bytes, &file, &sink);
    trial->event = NULL;
}

static void trial_run(struct trial *trial, const struct artifact *artifact, const struct file *file,
                      struct slice input)
{
    trial->bytes = input;
    trial->scratch = arena_new(JOB_MEMORY);
    trial->job = (struct job){.artifact = artifact,
                              .file = file,
                              .host = &host,
                              .windows_path = file->path,
                              .size = input.size,
                              .arena = arena_new(JOB_MEMORY),
                              .tally = &trial->tally,
                              .source_map = rules ? rule_set_source_map(rules) : NULL,
                              .services = &services,
                              .engine = trial};
    demand(trial->scratch && trial->job.arena, "there is memory");
    if (artifact->parse(&trial->job) < 0)
        buffer_format(&trial->told, "nothing could be used: %s\n", error_text());
    const struct tally *tally = &trial->tally;
    demand(tally->records == tally->used + tally->repaired + tally->rejected,
           "each record ends in exactly one counter");
    demand(tally->day_count <= TALLY_DAYS, "days are bounded");
}

static void trial_release(struct trial *trial)
{
    buffer_release(&trial->told);
    arena_free(trial->scratch);
    arena_free(trial->job.arena);
}

static bool same_tally(const struct tally *a, const struct tally *b)
{
    return a->records == b->records && a->used == b->used && a->repaired == b->repaired &&
           a->first.ticks == b->first.ticks && a->last.ticks == b->last.ticks &&
           a->backward == b->backward && a->day_count == b->day_count &&
           memcmp(a->days, b->days, a->day_count * sizeof *a->days) == 0;
}

void fuzz_artifact(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    static struct trial with, without;
    const struct artifact *artifact = target->own;
    const struct file file = {.path = file_name, .size = input.size};

    memset(&with, 0, sizeof with);
    memset(&without, 0, sizeof without);
    if (artifact->recognise)
        artifact->recognise(slice_part(input, 0, 65536), file_name);
    with.prefilter = rules ? rule_set_prefilter(rules, artifact->sources) : NULL;
    trial_run(&with, artifact, &file, input);
    trial_run(&without, artifact, &file, input);
    demand(with.kept_rejected <= with.tally.rejected, "only what was rejected is kept as such");
    demand(with.kept_rejected == without.kept_rejected, "rejected records do not depend on it");
    demand(same_tally(&with.tally, &without.tally), "the accounts do not depend on the prefilter");
    if (rules && !slice_equal(buffer_slice(&with.told), buffer_slice(&without.told))) {
        fprintf(stderr, "--- with\n%s--- without\n%s", buffer_text(&with.told),
                buffer_text(&without.told));
        demand(false, "what is told does not depend on the prefilter");
    }
    scan(&with);
    trial_release(&with);
    trial_release(&without);
}

/* All log sources that artifacts have, once each is enough for the rules. */
static int collect_sources(void)
{
    size_t count, used = 0, room = 1;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++)
        for (const struct log_source *s = all[i]->sources; s->category || s->product || s->service;
             s++)
            room++;
    sources = calloc(room, sizeof *sources);
    if (!sources)
        return error_set("out of memory");
    for (size_t i = 0; i < count; i++)
        for (const struct log_source *s = all[i]->sources; s->category || s->product || s->service;
             s++)
            sources[used++] = *s;
    return 0;
}

int fuzz_artifact_open(const char *path)
{
    const struct zone_year year = {.year = 2000, .bias = -60, .daylight_bias = -60};

    zone_add_year(&host.zone, &year);
    if (!path)
        return 0;
    if (collect_sources() < 0 || rule_set_new(sources, &rules) < 0 ||
        rule_set_load(rules, path) < 0 || rule_set_compile(rules) < 0)
        return -1;
    return matcher_new(rules, &matcher);
}

void fuzz_artifact_close(void)
{
    matcher_free(matcher);
    rule_set_free(rules);
    free(sources);
    matcher = NULL;
    rules = NULL;
    sources = NULL;
}
