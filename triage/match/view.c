#include "triage/match/view.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/match/percent.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    enum field field;
    enum form_family family;
} families[] = {
    {FIELD_cs_uri_stem, FORMS_URI_STEM}, {FIELD_cs_uri_query, FORMS_URI_QUERY},
    {FIELD_cs_uri, FORMS_URI},           {FIELD_cs_user_agent, FORMS_BLANKS},
    {FIELD_cs_referer, FORMS_BLANKS},    {FIELD_cs_cookie, FORMS_BLANKS},
};

struct extra_field {
    struct slice name;
    struct extra_field *next; /* with the same hash */
    size_t slot;
};

enum { EXTRA_HEADS = 1024 };

struct field_list {
    struct arena *arena;
    size_t count;
    struct extra_field *heads[EXTRA_HEADS];
};

/* Where the texts of made-up forms are kept; one buffer for each, so that none moves while another
 * grows. */
enum text_slot {
    TEXT_STEM, /* decoded once, then twice */
    TEXT_QUERY = TEXT_STEM + 2,
    TEXT_WHOLE = TEXT_QUERY + 2, /* raw, decoded once, twice */
    TEXT_URI = TEXT_WHOLE + 3,
    TEXT_RAW = TEXT_URI + 2,
    TEXT_BLANKS = TEXT_RAW + 2,
    TEXT_COUNT = TEXT_BLANKS + 2
};

enum { KEEP_MOST = 1024 * 1024, WEB_FORMS = 12, RAW_FORMS = 3, NONE = 0 };

/* The raw text of a URI part with its decoded forms. */
struct decoded {
    size_t count; /* 0: the part is absent */
    struct slice text[3];
};

struct view {
    const struct field_list *fields;
    const struct event *event;
    size_t slot_count, value_count, value_room;
    size_t *first; /* by slot: number of its first value counted from 1, or NONE */
    size_t *next;  /* by value: number of the next one with the same name, or NONE */
    size_t used_count;
    size_t *used; /* slots to clear before the next event */
    struct form *list;
    struct buffer texts[TEXT_COUNT];
    bool indexed, web_ready, raw_ready;
    struct decoded stem, query, whole, raw;
};

/* Size and two letters: every value that no vocabulary knows is looked up, most in vain. */
static size_t hash_name(struct slice name)
{
    if (name.size == 0)
        return 0;
    const size_t first = name.data[0] & 0x1Fu, last = name.data[name.size - 1] & 0x1Fu;
    return (name.size * 7 + first * 32 + last) % EXTRA_HEADS;
}

struct field_list *field_list_new(struct arena *arena)
{
    struct field_list *fields = arena_take(arena, sizeof *fields);

    if (fields)
        fields->arena = arena;
    return fields;
}

static const struct extra_field *find_extra(const struct field_list *fields, struct slice name)
{
    const struct extra_field *extra = fields->heads[hash_name(name)];

    while (extra && !slice_equal_nocase(extra->name, name))
        extra = extra->next;
    return extra;
}

static const struct extra_field *add_extra(struct field_list *fields, struct slice name)
{
    struct extra_field *extra = arena_take(fields->arena, sizeof *extra);

    if (!extra)
        return NULL;
    struct extra_field **head = &fields->heads[hash_name(name)];
    *extra = (struct extra_field){name, *head, FIELD_COUNT + fields->count++};
    *head = extra;
    return extra;
}

static enum form_family family_of(enum field field)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (families[i].field == field)
            return families[i].family;
    return FORMS_PLAIN;
}

int field_list_use(struct field_list *fields, const char *name, struct field_use *out)
{
    const struct slice text = slice_of_text(name);
    const enum field field = field_from_name(text);

    *out = (struct field_use){.name = name, .slot = field, .family = family_of(field)};
    if (field != FIELD_OTHER)
        return 0;
    const struct extra_field *extra = find_extra(fields, text);
    if (!extra)
        extra = add_extra(fields, text);
    if (!extra)
        return -1;
    out->slot = extra->slot;
    return 0;
}

const char *form_breaks(enum form_family family)
{
    /* CSV doubles quotes and may hold line ends; path and query stand apart in the record; header
     * values have blanks or '+'. */
    switch (family) {
    case FORMS_URI_QUERY:
    case FORMS_URI:
        return "\"\r\n?";
    case FORMS_BLANKS:
        return "\"\r\n+ ";
    default:
        return "\"\r\n";
    }
}

/* Room for the forms of an event with so many values. Events keep their columns, so this seldom
 * allocates. */
static bool make_room(struct view *view, size_t values)
{
    const size_t room = values + WEB_FORMS + RAW_FORMS + 4;

    if (view->list && room <= view->value_room)
        return true;
    size_t *next = realloc(view->next, room * sizeof *next);
    if (next)
        view->next = next;
    struct form *list = realloc(view->list, room * sizeof *list);
    if (list)
        view->list = list;
    if (!next || !list)
        return false;
    view->value_room = room;
    return true;
}

