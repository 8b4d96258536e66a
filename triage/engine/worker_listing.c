/* Lists what the file systems hold and says which of it is wanted. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/engine/mailbox_store.h"
#include "triage/engine/plan.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_SIZE = 64 << 10, /* what artifacts recognise a file by */
    WANTED_BYTES = 600,   /* of a wanted file, beside its path, in the parent */
};

static const uint64_t WANTED_CEILING = UINT64_C(2)
                                       << 30; /* an intruder can make any number of files */

struct listing_walk {
    struct worker *worker;
    struct outbox *outbox;
    struct evidence *evidence;
    uint32_t index;
    const struct plan *plan;
    uint64_t takes_deleted, takes_streams, takes_folders, spare, rest, yields,
        scans;                            /* artifacts, as bits */
    uint64_t counts[PLAN_MOST_ARTIFACTS]; /* files that each of them wants */
    bool by_content;
    uint64_t listed, unrecognised, unchanged;
    uint64_t wanted_bytes; /* that the list of wanted files takes in the parent, about */
};

static void send_wanted(struct listing_walk *walk, uint32_t artifact, const struct file *file)
{
    const uint64_t bytes = WANTED_BYTES + 4 * (uint64_t)strlen(file->path);
    struct buffer *out = worker_frame(walk->worker);

    if (walk->wanted_bytes > WANTED_CEILING)
        return;
    if ((walk->wanted_bytes += bytes) > WANTED_CEILING) {
        worker_send_unread(
            walk->worker, walk->outbox, file->path,
            "more files are wanted than can be kept in mind: those from here on were not read");
        return;
    }
    wire_put_u32(out, artifact);
    wire_put_file(out, file);
    worker_send(walk->worker, walk->outbox, RESULT_WANTED);
}

/* The one of these artifacts that has the file's content searched, as a bit. */
static uint64_t scanning(const struct listing_walk *walk, const struct file *file,
                         uint64_t artifacts)
{
    const uint64_t own = artifacts & walk->scans;

    if (file->flags & (FILE_UNALLOCATED | FILE_FOLDER))
        return 0;
    if (!own && walk->worker->setup->scan_all)
        return artifacts & -artifacts;
    return own & -own;
}

/* Asks for the file, unless its artifact has as many as it takes. */
static void want(struct listing_walk *walk, uint32_t artifact, struct file *file, bool scanned)
{
    size_t count;
    const size_t most = artifact_all(&count)[artifact]->most;

    if (most && walk->counts[artifact]++ >= most)
        return;
    file->flags = scanned ? file->flags | FILE_SCANNED : file->flags & ~(uint32_t)FILE_SCANNED;
    send_wanted(walk, artifact, file);
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

static void send_notice(struct listing_walk *walk, const char *path, const char *text)
{
    struct buffer *out = worker_frame(walk->worker);

    wire_put_u64(out, 0);
    wire_put_text(out, text);
    wire_put_text(out, path);
    worker_send(walk->worker, walk->outbox, RESULT_NOTICE);
}

/* A link in a folder leads elsewhere: it is named, never followed. */
static void tell_of_link(struct listing_walk *walk, const struct file *file)
{
    send_notice(walk, file->path, "a link, which is not followed");
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
        worker_send_unread(
            walk->worker, walk->outbox, file->path,
            "a disk image in a folder is not looked into: name it as evidence itself");
}

/* A file of mail that was named itself must not pass for read. */
static void tell_of_mail(struct listing_walk *walk, const struct file *file)
{
    walk->unrecognised++;
    if (evidence_shape(walk->evidence) == EVIDENCE_SINGLE_FILE)
        worker_send_unread(walk->worker, walk->outbox, file->path, mail_is_not_read);
    else if (walk->rest)
        send_notice(walk, file->path, mail_is_not_read);
}

/* `otherwise`: artifacts that take it when no other one knows the content. */
static int want_by_content(struct listing_walk *walk, struct file *file, uint64_t otherwise)
{
    if (is_mailbox_store(file->path)) {
        tell_of_mail(walk, file);
        return 0;
    }
    uint8_t *head = malloc(HEAD_SIZE);
    const size_t size = head ? read_head(walk->evidence, file, head) : SIZE_MAX;

    if (size == SIZE_MAX) {
        worker_send_unread(walk->worker, walk->outbox, file->path, error_text());
    } else {
        size_t artifact = recognise(file, slice_of(head, size));
        if (artifact == SIZE_MAX && otherwise)
            artifact = (size_t)__builtin_ctzll(otherwise);
        if (artifact == SIZE_MAX && evidence_shape(walk->evidence) == EVIDENCE_SINGLE_FILE)
            worker_send_unread(walk->worker, walk->outbox, file->path,
                               "no artifact knows the content of this file");
        if (artifact == SIZE_MAX)
            tell_unrecognised(walk, file, slice_of(head, size));
        if (artifact == SIZE_MAX && walk->rest)
            want(walk, (uint32_t)__builtin_ctzll(walk->rest), file, true);
        else if (artifact != SIZE_MAX)
            want(walk, (uint32_t)artifact, file,
                 scanning(walk, file, UINT64_C(1) << artifact) != 0);
    }
    free(head);
    return 0;
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

/* Deleted files that no other artifact scans go to those that take what is left. */
static uint64_t without_spare(const struct listing_walk *walk, const struct file *file,
                              uint64_t artifacts)
{
    const uint64_t others = artifacts & ~walk->spare & ~walk->rest;

    return others & walk->scans || !(file->flags & FILE_DELETED) ? artifacts & ~walk->spare
                                                                 : artifacts;
}

static uint64_t without_yielding(const struct listing_walk *walk, uint64_t artifacts)
{
    return artifacts & walk->scans & ~walk->yields ? artifacts & ~walk->yields : artifacts;
}

/* With --yara-all: what nobody else wants, but no mail. */
static uint64_t without_rest(struct listing_walk *walk, const struct file *file, uint64_t artifacts)
{
    const uint64_t others = artifacts & ~walk->rest;

    if (others || !artifacts)
        return others;
    if (!is_mailbox_store(file->path))
        return file->flags & FILE_UNALLOCATED ? 0 : artifacts;
    send_notice(walk, file->path, mail_is_not_read);
    return 0;
}

static void tell_of_most(struct listing_walk *walk)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++) {
        char text[200];
        if (!all[i]->most || walk->counts[i] <= all[i]->most)
            continue;
        snprintf(text, sizeof text,
                 "%llu files of '%s' were not read: there are more than the %zu that are taken",
                 (unsigned long long)(walk->counts[i] - all[i]->most), all[i]->title, all[i]->most);
        send_notice(walk, "/", text);
    }
}

