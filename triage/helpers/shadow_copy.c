/* The stores of a volume's shadow copies, by libvshadow, whose only home this is. */
#include "triage/helpers/shadow_copy.h"

#include "triage/base/error.h"
#include "triage/base/guid.h"
#include "triage/helpers/bfio.h"
#include "triage/helpers/server.h"
#include "triage/record/wire.h"

#include <libvshadow.h>
#include <string.h>

/* Opened on first use and kept: the source of one program is one volume. */
static struct {
    libvshadow_volume_t *volume;
    int count;
    libvshadow_store_t *stores[SHADOW_STORES_MAX];
} copies;

/* The innermost reason that the library gives. */
static int fail(const char *what, libvshadow_error_t **error)
{
    char text[2048] = "";
    char *end;

    if (*error)
        libvshadow_error_backtrace_sprint(*error, text, sizeof text);
    libvshadow_error_free(error);
    if ((end = strchr(text, '\n')))
        *end = 0;
    const char *reason = strstr(text, ": "); /* behind the function's name */
    return error_set("%s: %s", what, reason ? reason + 2 : "libvshadow gives no reason");
}

static int open_volume(struct server *server)
{
    libvshadow_error_t *error = NULL;
    bfio_handle *handle;

    if (copies.volume)
        return 0;
    if (!(handle = bfio_over(server)))
        return -1;
    if (libvshadow_volume_initialize(&copies.volume, &error) != 1 ||
        libvshadow_volume_open_file_io_handle(copies.volume, handle, LIBVSHADOW_OPEN_READ,
                                              &error) != 1 ||
        libvshadow_volume_get_number_of_stores(copies.volume, &copies.count, &error) != 1) {
        libvshadow_volume_free(&copies.volume, NULL);
        bfio_free(handle);
        return fail("the catalog of shadow copies cannot be read", &error);
    }
    if (copies.count > SHADOW_STORES_MAX)
        copies.count = SHADOW_STORES_MAX;
    return 0; /* the handle lives as long as the volume: until the process ends */
}

static libvshadow_store_t *store_at(uint32_t number)
{
    libvshadow_error_t *error = NULL;

    if (number < 1 || number > (uint32_t)copies.count) {
        error_set("there is no shadow copy %u", number);
        return NULL;
    }
    libvshadow_store_t **store = &copies.stores[number - 1];
    if (!*store &&
        libvshadow_volume_get_store(copies.volume, (int)number - 1, store, &error) != 1) {
        fail("the shadow copy cannot be opened", &error);
        *store = NULL;
    }
    return *store;
}

static int send_store(struct server *server, libvshadow_store_t *store)
{
    struct buffer row = BUFFER_EMPTY;
    uint8_t guid[GUID_SIZE] = {0};
    uint64_t created = 0;
    size64_t size = 0;

    if (store) {
        libvshadow_store_get_creation_time(store, &created, NULL);
        libvshadow_store_get_copy_identifier(store, guid, sizeof guid, NULL);
        libvshadow_store_get_volume_size(store, &size, NULL);
    }
    wire_put_u64(&row, created);
    buffer_add(&row, slice_of(guid, sizeof guid));
    wire_put_u64(&row, size);
    wire_put_u8(&row, store && libvshadow_store_has_in_volume_data(store, NULL) == 1);
    const int result = buffer_failed(&row) ? -1 : server_row(server, buffer_slice(&row));
    buffer_release(&row);
    return result;
}

static int list(struct server *server)
{
    for (int i = 1; i <= copies.count; i++)
        if (send_store(server, store_at((uint32_t)i)) < 0)
            return -1;
    return 0;
}

static int read_store(struct server *server, struct cursor *in)
{
    libvshadow_store_t *store = store_at(cursor_u32le(in));
    const uint64_t offset = cursor_u64le(in);
    const uint32_t size = cursor_u32le(in);
    libvshadow_error_t *error = NULL;
    size_t done = 0;

    if (cursor_failed(in) || size > SHADOW_READ_MAX || offset > INT64_MAX)
        return error_set("the request is malformed");
    uint8_t *bytes = store ? buffer_reserve(server_reply(server), size) : NULL;
    if (!bytes)
        return store ? error_set("out of memory") : -1;
    while (done < size) {
        const ssize_t got = libvshadow_store_read_buffer_at_offset(
            store, bytes + done, size - done, (off64_t)(offset + done), &error);
        if (got < 0)
            return fail("the shadow copy cannot be read", &error);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    server_reply(server)->size = done;
    return 0;
}

/* Sets the bits of the blocks that one store has kept. */
static int mark_blocks(libvshadow_store_t *store, uint64_t first, uint32_t count, uint8_t *bits)
{
    libvshadow_error_t *error = NULL;
    int blocks = 0;

    if (libvshadow_store_get_number_of_blocks(store, &blocks, &error) != 1)
        return fail("the blocks of the shadow copy cannot be listed", &error);
    for (int i = 0; i < blocks; i++) {
        libvshadow_block_t *block = NULL;
        off64_t offset = 0;
        if (libvshadow_store_get_block_by_index(store, i, &block, &error) != 1 ||
            libvshadow_block_get_original_offset(block, &offset, &error) != 1) {
            libvshadow_block_free(&block, NULL);
            return fail("the blocks of the shadow copy cannot be listed", &error);
        }
        libvshadow_block_free(&block, NULL);
        const uint64_t number = (uint64_t)offset / SHADOW_BLOCK;
        if (number >= first && number - first < count)
            bits[(number - first) / 8] |= (uint8_t)(1 << ((number - first) % 8));
    }
    return 0;
}

/* A block reads from the first store that kept it, from the one asked for on to newer ones, and
 * else from the live volume: what none of them kept is the same there. */
static int map(struct server *server, struct cursor *in)
{
    const uint32_t wanted = cursor_u32le(in);
    const uint64_t first = cursor_u64le(in);
    const uint32_t count = cursor_u32le(in);

    if (cursor_failed(in) || count > SHADOW_MAP_MAX || count % 8)
        return error_set("the request is malformed");
    uint8_t *bits = buffer_reserve(server_reply(server), count / 8 + 1);
    if (!bits)
        return error_set("out of memory");
    memset(bits, 0, count / 8);
    for (uint32_t i = wanted; i <= (uint32_t)copies.count; i++) {
        libvshadow_store_t *store = store_at(i);
        if (!store || mark_blocks(store, first, count, bits) < 0)
            return -1;
    }
    server_reply(server)->size = count / 8;
    return 0;
}

static int answer(struct server *server, struct slice request)
{
    struct cursor in = cursor_over(request, 0);
    const uint8_t verb = cursor_u8(&in);

    if (open_volume(server) < 0)
        return -1;
    switch (verb) {
    case SHADOW_LIST:
        return list(server);
    case SHADOW_READ:
        return read_store(server, &in);
    case SHADOW_MAP:
        return map(server, &in);
    default:
        return error_set("the request is of unknown kind");
    }
}

int main(void)
{
    static const struct server_program program = {.memory = (size_t)2 << 30, .answer = answer};

    return server_main(&program);
}
