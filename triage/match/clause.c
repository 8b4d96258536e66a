#include "triage/match/clause.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_SIZE = 64 };

bool number_parse(struct slice text, long double *out)
{
    char copy[NUMBER_SIZE];
    char *end;

    text = slice_trim(text);
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!strchr("+-.0123456789", text.data[i]) || text.data[i] == 0)
            return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    const long double number = strtold(copy, &end);
    if (*end || end == copy)
        return false;
    *out = number;
    return true;
}

static bool is_name_byte(const struct slice text, size_t at)
{
    const uint8_t byte = at < text.size ? text.data[at] : 0;

    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
           byte == '_';
}

/* Whether the number stands in the text, not as a part of a longer word or number. */
static bool number_within(struct slice number, struct slice text)
{
    for (size_t at = 0; (at = slice_find_nocase(text, at, number)) != SIZE_MAX; at++)
        if ((at == 0 || !is_name_byte(text, at - 1)) && !is_name_byte(text, at + number.size))
            return true;
    return false;
}

static bool number_matches(const struct clause *clause, struct slice text)
{
    long double number;

    return slice_equal_nocase(text, clause->text) ||
           (number_parse(text, &number) && number == clause->number);
}

static bool compare(long double number, enum comparison comparison, long double limit)
{
    switch (comparison) {
    case COMPARE_LESS:
        return number < limit;
    case COMPARE_LESS_EQUAL:
        return number <= limit;
    case COMPARE_GREATER:
        return number > limit;
    case COMPARE_GREATER_EQUAL:
        return number >= limit;
    default:
        return number == limit;
    }
}

/* Week of the year as ISO 8601 counts: the week with the year's first Thursday is week 1. */
static int iso_week(struct instant instant)
{
    const int64_t day = instant.ticks / TICKS_PER_DAY; /* 1601-01-01 was a Monday */
    const struct instant thursday = {(day - day % 7 + 3) * TICKS_PER_DAY};
    const int year = instant_to_civil(thursday).year;
    const struct instant first =
        instant_from_civil((struct civil){.year = year, .month = 1, .day = 1});

    return (int)((thursday.ticks - first.ticks) / TICKS_PER_DAY / 7) + 1;
}

static int part_of(enum time_part part, struct instant instant)
{
    const struct civil civil = instant_to_civil(instant);

    switch (part) {
    case PART_MINUTE:
        return civil.minute;
    case PART_HOUR:
        return civil.hour;
    case PART_DAY:
        return civil.day;
    case PART_WEEK:
        return iso_week(instant);
    case PART_MONTH:
        return civil.month;
    default:
        return civil.year;
    }
}

/* "HH:MM[:SS]", as the time column of a W3C log has it. */
static bool clock_part(struct slice text, enum time_part part, long double *out)
{
    uint64_t hour, minute;

    if (text.size < 5 || text.data[2] != ':' || (part != PART_HOUR && part != PART_MINUTE) ||
        !slice_to_u64(slice_part(text, 0, 2), &hour) ||
        !slice_to_u64(slice_part(text, 3, 2), &minute))
        return false;
    *out = (long double)(part == PART_HOUR ? hour : minute);
    return true;
}

static bool time_number(struct slice text, enum time_part part, long double *out)
{
    struct instant instant;

    if (clock_part(text, part, out))
        return true;
    if (!instant_parse(text, &instant, NULL))
        return false;
    *out = part_of(part, instant);
    return true;
}

static bool compare_matches(const struct clause *clause, struct slice text)
{
    long double number;
    const bool known = clause->part == PART_NONE ? number_parse(text, &number)
                                                 : time_number(text, clause->part, &number);

    return known && compare(number, clause->comparison, clause->number);
}

static bool equal(struct slice a, struct slice b, bool cased)
{
    return cased ? slice_equal(a, b) : slice_equal_nocase(a, b);
}

static bool contains(struct slice whole, struct slice part, bool cased)
{
    if (!cased)
        return slice_find_nocase(whole, 0, part) != SIZE_MAX;
    return part.size == 0 || memmem(whole.data, whole.size, part.data, part.size);
}

static bool relates(const struct clause *clause, struct slice text, struct slice other)
{
    const bool fits = other.size <= text.size;

    switch (clause->relation) {
    case RELATION_STARTS:
        return fits && equal(slice_part(text, 0, other.size), other, clause->cased);
    case RELATION_ENDS:
        return fits &&
               equal(slice_part(text, text.size - other.size, other.size), other, clause->cased);
    case RELATION_CONTAINS:
        return fits && contains(text, other, clause->cased);
    default:
        return equal(text, other, clause->cased);
    }
}

static bool field_matches(const struct clause *clause, struct view *view)
{
    const struct forms others = view_values(view, &clause->other);
    const struct slice other = others.count ? others.list[0].text : slice_of(NULL, 0);
    const struct forms values = view_values(view, &clause->field);

    if (view_is_absent(view, other))
        return false;
    for (size_t i = 0; i < values.count; i++)
        if (!view_is_absent(view, values.list[i].text) &&
            relates(clause, values.list[i].text, other))
            return true;
    return false;
}

static bool has_value(struct view *view, const struct field_use *field)
{
    const struct forms values = view_values(view, field);

    for (size_t i = 0; i < values.count; i++)
        if (!view_is_absent(view, values.list[i].text))
            return true;
    return false;
}

