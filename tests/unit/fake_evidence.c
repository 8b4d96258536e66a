#include "tests/unit/fake_evidence.h"

#include "triage/base/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct stream {
    struct slice content;
};

void fake_add(struct evidence *evidence, uint32_t volume, const char *path, struct slice content)
{
    assert(evidence->file_count < FAKE_FILES);
    evidence->files[evidence->file_count++] = (struct fake_file){volume, path, content};
}

enum evidence_shape evidence_shape(const struct evidence *evidence)
{
    return evidence->shape;
}

size_t evidence_volume_count(const struct evidence *evidence)
{
    return evidence->volume_count;
}

const struct volume *evidence_volume(const struct evidence *evidence, size_t index)
{
    return &evidence->volumes[index];
}

bool evidence_find(struct evidence *evidence, uint32_t volume, const char *path,
                   struct arena *arena, struct file *file)
{
    const size_t size = strlen(path);

    (void)arena;
    for (size_t i = 0; i < evidence->file_count; i++) {
        const struct fake_file *known = &evidence->files[i];
        if (known->volume != volume || strncasecmp(known->path, path, size) != 0 ||
            (known->path[size] && known->path[size] != '/'))
            continue;
        *file = (struct file){.path = known->path, .volume = volume, .address = i};
        file->flags = known->path[size] ? FILE_FOLDER : 0;
        return true;
    }
    return false;
}

int evidence_open_stream(struct evidence *evidence, const struct file *file, struct stream **out)
{
    struct stream *stream = malloc(sizeof *stream);

    assert(stream);
    stream->content = evidence->files[file->address].content;
    *out = stream;
    return 0;
}

void stream_close(struct stream *stream)
{
    free(stream);
}

uint64_t stream_size(const struct stream *stream)
{
    return stream->content.size;
}

ssize_t stream_read(struct stream *stream, uint64_t offset, void *buffer, size_t size)
{
    const struct slice part = slice_part(stream->content, offset, size);

    if (part.size)
        memcpy(buffer, part.data, part.size);
    return (ssize_t)part.size;
}

bool stream_damaged(const struct stream *stream)
{
    (void)stream;
    return false;
}
