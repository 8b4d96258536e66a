#include "triage/commands/verdict_text.h"

#include "triage/commands/common.h"
#include "triage/formats/json_reader.h"

#include <inttypes.h>
#include <string.h>

enum {
    HEADING = 15,
    WIDTH = 100,
    SHOWN_INCIDENTS = 4,
    SHOWN_STEPS = 24,
    SHOWN_LEADS = 5,
    TIME = 19
};

void text_beside(const char *heading, const char *text, FILE *out)
{
    struct buffer clean = BUFFER_EMPTY;

    printable(&clean, text);
    const char *rest = buffer_text(&clean);
    do {
        size_t size = strlen(rest);
        if (size > WIDTH)
            for (size = WIDTH; size > 1 && rest[size] != ' ';)
                size--;
        fprintf(out, "%-*s%.*s\n", HEADING, heading, (int)size, rest);
        rest += size + strspn(rest + size, " ");
        heading = "";
    } while (*rest);
    buffer_release(&clean);
}

/* The document lives in the arena; NULL when the case has none. */
static const struct json_value *read_findings(struct case_file *file, struct arena *arena)
{
    struct buffer body = BUFFER_EMPTY;
    struct json_value *root = NULL;

    if (!case_document(file, "findings", &body) ||
        json_read(arena_copy(arena, buffer_slice(&body)), arena, &root) < 0)
        root = NULL;
    buffer_release(&body);
    return root;
}

static const char *text_of(const struct json_value *parent, const char *name)
{
    const struct json_value *value = json_member(parent, name);

    return value && value->type == JSON_STRING ? (const char *)value->text.data : "";
}

void verdict_text_summary(struct case_file *file, FILE *out)
{
    struct arena *arena = arena_new(0);
    const struct json_value *root = arena ? read_findings(file, arena) : NULL;

    if (root)
        text_beside("Verdict", text_of(json_member(root, "verdict"), "summary"), out);
    arena_free(arena);
}

static void add_addresses(struct buffer *line, const struct json_value *incident)
{
    const struct json_value *actors = json_member(incident, "actors");
    size_t count = 0;

    for (const struct json_value *at = actors ? actors->first : NULL; at; at = at->next) {
        if (++count <= 6)
            buffer_format(line, "%s%s", count > 1 ? ", " : "; from ", text_of(at, "address"));
    }
    if (count > 6)
        buffer_format(line, " and %zu more addresses", count - 6);
}

static const char *heading_of(const struct json_value *incident)
{
    const char *kind = text_of(incident, "kind");

    return strcmp(kind, "intrusion") == 0  ? "Intrusion"
           : strcmp(kind, "scanning") == 0 ? "Attempts"
                                           : "Unexplained";
}

static void print_heading(const struct json_value *incident, FILE *out)
{
    struct buffer line = BUFFER_EMPTY;

    const char *first = text_of(incident, "first"), *last = text_of(incident, "last");

    if (strcmp(text_of(incident, "kind"), "unexplained") == 0)
        buffer_format(&line, "traces that somebody must explain, %s; ",
                      text_of(incident, "confidence"));
    else
        buffer_format(&line, "%s, %s; ", text_of(incident, "name"),
                      text_of(incident, "confidence"));
    if (*first)
        buffer_format(&line, "%.10s %.5s to %.10s %.5s UTC", first, first + 11, last, last + 11);
    else
        buffer_add_text(&line, "without a time");
    add_addresses(&line, incident);
    fprintf(out, "\n");
    text_beside(heading_of(incident), buffer_text(&line), out);
    buffer_release(&line);
}

/* Of an intrusion what weighs; when nobody came in, everything that was tried. */
static bool is_worth_a_line(const struct json_value *step, bool all)
{
    const char *level = text_of(step, "level");

    return all || strcmp(level, "high") == 0 || strcmp(level, "critical") == 0;
}

