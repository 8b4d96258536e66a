#include "tests/unit/hive_builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM = 1024 * 1024,
    BASE = 4096,
    CHILDREN = 64,
    VALUES = 32,
    NAME_SIZE = 64,
    PART = 16344,
    LIST_OF_LISTS_FROM = 16, /* children: more than that are listed in lists of 8 */
};

struct value {
    char name[NAME_SIZE];
    uint32_t type;
    uint8_t *data;
    size_t size;
};

struct node {
    char name[NAME_SIZE];
    struct node *children[CHILDREN];
    size_t child_count;
    struct value values[VALUES];
    size_t value_count;
};

struct hive_builder {
    struct node root;
    uint8_t *bytes; /* base block and one bin */
    size_t used;    /* of the bin */
};

struct hive_builder *hive_builder_new(void)
{
    struct hive_builder *builder = calloc(1, sizeof *builder);

    assert(builder);
    strcpy(builder->root.name, "ROOT");
    return builder;
}

static void free_node(struct node *node)
{
    for (size_t i = 0; i < node->value_count; i++)
        free(node->values[i].data);
    for (size_t i = 0; i < node->child_count; i++) {
        free_node(node->children[i]);
        free(node->children[i]);
    }
}

void hive_builder_free(struct hive_builder *builder)
{
    free_node(&builder->root);
    free(builder->bytes);
    free(builder);
}

static struct node *child_of(struct node *node, const char *name, size_t size)
{
    assert(size < NAME_SIZE);
    for (size_t i = 0; i < node->child_count; i++)
        if (strlen(node->children[i]->name) == size &&
            memcmp(node->children[i]->name, name, size) == 0)
            return node->children[i];
    assert(node->child_count < CHILDREN);
    struct node *child = calloc(1, sizeof *child);
    assert(child);
    memcpy(child->name, name, size);
    node->children[node->child_count++] = child;
    return child;
}

void hive_builder_set(struct hive_builder *builder, const char *path, const char *name,
                      uint32_t type, const void *data, size_t size)
{
    struct node *node = &builder->root;

    while (*path) {
        const size_t part = strcspn(path, "\\");
        node = child_of(node, path, part);
        path += part + (path[part] == '\\');
    }
    assert(node->value_count < VALUES && strlen(name) < NAME_SIZE);
    struct value *value = &node->values[node->value_count++];
    strcpy(value->name, name);
    value->type = type;
    value->data = malloc(size + 1);
    assert(value->data);
    memcpy(value->data, data, size);
    value->size = size;
}

void hive_builder_text(struct hive_builder *builder, const char *path, const char *name,
                       const char *text)
{
    const size_t size = strlen(text) + 1;
    uint8_t *wide = calloc(size, 2);

    assert(wide);
    for (size_t i = 0; i < size; i++)
        wide[2 * i] = (uint8_t)text[i];
    hive_builder_set(builder, path, name, 1, wide, size * 2);
    free(wide);
}

static void put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

void hive_builder_number(struct hive_builder *builder, const char *path, const char *name,
                         uint32_t number)
{
    uint8_t bytes[4];

    put(bytes, number, 4);
    hive_builder_set(builder, path, name, 4, bytes, 4);
}

/* Offset of a new cell from the first bin; its content starts four bytes later. */
static uint32_t cell(struct hive_builder *builder, size_t size)
{
    const size_t whole = (size + 4 + 7) & ~(size_t)7;
    const size_t at = builder->used;

    assert(at + whole <= ROOM);
    put(builder->bytes + BASE + at, (uint64_t) - (int64_t)whole, 4);
    builder->used += whole;
    return (uint32_t)at;
}

static uint8_t *content(struct hive_builder *builder, uint32_t at)
{
    return builder->bytes + BASE + at + 4;
}

static uint32_t write_data(struct hive_builder *builder, const uint8_t *data, size_t size)
{
    if (size <= PART) {
        const uint32_t at = cell(builder, size);
        memcpy(content(builder, at), data, size);
        return at;
    }
    const size_t count = (size + PART - 1) / PART;
    const uint32_t head = cell(builder, 8), list = cell(builder, count * 4);
    memcpy(content(builder, head), "db", 2);
    put(content(builder, head) + 2, count, 2);
    put(content(builder, head) + 4, list, 4);
    for (size_t i = 0; i < count; i++) {
        const size_t left = size - i * PART, part = left < PART ? left : PART;
        const uint32_t at = cell(builder, PART + 4);
        memcpy(content(builder, at), data + i * PART, part);
        put(content(builder, list) + 4 * i, at, 4);
    }
    return head;
}

