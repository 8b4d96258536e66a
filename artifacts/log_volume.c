#include "artifacts/log_volume.h"

#include "triage/base/keyed_hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEYS_MOST = 4096, /* clients, and users, that are told apart in one file */
    PLACES = 2 * KEYS_MOST,
    KEY_SIZE_MOST = 256,
    TOLD_MOST = 32,
};

enum { CLIENT, USER, SENT, RECEIVED, ONLY, WANTED };

struct sum {
    char *key;
    uint64_t sent, received, lines;
};

/* Clients, or users; lines of one that does not fit into the table are `left`. */
struct sums {
    struct sum list[KEYS_MOST];
    size_t count;
    uint64_t left;
    uint16_t places[PLACES]; /* number of the sum and one more */
};

struct log_volume {
    const struct log_volume_columns *names;
    size_t columns[WANTED]; /* COLUMN_MISSING: the header has none */
    size_t order[WANTED];   /* those that are there, in the order of the columns */
    size_t order_count;
    uint8_t separator;
    bool quotes, counts;
    struct sum all;
    struct hash_key key;
    struct instant first, last;
    struct sums clients, users;
};

static void release(struct sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        free(sums->list[i].key);
}

void log_volume_free(struct log_volume *volume)
{
    if (!volume)
        return;
    release(&volume->clients);
    release(&volume->users);
    free(volume);
}

/* --- header --- */

/* Sorted by where they stand, so that one walk along a line meets them all. */
static void find_columns(struct log_volume *volume, const struct columns *columns)
{
    const struct log_volume_columns *names = volume->names;
    const char *const wanted[WANTED] = {names->client, names->user, names->sent, names->received,
                                        names->only};

    volume->order_count = 0;
    for (size_t i = 0; i < WANTED; i++) {
        volume->columns[i] = wanted[i] ? columns_find(columns, wanted[i]) : COLUMN_MISSING;
        if (volume->columns[i] == COLUMN_MISSING)
            continue;
        size_t at = volume->order_count++;
        for (; at && volume->columns[volume->order[at - 1]] > volume->columns[i]; at--)
            volume->order[at] = volume->order[at - 1];
        volume->order[at] = i;
    }
}

void log_volume_header(struct log_volume **volume, const struct log_volume_columns *names,
                       const struct columns *columns, uint8_t separator, bool quotes)
{
    const bool has_bytes = names && columns_find(columns, names->sent) != COLUMN_MISSING;

    if (has_bytes && !*volume && (*volume = calloc(1, sizeof **volume)))
        (*volume)->key = hash_key_new();
    if (!*volume)
        return;
    (*volume)->names = names;
    (*volume)->separator = separator;
    (*volume)->quotes = quotes;
    find_columns(*volume, columns);
    (*volume)->counts = has_bytes && !columns->overflow &&
                        (!names->only || (*volume)->columns[ONLY] != COLUMN_MISSING);
}

bool log_volume_counts(const struct log_volume *volume)
{
    return volume && volume->counts;
}

/* --- sums --- */

static void add_to(struct sum *sum, const uint64_t bytes[2])
{
    sum->sent += bytes[0];
    sum->received += bytes[1];
    sum->lines++;
}

static void add_time(struct log_volume *volume, struct instant when)
{
    if (!instant_known(when))
        return;
    if (!instant_known(volume->first) || when.ticks < volume->first.ticks)
        volume->first = when;
    if (!instant_known(volume->last) || when.ticks > volume->last.ticks)
        volume->last = when;
}

/* NULL when the table is full. */
static struct sum *sum_of(struct sums *sums, const struct hash_key *hash_key, struct slice key)
{
    size_t at = keyed_hash(hash_key, key) & (PLACES - 1);

    while (sums->places[at]) {
        struct sum *sum = &sums->list[sums->places[at] - 1];
        if (slice_is(key, sum->key))
            return sum;
        at = (at + 1) & (PLACES - 1);
    }
    if (sums->count == KEYS_MOST || key.size > KEY_SIZE_MOST ||
        !(sums->list[sums->count].key = strndup((const char *)key.data, key.size)))
        return NULL;
    sums->places[at] = (uint16_t)++sums->count;
    return &sums->list[sums->count - 1];
}

