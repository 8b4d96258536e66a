#include "triage/helpers/channel.h"

#include "triage/base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

enum { HEAD_SIZE = 5, ROOM = HEAD_SIZE + CHANNEL_PACKET_MAX };

int channel_init(struct channel *channel, int socket)
{
    *channel = (struct channel){.socket = socket, .packet = malloc(ROOM)};
    return channel->packet ? 0 : error_set("out of memory");
}

void channel_release(struct channel *channel)
{
    free(channel->packet);
    channel->packet = NULL;
    buffer_release(&channel->message);
}

int channel_pair(int sockets[2])
{
    const struct timeval patience = {.tv_sec = CHANNEL_SEND_SECONDS};
    const int room = 2 * ROOM;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return error_set_errno("a pair of sockets cannot be made");
    for (int i = 0; i < 2; i++) { /* the system's default has room enough; this is for small ones */
        setsockopt(sockets[i], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(sockets[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
    return 0;
}

int64_t channel_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int send_packet(int socket, uint8_t kind, uint32_t serial, struct slice body)
{
    uint8_t head[HEAD_SIZE] = {kind, (uint8_t)serial, (uint8_t)(serial >> 8),
                               (uint8_t)(serial >> 16), (uint8_t)(serial >> 24)};
    struct iovec parts[2] = {
        {.iov_base = head, .iov_len = sizeof head},
        {.iov_base = (void *)(uintptr_t)body.data, .iov_len = body.size},
    };
    const struct msghdr packet = {.msg_iov = parts, .msg_iovlen = body.size ? 2 : 1};
    ssize_t sent;

    do
        sent = sendmsg(socket, &packet, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return error_set("the other side does not read");
    return sent < 0 ? error_set_errno("the other side is gone") : 0;
}

int channel_send(struct channel *channel, uint8_t kind, uint32_t serial, struct slice body)
{
    if (body.size > CHANNEL_MESSAGE_MAX)
        return error_set("a message of %zu bytes is too large", body.size);
    for (; body.size > CHANNEL_PACKET_MAX; body = slice_from(body, CHANNEL_PACKET_MAX))
        if (send_packet(channel->socket, CHANNEL_MORE, serial,
                        slice_part(body, 0, CHANNEL_PACKET_MAX)) < 0)
            return -1;
    return send_packet(channel->socket, kind, serial, body);
}

/* 1 when there is something to read before the deadline. */
static int wait_for_packet(const struct channel *channel, int64_t deadline)
{
    struct pollfd ready = {.fd = channel->socket, .events = POLLIN};

    for (;;) {
        int64_t left = deadline == CHANNEL_NO_DEADLINE ? -1 : deadline - channel_now();
        if (deadline != CHANNEL_NO_DEADLINE && left <= 0)
            return error_set("there is no answer in time");
        if (left > 1000 * 1000)
            left = 1000 * 1000;
        const int count = poll(&ready, 1, (int)left);
        if (count > 0)
            return 1;
        if (count < 0 && errno != EINTR)
            return error_set_errno("cannot wait for the other side");
    }
}

/* One packet: 1, 0 at the end, -1. */
static int receive_packet(struct channel *channel, int64_t deadline, struct message *packet)
{
    ssize_t got;

    do {
        if (wait_for_packet(channel, deadline) < 0)
            return -1;
        got = recv(channel->socket, channel->packet, ROOM, MSG_TRUNC | MSG_DONTWAIT);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        return 0;
    if (got < 0)
        return error_set_errno("cannot read from the other side");
    if (got > ROOM)
        return error_set("the other side sent a packet that is too large");
    struct cursor c = cursor_over(slice_of(channel->packet, (size_t)got), 0);
    packet->kind = cursor_u8(&c);
    packet->serial = cursor_u32le(&c);
    packet->body = cursor_take(&c, cursor_left(&c));
    return cursor_failed(&c) ? error_set("the other side sent a packet that is cut short") : 1;
}

/* Adds a packet to those before it. -1 when the message gets too large. */
static int add_part(struct channel *channel, const struct message *packet)
{
    if (packet->body.size > CHANNEL_MESSAGE_MAX - channel->message.size)
        return error_set("the other side sent a message that is too large");
    buffer_add(&channel->message, packet->body);
    return buffer_failed(&channel->message) ? error_set("out of memory") : 0;
}

int channel_receive(struct channel *channel, int64_t deadline, struct message *message)
{
    buffer_clear(&channel->message);
    for (;;) {
        const int result = receive_packet(channel, deadline, message);
        if (result <= 0)
            return result;
        if (message->serial != channel->serial) { /* the rest of those parts will never come */
            buffer_clear(&channel->message);
            channel->serial = message->serial;
        }
        if (message->kind != CHANNEL_MORE && channel->message.size == 0)
            return 1; /* the usual case: nothing is copied */
        if (add_part(channel, message) < 0)
            return -1;
        if (message->kind != CHANNEL_MORE)
            break;
    }
    message->body = buffer_slice(&channel->message);
    return 1;
}
