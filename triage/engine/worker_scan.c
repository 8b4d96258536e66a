/* Content rules over the file of a task: whole, in pieces, in parts of it; matches in logs by their
 * records. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/engine/file_type.h"
#include "triage/engine/mailbox_store.h"

#include <stdio.h>
#include <string.h>

/* A YARA match becomes an event of its own, so that it is stored and shown like all others. */
static void tell_content(struct running *running, const struct hit *hit)
{
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
    running_found(running, hit);
}

static void content_found(void *context, const struct hit *hit)
{
    struct running *running = context;

    if (running->scanned.recovered || !running->lines ||
        !line_hits_add(running->lines, hit->rule, hit->detail))
        tell_content(running, hit);
}

static void content_place(void *context, size_t rule, uint64_t offset, const char *string)
{
    struct running *running = context;

    if (running->lines && !running->scanned.recovered)
        line_hits_place(running->lines, rule, running->scanned.offset + offset, string);
}

static void content_undecided(void *context, size_t rule, const char *why)
{
    struct running *running = context;
    const struct event event = {.file = running->job.file};

    running->event = &event;
    running_undecided(running, rule, why);
}

/* Bytes that were a file of their own once. Nothing is known of its times. */
void running_scan_part(struct job *job, const char *windows_path, uint64_t offset,
                       struct slice content, char md5[33], char sha1[41], char sha256[65])
{
    struct running *running = running_of(job);
    const struct match_sink sink = {running, content_found, content_undecided, NULL};
    const struct content_file file = {.filename = "",
                                      .filepath = windows_path,
                                      .extension = "",
                                      .filetype = file_type(content),
                                      .owner = "",
                                      .md5 = running->scanned.digests.md5};
    struct hasher *hasher = hasher_new(HASH_ALL);

