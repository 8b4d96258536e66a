#include "triage/findings/sightings.h"

#include "triage/base/address.h"
#include "triage/base/error.h"
#include "triage/findings/front_ends.h"
#include "triage/findings/web_paths.h"
#include "triage/formats/json_reader.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH = 4 << 20, FIRST_NAMES = 4096, OWN_ADDRESSES = 64 };

/* The values of an event that the verdict asks for. */
enum want {
    FORWARDED,
    CLIENT,
    C_IP,
    S_IP,
    PEER,
    STEM,
    TARGET,
    PROGRAM,
    COMMAND,
    REQUEST,
    QUERY,
    USER,
    STATUS,
    SIZE,
    SHA256,
    DELETED,
    WANT_COUNT
};

#define WANTED(name, want)                                                                         \
    {                                                                                              \
        name, sizeof name - 1, want                                                                \
    }

static const struct {
    const char *name;
    size_t size;
    enum want want;
} wanted[] = {
    WANTED("X-Forwarded-For", FORWARDED),
    WANTED("ClientIpAddress", CLIENT),
    WANTED("c-ip", C_IP),
    WANTED("s-ip", S_IP),
    WANTED("IpAddress", PEER),
    WANTED("SourceIp", PEER),
    WANTED("client-ip", PEER),
    WANTED("UrlStem", STEM),
    WANTED("cs-uri-stem", STEM),
    WANTED("TargetFilename", TARGET),
    WANTED("Image", PROGRAM),
    WANTED("NewProcessName", PROGRAM),
    WANTED("ImagePath", PROGRAM),
    WANTED("ProgramPath", PROGRAM),
    WANTED("CommandLine", COMMAND),
    WANTED("Parameters", COMMAND),
    WANTED("TargetObject", COMMAND),
    WANTED("RequestId", REQUEST),
    WANTED("cs-uri-query", QUERY),
    WANTED("AuthenticatedUser", USER),
    WANTED("cs-username", USER),
    WANTED("SubjectUserName", USER),
    WANTED("User", USER),
    WANTED("HttpStatus", STATUS),
    WANTED("sc-status", STATUS),
    WANTED("Size", SIZE),
    WANTED("SHA256", SHA256),
    WANTED("Deleted", DELETED),
};

struct loader {
    struct sightings *sightings;
    struct judgements *judgements;
    const struct web_paths *paths;
    struct arena *scratch;
    const char **names; /* hash table of the texts that are kept */
    size_t name_count, name_room;
    const char *own[OWN_ADDRESSES]; /* of the server, by its web logs */
    size_t own_count;
    struct buffer text;
};

/* --- each text once --- */

static uint64_t hash_of(struct slice text)
{
    uint64_t hash = 0xCBF29CE484222325;

    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ text.data[i]) * 0x100000001B3;
    return hash;
}

static size_t place_of(const struct loader *loader, struct slice text)
{
    size_t at = hash_of(text) & (loader->name_room - 1);

    while (loader->names[at] && !slice_is(text, loader->names[at]))
        at = (at + 1) & (loader->name_room - 1);
    return at;
}

static int grow_names(struct loader *loader)
{
    const char **old = loader->names;
    const size_t old_room = loader->name_room, room = old_room ? 2 * old_room : FIRST_NAMES;
    const char **grown = calloc(room, sizeof *grown);

    if (!grown)
        return error_set("out of memory");
    loader->names = grown;
    loader->name_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i])
            loader->names[place_of(loader, slice_of_text(old[i]))] = old[i];
    free(old);
    return 0;
}

/* The kept copy of a text; NULL for an empty one, and when memory is out. */
static const char *keep(struct loader *loader, struct slice text)
{
    if (!text.size || (2 * loader->name_count >= loader->name_room && grow_names(loader) < 0))
        return NULL;
    const size_t at = place_of(loader, text);
    if (!loader->names[at]) {
        loader->names[at] = arena_text(loader->sightings->arena, text);
        loader->name_count += loader->names[at] != NULL;
    }
    return loader->names[at];
}

/* Rows that follow one another mostly say the same of where they come from. */
static const char *keep_again(struct loader *loader, const char *before, const char *text)
{
    return before && strcmp(before, text) == 0 ? before : keep(loader, slice_of_text(text));
}

/* --- addresses --- */

static bool is_own(const struct loader *loader, const char *address)
{
    for (size_t i = 0; i < loader->own_count; i++)
        if (loader->own[i] == address)
            return true;
    return false;
}

static void note_own(struct loader *loader, struct slice value)
{
    char text[ADDRESS_TEXT_SIZE];
    bool is_private;

    if (loader->own_count == OWN_ADDRESSES || !address_read(value, text, &is_private))
        return;
    const char *address = keep(loader, slice_of_text(text));
    if (address && !is_own(loader, address))
        loader->own[loader->own_count++] = address;
}

/* A record that has the client's address from a proxy and who connected: that is the proxy, when it
 * is of the own network. */