/* The start of a character of UTF-8 at or in front of `at`. */
static size_t character_start(const char *text, size_t at)
{
    while (at && ((uint8_t)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* Of a text that is too long the middle is left out: paths and addresses are known by their ends.
 */
static void add_cut(struct buffer *out, const char *text, size_t most)
{
    static const char mark[] = "...";
    const size_t size = strlen(text);

    if (size <= most) {
        buffer_add_text(out, text);
        return;
    }
    const size_t head = character_start(text, (most - sizeof mark + 1) / 3);
    size_t tail = size - (most - sizeof mark + 1 - head);
    while (tail < size && ((uint8_t)text[tail] & 0xC0) == 0x80)
        tail++;
    buffer_format(out, "%.*s%s%s", (int)head, text, mark, text + tail);
}

static bool is_same(const struct json_value *a, const struct json_value *b, const char *name)
{
    return strcmp(text_of(a, name), text_of(b, name)) == 0;
}

/* The same thing by the same client, as it is told here. */
static bool is_told_alike(const struct json_value *a, const struct json_value *b)
{
    return is_same(a, b, "what") && is_same(a, b, "level") && is_same(a, b, "actor") &&
           is_same(a, b, "object");
}

static bool is_told(const struct json_value *steps, const struct json_value *step)
{
    while (steps != step && !is_told_alike(steps, step))
        steps = steps->next;
    return steps != step;
}

/* "; again until 2021-03-05 01:52". */
static void add_repetitions(struct buffer *out, const struct json_value *step)
{
    const struct json_value *last = NULL;
    size_t count = 0;

    for (const struct json_value *at = step->next; at; at = at->next)
        if (is_told_alike(at, step)) {
            last = at;
            count++;
        }
    if (last)
        buffer_format(out, "; again%s until %.10s %.5s", count == 1 ? "" : " and again",
                      text_of(last, "until"), text_of(last, "until") + 11);
}

/* "203.0.113.77: /ecp/y.js, and 3 more"; empty when the step has neither. */
static void add_where(struct buffer *out, const struct json_value *step)
{
    const char *object = text_of(step, "object"), *actor = text_of(step, "actor");
    const struct json_value *count = json_member(step, "object_count");
    struct buffer clean = BUFFER_EMPTY, behind = BUFFER_EMPTY;
    uint64_t objects = 0;

    if (count && slice_to_u64(count->text, &objects) && objects > 1)
        buffer_format(&behind, ", and %" PRIu64 " more", objects - 1);
    add_repetitions(&behind, step);
    printable(&clean, object);
    buffer_format(out, "%s%s", actor, *actor && *object ? ": " : "");
    add_cut(out, buffer_text(&clean), WIDTH - out->size - behind.size);
    buffer_add(out, buffer_slice(&behind));
    buffer_release(&clean);
    buffer_release(&behind);
}

/* One line when it fits; else where it was stands below what it was. */
static void print_step(const struct json_value *step, FILE *out)
{
    const struct json_value *tried = json_member(step, "tried");
    struct buffer what = BUFFER_EMPTY, where = BUFFER_EMPTY, line = BUFFER_EMPTY;

    if (tried && slice_is(tried->text, "true"))
        buffer_add_text(&what, "Tried: ");
    printable(&what, text_of(step, "what"));
    add_where(&where, step);
    add_cut(&line, buffer_text(&what), WIDTH);
    if (where.size && line.size + where.size + sizeof " ()" - 1 <= WIDTH) {
        buffer_format(&line, " (%s)", buffer_text(&where));
        buffer_clear(&where);
    }
    fprintf(out, "  %.*sZ  %s\n", TIME, text_of(step, "time"), buffer_text(&line));
    if (where.size)
        fprintf(out, "  %*s%s\n", TIME + 3, "", buffer_text(&where));
    buffer_release(&what);
    buffer_release(&where);
    buffer_release(&line);
}

static void print_steps(const struct json_value *incident, bool all, FILE *out)
{
    const struct json_value *steps = json_member(incident, "steps");
    size_t count = 0;

    for (const struct json_value *step = steps ? steps->first : NULL; step; step = step->next) {
        if (!is_worth_a_line(step, all) || is_told(steps->first, step))
            continue;
        if (count++ < SHOWN_STEPS)
            print_step(step, out);
    }
    if (count > SHOWN_STEPS)
        fprintf(out, "  ... and %zu more steps\n", count - SHOWN_STEPS);
}

static void print_leads(const struct json_value *root, FILE *out)
{
    const struct json_value *leads = json_member(root, "leads");
    size_t count = 0;

    for (const struct json_value *lead = leads ? leads->first : NULL; lead; lead = lead->next)
        if (++count <= SHOWN_LEADS)
            text_beside(count == 1 ? "Next" : "", text_of(lead, "what"), out);
    if (count > SHOWN_LEADS)
        fprintf(out, "%-*s... and %zu more leads\n", HEADING, "", count - SHOWN_LEADS);
}

/* Incidents of the kind; how many there are. */
static size_t print_incidents(const struct json_value *root, const char *kind, FILE *out)
{
    const struct json_value *incidents = json_member(root, "incidents");
    const bool intrusion = strcmp(kind, "intrusion") == 0;
    size_t count = 0;

    for (const struct json_value *at = incidents ? incidents->first : NULL; at; at = at->next) {
        if (strcmp(text_of(at, "kind"), kind) != 0 || ++count > SHOWN_INCIDENTS)
            continue;
        print_heading(at, out);
        print_steps(at, !intrusion, out);
    }
    if (count > SHOWN_INCIDENTS)
        fprintf(out, "\n... and %zu more intrusions\n", count - SHOWN_INCIDENTS);
    return count;
}

size_t verdict_text_incidents(struct case_file *file, FILE *out)
{
    struct arena *arena = arena_new(0);
    const struct json_value *root = arena ? read_findings(file, arena) : NULL;
    size_t count = print_incidents(root, "intrusion", out);

    if (!count)
        count = print_incidents(root, "unexplained", out) + print_incidents(root, "scanning", out);
    if (count) {
        fprintf(out, "\n");
        print_leads(root, out);
    }
    arena_free(arena);
    return count;
}
