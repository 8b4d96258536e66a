/* From what a worker sends to rows of the case. All of it may be hostile. */
#include "triage/engine/session_parts.h"

#include "triage/base/error.h"
#include "triage/base/json.h"
#include "triage/engine/message.h"
#include "triage/record/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --from and --to are of true time, as the timeline is: the clock's error is taken off first. */
static bool is_filtered(const struct session *session, const struct event *event, enum level level)
{
    const struct session_options *options = &session->options;

    if (level < options->least_level)
        return true;
    if (!instant_known(event->when))
        return false;
    const int64_t ticks = event->when.ticks - options->clock_skew * TICKS_PER_SECOND;
    return (instant_known(options->from) && ticks < options->from.ticks) ||
           (instant_known(options->to) && ticks > options->to.ticks);
}

static const char *basis_text(const struct session *session, const struct event *event, char *text,
                              size_t size)
{
    const struct host *host = &session->hosts[event->file->evidence];

    if (event->basis == BASIS_UTC)
        return "utc";
    if (event->basis == BASIS_UNKNOWN)
        return "unknown";
    snprintf(text, size, "local:%s", host->zone.name[0] ? host->zone.name : "unknown");
    return text;
}

static const char *marks_text(unsigned marks)
{
    static const char *const texts[] = {
        "",
        "repaired",
        "rejected",
        "repaired,rejected",
        "damaged",
        "damaged,repaired",
        "damaged,rejected",
        "damaged,repaired,rejected",
        "recovered",
        "recovered,repaired",
        "recovered,rejected",
        "recovered,repaired,rejected",
        "damaged,recovered",
        "damaged,recovered,repaired",
        "damaged,recovered,rejected",
        "damaged,recovered,repaired,rejected",
    };
    return texts[marks & 15];
}

/* Kinds whose time is that of their file's birth, where it is known. */
static bool is_told_by_birth(enum kind kind)
{
    static const enum kind kinds[] = {KIND_aspnet_page, KIND_aspnet_file, KIND_um_message,
                                      KIND_scheduled_task};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] == kind)
            return true;
    return false;
}

/* "File created ($FN)" is not true of a file system without $FILE_NAME, nor of a folder, which
 * keeps modification times only. */
static const char *time_meaning(const struct event *event)
{
    const struct file *file = event->file;

    if (!instant_known(event->when))
        return "no time recorded";
    if (event->kind != KIND_file_listed && event->kind != KIND_content_match)
        return is_told_by_birth(event->kind) && !instant_known(file->fn.created) &&
                       !instant_known(file->si.created)
                   ? "File modified"
                   : kind_time_meaning(event->kind);
    return instant_known(file->fn.created)   ? "File created ($FN)"
           : instant_known(file->si.created) ? "File created"
                                             : "File modified";
}

static char *time_text_of(struct session *session, const struct event *event)
{
    char iso[INSTANT_TEXT_SIZE];

    if (event->time_text.size || !instant_known(event->when))
        return arena_text(session->frame_arena, event->time_text);
    return arena_text(session->frame_arena, slice_of_text(instant_format(event->when, iso)));
}

/* Microseconds since 1970, with the clock's error taken off; 0 without a time. */
static int64_t timestamp_of(const struct session *session, const struct event *event)
{
    return instant_known(event->when)
               ? instant_to_unix_us(event->when) - session->options.clock_skew * 1000000
               : 0;
}

static const char *mft_entry_text(const struct file *file, char text[48])
{
    if (file->sequence)
        snprintf(text, 48, "%" PRIu64 "-%u", file->address, file->sequence);
    else
        snprintf(text, 48, "%" PRIu64, file->address);
    return text;
}

static void message_with_title(struct session *session, const struct event *event,
                               const struct rule *rule, const char *how)
{
    buffer_clear(&session->message);
    buffer_format(&session->message, "%s: ", rule->title);
    message_of(event, &session->message);
    if (how && *how)
        buffer_format(&session->message, " [%s]", how);
}

struct row_room {
    char basis[ZONE_NAME_SIZE + 8], entry[48];
};

/* What a row of the timeline says of an event, whatever rule it matched. `room` holds its texts; so
 * do the session's buffers, of which the message has to be made before. */
