/* What a record of the evidence says, with where it was read. Parsers make events, the matcher
 * reads them. */
#ifndef TRIAGE_RECORD_EVENT_H
#define TRIAGE_RECORD_EVENT_H

#include "triage/record/file.h"

enum field {
    FIELD_OTHER, /* not in the vocabulary: only its name counts */
#define FIELD(suffix, name, meaning) FIELD_##suffix,
#include "triage/record/fields.def"
#undef FIELD
    FIELD_COUNT
};

enum kind {
#define KIND(suffix, name, time, sentence) KIND_##suffix,
#include "triage/record/kinds.def"
#undef KIND
    KIND_COUNT
};

enum time_basis { BASIS_UNKNOWN, BASIS_UTC, BASIS_LOCAL };

enum event_mark {
    EVENT_REPAIRED = 1, /* the record was read after a repair that a notice or the coverage tells */
    EVENT_REJECTED = 2, /* the record could not be split: only its text is there */
    EVENT_DAMAGED = 4,  /* the container is damaged within this file's bytes */
    EVENT_RECOVERED = 8, /* from space that its container calls unused: slack, deleted */
    EVENT_FACT = 16, /* kept in the case whether or not a rule matches: what the verdict needs, such
                        as the version of an installed program. For few, telling events */
};

/* One log source of the Sigma taxonomy; NULL members are not set. */
struct log_source {
    const char *category, *product, *service;
};

struct value {
    const char *name;  /* as the record's header spells it; owned by the parser's arena or static */
    enum field field;  /* the vocabulary's number for that name */
    bool alias;        /* a second name of a value that is there already: matched, not printed */
    struct slice text; /* as the record has it, unquoted; UTF-8 not guaranteed */
};

struct event {
    enum kind kind;
    const char *artifact;             /* name of the parser */
    const struct log_source *sources; /* those it belongs to, ended by {NULL, NULL, NULL} */
    struct instant when;              /* INSTANT_NONE when the record has no time */
    enum time_basis basis;
    struct slice time_text;  /* the time as the record has it */
    const struct file *file; /* provenance: the file ... */
    uint64_t offset,
        number;       /* ... the byte where the record starts, and its line (from 1) or record id */
    struct slice raw; /* the record's bytes, or a text of them */
    /* Where `raw` is a rendering that is only made for events that match: what makes it, and the
     * bytes that the record has in the evidence, of which raw_sha256 is. NULL and empty otherwise.
     */
    struct slice (*render)(void *context);
    void *render_context;
    struct slice record;
    struct slice text; /* the values with a line end behind each, where `raw` has them not: most of
                          them are parts of it. May be empty */
    const struct value *values;
    size_t value_count;
    unsigned marks; /* event_mark */
};

/* Name and meaning of a vocabulary field; NULL for FIELD_OTHER. */
const char *field_name(enum field field);
const char *field_meaning(enum field field);
/* The vocabulary's number for a name, any letter case; FIELD_OTHER when it is not listed. */
enum field field_from_name(struct slice name);

const char *kind_name(enum kind kind);
const char *kind_time_meaning(enum kind kind);
const char *kind_sentence(enum kind kind);

/* The first value of that name (any letter case), aliases included; an empty slice with data NULL
 * when there is none. */
struct slice event_value(const struct event *event, const char *name);

#endif
