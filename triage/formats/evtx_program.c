/* Compiling binary XML: tokens as in MS-EVEN6 2.2.12. */
#include "triage/formats/evtx_program.h"

#include "triage/base/utf16.h"
#include "triage/formats/evtx_text.h"

#include <stdlib.h>
#include <string.h>

enum token {
    TOKEN_END = 0x00,
    TOKEN_OPEN = 0x01,
    TOKEN_OPEN_CLOSE = 0x02, /* ">" */
    TOKEN_EMPTY_CLOSE = 0x03,
    TOKEN_CLOSE = 0x04,
    TOKEN_TEXT = 0x05,
    TOKEN_ATTRIBUTE = 0x06,
    TOKEN_CDATA = 0x07,
    TOKEN_CHARACTER = 0x08,
    TOKEN_ENTITY = 0x09,
    TOKEN_PI_TARGET = 0x0A,
    TOKEN_PI_DATA = 0x0B,
    TOKEN_TEMPLATE = 0x0C,
    TOKEN_VALUE = 0x0D,
    TOKEN_OPTIONAL_VALUE = 0x0E,
    TOKEN_FRAGMENT = 0x0F,
    TOKEN_MORE = 0x40, /* flag */
};

/* As slice_is, without measuring the text each time. */
#define IS(slice, literal) slice_equal((slice), SLICE_LITERAL(literal))

/* One run of tokens on its way. */
struct parse {
    struct evtx_compiler *compiler;
    struct cursor in; /* over the chunk, cut at the end of the tokens */
    bool in_template, ended;
    size_t depth;
    struct slice open[EVTX_DEPTH_MOST];
    const char *problem;
};

void evtx_compiler_chunk(struct evtx_compiler *compiler, struct slice chunk)
{
    arena_reset(compiler->arena);
    memset(compiler->names, 0, sizeof compiler->names);
    compiler->chunk = chunk;
    compiler->work = 0;
}

void evtx_compiler_release(struct evtx_compiler *compiler)
{
    free(compiler->steps);
    free(compiler->parts);
}

/* --- steps --- */

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    const size_t more = *room ? *room * 2 : 256;
    void *larger = realloc(list, more * size);
    if (larger)
        *room = more;
    return larger;
}

static void add_step(struct parse *parse, struct evtx_step step)
{
    struct evtx_compiler *compiler = parse->compiler;
    struct evtx_step *steps =
        grown(compiler->steps, compiler->step_count, &compiler->step_room, sizeof *steps);

    if (!steps) {
        parse->problem = "out of memory";
        return;
    }
    compiler->steps = steps;
    compiler->steps[compiler->step_count++] = step;
    compiler->work++;
}

/* UTF-16 as text in the arena. */
static struct slice text_of(struct parse *parse, struct slice utf16)
{
    struct evtx_text text = {arena_take(parse->compiler->arena, utf16.size / 2 * 3 + 1), 0,
                             utf16.size / 2 * 3, false};

    parse->compiler->work += utf16.size / 2;
    if (!text.data) {
        parse->problem = "the chunk's templates take too much memory";
        return slice_of(NULL, 0);
    }
    evtx_text_add_utf16(&text, utf16);
    return slice_of(text.data, text.size); /* a NUL is behind it */
}

static struct slice counted_text(struct parse *parse)
{
    const size_t units = cursor_u16le(&parse->in);
    const struct slice utf16 = cursor_take(&parse->in, units * 2);

    if (cursor_failed(&parse->in)) {
        parse->problem = "a text is cut short";
        return slice_of(NULL, 0);
    }
    return text_of(parse, utf16);
}

static uint16_t name_hash(struct slice utf16)
{
    uint32_t hash = 0;

    for (size_t i = 0; i + 1 < utf16.size; i += 2)
        hash = hash * 65599 + (utf16.data[i] | (uint32_t)utf16.data[i + 1] << 8);
    return (uint16_t)hash;
}

/* The name at `offset` of the chunk; its checksum tells whether it was overwritten. */
static bool read_name(struct parse *parse, uint32_t offset, struct evtx_kept_name *kept)
{
    struct cursor name = cursor_over(parse->compiler->chunk, 0);

    cursor_seek(&name, offset);
    cursor_skip(&name, 4); /* the next name with this hash */
    const uint16_t hash = cursor_u16le(&name);
    const size_t units = cursor_u16le(&name);
    const struct slice utf16 = cursor_take(&name, units * 2);
    cursor_skip(&name, 2); /* NUL */
    if (cursor_failed(&parse->in) || cursor_failed(&name))
        parse->problem = "a name lies outside of the chunk";
    else if (hash != name_hash(utf16))
        parse->problem = "a name was overwritten";
    else
        *kept = (struct evtx_kept_name){offset, (uint32_t)name.at, text_of(parse, utf16)};
    return !parse->problem;
}

