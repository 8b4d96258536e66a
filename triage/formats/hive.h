/*
 * Registry hives ("regf"), read from memory with every offset, size and count checked; damage is
 * counted and passed over. Callers see keys and values, never cells, so that the bytes may come
 * from the file, from a replay of its logs or from a recovery of deleted cells. Format source:
 * "Windows registry file format specification" by Maxim Suhanov.
 */
#ifndef TRIAGE_FORMATS_HIVE_H
#define TRIAGE_FORMATS_HIVE_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/base/instant.h"

enum hive_type {
    HIVE_NONE = 0,
    HIVE_TEXT = 1,          /* REG_SZ */
    HIVE_EXPANDED_TEXT = 2, /* REG_EXPAND_SZ */
    HIVE_BINARY = 3,
    HIVE_NUMBER = 4, /* REG_DWORD */
    HIVE_NUMBER_BIG_ENDIAN = 5,
    HIVE_LINK = 6,
    HIVE_TEXTS = 7,        /* REG_MULTI_SZ */
    HIVE_LONG_NUMBER = 11, /* REG_QWORD */
};

enum { HIVE_LIST_DEPTH = 4, HIVE_KEY_DEPTH = 512 };

struct hive;

struct hive_name {
    struct slice bytes;
    bool latin1; /* one byte a letter; otherwise UTF-16LE */
};

struct hive_key {
    struct hive_name name;
    struct instant written;
    uint32_t cell; /* where it lies, counted from the first bin: tells keys apart */
    uint32_t parent, subkey_count, subkey_list, value_count, value_list, security, class_cell;
    uint16_t flags, class_size;
};

struct hive_value {
    struct hive_name name; /* empty: the default value */
    struct slice
        in_place;  /* data of at most 4 bytes, kept in the value itself; data NULL for others */
    uint32_t type; /* hive_type; anything may stand here */
    uint32_t data_size; /* as recorded: hive_data may give less */
    uint32_t cell, data_cell;
};

struct hive_list { /* a list of subkeys that is being read */
    struct slice entries;
    uint32_t stride, at, count;
    bool of_lists;
};

struct hive_subkeys {
    struct hive *hive;
    struct hive_list lists[HIVE_LIST_DEPTH];
    uint32_t depth, left, lists_left; /* keys and lists that may still come: cycles end here */
};

struct hive_values {
    struct hive *hive;
    struct slice entries;
    uint32_t at, count;
};

/* The hive lives in the arena and borrows `bytes`. -1 with error_text when it is not a hive or has
 * no root key. */
int hive_open(struct slice bytes, struct arena *arena, struct hive **out);
/* Changes may be waiting in the transaction logs: the sequence numbers differ or the checksum is
 * wrong. */
bool hive_is_dirty(const struct hive *hive);
/* Last write as the base block has it. */
struct instant hive_written(const struct hive *hive);
/* Damage met so far: how many places, and the first in words with its offset (NULL when there is
 * none). */
uint64_t hive_damage(const struct hive *hive, const char **first, uint64_t *offset);

/* While quiet, damage is passed over without being counted: for reading what may not be there any
 * more. Gives the state before. */
bool hive_be_quiet(struct hive *hive, bool quiet);
/* The bins, behind the base block: cells are counted from their first byte. */
struct slice hive_bins(const struct hive *hive);
/* Whatever lies at that cell, read as a key or as a value; false when it is none. */
bool hive_key_at(struct hive *hive, uint32_t cell, struct hive_key *key);
bool hive_value_at(struct hive *hive, uint32_t cell, struct hive_value *value);
/* The cells that a key's list of values has room for, also those behind the ones in use. */
struct slice hive_value_slots(struct hive *hive, const struct hive_key *key);

/* Keys and values are plain data that borrow the hive's bytes. */
struct hive_key hive_root(const struct hive *hive);
struct hive_subkeys hive_subkeys(struct hive *hive, const struct hive_key *key);
/* The next readable subkey; false at the end. */
bool hive_next_subkey(struct hive_subkeys *subkeys, struct hive_key *key);
struct hive_values hive_values(struct hive *hive, const struct hive_key *key);
bool hive_next_value(struct hive_values *values, struct hive_value *value);

/* The key at `path` below `from` (NULL: the root), '\' separated UTF-8, any letter case (ASCII and
 * Latin-1 letters). */
bool hive_find(struct hive *hive, const struct hive_key *from, const char *path,
               struct hive_key *key);
/* A value by its name; "" is the default value. */
bool hive_find_value(struct hive *hive, const struct hive_key *key, const char *name,
                     struct hive_value *value);

/* The value's bytes: borrowed from the hive, or put together in the arena when they lie in parts.
 */
struct slice hive_data(struct hive *hive, const struct hive_value *value, struct arena *arena);
/* As UTF-8 in the arena: text up to its NUL, several texts joined by '\n'. NULL for other types. */
char *hive_text(struct hive *hive, const struct hive_value *value, struct arena *arena);
/* REG_DWORD of either byte order and REG_QWORD; false for other types and short data. */
bool hive_number(struct hive *hive, const struct hive_value *value, uint64_t *number);
/* The self-relative security descriptor; empty when there is none. */
struct slice hive_security(struct hive *hive, const struct hive_key *key);
/* The class name, UTF-16LE; empty when there is none. */
struct slice hive_class(struct hive *hive, const struct hive_key *key);

void hive_append_name(struct buffer *buffer, struct hive_name name);
char *hive_name_text(struct hive_name name, struct arena *arena);

/*
 * Calls `visit` for each key below and including the root, parents first, each key once whatever
 * the lists say. The path has no root name and is '\' separated. Stops early when visit gives
 * non-zero and returns that; -1 when memory is out.
 */
int hive_walk(struct hive *hive,
              int (*visit)(void *context, const char *path, const struct hive_key *key),
              void *context);

#endif
