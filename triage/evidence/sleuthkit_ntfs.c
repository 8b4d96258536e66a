/* The files of an NTFS volume, from its $MFT, which mft.c parses in one pass. */
#include "triage/evidence/sleuthkit_parts.h"

#include "triage/evidence/mft.h"

#include <string.h>

struct mft_reader {
    struct stream *stream;
    uint32_t record_size;
};

/* Gives records that damage has zeroed the mark of a broken one, so that they are counted and not
 * taken for unused. */
static void mark_lost(uint8_t *bytes, size_t size, uint32_t record_size)
{
    for (size_t at = 0; size - at >= record_size; at += record_size)
        if (slice_is_zero(slice_of(bytes + at, record_size)))
            memcpy(bytes + at, "BAAD", 4);
}

/* Reads again piece by piece, to tell which records lie in damaged bytes of the image. */
static ssize_t read_damaged_mft(const struct mft_reader *reader, uint64_t offset, uint8_t *buffer,
                                size_t size)
{
    struct stream *stream = reader->stream;

    for (size_t at = 0; at < size; at += RECORD_SIZE_MAX) {
        const size_t part = size - at < RECORD_SIZE_MAX ? size - at : RECORD_SIZE_MAX;
        stream->damaged = false;
        if (stream->methods->read(stream, offset + at, buffer + at, part) != (ssize_t)part)
            return -1;
        if (stream->damaged)
            mark_lost(buffer + at, part, reader->record_size);
    }
    return (ssize_t)size;
}

static ssize_t read_mft(void *context, uint64_t offset, void *buffer, size_t size)
{
    const struct mft_reader *reader = context;
    struct stream *stream = reader->stream;
    const uint64_t left = offset < stream->size ? stream->size - offset : 0;

    if (size > left)
        size = (size_t)left;
    if (size == 0)
        return 0;
    stream->damaged = false;
    const ssize_t got = stream->methods->read(stream, offset, buffer, size);
    return got > 0 && stream->damaged ? read_damaged_mft(reader, offset, buffer, (size_t)got) : got;
}

int mount_list_ntfs(struct mount *mount, struct listing **out)
{
    const struct file table = {.path = "$MFT"};
    struct stream *stream = NULL;

    if (mount_open_stream(&mount->source, &table, &stream) < 0)
        return -1;
    struct mft_reader reader = {.stream = stream, .record_size = mount->record_size};
    const struct mft_input input = {
        .read = read_mft,
        .context = &reader,
        .size = stream->size,
        .record_size = mount->record_size,
        .cluster_size = mount->cluster_size,
        .volume_offset = mount->offset,
    };
    const int result = mft_read(&input, out);
    stream_close(stream);
    return result;
}
