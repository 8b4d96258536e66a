#include "triage/record/host.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <string.h>

enum { EXPANSIONS_MOST = 64, EXPANDED_SIZE_MOST = 32 * 1024, YEAR_SIZE_LEAST = 40 };

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

/* Process to process */

static void put_fact(struct buffer *out, const struct fact *fact)
{
    wire_put_text(out, fact->value);
    wire_put_text(out, fact->source);
    wire_put_u8(out, fact->assumed);
}

static void get_fact(struct cursor *in, struct arena *arena, struct fact *fact)
{
    fact->value = wire_get_text(in, arena);
    fact->source = wire_get_text(in, arena);
    fact->assumed = wire_get_u8(in) != 0;
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

static void put_named_facts(struct buffer *out, const struct named_fact *facts, size_t count)
{
    wire_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_text(out, facts[i].name);
        put_fact(out, &facts[i].fact);
    }
}

static struct named_fact *get_named_facts(struct cursor *in, struct arena *arena, size_t *count)
{
    struct named_fact *facts = get_array(in, arena, 13, sizeof *facts, count);

    for (size_t i = 0; i < *count && !cursor_failed(in); i++) {
        facts[i].name = wire_get_text(in, arena);
        get_fact(in, arena, &facts[i].fact);
    }
    return facts;
}

static void put_texts(struct buffer *out, const char *const *texts, size_t count)
{
    wire_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        wire_put_text(out, texts[i]);
}

static const char **get_texts(struct cursor *in, struct arena *arena, size_t *count)
{
    const char **texts = get_array(in, arena, 4, sizeof *texts, count);

    for (size_t i = 0; i < *count && !cursor_failed(in); i++)
        if (!(texts[i] = wire_get_text(in, arena)))
            in->failed = true;
    return texts;
}

static void put_change(struct buffer *out, const struct zone_change *change)
{
    wire_put_u32(out, (uint32_t)change->year << 16 | change->month);
    wire_put_u32(out, (uint32_t)change->weekday << 16 | change->day);
    wire_put_u32(out, (uint32_t)change->hour << 16 | change->minute);
}

static void get_change(struct cursor *in, struct zone_change *change)
{
    const uint32_t year = wire_get_u32(in), day = wire_get_u32(in), hour = wire_get_u32(in);

    *change = (struct zone_change){
        .year = (uint16_t)(year >> 16),
        .month = (uint16_t)year,
        .weekday = (uint16_t)(day >> 16),
        .day = (uint16_t)day,
        .hour = (uint16_t)(hour >> 16),
        .minute = (uint16_t)hour,
    };
    /* What is used to compute with: month 0 means that there is no change. */
    if (change->month > 12 || change->weekday > 6 || change->hour > 23 || change->minute > 59 ||
        (change->month && (change->day < 1 || change->day > 31)))
        in->failed = true;
}

static void put_zone(struct buffer *out, const struct zone *zone)
{
    wire_put_text(out, zone->name);
    wire_put_u32(out, (uint32_t)zone->year_count);
    for (size_t i = 0; i < zone->year_count; i++) {
        const struct zone_year *year = &zone->years[i];
        wire_put_u32(out, (uint32_t)year->year);
        wire_put_u32(out, (uint32_t)year->bias);
        wire_put_u32(out, (uint32_t)year->standard_bias);
        wire_put_u32(out, (uint32_t)year->daylight_bias);
        put_change(out, &year->to_standard);
        put_change(out, &year->to_daylight);
    }
}

static void get_zone(struct cursor *in, struct arena *arena, struct zone *zone)
{
    const char *name = wire_get_text(in, arena);
    const uint32_t count = wire_get_u32(in);

    if (cursor_failed(in) || !name || strlen(name) >= ZONE_NAME_SIZE || count > ZONE_YEARS ||
        count > cursor_left(in) / YEAR_SIZE_LEAST) {
        in->failed = true;
        return;
    }
    memcpy(zone->name, name, strlen(name) + 1);
    zone->year_count = count;
    for (size_t i = 0; i < count; i++) {
        struct zone_year *year = &zone->years[i];
        year->year = (int)wire_get_u32(in);
        year->bias = (int32_t)wire_get_u32(in);
        year->standard_bias = (int32_t)wire_get_u32(in);
        year->daylight_bias = (int32_t)wire_get_u32(in);
        get_change(in, &year->to_standard);
        get_change(in, &year->to_daylight);
    }
}

