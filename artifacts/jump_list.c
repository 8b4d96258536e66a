/*
 * Jump lists: what a program last opened, for each user. APPID.automaticDestinations-ms is a
 * compound file of numbered links and of a list, DestList, with the time of each last use;
 * APPID.customDestinations-ms is a row of links that a program put there itself. Source: the
 * documentation of Jump lists in libyal's dtformats.
 */
#include "artifacts/link_event.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/compound.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    LIST_HEADER = 32,
    HOST_SIZE = 16,
    SCRATCH_MOST = 8 * 1024 * 1024, /* for the texts of one entry */
};

/* Numbers of programs that are told apart by nothing but their path's checksum: those that say
 * something of an intruder's hands. Source: published lists of jump list ids. */
static const struct {
    const char *id, *program;
} programs[] = {{"1bc392b8e104a00e", "Remote Desktop"},
                {"f01b4d95cf55d32a", "Windows Explorer"},
                {"1b4dd67f29cb1962", "Windows Explorer"},
                {"9b9cdc69c1c24e2b", "Notepad"},
                {"918e0ecb43d17e23", "Notepad"}};

/* One numbered stream. */
struct stream {
    uint64_t number;
    const struct compound_entry *entry;
    bool told;
};

/* One entry of DestList. */
struct use {
    struct shell_droid droid, birth;
    const char *host, *path;
    uint64_t number;
    struct instant when;
    int32_t pin;
    uint32_t count;
    bool has_count;
};

struct list {
    struct job *job;
    struct arena *scratch; /* of the entry at hand */
    struct compound compound;
    struct stream *streams; /* by number */
    size_t stream_count;
    const char *id, *profile;
};

static const char *program_of(const char *id)
{
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (strcasecmp(id, programs[i].id) == 0)
            return programs[i].program;
    return NULL;
}

static void begin(struct list *list, struct entry *entry, const char *type)
{
    list->job->tally->previous = INSTANT_NONE; /* the newest stand in front: no jumps of a clock */
    entry_begin(entry, list->job, KIND_jump_entry);
    entry_add(entry, "ListType", type);
    entry_add(entry, "AppId", list->id);
    entry_add(entry, "Application", program_of(list->id));
    entry_add(entry, "Profile", list->profile);
}

static void repair(struct entry *entry, uint64_t offset, const char *why)
{
    job_notice(entry->job, offset, why);
    entry->event.marks |= EVENT_REPAIRED;
}

/* The link's texts must outlive this call: the event has them until it is emitted. */
static void add_link(struct list *list, struct entry *entry, struct slice content, uint64_t offset)
{
    struct shell_link *link = arena_take(list->scratch, sizeof *link);

    entry->event.offset = offset;
    entry->event.raw = content;
    if (!link || shell_link_read(content, list->scratch, link) < 0) {
        repair(entry, offset, error_text());
        return;
    }
    if (link->problem)
        repair(entry, offset, link->problem);
    if (arena_full(list->scratch))
        repair(entry, offset, "a link has texts of more than 8 MiB: some were left out");
    link_add(entry, list->scratch, link);
}

static void add_stream(struct list *list, struct entry *entry, struct stream *stream)
{
    struct slice content;
    bool whole;
    size_t first;

    stream->told = true;
    if (compound_stream(&list->compound, stream->entry, &content, &whole, &first) < 0) {
        repair(entry, 0, error_text());
        return;
    }
    if (!whole)
        repair(entry, first, "the sectors of a link do not end where the link does");
    add_link(list, entry, content, first);
}

/* --- DestList --- */

