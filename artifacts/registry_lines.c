#include "artifacts/registry_lines.h"

#include <stdlib.h>

enum {
    TEXT_MOST = 32 << 10, /* stays in the fastest cache until it was looked at */
    VALUES = 5,
};

#define REGISTRY_SOURCE                                                                            \
    {                                                                                              \
        NULL, "windows", "registry"                                                                \
    }
#define EVENT_SOURCE                                                                               \
    {                                                                                              \
        "registry_event", "windows", NULL                                                          \
    }
#define NO_SOURCE                                                                                  \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct log_source set_sources[] = {
    {"registry_set", "windows", NULL}, EVENT_SOURCE, REGISTRY_SOURCE, NO_SOURCE};
static const struct log_source add_sources[] = {
    {"registry_add", "windows", NULL}, EVENT_SOURCE, REGISTRY_SOURCE, NO_SOURCE};
static const struct log_source deleted_value_sources[] = {
    {"registry_set", "windows", NULL},
    {"registry_delete", "windows", NULL},
    EVENT_SOURCE,
    REGISTRY_SOURCE,
    NO_SOURCE,
};
static const struct log_source deleted_key_sources[] = {
    {"registry_delete", "windows", NULL}, EVENT_SOURCE, REGISTRY_SOURCE, NO_SOURCE};

/* What all lines of a sort have in common; `made_up` are the values that their text lacks. */
struct sort {
    const struct log_source *sources;
    const char *event_type, *made_up;
};

static const struct sort sorts[2][2] = {
    {{add_sources, "CreateKey", "CreateKey\n"}, {set_sources, "SetValue", "SetValue\n"}},
    {{deleted_key_sources, "DeleteKey", "DeleteKey\ttrue\n"},
     {deleted_value_sources, "DeleteValue", "DeleteValue\ttrue\n"}},
};

static const struct sort *sort_of(const struct registry_line *line)
{
    return &sorts[line->deleted][line->is_value];
}

static struct slice part_of(const struct registry_lines *lines, size_t start, size_t end)
{
    return slice_part(buffer_slice(&lines->text), start, end - start);
}

static struct value value_of(enum field field, struct slice text)
{
    return (struct value){field_name(field), field, false, text};
}

static void tell(const struct registry_lines *lines, const struct registry_line *line, size_t start)
{
    const struct sort *sort = sort_of(line);
    struct value values[VALUES];
    size_t count = 0;

    values[count++] = value_of(FIELD_TargetObject, part_of(lines, start, line->target_end));
    if (line->is_value)
        values[count++] = value_of(FIELD_Details, part_of(lines, line->details, line->details_end));
    values[count++] = value_of(FIELD_EventType, slice_of_text(sort->event_type));
    if (line->end > line->details_end)
        values[count++] =
            value_of(FIELD_DataText,
                     part_of(lines, line->details_end + sizeof REGISTRY_FOUND_MARK - 1, line->end));
    if (line->deleted)
        values[count++] = value_of(FIELD_Deleted, SLICE_LITERAL("true"));
    const struct event event = {
        .kind = line->is_value ? KIND_registry_value : KIND_registry_key,
        .artifact = lines->job->artifact->name,
        .sources = sort->sources,
        .when = line->when,
        .basis = instant_known(line->when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = lines->job->file,
        .offset = line->offset,
        .number = line->number,
        .raw = part_of(lines, start, line->end),
        .values = values,
        .value_count = count,
        .marks = (line->deleted ? EVENT_RECOVERED : 0) |
                 (lines->job->file->flags & FILE_DAMAGED ? EVENT_DAMAGED : 0),
    };

    job_emit(lines->job, &event);
}

/* Whether what the line's text lacks could make a rule match; asked once for each sort. */
static bool is_always_told(struct registry_lines *lines, const struct registry_line *line)
{
    enum answer *answer = &lines->answers[line->deleted][line->is_value];
    const struct slice made_up = slice_of_text(sort_of(line)->made_up);

    if (*answer == NOT_ASKED)
        *answer = job_next_candidate(lines->job, made_up, 0) == SIZE_MAX ? NOT_ALWAYS : ALWAYS;
    return *answer == ALWAYS;
}

/* Where the next line that could match begins or is amid, from `at` on. */
static size_t next_candidate(struct registry_lines *lines, size_t at)
{
    const struct slice text = buffer_slice(&lines->text);

    return at < text.size ? job_next_candidate(lines->job, text, at) : SIZE_MAX;
}

void registry_lines_flush(struct registry_lines *lines)
{
    bool always[REGISTRY_LINES_MOST];

    if (buffer_failed(&lines->text))
        abort(); /* out of memory: the end of a worker is noticed, a record that was not asked is
                    not */
    for (size_t i = 0; i < lines->count; i++)
        always[i] = is_always_told(lines, &lines->list[i]);
    size_t at = next_candidate(lines, 0);
    for (size_t i = 0, start = 0; i < lines->count; i++) {
        const size_t end = lines->list[i].end;
        if (at <= end || always[i])
            tell(lines, &lines->list[i], start);
        start = end + 1;
        if (at <= end)
            at = next_candidate(lines, start);
    }
    lines->count = 0;
    buffer_clear(&lines->text);
}

void registry_lines_end(struct registry_lines *lines, const struct registry_line *line)
{
    lines->list[lines->count++] = *line;
    buffer_add_byte(&lines->text, '\n');
    if (lines->count == REGISTRY_LINES_MOST || lines->text.size >= TEXT_MOST)
        registry_lines_flush(lines);
}

void registry_lines_release(struct registry_lines *lines)
{
    buffer_release(&lines->text);
}
