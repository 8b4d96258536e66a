/*
 * Plain data between processes: numbers little-endian, text as a 32-bit size and its bytes. Reading
 * goes through a cursor, because a worker that was taken over is hostile input too.
 */
#ifndef TRIAGE_RECORD_WIRE_H
#define TRIAGE_RECORD_WIRE_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/record/event.h"

void wire_put_u8(struct buffer *out, uint8_t value);
void wire_put_u32(struct buffer *out, uint32_t value);
void wire_put_u64(struct buffer *out, uint64_t value);
void wire_put_slice(struct buffer *out, struct slice bytes);
/* NULL and "" are told apart. */
void wire_put_text(struct buffer *out, const char *text);
void wire_put_file(struct buffer *out, const struct file *file);
/* Without sources and artifact, which the reader knows from the job; raw is cut to `raw_ceiling`
 * bytes. */
void wire_put_event(struct buffer *out, const struct event *event, size_t raw_ceiling);

uint8_t wire_get_u8(struct cursor *in);
uint32_t wire_get_u32(struct cursor *in);
uint64_t wire_get_u64(struct cursor *in);
/* Borrowed from what the cursor reads. */
struct slice wire_get_slice(struct cursor *in);
/* NUL-terminated copy in the arena; the cursor fails when memory is out. NULL stays NULL. */
char *wire_get_text(struct cursor *in, struct arena *arena);
/* 0, or -1 with error_text when the bytes are not a file; texts are copied to the arena. */
int wire_get_file(struct cursor *in, struct arena *arena, struct file *file);
/* Likewise; values and raw are borrowed from what the cursor reads, event->file is left alone. */
int wire_get_event(struct cursor *in, struct arena *arena, struct event *event);

#endif
