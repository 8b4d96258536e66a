/*
 * Where the runs of chunks that a scan found belong on the medium. What lies in front of the first
 * gap is counted from the start, what lies behind the last one from the end; the rest has no
 * certain place and is damage.
 */
#include "triage/evidence/ewf.h"

#include <stdlib.h>

static uint64_t chunks_in(const struct ewf *ewf, size_t from, size_t to)
{
    uint64_t sum = 0;

    for (size_t i = from; i < to; i++)
        sum += ewf->runs[i].count;
    return sum;
}

bool ewf_is_complete(const struct ewf *ewf)
{
    return chunks_in(ewf, 0, ewf->run_count) == ewf->chunk_count;
}

static const char *gap_reason(struct ewf *ewf, size_t from, size_t to)
{
    const char *first = NULL, *last = NULL;

    for (size_t i = from; i < to; i++) {
        if (!ewf->runs[i].why)
            continue;
        if (!first)
            first = ewf->runs[i].why;
        last = ewf->runs[i].why;
    }
    if (!first)
        return "the tables name fewer chunks than the volume section";
    if (first == last)
        return first;
    return arena_format(ewf->arena, "%s, and %s: what lies between cannot be placed for certain",
                        first, last);
}

static bool is_gap(const struct ewf_run *run)
{
    return run->count == 0;
}

/* Places runs [from, to) one behind the other from chunk `first`; gives the chunk behind them. */
static uint64_t place_runs(struct ewf *ewf, size_t from, size_t to, uint64_t first)
{
    for (size_t i = from; i < to; i++) {
        ewf->runs[i].first = first;
        ewf->runs[i].placed = true;
        first += ewf->runs[i].count;
    }
    return first;
}

static void damage_chunks(struct ewf *ewf, uint64_t from, uint64_t to, const char *why)
{
    uint64_t chunk_size = ewf->image.container.chunk_size, size = ewf->image.container.size;

    if (to > ewf->chunk_count)
        to = ewf->chunk_count;
    if (from >= to)
        return;
    image_add_damage(&ewf->image, from * chunk_size,
                     to == ewf->chunk_count ? size - from * chunk_size : (to - from) * chunk_size,
                     why ? why : "damaged"); /* NULL when the arena is full */
}

/* Drops what has no place or no entries; the rest is in order of the medium. */
static void keep_usable(struct ewf *ewf)
{
    size_t kept = 0;

    for (size_t i = 0; i < ewf->run_count; i++) {
        struct ewf_run *run = &ewf->runs[i];
        if (run->placed && !run->why) {
            ewf->runs[kept++] = *run;
            continue;
        }
        if (run->placed)
            damage_chunks(ewf, run->first, run->first + run->count, run->why);
        free(run->entries);
    }
    ewf->run_count = kept;
}

static void damage_cut_chunks(struct ewf *ewf)
{
    for (size_t i = 0; i < ewf->run_count; i++) {
        const struct ewf_run *run = &ewf->runs[i];
        damage_chunks(ewf, run->first + run->cut_from, run->first + run->count,
                      "the segment is cut short");
    }
}

static int by_first(const void *a, const void *b)
{
    const struct ewf_sectors *one = a, *other = b;

    return one->first < other->first ? -1 : one->first > other->first;
}

/* Sorts and joins the sectors that the acquiring tool could not read, and notes them as damage. */
static void damage_unread(struct ewf *ewf)
{
    uint64_t sectors = ewf->geometry.sector_count, sector_size = ewf->geometry.sector_size;
    size_t kept = 0;

    if (ewf->unread_count)
        qsort(ewf->unread, ewf->unread_count, sizeof *ewf->unread, by_first);
    for (size_t i = 0; i < ewf->unread_count; i++) {
        struct ewf_sectors range = ewf->unread[i], *last = &ewf->unread[kept - (kept > 0)];
        if (range.first >= sectors)
            break;
        if (range.count > sectors - range.first)
            range.count = sectors - range.first;
        if (kept == 0 || range.first > last->first + last->count)
            ewf->unread[kept++] = range;
        else if (range.first + range.count > last->first + last->count)
            last->count = range.first + range.count - last->first;
    }
    ewf->unread_count = kept;
    for (size_t i = 0; i < kept; i++)
        image_add_damage(&ewf->image, ewf->unread[i].first * sector_size,
                         ewf->unread[i].count * sector_size,
                         "unreadable when the image was acquired");
}

int ewf_place(struct ewf *ewf)
{
    size_t head = 0, tail = ewf->run_count;
    uint64_t behind_head, tail_start = ewf->chunk_count;

    if (ewf_is_complete(ewf))
        head = ewf->run_count; /* nothing is lost: all gaps are empty */
    while (head < ewf->run_count && !is_gap(&ewf->runs[head]))
        head++;
    behind_head = place_runs(ewf, 0, head, 0);
    if (head < ewf->run_count) {
        while (!is_gap(&ewf->runs[tail - 1]))
            tail--;
        /* The end of the set is there, so what follows the last gap ends where the medium ends. */
        uint64_t count = chunks_in(ewf, tail, ewf->run_count);
        if (count <= ewf->chunk_count && ewf->chunk_count - count >= behind_head) {
            tail_start = ewf->chunk_count - count;
            place_runs(ewf, tail, ewf->run_count, tail_start);
        }
    }
    if (behind_head < tail_start)
        damage_chunks(ewf, behind_head, tail_start, gap_reason(ewf, head, tail));
    keep_usable(ewf);
    damage_cut_chunks(ewf);
    damage_unread(ewf);
    return 0;
}
