#include "triage/helpers/bfio.h"

#include "triage/base/error.h"

#include <libbfio.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
    struct server *server;
    uint64_t at;
};

static int reader_free(intptr_t **io, libbfio_error_t **error)
{
    (void)error;
    free(*io);
    *io = NULL;
    return 1;
}

static int reader_clone(intptr_t **to, intptr_t *from, libbfio_error_t **error)
{
    struct reader *copy = malloc(sizeof *copy);

    (void)error;
    if (!copy)
        return -1;
    *copy = *(struct reader *)from;
    *to = (intptr_t *)copy;
    return 1;
}

static int reader_open(intptr_t *io, int flags, libbfio_error_t **error)
{
    (void)io, (void)error;
    return flags & LIBBFIO_ACCESS_FLAG_WRITE ? -1 : 1;
}

static int reader_close(intptr_t *io, libbfio_error_t **error)
{
    (void)io, (void)error;
    return 0;
}

static ssize_t reader_read(intptr_t *io, uint8_t *bytes, size_t size, libbfio_error_t **error)
{
    struct reader *reader = (struct reader *)io;
    const ssize_t got = server_read(reader->server, reader->at, bytes, size);

    (void)error;
    if (got > 0)
        reader->at += (uint64_t)got;
    return got;
}

static ssize_t reader_write(intptr_t *io, const uint8_t *bytes, size_t size,
                            libbfio_error_t **error)
{
    (void)io, (void)bytes, (void)size, (void)error;
    return -1;
}

static off64_t reader_seek(intptr_t *io, off64_t offset, int whence, libbfio_error_t **error)
{
    struct reader *reader = (struct reader *)io;
    uint64_t base = 0, at;

    (void)error;
    if (whence == SEEK_CUR)
        base = reader->at;
    if (whence == SEEK_END)
        base = server_source_size(reader->server);
    at = base + (uint64_t)offset; /* a negative offset wraps round, and is caught below */
    if (at > INT64_MAX)
        return -1;
    reader->at = at;
    return (off64_t)at;
}

static int reader_exists(intptr_t *io, libbfio_error_t **error)
{
    (void)io, (void)error;
    return 1;
}

static int reader_is_open(intptr_t *io, libbfio_error_t **error)
{
    (void)io, (void)error;
    return 1;
}

static int reader_size(intptr_t *io, size64_t *size, libbfio_error_t **error)
{
    (void)error;
    *size = server_source_size(((struct reader *)io)->server);
    return 1;
}

bfio_handle *bfio_over(struct server *server)
{
    struct reader *reader = calloc(1, sizeof *reader);
    libbfio_handle_t *handle = NULL;

    if (!reader) {
        error_set("out of memory");
        return NULL;
    }
    reader->server = server;
    if (libbfio_handle_initialize(
            &handle, (intptr_t *)reader, reader_free, reader_clone, reader_open, reader_close,
            reader_read, reader_write, reader_seek, reader_exists, reader_is_open, reader_size,
            LIBBFIO_FLAG_IO_HANDLE_MANAGED | LIBBFIO_FLAG_IO_HANDLE_CLONE_BY_FUNCTION, NULL) != 1) {
        free(reader);
        error_set("libbfio has no handle");
        return NULL;
    }
    return handle;
}

bfio_handle *bfio_over_bytes(struct slice bytes)
{
    libbfio_handle_t *handle = NULL;

    if (libbfio_memory_range_initialize(&handle, NULL) == 1 &&
        libbfio_memory_range_set(handle, (uint8_t *)(uintptr_t)bytes.data, bytes.size, NULL) == 1)
        return handle;
    bfio_free(handle);
    error_set("libbfio has no handle");
    return NULL;
}

void bfio_free(bfio_handle *handle)
{
    if (handle)
        libbfio_handle_free(&handle, NULL);
}
