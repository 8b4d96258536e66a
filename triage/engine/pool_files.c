/* Files that the parent makes and workers write: outputs of tasks, and blanks that wait for
 * whatever is worth being kept. */
#include "triage/engine/pool_parts.h"

#include "triage/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

int pool_open_output(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

bool pool_is_place_lost(int reason)
{
    return reason == ENOSPC || reason == EDQUOT || reason == EROFS || reason == EIO;
}

bool pool_send(int socket, struct slice batch, const int *descriptors, size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * BATCH_DESCRIPTORS)];
    } control;
    const uint32_t size = (uint32_t)batch.size;
    uint8_t head[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                       (uint8_t)(size >> 24)};
    struct iovec part = {head, sizeof head};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (count) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *attached = CMSG_FIRSTHDR(&message);
        attached->cmsg_level = SOL_SOCKET;
        attached->cmsg_type = SCM_RIGHTS;
        attached->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(attached), descriptors, sizeof(int) * count);
    }
    if (sendmsg(socket, &message, MSG_NOSIGNAL) != (ssize_t)sizeof head)
        return false;
    while (batch.size) {
        const ssize_t sent = send(socket, batch.data, batch.size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        batch = slice_from(batch, (size_t)sent);
    }
    return true;
}

/* --- blanks --- */

static bool blank_path(const struct pool *pool, uint64_t number, char path[BLANK_PATH_SIZE])
{
    const int size = snprintf(path, BLANK_PATH_SIZE, "%s/%" PRIu64, pool->blanks, number);

    return size > 0 && size < BLANK_PATH_SIZE;
}

/* For what all workers are at, and as much again for the case itself: what fills a blank can be
 * read once more later, when nothing else is to be written. */
static bool has_room(const struct pool *pool)
{
    struct statvfs place;

    return statvfs(pool->blanks, &place) == 0 &&
           (uint64_t)place.f_bavail * place.f_frsize / (pool->jobs + 1) >= pool->blank_most;
}

void pool_fill_blanks(const struct pool *pool, struct blanks *blanks, uint64_t *made,
                      int *descriptors, size_t *count)
{
    char path[BLANK_PATH_SIZE];

    if (!pool->blanks || !has_room(pool))
        return;
    for (size_t slot = 0; slot < BATCH_TASKS && *count < BATCH_DESCRIPTORS; slot++) {
        if (blanks->numbers[slot])
            continue;
        if (!blank_path(pool, *made + 1, path) ||
            (descriptors[*count] = pool_open_output(path)) < 0)
            return;
        blanks->numbers[slot] = ++*made;
        ++*count;
    }
}

bool pool_take_blank(const struct pool *pool, struct blanks *blanks, size_t slot,
                     char path[BLANK_PATH_SIZE])
{
    if (slot >= BATCH_TASKS || !blanks->numbers[slot] ||
        !blank_path(pool, blanks->numbers[slot], path))
        return false;
    blanks->numbers[slot] = 0;
    return true;
}

void pool_drop_blanks(const struct pool *pool, struct blanks *blanks)
{
    char path[BLANK_PATH_SIZE];

    for (size_t slot = 0; slot < BATCH_TASKS; slot++)
        if (pool_take_blank(pool, blanks, slot, path))
            unlink(path);
}
