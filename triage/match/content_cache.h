/*
 * Compiled YARA rules, kept from run to run in $XDG_CACHE_HOME/extriage (or ~/.cache/extriage).
 * What is loaded must be the user's own file in a folder of his own, which nobody else could write,
 * with the hash of its key and content that was noted when it was made. A cache that cannot be used
 * costs time, nothing else.
 */
#ifndef TRIAGE_MATCH_CONTENT_CACHE_H
#define TRIAGE_MATCH_CONTENT_CACHE_H

#include "triage/base/buffer.h"

/* `key`: hexadecimal, of all that the content depends on. False when there is none that is safe. */
bool content_cache_load(const char *key, struct buffer *content);
void content_cache_store(const char *key, struct slice content);

#endif
