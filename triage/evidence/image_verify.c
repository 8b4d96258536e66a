/*
 * Verification as a pipeline: threads that inflate fill the blocks of a ring in order of the
 * medium, one thread computes all three digests, and a block is used again when it has passed it.
 * Where the processor cannot compute them for the price of MD5, that is one thread for MD5 and one
 * for SHA-1 and SHA-256. Now and then the state of the hashers is told, so that a verification that
 * is stopped can go on from there.
 */
#include "triage/base/error.h"
#include "triage/evidence/image_methods.h"
#include "triage/record/wire.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BLOCK_SIZE = 1 << 20,
    RING_SIZE = 24 << 20,
    READERS_MAX = 16,
    HASHERS_MAX = 2,
    POINT_INTERVAL = 1 << 30,
    POINT_MEMORY = 16 << 20,
};

struct block {
    uint8_t *bytes;
    size_t size;
    uint64_t holds; /* number of the block in it, from 1; 0 for none */
    uint64_t bad;   /* chunks of it that are damaged */
};

/* The state of a hasher after so many blocks. */
struct saved {
    uint64_t blocks, bad;
    uint8_t state[512];
    size_t size;
};

struct pipeline {
    struct image *image;
    uint64_t block_size, block_count;
    struct block *ring;
    size_t ring_count;

    pthread_mutex_t lock;
    pthread_cond_t filled, freed, moved;
    pthread_mutex_t image_lock;   /* containers that one thread at a time may read */
    uint64_t next;                /* block that the next reader takes */
    uint64_t passed[HASHERS_MAX]; /* blocks each hasher is done with */
    size_t hasher_count;
    uint64_t first;    /* block that it begins with */
    uint64_t interval; /* blocks between two points; more than the ring has */
    struct saved saved[HASHERS_MAX];
    uint64_t told; /* blocks of the last point that was told */
    bool failed;   /* a reader could not read at all */
    char error[512];
};

struct reading {
    struct pipeline *pipeline;
    void *reader; /* NULL: through image_read, under the image's lock */
    pthread_t thread;
};

struct hashing {
    struct pipeline *pipeline;
    size_t index;
    struct hasher *hasher;
    uint64_t bad; /* damaged chunks so far */
    pthread_t thread;
};

static uint64_t slowest(const struct pipeline *pipeline)
{
    uint64_t least = pipeline->passed[0];

    for (size_t i = 1; i < pipeline->hasher_count; i++)
        if (pipeline->passed[i] < least)
            least = pipeline->passed[i];
    return least;
}

static void note_damage(struct pipeline *pipeline, uint64_t offset, uint64_t size, const char *why)
{
    pthread_mutex_lock(&pipeline->lock);
    image_add_damage(pipeline->image, offset, size, why);
    pthread_mutex_unlock(&pipeline->lock);
}

static void fill_by_chunks(const struct reading *reading, uint64_t offset, struct block *block)
{
    struct pipeline *pipeline = reading->pipeline;
    const struct container *container = &pipeline->image->container;
    const uint64_t until = (offset + block->size - 1) / container->chunk_size + 1;

    for (size_t done = 0; done < block->size; done += container->chunk_size) {
        uint64_t chunk = (offset + done) / container->chunk_size;
        size_t left = block->size - done;
        const char *why = pipeline->image->methods->read_chunk(pipeline->image, reading->reader,
                                                               chunk, until, block->bytes + done);
        if (!why)
            continue;
        block->bad++;
        note_damage(pipeline, offset + done,
                    left < container->chunk_size ? left : container->chunk_size, why);
    }
}

static int fill_by_reading(struct pipeline *pipeline, uint64_t offset, struct block *block)
{
    struct image *image = pipeline->image;
    uint64_t hits;
    ssize_t got;

    pthread_mutex_lock(&pipeline->image_lock);
    hits = image->damage_hits;
    got = image_read(image, offset, block->bytes, block->size);
    block->bad += image->damage_hits != hits;
    pthread_mutex_unlock(&pipeline->image_lock);
    if (got >= 0 && (size_t)got < block->size)
        return error_set("the image ends at byte %llu",
                         (unsigned long long)(offset + (uint64_t)got));
    return got < 0 ? -1 : 0;
}