static bool read_use(struct list *list, struct cursor *c, uint32_t version, struct use *use)
{
    *use = (struct use){.host = "", .path = ""};
    cursor_skip(c, 8); /* checksum */
    shell_droid_read(c, &use->droid);
    shell_droid_read(c, &use->birth);
    const struct slice host = cursor_take(c, HOST_SIZE);
    use->number = cursor_u32le(c);
    cursor_skip(c, 8);
    use->when = instant_from_filetime(cursor_u64le(c));
    use->pin = (int32_t)cursor_u32le(c);
    if (version > 1) {
        cursor_skip(c, 4);
        use->count = cursor_u32le(c);
        use->has_count = true;
        cursor_skip(c, 8);
    }
    const size_t units = cursor_u16le(c);
    const struct slice path = cursor_take(c, units * 2);
    if (version > 1)
        cursor_skip(c, 4);
    if (cursor_failed(c))
        return false;
    const char *text = utf16_to_text(list->scratch, path, true);
    use->path = text ? text : "";
    text = arena_text(list->scratch, slice_part(host, 0, slice_find(host, 0, 0)));
    use->host = text && utf8_valid(slice_of_text(text)) ? text : "";
    return true;
}

static void add_use(struct list *list, struct entry *entry, const struct use *use)
{
    char mac[MAC_TEXT];

    entry_time(entry, use->when);
    entry_add(entry, "EntryNumber", arena_format(list->scratch, "%" PRIu64, use->number));
    entry_add(entry, "ListedPath", use->path);
    entry_add(entry, "ListedHost", use->host);
    shell_droid_mac(&use->droid, mac);
    entry_add(entry, "ListedMac", arena_text(list->scratch, slice_of_text(mac)));
    entry_add(entry, "Pinned", use->pin >= 0 ? "true" : "false");
    if (use->has_count)
        entry_add(entry, "AccessCount", arena_format(list->scratch, "%" PRIu32, use->count));
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = ((const struct stream *)a)->number, y = ((const struct stream *)b)->number;

    return x < y ? -1 : x > y;
}

static struct stream *find_stream(struct list *list, uint64_t number)
{
    const struct stream key = {.number = number};

    if (!list->stream_count)
        return NULL;
    return bsearch(&key, list->streams, list->stream_count, sizeof key, by_number);
}

static void tell_use(struct list *list, const struct use *use)
{
    struct stream *stream = find_stream(list, use->number);
    struct entry entry;

    begin(list, &entry, "automatic");
    add_use(list, &entry, use);
    if (!stream)
        repair(&entry, 0, "an entry of the list has no link of its number");
    else if (!stream->told)
        add_stream(list, &entry, stream);
    /* The list says the same in short. */
    if (!event_value(&entry.event, "LinkTarget").data)
        entry_add(&entry, "LinkTarget", use->path);
    entry_emit(&entry);
}

static void tell_list(struct list *list, struct slice content)
{
    struct cursor c = cursor_over(content, 0);
    const uint32_t version = cursor_u32le(&c), count = cursor_u32le(&c);
    struct use use;

    if (content.size == 0)
        return;
    cursor_seek(&c, LIST_HEADER);
    for (uint32_t i = 0; i < count && !cursor_failed(&c) && cursor_left(&c); i++) {
        arena_reset(list->scratch);
        if (read_use(list, &c, version, &use))
            tell_use(list, &use);
    }
    if (cursor_failed(&c))
        job_notice(list->job, 0, "DestList is cut short: links it does not name have no time");
}

/* --- the compound file --- */

/* Streams of links are numbered in hexadecimal digits. */
static bool stream_number(const char *name, uint64_t *number)
{
    char *end;

    if (!*name || strlen(name) > 16 || strspn(name, "0123456789abcdefABCDEF") != strlen(name))
        return false;
    *number = strtoull(name, &end, 16);
    return true;
}

static int find_streams(struct list *list, const struct compound_entry **destinations)
{
    const struct compound *compound = &list->compound;

    *destinations = NULL;
    list->streams = arena_array(list->job->arena, compound->entry_count + 1, sizeof(struct stream));
    if (!list->streams)
        return -1;
    for (size_t i = 0; i < compound->entry_count; i++) {
        const struct compound_entry *entry = &compound->entries[i];
        uint64_t number;
        if (!entry->is_stream)
            continue;
        if (strcmp(entry->name, "DestList") == 0)
            *destinations = entry;
        else if (stream_number(entry->name, &number))
            list->streams[list->stream_count++] = (struct stream){number, entry, false};
    }
    qsort(list->streams, list->stream_count, sizeof(struct stream), by_number);
    return 0;
}

