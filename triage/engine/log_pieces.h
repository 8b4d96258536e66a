/*
 * A log of any size in pieces of whole lines for the content rules, made of what an artifact reads
 * of it: so the evidence is read once. Only texts are taken to pieces.
 */
#ifndef TRIAGE_ENGINE_LOG_PIECES_H
#define TRIAGE_ENGINE_LOG_PIECES_H

#include "triage/base/buffer.h"

enum { LOG_PIECE_SIZE = 32 << 20 };

struct log_pieces {
    struct buffer bytes; /* not yet given out */
    uint64_t base;       /* of the first of them in the file */
    bool begun, binary, wide, little;
};

void log_pieces_release(struct log_pieces *pieces);
/* Offset of the next byte that is wanted. */
uint64_t log_pieces_next(const struct log_pieces *pieces);
/* What was read there; what is known already or does not follow is left alone. */
void log_pieces_add(struct log_pieces *pieces, uint64_t offset, struct slice bytes);
/* The piece that is due, or with `last` what is left; empty when there is none. Valid until
 * log_pieces_drop, which must follow. */
struct slice log_pieces_take(const struct log_pieces *pieces, bool last);
void log_pieces_drop(struct log_pieces *pieces, size_t size);

#endif