static void set_through(struct loader *loader, struct sighting *sighting, struct slice connected)
{
    char address[ADDRESS_TEXT_SIZE];
    bool is_private;

    if (!address_read(connected, address, &is_private) || !is_private)
        return;
    const char *through = keep(loader, slice_of_text(address));
    if (through != sighting->actor)
        sighting->through = through;
}

/* What a proxy reported counts before what the server saw. The first address of a list is the
 * client's own word; it is the one that Exchange itself takes. */
static void set_actor(struct loader *loader, struct sighting *sighting,
                      const struct slice values[WANT_COUNT])
{
    static const enum want order[] = {FORWARDED, CLIENT, C_IP, PEER};
    char address[ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const struct slice value = values[order[i]];
        const struct slice first = slice_part(value, 0, slice_find(value, 0, ','));
        if (!address_read(first, address, &sighting->actor_private))
            continue;
        sighting->actor = keep(loader, slice_of_text(address));
        sighting->connected = order[i] == C_IP;
        if (order[i] == FORWARDED)
            set_through(loader, sighting, values[C_IP]);
        return;
    }
}

/* --- the other values --- */

/* What stands behind `mark` up to one of `ends`. */
static struct slice part_behind(struct slice text, const char *mark, const char *ends)
{
    const size_t at = slice_find_nocase(text, 0, slice_of_text(mark));
    const struct slice rest =
        at == SIZE_MAX ? slice_of(NULL, 0) : slice_from(text, at + strlen(mark));
    size_t size = 0;

    while (size < rest.size && !strchr(ends, rest.data[size]))
        size++;
    return slice_part(rest, 0, size);
}

static bool is_absent(struct slice text)
{
    return !text.size || slice_is(text, "-");
}

static void set_request(struct loader *loader, struct sighting *sighting,
                        const struct slice values[WANT_COUNT])
{
    enum { GUID = 36 };
    struct slice id = part_behind(values[QUERY], "cafeReqId=", ";&");

    if (id.size != GUID)
        id = values[REQUEST];
    if (id.size == GUID)
        sighting->request = keep(loader, id);
}

static const char *keep_lower(struct loader *loader, struct slice text)
{
    buffer_clear(&loader->text);
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        buffer_add_byte(&loader->text, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
    }
    return keep(loader, buffer_slice(&loader->text));
}

static void set_object(struct loader *loader, struct sighting *sighting,
                       const struct slice values[WANT_COUNT])
{
    const struct slice stem = values[STEM], target = values[TARGET];

    if (!is_absent(target)) {
        sighting->page = keep_lower(loader, target);
        sighting->object = keep(loader, target);
    } else if (!is_absent(stem)) {
        buffer_clear(&loader->text);
        if (slice_find(stem, 0, '.') != SIZE_MAX &&
            web_paths_file(loader->paths, sighting->path, stem, &loader->text))
            sighting->page = keep(loader, buffer_slice(&loader->text));
        sighting->object = keep(loader, stem);
    } else {
        const struct slice command = is_absent(values[COMMAND]) ? values[PROGRAM] : values[COMMAND];
        sighting->object = keep(loader, slice_part(command, 0, 400));
    }
}

static void set_numbers(struct sighting *sighting, const struct slice values[WANT_COUNT])
{
    uint64_t number;

    if (slice_to_u64(values[STATUS], &number) && number < 1000)
        sighting->status = (int)number;
    if (slice_to_u64(values[SIZE], &number) && number <= INT64_MAX)
        sighting->size = (int64_t)number;
    sighting->deleted = slice_is(values[DELETED], "true");
}

static void set_values(struct loader *loader, struct sighting *sighting, const char *fields)
{
    struct slice values[WANT_COUNT] = {{0}};
    struct json_value *root;

    arena_reset(loader->scratch);
    if (json_read(slice_of_text(fields), loader->scratch, &root) < 0)
        return;
    for (const struct json_value *at = root->first; at; at = at->next)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (at->name.size == wanted[i].size &&
                memcmp(at->name.data, wanted[i].name, wanted[i].size) == 0 &&
                is_absent(values[wanted[i].want]))
                values[wanted[i].want] = at->text;
    note_own(loader, values[S_IP]);
    set_actor(loader, sighting, values);
    set_request(loader, sighting, values);
    set_object(loader, sighting, values);
    set_numbers(sighting, values);
    if (!is_absent(values[USER]))
        sighting->user = keep(loader, values[USER]);
    if (values[SHA256].size == 64)
        sighting->sha256 = keep(loader, values[SHA256]);
}

static enum witness witness_of(const char *artifact)
{
    static const struct {
        const char *start;
        enum witness witness;
    } known[] = {
        {"iis_log", WITNESS_WEB_LOG},
        {"httperr", WITNESS_WEB_LOG},
        {"exchange_httpproxy", WITNESS_WEB_LOG},
        {"exchange_", WITNESS_EXCHANGE_LOG},
        {"eventlog", WITNESS_EVENT_LOG},
        {"registry_hive", WITNESS_REGISTRY},
        {"defender_", WITNESS_SCANNER},
        {"msert", WITNESS_SCANNER},
        {"web_root", WITNESS_FILE_SYSTEM},
        {"mft_times", WITNESS_FILE_SYSTEM},
        {"usn_", WITNESS_FILE_SYSTEM},
        {"i30_", WITNESS_FILE_SYSTEM},
        {"aspnet_compiled", WITNESS_FILE_SYSTEM},
        {"pe_file", WITNESS_FILE_SYSTEM},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(artifact, known[i].start, strlen(known[i].start)) == 0)
            return known[i].witness;
    return WITNESS_OTHER;
}