int view_new(const struct field_list *fields, struct view **out)
{
    struct view *view = calloc(1, sizeof *view);

    if (!view)
        return error_set("out of memory");
    view->fields = fields;
    view->slot_count = FIELD_COUNT + fields->count;
    view->first = calloc(view->slot_count, sizeof *view->first);
    view->used = calloc(view->slot_count, sizeof *view->used);
    if (!view->first || !view->used || !make_room(view, 0)) {
        view_free(view);
        return error_set("out of memory");
    }
    *out = view;
    return 0;
}

void view_free(struct view *view)
{
    if (!view)
        return;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        buffer_release(&view->texts[i]);
    free(view->first);
    free(view->used);
    free(view->next);
    free(view->list);
    free(view);
}

static size_t slot_of(const struct view *view, const struct value *value)
{
    if (value->field != FIELD_OTHER)
        return value->field;
    const struct extra_field *extra = find_extra(view->fields, slice_of_text(value->name));
    return extra ? extra->slot : SIZE_MAX;
}

/* Values of one name are chained in their order: walked backwards, each new first one points to the
 * one behind it. */
static void index_values(struct view *view)
{
    view->indexed = true;
    for (size_t i = view->value_count; i-- > 0;) {
        const size_t slot = slot_of(view, &view->event->values[i]);
        if (slot >= view->slot_count)
            continue;
        if (view->first[slot] == NONE)
            view->used[view->used_count++] = slot;
        view->next[i] = view->first[slot];
        view->first[slot] = i + 1;
    }
}

void view_set(struct view *view, const struct event *event)
{
    for (size_t i = 0; i < view->used_count; i++)
        view->first[view->used[i]] = NONE;
    view->used_count = 0;
    view->indexed = view->web_ready = view->raw_ready = false;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        if (view->texts[i].room > KEEP_MOST)
            buffer_release(&view->texts[i]);
    view->event = event;
    view->value_count = make_room(view, event->value_count) ? event->value_count : 0;
}

const struct event *view_event(const struct view *view)
{
    return view->event;
}

bool view_is_request(const struct view *view)
{
    for (size_t i = 0; i < view->value_count; i++) {
        const enum field field = view->event->values[i].field;
        if (field == FIELD_cs_uri_stem || field == FIELD_cs_uri_query || field == FIELD_cs_uri)
            return true;
    }
    return false;
}

bool view_is_absent(const struct view *view, struct slice text)
{
    const enum kind kind = view->event->kind;

    return text.size == 0 ||
           ((kind == KIND_web_request || kind == KIND_http_error) && slice_is(text, "-"));
}

/* Texts that memory was not enough for count as not decoded. */
static struct decoded decode(struct slice raw, struct buffer *buffers)
{
    struct decoded result = {1, {raw}};

    while (result.count < 3) {
        const struct slice text = result.text[result.count - 1];
        struct buffer *buffer = &buffers[result.count - 1];
        buffer_clear(buffer);
        uint8_t *room =
            percent_find(text, 0) == SIZE_MAX ? NULL : buffer_reserve(buffer, text.size);
        if (!room)
            break;
        result.text[result.count++] = slice_of(room, percent_decode(text, room));
    }
    return result;
}

/* The number of the first value in the slot. Most events are never asked. */
static size_t first_in(struct view *view, size_t slot)
{
    if (!view->indexed)
        index_values(view);
    return slot < view->slot_count ? view->first[slot] : NONE;
}

static struct slice first_value(struct view *view, size_t slot)
{
    const size_t number = first_in(view, slot);

    return number == NONE ? slice_of(NULL, 0) : view->event->values[number - 1].text;
}

static struct decoded decode_field(struct view *view, enum field field, struct buffer *buffers)
{
    const struct slice raw = first_value(view, field);

    return view_is_absent(view, raw) ? (struct decoded){0} : decode(raw, buffers);
}

/* stem?query; a part that was decoded fewer times stays as it is. */
static struct slice join(struct view *view, size_t times)
{
    struct buffer *buffer = &view->texts[TEXT_WHOLE + times];
    const struct decoded *stem = &view->stem, *query = &view->query;

    buffer_clear(buffer);
    buffer_add(buffer, stem->text[times < stem->count ? times : stem->count - 1]);
    if (!slice_starts(query->text[0], "?")) /* HttpProxy logs the query with its '?' */
        buffer_add_byte(buffer, '?');
    buffer_add(buffer, query->text[times < query->count ? times : query->count - 1]);
    return buffer_slice(buffer);
}

static void fill_web(struct view *view)
{
    if (view->web_ready)
        return;
    view->web_ready = true;
    view->stem = decode_field(view, FIELD_cs_uri_stem, &view->texts[TEXT_STEM]);
    view->query = decode_field(view, FIELD_cs_uri_query, &view->texts[TEXT_QUERY]);
    view->whole = (struct decoded){0};
    if (!view->stem.count || !view->query.count)
        return;
    while (view->whole.count < view->stem.count || view->whole.count < view->query.count) {
        view->whole.text[view->whole.count] = join(view, view->whole.count);
        view->whole.count++;
    }
}

static struct forms list_forms(const struct view *view, size_t count)
{
    return (struct forms){view->list, count};
}

