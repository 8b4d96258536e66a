/* A BitLocker volume opened by one of its keys, by libbde, whose only home this is. */
#include "triage/helpers/bitlocker.h"

#include "triage/base/error.h"
#include "triage/base/guid.h"
#include "triage/helpers/bfio.h"
#include "triage/helpers/server.h"
#include "triage/record/wire.h"

#include <libbde.h>
#include <stdio.h>
#include <string.h>

enum { REASON_SIZE = 300 };

/* Of the one volume that is this program's source; a fresh process has to be given the key again.
 */
static libbde_volume_t *volume;
static bfio_handle *handle;

/* The innermost reason that the library gives. */
static int fail(const char *what, libbde_error_t **error)
{
    char text[2048] = "";
    char *end;

    if (*error)
        libbde_error_backtrace_sprint(*error, text, sizeof text);
    libbde_error_free(error);
    if ((end = strchr(text, '\n')))
        *end = 0;
    const char *reason = strstr(text, ": "); /* behind the function's name */
    return error_set("%s: %s", what, reason ? reason + 2 : "libbde gives no reason");
}

enum key_kind { KEY_RECOVERY, KEY_PASSWORD, KEY_STARTUP, KEYS };

static void close_volume(void)
{
    if (volume)
        libbde_volume_free(&volume, NULL);
    bfio_free(handle);
    handle = NULL;
}

static void set_startup_key(struct slice key)
{
    bfio_handle *file = bfio_over_bytes(key);

    if (!file)
        return;
    libbde_volume_read_startup_key_file_io_handle(volume, file, NULL);
    bfio_free(file);
}

/* What a key of the wrong form does is the same as what a wrong key does: the volume stays shut. */
static void set_key(enum key_kind kind, struct slice key)
{
    if (kind == KEY_RECOVERY)
        libbde_volume_set_utf8_recovery_password(volume, key.data, key.size, NULL);
    if (kind == KEY_PASSWORD)
        libbde_volume_set_utf8_password(volume, key.data, key.size, NULL);
    if (kind == KEY_STARTUP)
        set_startup_key(key);
}

/* With one key, as libbde gives up on a key that the volume has no protector for; KEYS: with none.
 */
static int open_with(struct server *server, enum key_kind kind, struct slice key)
{
    libbde_error_t *error = NULL;

    close_volume();
    if (!(handle = bfio_over(server)))
        return -1;
    if (libbde_volume_initialize(&volume, &error) != 1)
        return fail("libbde", &error);
    set_key(kind, key);
    if (libbde_volume_open_file_io_handle(volume, handle, LIBBDE_OPEN_READ, &error) < 0) {
        close_volume();
        return fail("it cannot be opened", &error);
    }
    libbde_error_free(&error);
    return 0;
}

static bool is_open(void)
{
    return volume && libbde_volume_is_locked(volume, NULL) == 0;
}

static int send_protector(struct server *server, int index)
{
    libbde_key_protector_t *protector = NULL;
    uint8_t guid[GUID_SIZE] = {0};
    uint16_t type = 0;
    struct buffer row = BUFFER_EMPTY;

    if (libbde_volume_get_key_protector(volume, index, &protector, NULL) != 1)
        return 0;
    libbde_key_protector_get_type(protector, &type, NULL);
    libbde_key_protector_get_identifier(protector, guid, sizeof guid, NULL);
    libbde_key_protector_free(&protector, NULL);
    buffer_add_byte(&row, (uint8_t)type);
    buffer_add_byte(&row, (uint8_t)(type >> 8));
    buffer_add(&row, slice_of(guid, sizeof guid));
    const int result = buffer_failed(&row) ? -1 : server_row(server, buffer_slice(&row));
    buffer_release(&row);
    return result;
}

static int describe(struct server *server, const char *reason)
{
    int count = 0;
    size64_t size = 0;
    uint16_t method = 0;
    const bool open = is_open();

    libbde_volume_get_number_of_key_protectors(volume, &count, NULL);
    for (int i = 0; i < count && i < BITLOCKER_PROTECTORS_MAX; i++)
        if (send_protector(server, i) < 0)
            return -1;
    if (open)
        libbde_volume_get_size(volume, &size, NULL);
    libbde_volume_get_encryption_method(volume, &method, NULL);
    wire_put_u8(server_reply(server), open);
    wire_put_u64(server_reply(server), size);
    buffer_add_byte(server_reply(server), (uint8_t)method);
    buffer_add_byte(server_reply(server), (uint8_t)(method >> 8));
    wire_put_slice(server_reply(server), slice_of_text(reason));
    return 0;
}

/* libbde finds the size of the volume in a decrypted NTFS boot sector only. */
static void explain(char reason[REASON_SIZE])
{
    const bool no_ntfs = strstr(error_text(), "determine volume size") != NULL;

    snprintf(reason, REASON_SIZE, "%s",
             no_ntfs ? "the key is right, but what is within is not NTFS, and libbde opens no other"
                     : error_text());
}

static int unlock(struct server *server, struct cursor *in)
{
    struct slice keys[KEYS];
    char reason[REASON_SIZE] = "";
    bool opened = false;

    for (int i = 0; i < KEYS; i++)
        keys[i] = wire_get_slice(in);
    if (cursor_failed(in))
        return error_set("the request is malformed");
    for (int i = 0; i < KEYS && !opened; i++) {
        if (!keys[i].size)
            continue;
        if (open_with(server, (enum key_kind)i, keys[i]) < 0)
            explain(reason);
        opened = is_open();
    }
    if (!opened && open_with(server, KEYS, slice_of(NULL, 0)) < 0)
        return -1;
    return describe(server, opened ? "" : reason);
}

static int read_volume(struct server *server, struct cursor *in)
{
    const uint64_t offset = cursor_u64le(in);
    const uint32_t size = cursor_u32le(in);
    libbde_error_t *error = NULL;
    size_t done = 0;

    if (cursor_failed(in) || size > BITLOCKER_READ_MAX || offset > INT64_MAX)
        return error_set("the request is malformed");
    if (!is_open())
        return error_set("the volume is locked");
    uint8_t *bytes = buffer_reserve(server_reply(server), size);
    if (!bytes)
        return error_set("out of memory");
    while (done < size) {
        const ssize_t got = libbde_volume_read_buffer_at_offset(volume, bytes + done, size - done,
                                                                (off64_t)(offset + done), &error);
        if (got < 0)
            return fail("the volume cannot be read", &error);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    server_reply(server)->size = done;
    return 0;
}

static int answer(struct server *server, struct slice request)
{
    struct cursor in = cursor_over(request, 0);

    switch (cursor_u8(&in)) {
    case BITLOCKER_UNLOCK:
        return unlock(server, &in);
    case BITLOCKER_READ:
        return read_volume(server, &in);
    default:
        return error_set("the request is of unknown kind");
    }
}

int main(void)
{
    static const struct server_program program = {.answer = answer};

    return server_main(&program);
}