static void put_drives(struct buffer *out, const struct host *host)
{
    wire_put_u32(out, (uint32_t)host->drive_count);
    for (size_t i = 0; i < host->drive_count; i++) {
        wire_put_u8(out, (uint8_t)host->drives[i].letter);
        wire_put_u32(out, host->drives[i].volume);
        put_fact(out, &host->drives[i].why);
    }
}

static void get_drives(struct cursor *in, struct arena *arena, struct host *host)
{
    host->drives = get_array(in, arena, 14, sizeof *host->drives, &host->drive_count);
    for (size_t i = 0; i < host->drive_count && !cursor_failed(in); i++) {
        struct drive *drive = &host->drives[i];
        drive->letter = (char)wire_get_u8(in);
        drive->volume = wire_get_u32(in);
        get_fact(in, arena, &drive->why);
        if (drive->letter < 'A' || drive->letter > 'Z')
            in->failed = true;
    }
}

static void put_places(struct buffer *out, const struct host *host)
{
    wire_put_u32(out, (uint32_t)host->place_count);
    for (size_t i = 0; i < host->place_count; i++) {
        wire_put_text(out, host->places[i].name);
        wire_put_u32(out, host->places[i].volume);
        wire_put_text(out, host->places[i].path);
        put_fact(out, &host->places[i].why);
    }
}

static void get_places(struct cursor *in, struct arena *arena, struct host *host)
{
    host->places = get_array(in, arena, 21, sizeof *host->places, &host->place_count);
    for (size_t i = 0; i < host->place_count && !cursor_failed(in); i++) {
        struct place *place = &host->places[i];
        place->name = wire_get_text(in, arena);
        place->volume = wire_get_u32(in);
        place->path = wire_get_text(in, arena);
        get_fact(in, arena, &place->why);
        if (!place->name || !place->path)
            in->failed = true;
    }
}

static void put_bindings(struct buffer *out, const struct site *site)
{
    wire_put_u32(out, (uint32_t)site->binding_count);
    for (size_t i = 0; i < site->binding_count; i++) {
        wire_put_text(out, site->bindings[i].protocol);
        wire_put_text(out, site->bindings[i].information);
    }
}

static void get_bindings(struct cursor *in, struct arena *arena, struct site *site)
{
    site->bindings = get_array(in, arena, 8, sizeof *site->bindings, &site->binding_count);
    for (size_t i = 0; i < site->binding_count && !cursor_failed(in); i++) {
        site->bindings[i].protocol = wire_get_text(in, arena);
        site->bindings[i].information = wire_get_text(in, arena);
    }
}

static void put_directories(struct buffer *out, const struct site *site)
{
    wire_put_u32(out, (uint32_t)site->directory_count);
    for (size_t i = 0; i < site->directory_count; i++) {
        const struct virtual_directory *directory = &site->directories[i];
        wire_put_text(out, directory->application);
        wire_put_text(out, directory->path);
        wire_put_text(out, directory->physical_path);
        put_fact(out, &directory->why);
    }
}

static void get_directories(struct cursor *in, struct arena *arena, struct site *site)
{
    site->directories = get_array(in, arena, 21, sizeof *site->directories, &site->directory_count);
    for (size_t i = 0; i < site->directory_count && !cursor_failed(in); i++) {
        struct virtual_directory *directory = &site->directories[i];
        directory->application = wire_get_text(in, arena);
        directory->path = wire_get_text(in, arena);
        directory->physical_path = wire_get_text(in, arena);
        get_fact(in, arena, &directory->why);
    }
}

static void put_site(struct buffer *out, const struct site *site)
{
    wire_put_u32(out, site->id);
    wire_put_text(out, site->name);
    put_bindings(out, site);
    put_directories(out, site);
    put_fact(out, &site->log_folder);
    put_fact(out, &site->log_format);
    put_fact(out, &site->log_fields);
    put_fact(out, &site->log_period);
    put_fact(out, &site->log_enabled);
    wire_put_u8(out, site->local_time_rollover);
    put_texts(out, site->custom_fields, site->custom_field_count);
}

static void get_site(struct cursor *in, struct arena *arena, struct site *site)
{
    site->id = wire_get_u32(in);
    site->name = wire_get_text(in, arena);
    get_bindings(in, arena, site);
    get_directories(in, arena, site);
    get_fact(in, arena, &site->log_folder);
    get_fact(in, arena, &site->log_format);
    get_fact(in, arena, &site->log_fields);
    get_fact(in, arena, &site->log_period);
    get_fact(in, arena, &site->log_enabled);
    site->local_time_rollover = wire_get_u8(in) != 0;
    site->custom_fields = get_texts(in, arena, &site->custom_field_count);
}

