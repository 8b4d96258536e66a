/*
 * STIX 2.1 bundles (OASIS, "STIX Version 2.1") and MISP events (misp-standard.org, "MISP core
 * format"), both JSON. The line of an object is that of its id, found once through the text.
 */
#include "triage/match/indicator_reader.h"

#include "triage/base/error.h"
#include "triage/formats/json_reader.h"

enum { OBJECTS_MOST = 4 };

struct reading {
    struct slice text;
    struct arena *arena;
    const struct indicator_sink *sink;
    size_t at;     /* ids before this place were found */
    unsigned line; /* of that place */
    size_t known;  /* objects that were understood as such */
    const char *campaign, *level;
};

static const char *text_of(const struct json_value *parent, const char *name)
{
    const struct json_value *value = json_member(parent, name);

    return value && value->type == JSON_STRING && value->text.size ? (const char *)value->text.data
                                                                   : NULL;
}

/* The line of the object with that id; objects come in the order of the file. */
static unsigned line_of(struct reading *reading, const char *id)
{
    const size_t found =
        id && *id ? slice_find_nocase(reading->text, reading->at, slice_of_text(id)) : SIZE_MAX;

    if (found == SIZE_MAX)
        return reading->line;
    for (size_t i = reading->at; i < found; i++)
        reading->line += reading->text.data[i] == '\n';
    reading->at = found;
    return reading->line;
}

/* --- STIX --- */

static void take_stix(struct reading *reading, const struct json_value *object)
{
    const char *pattern = text_of(object, "pattern");
    const char *language = text_of(object, "pattern_type");
    const char *id = text_of(object, "id");
    const struct indicator_fact base = {.campaign = text_of(object, "name"),
                                        .level = text_of(object, "x_level"),
                                        .line = line_of(reading, id)};
    struct indicator_terms terms;
    const struct json_value *revoked = json_member(object, "revoked");
    bool ignored = false;
    const char *problem = NULL;

    if (revoked && slice_is(revoked->text, "true")) {
        reading->sink->ignore(reading->sink->context, base.line, "revoked");
        return;
    }
    if (!pattern)
        problem = "the indicator has no pattern";
    else if (language && strcmp(language, "stix") != 0)
        problem = arena_format(reading->arena, "patterns of type '%.40s' are not read", language);
    else
        problem = indicator_stix_pattern(reading->arena, slice_of_text(pattern), &terms, &ignored);
    if (problem)
        reading->sink->refuse(reading->sink->context, base.line, problem);
    else if (ignored)
        reading->sink->ignore(reading->sink->context, base.line, "mutex");
    else
        indicator_terms_tell(reading->sink, reading->arena, terms, &base);
}

static void take_bundle(struct reading *reading, const struct json_value *objects)
{
    for (const struct json_value *object = objects ? objects->first : NULL; object;
         object = object->next) {
        const char *type = text_of(object, "type");
        if (!type || strcmp(type, "indicator") != 0)
            continue;
        reading->known++;
        take_stix(reading, object);
    }
}

/* --- MISP --- */

static void take_attribute(struct reading *reading, const struct json_value *attribute)
{
    const char *type = text_of(attribute, "type"), *value = text_of(attribute, "value");
    const struct json_value *to_ids = json_member(attribute, "to_ids");
    const char *id = text_of(attribute, "uuid");
    const struct indicator_fact base = {.campaign = reading->campaign,
                                        .level = reading->level,
                                        .line = line_of(reading, id ? id : value)};

    reading->known++;
    if (!type || !value)
        reading->sink->refuse(reading->sink->context, base.line, "no type or no value");
    else if (to_ids && (slice_is(to_ids->text, "false") || slice_is(to_ids->text, "0")))
        reading->sink->ignore(reading->sink->context, base.line,
                              "not meant for detection (to_ids)");
    else
        indicator_tell(reading->sink, reading->arena, slice_of_text(type), slice_of_text(value),
                       &base);
}

static void take_attributes(struct reading *reading, const struct json_value *list)
{
    for (const struct json_value *item = list ? list->first : NULL; item; item = item->next)
        take_attribute(reading, item);
}

static void take_event(struct reading *reading, const struct json_value *event)
{
    const struct json_value *objects = json_member(event, "Object");

    reading->campaign = text_of(event, "info");
    take_attributes(reading, json_member(event, "Attribute"));
    for (const struct json_value *object = objects ? objects->first : NULL; object;
         object = object->next)
        take_attributes(reading, json_member(object, "Attribute"));
}

/* An event stands as it is, in "Event", in a "response" of several, or in a list of them. */
static void take_any(struct reading *reading, const struct json_value *value, unsigned depth)
{
    if (!value || depth > OBJECTS_MOST)
        return;
    if (value->type == JSON_ARRAY) {
        for (const struct json_value *item = value->first; item; item = item->next)
            take_any(reading, item, depth + 1);
        return;
    }
    take_bundle(reading, json_member(value, "objects"));
    if (json_member(value, "Attribute") || json_member(value, "Object"))
        take_event(reading, value);
    take_any(reading, json_member(value, "Event"), depth + 1);
    take_any(reading, json_member(value, "response"), depth + 1);
}

int indicator_read_json(struct slice text, struct arena *arena, const struct indicator_sink *sink)
{
    struct reading reading = {.text = text, .arena = arena, .sink = sink, .line = 1};
    struct json_value *root;

    if (json_read(text, arena, &root) < 0)
        return error_prefix("JSON");
    take_any(&reading, root, 0);
    return reading.known ? 0 : error_set("neither a STIX bundle with indicators nor a MISP event");
}
