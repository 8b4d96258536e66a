#include "triage/findings/protection.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/formats/json_reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SCRATCH = 1 << 20, MOST_PLACES = 64 };

const char *protection_name(int state)
{
    static const char *const names[] = {"unknown", "off", "partly", "on"};

    return names[state];
}

struct directory {
    const char *name; /* "Default Web Site/owa" */
    enum { OFF, ALLOWED, REQUIRED } asks;
};

struct looking {
    struct arena *arena, *scratch;
    struct protection *protection;
    struct directory list[MOST_PLACES];
    size_t count;
};

/* Virtual directories that Microsoft's script sets to Allow or Require, in the front end and the
 * back end; autodiscover is left out by it, and so is PowerShell of the front end. Source:
 * "Configure Windows Extended Protection in Exchange Server" in Microsoft's documentation. */
static bool is_to_be_protected(const char *location)
{
    static const char *const names[] = {"api", "ecp", "ews", "mapi", "microsoft-server-activesync",
                                        "oab", "owa", "rpc"};
    const char *slash = strchr(location, '/');

    for (size_t i = 0; slash && i < sizeof names / sizeof *names; i++)
        if (strcasecmp(slash + 1, names[i]) == 0)
            return strncasecmp(location, "Default Web Site/", 17) == 0 ||
                   strncasecmp(location, "Exchange Back End/", 18) == 0;
    return false;
}

static const char *member(const struct json_value *fields, const char *name)
{
    const struct json_value *value = json_member(fields, name);

    return value && value->type == JSON_STRING ? (const char *)value->text.data : "";
}

/* What is said last of a place counts, as in the configuration itself. */
static int note(struct looking *looking, const char *location, const char *checking)
{
    size_t at = 0;

    while (at < looking->count && strcasecmp(looking->list[at].name, location) != 0)
        at++;
    if (at == MOST_PLACES)
        return 0;
    if (at == looking->count) {
        looking->list[at].name = arena_text(looking->arena, slice_of_text(location));
        if (!looking->list[at].name)
            return -1;
        looking->count++;
    }
    looking->list[at].asks = strcasecmp(checking, "Require") == 0 ? REQUIRED
                             : strcasecmp(checking, "Allow") == 0 ? ALLOWED
                                                                  : OFF;
    return 0;
}

static int take_fact(void *context, const struct case_fact *fact)
{
    struct looking *looking = context;
    struct json_value *fields;

    if (strcmp(fact->kind, "iis.protection") != 0 || fact->snapshot != 0)
        return 0;
    arena_reset(looking->scratch);
    if (json_read(slice_of_text(fact->fields), looking->scratch, &fields) < 0 ||
        !is_to_be_protected(member(fields, "Location")) ||
        strcasecmp(member(fields, "Enabled"), "false") == 0)
        return 0;
    if (!looking->protection->source)
        looking->protection->source = arena_text(looking->arena, slice_of_text(fact->path));
    return note(looking, member(fields, "Location"), member(fields, "TokenChecking"));
}

static int by_name(const void *a, const void *b)
{
    return strcasecmp(((const struct directory *)a)->name, ((const struct directory *)b)->name);
}

static const char *list_open(const struct looking *looking)
{
    struct buffer text = BUFFER_EMPTY;

    for (size_t i = 0; i < looking->count; i++)
        if (looking->list[i].asks == OFF)
            buffer_format(&text, "%s%s", text.size ? ", " : "", looking->list[i].name);
    const char *kept = text.size ? arena_text(looking->arena, buffer_slice(&text)) : NULL;
    buffer_release(&text);
    return kept;
}

static int judge(struct looking *looking)
{
    struct protection *protection = looking->protection;
    const size_t all = looking->count;

    for (size_t i = 0; i < all; i++) {
        protection->required += looking->list[i].asks == REQUIRED;
        protection->allowed += looking->list[i].asks == ALLOWED;
        protection->off += looking->list[i].asks == OFF;
    }
    protection->open = list_open(looking);
    if (!all) {
        protection->state = PROTECTION_UNKNOWN;
        protection->why = "no configuration that was read says whether Extended Protection is on";
    } else if (!protection->off) {
        protection->state = PROTECTION_ON;
        protection->why = arena_format(looking->arena,
                                       "Extended Protection is on: required in %zu, allowed in %zu "
                                       "virtual directories",
                                       protection->required, protection->allowed);
    } else {
        protection->state = protection->off == all ? PROTECTION_OFF : PROTECTION_PARTLY;
        protection->why =
            arena_format(looking->arena,
                         "Extended Protection is off in %zu of %zu virtual "
                         "directories: %s",
                         protection->off, all, protection->open ? protection->open : "");
    }
    return protection->why ? 0 : -1;
}

int protection_make(struct case_file *file, struct arena *arena, struct protection *protection)
{
    struct looking *looking = calloc(1, sizeof *looking);
    int result = -1;

    if (!looking)
        return error_set("out of memory");
    *protection = (struct protection){0};
    looking->arena = arena;
    looking->scratch = arena_new(SCRATCH);
    looking->protection = protection;
    if (looking->scratch)
        result = case_each_fact(file, take_fact, looking);
    if (result == 0 && looking->count)
        qsort(looking->list, looking->count, sizeof *looking->list, by_name);
    if (result == 0)
        result = judge(looking);
    arena_free(looking->scratch);
    free(looking);
    return result;
}