static void put_sites(struct buffer *out, const struct host *host)
{
    wire_put_u32(out, (uint32_t)host->site_count);
    for (size_t i = 0; i < host->site_count; i++)
        put_site(out, &host->sites[i]);
}

static void get_sites(struct cursor *in, struct arena *arena, struct host *host)
{
    host->sites = get_array(in, arena, 66, sizeof *host->sites, &host->site_count);
    for (size_t i = 0; i < host->site_count && !cursor_failed(in); i++)
        get_site(in, arena, &host->sites[i]);
}

/* The single facts in the order in which they travel; `index` past the last gives NULL. */
static struct fact *single_fact(struct host *host, size_t index)
{
    struct fact *const facts[] = {
        &host->computer,         &host->domain,         &host->windows_version,
        &host->windows_build,    &host->windows_root,   &host->control_set,
        &host->zone_name,        &host->exchange_path,  &host->exchange_family,
        &host->exchange_version, &host->exchange_build, &host->central_log,
    };

    return index < sizeof facts / sizeof facts[0] ? facts[index] : NULL;
}

void host_put(struct buffer *out, const struct host *host)
{
    struct host copy = *host;
    const struct fact *fact;

    for (size_t i = 0; (fact = single_fact(&copy, i)); i++)
        put_fact(out, fact);
    put_zone(out, &host->zone);
    put_named_facts(out, host->roles, host->role_count);
    put_named_facts(out, host->more, host->more_count);
    put_drives(out, host);
    put_places(out, host);
    put_sites(out, host);
    put_texts(out, host->notices, host->notice_count);
}

int host_get(struct cursor *in, struct arena *arena, struct host *host)
{
    struct host read = {0};
    struct fact *fact;

    for (size_t i = 0; (fact = single_fact(&read, i)); i++)
        get_fact(in, arena, fact);
    get_zone(in, arena, &read.zone);
    read.roles = get_named_facts(in, arena, &read.role_count);
    read.more = get_named_facts(in, arena, &read.more_count);
    get_drives(in, arena, &read);
    get_places(in, arena, &read);
    get_sites(in, arena, &read);
    read.notices = get_texts(in, arena, &read.notice_count);
    if (cursor_failed(in))
        return error_set("the description of the host is malformed or cut short");
    *host = read;
    return 0;
}

/* host.json */

static void fact_members(struct json *json, const struct fact *fact)
{
    json_pair(json, "value", fact->value);
    json_pair(json, "source", fact->source);
    json_pair_bool(json, "assumed", fact->assumed);
}

static void pair_fact(struct json *json, const char *key, const struct fact *fact)
{
    json_key(json, key);
    json_object(json);
    fact_members(json, fact);
    json_object_end(json);
}

static void pair_named_facts(struct json *json, const char *key, const struct named_fact *facts,
                             size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++) {
        json_object(json);
        json_pair(json, "name", facts[i].name);
        fact_members(json, &facts[i].fact);
        json_object_end(json);
    }
    json_array_end(json);
}

/* "month 3, last Sunday, 02:00"; null when there is no change. */
static void pair_change(struct json *json, const char *key, const struct zone_change *change)
{
    static const char *const ordinals[] = {"", "first", "second", "third", "fourth", "last"};
    struct buffer text = BUFFER_EMPTY;

    if (change->month == 0 || change->weekday > 6) {
        json_pair(json, key, NULL);
        return;
    }
    if (change->year)
        buffer_format(&text, "%04u-%02u-%02u", change->year, change->month, change->day);
    else
        buffer_format(&text, "month %u, %s %s", change->month,
                      ordinals[change->day < 5 ? change->day : 5], weekdays[change->weekday]);
    buffer_format(&text, ", %02u:%02u", change->hour, change->minute);
    json_pair(json, key, buffer_text(&text));
    buffer_release(&text);
}

