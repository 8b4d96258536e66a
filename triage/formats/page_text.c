#include "triage/formats/page_text.h"

#include "triage/formats/page_flow.h"
#include "triage/formats/page_parts.h"

enum { DEPTH_MOST = 3 }; /* texts within texts */

/* Both ways, then the same for what texts held, which begins at `page_end` of the output. */
static bool uncover(struct slice in, struct buffer *out, int depth, size_t *page_end)
{
    struct buffer between = BUFFER_EMPTY, held = BUFFER_EMPTY;
    bool changed = page_uncover_characters(in, &between);

    changed |= page_join_texts(buffer_slice(&between), out, &held);
    *page_end = out->size;
    if (held.size && depth < DEPTH_MOST)
        uncover(buffer_slice(&held), out, depth + 1, &(size_t){0});
    buffer_release(&between);
    buffer_release(&held);
    return changed;
}

bool page_text_is_page(struct slice bytes)
{
    static const char *const marks[] = {"<%", "runat", "<\0%", "@{", "@using", "@functions"};
    static const size_t sizes[] = {2, 5, 3, 2, 6, 10};

    if (page_is_utf7(bytes))
        return true;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (slice_find_nocase(bytes, 0, slice_of(marks[i], sizes[i])) != SIZE_MAX)
            return true;
    return false;
}

bool page_text_plain(struct slice bytes, struct buffer *plain)
{
    struct buffer narrow = BUFFER_EMPTY, lines = BUFFER_EMPTY;
    const size_t start = plain->size;
    size_t page_end;

    if (bytes.size > PAGE_TEXT_MOST || !page_text_is_page(bytes))
        return false;
    bool changed = page_decode(bytes, &narrow);
    changed |= uncover(changed ? buffer_slice(&narrow) : bytes, plain, 0, &page_end);
    changed |= page_flow(slice_from(buffer_slice(plain), start), page_end - start, &lines);
    buffer_add(plain, buffer_slice(&lines));
    buffer_release(&narrow);
    buffer_release(&lines);
    return changed && !buffer_failed(plain);
}
