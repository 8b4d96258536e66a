#include "triage/report/coverage_sums.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"

#include <stdlib.h>
#include <string.h>

enum { MISSING_DAYS_SHOWN = 4000 };

struct day {
    int64_t number; /* since 1601-01-01 */
    uint32_t hours; /* bit h: there are records of that hour */
};

/* The sums of one artifact. */
struct sum {
    char *artifact, *first, *last;
    int64_t files, bytes, records, used, repaired, rejected, backward, gaps, missing;
    int64_t notices_left, facts_left, rejected_left;
    bool continuous;
    struct day *days; /* of all its files; each once when the rows are in */
    size_t day_count, day_room;
};

struct sums {
    struct sum *list;
    size_t count;
};

static struct sum *sum_of(struct sums *sums, const char *artifact)
{
    for (size_t i = 0; i < sums->count; i++)
        if (strcmp(sums->list[i].artifact, artifact) == 0)
            return &sums->list[i];
    struct sum *grown = realloc(sums->list, (sums->count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    sums->list = grown;
    grown[sums->count] = (struct sum){.artifact = strdup(artifact)};
    return grown[sums->count].artifact ? &grown[sums->count++] : NULL;
}

static int replace(char **text, const char *with)
{
    free(*text);
    return (*text = strdup(with)) ? 0 : error_set("out of memory");
}

static int add_day(struct sum *sum, int64_t number, uint32_t hours)
{
    if (sum->day_count == sum->day_room) {
        const size_t room = sum->day_room ? 2 * sum->day_room : 64;
        struct day *grown = realloc(sum->days, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        sum->days = grown;
        sum->day_room = room;
    }
    sum->days[sum->day_count++] = (struct day){number, hours};
    return 0;
}

/* The lists are our own: ["2021-03-01","2021-03-02"] and six digits for each of them. */
static int add_days(struct sum *sum, const char *list, const char *hours)
{
    enum { DIGITS = 6 };
    struct slice rest = slice_of_text(list);
    struct instant day;
    size_t quote;

    while ((quote = slice_find(rest, 0, '"')) != SIZE_MAX) {
        char digits[DIGITS + 1] = "";
        strncat(digits, hours, DIGITS);
        hours += strlen(digits);
        if (instant_parse(slice_part(rest, quote + 1, 10), &day, NULL) &&
            add_day(sum, day.ticks / TICKS_PER_DAY, (uint32_t)strtoul(digits, NULL, 16)) < 0)
            return -1;
        rest = slice_from(rest, quote + 12);
    }
    return 0;
}

static int add_to_sum(void *context, const struct case_coverage *row)
{
    struct sum *sum = sum_of(context, row->artifact);

    if (!sum)
        return error_set("out of memory");
    sum->files++;
    sum->bytes += row->bytes;
    sum->records += row->records;
    sum->used += row->used;
    sum->repaired += row->repaired;
    sum->rejected += row->rejected;
    sum->backward += row->backward;
    sum->continuous |= row->continuous;
    sum->gaps += row->gaps;
    sum->missing += row->missing;
    sum->notices_left += row->notices_left;
    sum->facts_left += row->facts_left;
    sum->rejected_left += row->rejected_left;
    if (*row->first && (!sum->first || strcmp(row->first, sum->first) < 0) &&
        replace(&sum->first, row->first) < 0)
        return -1;
    if (*row->last && (!sum->last || strcmp(row->last, sum->last) > 0) &&
        replace(&sum->last, row->last) < 0)
        return -1;
    return add_days(sum, row->days, row->hours);
}

static int by_day(const void *a, const void *b)
{
    const int64_t x = ((const struct day *)a)->number, y = ((const struct day *)b)->number;

    return (x > y) - (x < y);
}

/* Sorted, each day once with the hours of all files. */
static void fold_days(struct sum *sum)
{
    size_t kept = 0;

    if (sum->day_count)
        qsort(sum->days, sum->day_count, sizeof *sum->days, by_day);
    for (size_t i = 0; i < sum->day_count; i++) {
        if (kept && sum->days[kept - 1].number == sum->days[i].number)
            sum->days[kept - 1].hours |= sum->days[i].hours;
        else
            sum->days[kept++] = sum->days[i];
    }
    sum->day_count = kept;
}

static void put_day(struct json *json, int64_t number)
{
    char iso[INSTANT_TEXT_SIZE];

    instant_format((struct instant){number * TICKS_PER_DAY + 1}, iso);
    json_slice(json, slice_part(slice_of_text(iso), 0, 10));
}

/* Days without any record between the first and the last day that have some. */
static void missing_days(const struct sum *sum, struct json *json)
{
    int64_t missing = 0;

    json_key(json, "missing_days");
    json_array(json);
    for (size_t i = 1; sum->continuous && i < sum->day_count; i++)
        for (int64_t day = sum->days[i - 1].number + 1; day < sum->days[i].number; day++)
            if (++missing <= MISSING_DAYS_SHOWN)
                put_day(json, day);
    json_array_end(json);
    json_pair_integer(json, "missing_day_count", missing);
}

/* For the picture of days and hours: each day with its hours as a mask. */
static void day_map(const struct sum *sum, struct json *json)
{
    json_key(json, "days");
    json_array(json);
    for (size_t i = 0; i < sum->day_count; i++) {
        json_array(json);
        put_day(json, sum->days[i].number);
        json_unsigned(json, sum->days[i].hours);
        json_array_end(json);
    }
    json_array_end(json);
}

/* --- hours against the server's own rhythm --- */

enum { RHYTHM_DAYS = 3 }; /* fewer make no rhythm */

/* Hours of the day that four of five days have: what is usual here. */
static uint32_t usual_hours(const struct sum *sum)
{
    uint32_t usual = 0;

    for (unsigned hour = 0; hour < 24; hour++) {
        size_t days = 0;
        for (size_t i = 0; i < sum->day_count; i++)
            days += sum->days[i].hours >> hour & 1;
        if (5 * days >= 4 * sum->day_count)
            usual |= UINT32_C(1) << hour;
    }
    return usual;
}

static bool is_quiet(const struct sum *sum, uint32_t usual, int64_t hour, size_t *at)
{
    while (*at < sum->day_count && sum->days[*at].number < hour / 24)
        ++*at;
    const uint32_t seen =
        *at < sum->day_count && sum->days[*at].number == hour / 24 ? sum->days[*at].hours : 0;
    return !(seen >> hour % 24 & 1) && usual >> hour % 24 & 1;
}

static void put_hour(struct json *json, const char *key, int64_t hour)
{
    char iso[INSTANT_TEXT_SIZE];

    json_pair(json, key, instant_format((struct instant){hour * (TICKS_PER_DAY / 24) + 1}, iso));
}

static void put_gap(struct json *json, int64_t from, int64_t until)
{
    json_object(json);
    put_hour(json, "from", from);
    put_hour(json, "until", until);
    json_pair_integer(json, "hours", until - from);
    json_object_end(json);
}

/* Stretches of usual hours without a record; an hour that is not usual ends none. */
static void missing_hours(const struct sum *sum, struct json *json)
{
    const uint32_t usual = sum->continuous && sum->day_count >= RHYTHM_DAYS ? usual_hours(sum) : 0;
    int64_t missing = 0, from = 0, until = 0, first = 0, last = -1;
    size_t at = 0, shown = 0;

    if (usual) {
        first = sum->days[0].number * 24 + __builtin_ctz(sum->days[0].hours | 1u << 24);
        last = sum->days[sum->day_count - 1].number * 24 + 31 -
               __builtin_clz(sum->days[sum->day_count - 1].hours | 1);
    }
    json_key(json, "gaps");
    json_array(json);
    for (int64_t hour = first; hour <= last; hour++) {
        if (is_quiet(sum, usual, hour, &at)) {
            missing++;
            from = until ? from : hour;
            until = hour + 1;
        } else if (until && usual >> hour % 24 & 1) {
            if (shown++ < MISSING_DAYS_SHOWN)
                put_gap(json, from, until);
            until = 0;
        }
    }
    if (until)
        put_gap(json, from, until);
    json_array_end(json);
    json_pair_integer(json, "missing_hour_count", missing);
}

static void sum_entry(struct sum *sum, struct json *json)
{
    fold_days(sum);
    json_object(json);
    json_pair(json, "artifact", sum->artifact);
    json_pair_integer(json, "files", sum->files);
    json_pair_integer(json, "bytes", sum->bytes);
    json_pair_integer(json, "records", sum->records);
    json_pair_integer(json, "used", sum->used);
    json_pair_integer(json, "repaired", sum->repaired);
    json_pair_integer(json, "rejected", sum->rejected);
    json_pair_integer(json, "backward", sum->backward);
    json_pair_bool(json, "continuous", sum->continuous);
    json_pair_integer(json, "record_gaps", sum->gaps);
    json_pair_integer(json, "records_missing", sum->missing);
    json_pair_integer(json, "notices_left_out", sum->notices_left);
    json_pair_integer(json, "facts_left_out", sum->facts_left);
    json_pair_integer(json, "rejected_left_out", sum->rejected_left);
    json_pair(json, "first", sum->first);
    json_pair(json, "last", sum->last);
    missing_days(sum, json);
    missing_hours(sum, json);
    day_map(sum, json);
    json_object_end(json);
}

static int by_artifact(const void *a, const void *b)
{
    return strcmp(((const struct sum *)a)->artifact, ((const struct sum *)b)->artifact);
}

int coverage_sums_json(struct case_file *file, struct json *json)
{
    struct sums sums = {0};
    const int result = case_each_coverage(file, add_to_sum, &sums);

    json_array(json);
    if (sums.count)
        qsort(sums.list, sums.count, sizeof *sums.list, by_artifact);
    for (size_t i = 0; i < sums.count; i++) {
        sum_entry(&sums.list[i], json);
        free(sums.list[i].artifact);
        free(sums.list[i].first);
        free(sums.list[i].last);
        free(sums.list[i].days);
    }
    json_array_end(json);
    free(sums.list);
    return result;
}
