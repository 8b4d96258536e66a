/*
 * Messages between a worker and a helper program, the same code on both sides: each side is hostile
 * to the other, the helper because it may have been taken over by the evidence.
 *
 * A message is a kind, the serial number of the request that it belongs to, and a body. It travels
 * over a SOCK_SEQPACKET socket as packets of at most CHANNEL_PACKET_MAX bytes,
 *
 *     u8 kind, u32 serial (little-endian), body
 *
 * all but the last of kind CHANNEL_MORE. Packets keep their borders, so what a process that died
 * left behind cannot be taken for the start of something else; what has an old serial is dropped.
 *
 *     worker                                   helper program
 *     REQUEST  u64 source id, u64 source size, rest: the program's own request  -->
 *                               <--  NEED   u64 offset, u32 size: bytes of the source
 *     BYTES    the bytes, short only at the source's end, or NO_BYTES text      -->
 *                               <--  ROW    one of many answers
 *                               <--  DONE   the end, and the answer when there is but one
 *                               <--  FAILED text, or ENDED text when the process died
 */
#ifndef TRIAGE_HELPERS_CHANNEL_H
#define TRIAGE_HELPERS_CHANNEL_H

#include "triage/base/buffer.h"

enum channel_kind {
    CHANNEL_MORE,
    CHANNEL_REQUEST,
    CHANNEL_NEED,
    CHANNEL_BYTES,
    CHANNEL_NO_BYTES,
    CHANNEL_ROW,
    CHANNEL_DONE,
    CHANNEL_FAILED,
    CHANNEL_ENDED,
};

enum {
    CHANNEL_PACKET_MAX = 128 << 10, /* bytes of a body in one packet */
    CHANNEL_MESSAGE_MAX = 16 << 20, /* bytes of a whole body */
    CHANNEL_NEED_MAX = 1 << 20,     /* bytes of the source asked for at once */
    CHANNEL_SEND_SECONDS = 30,      /* until a peer that does not read is given up */
    CHANNEL_NO_DEADLINE = -1,
};

struct channel {
    int socket;
    uint8_t *packet;       /* the last one received */
    struct buffer message; /* put together from packets */
    uint32_t serial;       /* that the parts in `message` belong to */
};

struct message {
    uint8_t kind;
    uint32_t serial;
    struct slice body; /* borrowed from the channel until its next receive */
};

/* Over a socket, which stays the caller's. -1 with error_text. */
int channel_init(struct channel *channel, int socket);
void channel_release(struct channel *channel);
/* Two connected sockets, closed on exec. -1 with error_text. */
int channel_pair(int sockets[2]);

/* -1 with error_text: the peer is gone or does not read. */
int channel_send(struct channel *channel, uint8_t kind, uint32_t serial, struct slice body);
/*
 * 1 with a message, 0 when the peer closed, -1 with error_text: `deadline` (channel_now's
 * milliseconds, or CHANNEL_NO_DEADLINE) has passed, or what came is no message.
 */
int channel_receive(struct channel *channel, int64_t deadline, struct message *message);
/* Milliseconds of a clock that only runs forward. */
int64_t channel_now(void);

#endif
