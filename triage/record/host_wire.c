/* The host from process to process: what goes there is said once, for both ways. */
#include "triage/base/error.h"
#include "triage/record/host.h"
#include "triage/record/wire.h"

#include <string.h>

/* One way: to `out`, or from `in` with texts and lists in the arena. */
struct transfer {
    struct buffer *out;
    struct cursor *in;
    struct arena *arena;
};

static bool goes_on(const struct transfer *transfer)
{
    return transfer->out || !cursor_failed(transfer->in);
}

/* What was read must be so; what is written is. */
static void demand(struct transfer *transfer, bool holds)
{
    if (transfer->in && !holds)
        transfer->in->failed = true;
}

static void carry_u8(struct transfer *transfer, uint8_t *value)
{
    if (transfer->out)
        wire_put_u8(transfer->out, *value);
    else
        *value = wire_get_u8(transfer->in);
}

static void carry_bool(struct transfer *transfer, bool *value)
{
    if (transfer->out)
        wire_put_u8(transfer->out, *value);
    else
        *value = wire_get_u8(transfer->in) != 0;
}

static void carry_u32(struct transfer *transfer, uint32_t *value)
{
    if (transfer->out)
        wire_put_u32(transfer->out, *value);
    else
        *value = wire_get_u32(transfer->in);
}

static void carry_text(struct transfer *transfer, const char **text)
{
    if (transfer->out)
        wire_put_text(transfer->out, *text);
    else
        *text = wire_get_text(transfer->in, transfer->arena);
}

static void carry_needed_text(struct transfer *transfer, const char **text)
{
    carry_text(transfer, text);
    demand(transfer, *text);
}

/* Room for the elements that follow; `size_least`: bytes that one needs at least, so that a false
 * count fails here. */
static void *get_array(struct cursor *in, struct arena *arena, size_t size_least, size_t size,
                       size_t *count)
{
    const uint32_t recorded = wire_get_u32(in);

    if (cursor_failed(in) || recorded > cursor_left(in) / size_least) {
        in->failed = true;
        return NULL;
    }
    void *array = arena_array(arena, recorded, size);
    if (array)
        *count = recorded;
    else
        in->failed = true;
    return array;
}

/* Gives the list, which is a new one when it is read. */
static void *carry_list(struct transfer *transfer, void *list, size_t *count, size_t size,
                        size_t size_least, void (*carry)(struct transfer *transfer, void *element))
{
    if (transfer->out)
        wire_put_u32(transfer->out, (uint32_t)*count);
    else
        list = get_array(transfer->in, transfer->arena, size_least, size, count);
    for (size_t i = 0; i < *count && goes_on(transfer); i++)
        carry(transfer, (char *)list + i * size);
    return list;
}

static void carry_element_text(struct transfer *transfer, void *element)
{
    carry_needed_text(transfer, element);
}

static void carry_fact(struct transfer *transfer, struct fact *fact)
{
    carry_text(transfer, &fact->value);
    carry_text(transfer, &fact->source);
    carry_bool(transfer, &fact->assumed);
}

static void carry_named_fact(struct transfer *transfer, void *element)
{
    struct named_fact *named = element;

    carry_text(transfer, &named->name);
    carry_fact(transfer, &named->fact);
}

/* --- the time zone --- */

static void carry_signed(struct transfer *transfer, int *value)
{
    uint32_t bits = (uint32_t)*value;

    carry_u32(transfer, &bits);
    *value = (int32_t)bits;
}

static void carry_pair(struct transfer *transfer, uint16_t *high, uint16_t *low)
{
    uint32_t both = (uint32_t)*high << 16 | *low;

    carry_u32(transfer, &both);
    *high = (uint16_t)(both >> 16);
    *low = (uint16_t)both;
}

/* Months and days are used to compute with: month 0 means that there is no change. */
static void carry_change(struct transfer *transfer, struct zone_change *change)
{
    carry_pair(transfer, &change->year, &change->month);
    carry_pair(transfer, &change->weekday, &change->day);
    carry_pair(transfer, &change->hour, &change->minute);
    demand(transfer, change->month <= 12 && change->weekday <= 6 && change->hour <= 23 &&
                         change->minute <= 59 &&
                         (!change->month || (change->day >= 1 && change->day <= 31)));
}