static void want_each(struct listing_walk *walk, struct file *file, uint64_t artifacts)
{
    const uint64_t scanned = scanning(walk, file, artifacts);

    if (walk->worker->setup->globs && artifacts) {
        send_wanted(walk, NO_ARTIFACT, file);
        return;
    }
    for (; artifacts; artifacts &= artifacts - 1)
        want(walk, (uint32_t)__builtin_ctzll(artifacts), file, (artifacts & -artifacts) == scanned);
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
    artifacts = without_yielding(walk, artifacts);
    artifacts = walk->by_content ? artifacts & ~walk->rest : without_rest(walk, &file, artifacts);
    if (artifacts && file.snapshot && evidence_is_unchanged(walk->evidence, &file)) {
        walk->unchanged++;
        return 0;
    }
    if (!(artifacts & ~walk->yields) && walk->by_content)
        return want_by_content(walk, &file, artifacts);
    want_each(walk, &file, artifacts);
    return 0;
}

static int plan_artifacts(struct plan *plan, const struct host *host, struct listing_walk *walk)
{
    size_t count;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++) {
        const char *const *paths = all[i]->paths;
        if ((all[i]->carve && !walk->worker->setup->carve) ||
            (all[i]->rest && !walk->worker->setup->scan_all))
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
        walk->rest |= (uint64_t)all[i]->rest << i;
        walk->yields |= (uint64_t)all[i]->yields << i;
        walk->scans |= (uint64_t)(all[i]->scan && !all[i]->rest) << i;
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
            worker_send_unread(walk->worker, walk->outbox, "/", error_text());
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
            worker_send_unread(walk->worker, walk->outbox, "/", error_text());
        else if (walk->worker->setup->carve)
            want_free_space(walk, volume);
        unreadable_sum += unreadable;
        list_snapshots(walk, (uint32_t)i, &unreadable_sum);
    }
    tell_of_most(walk);
    struct buffer *out = worker_frame(walk->worker);
    wire_put_u64(out, walk->listed);
    wire_put_u64(out, unreadable_sum);
    wire_put_u64(out, walk->unrecognised);
    worker_send(walk->worker, walk->outbox, RESULT_LISTED_COUNT);
}

void worker_list_wanted(struct worker *worker, struct outbox *outbox, uint32_t index,
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
        worker_send_unread(worker, outbox, "/", error_text());
    else
        list_volumes(&walk);
}