static void give_up(struct pipeline *pipeline, const char *why)
{
    pthread_mutex_lock(&pipeline->lock);
    if (!pipeline->failed)
        strncpy(pipeline->error, why, sizeof pipeline->error - 1);
    pipeline->failed = true;
    pthread_cond_broadcast(&pipeline->filled);
    pthread_cond_broadcast(&pipeline->freed);
    pthread_cond_broadcast(&pipeline->moved);
    pthread_mutex_unlock(&pipeline->lock);
}

/* The next block to fill, once its place in the ring is free; false at the end. */
static bool take_block(struct pipeline *pipeline, uint64_t *index)
{
    bool taken = false;

    pthread_mutex_lock(&pipeline->lock);
    if (!pipeline->failed && pipeline->next < pipeline->block_count) {
        *index = pipeline->next++;
        while (!pipeline->failed && *index - slowest(pipeline) >= pipeline->ring_count)
            pthread_cond_wait(&pipeline->freed, &pipeline->lock);
        taken = !pipeline->failed;
    }
    pthread_mutex_unlock(&pipeline->lock);
    return taken;
}

static void *read_blocks(void *context)
{
    struct reading *reading = context;
    struct pipeline *pipeline = reading->pipeline;
    uint64_t index, size = pipeline->image->container.size;

    while (take_block(pipeline, &index)) {
        struct block *block = &pipeline->ring[index % pipeline->ring_count];
        uint64_t offset = index * pipeline->block_size;
        block->size = size - offset < pipeline->block_size ? (size_t)(size - offset)
                                                           : (size_t)pipeline->block_size;
        block->bad = 0;
        if (reading->reader) {
            fill_by_chunks(reading, offset, block);
        } else if (fill_by_reading(pipeline, offset, block) < 0) {
            give_up(pipeline, error_text());
            break;
        }
        pthread_mutex_lock(&pipeline->lock);
        block->holds = index + 1;
        pthread_cond_broadcast(&pipeline->filled);
        pthread_mutex_unlock(&pipeline->lock);
    }
    return NULL;
}

static struct block *wait_for_block(struct pipeline *pipeline, uint64_t index)
{
    struct block *block = &pipeline->ring[index % pipeline->ring_count];
    bool there;

    pthread_mutex_lock(&pipeline->lock);
    while (!pipeline->failed && block->holds != index + 1)
        pthread_cond_wait(&pipeline->filled, &pipeline->lock);
    there = !pipeline->failed;
    pthread_mutex_unlock(&pipeline->lock);
    return there ? block : NULL;
}

static void pass_block(struct pipeline *pipeline, size_t hasher, uint64_t index)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->passed[hasher] = index + 1;
    if (slowest(pipeline) == index + 1) {
        pthread_cond_broadcast(&pipeline->freed);
        if (index + 1 == pipeline->block_count)
            pthread_cond_signal(&pipeline->moved);
    }
    pthread_mutex_unlock(&pipeline->lock);
}

/* All hashers have to come by before it can be told. */
static void save_state(struct hashing *hashing, uint64_t blocks)
{
    struct pipeline *pipeline = hashing->pipeline;
    struct saved *saved = &pipeline->saved[hashing->index];
    const struct slice state = hasher_state(hashing->hasher);

    if (blocks % pipeline->interval || blocks == pipeline->block_count ||
        state.size > sizeof saved->state)
        return;
    pthread_mutex_lock(&pipeline->lock);
    saved->blocks = blocks;
    saved->bad = hashing->bad;
    saved->size = state.size;
    memcpy(saved->state, state.data, state.size);
    pthread_cond_signal(&pipeline->moved);
    pthread_mutex_unlock(&pipeline->lock);
}

static void *hash_blocks(void *context)
{
    struct hashing *hashing = context;
    struct pipeline *pipeline = hashing->pipeline;

    for (uint64_t index = pipeline->first; index < pipeline->block_count; index++) {
        const struct block *block = wait_for_block(pipeline, index);
        if (!block)
            break;
        hasher_add(hashing->hasher, slice_of(block->bytes, block->size));
        hashing->bad += block->bad;
        save_state(hashing, index + 1);
        pass_block(pipeline, hashing->index, index);
    }
    return NULL;
}

