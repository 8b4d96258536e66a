/* Records: a program is run with the values of the record, either to named values or to XML. */
#include "triage/formats/evtx.h"

#include "triage/base/error.h"
#include "triage/formats/evtx_program.h"
#include "triage/formats/evtx_text.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_ROOM = 4 << 20,       /* of one record; most have 1 to 3 KiB */
    PROGRAM_MEMORY = 16 << 20, /* of one chunk */
    WORK_MOST = 2 << 20,       /* steps of one chunk; an honest one needs some 100,000 */
    ITEMS_MOST = 1 << 15,      /* values of the record at hand, nested ones too */
    BUCKETS = 64,
    RECORD_HEAD = 24,
    TEMPLATE_HEAD = 24, /* next template, GUID, size */
};

enum { TOKEN_TEMPLATE = 0x0C, TOKEN_FRAGMENT = 0x0F, FRAGMENT_HEAD = 4 };

struct item {
    struct slice bytes;
    uint8_t type;
};

struct evtx_decoder {
    struct evtx_compiler compiler;
    struct evtx_program *programs[BUCKETS];
    struct evtx_text text, xml; /* of the values; of the XML */
    struct evtx_value *values;
    size_t value_count;
    struct item *items;
    size_t item_count;
    bool as_xml, in_slack;
    unsigned depth;
    const char *problem;
};

/* The values that a program runs with. */
struct frame {
    const struct evtx_program *program;
    const struct item *items;
    size_t count;
};

static void run_fragment(struct evtx_decoder *decoder, struct slice bytes,
                         enum evtx_section section);

int evtx_decoder_new(struct evtx_decoder **out)
{
    struct evtx_decoder *decoder = calloc(1, sizeof *decoder);

    if (!decoder)
        return error_set("out of memory");
    decoder->compiler.arena = arena_new(PROGRAM_MEMORY);
    decoder->text.data = malloc(TEXT_ROOM);
    decoder->xml.data = malloc(TEXT_ROOM);
    decoder->text.room = decoder->xml.room = TEXT_ROOM;
    decoder->values = malloc(EVTX_VALUES_MOST * sizeof *decoder->values);
    decoder->items = malloc(ITEMS_MOST * sizeof *decoder->items);
    if (!decoder->compiler.arena || !decoder->text.data || !decoder->xml.data || !decoder->values ||
        !decoder->items) {
        evtx_decoder_free(decoder);
        return error_set("out of memory");
    }
    *out = decoder;
    return 0;
}

void evtx_decoder_free(struct evtx_decoder *decoder)
{
    if (!decoder)
        return;
    evtx_compiler_release(&decoder->compiler);
    arena_free(decoder->compiler.arena);
    free(decoder->text.data);
    free(decoder->xml.data);
    free(decoder->values);
    free(decoder->items);
    free(decoder);
}

void evtx_decoder_chunk(struct evtx_decoder *decoder, struct slice chunk)
{
    evtx_compiler_chunk(&decoder->compiler, chunk);
    memset(decoder->programs, 0, sizeof decoder->programs);
}

/* The first problem is told. */
static void fail(struct evtx_decoder *decoder, const char *problem)
{
    if (!decoder->problem)
        decoder->problem = problem;
}

static bool may_work(struct evtx_decoder *decoder, size_t steps)
{
    decoder->compiler.work += steps + 1;
    if (decoder->compiler.work <= WORK_MOST)
        return true;
    fail(decoder, "the chunk's templates take too much work: the rest is left out");
    return false;
}

/* --- to named values --- */

static void end_value(struct evtx_decoder *decoder, struct evtx_name *name, size_t start)
{
    const struct slice text = slice_of(decoder->text.data + start, decoder->text.size - start);

    if (decoder->value_count == EVTX_VALUES_MOST) {
        fail(decoder, "the record has too many values: the rest is left out");
        return;
    }
    evtx_text_add(&decoder->text, SLICE_LITERAL("\n"));
    decoder->values[decoder->value_count++] = (struct evtx_value){name, text};
}

/* An array makes as many elements as it has items. */
static void add_array(struct evtx_decoder *decoder, struct evtx_name *name, const struct item *item)
{
    const uint8_t type = item->type & (uint8_t)~EVTX_ARRAY;
    struct slice rest = item->bytes, one;

    while (!decoder->problem && evtx_array_next(type, &rest, &one)) {
        const size_t start = decoder->text.size;
        evtx_text_add_value(&decoder->text, type, one);
        end_value(decoder, name, start);
    }
}

