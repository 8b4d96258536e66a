/*
 * From records of the change journal to events, whatever they were read from. A record becomes a
 * line of text that the prefilter looks at; only those nominated become events.
 *
 * Reasons add up while a file is open, so that one creation stands in three or four records. The
 * log source "file_event" (and "file_delete", "file_rename") belongs to the first of them only.
 */
#ifndef ARTIFACTS_USN_EVENTS_H
#define ARTIFACTS_USN_EVENTS_H

#include "artifacts/usn_paths.h"

struct usn_events;

/* For one job; `marks` are given to each event. NULL with error_text when memory is out. */
struct usn_events *usn_events_new(struct job *job, unsigned marks);
void usn_events_free(struct usn_events *events);
/* The folders as the records so far have them; belongs to `events`. */
struct usn_paths *usn_events_paths(struct usn_events *events);
/* The next record, in the order of their time unless they are recovered ones, which begins at
 * `offset` of the file. What its slices point to must stay until the flush. */
void usn_events_add(struct usn_events *events, const struct usn_record *record, uint64_t offset);
/* Has the prefilter look at the lines, tells those that it nominates, and forgets them all. */
void usn_events_flush(struct usn_events *events);

#endif
