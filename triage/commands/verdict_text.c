#include "triage/commands/verdict_text.h"

#include "triage/commands/common.h"
#include "triage/formats/json_reader.h"

#include <string.h>

enum {
    HEADING = 15,
    WIDTH = 100,
    SHOWN_INTRUSIONS = 4,
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

static void print_heading(const struct json_value *incident, FILE *out)
{
    struct buffer line = BUFFER_EMPTY;

    buffer_format(&line, "%s, %s; %.16s to %.16s UTC", text_of(incident, "name"),
                  text_of(incident, "confidence"), text_of(incident, "first"),
                  text_of(incident, "last"));
    add_addresses(&line, incident);
    fprintf(out, "\n");
    text_beside("Intrusion", buffer_text(&line), out);
    buffer_release(&line);
}

static bool is_weighty(const struct json_value *step)
{
    const char *level = text_of(step, "level");

    return strcmp(level, "high") == 0 || strcmp(level, "critical") == 0;
}

/* Bytes of at most `most` that end with a whole character of UTF-8. */
static size_t whole_characters(const char *text, size_t most)
{
    size_t size = strnlen(text, most);

    while (size && ((uint8_t)text[size] & 0xC0) == 0x80)
        size--;
    return size;
}

static void print_step(const struct json_value *step, FILE *out)
{
    struct buffer line = BUFFER_EMPTY, clean = BUFFER_EMPTY;
    const char *object = text_of(step, "object"), *actor = text_of(step, "actor");

    buffer_add_text(&line, text_of(step, "what"));
    if (*object || *actor)
        buffer_format(&line, " (%s%s%s)", actor, *object && *actor ? ": " : "", object);
    printable(&clean, buffer_text(&line));
    fprintf(out, "  %.*sZ  %.*s\n", TIME, text_of(step, "time"),
            (int)whole_characters(buffer_text(&clean), WIDTH + 10), buffer_text(&clean));
    buffer_release(&line);
    buffer_release(&clean);
}

static void print_steps(const struct json_value *incident, FILE *out)
{
    const struct json_value *steps = json_member(incident, "steps");
    size_t shown = 0, all = 0;

    for (const struct json_value *step = steps ? steps->first : NULL; step; step = step->next) {
        if (!is_weighty(step))
            continue;
        if (all++ < SHOWN_STEPS) {
            print_step(step, out);
            shown++;
        }
    }
    if (all > shown)
        fprintf(out, "  ... and %zu more steps\n", all - shown);
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

size_t verdict_text_intrusions(struct case_file *file, FILE *out)
{
    struct arena *arena = arena_new(0);
    const struct json_value *root = arena ? read_findings(file, arena) : NULL;
    const struct json_value *incidents = json_member(root, "incidents");
    size_t count = 0;

    for (const struct json_value *at = incidents ? incidents->first : NULL; at; at = at->next) {
        if (strcmp(text_of(at, "kind"), "intrusion") != 0 || ++count > SHOWN_INTRUSIONS)
            continue;
        print_heading(at, out);
        print_steps(at, out);
    }
    if (count > SHOWN_INTRUSIONS)
        fprintf(out, "\n... and %zu more intrusions\n", count - SHOWN_INTRUSIONS);
    if (count) {
        fprintf(out, "\n");
        print_leads(root, out);
    }
    arena_free(arena);
    return count;
}