static struct sighting *next_sighting(struct sightings *sightings)
{
    if (sightings->count == sightings->room) {
        const size_t room = sightings->room ? 2 * sightings->room : 4096;
        struct sighting *grown = realloc(sightings->list, room * sizeof *grown);
        if (!grown)
            return NULL;
        sightings->list = grown;
        sightings->room = room;
    }
    struct sighting *sighting = &sightings->list[sightings->count++];
    *sighting = (struct sighting){.number = sightings->count, .size = -1};
    return sighting;
}

static int add(void *context, const struct case_indicator *row, const struct case_rule *rule)
{
    struct loader *loader = context;
    static const struct sighting none;
    struct sighting *sighting = next_sighting(loader->sightings);

    if (!sighting)
        return error_set("out of memory");
    const struct sighting *before = loader->sightings->count > 1 ? sighting - 1 : &none;
    sighting->dated = row->dated;
    sighting->loose_time = strcmp(row->timestamp_desc, "File modified") == 0;
    sighting->time = row->timestamp;
    sighting->level = (int)row->level;
    sighting->rule = keep_again(loader, before->rule, rule->name);
    sighting->judgement = sighting->rule && sighting->rule == before->rule
                              ? before->judgement
                              : judgement_of(loader->judgements, rule->name, rule->tags);
    sighting->title = keep_again(loader, before->title, rule->title);
    sighting->confidence = keep_again(loader, before->confidence, rule->confidence);
    sighting->artifact = keep_again(loader, before->artifact, row->artifact);
    sighting->path = keep_again(loader, before->path, row->path);
    sighting->offset = row->offset;
    if (!sighting->judgement || !sighting->rule || !sighting->artifact || !sighting->path)
        return error_set("out of memory");
    sighting->witness = witness_of(sighting->artifact);
    set_values(loader, sighting, row->fields);
    sighting->deleted |= strstr(row->marks, "recovered") != NULL;
    return 0;
}

/* A record that has the server's own address says nothing of who was there. */
static void drop_own_addresses(const struct loader *loader)
{
    for (size_t i = 0; i < loader->sightings->count; i++) {
        struct sighting *sighting = &loader->sightings->list[i];
        if (sighting->actor && is_own(loader, sighting->actor))
            sighting->actor = NULL;
        if (sighting->through && is_own(loader, sighting->through))
            sighting->through = NULL;
    }
}

/* --- mailboxes whose export only wrote a page --- */

struct moment {
    int64_t time;
    const char *path; /* kept once, so its address says which it is */
};

static int by_moment(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return ((uintptr_t)x->path > (uintptr_t)y->path) - ((uintptr_t)x->path < (uintptr_t)y->path);
}

static bool is_export(const struct sighting *sighting)
{
    return strcmp(sighting->rule, "MB-01") == 0;
}

/* The moments of PS-09 are sorted: any number of sightings may fall into one second. */
static int mark_planters(struct sightings *sightings)
{
    struct moment *moments = calloc(sightings->count + 1, sizeof *moments);
    size_t count = 0;

    if (!moments)
        return error_set("out of memory");
    for (size_t i = 0; i < sightings->count; i++)
        if (strcmp(sightings->list[i].rule, "PS-09") == 0)
            moments[count++] = (struct moment){sightings->list[i].time, sightings->list[i].path};
    qsort(moments, count, sizeof *moments, by_moment);
    for (size_t i = 0; i < sightings->count; i++) {
        struct sighting *sighting = &sightings->list[i];
        const struct moment own = {sighting->time, sighting->path};
        sighting->plants_page = is_export(sighting) &&
                                bsearch(&own, moments, count, sizeof *moments, by_moment) != NULL;
    }
    free(moments);
    return 0;
}

int sightings_load(struct case_file *file, struct judgements *judgements, struct slice host,
                   struct arena *arena, struct sightings *sightings)
{
    *sightings = (struct sightings){.arena = arena};
    struct loader loader = {
        .sightings = sightings,
        .judgements = judgements,
        .paths = web_paths_new(host, arena),
        .scratch = arena_new(SCRATCH),
    };
    int result = loader.paths && loader.scratch ? 0 : error_set("out of memory");

    if (result == 0)
        result = case_each_indicator(file, true, add, &loader);
    if (result == 0)
        result = case_each_indicator(file, false, add, &loader);
    if (result == 0)
        result = mark_planters(sightings);
    drop_own_addresses(&loader);
    if (result == 0)
        result = front_ends_resolve(sightings);
    free(loader.names);
    arena_free(loader.scratch);
    buffer_release(&loader.text);
    return result;
}