/* --- points: what is needed to go on from there --- */

static void put_damage(struct pipeline *pipeline, struct buffer *out)
{
    size_t count;

    pthread_mutex_lock(&pipeline->image_lock);
    const struct damage *damage = image_damage(pipeline->image, &count);
    wire_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wire_put_u64(out, damage[i].offset);
        wire_put_u64(out, damage[i].size);
        wire_put_text(out, damage[i].why);
    }
    pthread_mutex_unlock(&pipeline->image_lock);
}

/* With the lock held: the point that all hashers have saved and nobody was told of. */
static bool put_point(struct pipeline *pipeline, struct buffer *out)
{
    const struct saved *saved = pipeline->saved;

    if (!saved[0].blocks || saved[0].blocks == pipeline->told)
        return false;
    for (size_t i = 1; i < pipeline->hasher_count; i++)
        if (saved[i].blocks != saved[0].blocks)
            return false;
    pipeline->told = saved[0].blocks;
    buffer_clear(out);
    wire_put_u64(out, pipeline->image->container.size);
    wire_put_u64(out, pipeline->block_size);
    wire_put_u64(out, saved[0].blocks);
    wire_put_u64(out, saved[0].bad);
    wire_put_u64(out, pipeline->hasher_count);
    for (size_t i = 0; i < pipeline->hasher_count; i++)
        wire_put_slice(out, slice_of(saved[i].state, saved[i].size));
    put_damage(pipeline, out);
    return !buffer_failed(out);
}

static bool take_damage(struct pipeline *pipeline, struct cursor *in, struct arena *arena)
{
    const uint32_t count = wire_get_u32(in);

    for (uint32_t i = 0; i < count && !cursor_failed(in); i++) {
        const uint64_t offset = wire_get_u64(in), size = wire_get_u64(in);
        const char *why = wire_get_text(in, arena);
        if (!cursor_failed(in) && why)
            image_add_damage(pipeline->image, offset, size, why);
    }
    return !cursor_failed(in);
}

/* False when it is no point of this image, and nothing was changed that matters. */
static bool take_point(struct pipeline *pipeline, struct hashing *hashings, struct slice point,
                       struct arena *arena)
{
    struct cursor in = cursor_over(point, 0);
    const uint64_t size = wire_get_u64(&in), block_size = wire_get_u64(&in);
    const uint64_t blocks = wire_get_u64(&in), bad = wire_get_u64(&in);
    const uint64_t states = wire_get_u64(&in);

    if (cursor_failed(&in) || size != pipeline->image->container.size ||
        block_size != pipeline->block_size || blocks == 0 || blocks >= pipeline->block_count ||
        states != pipeline->hasher_count)
        return false;
    for (size_t i = 0; i < pipeline->hasher_count; i++)
        if (hasher_restore(hashings[i].hasher, wire_get_slice(&in)) < 0)
            return false;
    if (!take_damage(pipeline, &in, arena))
        return false;
    pipeline->first = pipeline->next = pipeline->told = blocks;
    for (size_t i = 0; i < pipeline->hasher_count; i++) {
        pipeline->passed[i] = blocks;
        hashings[i].bad = bad;
    }
    return true;
}

/* Waits for the end in the calling thread and tells how far it is, four times a second at most. */
static void watch(struct pipeline *pipeline, const struct verify_options *options)
{
    uint64_t size = pipeline->image->container.size, done = 0, told = UINT64_MAX;
    struct buffer point = BUFFER_EMPTY;
    bool over = false;

    while (!over) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_mutex_lock(&pipeline->lock);
        int waited = 0;
        bool pointed = false;
        while (waited == 0 && !pipeline->failed && slowest(pipeline) < pipeline->block_count &&
               !(pointed = options->point && put_point(pipeline, &point)))
            waited = pthread_cond_timedwait(&pipeline->moved, &pipeline->lock, &until);
        done = slowest(pipeline);
        over = pipeline->failed || done == pipeline->block_count;
        pthread_mutex_unlock(&pipeline->lock);
        if (pointed)
            options->point(options->context, buffer_slice(&point));
        done = done == pipeline->block_count ? size : done * pipeline->block_size;
        if (options->progress && done != told)
            options->progress(options->context, done, size);
        told = done;
    }
    buffer_release(&point);
}