/* A name stands at an offset of the chunk; the first time it is used it stands right here and is
 * passed over. */
static struct slice name_at(struct parse *parse)
{
    const uint32_t offset = cursor_u32le(&parse->in);
    struct evtx_kept_name *kept = &parse->compiler->names[offset / 2 % EVTX_NAMES_KEPT];

    if ((kept->offset != offset || !kept->end) && !read_name(parse, offset, kept))
        return slice_of(NULL, 0);
    if (offset == parse->in.at)
        cursor_seek(&parse->in, kept->end);
    return kept->text;
}

/* --- tokens --- */

/* Whether an element's size stands here. */
static bool size_fits(struct cursor *in)
{
    const uint32_t size = cursor_u32le(in);

    return !cursor_failed(in) && size <= cursor_left(in);
}

/* Where elements have a dependency number in front is a rule that some writers break: the size
 * behind it tells. */
static void skip_element_head(struct parse *parse)
{
    struct cursor plain = parse->in, numbered = parse->in;

    cursor_skip(&numbered, 2);
    const bool is_plain = parse->in_template ? !size_fits(&numbered) && size_fits(&plain)
                                             : size_fits(&plain) || !size_fits(&numbered);
    parse->in = is_plain ? plain : numbered;
}

static void take_open(struct parse *parse, bool attributes)
{
    skip_element_head(parse);
    const struct slice name = name_at(parse);
    if (attributes)
        cursor_skip(&parse->in, 4); /* size of the attributes */
    if (parse->depth == EVTX_DEPTH_MOST) {
        parse->problem = "elements are nested too deep";
        return;
    }
    parse->open[parse->depth++] = name;
    add_step(parse, (struct evtx_step){.kind = STEP_OPEN, .text = name});
}

static void take_close(struct parse *parse)
{
    if (parse->depth == 0) {
        parse->problem = "an element ends that did not begin";
        return;
    }
    parse->depth--;
    add_step(parse, (struct evtx_step){.kind = STEP_CLOSE, .text = parse->open[parse->depth]});
}

static void add_text(struct parse *parse, struct slice text)
{
    add_step(parse, (struct evtx_step){.kind = STEP_TEXT, .text = text});
}

static void take_text(struct parse *parse)
{
    if (cursor_u8(&parse->in) != EVTX_STRING) {
        parse->problem = "a text of unknown type";
        return;
    }
    add_text(parse, counted_text(parse));
}

static void take_character(struct parse *parse)
{
    add_text(parse, text_of(parse, cursor_take(&parse->in, 2)));
}

static void take_entity(struct parse *parse)
{
    static const struct {
        const char *name, *text;
    } known[] = {{"lt", "<"}, {"gt", ">"}, {"amp", "&"}, {"quot", "\""}, {"apos", "'"}};
    const struct slice name = name_at(parse);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_is(name, known[i].name)) {
            add_text(parse, slice_of_text(known[i].text));
            return;
        }
    add_text(parse, name);
}

static void take_value(struct parse *parse, bool optional)
{
    const uint16_t index = cursor_u16le(&parse->in);

    cursor_skip(&parse->in, 1); /* its type, which the value bears too */
    add_step(parse, (struct evtx_step){.kind = STEP_VALUE, .optional = optional, .index = index});
}

static void take_token(struct parse *parse)
{
    const uint8_t token = cursor_u8(&parse->in);

    switch (token & ~TOKEN_MORE) {
    case TOKEN_END:
        parse->ended = true;
        break;
    case TOKEN_OPEN:
        take_open(parse, token & TOKEN_MORE);
        break;
    case TOKEN_OPEN_CLOSE:
        add_step(parse, (struct evtx_step){.kind = STEP_INSIDE});
        break;
    case TOKEN_EMPTY_CLOSE:
    case TOKEN_CLOSE:
        take_close(parse);
        break;
    case TOKEN_TEXT:
        take_text(parse);
        break;
    case TOKEN_ATTRIBUTE:
        add_step(parse, (struct evtx_step){.kind = STEP_ATTRIBUTE, .text = name_at(parse)});
        break;
    case TOKEN_CDATA:
        add_text(parse, counted_text(parse));
        break;
    case TOKEN_CHARACTER:
        take_character(parse);
        break;
    case TOKEN_ENTITY:
        take_entity(parse);
        break;
    case TOKEN_PI_TARGET:
        name_at(parse);
        break;
    case TOKEN_PI_DATA:
        counted_text(parse);
        break;
    case TOKEN_VALUE:
    case TOKEN_OPTIONAL_VALUE:
        take_value(parse, token == TOKEN_OPTIONAL_VALUE);
        break;
    case TOKEN_FRAGMENT:
        cursor_skip(&parse->in, 3);
        break;
    default:
        parse->problem = "an unknown token in binary XML";
    }
}