static void add_key(struct sums *sums, const struct hash_key *hash_key, struct slice key,
                    const uint64_t bytes[2])
{
    static const uint8_t bad[] = {0, '\n', '"'}; /* no name has one; a quote is written twice */

    if (!key.size || slice_is(key, "-"))
        return;
    for (size_t i = 0; i < sizeof bad; i++)
        if (memchr(key.data, bad[i], key.size))
            return;
    struct sum *sum = sum_of(sums, hash_key, key);
    if (sum)
        add_to(sum, bytes);
    else
        sums->left++;
}

static bool is_one_of(const char *list, struct slice value)
{
    while (*list) {
        const size_t size = strcspn(list, ",");
        if (slice_equal_nocase(slice_of(list, size), value))
            return true;
        list += size + (list[size] == ',');
    }
    return false;
}

static void add_cells(struct log_volume *volume, const struct slice cells[WANTED],
                      struct instant when)
{
    uint64_t bytes[2] = {0};

    if (volume->names->only && !is_one_of(volume->names->only_values, cells[ONLY]))
        return;
    slice_to_u64(cells[SENT], &bytes[0]);
    slice_to_u64(cells[RECEIVED], &bytes[1]);
    if ((bytes[0] | bytes[1]) >> 40) /* a terabyte in one line is a made-up number */
        return;
    add_to(&volume->all, bytes);
    add_time(volume, when);
    add_key(&volume->clients, &volume->key, cells[CLIENT], bytes);
    add_key(&volume->users, &volume->key, cells[USER], bytes);
}

void log_volume_cells(struct log_volume *volume, const struct cells *cells, struct instant when)
{
    struct slice wanted[WANTED] = {{0}};

    for (size_t i = 0; i < WANTED; i++)
        if (volume->columns[i] < cells->count && volume->columns[i] < CELLS_CEILING)
            wanted[i] = cells->text[volume->columns[i]];
    add_cells(volume, wanted, when);
}

/* --- cells of a line that is not split --- */

/* Bytes of the word that are the separator, one bit each in their highest. */
static uint64_t separators_in(const uint8_t *text, uint8_t separator)
{
    static const uint64_t EACH = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, text, sizeof word);
    word = le64toh(word) ^ EACH * separator;
    return ~(((word & EACH * 0x7F) + EACH * 0x7F) | word) & EACH * 0x80;
}

/* Behind the next `count` separators; the line's size when it has fewer. */
static size_t skip(struct slice line, size_t at, uint8_t separator, size_t count)
{
    for (; count && at + 8 <= line.size; at += 8) {
        uint64_t found = separators_in(line.data + at, separator);
        const size_t here = (size_t)__builtin_popcountll(found);
        if (here < count) {
            count -= here;
            continue;
        }
        while (--count)
            found &= found - 1;
        return at + (size_t)__builtin_ctzll(found) / 8 + 1;
    }
    for (; count && at < line.size; at++)
        count -= line.data[at] == separator;
    return at;
}

/* The same where separators within quotes do not count. */
static size_t skip_quoted(struct slice line, size_t at, uint8_t separator, size_t count)
{
    bool within = false;

    for (; count && at < line.size; at++) {
        within ^= line.data[at] == '"';
        count -= line.data[at] == separator && !within;
    }
    return at;
}

static struct slice without_quotes(struct slice cell)
{
    return cell.size >= 2 && cell.data[0] == '"' && cell.data[cell.size - 1] == '"'
               ? slice_part(cell, 1, cell.size - 2)
               : cell;
}

