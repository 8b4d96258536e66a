#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/base/json.h"
#include "triage/report/writer.h"

#include <stdlib.h>
#include <string.h>

enum { MISSING_DAYS_SHOWN = 4000 };

/* The sums of one artifact. */
struct sum {
    char *artifact, *first, *last;
    int64_t files, bytes, records, used, repaired, rejected, backward;
    int64_t *days; /* of all its files, unsorted, repeated */
    size_t day_count, day_room;
};

struct coverage {
    struct json json;
    struct buffer text;
    FILE *out;
    struct sum *sums;
    size_t sum_count;
    int failure;
};

static void flush(struct coverage *coverage)
{
    if (fwrite(coverage->text.data, 1, coverage->text.size, coverage->out) != coverage->text.size)
        coverage->failure = error_set_errno("cannot write coverage.json");
    buffer_clear(&coverage->text);
}

static void optional(struct json *json, const char *key, const char *text)
{
    json_pair(json, key, *text ? text : NULL);
}

static int file_entry(void *context, const struct case_coverage *row)
{
    struct coverage *coverage = context;
    struct json *json = &coverage->json;

    json_object(json);
    json_pair(json, "path", row->path);
    json_pair(json, "artifact", row->artifact);
    json_pair(json, "evidence", row->evidence);
    json_pair_integer(json, "volume", row->volume);
    json_pair_integer(json, "snapshot", row->snapshot);
    json_pair_integer(json, "bytes", row->bytes);
    json_pair_integer(json, "records", row->records);
    json_pair_integer(json, "used", row->used);
    json_pair_integer(json, "repaired", row->repaired);
    json_pair_integer(json, "rejected", row->rejected);
    json_pair_integer(json, "backward", row->backward);
    optional(json, "first", row->first);
    optional(json, "last", row->last);
    json_key(json, "damage");
    json_raw(json, slice_of_text(row->damage));
    json_object_end(json);
    flush(coverage);
    return coverage->failure;
}

