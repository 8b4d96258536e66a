/* The parts of findings.json, and what they share. For
 * findings_json.c only. */
#ifndef TRIAGE_FINDINGS_FINDINGS_JSON_H
#define TRIAGE_FINDINGS_FINDINGS_JSON_H

#include "triage/base/json.h"
#include "triage/findings/findings.h"

/* Null when it is not known. */
void findings_json_time(struct json *json, const char *key, bool known, int64_t time);
void findings_json_texts(struct json *json, const char *key, const char *const *list, size_t count);
/* Rows of the case's table `indicator`, line numbers of timeline.jsonl for those with a time: at
 * most 200 of the `count` that are known, out of `all`. */
void findings_json_sightings(const struct findings *findings, struct json *json, const size_t *list,
                             size_t count, size_t all);

void findings_json_losses(const struct findings *findings, struct json *json);
void findings_json_exchange(const struct exposure *exposure, struct json *json);
void findings_json_update(const struct exposure *exposure, struct json *json);
void findings_json_mitigations(const struct mitigations *mitigations, struct json *json);
void findings_json_configuration(const struct exposure *exposure, struct json *json);
void findings_json_hybrid(const struct findings *findings, struct json *json);
void findings_json_retention(const struct retention *retention, struct json *json);

#endif