static void tell_destinations(struct list *list, const struct compound_entry *entry)
{
    struct slice content;
    bool whole;

    if (!entry)
        job_notice(list->job, 0, "there is no DestList: the links have no times");
    else if (compound_stream(&list->compound, entry, &content, &whole, NULL) < 0)
        job_notice(list->job, 0, error_text());
    else
        tell_list(list, content);
}

/* Links that the list does not name: left over, or the list is damaged. */
static void tell_others(struct list *list)
{
    struct entry entry;

    for (size_t i = 0; i < list->stream_count; i++) {
        if (list->streams[i].told)
            continue;
        arena_reset(list->scratch);
        begin(list, &entry, "automatic");
        entry_time(&entry, INSTANT_NONE);
        entry.event.marks |= EVENT_RECOVERED;
        entry_add(&entry, "EntryNumber",
                  arena_format(list->scratch, "%" PRIu64, list->streams[i].number));
        add_stream(list, &entry, &list->streams[i]);
        entry_emit(&entry);
    }
}

static int parse_automatic(struct list *list, struct slice content)
{
    const struct compound_entry *destinations;

    if (compound_open(content, list->job->arena, &list->compound) < 0 ||
        find_streams(list, &destinations) < 0) {
        entry_reject(list->job, KIND_jump_entry, content, error_text());
        return 0;
    }
    if (list->compound.problem)
        job_notice(list->job, 0, list->compound.problem);
    tell_destinations(list, destinations);
    tell_others(list);
    return 0;
}

/* --- the row of links --- */

static int parse_custom(struct list *list, struct slice content)
{
    size_t at = shell_link_find(content, 0);
    struct entry entry;

    if (at == SIZE_MAX && !slice_starts(content, "\x02")) {
        entry_reject(list->job, KIND_jump_entry, content, "it does not begin as a jump list does");
        return 0;
    }
    while (at != SIZE_MAX) {
        const size_t next = shell_link_find(content, at + SHELL_LINK_HEADER);
        arena_reset(list->scratch);
        begin(list, &entry, "custom");
        add_link(list, &entry, slice_part(content, at, next - at), at);
        entry_emit(&entry);
        at = next;
    }
    return 0;
}

/* --- */

static bool is_automatic(const char *path)
{
    return slice_ends_nocase(slice_of_text(path), ".automaticDestinations-ms");
}

static int parse(struct job *job)
{
    const char *name = entry_last_part(job->file->path);
    struct slice content;
    struct list list = {.job = job};

    if (entry_content(job, &content) < 0)
        return -1;
    list.id = arena_text(job->arena, slice_of(name, strcspn(name, ".")));
    list.profile = link_profile(job->arena, job->file->path);
    list.scratch = arena_new(SCRATCH_MOST);
    if (!list.id || !list.scratch) {
        arena_free(list.scratch);
        return error_set("memory is out");
    }
    const int result = is_automatic(job->file->path) ? parse_automatic(&list, content)
                                                     : parse_custom(&list, content);
    arena_free(list.scratch);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    return is_automatic(name) ? compound_begins(head)
                              : slice_ends_nocase(slice_of_text(name), ".customDestinations-ms");
}

#define DESTINATIONS "AppData/Roaming/Microsoft/Windows/Recent/*Destinations/*Destinations-ms"

static const char *const paths[] = {"Users/*/" DESTINATIONS,
                                    "{windows}/System32/config/systemprofile/" DESTINATIONS,
                                    "{windows}/SysWOW64/config/systemprofile/" DESTINATIONS,
                                    "{windows}/ServiceProfiles/*/" DESTINATIONS, NULL};
static const struct log_source sources[] = {{NULL, "windows", "jumplist"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_jump_list;
const struct artifact artifact_jump_list = {
    .name = "jump_list",
    .title = "Jump lists",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
