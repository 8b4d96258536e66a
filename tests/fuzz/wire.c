/* What travels between processes. A worker that was taken over can send anything; what is
 * understood must survive being sent again. The first byte says what the rest is. */
#include "tests/fuzz/target.h"

#include "triage/engine/inventory.h"
#include "triage/record/host.h"
#include "triage/record/wire.h"

#include <string.h>

enum { MEMORY = 64 << 20, RAW_KEPT = 1 << 20 };

/* Reads one thing and writes it again; -1 when it was not understood. */
typedef int copy_once(struct cursor *in, struct arena *arena, struct buffer *out);

static int copy_file(struct cursor *in, struct arena *arena, struct buffer *out)
{
    struct file file;

    if (wire_get_file(in, arena, &file) < 0)
        return -1;
    wire_put_file(out, &file);
    return 0;
}

static int copy_event(struct cursor *in, struct arena *arena, struct buffer *out)
{
    struct event event = {.when = INSTANT_NONE};

    if (wire_get_event(in, arena, &event) < 0)
        return -1;
    demand(event.kind < KIND_COUNT, "an event has a kind");
    for (size_t i = 0; i < event.value_count; i++)
        demand(event.values[i].name && event.values[i].field < FIELD_COUNT, "a value has a field");
    wire_put_event(out, &event, RAW_KEPT);
    return 0;
}

static int copy_host(struct cursor *in, struct arena *arena, struct buffer *out)
{
    static struct host host;
    struct buffer text = BUFFER_EMPTY;
    uint32_t volume;

    memset(&host, 0, sizeof host);
    if (host_get(in, arena, &host) < 0)
        return -1;
    host_put(out, &host);
    host_windows_path(&host, 0, "inetpub/wwwroot/x.aspx", &text);
    host_resolve(&host, "%SystemDrive%\\inetpub\\logs", &volume, &text);
    struct json json = json_over(&text, false);
    json_object(&json);
    host_json(&host, &json);
    json_object_end(&json);
    buffer_release(&text);
    return 0;
}

static int copy_inventory(struct cursor *in, struct arena *arena, struct buffer *out)
{
    struct inventory inventory;
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_over(&text, true);

    memset(&inventory, 0, sizeof inventory);
    if (inventory_get(in, arena, &inventory) < 0)
        return -1;
    inventory_put(out, &inventory);
    json_object(&json);
    inventory_json(&inventory, &json);
    json_object_end(&json);
    buffer_release(&text);
    return 0;
}

static void send_again(copy_once *copy, struct slice input, struct arena *arena)
{
    struct buffer first = BUFFER_EMPTY, second = BUFFER_EMPTY;
    struct cursor in = cursor_over(input, 0);

    if (copy(&in, arena, &first) == 0) {
        struct cursor again = cursor_over(buffer_slice(&first), 0);
        demand(copy(&again, arena, &second) == 0, "what was understood is understood again");
        demand(slice_equal(buffer_slice(&first), buffer_slice(&second)),
               "the wire changes nothing");
    }
    buffer_release(&first);
    buffer_release(&second);
}

void fuzz_wire(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    static copy_once *const copies[] = {copy_file, copy_event, copy_host, copy_inventory};
    struct arena *arena = arena_new(MEMORY);

    (void)target, (void)file_name;
    if (input.size)
        send_again(copies[input.data[0] % 4], slice_from(input, 1), arena);
    arena_free(arena);
}

static void put_sample_host(struct buffer *out)
{
    static struct host host;
    struct fact fact = {.value = "C:\\inetpub", .source = "applicationHost.config: line 7"};
    struct place places[] = {{"web_root", 0, "inetpub/wwwroot", fact}};
    struct drive drives[] = {{'C', 0, fact}};
    struct named_fact more[] = {
        {"%SystemDrive%", {.value = "C:", .source = "assumed", .assumed = true}}};
    struct binding bindings[] = {{"https", ":443:"}};
    struct virtual_directory directories[] = {{"/", "/", "C:\\inetpub\\wwwroot", fact}};
    struct site sites[] = {{.id = 1,
                            .name = "Default Web Site",
                            .bindings = bindings,
                            .binding_count = 1,
                            .directories = directories,
                            .directory_count = 1,
                            .log_folder = fact}};
    const struct zone_year year = {.year = 2000, .bias = -60, .daylight_bias = -60};

    host = (struct host){.computer = fact,
                         .places = places,
                         .place_count = 1,
                         .drives = drives,
                         .drive_count = 1,
                         .more = more,
                         .more_count = 1,
                         .sites = sites,
                         .site_count = 1};
    zone_add_year(&host.zone, &year);
    host_put(out, &host);
}

static void put_sample_inventory(struct buffer *out)
{
    const char *const segments[] = {"a.E01", "a.E02"};
    const struct pair pairs[] = {{"Examiner", "x"}};
    const struct volume volume = {.size = 1 << 20,
                                  .partition = "Basic",
                                  .file_system = "NTFS",
                                  .label = "C",
                                  .problem = "BitLocker"};
    const struct damage damage = {512, 1024, "a segment is missing"};
    const struct inventory inventory = {.path = "a.E01",
                                        .container = {.format = "EWF (E01)",
                                                      .segments = segments,
                                                      .segment_count = 2,
                                                      .metadata = pairs,
                                                      .metadata_count = 1},
                                        .volumes = &volume,
                                        .volume_count = 1,
                                        .damage = &damage,
                                        .damage_count = 1};

    inventory_put(out, &inventory);
}

static void put_sample_event(struct buffer *out)
{
    const struct file file = {.path = "inetpub/x.aspx"};
    const struct value values[] = {{"c-ip", FIELD_OTHER, false, SLICE_LITERAL("203.0.113.9")},
                                   {"own", FIELD_OTHER, true, SLICE_LITERAL("x")}};
    const struct event event = {.artifact = "iis_log",
                                .time_text = SLICE_LITERAL("2021-03-03"),
                                .file = &file,
                                .raw = SLICE_LITERAL("a b"),
                                .values = values,
                                .value_count = 2,
                                .number = 7,
                                .offset = 9};

    wire_put_event(out, &event, RAW_KEPT);
}

static void put_sample_file(struct buffer *out)
{
    const struct file file = {
        .path = "inetpub/x.aspx", .stream = "s", .size = 7, .flags = FILE_DELETED};

    wire_put_file(out, &file);
}

bool fuzz_wire_sample(unsigned kind, struct buffer *out)
{
    static void (*const put[])(struct buffer * out) = {put_sample_file, put_sample_event,
                                                       put_sample_host, put_sample_inventory};

    buffer_clear(out);
    if (kind >= sizeof put / sizeof *put)
        return false;
    buffer_add_byte(out, (uint8_t)kind);
    put[kind](out);
    return true;
}
