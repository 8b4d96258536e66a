/*
 * Log sources as data: which channels and event ids Sigma's services and categories mean, which
 * names of fields stand for each other, what the evidence cannot show. The shipped
 * rules/logsources.yml is built in; a user's own adds to it.
 */
#ifndef TRIAGE_MATCH_LOGSOURCES_H
#define TRIAGE_MATCH_LOGSOURCES_H

#include "triage/match/yaml.h"
#include "triage/record/source_map.h"

struct logsources;

/* With what is built in; trees live in the arena. -1 with error_text. */
int logsources_new(struct arena *arena, struct logsources **out);
void logsources_free(struct logsources *sources);
/* Adds a logsources.yml. -1 with the line and the reason. */
int logsources_add(struct logsources *sources, struct slice text);
const struct source_map *logsources_map(const struct logsources *sources);

/* What the vocabulary calls a field that a rule calls `name`; the name itself when nothing is
 * known. */
const char *logsources_common_name(const struct logsources *sources, const char *name);
/* Further names of the field in records of that source: a text or a list of them; NULL when there
 * are none. `next` counts from 0: first those of the category, then those of the service. */
const struct yaml_node *logsources_other_names(const struct logsources *sources,
                                               const struct log_source *source, const char *name,
                                               unsigned next);
/* False only where all fields of a source are known (`known` in the data) and this is none of them.
 */
bool logsources_gives_field(const struct logsources *sources, const struct log_source *source,
                            const char *name);
/* Why no evidence can have events of that source; NULL when nothing is said of it. */
const char *logsources_reason(const struct logsources *sources, const struct log_source *source);

#endif
