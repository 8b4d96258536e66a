/*
 * The chunks of an E01 set that were read lately, so that each is inflated once. A chunk has a few
 * slots to lie in, and takes the one that nobody asked for longest: file after file passes through
 * the cache, and the part of the $MFT that has their records stays.
 */
#include "triage/evidence/ewf_chunks.h"

#include "triage/base/error.h"

#include <stdlib.h>

enum { CACHE_SIZE = 64 << 20, CACHE_SLOTS_MAX = 2048, WAYS_MOST = 8 };

enum slot_state { SLOT_EMPTY, SLOT_DATA, SLOT_ZEROES, SLOT_DAMAGED };

struct slot {
    uint64_t chunk;
    enum slot_state state;
    uint64_t used; /* the request that asked for it last */
};

struct ewf_cache {
    void *reader;
    struct slot *slots;
    uint8_t *data;
    size_t ways;       /* slots that a chunk may lie in */
    size_t slot_count; /* a multiple of them */
    uint64_t requests;
};

void ewf_cache_free(struct ewf_cache *cache)
{
    if (!cache)
        return;
    ewf_reader_free(cache->reader);
    free(cache->slots);
    free(cache->data);
    free(cache);
}

struct ewf_cache *ewf_cache_new(const struct image *image)
{
    struct ewf_cache *cache = calloc(1, sizeof *cache);
    size_t chunk_size = image->container.chunk_size;

    if (!cache)
        goto failed;
    cache->slot_count = CACHE_SIZE / chunk_size;
    if (cache->slot_count > CACHE_SLOTS_MAX)
        cache->slot_count = CACHE_SLOTS_MAX;
    if (cache->slot_count < 2) /* chunks are as large as the set says */
        cache->slot_count = 2;
    cache->ways = cache->slot_count < WAYS_MOST ? cache->slot_count : WAYS_MOST;
    cache->slot_count -= cache->slot_count % cache->ways;
    cache->reader = ewf_reader_new(image);
    cache->slots = calloc(cache->slot_count, sizeof *cache->slots);
    cache->data = malloc(cache->slot_count * chunk_size);
    if (cache->reader && cache->slots && cache->data)
        return cache;
failed:
    ewf_cache_free(cache);
    error_set("out of memory");
    return NULL;
}

static uint8_t *slot_data(const struct ewf *ewf, const struct slot *slot)
{
    return ewf->cache->data + (size_t)(slot - ewf->cache->slots) * ewf->image.container.chunk_size;
}

/* The slot that holds the chunk, or the one to put it into. */
static struct slot *slot_for(const struct ewf_cache *cache, uint64_t chunk)
{
    const size_t sets = cache->slot_count / cache->ways;
    struct slot *slots = &cache->slots[chunk % sets * cache->ways], *oldest = slots;

    for (size_t i = 0; i < cache->ways; i++) {
        if (slots[i].state != SLOT_EMPTY && slots[i].chunk == chunk)
            return &slots[i];
        if (slots[i].used < oldest->used)
            oldest = &slots[i];
    }
    oldest->state = SLOT_EMPTY;
    return oldest;
}

static void load_slot(struct ewf *ewf, struct slot *slot, uint64_t chunk, uint64_t until)
{
    struct ewf_cache *cache = ewf->cache;
    const struct container *container = &ewf->image.container;
    const char *why =
        ewf_reader_chunk(&ewf->image, cache->reader, chunk, until, slot_data(ewf, slot));

    slot->chunk = chunk;
    slot->state = why                                    ? SLOT_DAMAGED
                  : ewf_reader_met_zeroes(cache->reader) ? SLOT_ZEROES
                                                         : SLOT_DATA;
    if (why)
        image_add_damage(&ewf->image, chunk * container->chunk_size,
                         ewf_chunk_part(container, chunk), why);
}

static const struct slot *slot_with(struct ewf *ewf, uint64_t chunk, uint64_t until)
{
    struct slot *slot = slot_for(ewf->cache, chunk);

    if (slot->state == SLOT_EMPTY)
        load_slot(ewf, slot, chunk, until);
    slot->used = ++ewf->cache->requests;
    return slot;
}

/* Whether the bytes hold sectors that were unreadable when the image was acquired. */
static bool meets_unread(const struct ewf *ewf, uint64_t offset, size_t size)
{
    uint64_t sector_size = ewf->geometry.sector_size, first = offset / sector_size;
    size_t low = 0, high = ewf->unread_count;

    while (low < high) { /* the first range that ends behind `first` */
        size_t middle = low + (high - low) / 2;
        if (ewf->unread[middle].first + ewf->unread[middle].count > first)
            high = middle;
        else
            low = middle + 1;
    }
    return size && low < ewf->unread_count &&
           ewf->unread[low].first <= (offset + size - 1) / sector_size;
}

ssize_t ewf_cache_read(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    struct ewf *ewf = (struct ewf *)image;
    size_t chunk_size = image->container.chunk_size, done = 0;
    uint64_t until = size ? (offset + size - 1) / chunk_size + 1 : 0;

    while (done < size) {
        uint64_t chunk = (offset + done) / chunk_size;
        size_t inside = (size_t)((offset + done) % chunk_size), part = chunk_size - inside;
        uint8_t *target = (uint8_t *)buffer + done;
        if (part > size - done)
            part = size - done;
        const struct slot *slot = slot_with(ewf, chunk, until);
        switch (slot->state) {
        case SLOT_ZEROES:
            memset(target, 0, part);
            break;
        case SLOT_DAMAGED:
            image->damage_hits++; /* and copies the zeroes */
            /* fall through */
        default:
            memcpy(target, slot_data(ewf, slot) + inside, part);
        }
        done += part;
    }
    if (meets_unread(ewf, offset, size))
        image->damage_hits++;
    return (ssize_t)done;
}