static void take_tokens(struct parse *parse)
{
    while (!parse->ended && !parse->problem && cursor_left(&parse->in)) {
        take_token(parse);
        if (cursor_failed(&parse->in) && !parse->problem)
            parse->problem = "binary XML is cut short";
    }
    if (parse->depth && !parse->problem)
        parse->problem = "binary XML ends within an element";
}

/* --- parts: what an event's values are called --- */

struct naming {
    struct evtx_compiler *compiler;
    size_t depth;
    struct {
        struct slice name;
        enum evtx_section section;
        struct slice given; /* the Name attribute of a <Data> */
        bool filled;        /* it has content */
    } element[EVTX_DEPTH_MOST + 1];
};

static const struct {
    const char *element, *attribute, *name;
    enum evtx_role role;
} system_names[] = {
    {"Provider", "Name", "Provider_Name", EVTX_ROLE_PROVIDER},
    {"Provider", "Guid", "Provider_Guid", EVTX_ROLE_NONE},
    {"Provider", "EventSourceName", "EventSourceName", EVTX_ROLE_NONE},
    {"EventID", "", "EventID", EVTX_ROLE_EVENT_ID},
    {"EventID", "Qualifiers", "Qualifiers", EVTX_ROLE_NONE},
    {"EventRecordID", "", "EventRecordID", EVTX_ROLE_RECORD_ID},
    {"TimeCreated", "SystemTime", "SystemTime", EVTX_ROLE_TIME},
    {"Execution", "ProcessID", "Execution_ProcessID", EVTX_ROLE_NONE},
    {"Execution", "ThreadID", "Execution_ThreadID", EVTX_ROLE_NONE},
    {"Correlation", "ActivityID", "ActivityID", EVTX_ROLE_NONE},
    {"Correlation", "RelatedActivityID", "RelatedActivityID", EVTX_ROLE_NONE},
    {"Channel", "", "Channel", EVTX_ROLE_CHANNEL},
    {"Security", "UserID", "UserID", EVTX_ROLE_NONE},
};

static enum evtx_section section_below(enum evtx_section parent, struct slice element)
{
    if (parent != SECTION_NONE || IS(element, "Event"))
        return parent;
    if (IS(element, "System"))
        return SECTION_SYSTEM;
    if (IS(element, "EventData"))
        return SECTION_DATA;
    if (IS(element, "RenderingInfo"))
        return SECTION_RENDERING;
    return SECTION_USER;
}

static const char *joined(struct arena *arena, struct slice front, struct slice back)
{
    return arena_format(arena, "%.*s_%.*s", (int)front.size, (const char *)front.data,
                        (int)back.size, (const char *)back.data);
}

struct evtx_name evtx_system_name(struct arena *arena, struct slice element, struct slice attribute)
{
    for (size_t i = 0; i < sizeof system_names / sizeof *system_names; i++)
        if (element.size && element.data[0] == (uint8_t)system_names[i].element[0] &&
            slice_is(element, system_names[i].element) &&
            slice_is(attribute, system_names[i].attribute))
            return (struct evtx_name){.text = system_names[i].name, .role = system_names[i].role};
    return (struct evtx_name){.text = attribute.size ? joined(arena, element, attribute)
                                                     : (const char *)element.data};
}

/* The name of an element's content, or of one of its attributes. Texts in the arena end with a NUL.
 */
static struct evtx_name name_of(struct naming *naming, struct slice attribute)
{
    const struct slice element = naming->element[naming->depth].name;
    const struct slice given = naming->element[naming->depth].given;
    const enum evtx_section section = naming->element[naming->depth].section;

    if (section == SECTION_SYSTEM)
        return evtx_system_name(naming->compiler->arena, element, attribute);
    if (attribute.size)
        return (struct evtx_name){.text = joined(naming->compiler->arena, element, attribute)};
    if (given.size)
        return (struct evtx_name){.text = (const char *)given.data};
    if (IS(element, "Data"))
        return (struct evtx_name){.text = "Data", .role = EVTX_ROLE_UNNAMED};
    if (section == SECTION_RENDERING && !IS(element, "Message"))
        return (struct evtx_name){
            .text = joined(naming->compiler->arena, SLICE_LITERAL("RenderingInfo"), element)};
    return (struct evtx_name){.text = element.size ? (const char *)element.data : "Text"};
}