static int ring_init(struct pipeline *pipeline)
{
    uint32_t chunk_size =
        pipeline->image->methods->read_chunk ? pipeline->image->container.chunk_size : 0;

    pipeline->block_size = BLOCK_SIZE;
    if (chunk_size)
        pipeline->block_size =
            chunk_size > BLOCK_SIZE ? chunk_size : BLOCK_SIZE / chunk_size * chunk_size;
    if (pipeline->image->container.size)
        pipeline->block_count = (pipeline->image->container.size - 1) / pipeline->block_size + 1;
    pipeline->ring_count = RING_SIZE / pipeline->block_size;
    if (pipeline->ring_count < 2)
        pipeline->ring_count = 2;
    pipeline->ring = calloc(pipeline->ring_count, sizeof *pipeline->ring);
    for (size_t i = 0; pipeline->ring && i < pipeline->ring_count; i++)
        if (!(pipeline->ring[i].bytes = malloc(pipeline->block_size)))
            return error_set("out of memory");
    return pipeline->ring ? 0 : error_set("out of memory");
}

static void ring_release(struct pipeline *pipeline)
{
    for (size_t i = 0; pipeline->ring && i < pipeline->ring_count; i++)
        free(pipeline->ring[i].bytes);
    free(pipeline->ring);
}

static size_t reader_count(const struct image *image, unsigned threads)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = threads ? threads : cores > 0 ? (size_t)cores : 1;

    if (!image->methods->read_chunk)
        return 1;
    return count < READERS_MAX ? count : READERS_MAX;
}

/* Starts all threads, waits for the end, joins those that were started. */
static int run_threads(struct pipeline *pipeline, struct reading *readings, size_t reading_count,
                       struct hashing *hashings, const struct verify_options *options)
{
    size_t readers = 0, hashers = 0;

    while (readers < reading_count &&
           !pthread_create(&readings[readers].thread, NULL, read_blocks, &readings[readers]))
        readers++;
    while (hashers < pipeline->hasher_count &&
           !pthread_create(&hashings[hashers].thread, NULL, hash_blocks, &hashings[hashers]))
        hashers++;
    if (readers == 0 || hashers < pipeline->hasher_count)
        give_up(pipeline, "threads cannot be started");
    watch(pipeline, options);
    for (size_t i = 0; i < readers; i++)
        pthread_join(readings[i].thread, NULL);
    for (size_t i = 0; i < hashers; i++)
        pthread_join(hashings[i].thread, NULL);
    return pipeline->failed ? error_set("%s", pipeline->error) : 0;
}

static int add_hasher(struct pipeline *pipeline, struct hashing *hashings, unsigned kinds)
{
    struct hashing *hashing = &hashings[pipeline->hasher_count];

    *hashing = (struct hashing){.pipeline = pipeline, .index = pipeline->hasher_count};
    if (!(hashing->hasher = hasher_new(kinds)))
        return -1;
    pipeline->hasher_count++;
    return 0;
}

static int make_hashers(struct pipeline *pipeline, struct hashing *hashings, bool apart)
{
    if (!apart && hash_is_stitched(HASH_ALL))
        return add_hasher(pipeline, hashings, HASH_ALL);
    if (add_hasher(pipeline, hashings, HASH_MD5) < 0)
        return -1;
    return add_hasher(pipeline, hashings, HASH_SHA1 | HASH_SHA256);
}

static int prepare(struct pipeline *pipeline, struct reading *readings, size_t count,
                   struct hashing *hashings, bool apart)
{
    struct image *image = pipeline->image;

    if (ring_init(pipeline) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        readings[i].pipeline = pipeline;
        if (image->methods->read_chunk && !(readings[i].reader = image->methods->reader_new(image)))
            return -1;
    }
    return make_hashers(pipeline, hashings, apart);
}

