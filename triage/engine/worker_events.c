/* What an artifact says of a file, on its way to the parent: indicators, facts, context, notices.
 */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/match/correlation.h"
#include "triage/record/wire.h"

#include <stdio.h>

enum { EVENT_CEILING = 8 << 20 };

void running_notice(struct job *job, uint64_t offset, const char *text)
{
    struct running *running = running_of(job);

    if (job->context) /* told when the file was parsed */
        return;
    if (running->notices++ < MOST_NOTICES)
        worker_send_notice(running->worker, running->outbox, offset, text);
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
    struct buffer *out = worker_frame(running->worker);
    wire_put_u32(out, (uint32_t)rule);
    wire_put_text(out, sha256);
    wire_put_u8(out, event.raw.size > CORRELATED_RAW);
    wire_put_event(out, &event, CORRELATED_RAW);
    worker_send(running->worker, running->outbox, RESULT_CORRELATED);
}

void running_found(void *context, const struct hit *hit)
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
    worker_put_indicator(worker_frame(running->worker), hit, &event, sha256);
    if (running->worker->frame.size > EVENT_CEILING) {
        running_notice(&running->job, event.offset,
                       "a matched record is too large: its fields are left out of the case");
        event.value_count = 0;
        worker_put_indicator(worker_frame(running->worker), hit, &event, sha256);
    }
    worker_send(running->worker, running->outbox, RESULT_INDICATOR);
    running->matched = true;
}

void running_undecided(void *context, size_t rule, const char *why)
{
    struct running *running = context;
    const struct rule *r = rule_set_rule(running->worker->setup->rules, rule);
    char text[400];

    snprintf(text, sizeof text, "rule %s is undecided here: %s", r ? r->name : "?", why);
    running_notice(&running->job, running->event->offset, text);
}

void running_send_fact(struct running *running, const struct event *event)
{
    struct event fact = *event;

    fact.raw = slice_of(NULL, 0);
    if (running->facts++ >= MOST_FACTS)
        return;
    wire_put_event(worker_frame(running->worker), &fact, 0);
    if (running->worker->frame.size > EVENT_CEILING)
        running_notice(&running->job, event->offset, "a fact is too large to be kept");
    else
        worker_send(running->worker, running->outbox, RESULT_FACT);
}

bool running_wants(struct job *job, struct instant when)
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

void running_send_context(struct running *running, const struct event *event)
{
    const struct hit none = {.how = "", .detail = ""};
    char sha256[SHA256_TEXT_SIZE];

    if (!running_wants(&running->job, event->when))
        return;
    if (!has_room(running, event->when)) {
        running->context_left++;
        return;
    }
    hash_sha256(event->record.size ? event->record : event->raw, sha256);
    worker_put_indicator(worker_frame(running->worker), &none, event, sha256);
    if (running->worker->frame.size <= EVENT_CEILING)
        worker_send(running->worker, running->outbox, RESULT_CONTEXT);
}
