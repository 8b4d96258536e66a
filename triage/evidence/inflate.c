#include "triage/evidence/inflate.h"

#include "triage/base/error.h"

#include <stdlib.h>

#ifdef HAVE_DEFLATE
#include <libdeflate.h>

struct inflater {
    struct libdeflate_decompressor *decompressor;
};

struct inflater *inflater_new(void)
{
    struct inflater *inflater = calloc(1, sizeof *inflater);

    if (inflater && !(inflater->decompressor = libdeflate_alloc_decompressor())) {
        free(inflater);
        inflater = NULL;
    }
    if (!inflater)
        error_set("out of memory");
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    if (!inflater)
        return;
    libdeflate_free_decompressor(inflater->decompressor);
    free(inflater);
}

bool inflate_stream(struct inflater *inflater, struct slice packed, uint8_t *bytes, size_t room,
                    size_t *size, size_t *used)
{
    return libdeflate_zlib_decompress_ex(inflater->decompressor, packed.data, packed.size, bytes,
                                         room, used, size) == LIBDEFLATE_SUCCESS;
}

uint32_t adler32_of(struct slice bytes)
{
    return libdeflate_adler32(1, bytes.data, bytes.size);
}

uint32_t crc32_over(struct slice bytes, uint32_t crc)
{
    return libdeflate_crc32(crc, bytes.data, bytes.size);
}

/*
 * Stands in for zlib under libtsk's libewf and libvmdk, which import these two names: the
 * executable exports them
 * (-Wl,--export-dynamic-symbol) and the dynamic linker takes the first it finds. Same arguments and
 * results as zlib.h.
 */
int uncompress(uint8_t *target, unsigned long *target_size, const uint8_t *source,
               unsigned long source_size);
unsigned long adler32(unsigned long sum, const uint8_t *bytes, unsigned size);

enum { ZLIB_OK = 0, ZLIB_DATA_ERROR = -3, ZLIB_MEMORY_ERROR = -4, ZLIB_BUFFER_ERROR = -5 };

static _Thread_local struct libdeflate_decompressor
    *shared; /* one per thread, kept until it ends */

__attribute__((visibility("default"))) int uncompress(uint8_t *target, unsigned long *target_size,
                                                      const uint8_t *source,
                                                      unsigned long source_size)
{
    size_t size = 0;

    if (!shared && !(shared = libdeflate_alloc_decompressor()))
        return ZLIB_MEMORY_ERROR;
    switch (libdeflate_zlib_decompress(shared, source, source_size, target, *target_size, &size)) {
    case LIBDEFLATE_SUCCESS:
        *target_size = size;
        return ZLIB_OK;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return ZLIB_BUFFER_ERROR;
    default:
        return ZLIB_DATA_ERROR;
    }
}

__attribute__((visibility("default"))) unsigned long adler32(unsigned long sum,
                                                             const uint8_t *bytes, unsigned size)
{
    return bytes ? libdeflate_adler32((uint32_t)sum, bytes, size) : 1;
}

#else
#include <zlib.h>

struct inflater {
    z_stream stream;
};

struct inflater *inflater_new(void)
{
    struct inflater *inflater = calloc(1, sizeof *inflater);

    if (inflater && inflateInit(&inflater->stream) != Z_OK) {
        free(inflater);
        inflater = NULL;
    }
    if (!inflater)
        error_set("out of memory");
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    if (!inflater)
        return;
    inflateEnd(&inflater->stream);
    free(inflater);
}

bool inflate_stream(struct inflater *inflater, struct slice packed, uint8_t *bytes, size_t room,
                    size_t *size, size_t *used)
{
    z_stream *stream = &inflater->stream;

    if (packed.size > UINT32_MAX || room > UINT32_MAX || inflateReset(stream) != Z_OK)
        return false;
    stream->next_in = (Bytef *)(uintptr_t)packed.data;
    stream->avail_in = (uInt)packed.size;
    stream->next_out = bytes;
    stream->avail_out = (uInt)room;
    if (inflate(stream, Z_FINISH) != Z_STREAM_END)
        return false;
    *size = room - stream->avail_out;
    if (used)
        *used = packed.size - stream->avail_in;
    return true;
}

uint32_t adler32_of(struct slice bytes)
{
    return (uint32_t)adler32_z(1, bytes.data, bytes.size);
}

uint32_t crc32_over(struct slice bytes, uint32_t crc)
{
    return (uint32_t)crc32_z(crc, bytes.data, bytes.size);
}
#endif
