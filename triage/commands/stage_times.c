#include "triage/commands/stage_times.h"

#include <sys/resource.h>
#include <time.h>

static int64_t wall_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t milliseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static int64_t cpu_now(void)
{
    static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    struct rusage usage;
    int64_t sum = 0;

    for (size_t i = 0; i < sizeof whose / sizeof *whose; i++)
        if (getrusage(whose[i], &usage) == 0)
            sum += milliseconds(&usage.ru_utime) + milliseconds(&usage.ru_stime);
    return sum;
}

void stage_times_start(struct stage_times *times)
{
    *times = (struct stage_times){.wall = wall_now()};
}

void stage_times_end(struct stage_times *times, const char *name)
{
    const int64_t wall = wall_now(), cpu = cpu_now();

    if (times->count == STAGE_TIMES_MOST)
        return;
    times->list[times->count].name = name;
    times->list[times->count].wall = wall - times->wall;
    times->list[times->count].cpu = cpu - times->cpu;
    times->count++;
    times->wall = wall;
    times->cpu = cpu;
}

void stage_times_json(const struct stage_times *times, struct json *json)
{
    json_key(json, "stages");
    json_array(json);
    for (size_t i = 0; i < times->count; i++) {
        json_object(json);
        json_pair(json, "stage", times->list[i].name);
        json_pair_integer(json, "milliseconds", times->list[i].wall);
        json_pair_integer(json, "cpu_milliseconds", times->list[i].cpu);
        json_object_end(json);
    }
    json_array_end(json);
}