static struct sum *sum_of(struct coverage *coverage, const char *artifact)
{
    for (size_t i = 0; i < coverage->sum_count; i++)
        if (strcmp(coverage->sums[i].artifact, artifact) == 0)
            return &coverage->sums[i];
    struct sum *grown = realloc(coverage->sums, (coverage->sum_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    coverage->sums = grown;
    grown[coverage->sum_count] = (struct sum){.artifact = strdup(artifact)};
    return grown[coverage->sum_count].artifact ? &grown[coverage->sum_count++] : NULL;
}

static int replace(char **text, const char *with)
{
    free(*text);
    return (*text = strdup(with)) ? 0 : error_set("out of memory");
}

static int add_day(struct sum *sum, int64_t day)
{
    if (sum->day_count == sum->day_room) {
        const size_t room = sum->day_room ? 2 * sum->day_room : 64;
        int64_t *grown = realloc(sum->days, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        sum->days = grown;
        sum->day_room = room;
    }
    sum->days[sum->day_count++] = day;
    return 0;
}

/* The list is our own: ["2021-03-01","2021-03-02"]. */
static int add_days(struct sum *sum, const char *list)
{
    struct slice rest = slice_of_text(list);
    struct instant day;
    size_t quote;

    while ((quote = slice_find(rest, 0, '"')) != SIZE_MAX) {
        if (instant_parse(slice_part(rest, quote + 1, 10), &day, NULL) &&
            add_day(sum, day.ticks / TICKS_PER_DAY) < 0)
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
    if (*row->first && (!sum->first || strcmp(row->first, sum->first) < 0) &&
        replace(&sum->first, row->first) < 0)
        return -1;
    if (*row->last && (!sum->last || strcmp(row->last, sum->last) > 0) &&
        replace(&sum->last, row->last) < 0)
        return -1;
    return add_days(sum, row->days);
}

static int by_day(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Days without any record between the first and the last day that have some. */
static void missing_days(struct sum *sum, struct json *json)
{
    int64_t missing = 0;

    if (sum->day_count)
        qsort(sum->days, sum->day_count, sizeof *sum->days, by_day);
    json_key(json, "missing_days");
    json_array(json);
    for (size_t i = 1; i < sum->day_count; i++)
        for (int64_t day = sum->days[i - 1] + 1; day < sum->days[i]; day++) {
            char iso[INSTANT_TEXT_SIZE];
            if (++missing > MISSING_DAYS_SHOWN)
                continue;
            instant_format((struct instant){day * TICKS_PER_DAY + 1}, iso);
            json_slice(json, slice_part(slice_of_text(iso), 0, 10));
        }
    json_array_end(json);
    json_pair_integer(json, "missing_day_count", missing);
}

static void sum_entry(struct sum *sum, struct json *json)
{
    json_object(json);
    json_pair(json, "artifact", sum->artifact);
    json_pair_integer(json, "files", sum->files);
    json_pair_integer(json, "bytes", sum->bytes);
    json_pair_integer(json, "records", sum->records);
    json_pair_integer(json, "used", sum->used);
    json_pair_integer(json, "repaired", sum->repaired);
    json_pair_integer(json, "rejected", sum->rejected);
    json_pair_integer(json, "backward", sum->backward);
    json_pair(json, "first", sum->first);
    json_pair(json, "last", sum->last);
    missing_days(sum, json);
    json_object_end(json);
}

static int note_entry(void *context, const struct case_note *row)
{
    struct coverage *coverage = context;
    struct json *json = &coverage->json;

    json_object(json);
    json_pair(json, "path", row->path);
    json_pair(json, "artifact", row->artifact);
    json_pair(json, "evidence", row->evidence);
    json_pair_integer(json, "volume", row->volume);
    json_pair_integer(json, "snapshot", row->snapshot);
    json_pair_integer(json, "offset", row->offset);
    json_pair(json, "why", row->text);
    json_object_end(json);
    flush(coverage);
    return coverage->failure;
}

static int by_artifact(const void *a, const void *b)
{
    return strcmp(((const struct sum *)a)->artifact, ((const struct sum *)b)->artifact);
}

static int write_members(struct case_file *file, struct coverage *coverage)
{
    struct json *json = &coverage->json;

    json_key(json, "files");
    json_array(json);
    if (case_each_coverage(file, file_entry, coverage) < 0 ||
        case_each_coverage(file, add_to_sum, coverage) < 0)
        return -1;
    json_array_end(json);
    json_key(json, "artifacts");
    json_array(json);
    if (coverage->sum_count)
        qsort(coverage->sums, coverage->sum_count, sizeof *coverage->sums, by_artifact);
    for (size_t i = 0; i < coverage->sum_count; i++)
        sum_entry(&coverage->sums[i], json);
    json_array_end(json);
    json_key(json, "unread");
    json_array(json);
    if (case_each_unread(file, note_entry, coverage) < 0)
        return -1;
    json_array_end(json);
    json_key(json, "notices");
    json_array(json);
    if (case_each_notice(file, note_entry, coverage) < 0)
        return -1;
    json_array_end(json);
    return 0;
}

static void put_document(struct case_file *file, struct json *json, const char *name)
{
    struct buffer body = BUFFER_EMPTY;

    if (case_document(file, name, &body)) {
        json_key(json, name);
        json_raw(json, buffer_slice(&body));
    }
    buffer_release(&body);
}

static int write_all(struct case_file *file, FILE *out)
{
    struct coverage coverage = {.out = out};

    coverage.json = json_over(&coverage.text, true);
    json_object(&coverage.json);
    int result = write_members(file, &coverage);
    put_document(file, &coverage.json, "totals");
    put_document(file, &coverage.json, "damage");
    json_object_end(&coverage.json);
    buffer_add_byte(&coverage.text, '\n');
    flush(&coverage);
    for (size_t i = 0; i < coverage.sum_count; i++) {
        free(coverage.sums[i].artifact);
        free(coverage.sums[i].first);
        free(coverage.sums[i].last);
        free(coverage.sums[i].days);
    }
    free(coverage.sums);
    buffer_release(&coverage.text);
    return result < 0 ? result : coverage.failure;
}

const struct writer writer_coverage_json = {
    .name = "coverage",
    .file = "coverage.json",
    .title = "what was read, line for line, and what was not",
    .write = write_all,
};
