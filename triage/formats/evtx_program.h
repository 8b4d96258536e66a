/*
 * Binary XML compiled: the tokens of a template or of a literal fragment become a list of steps,
 * and next to it the list of values that a reader of the log would name, so that a record costs
 * only its values.
 */
#ifndef TRIAGE_FORMATS_EVTX_PROGRAM_H
#define TRIAGE_FORMATS_EVTX_PROGRAM_H

#include "triage/base/arena.h"
#include "triage/formats/evtx.h"

enum { EVTX_DEPTH_MOST = 48, EVTX_FRAGMENTS_MOST = 6, EVTX_NAMES_KEPT = 128 };

enum evtx_step_kind {
    STEP_OPEN,      /* "<name" */
    STEP_ATTRIBUTE, /* " name=", its content follows */
    STEP_INSIDE,    /* ">": the content of the element follows */
    STEP_CLOSE,     /* "</name>" */
    STEP_TEXT,
    STEP_VALUE, /* the record's value `index` */
};

struct evtx_step {
    uint8_t kind;
    bool optional; /* STEP_VALUE: nothing at all when the value is null */
    uint16_t index;
    struct slice text; /* UTF-8 */
};

/* Where in an event an element stands. */
enum evtx_section { SECTION_NONE, SECTION_SYSTEM, SECTION_DATA, SECTION_USER, SECTION_RENDERING };

/* A named value of the event: some steps of text and values. */
struct evtx_part {
    struct evtx_name name;
    size_t first, count; /* steps */
    enum evtx_section section;
    bool single; /* it is just one STEP_VALUE */
};

struct evtx_program {
    struct evtx_program *next; /* with the same hash */
    size_t offset;             /* of the template in the chunk */
    enum evtx_section section; /* that it stands in */
    size_t size;               /* of its tokens */
    uint32_t id;               /* first part of the template's GUID */
    const struct evtx_step *steps;
    struct evtx_part *parts;
    size_t step_count, part_count;
    const char *problem; /* NULL, or why the rest is missing */
};

/* A name of the chunk that was read already; `end` 0: none. */
struct evtx_kept_name {
    uint32_t offset, end;
    struct slice text;
};

struct evtx_compiler {
    struct slice chunk;
    struct arena *arena;
    struct evtx_step *steps; /* of the program at hand */
    size_t step_count, step_room;
    struct evtx_part *parts;
    size_t part_count, part_room;
    struct evtx_kept_name names[EVTX_NAMES_KEPT]; /* by their offset */
    uint64_t work; /* steps and name characters made since the chunk began */
};

/* The chunk that the following programs belong to; forgets those made so far. */
void evtx_compiler_chunk(struct evtx_compiler *compiler, struct slice chunk);
void evtx_compiler_release(struct evtx_compiler *compiler);
/*
 * Compiles the tokens at [offset, offset + size) of the chunk. `in_template`: elements bear a
 * dependency number. NULL when memory is out; a program with a problem has the steps in front of
 * it. It lives in the compiler's arena.
 */
struct evtx_program *evtx_compile(struct evtx_compiler *compiler, size_t offset, size_t size,
                                  bool in_template, enum evtx_section section);

#endif
