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
