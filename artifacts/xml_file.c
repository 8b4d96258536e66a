#include "artifacts/xml_file.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <string.h>

/* The file as characters: bytes, or the low bytes of UTF-16 units (0 for what is not ASCII). */
struct text {
    struct slice bytes;
    size_t unit, count;
};

static uint8_t char_at(const struct text *text, size_t at)
{
    if (at >= text->count)
        return 0;
    if (text->unit == 1)
        return text->bytes.data[at];
    return text->bytes.data[2 * at + 1] ? 0x7f : text->bytes.data[2 * at];
}

static bool stands_at(const struct text *text, size_t at, const char *word)
{
    for (; *word; word++, at++)
        if (char_at(text, at) != (uint8_t)*word)
            return false;
    return true;
}

/* Behind the next occurrence of `word`; the end when there is none. */
static size_t behind(const struct text *text, size_t at, const char *word)
{
    for (; at < text->count; at++)
        if (stands_at(text, at, word))
            return at + strlen(word);
    return text->count;
}

/* Behind the '>' of the start tag at `at`; quoted values may hold one. */
static size_t tag_end(const struct text *text, size_t at)
{
    uint8_t quote = 0;

    for (; at < text->count; at++) {
        const uint8_t c = char_at(text, at);
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return at + 1;
    }
    return text->count;
}

/* Behind the start tag that comes next, which begins at `start`; the end when there is none. */
static size_t next_tag(const struct text *text, size_t at, size_t *start)
{
    while (at < text->count) {
        if (char_at(text, at) != '<')
            at++;
        else if (stands_at(text, at, "<!--"))
            at = behind(text, at + 4, "-->");
        else if (stands_at(text, at, "<![CDATA["))
            at = behind(text, at + 9, "]]>");
        else if (stands_at(text, at, "<?"))
            at = behind(text, at + 2, "?>");
        else if (stands_at(text, at, "</") || stands_at(text, at, "<!"))
            at = behind(text, at + 2, ">");
        else {
            *start = at;
            return tag_end(text, at);
        }
    }
    *start = text->count;
    return text->count;
}

static size_t count_elements(const struct xml_document *document)
{
    size_t count = 0;

    for (const struct xml_element *at = document->root; at; at = xml_walk(document->root, at))
        count++;
    return count;
}

static int find_tags(struct arena *arena, struct xml_file *file)
{
    const size_t count = count_elements(&file->document), unit = file->wide ? 2 : 1;
    const struct text text = {file->content, unit, file->content.size / unit};
    size_t at = 0, start;

    file->tags = arena_array(arena, count, sizeof *file->tags);
    if (!file->tags)
        return -1;
    while (file->tag_count < count) {
        at = next_tag(&text, at, &start);
        if (start == text.count)
            break;
        file->tags[file->tag_count++] =
            (struct xml_tag){(uint32_t)(start * unit), (uint32_t)((at - start) * unit)};
    }
    return 0;
}

static bool is_wide(struct slice content)
{
    return content.size >= 4 && ((content.data[0] == 0xff && content.data[1] == 0xfe) ||
                                 (content.data[0] == '<' && content.data[1] == 0));
}

/* UTF-16 as UTF-8, without the declaration, which would say otherwise. Damaged units become U+FFFD,
 * where libxml2 would stop. */
static struct slice narrowed(struct arena *arena, struct slice utf16)
{
    const bool marked = utf16.data[0] == 0xff;
    const char *text = utf16_to_text(arena, slice_from(utf16, marked ? 2 : 0), false);
    const struct slice whole = slice_of_text(text);
    const size_t end =
        slice_starts(whole, "<?xml") ? slice_find_nocase(whole, 0, SLICE_LITERAL("?>")) : SIZE_MAX;

    return end == SIZE_MAX ? whole : slice_from(whole, end + 2);
}

int xml_file_parse(struct arena *arena, struct slice content, struct xml_file *out)
{
    *out = (struct xml_file){.content = content, .wide = is_wide(content)};
    const struct slice text = out->wide ? narrowed(arena, content) : content;

    if (xml_parse(text, arena, &out->document) < 0)
        return -1;
    out->replaced =
        out->wide && slice_find_nocase(text, 0, SLICE_LITERAL("\xef\xbf\xbd")) != SIZE_MAX;
    return find_tags(arena, out);
}

int xml_file_read(struct job *job, enum kind kind, struct xml_file *out)
{
    struct slice content;

    if (entry_content(job, &content) < 0)
        return -1;
    if (xml_file_parse(job->arena, content, out) < 0) {
        entry_reject(job, kind, content, error_text());
        return 1;
    }
    if (out->replaced)
        job_notice(job, 0, "characters that are not UTF-16 were replaced");
    if (out->document.problem) {
        const char *text = arena_format(job->arena, "line %u: %s; what could be read was used",
                                        out->document.problem_line, out->document.problem);
        job_notice(job, 0, text ? text : out->document.problem);
    }
    return 0;
}

/* Whether the tag's text begins with the element's name; a prefix "asm:" may stand before it. */
static bool is_tag_of(const struct xml_file *file, const struct xml_tag *tag,
                      const struct xml_element *element)
{
    const size_t unit = file->wide ? 2 : 1;
    const struct text text = {slice_part(file->content, tag->offset, tag->size), unit,
                              tag->size / unit};
    size_t at = 1;

    if (stands_at(&text, at, element->name))
        return true;
    while (at < text.count && char_at(&text, at) != ':' && char_at(&text, at) != ' ')
        at++;
    return char_at(&text, at) == ':' && stands_at(&text, at + 1, element->name);
}

static struct slice readable(struct entry *entry, const struct xml_file *file, struct slice bytes)
{
    const char *text = file->wide ? utf16_to_text(entry->job->arena, bytes, false) : NULL;

    return text ? slice_of_text(text) : bytes;
}

void xml_file_place(const struct xml_file *file, const struct xml_element *element, size_t index,
                    struct entry *entry)
{
    const struct xml_document *document = &file->document;

    entry->event.number = element->line;
    if (file->replaced || (document->problem && element->line >= document->problem_line))
        entry->event.marks |= EVENT_REPAIRED;
    if (index >= file->tag_count || !is_tag_of(file, &file->tags[index], element))
        return;
    const struct xml_tag *tag = &file->tags[index];
    entry->event.offset = tag->offset;
    entry->event.raw = readable(entry, file, slice_part(file->content, tag->offset, tag->size));
}

size_t xml_file_index(const struct xml_file *file, const struct xml_element *element)
{
    const struct xml_element *root = file->document.root, *at = root;
    size_t index = 0;

    for (; at && at != element; at = xml_walk(root, at))
        index++;
    return index;
}
