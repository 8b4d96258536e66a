/* Whether Microsoft shipped a file: what is known of its content becomes a field of its event. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"

#include <string.h>

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
                       running_find(job, volume, buffer_text(&found), &file) &&
                       running_load_file(job, &file, SAMPLE_MOST, &content) == 0;

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
const struct event *running_judged(struct running *running, const struct event *event,
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
