/* Registry hives for tests, written from keys and values; shares no code with the reader. */
#ifndef TESTS_UNIT_HIVE_BUILDER_H
#define TESTS_UNIT_HIVE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hive_builder;

struct hive_builder *hive_builder_new(void);
void hive_builder_free(struct hive_builder *builder);
/* A value of the key at `path` ('\' separated, "" is the root), which is made with all keys above
 * it. */
void hive_builder_set(struct hive_builder *builder, const char *path, const char *name,
                      uint32_t type, const void *data, size_t size);
/* REG_SZ from ASCII, and REG_DWORD. */
void hive_builder_text(struct hive_builder *builder, const char *path, const char *name,
                       const char *text);
void hive_builder_number(struct hive_builder *builder, const char *path, const char *name,
                         uint32_t number);
/* The finished hive; valid until the builder is freed. */
const uint8_t *hive_builder_bytes(struct hive_builder *builder, size_t *size);

#endif