static void add_item(struct evtx_decoder *decoder, struct evtx_part *part, const struct item *item,
                     bool optional)
{
    const size_t start = decoder->text.size;

    if (item->type == EVTX_BINXML) {
        run_fragment(decoder, item->bytes, part->section);
        return;
    }
    if (item->type & EVTX_ARRAY) {
        add_array(decoder, &part->name, item);
        return;
    }
    if (item->type == EVTX_NULL && part->name.role != EVTX_ROLE_UNNAMED &&
        (optional || part->section == SECTION_SYSTEM))
        return;
    evtx_text_add_value(&decoder->text, item->type, item->bytes);
    end_value(decoder, &part->name, start);
}

static const struct item *item_of(const struct frame *frame, const struct evtx_step *step)
{
    static const struct item none = {{NULL, 0}, EVTX_NULL};

    return step->index < frame->count ? &frame->items[step->index] : &none;
}

/* Text and values that stand side by side in one element or attribute. */
static void add_mixed(struct evtx_decoder *decoder, const struct frame *frame,
                      struct evtx_part *part)
{
    const size_t start = decoder->text.size;

    for (size_t i = part->first; i < part->first + part->count; i++) {
        const struct evtx_step *step = &frame->program->steps[i];
        const struct item *item = step->kind == STEP_VALUE ? item_of(frame, step) : NULL;
        if (!item)
            evtx_text_add(&decoder->text, step->text);
        else if (item->type != EVTX_BINXML)
            evtx_text_add_value(&decoder->text, item->type, item->bytes);
    }
    end_value(decoder, &part->name, start);
    for (size_t i = part->first; i < part->first + part->count; i++) {
        const struct evtx_step *step = &frame->program->steps[i];
        if (step->kind == STEP_VALUE && item_of(frame, step)->type == EVTX_BINXML)
            run_fragment(decoder, item_of(frame, step)->bytes, part->section);
    }
}

static void run_values(struct evtx_decoder *decoder, const struct frame *frame)
{
    const struct evtx_program *program = frame->program;

    for (size_t i = 0; i < program->part_count && !decoder->problem; i++) {
        struct evtx_part *part = &program->parts[i];
        const struct evtx_step *step = &program->steps[part->first];
        if (part->single)
            add_item(decoder, part, item_of(frame, step), step->optional);
        else
            add_mixed(decoder, frame, part);
        if (decoder->text.full)
            fail(decoder, "the record's values take more than 4 MiB: the rest is left out");
    }
}

/* --- to XML --- */

