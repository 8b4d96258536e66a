/* Which parts of a page run at the server, and which controls of its form the client fills in. */
#include "triage/formats/page_flow_parts.h"

enum {
    TAG_MOST = 600, /* of an element's start tag */
};

static void add_span(struct page_flow *flow, size_t start, size_t end)
{
    if (start >= end)
        return;
    /* Too many: the last one goes on to the end, so that nothing is left out. */
    if (flow->span_count == PAGE_SPANS_MOST)
        flow->spans[PAGE_SPANS_MOST - 1].end = end;
    else
        flow->spans[flow->span_count++] = (struct page_span){start, end};
}

static struct slice tag_at(struct slice text, size_t at)
{
    const struct slice rest = slice_part(text, at, TAG_MOST);
    const size_t end = slice_find(rest, 0, '>');

    return end == SIZE_MAX ? rest : slice_part(rest, 0, end);
}

static bool tag_says(struct slice tag, const char *word)
{
    return slice_find_nocase(tag, 0, slice_of_text(word)) != SIZE_MAX;
}

/* Handlers and services are code from their directive on. */
static bool is_all_code(struct slice page)
{
    const size_t directive = slice_find_nocase(page, 0, SLICE_LITERAL("<%"));

    if (directive == SIZE_MAX)
        return slice_find_nocase(page, 0, SLICE_LITERAL("runat")) == SIZE_MAX;
    const struct slice tag = tag_at(page, directive);
    size_t at = page_skip_blanks(tag, 2);
    if (page_byte(tag, at) != '@')
        return false;
    at = page_skip_blanks(tag, at + 1);
    const struct slice kind = page_word_at(tag, at);
    return slice_is_nocase(kind, "webhandler") || slice_is_nocase(kind, "webservice") ||
           slice_is_nocase(kind, "servicehost") ||
           (slice_is_nocase(kind, "language") && tag_says(tag, "class"));
}

void page_find_server_code(struct page_flow *flow, size_t page_size)
{
    const struct slice page = slice_part(flow->text, 0, page_size);
    const bool all = is_all_code(page);

    if (all)
        add_span(flow, 0, page.size);
    for (size_t at = 0; !all && at < page.size;) {
        const size_t tag = slice_find(page, at, '<');
        if (tag == SIZE_MAX)
            break;
        const char *end_mark = page_byte(page, tag + 1) == '%' ? "%>" : NULL;
        if (!end_mark && slice_starts_nocase(slice_from(page, tag), "<script") &&
            tag_says(tag_at(page, tag), "runat"))
            end_mark = "</script";
        at = tag + 2;
        if (!end_mark)
            continue;
        size_t end = slice_find_nocase(page, at, slice_of_text(end_mark));
        if (end == SIZE_MAX)
            end = page.size;
        add_span(flow, at, end);
        at = end;
    }
    if (flow->text.size > page.size) {
        if (flow->span_count == PAGE_SPANS_MOST)
            flow->span_count--;
        add_span(flow, page.size, flow->text.size);
    }
}

/* The value of id="..." in a start tag. */
static struct slice id_of(struct slice tag)
{
    for (size_t at = 0; (at = slice_find_nocase(tag, at, SLICE_LITERAL("id"))) != SIZE_MAX;) {
        const bool is_alone = at && !page_is_word(tag.data[at - 1]);
        at = page_skip_blanks(tag, at + 2);
        if (!is_alone || page_byte(tag, at) != '=')
            continue;
        at = page_skip_blanks(tag, at + 1);
        /* Quotes that a blog made curly are still in many a page. */
        while (page_byte(tag, at) == '"' || page_byte(tag, at) == '\'' ||
               page_byte(tag, at) >= 0x80)
            at++;
        size_t end = at;
        while (page_is_word(page_byte(tag, end)) && tag.data[end] < 0x80)
            end++;
        return slice_part(tag, at, end - at);
    }
    return slice_of(NULL, 0);
}

static bool is_field(struct slice tag)
{
    static const char *const controls[] = {"<asp:textbox", "<asp:hiddenfield", "<asp:dropdownlist",
                                           "<asp:listbox", "<input",           "<textarea",
                                           "<select"};

    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        if (slice_starts_nocase(tag, controls[i]))
            return tag_says(tag, "runat");
    return false;
}

void page_find_fields(struct page_flow *flow)
{
    const struct slice text = flow->text;

    for (size_t at = 0;
         flow->field_count < PAGE_FIELDS_MOST && (at = slice_find(text, at, '<')) != SIZE_MAX;
         at++) {
        const uint8_t first = page_byte(text, at + 1) | 0x20;
        if (first != 'a' && first != 'i' && first != 't' && first != 's')
            continue;
        const struct slice tag = tag_at(text, at);
        const struct slice id = is_field(tag) ? id_of(tag) : slice_of(NULL, 0);
        if (id.size && id.size < PAGE_NAME_MOST)
            flow->fields[flow->field_count++] = id;
    }
}
