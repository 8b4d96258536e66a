/* Conditions joined by AND and OR, and the choice of the reader for a list. */
#include "triage/match/indicator_reader.h"

#include "triage/base/error.h"

enum { TERMS_MOST = 256, LEAVES_MOST = 8 };

static const char out_of_memory[] = "out of memory";

const char *indicator_terms_leaf(struct arena *arena, const struct indicator_leaf *leaf,
                                 struct indicator_terms *out)
{
    struct indicator_term *term = arena_take(arena, sizeof *term);
    const struct indicator_leaf **leaves = arena_take(arena, sizeof(*leaves));

    if (!term || !leaves)
        return out_of_memory;
    *leaves = leaf;
    *term = (struct indicator_term){leaves, 1};
    *out = (struct indicator_terms){term, 1};
    return NULL;
}

const char *indicator_terms_or(struct arena *arena, struct indicator_terms a,
                               struct indicator_terms b, struct indicator_terms *out)
{
    const unsigned count = a.count + b.count;
    struct indicator_term *list = NULL;

    if (count > TERMS_MOST)
        return "more alternatives than are kept (256)";
    if (!(list = arena_array(arena, count + 1, sizeof *list)))
        return out_of_memory;
    if (a.count)
        memcpy(list, a.list, a.count * sizeof *list);
    if (b.count)
        memcpy(list + a.count, b.list, b.count * sizeof *list);
    *out = (struct indicator_terms){list, count};
    return NULL;
}

static const char *join(struct arena *arena, const struct indicator_term *a,
                        const struct indicator_term *b, struct indicator_term *out)
{
    const unsigned count = a->count + b->count;
    const struct indicator_leaf **leaves;

    if (count > LEAVES_MOST)
        return "more conditions in one AND than are kept (8)";
    if (!(leaves = arena_array(arena, count, sizeof(*leaves))))
        return out_of_memory;
    memcpy(leaves, a->leaves, a->count * sizeof(*leaves));
    memcpy(leaves + a->count, b->leaves, b->count * sizeof(*leaves));
    *out = (struct indicator_term){leaves, count};
    return NULL;
}

const char *indicator_terms_and(struct arena *arena, struct indicator_terms a,
                                struct indicator_terms b, struct indicator_terms *out)
{
    const unsigned count = a.count * b.count;
    struct indicator_term *list;

    if (count > TERMS_MOST)
        return "more alternatives than are kept (256)";
    if (!(list = arena_array(arena, count + 1, sizeof *list)))
        return out_of_memory;
    for (unsigned i = 0; i < a.count; i++)
        for (unsigned j = 0; j < b.count; j++) {
            const char *problem = join(arena, &a.list[i], &b.list[j], &list[i * b.count + j]);
            if (problem)
                return problem;
        }
    *out = (struct indicator_terms){list, count};
    return NULL;
}

void indicator_terms_tell(const struct indicator_sink *sink, struct arena *arena,
                          struct indicator_terms terms, const struct indicator_fact *base)
{
    for (unsigned i = 0; i < terms.count; i++) {
        const struct indicator_term *term = &terms.list[i];
        struct indicator_fact fact = *base;
        fact.members = term->count > 1 ? term->count : 0;
        fact.strongest = INDICATOR_EMAIL;
        for (unsigned j = 0; j < term->count; j++)
            if (term->leaves[j]->kind < fact.strongest)
                fact.strongest = term->leaves[j]->kind;
        for (fact.member = 0; fact.member < term->count; fact.member++)
            indicator_tell_kind(sink, arena, term->leaves[fact.member]->kind,
                                term->leaves[fact.member]->text, &fact);
    }
}

static struct slice visible(struct slice text)
{
    if (slice_starts(text, "\xEF\xBB\xBF"))
        text = slice_from(text, 3);
    while (text.size && (text.data[0] == ' ' || (text.data[0] >= '\t' && text.data[0] <= '\r')))
        text = slice_from(text, 1);
    return text;
}

int indicator_read(struct slice text, struct arena *arena, const struct indicator_sink *sink)
{
    const struct slice start = visible(text);

    if (slice_starts(start, "{") || slice_starts(start, "["))
        return indicator_read_json(start, arena, sink);
    if (slice_starts(start, "<"))
        return indicator_read_openioc(start, arena, sink);
    return indicator_read_lines(text, arena, sink);
}

/* Whether one of the path's folders is a home of indicator lists. */
static bool in_list_folder(const char *path)
{
    const struct slice whole = slice_of_text(path);

    return slice_find_nocase(whole, 0, SLICE_LITERAL("/indicators/")) != SIZE_MAX ||
           slice_find_nocase(whole, 0, SLICE_LITERAL("/iocs/")) != SIZE_MAX ||
           slice_starts_nocase(whole, "indicators/") || slice_starts_nocase(whole, "iocs/");
}

static bool holds(struct slice head, const char *text)
{
    return slice_find_nocase(head, 0, slice_of_text(text)) != SIZE_MAX;
}

bool indicator_recognise(const char *path, struct slice head)
{
    const struct slice name = slice_of_text(path);
    const bool listed = in_list_folder(path);

    if (slice_ends_nocase(name, ".ioc") || slice_ends_nocase(name, ".stix"))
        return true;
    if (slice_ends_nocase(name, ".json"))
        return listed || holds(head, "\"bundle\"") || holds(head, "\"Attribute\"");
    if (slice_ends_nocase(name, ".csv") || slice_ends_nocase(name, ".tsv"))
        return listed || holds(slice_part(head, 0, slice_find(head, 0, '\n')), "indicator");
    return listed && (slice_ends_nocase(name, ".txt") || slice_ends_nocase(name, ".lst") ||
                      slice_ends_nocase(name, ".list"));
}
