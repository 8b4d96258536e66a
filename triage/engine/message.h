/* Sentences and rows out of events. */
#ifndef TRIAGE_ENGINE_MESSAGE_H
#define TRIAGE_ENGINE_MESSAGE_H

#include "triage/base/buffer.h"
#include "triage/record/event.h"

/* The sentence of the event's kind with its values put in; values are cut at 300 bytes, control
 * bytes become blanks. */
void message_of(const struct event *event, struct buffer *out);
/* The event's fields as a JSON object: each name once, aliases left out. */
void message_fields(const struct event *event, struct buffer *out);

#endif