static void add_escaped(struct evtx_text *out, struct slice text)
{
    for (size_t i = 0, start = 0; i <= text.size; i++) {
        const char *escape = NULL;
        const uint8_t byte = i < text.size ? text.data[i] : 0;
        if (byte == '<')
            escape = "&lt;";
        else if (byte == '>')
            escape = "&gt;";
        else if (byte == '&')
            escape = "&amp;";
        else if (byte == '"')
            escape = "&quot;";
        else if (i < text.size && byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')
            escape = "\xEF\xBF\xBD"; /* XML has no such character */
        if (!escape && i < text.size)
            continue;
        evtx_text_add(out, slice_part(text, start, i - start));
        evtx_text_add(out, slice_of_text(escape));
        start = i + 1;
    }
}

/* The value's text is made behind what is there, and escaped from there to its place. */
static void add_escaped_value(struct evtx_decoder *decoder, uint8_t type, struct slice bytes)
{
    struct evtx_text *out = &decoder->xml;
    const size_t room = (out->room - out->size) / 2;
    struct evtx_text plain = {out->data + out->room - room, 0, room, false};

    evtx_text_add_value(&plain, type, bytes);
    out->room -= room;
    add_escaped(out, slice_of(plain.data, plain.size));
    out->room += room;
    out->full |= plain.full;
}

static void xml_array(struct evtx_decoder *decoder, const struct item *item, struct slice element)
{
    const uint8_t type = item->type & (uint8_t)~EVTX_ARRAY;
    struct slice rest = item->bytes, one;

    for (size_t i = 0; !decoder->xml.full && evtx_array_next(type, &rest, &one); i++) {
        if (i && element.size) {
            evtx_text_add(&decoder->xml, SLICE_LITERAL("</"));
            evtx_text_add(&decoder->xml, element);
            evtx_text_add(&decoder->xml, SLICE_LITERAL("><"));
            evtx_text_add(&decoder->xml, element);
            evtx_text_add(&decoder->xml, SLICE_LITERAL(">"));
        }
        add_escaped_value(decoder, type, one);
    }
}

static void xml_value(struct evtx_decoder *decoder, const struct item *item, struct slice element)
{
    if (item->type == EVTX_BINXML)
        run_fragment(decoder, item->bytes, SECTION_NONE);
    else if (item->type & EVTX_ARRAY)
        xml_array(decoder, item, element);
    else
        add_escaped_value(decoder, item->type, item->bytes);
}

static void xml_tag(struct evtx_text *out, const char *front, struct slice name, const char *back)
{
    evtx_text_add(out, slice_of_text(front));
    evtx_text_add(out, name);
    evtx_text_add(out, slice_of_text(back));
}

/* An attribute with its content; gives the number of steps. Left out when all it would hold is
 * null. */
static size_t xml_attribute(struct evtx_decoder *decoder, const struct frame *frame, size_t at)
{
    const struct evtx_program *program = frame->program;
    const struct slice name = program->steps[at].text;
    size_t end = at + 1;

    while (end < program->step_count && program->steps[end].kind >= STEP_TEXT)
        end++;
    if (end == at + 2 && program->steps[at + 1].kind == STEP_VALUE &&
        item_of(frame, &program->steps[at + 1])->type == EVTX_NULL)
        return end - at;
    xml_tag(&decoder->xml, " ", name, "=\"");
    for (size_t i = at + 1; i < end; i++) {
        const struct evtx_step *step = &program->steps[i];
        if (step->kind == STEP_TEXT)
            add_escaped(&decoder->xml, step->text);
        else if (item_of(frame, step)->type != EVTX_BINXML)
            xml_value(decoder, item_of(frame, step), slice_of(NULL, 0));
    }
    evtx_text_add(&decoder->xml, SLICE_LITERAL("\""));
    return end - at;
}

static void run_xml(struct evtx_decoder *decoder, const struct frame *frame)
{
    const struct evtx_program *program = frame->program;
    struct evtx_text *out = &decoder->xml;
    struct slice element = {NULL, 0};
    bool inside = false; /* the start tag at hand is complete */

    for (size_t i = 0; i < program->step_count && !decoder->problem;) {
        const struct evtx_step *step = &program->steps[i];
        if (step->kind == STEP_OPEN)
            xml_tag(out, "<", element = step->text, "");
        else if (step->kind == STEP_INSIDE)
            xml_tag(out, "", slice_of(NULL, 0), ">");
        else if (step->kind == STEP_CLOSE && inside)
            xml_tag(out, "</", step->text, ">");
        else if (step->kind == STEP_CLOSE)
            xml_tag(out, "", slice_of(NULL, 0), "/>");
        else if (step->kind == STEP_TEXT)
            add_escaped(out, step->text);
        else if (step->kind == STEP_VALUE)
            xml_value(decoder, item_of(frame, step), element);
        inside = step->kind == STEP_OPEN ? false : inside || step->kind != STEP_ATTRIBUTE;
        i += step->kind == STEP_ATTRIBUTE ? xml_attribute(decoder, frame, i) : 1;
        if (out->full)
            fail(decoder, "the record's XML takes more than 4 MiB: the rest is left out");
    }
}

/* --- fragments and templates --- */

static struct evtx_program *find_program(const struct evtx_decoder *decoder, size_t offset,
                                         enum evtx_section section)
{
    struct evtx_program *program = decoder->programs[offset / 8 % BUCKETS];

    while (program && (program->offset != offset || program->section != section))
        program = program->next;
    return program;
}

/* The template whose definition stands at `offset` of the chunk; NULL with a problem. */
static struct evtx_program *template_at(struct evtx_decoder *decoder, size_t offset, uint32_t id,
                                        enum evtx_section section)
{
    struct cursor c = cursor_over(decoder->compiler.chunk, 0);
    const size_t body = offset + TEMPLATE_HEAD;
    struct evtx_program *program = find_program(decoder, body, section);

    if (!program) {
        cursor_seek(&c, offset + 4 < offset ? SIZE_MAX : offset + 4);
        const uint32_t own_id = cursor_u32le(&c);
        cursor_skip(&c, 12);
        const uint32_t size = cursor_u32le(&c);
        if (cursor_failed(&c) || size > cursor_left(&c)) {
            fail(decoder, "a template lies outside of the chunk");
            return NULL;
        }
        program = evtx_compile(&decoder->compiler, body, size, true, section);
        if (!program) {
            fail(decoder, "the chunk's templates take too much memory");
            return NULL;
        }
        program->id = own_id;
        program->size = size;
        program->next = decoder->programs[body / 8 % BUCKETS];
        decoder->programs[body / 8 % BUCKETS] = program;
    }
    if (program->id != id && decoder->in_slack)
        fail(decoder, "its template was overwritten");
    return decoder->problem ? NULL : program;
}

/* Value descriptors, then the values' bytes. */
static size_t take_items(struct evtx_decoder *decoder, struct cursor *in)
{
    const uint32_t count = cursor_u32le(in);
    struct item *items = decoder->items + decoder->item_count;

    if (cursor_failed(in) || count > cursor_left(in) / 4 ||
        count > ITEMS_MOST - decoder->item_count) {
        fail(decoder, "a template's values are cut short");
        return 0;
    }
    struct cursor sizes = cursor_over(cursor_take(in, (size_t)count * 4), 0);
    for (size_t i = 0; i < count; i++) {
        const uint16_t size = cursor_u16le(&sizes);
        items[i].type = cursor_u8(&sizes);
        cursor_skip(&sizes, 1);
        items[i].bytes = cursor_take(in, size);
    }
    if (cursor_failed(in))
        fail(decoder, "a template's values are cut short");
    return count;
}

static void run(struct evtx_decoder *decoder, const struct frame *frame)
{
    const struct evtx_program *program = frame->program;

    if (!may_work(decoder, decoder->as_xml ? program->step_count : program->part_count))
        return;
    if (decoder->as_xml)
        run_xml(decoder, frame);
    else
        run_values(decoder, frame);
    if (program->problem)
        fail(decoder, program->problem);
}

static void run_template(struct evtx_decoder *decoder, struct cursor *in, enum evtx_section section)
{
    const size_t items_before = decoder->item_count;

    cursor_skip(in, 2); /* token, version */
    const uint32_t id = cursor_u32le(in), offset = cursor_u32le(in);
    const bool here = !cursor_failed(in) && offset == in->at;
    const struct evtx_program *program = template_at(decoder, offset, id, section);
    if (!program)
        return;
    if (here)
        cursor_skip(in, TEMPLATE_HEAD + program->size);
    struct frame frame = {program, decoder->items + items_before, take_items(decoder, in)};
    decoder->item_count += frame.count;
    run(decoder, &frame);
    decoder->item_count = items_before;
}

static void run_literal(struct evtx_decoder *decoder, const struct cursor *in,
                        enum evtx_section section)
{
    struct frame frame = {0};

    if (!may_work(decoder, 0))
        return;
    frame.program = evtx_compile(&decoder->compiler, in->at, cursor_left(in), false, section);
    if (frame.program)
        run(decoder, &frame);
    else
        fail(decoder, "the chunk's elements take too much memory");
}

/* Bytes of the chunk that hold binary XML. */
static void run_fragment(struct evtx_decoder *decoder, struct slice bytes,
                         enum evtx_section section)
{
    const size_t start = bytes.size ? (size_t)(bytes.data - decoder->compiler.chunk.data) : 0;
    struct cursor in = cursor_over(slice_part(decoder->compiler.chunk, 0, start + bytes.size), 0);

    if (bytes.size == 0)
        return;
    if (decoder->depth == EVTX_FRAGMENTS_MOST) {
        fail(decoder, "fragments are nested too deep");
        return;
    }
    decoder->depth++;
    cursor_seek(&in, start);
    while (cursor_left(&in) >= FRAGMENT_HEAD && in.bytes.data[in.at] == TOKEN_FRAGMENT)
        cursor_skip(&in, FRAGMENT_HEAD);
    if (cursor_left(&in) && in.bytes.data[in.at] == TOKEN_TEMPLATE)
        run_template(decoder, &in, section);
    else if (cursor_left(&in))
        run_literal(decoder, &in, section);
    decoder->depth--;
}

static void run_record(struct evtx_decoder *decoder, const struct evtx_span *span, bool as_xml)
{
    struct evtx_text *text = as_xml ? &decoder->xml : &decoder->text;

    text->size = 0;
    text->full = false;
    decoder->item_count = 0;
    decoder->depth = 0;
    decoder->problem = NULL;
    decoder->as_xml = as_xml;
    decoder->in_slack = span->state == EVTX_SLACK;
    run_fragment(decoder,
                 slice_part(decoder->compiler.chunk, span->offset + RECORD_HEAD,
                            span->size - RECORD_HEAD - 4),
                 SECTION_NONE);
}

void evtx_decode(struct evtx_decoder *decoder, const struct evtx_span *span,
                 struct evtx_record *record)
{
    decoder->value_count = 0;
    run_record(decoder, span, false);
    if (decoder->value_count == 0)
        fail(decoder, "the record has no values");
    *record = (struct evtx_record){
        .values = decoder->values,
        .value_count = decoder->value_count,
        .text = slice_of(decoder->text.data, decoder->text.size),
        .problem = decoder->problem,
    };
}

struct slice evtx_xml(struct evtx_decoder *decoder, const struct evtx_span *span)
{
    run_record(decoder, span, true);
    return slice_of(decoder->xml.data, decoder->xml.size);
}