static uint32_t write_value(struct hive_builder *builder, const struct value *value)
{
    const uint32_t at = cell(builder, 20 + strlen(value->name));
    uint8_t *vk = content(builder, at);

    memcpy(vk, "vk", 2);
    put(vk + 2, strlen(value->name), 2);
    if (value->size <= 4) {
        put(vk + 4, value->size | 0x80000000, 4);
        memcpy(vk + 8, value->data, value->size);
    } else {
        put(vk + 4, value->size, 4);
        put(vk + 8, write_data(builder, value->data, value->size), 4);
    }
    put(vk + 12, value->type, 4);
    put(vk + 16, 1, 2);
    memcpy(vk + 20, value->name, strlen(value->name));
    return at;
}

static uint32_t write_list(struct hive_builder *builder, const char *tag, const uint32_t *entries,
                           size_t count)
{
    const size_t stride = strcmp(tag, "lh") == 0 ? 8 : 4;
    const uint32_t at = cell(builder, 4 + count * stride);

    memcpy(content(builder, at), tag, 2);
    put(content(builder, at) + 2, count, 2);
    for (size_t i = 0; i < count; i++)
        put(content(builder, at) + 4 + i * stride, entries[i], 4);
    return at;
}

static uint32_t write_children(struct hive_builder *builder, const uint32_t *keys, size_t count)
{
    uint32_t lists[CHILDREN];
    size_t list_count = 0;

    if (count <= LIST_OF_LISTS_FROM)
        return write_list(builder, "lh", keys, count);
    for (size_t at = 0; at < count; at += 8)
        lists[list_count++] = write_list(builder, "li", keys + at, count - at < 8 ? count - at : 8);
    return write_list(builder, "ri", lists, list_count);
}

static uint32_t write_key(struct hive_builder *builder, const struct node *node, uint32_t parent)
{
    const size_t name_size = strlen(node->name);
    const uint32_t at = cell(builder, 76 + name_size);
    uint32_t keys[CHILDREN];

    memcpy(content(builder, at), "nk", 2);
    put(content(builder, at) + 2, 0x20, 2);
    put(content(builder, at) + 4, UINT64_C(132591600000000000), 8); /* 2021-03-02 12:00 UTC */
    put(content(builder, at) + 16, parent, 4);
    put(content(builder, at) + 20, node->child_count, 4);
    memset(content(builder, at) + 28, 0xFF, 8);
    put(content(builder, at) + 36, node->value_count, 4);
    memset(content(builder, at) + 40, 0xFF, 12);
    put(content(builder, at) + 72, name_size, 2);
    memcpy(content(builder, at) + 76, node->name, name_size);
    for (size_t i = 0; i < node->child_count; i++)
        keys[i] = write_key(builder, node->children[i], at);
    if (node->child_count)
        put(content(builder, at) + 28, write_children(builder, keys, node->child_count), 4);
    if (node->value_count) {
        const uint32_t list = cell(builder, node->value_count * 4);
        for (size_t i = 0; i < node->value_count; i++)
            put(content(builder, list) + 4 * i, write_value(builder, &node->values[i]), 4);
        put(content(builder, at) + 40, list, 4);
    }
    return at;
}

const uint8_t *hive_builder_bytes(struct hive_builder *builder, size_t *size)
{
    uint32_t sum = 0;

    free(builder->bytes);
    builder->bytes = calloc(1, BASE + ROOM + 4096);
    assert(builder->bytes);
    builder->used = 32;
    const uint32_t root = write_key(builder, &builder->root, 0xFFFFFFFF);
    const size_t bins = (builder->used + 4095) / 4096 * 4096;
    if (builder->used < bins)
        put(builder->bytes + BASE + builder->used, bins - builder->used, 4);
    memcpy(builder->bytes + BASE, "hbin", 4);
    put(builder->bytes + BASE + 8, bins, 4);
    memcpy(builder->bytes, "regf", 4);
    put(builder->bytes + 4, 7, 4);
    put(builder->bytes + 8, 7, 4);
    put(builder->bytes + 12, UINT64_C(132591600000000000), 8);
    put(builder->bytes + 20, 1, 4);
    put(builder->bytes + 24, 5, 4);
    put(builder->bytes + 32, 1, 4);
    put(builder->bytes + 36, root, 4);
    put(builder->bytes + 40, bins, 4);
    for (size_t i = 0; i < 508; i++)
        sum ^= (uint32_t)builder->bytes[i] << 8 * (i % 4);
    put(builder->bytes + 508, sum, 4);
    *size = BASE + bins;
    return builder->bytes;
}