/* Present, which an empty value is too; but '-' in a W3C log is how "not there" is written. */
static bool exists(struct view *view, const struct field_use *field)
{
    const struct forms values = view_values(view, field);

    for (size_t i = 0; i < values.count; i++)
        if (values.list[i].text.size == 0 || !view_is_absent(view, values.list[i].text))
            return true;
    return false;
}

static bool is_empty(struct view *view, const struct field_use *field)
{
    return view_values(view, field).count && !has_value(view, field);
}

/* A lone '*' asks for a value, whatever it is. */
static bool pattern_holds(const struct clause *clause, struct view *view, struct slice text)
{
    if (pattern_is_any(clause->pattern))
        return !view_is_absent(view, text);
    return pattern_matches(clause->pattern, text);
}

/* Names under which a record has its own time. */
static bool is_own_time(const char *name)
{
    static const char *const names[] = {"timestamp", "@timestamp", "_time",       "time",
                                        "date",      "datetime",   "TimeCreated", "SystemTime",
                                        "UtcTime",   "EventTime"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* A part of the record's time: of the time itself, which is UTC, where the record has one. False
 * when only the field's text can tell. */
static bool own_time_matches(const struct clause *clause, const struct view *view, bool *holds)
{
    const struct event *event = view_event(view);

    if (clause->kind != CLAUSE_COMPARE || clause->part == PART_NONE || clause->keyword ||
        !instant_known(event->when) || !is_own_time(clause->field.name))
        return false;
    *holds = compare(part_of(clause->part, event->when), clause->comparison, clause->number);
    return true;
}

static enum answer test_form(const struct clause *clause, struct view *view,
                             struct regex_scratch *scratch, struct slice text, const char **why)
{
    switch (clause->kind) {
    case CLAUSE_PATTERN:
        return pattern_holds(clause, view, text) ? ANSWER_YES : ANSWER_NO;
    case CLAUSE_NUMBER:
        return number_matches(clause, text) ? ANSWER_YES : ANSWER_NO;
    case CLAUSE_COMPARE:
        return compare_matches(clause, text) ? ANSWER_YES : ANSWER_NO;
    case CLAUSE_NETWORK:
        return network_holds(&clause->network, text) ? ANSWER_YES : ANSWER_NO;
    case CLAUSE_REGEX:
        break;
    default:
        return ANSWER_NO;
    }
    const enum regex_answer found = regex_search(clause->regex, scratch, text, why);
    return found == REGEX_YES ? ANSWER_YES : found == REGEX_NO ? ANSWER_NO : ANSWER_MAYBE;
}

static enum answer test_line(const struct clause *clause, struct regex_scratch *scratch,
                             struct slice line, const char **why)
{
    if (clause->pattern)
        return pattern_within(clause->pattern, line) ? ANSWER_YES : ANSWER_NO;
    switch (clause->kind) {
    case CLAUSE_NUMBER:
        return number_within(clause->text, line) ? ANSWER_YES : ANSWER_NO;
    case CLAUSE_REGEX:
        return test_form(clause, NULL, scratch, line, why);
    default:
        return ANSWER_NO;
    }
}

static struct forms forms_for(const struct clause *clause, struct view *view, bool rejected)
{
    if (rejected)
        return view_text(view);
    if (clause->keyword)
        return view_everything(view);
    return clause->kind == CLAUSE_PATTERN || clause->kind == CLAUSE_REGEX
               ? view_forms(view, &clause->field)
               : view_values(view, &clause->field);
}

static enum answer test_forms(const struct clause *clause, struct view *view,
                              struct regex_scratch *scratch, struct clause_proof *proof)
{
    const bool rejected = view_event(view)->marks & EVENT_REJECTED;
    const struct forms forms = forms_for(clause, view, rejected);
    enum answer best = ANSWER_NO;

    for (size_t i = 0; i < forms.count && best != ANSWER_YES; i++) {
        const struct slice text = forms.list[i].text;
        const enum answer answer = rejected ? test_line(clause, scratch, text, &proof->why)
                                            : test_form(clause, view, scratch, text, &proof->why);
        if (answer == ANSWER_YES)
            proof->form = forms.list[i].name;
        best = answer > best ? answer : best;
    }
    return best;
}

enum answer clause_test(const struct clause *clause, struct view *view,
                        struct regex_scratch *scratch, struct clause_proof *proof)
{
    const bool rejected = view_event(view)->marks & EVENT_REJECTED;
    bool holds = false;

    *proof = (struct clause_proof){0};
    switch (clause->kind) {
    case CLAUSE_EXISTS:
        holds = !rejected && exists(view, &clause->field) == clause->wanted;
        break;
    case CLAUSE_NULL:
        holds = !rejected && !has_value(view, &clause->field);
        break;
    case CLAUSE_EMPTY:
        holds = !rejected && is_empty(view, &clause->field);
        break;
    case CLAUSE_FIELD:
        holds = !rejected && field_matches(clause, view);
        break;
    default:
        if (!own_time_matches(clause, view, &holds))
            return test_forms(clause, view, scratch, proof);
    }
    return holds ? ANSWER_YES : ANSWER_NO;
}