static void carry_zone(struct transfer *transfer, struct zone *zone)
{
    const char *name = zone->name;
    uint32_t count = (uint32_t)zone->year_count;

    carry_text(transfer, &name);
    carry_u32(transfer, &count);
    demand(transfer, name && strlen(name) < ZONE_NAME_SIZE && count <= ZONE_YEARS);
    if (!goes_on(transfer))
        return;
    if (transfer->in)
        memcpy(zone->name, name, strlen(name) + 1);
    zone->year_count = count;
    for (size_t i = 0; i < count; i++) {
        struct zone_year *year = &zone->years[i];
        carry_signed(transfer, &year->year);
        carry_signed(transfer, &year->bias);
        carry_signed(transfer, &year->standard_bias);
        carry_signed(transfer, &year->daylight_bias);
        carry_change(transfer, &year->to_standard);
        carry_change(transfer, &year->to_daylight);
    }
}

/* --- drives, places, sites --- */

static void carry_drive(struct transfer *transfer, void *element)
{
    struct drive *drive = element;
    uint8_t letter = (uint8_t)drive->letter;

    carry_u8(transfer, &letter);
    demand(transfer, letter >= 'A' && letter <= 'Z');
    if (transfer->in)
        drive->letter = (char)letter;
    carry_u32(transfer, &drive->volume);
    carry_fact(transfer, &drive->why);
}

static void carry_place(struct transfer *transfer, void *element)
{
    struct place *place = element;

    carry_needed_text(transfer, &place->name);
    carry_u32(transfer, &place->volume);
    carry_needed_text(transfer, &place->path);
    carry_fact(transfer, &place->why);
}

static void carry_binding(struct transfer *transfer, void *element)
{
    struct binding *binding = element;

    carry_text(transfer, &binding->protocol);
    carry_text(transfer, &binding->information);
}

static void carry_directory(struct transfer *transfer, void *element)
{
    struct virtual_directory *directory = element;

    carry_text(transfer, &directory->application);
    carry_text(transfer, &directory->path);
    carry_text(transfer, &directory->physical_path);
    carry_fact(transfer, &directory->why);
}

static void carry_site(struct transfer *transfer, void *element)
{
    struct site *site = element;

    carry_u32(transfer, &site->id);
    carry_text(transfer, &site->name);
    site->bindings = carry_list(transfer, site->bindings, &site->binding_count,
                                sizeof *site->bindings, 8, carry_binding);
    site->directories = carry_list(transfer, site->directories, &site->directory_count,
                                   sizeof *site->directories, 21, carry_directory);
    carry_fact(transfer, &site->log_folder);
    carry_fact(transfer, &site->log_format);
    carry_fact(transfer, &site->log_fields);
    carry_fact(transfer, &site->log_period);
    carry_fact(transfer, &site->log_enabled);
    carry_bool(transfer, &site->local_time_rollover);
    site->custom_fields = carry_list(transfer, site->custom_fields, &site->custom_field_count,
                                     sizeof *site->custom_fields, 4, carry_element_text);
}

static void carry_host(struct transfer *transfer, struct host *host)
{
    struct fact *const facts[] = {
        &host->computer,         &host->domain,         &host->windows_version,
        &host->windows_build,    &host->windows_root,   &host->control_set,
        &host->zone_name,        &host->exchange_path,  &host->exchange_family,
        &host->exchange_version, &host->exchange_build, &host->central_log,
    };

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        carry_fact(transfer, facts[i]);
    carry_zone(transfer, &host->zone);
    host->roles = carry_list(transfer, host->roles, &host->role_count, sizeof *host->roles, 13,
                             carry_named_fact);
    host->more = carry_list(transfer, host->more, &host->more_count, sizeof *host->more, 13,
                            carry_named_fact);
    host->drives = carry_list(transfer, host->drives, &host->drive_count, sizeof *host->drives, 14,
                              carry_drive);
    host->places = carry_list(transfer, host->places, &host->place_count, sizeof *host->places, 21,
                              carry_place);
    host->sites =
        carry_list(transfer, host->sites, &host->site_count, sizeof *host->sites, 66, carry_site);
    host->notices = carry_list(transfer, host->notices, &host->notice_count, sizeof *host->notices,
                               4, carry_element_text);
}

void host_put(struct buffer *out, const struct host *host)
{
    struct transfer transfer = {.out = out};
    struct host copy = *host;

    carry_host(&transfer, &copy);
}

int host_get(struct cursor *in, struct arena *arena, struct host *host)
{
    struct transfer transfer = {.in = in, .arena = arena};
    struct host read = {0};

    carry_host(&transfer, &read);
    if (cursor_failed(in))
        return error_set("the description of the host is malformed or cut short");
    *host = read;
    return 0;
}