static int copy_damage(struct image *image, struct verification *result)
{
    size_t count;
    const struct damage *damage = image_damage(image, &count);

    result->damage = calloc(count + 1, sizeof *result->damage);
    if (!result->damage)
        return error_set("out of memory");
    for (size_t i = 0; i < count; i++) {
        result->damage[i] = damage[i];
        result->damage[i].why = strdup(damage[i].why);
        if (!result->damage[i].why)
            return error_set("out of memory");
        result->damage_count++;
    }
    return 0;
}

/* Each hasher leaves the digests empty that it does not compute. */
static void take_digests(const struct pipeline *pipeline, struct hashing *hashings,
                         struct digests *all)
{
    for (size_t i = 0; i < pipeline->hasher_count; i++) {
        const struct digests some = hasher_finish(hashings[i].hasher);
        if (*some.md5)
            memcpy(all->md5, some.md5, sizeof some.md5);
        if (*some.sha1)
            memcpy(all->sha1, some.sha1, sizeof some.sha1);
        if (*some.sha256)
            memcpy(all->sha256, some.sha256, sizeof some.sha256);
    }
}

static int fill_result(const struct pipeline *pipeline, struct hashing *hashings,
                       struct verification *result)
{
    const struct container *container = &pipeline->image->container;
    const struct digests *computed = &result->computed;

    take_digests(pipeline, hashings, &result->computed);
    memcpy(result->stored_md5, container->md5, sizeof container->md5);
    memcpy(result->stored_sha1, container->sha1, sizeof container->sha1);
    result->hash_differs = (*container->md5 && strcmp(container->md5, computed->md5)) ||
                           (*container->sha1 && strcmp(container->sha1, computed->sha1));
    result->bytes = container->size;
    result->chunks = container->chunk_count;
    result->bad_chunks = hashings[0].bad;
    return copy_damage(pipeline->image, result);
}

int image_verify_with(const char *path, const struct verify_options *options,
                      struct verification *result)
{
    struct pipeline pipeline = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                .filled = PTHREAD_COND_INITIALIZER,
                                .freed = PTHREAD_COND_INITIALIZER,
                                .moved = PTHREAD_COND_INITIALIZER,
                                .image_lock = PTHREAD_MUTEX_INITIALIZER};
    struct reading readings[READERS_MAX] = {0};
    struct hashing hashings[HASHERS_MAX] = {0};
    struct arena *arena = arena_new(POINT_MEMORY); /* reasons of damage that a point tells */
    size_t count;
    int status = -1;

    *result = (struct verification){0};
    if (!arena)
        return error_set("out of memory");
    if (image_open(path, &pipeline.image) < 0) {
        arena_free(arena);
        return -1;
    }
    count = reader_count(pipeline.image, options->threads);
    if (prepare(&pipeline, readings, count, hashings, options->apart) == 0) {
        pipeline.interval =
            (options->interval ? options->interval : POINT_INTERVAL) / pipeline.block_size;
        if (pipeline.interval <= pipeline.ring_count)
            pipeline.interval = pipeline.ring_count + 1;
        if (options->from.size && !take_point(&pipeline, hashings, options->from, arena))
            for (size_t i = 0; i < pipeline.hasher_count; i++)
                hasher_finish(hashings[i].hasher); /* from the start */
        if (run_threads(&pipeline, readings, count, hashings, options) == 0)
            status = fill_result(&pipeline, hashings, result);
    }
    for (size_t i = 0; i < count; i++)
        if (readings[i].reader)
            pipeline.image->methods->reader_free(readings[i].reader);
    for (size_t i = 0; i < pipeline.hasher_count; i++)
        hasher_free(hashings[i].hasher);
    ring_release(&pipeline);
    image_close(pipeline.image);
    arena_free(arena);
    if (status < 0)
        verification_release(result);
    return status;
}

int image_verify(const char *path, unsigned threads,
                 void (*progress)(void *context, uint64_t done, uint64_t all), void *context,
                 struct verification *result)
{
    const struct verify_options options = {
        .threads = threads, .context = context, .progress = progress};

    return image_verify_with(path, &options, result);
}

void verification_release(struct verification *result)
{
    for (size_t i = 0; i < result->damage_count; i++)
        free((void *)(uintptr_t)result->damage[i].why);
    free(result->damage);
    result->damage = NULL;
    result->damage_count = 0;
}