    *md5 = *sha1 = *sha256 = 0;
    if (!hasher) {
        running_notice(job, offset, error_text());
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
        running_notice(job, offset, error_text());
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

static const char *owner_of(struct running *running)
{
    char sid[200] = "";

    if (running->owner)
        return owner_name(running->owner);
    if (!evidence_owner(running->evidence, running->job.file, sid, sizeof sid))
        return "";
    const char *kept = arena_text(running->job.arena, slice_of_text(sid));
    return kept ? owner_name(kept) : "";
}

/* What is known of the file but for what its content tells. */
static struct content_file described(struct running *running)
{
    return (struct content_file){
        .filename = last_component(running->job.file->path),
        .filepath = running->job.windows_path,
        .extension = extension_of(running),
        .owner = owner_of(running),
        .md5 = "",
        .every_place = running->lines != NULL,
    };
}

static void scan_bytes(struct running *running, const struct content_file *file)
{
    const struct match_sink sink = {running, content_found, content_undecided, content_place};

    if (matcher_content(running->worker->matcher, running->scanned.bytes, file, &sink) < 0)
        running_notice(&running->job, running->scanned.offset, error_text());
}

/* A store of mail under another name is none of ours to read, either. */
static bool holds_mail(struct running *running)
{
    uint8_t head[8] = {0};
    const ssize_t got = stream_read(running->stream, 0, head, sizeof head);
    const struct slice start = slice_of(head, got > 0 ? (size_t)got : 0);

    return slice_starts(start, "!BDN") ||
           slice_equal(slice_part(start, 4, 4), SLICE_LITERAL("\xEF\xCD\xAB\x89"));
}

static void scan_piece(struct running *running, bool last)
{
    struct log_pieces *pieces = running->pieces;
    struct content_file file;
    struct slice piece;

    while ((piece = log_pieces_take(pieces, last)).size) {
        file = described(running);
        file.filetype = file_type(pieces->base ? slice_of(NULL, 0) : piece);
        running->scanned = (struct scanned){
            .bytes = piece, .windows_path = running->job.windows_path, .offset = pieces->base};
        scan_bytes(running, &file);
        log_pieces_drop(pieces, piece.size);
    }
    running->scanned = (struct scanned){.windows_path = running->job.windows_path};
}

/* A hole between what was followed and `offset` holds no text: what stands before it is scanned,
 * and the next piece begins behind it. */
static void leap_over_hole(struct running *running, uint64_t offset)
{
    struct log_pieces *pieces = running->pieces;
    const uint64_t next = log_pieces_next(pieces);
    uint64_t start = stream_size(running->stream), size;

    if (offset <= next || (stream_data(running->stream, next, &start, &size) && start < offset))
        return;
    if (pieces->bytes.size)
        scan_piece(running, true);
    buffer_clear(&pieces->bytes);
    pieces->base = offset;
}

/* The artifact reads a large log: what it reads is searched on the way. */
void running_scan_follow(struct running *running, uint64_t offset, struct slice bytes)
{
    const struct event *event = running->event;

    leap_over_hole(running, offset);
    log_pieces_add(running->pieces, offset, bytes);
    if (running->pieces->bytes.size >= LOG_PIECE_SIZE)
        scan_piece(running, false);
    running->event = event;
}

/* What the artifact did not read. */
static void follow_rest(struct running *running)
{
    struct log_pieces *pieces = running->pieces;
    uint8_t *window = buffer_reserve(&running->worker->window, COPY_WINDOW);

    while (window && !pieces->binary && !buffer_failed(&pieces->bytes)) {
        const uint64_t at = running_data_from(running, log_pieces_next(pieces));
        const ssize_t got = stream_read(running->stream, at, window, COPY_WINDOW);
        if (got <= 0)
            break;
        running_scan_follow(running, at, slice_of(window, (size_t)got));
    }
}

static void scan_large_log(struct running *running)
{
    follow_rest(running);
    if (!running->pieces->binary && !buffer_failed(&running->pieces->bytes)) {
        scan_piece(running, true);
        running_notice(&running->job, CONTENT_CEILING,
                       "a log of more than 64 MiB: content rules saw it in pieces of 32 MiB, each "
                       "as if it were a file of its own");
        return;
    }
    running_notice(&running->job, CONTENT_CEILING,
                   "the file is larger than 64 MiB: its content was not scanned");
}

static void scan_content(struct running *running)
{
    char md5[33], sha1[41], sha256[65];
    struct content_file file = described(running);

    const bool partial = stream_lost(running->stream) > 0;
    *md5 = 0;
    if (is_mailbox_store(running->job.file->path))
        return;
    if (running->worker->setup->scan_all && holds_mail(running)) {
        running_notice(&running->job, 0, mail_is_not_read);
        return;
    }
    if (partial && (stream_lost(running->stream) == running->job.size || running_load(running) < 0))
        return;
    if ((!partial && running_digests(&running->job, md5, sha1, sha256) < 0) || !running->loaded) {
        if (running->job.size > CONTENT_CEILING)
            running_notice(&running->job, CONTENT_CEILING,
                           "the file is larger than 64 MiB: its content was not scanned");
        return;
    }
    running->scanned = (struct scanned){.bytes = buffer_slice(&running->worker->content),
                                        .windows_path = running->job.windows_path,
                                        .digests = running->digests};
    file.filetype = file_type(running->scanned.bytes);
    file.md5 = md5;
    scan_bytes(running, &file);
}

/* --- content matches in logs --- */

static void tell_line(void *context, size_t rule, const char *places, const struct event *event)
{
    struct running *running = context;
    const struct hit hit = {.rule = rule, .how = "content rule", .detail = places};
    struct value *values = arena_array(running->job.arena, event->value_count + 1, sizeof *values);
    struct event copy = *event;

    if (!values)
        return;
    if (event->value_count)
        memcpy(values, event->values, event->value_count * sizeof *values);
    values[copy.value_count++] =
        (struct value){"Matched", FIELD_Matched, false, slice_of_text(places)};
    copy.values = values;
    running->event = &copy;
    running_found(running, &hit);
}

static void tell_file(void *context, size_t rule, const char *places)
{
    const struct hit hit = {.rule = rule, .how = "", .detail = places};

    tell_content(context, &hit);
}

static void tell_more(void *context, size_t rule, size_t lines)
{
    struct running *running = context;
    const struct rule *r = rule_set_rule(running->worker->setup->rules, rule);
    char text[400];

    snprintf(text, sizeof text,
             "rule %s matches at least %zu records of this file: the first %d are told",
             r ? r->name : "?", lines, LINES_TOLD_MOST);
    running_notice(&running->job, 0, text);
}

static bool is_wide(struct running *running)
{
    uint8_t mark[2] = {0};
    const struct slice start = slice_of(mark, sizeof mark);

    stream_read(running->stream, 0, mark, sizeof mark);
    return slice_equal(start, SLICE_LITERAL("\xFF\xFE")) ||
           slice_equal(start, SLICE_LITERAL("\xFE\xFF"));
}

void running_scan(struct running *running)
{
    const struct line_hits_sink sink = {running, tell_line, tell_file, tell_more};

    if (running->pieces)
        scan_large_log(running);
    else
        scan_content(running);
    if (running->pieces)
        log_pieces_release(running->pieces);
    running->pieces = NULL;
    if (running->lines)
        line_hits_tell(running->lines, &running->job, is_wide(running), &sink);
}

/* What an artifact reads that does not scan its files itself is read once for both: a file that
 * memory holds before it is parsed, another one while it is parsed. */
void running_scan_prepare(struct running *running)
{
    struct job *job = &running->job;

    if (job->artifact->scan || is_mailbox_store(job->file->path) || holds_mail(running) ||
        stream_lost(running->stream))
        return;
    running->lines = line_hits_new(job->arena);
    if (job->size > CONTENT_CEILING)
        running->pieces = arena_take(job->arena, sizeof *running->pieces);
    else if (running_load(running) < 0)
        running_notice(job, 0, error_text());
    if (running->pieces)
        *running->pieces = (struct log_pieces){.bytes = BUFFER_EMPTY};
}
