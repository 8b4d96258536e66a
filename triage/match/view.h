/*
 * One event as rules look at it: values by field, each in the forms that rule writers mean (raw,
 * percent-decoded, stem?query,
 * '+' for a blank). Filled anew for each event, forms only when asked for; one view belongs to one
 * matcher.
 */
#ifndef TRIAGE_MATCH_VIEW_H
#define TRIAGE_MATCH_VIEW_H

#include "triage/base/arena.h"
#include "triage/record/event.h"

/* Which forms of a field a condition is tried against. */
enum form_family {
    FORMS_PLAIN,     /* the values as they are */
    FORMS_URI_STEM,  /* the path, raw and percent-decoded */
    FORMS_URI_QUERY, /* query, path, path?query, each raw and percent-decoded */
    FORMS_URI,       /* the whole URI, or path?query, raw and percent-decoded */
    FORMS_BLANKS,    /* raw, '+' as a blank, a blank as '+' (IIS writes blanks in headers as '+') */
};

/* A field name of a rule, resolved. */
struct field_use {
    const char *name; /* as the rule spells it */
    size_t slot;      /* in the view: an enum field, or FIELD_COUNT + number in the field list */
    enum form_family family;
    const struct field_use *other; /* asked where the record lacks it; NULL when there is none */
};

/* Field names of rules that are not in the vocabulary; grows while rules are loaded. */
struct field_list;

struct field_list *field_list_new(struct arena *arena);
/* Resolves a name; -1 when memory is out. */
int field_list_use(struct field_list *fields, const char *name, struct field_use *out);
/* Bytes that stand in a form but perhaps not in the record's text, or in another spelling: a
 * literal that is looked for in the record must not contain them. NUL-ended. */
const char *form_breaks(enum form_family family);

struct form {
    struct slice text;
    const char
        *name; /* what it is when it is not the raw value of the field itself; NULL when it is */
};

struct forms {
    const struct form *list;
    size_t count;
};

struct view;

int view_new(const struct field_list *fields, struct view **out);
void view_free(struct view *view);
/* Looks at an event; what the view gave before is gone. The event is borrowed until the next call.
 */
void view_set(struct view *view, const struct event *event);
const struct event *view_event(const struct view *view);
/* Whether the event has a URI, which has more forms than its values. */
bool view_is_request(const struct view *view);

/* All forms of all values of a field; none when the record does not have it. Valid until the next
 * call for the view. */
struct forms view_forms(struct view *view, const struct field_use *use);
/* The values as they are, without other forms. Valid likewise. */
struct forms view_values(struct view *view, const struct field_use *use);
/* What keywords are searched in: the record's text, all values, the decoded forms of the URI. Valid
 * likewise. */
struct forms view_everything(struct view *view);
/* The record's text, raw and percent-decoded up to twice. Valid likewise. */
struct forms view_text(struct view *view);
/* Whether this text says "no value" in the event's format: nothing at all, or '-' in a W3C log. */
bool view_is_absent(const struct view *view, struct slice text);

#endif
