/* How long each stage of a run took, and how much of the processors, for run.json. */
#ifndef TRIAGE_COMMANDS_STAGE_TIMES_H
#define TRIAGE_COMMANDS_STAGE_TIMES_H

#include "triage/base/json.h"

#include <stddef.h>

enum { STAGE_TIMES_MOST = 16 };

struct stage_times {
    struct {
        const char *name;
        int64_t wall, cpu; /* milliseconds; cpu: of this process and the workers that ended */
    } list[STAGE_TIMES_MOST];
    size_t count;
    int64_t wall, cpu; /* when the last stage ended */
};

void stage_times_start(struct stage_times *times);
/* What went on since the last call was this stage. */
void stage_times_end(struct stage_times *times, const char *name);
/* Member "stages". */
void stage_times_json(const struct stage_times *times, struct json *json);

#endif
