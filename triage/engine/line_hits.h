/*
 * Matches of content rules in a log are told with the record that they lie in: its number, its
 * time, its client. The places are collected while the content is searched; then the file is
 * parsed once more, from memory where it is held there, and only when something matched.
 */
#ifndef TRIAGE_ENGINE_LINE_HITS_H
#define TRIAGE_ENGINE_LINE_HITS_H

#include "artifacts/artifact.h"

enum { LINE_PLACES_MOST = 4096, LINES_TOLD_MOST = 64, LINE_RULES_MOST = 256 };

struct line_hits;

struct line_hits_sink {
    void *context;
    /* A rule's match in a record; `places`: "$a at 0x12, $b at 0x40". The event is borrowed. */
    void (*line)(void *context, size_t rule, const char *places, const struct event *event);
    /* One that lies in no record, or that no string of the file makes. */
    void (*file)(void *context, size_t rule, const char *places);
    /* So many records of the file match a rule: LINES_TOLD_MOST of them were told. */
    void (*more)(void *context, size_t rule, size_t lines);
};

/* NULL when the arena is full. */
struct line_hits *line_hits_new(struct arena *arena);
/* A place where a string of the rule was found; all of them before line_hits_add. */
void line_hits_place(struct line_hits *hits, size_t rule, uint64_t offset, const char *string);
/* The rule matched. False when that is not kept: it is to be told as a match of the file. */
bool line_hits_add(struct line_hits *hits, size_t rule, const char *places);
/* Tells all that was added. `wide`: records are UTF-16, twice as long as their text. */
void line_hits_tell(struct line_hits *hits, const struct job *job, bool wide,
                    const struct line_hits_sink *sink);

#endif