void log_volume_line(struct log_volume *volume, struct slice line, struct instant when)
{
    const bool quoted = volume->quotes && line.size && memchr(line.data, '"', line.size);
    size_t (*const move)(struct slice, size_t, uint8_t, size_t) = quoted ? skip_quoted : skip;
    struct slice wanted[WANTED] = {{0}};
    size_t at = 0, column = 0;

    for (size_t i = 0; i < volume->order_count; i++) {
        const size_t which = volume->order[i];
        at = move(line, at, volume->separator, volume->columns[which] - column);
        size_t end = move(line, at, volume->separator, 1);
        column = volume->columns[which] + 1;
        if (end > at && line.data[end - 1] == volume->separator)
            wanted[which] = slice_part(line, at, end - 1 - at);
        else
            wanted[which] = slice_part(line, at, end - at);
        if (quoted)
            wanted[which] = without_quotes(wanted[which]);
        at = end;
    }
    add_cells(volume, wanted, when);
}

/* --- what is told --- */

static int by_bytes(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;
    const uint64_t own = x->sent + x->received, other = y->sent + y->received;

    if (own != other)
        return own > other ? -1 : 1;
    return strcmp(x->key, y->key);
}

static const char *number_text(struct job *job, uint64_t number)
{
    return arena_format(job->arena, "%" PRIu64, number);
}

/* "sent received lines name", a line each, the largest first. */
static struct slice list_text(struct sums *sums, struct job *job)
{
    struct buffer text = BUFFER_EMPTY;

    qsort(sums->list, sums->count, sizeof *sums->list, by_bytes);
    memset(sums->places, 0, sizeof sums->places); /* they named other rows */
    for (size_t i = 0; i < sums->count && i < TOLD_MOST; i++)
        buffer_format(&text, "%s%" PRIu64 " %" PRIu64 " %" PRIu64 " %s", i ? "\n" : "",
                      sums->list[i].sent, sums->list[i].received, sums->list[i].lines,
                      sums->list[i].key);
    const struct slice kept = arena_copy(job->arena, buffer_slice(&text));
    buffer_release(&text);
    return kept;
}

static struct slice time_text(struct job *job, struct instant when)
{
    char text[INSTANT_TEXT_SIZE];

    return instant_known(when) ? arena_copy(job->arena, slice_of_text(instant_format(when, text)))
                               : slice_of(NULL, 0);
}

/* Said only where it is so: lines that count in the sums of all alone. */
static void add_left(const struct sums *sums, const char *name, struct job *job,
                     struct value *values, size_t *count)
{
    if (sums->left)
        values[(*count)++] =
            (struct value){.name = name, .text = slice_of_text(number_text(job, sums->left))};
}

void log_volume_tell(struct log_volume *volume, struct job *job)
{
    static const struct log_source none[] = {{NULL, NULL, NULL}};

    if (!volume || volume->all.sent + volume->all.received == 0 || job->context)
        return;
    struct value values[] = {
        {.name = "BytesSent", .text = slice_of_text(number_text(job, volume->all.sent))},
        {.name = "BytesReceived", .text = slice_of_text(number_text(job, volume->all.received))},
        {.name = "Lines", .text = slice_of_text(number_text(job, volume->all.lines))},
        {.name = "FirstSeen", .text = time_text(job, volume->first)},
        {.name = "Clients", .text = list_text(&volume->clients, job)},
        {.name = "Users", .text = list_text(&volume->users, job)},
        {.name = NULL},
        {.name = NULL},
    };
    size_t count = sizeof values / sizeof *values - 2;
    add_left(&volume->clients, "LinesOfOtherClients", job, values, &count);
    add_left(&volume->users, "LinesOfOtherUsers", job, values, &count);
    for (size_t i = 0; i < count; i++)
        values[i].field = field_from_name(slice_of_text(values[i].name));
    const struct event event = {
        .kind = KIND_log_volume,
        .artifact = job->artifact->name,
        .sources = none, /* rules see the lines */
        .when = volume->last,
        .basis = instant_known(volume->last) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = job->file,
        .values = values,
        .value_count = count,
        .marks = EVENT_FACT,
    };
    job_emit(job, &event);
}