static void add_part(struct naming *naming, struct evtx_name name, size_t first, size_t count)
{
    struct evtx_compiler *compiler = naming->compiler;
    struct evtx_part *parts =
        grown(compiler->parts, compiler->part_count, &compiler->part_room, sizeof *parts);

    if (!parts || !name.text)
        return;
    compiler->parts = parts;
    compiler->parts[compiler->part_count++] = (struct evtx_part){
        .name = name,
        .first = first,
        .count = count,
        .section = naming->element[naming->depth].section,
        .single = count == 1 && compiler->steps[first].kind == STEP_VALUE,
    };
}

/* Steps from `first` on that are content. */
static size_t content_count(const struct evtx_compiler *compiler, size_t first)
{
    size_t at = first;

    while (at < compiler->step_count && compiler->steps[at].kind >= STEP_TEXT)
        at++;
    return at - first;
}

static bool is_blank(const struct evtx_compiler *compiler, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        if (compiler->steps[i].kind == STEP_VALUE || slice_trim(compiler->steps[i].text).size)
            return false;
    return true;
}

static void name_attribute(struct naming *naming, struct slice attribute, size_t first,
                           size_t count)
{
    const struct evtx_step *content = &naming->compiler->steps[first];
    const struct slice element = naming->element[naming->depth].name;

    if (IS(slice_part(attribute, 0, 5), "xmlns"))
        return;
    if (IS(element, "Data") && IS(attribute, "Name") && count == 1 && content->kind == STEP_TEXT) {
        naming->element[naming->depth].given = content->text;
        return;
    }
    add_part(naming, name_of(naming, attribute), first, count);
}

static void name_element(struct naming *naming, struct slice name)
{
    const enum evtx_section parent = naming->element[naming->depth].section;

    naming->depth++;
    naming->element[naming->depth].name = name;
    naming->element[naming->depth].given = slice_of(NULL, 0);
    naming->element[naming->depth].filled = false;
    naming->element[naming->depth].section = section_below(parent, name);
}

static void name_content(struct naming *naming, size_t first, size_t count)
{
    if (is_blank(naming->compiler, first, count))
        return;
    naming->element[naming->depth].filled = true;
    add_part(naming, name_of(naming, slice_of(NULL, 0)), first, count);
}

/* An empty <Data> is a value too: those without names are told apart by their places. */
static void name_end(struct naming *naming)
{
    if (IS(naming->element[naming->depth].name, "Data") && !naming->element[naming->depth].filled)
        add_part(naming, name_of(naming, slice_of(NULL, 0)), 0, 0);
    naming->depth--;
}

static void name_parts(struct evtx_compiler *compiler, enum evtx_section section)
{
    struct naming naming = {.compiler = compiler};

    naming.element[0].section = section;
    for (size_t i = 0; i < compiler->step_count; i++) {
        const struct evtx_step *step = &compiler->steps[i];
        if (step->kind == STEP_OPEN) {
            name_element(&naming, step->text);
        } else if (step->kind == STEP_CLOSE) {
            name_end(&naming);
        } else if (step->kind == STEP_ATTRIBUTE) {
            const size_t count = content_count(compiler, i + 1);
            name_attribute(&naming, step->text, i + 1, count);
            i += count;
        } else if (step->kind >= STEP_TEXT) {
            const size_t count = content_count(compiler, i);
            name_content(&naming, i, count);
            i += count - 1;
        }
    }
}

static void *kept(struct arena *arena, const void *list, size_t size)
{
    return (void *)(uintptr_t)arena_copy(arena, slice_of(list, size)).data;
}

struct evtx_program *evtx_compile(struct evtx_compiler *compiler, size_t offset, size_t size,
                                  bool in_template, enum evtx_section section)
{
    struct evtx_program *program = arena_take(compiler->arena, sizeof *program);
    struct parse parse = {.compiler = compiler, .in_template = in_template};

    if (!program)
        return NULL;
    parse.in = cursor_over(slice_part(compiler->chunk, 0, offset + size), 0);
    cursor_seek(&parse.in, offset);
    compiler->step_count = compiler->part_count = 0;
    take_tokens(&parse);
    name_parts(compiler, section);
    *program = (struct evtx_program){
        .offset = offset,
        .section = section,
        .size = parse.in.at - offset,
        .steps =
            kept(compiler->arena, compiler->steps, compiler->step_count * sizeof *compiler->steps),
        .parts =
            kept(compiler->arena, compiler->parts, compiler->part_count * sizeof *compiler->parts),
        .step_count = compiler->step_count,
        .part_count = compiler->part_count,
        .problem = parse.problem,
    };
    if ((!program->steps && program->step_count) || (!program->parts && program->part_count))
        return NULL;
    return program;
}
