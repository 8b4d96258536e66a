/* Stretches of time around indicators, merged where they meet, for what belongs to their context.
 */
#ifndef TRIAGE_ENGINE_TIME_WINDOWS_H
#define TRIAGE_ENGINE_TIME_WINDOWS_H

#include "triage/base/instant.h"

#include <stddef.h>
#include <stdint.h>

enum { TIME_WINDOWS_MOST = 1 << 18 };

struct time_window {
    int64_t from, to; /* ticks, both within */
};

struct time_windows {
    struct time_window *windows; /* ascending, apart from each other */
    size_t count, room;
    int64_t reach; /* ticks before and after */
};

/* Adds the surroundings of a time not before the ones added so far; when there are too many, the
 * last one grows instead. -1 with error_text when memory is out. */
int time_windows_add(struct time_windows *windows, struct instant when);
void time_windows_release(struct time_windows *windows);
bool time_windows_hold(const struct time_windows *windows, struct instant when);

#endif