static void zone_json(const struct host *host, struct json *json)
{
    json_key(json, "time_zone");
    json_object(json);
    fact_members(json, &host->zone_name);
    json_key(json, "rules");
    json_array(json);
    for (size_t i = 0; i < host->zone.year_count; i++) {
        const struct zone_year *year = &host->zone.years[i];
        json_object(json);
        json_pair_integer(json, "from_year", year->year);
        json_pair_integer(json, "bias_minutes", year->bias);
        json_pair_integer(json, "standard_bias_minutes", year->standard_bias);
        json_pair_integer(json, "daylight_bias_minutes", year->daylight_bias);
        pair_change(json, "to_daylight", &year->to_daylight);
        pair_change(json, "to_standard", &year->to_standard);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

static void drives_json(const struct host *host, struct json *json)
{
    json_key(json, "drives");
    json_array(json);
    for (size_t i = 0; i < host->drive_count; i++) {
        const char letter[] = {host->drives[i].letter, ':', 0};
        json_object(json);
        json_pair(json, "letter", letter);
        json_pair_unsigned(json, "volume", host->drives[i].volume);
        fact_members(json, &host->drives[i].why);
        json_object_end(json);
    }
    json_array_end(json);
}

static void places_json(const struct host *host, struct json *json)
{
    json_key(json, "places");
    json_array(json);
    for (size_t i = 0; i < host->place_count; i++) {
        const struct place *place = &host->places[i];
        json_object(json);
        json_pair(json, "name", place->name);
        json_pair_unsigned(json, "volume", place->volume);
        json_pair(json, "path", place->path);
        fact_members(json, &place->why);
        json_object_end(json);
    }
    json_array_end(json);
}

static void exchange_json(const struct host *host, struct json *json)
{
    json_key(json, "exchange");
    json_object(json);
    pair_fact(json, "path", &host->exchange_path);
    pair_fact(json, "family", &host->exchange_family);
    pair_fact(json, "version", &host->exchange_version);
    pair_fact(json, "build", &host->exchange_build);
    pair_named_facts(json, "roles", host->roles, host->role_count);
    json_object_end(json);
}

static void texts_json(struct json *json, const char *key, const char *const *texts, size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++)
        json_text(json, texts[i]);
    json_array_end(json);
}

static void bindings_json(const struct site *site, struct json *json)
{
    json_key(json, "bindings");
    json_array(json);
    for (size_t i = 0; i < site->binding_count; i++) {
        json_object(json);
        json_pair(json, "protocol", site->bindings[i].protocol);
        json_pair(json, "information", site->bindings[i].information);
        json_object_end(json);
    }
    json_array_end(json);
}

static void directories_json(const struct site *site, struct json *json)
{
    json_key(json, "virtual_directories");
    json_array(json);
    for (size_t i = 0; i < site->directory_count; i++) {
        const struct virtual_directory *directory = &site->directories[i];
        json_object(json);
        json_pair(json, "application", directory->application);
        json_pair(json, "path", directory->path);
        json_pair(json, "physical_path", directory->physical_path);
        fact_members(json, &directory->why);
        json_object_end(json);
    }
    json_array_end(json);
}

static void site_json(const struct site *site, struct json *json)
{
    json_object(json);
    json_pair_unsigned(json, "id", site->id);
    json_pair(json, "name", site->name);
    bindings_json(site, json);
    directories_json(site, json);
    pair_fact(json, "log_folder", &site->log_folder);
    pair_fact(json, "log_format", &site->log_format);
    pair_fact(json, "log_fields", &site->log_fields);
    pair_fact(json, "log_period", &site->log_period);
    pair_fact(json, "log_enabled", &site->log_enabled);
    json_pair_bool(json, "local_time_rollover", site->local_time_rollover);
    texts_json(json, "custom_fields", site->custom_fields, site->custom_field_count);
    json_object_end(json);
}

static void iis_json(const struct host *host, struct json *json)
{
    json_key(json, "iis");
    json_object(json);
    pair_fact(json, "central_log", &host->central_log);
    json_key(json, "sites");
    json_array(json);
    for (size_t i = 0; i < host->site_count; i++)
        site_json(&host->sites[i], json);
    json_array_end(json);
    json_object_end(json);
}

void host_json(const struct host *host, struct json *json)
{
    pair_fact(json, "computer", &host->computer);
    pair_fact(json, "domain", &host->domain);
    json_key(json, "windows");
    json_object(json);
    pair_fact(json, "version", &host->windows_version);
    pair_fact(json, "build", &host->windows_build);
    pair_fact(json, "root", &host->windows_root);
    json_object_end(json);
    zone_json(host, json);
    pair_fact(json, "control_set", &host->control_set);
    drives_json(host, json);
    exchange_json(host, json);
    iis_json(host, json);
    places_json(host, json);
    pair_named_facts(json, "more", host->more, host->more_count);
    texts_json(json, "notices", host->notices, host->notice_count);
}

/* Paths */

/* The value of the variable whose name with its percent signs is `name`; NULL when it is not known.
 */
static const char *variable(const struct host *host, struct slice name)
{
    for (size_t i = 0; i < host->more_count; i++)
        if (host->more[i].name && slice_is_nocase(name, host->more[i].name))
            return host->more[i].fact.value;
    return NULL;
}

struct expansion {
    const struct host *host;
    struct buffer *out;
    unsigned steps_left; /* variables that may still be put in: they can name each other */
};

static void expand(struct expansion *expansion, struct slice text)
{
    struct buffer *out = expansion->out;

    while (text.size && out->size < EXPANDED_SIZE_MOST) {
        const size_t start = slice_find(text, 0, '%');
        const size_t end = start == SIZE_MAX ? SIZE_MAX : slice_find(text, start + 1, '%');
        if (end == SIZE_MAX || expansion->steps_left == 0)
            break;
        const char *value = variable(expansion->host, slice_part(text, start, end + 1 - start));
        buffer_add(out, slice_part(text, 0, start));
        if (value) {
            expansion->steps_left--;
            expand(expansion, slice_of_text(value));
            text = slice_from(text, end + 1);
        } else { /* the second sign may start the next name */
            buffer_add(out, slice_part(text, start, end - start));
            text = slice_from(text, end);
        }
    }
    if (out->size < EXPANDED_SIZE_MOST)
        buffer_add(out, slice_part(text, 0, EXPANDED_SIZE_MOST));
}

void host_expand(const struct host *host, const char *text, struct buffer *out)
{
    struct expansion expansion = {host, out, EXPANSIONS_MOST};

    expand(&expansion, slice_of_text(text));
}

void host_windows_path(const struct host *host, uint32_t volume, const char *path,
                       struct buffer *out)
{
    const struct drive *drive = NULL;

    for (size_t i = 0; i < host->drive_count && !drive; i++)
        if (host->drives[i].volume == volume)
            drive = &host->drives[i];
    if (drive)
        buffer_format(out, "%c:\\", drive->letter);
    else
        buffer_format(out, "volume %u: \\", volume);
    while (*path == '/')
        path++;
    for (; *path; path++)
        buffer_add_byte(out, *path == '/' ? '\\' : (uint8_t)*path);
}

static bool is_separator(uint8_t byte)
{
    return byte == '\\' || byte == '/';
}

static size_t component_size(struct slice text)
{
    size_t size = 0;

    while (size < text.size && !is_separator(text.data[size]))
        size++;
    return size;
}

/* Appends the components '/' separated, without empty ones, "." and "..". */
static void add_components(struct slice text, struct buffer *path)
{
    const size_t start = path->size;

    while (text.size) {
        const struct slice name = slice_part(text, 0, component_size(text));
        text = slice_from(text, name.size + 1);
        if (slice_is(name, "..")) {
            while (path->size > start && path->data[--path->size] != '/')
                continue;
        } else if (name.size && !slice_is(name, ".")) {
            if (path->size > start)
                buffer_add_byte(path, '/');
            buffer_add(path, name);
        }
    }
}

static const struct drive *drive_of(const struct host *host, uint8_t letter)
{
    for (size_t i = 0; i < host->drive_count; i++)
        if ((host->drives[i].letter | 0x20) == (letter | 0x20))
            return &host->drives[i];
    return NULL;
}

bool host_resolve(const struct host *host, const char *windows_path, uint32_t *volume,
                  struct buffer *path)
{
    struct buffer expanded = BUFFER_EMPTY;
    const struct drive *drive = NULL;

    host_expand(host, windows_path, &expanded);
    struct slice text = slice_trim(buffer_slice(&expanded));
    if (slice_starts(text, "\\\\?\\") || slice_starts(text, "\\??\\"))
        text = slice_from(text, 4);
    if (text.size >= 2 && text.data[1] == ':' && (text.size == 2 || is_separator(text.data[2])))
        drive = drive_of(host, text.data[0]);
    if (drive) {
        add_components(slice_from(text, 2), path);
        *volume = drive->volume;
    }
    buffer_release(&expanded);
    return drive != NULL;
}
