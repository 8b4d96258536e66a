#include "artifacts/setup_words.h"

#include <stdio.h>
#include <string.h>

enum { NEAR = 36 /* hours between a file's time and the day of its text, zones included */ };

const struct setup_words *setup_words_find(const struct setup_words *table, struct slice line)
{
    for (; table->words; table++)
        if (table->front ? slice_starts_nocase(line, table->words) : text_holds(line, table->words))
            return table;
    return NULL;
}

static void mark_fact(struct entry *entry, struct setup_facts *facts)
{
    if (facts->count < SETUP_FACTS_MOST) {
        facts->count++;
        entry->event.marks |= EVENT_FACT;
        return;
    }
    entry->job->tally->facts_left++;
    if (!facts->told)
        job_notice(entry->job, entry->event.offset,
                   "more than 1000 telling lines: the others are events, but no facts of the case");
    facts->told = true;
}

/* Without blanks, quotes and the dot of the sentence. */
static struct slice bare(struct slice value)
{
    value = slice_trim(value);
    while (value.size && strchr(".'\"", value.data[value.size - 1]))
        value.size--;
    while (value.size && strchr("'\"", value.data[0]))
        value = slice_from(value, 1);
    return value;
}

void setup_words_tell(struct entry *entry, const struct setup_words *row, struct slice line,
                      struct setup_facts *facts)
{
    struct slice value;

    entry_add(entry, "Step", row->step);
    for (size_t i = 0; i < SETUP_VALUES && row->values[i].name; i++)
        if (text_between(line, row->values[i].before, row->values[i].after, &value))
            entry_add_slice(entry, row->values[i].name, bare(text_first_line(value)));
    mark_fact(entry, facts);
}

void setup_keep(struct entry *entry, const char *name, char *text, size_t size)
{
    const struct slice value = event_value(&entry->event, name);

    if (value.size)
        snprintf(text, size, "%.*s", (int)(value.size < size ? value.size : size - 1),
                 (const char *)value.data);
}

/* --- dates --- */

static struct instant day_of(int year, int month, int day)
{
    return instant_from_civil((struct civil){.year = year, .month = month, .day = day});
}

static bool near_file(const struct file *file, struct instant day)
{
    const struct instant times[] = {file->si.created, file->si.modified, file->fn.created};
    const int64_t most = NEAR * INT64_C(3600) * TICKS_PER_SECOND;

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        const int64_t apart = times[i].ticks - day.ticks;
        if (instant_known(times[i]) && apart > -most && apart < most)
            return true;
    }
    return false;
}

/* Day and month could be either of two numbers. */
static enum setup_date day_decide(const struct file *file, int year, int one, int two,
                                  struct instant *day)
{
    const struct instant month_first = day_of(year, one, two), day_first = day_of(year, two, one);

    if (!instant_known(month_first) && !instant_known(day_first))
        return SETUP_DATE_NONE;
    if (one == two || !instant_known(month_first) || !instant_known(day_first)) {
        *day = instant_known(month_first) ? month_first : day_first;
        return SETUP_DATE_CLEAR;
    }
    const bool first = near_file(file, month_first), second = near_file(file, day_first);
    if (first == second)
        return SETUP_DATE_AMBIGUOUS;
    *day = first ? month_first : day_first;
    return SETUP_DATE_BY_FILE;
}

static bool is_separator(struct slice text, size_t at)
{
    return at < text.size && text.data[at] && strchr("/.-", text.data[at]);
}

enum setup_date setup_date_read(struct slice text, const struct file *file, struct instant *day,
                                size_t *size)
{
    int one, two, three;
    size_t at = 0;

    if (!text_number(text, &at, 1, 4, &one) || !is_separator(text, at))
        return SETUP_DATE_NONE;
    const bool year_first = at == 4;
    at++;
    while (at < text.size && text.data[at] == ' ')
        at++;
    if (!text_number(text, &at, 1, 2, &two) || !is_separator(text, at))
        return SETUP_DATE_NONE;
    at++;
    while (at < text.size && text.data[at] == ' ')
        at++;
    if (!text_number(text, &at, year_first ? 1 : 2, 4, &three))
        return SETUP_DATE_NONE;
    *size = at;
    if (year_first) {
        *day = day_of(one, two, three);
        return instant_known(*day) ? SETUP_DATE_CLEAR : SETUP_DATE_NONE;
    }
    return day_decide(file, three < 100 ? 2000 + three : three, one, two, day);
}

bool setup_clock_read(struct slice text, int64_t *ticks)
{
    int hour, minute, second;
    size_t at = 0;

    if (!text_number(text, &at, 1, 2, &hour) || at >= text.size || text.data[at++] != ':' ||
        !text_number(text, &at, 2, 2, &minute) || at >= text.size || text.data[at++] != ':' ||
        !text_number(text, &at, 2, 2, &second))
        return false;
    const struct slice rest = slice_trim(slice_part(text, at, 4));
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (slice_starts_nocase(rest, "PM") && hour < 12)
        hour += 12;
    else if (slice_starts_nocase(rest, "AM") && hour == 12)
        hour = 0;
    *ticks = ((int64_t)hour * 3600 + minute * 60 + second) * TICKS_PER_SECOND;
    return true;
}
