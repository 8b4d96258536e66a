/* Stretches of time around indicators. See time_windows.h. */
#include "triage/engine/time_windows.h"

#include "triage/base/error.h"

#include <stdlib.h>

static int grow(struct time_windows *windows)
{
    const size_t room = windows->room ? 2 * windows->room : 64;
    struct time_window *grown = realloc(windows->windows, room * sizeof *grown);

    if (!grown)
        return error_set("out of memory");
    windows->windows = grown;
    windows->room = room;
    return 0;
}

int time_windows_add(struct time_windows *windows, struct instant when)
{
    const struct time_window added = {when.ticks - windows->reach, when.ticks + windows->reach};
    struct time_window *last = windows->count ? &windows->windows[windows->count - 1] : NULL;

    /* Whoever spreads traces over a thousand years gets one long stretch, not an end of the run. */
    if (last && (added.from <= last->to || windows->count == TIME_WINDOWS_MOST)) {
        last->to = added.to > last->to ? added.to : last->to;
        return 0;
    }
    if (windows->count == windows->room && grow(windows) < 0)
        return -1;
    windows->windows[windows->count++] = added;
    return 0;
}

void time_windows_release(struct time_windows *windows)
{
    free(windows->windows);
    *windows = (struct time_windows){.reach = windows->reach};
}

bool time_windows_hold(const struct time_windows *windows, struct instant when)
{
    size_t low = 0, high = windows->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (windows->windows[middle].to < when.ticks)
            low = middle + 1;
        else
            high = middle;
    }
    return instant_known(when) && low < windows->count && windows->windows[low].from <= when.ticks;
}
