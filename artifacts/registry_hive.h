/* What the parts of the registry artifact share: the open hive, and events put together from texts.
 */
#ifndef ARTIFACTS_REGISTRY_HIVE_H
#define ARTIFACTS_REGISTRY_HIVE_H

#include "artifacts/artifact.h"
#include "artifacts/registry_lines.h"
#include "triage/base/buffer.h"
#include "triage/formats/hive.h"

enum registry_kind { /* bits: a theme may concern several */
                     REGISTRY_OTHER = 1,
                     REGISTRY_SYSTEM = 2,
                     REGISTRY_SOFTWARE = 4,
                     REGISTRY_SAM = 8,
                     REGISTRY_SECURITY = 16,
                     REGISTRY_USER = 32, /* NTUSER.DAT and DEFAULT */
                     REGISTRY_CLASSES = 64,
                     REGISTRY_AMCACHE = 128,
};

enum { REGISTRY_MOST_VALUES = 24 };

struct registry {
    struct job *job;
    struct hive *hive;
    struct slice bytes; /* the hive, its logs applied */
    enum registry_kind kind;
    const char *prefix;      /* "HKLM\SYSTEM", "HKU\S-1-5-21-..." */
    const char *control_set; /* "ControlSet001", the current one; "" elsewhere */
    struct arena *scratch;   /* reset for each event */
    struct buffer line, found;
    struct buffer key;           /* the path of the key whose values are told */
    struct registry_lines lines; /* keys and values that wait to be told */
    uint64_t looks_left;         /* keys that themes may still look at: crafted hives end here */
    uint64_t data_left;          /* bytes of values that may still be looked at */
    uint64_t values_left;        /* that a sound hive of this size can have */
    struct value values[REGISTRY_MOST_VALUES]; /* of the event that is put together */
    size_t value_count;
};

/* A run of keys that say something together: `keys` is a path from the root whose parts may be "*"
 * (each subkey) or "@" (the current control set); `tell` is called for each key that is there. */
struct registry_theme {
    unsigned kinds;
    const char *keys;
    void (*tell)(struct registry *registry, const char *path, const struct hive_key *key);
};

/* "HKLM\SYSTEM\CurrentControlSet\..." of a path from the root, appended. */
void registry_put_path(struct registry *registry, struct buffer *out, const char *path);

/* What follows the last backslash. */
const char *registry_last_part(const char *path);

/* Starts an event; what registry_add adds until registry_emit lies in the scratch arena. */
void registry_begin(struct registry *registry, const char *path);
/* Adds nothing for NULL and "". */
void registry_add(struct registry *registry, enum field field, const char *text);
void registry_add_alias(struct registry *registry, enum field field, const char *text);
void registry_add_number(struct registry *registry, enum field field, uint64_t number);
void registry_add_time(struct registry *registry, enum field field, struct instant when);
/* Text of a value of the key, in the scratch arena; NULL when there is none. Numbers are written in
 * decimal. */
const char *registry_text(struct registry *registry, const struct hive_key *key, const char *name);
bool registry_number(struct registry *registry, const struct hive_key *key, const char *name,
                     uint64_t *number);
/* Bytes of a value of the key; empty when there is none. */
struct slice registry_bytes(struct registry *registry, const struct hive_key *key,
                            const char *name);
void registry_emit(struct registry *registry, enum kind kind, struct instant when,
                   const struct hive_key *key);

/* Calls each theme for the keys that it names. */
void registry_tell_themes(struct registry *registry, const struct registry_theme *themes,
                          size_t count);

/* Every key and value, live and recovered, as an event for rules about the registry. -1 with
 * error_text. */
int registry_tell_values(struct registry *registry);
int registry_tell_recovered(struct registry *registry);

extern const struct registry_theme registry_settings[], registry_programs[], registry_accounts[];
extern const size_t registry_setting_count, registry_program_count, registry_account_count;

#endif