static struct case_indicator row_of(struct session *session, const struct wanted *wanted,
                                    const struct event *event, const char *sha256, bool raw_cut,
                                    struct row_room *room)
{
    const struct host *host = &session->hosts[wanted->file.evidence];

    buffer_clear(&session->fields);
    message_fields(event, &session->fields);
    return (struct case_indicator){
        .dated = instant_known(event->when),
        .timestamp = timestamp_of(session, event),
        .timestamp_desc = time_meaning(event),
        .time_text = time_text_of(session, event),
        .time_basis = basis_text(session, event, room->basis, sizeof room->basis),
        .message = buffer_text(&session->message),
        .host = host->computer.value ? host->computer.value : "",
        .artifact = session_artifact(wanted->artifact)->name,
        .path = wanted->windows_path,
        .evidence = session_evidence_name(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
        .mft_entry = mft_entry_text(&wanted->file, room->entry),
        .offset = (int64_t)event->offset,
        .record = (int64_t)event->number,
        .raw = event->raw,
        .raw_cut = raw_cut,
        .raw_sha256 = sha256,
        .fields = buffer_text(&session->fields),
        .how = "",
        .marks = marks_text(event->marks),
    };
}

int session_add_indicator(struct session *session, struct wanted *wanted, const struct event *event,
                          uint32_t rule_index, const char *how, const char *sha256, bool raw_cut)
{
    const struct rule *rule = rule_set_rule(session->options.rules, rule_index);
    struct row_room room;

    if (session->attempt)
        session->attempt->matched = true;
    else
        wanted->matched = true;
    if (is_filtered(session, event, rule->level)) {
        session_counting(session)->filtered++;
        return 0;
    }
    message_with_title(session, event, rule, how);
    struct case_indicator row = row_of(session, wanted, event, sha256, raw_cut, &room);
    row.level = rule->level;
    row.rule = rule_index;
    row.how = how;
    session_counting(session)->indicators[rule->level]++;
    session_counting(session)->undated += !row.dated;
    session->progress.indicators++;
    return session_stored(session,
                          case_add_indicator(session->file, session_task_key(session), &row));
}

int session_take_indicator(struct session *session, struct wanted *wanted, struct cursor *in)
{
    const uint32_t rule = wire_get_u32(in);
    const char *how = wire_get_text(in, session->frame_arena);
    wire_get_text(in, session->frame_arena); /* detail: stands in the event's "Matched" */
    const char *sha256 = wire_get_text(in, session->frame_arena);
    const bool raw_cut = wire_get_u8(in) != 0;
    struct event event = {.file = &wanted->file};

    if (cursor_failed(in) || !sha256 || rule >= rule_set_count(session->options.rules))
        return error_set("a malformed indicator");
    if (session_get_event(session, wanted, in, &event) < 0)
        return -1;
    return session_add_indicator(session, wanted, &event, rule, how ? how : "", sha256, raw_cut);
}

static int add_context(struct session *session, const struct wanted *wanted,
                       const struct event *event, const char *sha256, bool raw_cut)
{
    struct row_room room;

    buffer_clear(&session->message);
    message_of(event, &session->message);
    const struct case_context row = {.event =
                                         row_of(session, wanted, event, sha256, raw_cut, &room)};
    return session_stored(session,
                          case_add_context(session->file, session_task_key(session), &row));
}

int session_take_context(struct session *session, struct wanted *wanted, struct cursor *in)
{
    struct event event = {.file = &wanted->file};

    wire_get_u32(in); /* no rule, no way of matching */
    wire_get_text(in, session->frame_arena);
    wire_get_text(in, session->frame_arena);
    const char *sha256 = wire_get_text(in, session->frame_arena);
    const bool raw_cut = wire_get_u8(in) != 0;
    if (cursor_failed(in) || !sha256)
        return error_set("a malformed event");
    if (session_get_event(session, wanted, in, &event) < 0)
        return -1;
    return instant_known(event.when) ? add_context(session, wanted, &event, sha256, raw_cut)
                                     : error_set("a malformed event: it has no time");
}

/* A fact's time is that of the event, not filtered: the verdict needs to know all. */
int session_take_fact(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    struct event event = {.file = &wanted->file};
    char basis[ZONE_NAME_SIZE + 8], entry[48];

    if (session_get_event(session, wanted, in, &event) < 0)
        return -1;
    buffer_clear(&session->message);
    message_of(&event, &session->message);
    buffer_clear(&session->fields);
    message_fields(&event, &session->fields);
    const struct case_fact row = {
        .kind = kind_name(event.kind),
        .dated = instant_known(event.when),
        .timestamp = timestamp_of(session, &event),
        .timestamp_desc = time_meaning(&event),
        .time_text = time_text_of(session, &event),
        .time_basis = basis_text(session, &event, basis, sizeof basis),
        .message = buffer_text(&session->message),
        .artifact = session_artifact(wanted->artifact)->name,
        .path = wanted->windows_path,
        .evidence = session_evidence_name(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
        .mft_entry = mft_entry_text(&wanted->file, entry),
        .offset = (int64_t)event.offset,
        .record = (int64_t)event.number,
        .fields = buffer_text(&session->fields),
        .marks = marks_text(event.marks),
    };
    return session_stored(session, case_add_fact(session->file, session_task_key(session), &row));
}

static void put_days(struct buffer *out, struct cursor *in, uint32_t count)
{
    enum {
        LAST_DAY = 3652059
    }; /* 9999-12-31, counted from year 1; more than any zero of time needs */
    struct json json = json_over(out, false);

    json_array(&json);
    for (uint32_t i = 0; i < count && !cursor_failed(in); i++) {
        char iso[INSTANT_TEXT_SIZE];
        const int64_t day = wire_get_u32(in);
        if (day > LAST_DAY)
            in->failed = true;
        else
            instant_format((struct instant){day * TICKS_PER_DAY + 1}, iso);
        if (!cursor_failed(in))
            json_slice(&json, slice_part(slice_of_text(iso), 0, 10));
    }
    json_array_end(&json);
}

static void put_hours(struct buffer *out, struct cursor *in, uint32_t count)
{
    for (uint32_t i = 0; i < count && !cursor_failed(in); i++)
        buffer_format(out, "%06x", wire_get_u32(in) & 0xFFFFFF);
}

int session_take_tally(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    char first[INSTANT_TEXT_SIZE], last[INSTANT_TEXT_SIZE];
    struct case_coverage row = {
        .path = wanted->windows_path,
        .artifact = session_artifact(wanted->artifact)->name,
        .evidence = session_evidence_name(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
    };

    row.bytes = (int64_t)wire_get_u64(in);
    row.records = (int64_t)wire_get_u64(in);
    row.used = (int64_t)wire_get_u64(in);
    row.repaired = (int64_t)wire_get_u64(in);
    row.rejected = (int64_t)wire_get_u64(in);
    row.backward = (int64_t)wire_get_u64(in);
    row.continuous = wire_get_u8(in) != 0;
    row.gaps = (int64_t)wire_get_u64(in);
    row.missing = (int64_t)wire_get_u64(in);
    row.notices_left = (int64_t)wire_get_u64(in);
    row.facts_left = (int64_t)wire_get_u64(in);
    row.rejected_left = (int64_t)wire_get_u64(in);
    row.first = instant_format((struct instant){(int64_t)wire_get_u64(in)}, first);
    row.last = instant_format((struct instant){(int64_t)wire_get_u64(in)}, last);
    const bool damaged = wire_get_u8(in) != 0;
    const uint32_t days = wire_get_u32(in);
    if (cursor_failed(in) || days > TALLY_DAYS)
        return error_set("a malformed account");
    buffer_clear(&session->fields);
    put_days(&session->fields, in, days);
    buffer_clear(&session->text);
    put_hours(&session->text, in, days);
    if (cursor_failed(in))
        return error_set("a malformed account");
    row.days = buffer_text(&session->fields);
    row.hours = buffer_text(&session->text);
    row.damage = damaged ? "[\"bytes of this file lie in a damaged part of the evidence\"]" : "[]";
    session_counting(session)->files_read++;
    session_counting(session)->damaged_files += damaged;
    session_counting(session)->records += (uint64_t)row.records;
    session_counting(session)->used += (uint64_t)row.used;
    session_counting(session)->repaired += (uint64_t)row.repaired;
    session_counting(session)->rejected += (uint64_t)row.rejected;
    session_counting(session)->bytes += (uint64_t)row.bytes;
    return session_stored(session,
                          case_add_coverage(session->file, session_task_key(session), &row));
}

static void set_times(const char *texts[4], const struct macb *times,
                      char room[4][INSTANT_TEXT_SIZE])
{
    texts[0] = instant_format(times->modified, room[0]);
    texts[1] = instant_format(times->accessed, room[1]);
    texts[2] = instant_format(times->changed, room[2]);
    texts[3] = instant_format(times->created, room[3]);
}

static const char *attributes_text(uint32_t attributes)
{
    static const char *const texts[] = {
        "",       "readonly",        "hidden",        "readonly hidden",
        "system", "readonly system", "hidden system", "readonly hidden system",
    };
    return texts[attributes & 7];
}

/* A line for the log: which file was opened, or copied, and where it lies in the evidence. */
void session_tell_trail(struct session *session, const char *what, const struct wanted *wanted,
                        const char *more)
{
    const struct artifact *artifact = session_artifact(wanted->artifact);
    char entry[48];

    if (!session->options.trail)
        return;
    buffer_clear(&session->text);
    buffer_format(&session->text,
                  "%s %s (%s, volume %u, snapshot %u, entry %s, %" PRIu64 " bytes)%s%s%s", what,
                  wanted->windows_path, session_evidence_name(session, wanted->file.evidence),
                  wanted->file.volume, wanted->file.snapshot, mft_entry_text(&wanted->file, entry),
                  wanted->file.size, artifact ? " for " : "", artifact ? artifact->name : "", more);
    session->options.trail(session->options.context, buffer_text(&session->text));
}

static void tell_copied(struct session *session, const struct wanted *wanted,
                        const struct case_stored *row)
{
    const char *more = arena_format(session->frame_arena, "; to %s%s%s", row->stored,
                                    *row->sha256 ? ", SHA-256 " : "", row->sha256);

    session_tell_trail(session, "copied", wanted, more ? more : "");
}

/* A row of files.csv; digests and owner come next in the frame. */
int session_take_stored(struct session *session, const struct wanted *wanted, struct cursor *in,
                        const char *path, bool damaged)
{
    char si[4][INSTANT_TEXT_SIZE], fn[4][INSTANT_TEXT_SIZE], entry[48];
    const struct artifact *artifact = session_artifact(wanted->artifact);
    struct case_stored row = {
        .path = wanted->windows_path,
        .evidence = session_evidence_name(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
        .mft_entry = mft_entry_text(&wanted->file, entry),
        .size = (int64_t)wanted->file.size,
        .attributes = attributes_text(wanted->file.attributes),
        .stored = path,
        .why = artifact ? artifact->name : "",
        .damaged = damaged,
        .deleted = wanted->file.flags & FILE_DELETED,
    };

    row.md5 = wire_get_text(in, session->frame_arena);
    row.sha1 = wire_get_text(in, session->frame_arena);
    row.sha256 = wire_get_text(in, session->frame_arena);
    row.owner = wire_get_text(in, session->frame_arena);
    if (cursor_failed(in))
        return error_set("malformed digests");
    if (session->options.digested)
        session->options.digested(session->options.context, wanted->windows_path, row.deleted,
                                  row.sha256);
    set_times(row.si, &wanted->file.si, si);
    set_times(row.fn, &wanted->file.fn, fn);
    if (*path)
        tell_copied(session, wanted, &row);
    return session->file ? session_stored(session, case_add_stored(session->file,
                                                                   session_task_key(session), &row))
                         : 0;
}

int session_take_rejected(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    struct case_rejected row = {
        .path = wanted->windows_path,
        .artifact = session_artifact(wanted->artifact)->name,
        .evidence = session_evidence_name(session, wanted->file.evidence),
        .volume = wanted->file.volume,
        .snapshot = wanted->file.snapshot,
    };

    row.offset = (int64_t)wire_get_u64(in);
    row.record = (int64_t)wire_get_u64(in);
    row.raw_cut = wire_get_u8(in) != 0;
    row.raw = wire_get_slice(in);
    if (cursor_failed(in))
        return error_set("a malformed rejected record");
    return session_stored(session,
                          case_add_rejected(session->file, session_task_key(session), &row));
}

int session_take_notice(struct session *session, const struct wanted *wanted, struct cursor *in)
{
    const uint64_t offset = wire_get_u64(in);
    const char *text = wire_get_text(in, session->frame_arena);

    return text ? session_add_note(session, false, wanted->file.evidence, wanted, "", offset, text)
                : -1;
}