static size_t add_decoded(struct view *view, size_t count, const struct decoded *decoded,
                          const char *const names[3])
{
    for (size_t i = 0; i < decoded->count; i++)
        view->list[count++] = (struct form){decoded->text[i], names[i]};
    return count;
}

static const char *const own_names[] = {NULL, "percent-decoded value",
                                        "twice percent-decoded value"};
static const char *const stem_names[] = {"stem", "percent-decoded stem",
                                         "twice percent-decoded stem"};
static const char *const query_names[] = {"query", "percent-decoded query",
                                          "twice percent-decoded query"};
static const char *const uri_names[] = {"URI", "percent-decoded URI", "twice percent-decoded URI"};
static const char *const whole_names[] = {"stem?query", "percent-decoded stem?query",
                                          "twice percent-decoded stem?query"};

static size_t add_values(struct view *view, size_t slot)
{
    size_t count = 0;

    for (size_t i = first_in(view, slot); i != NONE; i = view->next[i - 1])
        view->list[count++] = (struct form){view->event->values[i - 1].text, NULL};
    return count;
}

/* The forms of the field's own value; an absent one ('-') only as it is. */
static size_t add_own(struct view *view, size_t slot, const struct decoded *decoded,
                      const char *const names[3])
{
    const size_t count = add_decoded(view, 0, decoded, names);

    if (count == 0)
        return add_values(view, slot);
    view->list[0].name = NULL;
    return count;
}

static size_t add_query(struct view *view, size_t slot)
{
    size_t count = add_own(view, slot, &view->query, query_names);

    count = add_decoded(view, count, &view->stem, stem_names);
    return add_decoded(view, count, &view->whole, whole_names);
}

static size_t add_uri(struct view *view)
{
    const struct slice uri = first_value(view, FIELD_cs_uri);

    if (!view_is_absent(view, uri)) {
        const struct decoded decoded = decode(uri, &view->texts[TEXT_URI]);
        return add_decoded(view, 0, &decoded, own_names);
    }
    fill_web(view);
    size_t count = add_decoded(view, 0, &view->whole, whole_names);
    if (count == 0)
        count = add_decoded(view, 0, &view->stem, stem_names);
    return count ? count : add_decoded(view, 0, &view->query, query_names);
}

static size_t add_swapped(struct view *view, size_t count, struct slice text, uint8_t from,
                          uint8_t to)
{
    struct buffer *buffer = &view->texts[TEXT_BLANKS + (from == ' ')];

    if (slice_find(text, 0, from) == SIZE_MAX)
        return count;
    buffer_clear(buffer);
    buffer_add(buffer, text);
    for (size_t i = 0; i < buffer->size; i++)
        if (buffer->data[i] == from)
            buffer->data[i] = to;
    const char *name = from == '+' ? "value with '+' as a blank" : "value with blanks as '+'";
    view->list[count] = (struct form){buffer_slice(buffer), name};
    return count + !buffer_failed(buffer);
}

static size_t add_blanks(struct view *view, size_t slot)
{
    size_t count = add_values(view, slot);
    const struct slice raw = count ? view->list[0].text : slice_of(NULL, 0);

    count = add_swapped(view, count, raw, '+', ' ');
    return add_swapped(view, count, raw, ' ', '+');
}

struct forms view_values(struct view *view, const struct field_use *use)
{
    size_t count = add_values(view, use->slot);

    for (const struct field_use *other = use->other; other && count == 0; other = other->other)
        count = add_values(view, other->slot);
    return list_forms(view, count);
}

struct forms view_forms(struct view *view, const struct field_use *use)
{
    switch (use->family) {
    case FORMS_URI_STEM:
        fill_web(view);
        return list_forms(view, add_own(view, use->slot, &view->stem, own_names));
    case FORMS_URI_QUERY:
        fill_web(view);
        return list_forms(view, add_query(view, use->slot));
    case FORMS_URI:
        return list_forms(view, add_uri(view));
    case FORMS_BLANKS:
        return list_forms(view, add_blanks(view, use->slot));
    default:
        return view_values(view, use);
    }
}

struct forms view_everything(struct view *view)
{
    size_t count = 0;

    fill_web(view);
    view->list[count++] = (struct form){view->event->raw, NULL};
    for (size_t i = 0; i < view->value_count; i++)
        view->list[count++] = (struct form){view->event->values[i].text, NULL};
    count = add_decoded(view, count, &view->stem, stem_names);
    count = add_decoded(view, count, &view->query, query_names);
    count = add_decoded(view, count, &view->whole, whole_names);
    if (first_in(view, FIELD_cs_uri) == NONE)
        return list_forms(view, count);
    const struct decoded uri = decode(first_value(view, FIELD_cs_uri), &view->texts[TEXT_URI]);
    return list_forms(view, add_decoded(view, count, &uri, uri_names));
}

struct forms view_text(struct view *view)
{
    static const char *const names[] = {NULL, "percent-decoded line", "twice percent-decoded line"};

    if (!view->raw_ready)
        view->raw = decode(view->event->raw, &view->texts[TEXT_RAW]);
    view->raw_ready = true;
    return list_forms(view, add_decoded(view, 0, &view->raw, names));
}
