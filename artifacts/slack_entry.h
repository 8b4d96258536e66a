/*
 * What an index entry in slack space becomes: an event "file.remnant" for a name that its folder
 * holds no more. Shared by what reads folder indexes and the slack of $MFT entries.
 */
#ifndef ARTIFACTS_SLACK_ENTRY_H
#define ARTIFACTS_SLACK_ENTRY_H

#include "artifacts/artifact.h"
#include "triage/formats/index_record.h"

struct slack_entries;

extern const struct log_source slack_sources[];

/* For one job; NULL with error_text when memory is out. */
struct slack_entries *slack_entries_new(struct job *job);
void slack_entries_free(struct slack_entries *entries);
/* Counts the entry and tells it, once for each name and birth, unless the file is still there.
 * `offset`: of the entry in the file at work. */
void slack_entry_take(struct slack_entries *entries, const struct index_entry *entry,
                      uint64_t offset);

#endif
