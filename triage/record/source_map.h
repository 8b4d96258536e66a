/*
 * Which log sources, in Sigma's words, a record of an event log belongs to: by its channel, its
 * event id and, where the id alone does not say it, the value of a field. Filled by the parent from
 * the data in logsources.yml, then shared read-only.
 */
#ifndef TRIAGE_RECORD_SOURCE_MAP_H
#define TRIAGE_RECORD_SOURCE_MAP_H

#include "triage/record/event.h"

struct source_map;

/* Stands for every log source of event logs, whatever they are: matchers put the map's in its
 * place. */
extern const struct log_source source_map_any[];

/* "Only where the field has one of the values"; a NULL field: always. */
struct source_where {
    const char *field;
    const char *const *values; /* NULL-ended */
};

/* NULL when memory is out. Texts that are added are borrowed for the map's life; what is there
 * already is not added twice. The others give -1 with error_text. */
struct source_map *source_map_new(void);
void source_map_free(struct source_map *map);
int source_map_add_channel(struct source_map *map, const char *service, const char *channel);
int source_map_add_category(struct source_map *map, const char *category, const char *service,
                            uint64_t number, struct source_where where);
int source_map_add_also(struct source_map *map, const char *service, struct log_source source);
/* Makes the lists that the two below give; to be called again when something was added. */
int source_map_finish(struct source_map *map);

/* Every log source that a record can have, ended by an empty one. */
const struct log_source *source_map_all(const struct source_map *map);
/* Those of a record, whose values are looked at as far as needed; a channel that nobody named
 * belongs to Windows alone. Ended by an empty one; the same list for the same answer. A NULL map
 * knows no channel. */
const struct log_source *source_map_of(const struct source_map *map, struct slice channel,
                                       uint64_t number, const struct event *event);

#endif
