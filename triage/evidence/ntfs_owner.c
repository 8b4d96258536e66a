#include "triage/evidence/ntfs_owner.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_SIZE = 20, /* hash, id, offset in $SDS, size with this header */
    ALIGNMENT = 16,
    DESCRIPTOR_CEILING = 0x20000,
    MOST_OWNERS = 1 << 20,
    MOST_SUBAUTHORITIES = 15,
};

struct owner {
    uint32_t id;
    char *sid;
};

struct ntfs_owners {
    struct owner *list; /* ascending by id */
    size_t count, room;
};

bool ntfs_sid_text(struct slice bytes, char text[SID_TEXT_SIZE])
{
    struct cursor c = cursor_over(bytes, 0);
    const uint8_t revision = cursor_u8(&c), count = cursor_u8(&c);
    const uint64_t authority = (uint64_t)cursor_u16be(&c) << 32 | cursor_u32be(&c);
    size_t used =
        (size_t)snprintf(text, SID_TEXT_SIZE, "S-%u-%llu", revision, (unsigned long long)authority);

    if (cursor_failed(&c) || revision != 1 || count == 0 || count > MOST_SUBAUTHORITIES)
        return false;
    for (uint8_t i = 0; i < count && used < SID_TEXT_SIZE; i++)
        used += (size_t)snprintf(text + used, SID_TEXT_SIZE - used, "-%u", cursor_u32le(&c));
    return !cursor_failed(&c) && used < SID_TEXT_SIZE;
}

/* The owner of a self-relative security descriptor. */
static bool descriptor_owner(struct slice descriptor, char text[SID_TEXT_SIZE])
{
    struct cursor c = cursor_over(descriptor, 0);

    cursor_skip(&c, 4);
    const uint32_t owner = cursor_u32le(&c);
    return !cursor_failed(&c) && owner != 0 && ntfs_sid_text(slice_from(descriptor, owner), text);
}

static bool add(struct ntfs_owners *owners, uint32_t id, const char *sid)
{
    if (owners->count == owners->room) {
        const size_t room = owners->room ? 2 * owners->room : 256;
        struct owner *grown =
            room > MOST_OWNERS ? NULL : realloc(owners->list, room * sizeof *grown);
        if (!grown)
            return false;
        owners->list = grown;
        owners->room = room;
    }
    char *copy = strdup(sid);
    if (!copy)
        return false;
    owners->list[owners->count++] = (struct owner){id, copy};
    return true;
}

/* One entry at `at`; gives where the next may begin. The mirror of each block names the offset of
 * its original, so it does not fit to where it lies and is passed over. */
static size_t take_entry(struct ntfs_owners *owners, struct slice sds, size_t at)
{
    struct cursor c = cursor_over(slice_from(sds, at), at);
    char sid[SID_TEXT_SIZE];

    cursor_skip(&c, 4);
    const uint32_t id = cursor_u32le(&c);
    const uint64_t offset = cursor_u64le(&c);
    const uint32_t size = cursor_u32le(&c);
    if (cursor_failed(&c) || offset != at || size <= HEADER_SIZE || size > DESCRIPTOR_CEILING)
        return at + ALIGNMENT;
    if (descriptor_owner(slice_part(sds, at + HEADER_SIZE, size - HEADER_SIZE), sid))
        add(owners, id, sid);
    return at + (((size_t)size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
}

static int by_id(const void *a, const void *b)
{
    const uint32_t x = ((const struct owner *)a)->id, y = ((const struct owner *)b)->id;

    return (x > y) - (x < y);
}

struct ntfs_owners *ntfs_owners_new(struct slice sds)
{
    struct ntfs_owners *owners = calloc(1, sizeof *owners);

    if (!owners) {
        error_set("out of memory");
        return NULL;
    }
    for (size_t at = 0; at + HEADER_SIZE <= sds.size;)
        at = take_entry(owners, sds, at);
    if (owners->count)
        qsort(owners->list, owners->count, sizeof *owners->list, by_id);
    return owners;
}

void ntfs_owners_free(struct ntfs_owners *owners)
{
    if (!owners)
        return;
    for (size_t i = 0; i < owners->count; i++)
        free(owners->list[i].sid);
    free(owners->list);
    free(owners);
}

const char *ntfs_owner_sid(const struct ntfs_owners *owners, uint32_t security_id)
{
    const struct owner wanted = {security_id, NULL};
    const struct owner *found =
        owners->count ? bsearch(&wanted, owners->list, owners->count, sizeof wanted, by_id) : NULL;

    return found ? found->sid : NULL;
}
