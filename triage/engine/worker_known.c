/* Whether Microsoft shipped a file: what is known of its content becomes a field of its event. */
#include "triage/engine/worker_parts.h"

#include "triage/base/hash.h"

#include <string.h>

enum { PAGE_MOST = 4 << 20 };

/* A server whose pages are asked about. */
struct asked {
    struct worker *worker;
    uint32_t evidence, snapshot;
    const struct host *host;
    struct arena *arena;
};

static uint64_t build_of(const struct host *host)
{
    return host->exchange_version.value ? known_good_build(host->exchange_version.value) : 0;
}

static bool find_page(const struct asked *asked, const char *windows_path, struct file *file)
{
    struct buffer found = BUFFER_EMPTY;
    uint32_t volume;
    const bool there =
        host_resolve(asked->host, windows_path, &volume, &found) &&
        volume < evidence_volume_count(asked->worker->evidence[asked->evidence]) &&
        evidence_find_snapshot(asked->worker->evidence[asked->evidence], volume, asked->snapshot,
                               buffer_text(&found), asked->arena, file);

    buffer_release(&found);
    return there;
}

/* The digest of a page on disk; false when it is not there, or too large for a page. */
static bool hash_page(const struct asked *asked, const char *windows_path,
                      char sha256[SHA256_TEXT_SIZE])
{
    struct stream *stream;
    struct file file;

    if (!find_page(asked, windows_path, &file) ||
        evidence_open_stream(asked->worker->evidence[asked->evidence], &file, &stream) < 0)
        return false;
    const uint64_t size = stream_size(stream);
    uint8_t *bytes = size <= PAGE_MOST ? arena_take(asked->arena, (size_t)size + 1) : NULL;
    const ssize_t got = bytes ? stream_read(stream, 0, bytes, (size_t)size) : -1;
    stream_close(stream);
    if (got < 0 || (uint64_t)got != size)
        return false;
    hash_sha256(slice_of(bytes, (size_t)size), sha256);
    return true;
}

static enum known_state judge_page(const struct asked *asked, const char *windows_path,
                                   bool without_lists)
{
    char sha256[SHA256_TEXT_SIZE];

    if (!windows_path || !hash_page(asked, windows_path, sha256))
        return KNOWN_NOTHING;
    const struct known_file known = {.path = windows_path,
                                     .sha256 = slice_of_text(sha256),
                                     .build = build_of(asked->host),
                                     .without_lists = without_lists};
    return known_good_judge(asked->worker->setup->known, &known);
}

/* A server none of whose pages are Microsoft's is not one that the lists describe (pages of another
 * making, another encoding): then they would call all of them foreign. A few pages that hardly ever
 * changed tell; no intruder is known to have replaced them all. */
static bool lists_fit(const struct asked *asked)
{
    static const char *const samples[] = {
        "FrontEnd\\HttpProxy\\owa\\global.asax",   "FrontEnd\\HttpProxy\\ecp\\global.asax",
        "FrontEnd\\HttpProxy\\ews\\global.asax",   "FrontEnd\\HttpProxy\\oab\\global.asax",
        "FrontEnd\\HttpProxy\\rpc\\global.asax",   "FrontEnd\\HttpProxy\\owa\\auth\\OutlookCN.aspx",
        "ClientAccess\\Autodiscover\\Global.asax", "ClientAccess\\ecp\\Global.asax"};
    enum list_fit *fit = &asked->worker->fits[asked->evidence];
    unsigned same = 0, strange = 0;

    if (*fit != FIT_UNKNOWN || !asked->host->exchange_path.value)
        return *fit != FIT_NO;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const enum known_state state = judge_page(
            asked,
            arena_format(asked->arena, "%s\\%s", asked->host->exchange_path.value, samples[i]),
            false);
        same += state == KNOWN_SHIPPED || state == KNOWN_OTHER_BUILD;
        strange += state == KNOWN_FOREIGN || state == KNOWN_UNDECIDED;
    }
    *fit = same > 0 || strange < 2 ? FIT_YES : FIT_NO;
    return *fit == FIT_YES;
}

const char *worker_known_limits(struct worker *worker, uint32_t evidence, const struct host *host,
                                struct arena *arena)
{
    const struct asked asked = {worker, evidence, 0, host, arena};
    const struct known_good *known = worker->setup->known;
    const uint64_t build = build_of(host);

    if (!known || !known_good_has_lists(known) || !host->exchange_path.value)
        return NULL;
    if (!lists_fit(&asked))
        return "none of the pages of Exchange that hardly ever changed is as Microsoft's lists "
               "have "
               "it: the lists are left out, and of pages with Microsoft's names nothing is said "
               "(name a clean server with --baseline)";
    if (!build)
        return "the build of Exchange is not known: a page with Microsoft's name and a content "
               "that "
               "is in no list is undecided (name a clean server with --baseline)";
    return known_good_lists(known, build) ? NULL
                                          : "Microsoft's lists of pages end before the installed "
                                            "build of Exchange: a page with "
                                            "Microsoft's name and a content that is in no list is "
                                            "undecided (name a clean server "
                                            "with --baseline)";
}

/* The page that a compiled one was made of: whether it is there is told by the artifact. */
static const char *page_behind(struct running *running, const struct event *event)
{
    const struct slice path = event_value(event, "PhysicalPath").size
                                  ? event_value(event, "PhysicalPath")
                                  : event_value(event, "SourceFile");

    return slice_is(event_value(event, "PageOnDisk"), "true") && path.size
               ? arena_text(running->job.arena, path)
               : NULL;
}

static enum known_state judge_event(struct running *running, const struct event *event)
{
    const struct asked asked = {running->worker, running->job.file->evidence,
                                running->job.file->snapshot, running->job.host, running->job.arena};
    const struct known_file file = {.path = running->job.windows_path,
                                    .md5 = event_value(event, "MD5"),
                                    .sha1 = event_value(event, "SHA1"),
                                    .sha256 = event_value(event, "SHA256"),
                                    .build = build_of(running->job.host),
                                    .without_lists = !lists_fit(&asked)};

    return event->kind == KIND_file_listed
               ? known_good_judge(running->worker->setup->known, &file)
               : judge_page(&asked, page_behind(running, event), file.without_lists);
}

static bool is_judged(const struct running *running, const struct event *event)
{
    if (!running->worker->setup->known || running->job.file->stream)
        return false;
    return event->kind == KIND_file_listed ? event_value(event, "SHA256").size > 0
                                           : slice_is(event_value(event, "PageOnDisk"), "true");
}

/* What is known of a file's content is one more field of its event. */
const struct event *running_judged(struct running *running, const struct event *event,
                                   struct event *copy)
{
    if (!is_judged(running, event))
        return event;
    struct value *values = arena_array(running->job.arena, event->value_count + 1, sizeof *values);
    if (!values)
        return event;
    memcpy(values, event->values, event->value_count * sizeof *values);
    values[event->value_count] =
        (struct value){.name = field_name(FIELD_Baseline),
                       .field = FIELD_Baseline,
                       .text = slice_of_text(known_state_word(judge_event(running, event)))};
    *copy = *event;
    copy->values = values;
    copy->value_count++;
    return copy;
}
