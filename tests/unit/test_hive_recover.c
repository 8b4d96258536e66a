/* Deleted keys and values: hives are built whole, then cells are freed as Windows frees them. */
#include "tests/unit/hive_builder.h"
#include "triage/formats/hive_recover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BASE = 4096 };

struct fixture {
    struct hive_builder *builder;
    struct arena *arena;
    uint8_t *bytes;
    size_t size;
    struct hive *hive;
    struct buffer
        told; /* "k PATH" or "v PATH\NAME=DATA" with "live" and "lost" behind, a line each */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->builder = hive_builder_new();
    f->arena = arena_new(0);
    hive_builder_text(f->builder, "Run\\Stay", "kept", "here");
    hive_builder_text(f->builder, "Run\\Gone", "program", "C:\\x.exe");
    hive_builder_number(f->builder, "Run\\Gone", "count", 7);
    const uint8_t *built = hive_builder_bytes(f->builder, &f->size);
    f->bytes = malloc(f->size);
    memcpy(f->bytes, built, f->size);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hive_builder_free(f->builder);
    arena_free(f->arena);
    buffer_release(&f->told);
    free(f->bytes);
    free(f);
    return 0;
}

static uint8_t *cell(struct fixture *f, uint32_t at)
{
    return f->bytes + BASE + at;
}

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> 8 * i);
}

static void free_cell(struct fixture *f, uint32_t at)
{
    put32(cell(f, at), -get32(cell(f, at)));
}

static struct hive_key key_at(struct fixture *f, const char *path)
{
    struct hive_key key;

    assert_int_equal(hive_open(slice_of(f->bytes, f->size), f->arena, &f->hive), 0);
    assert_true(hive_find(f->hive, NULL, path, &key));
    return key;
}

/* The last subkey is taken from its parent's list. */
static void unlink_last(struct fixture *f, const char *parent)
{
    const struct hive_key key = key_at(f, parent);
    uint8_t *list = cell(f, key.subkey_list);

    put32(cell(f, key.cell) + 4 + 20, key.subkey_count - 1);
    list[6]--;
}

static void free_values(struct fixture *f, const struct hive_key *key)
{
    struct hive_values values = hive_values(f->hive, key);
    struct hive_value value;

    while (hive_next_value(&values, &value)) {
        free_cell(f, value.cell);
        if (!value.in_place.data)
            free_cell(f, value.data_cell);
    }
    free_cell(f, key->value_list);
}

static int tell(void *context, const struct hive_recovered *found)
{
    struct fixture *f = context;
    const char *data = found->value ? hive_text(f->hive, found->value, f->arena) : NULL;

    buffer_format(&f->told, "%c %s", found->value ? 'v' : 'k', found->path);
    if (found->value)
        buffer_format(&f->told, "\\%s=%s", hive_name_text(found->value->name, f->arena),
                      data ? data : "");
    buffer_format(&f->told, "%s%s\n", found->key_is_live ? " live" : "",
                  found->data_is_lost ? " lost" : "");
    return 0;
}

static const char *recovered(struct fixture *f)
{
    assert_int_equal(hive_open(slice_of(f->bytes, f->size), f->arena, &f->hive), 0);
    assert_int_equal(hive_recover(f->hive, tell, f), 0);
    return buffer_text(&f->told);
}

static void a_hive_without_free_cells_has_nothing_to_recover(void **state)
{
    assert_string_equal(recovered(*state), "");
}

static void a_deleted_key_has_its_path_and_its_values(void **state)
{
    struct fixture *f = *state;
    const struct hive_key key = key_at(f, "Run\\Gone");

    free_values(f, &key);
    unlink_last(f, "Run");
    free_cell(f, key.cell);
    assert_string_equal(recovered(f), "k Run\\Gone\nv Run\\Gone\\program=C:\\x.exe\n"
                                      "v Run\\Gone\\count=\n");
}

static void a_key_that_nothing_names_is_found_in_a_used_cell(void **state)
{
    struct fixture *f = *state;

    unlink_last(f, "Run");
    assert_memory_equal(recovered(f), "k Run\\Gone\n", 11);
}

static void a_deleted_value_of_a_live_key_is_found_behind_its_list(void **state)
{
    struct fixture *f = *state;
    const struct hive_key key = key_at(f, "Run\\Gone");
    const uint32_t last = get32(cell(f, key.value_list) + 4 + 4);

    put32(cell(f, key.cell) + 4 + 36, 1);
    free_cell(f, last);
    assert_string_equal(recovered(f), "v Run\\Gone\\count= live\n");
}

static void data_whose_cell_is_in_use_again_is_lost(void **state)
{
    struct fixture *f = *state;
    const struct hive_key key = key_at(f, "Run\\Gone");
    const uint32_t first = get32(cell(f, key.value_list) + 4);

    unlink_last(f, "Run");
    free_cell(f, key.cell);
    free_cell(f, first);
    assert_string_equal(recovered(f), "k Run\\Gone\nv Run\\Gone\\program=C:\\x.exe lost\n");
}

static void a_value_alone_has_no_key(void **state)
{
    struct fixture *f = *state;
    const struct hive_key key = key_at(f, "Run\\Gone");
    const uint32_t last = get32(cell(f, key.value_list) + 4 + 4);

    free_cell(f, last);
    memset(cell(f, key.cell) + 4 + 36, 0, 4);
    memset(cell(f, key.value_list) + 4, 0xFF, 8);
    assert_string_equal(recovered(f), "v ?\\count=\n");
}

static void a_key_whose_parent_is_lost_says_so(void **state)
{
    struct fixture *f = *state;
    const struct hive_key key = key_at(f, "Run\\Gone");

    unlink_last(f, "Run");
    free_cell(f, key.cell);
    put32(cell(f, key.cell) + 4 + 16, 0x7FFFFFF8);
    assert_memory_equal(recovered(f), "k ?\\Gone\n", 9);
}

static void a_key_that_is_its_own_parent_ends(void **state)
{
    struct fixture *f = *state;
    const struct hive_key key = key_at(f, "Run\\Gone");

    unlink_last(f, "Run");
    free_cell(f, key.cell);
    put32(cell(f, key.cell) + 4 + 16, key.cell);
    assert_memory_equal(recovered(f), "k ?\\Gone", 8);
}

static void any_changed_byte_is_survived(void **state)
{
    struct fixture *f = *state;
    const struct hive_key key = key_at(f, "Run\\Gone");
    uint32_t random = 1;

    free_values(f, &key);
    unlink_last(f, "Run");
    free_cell(f, key.cell);
    for (unsigned i = 0; i < 4000; i++) {
        random = random * 1664525 + 1013904223;
        uint8_t *byte = f->bytes + BASE + (random >> 8) % 1024, before = *byte;
        *byte = (uint8_t)(random >> 4);
        buffer_clear(&f->told);
        if (hive_open(slice_of(f->bytes, f->size), f->arena, &f->hive) == 0)
            assert_int_equal(hive_recover(f->hive, tell, f), 0);
        *byte = before;
        arena_reset(f->arena);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_hive_without_free_cells_has_nothing_to_recover),
        TEST(a_deleted_key_has_its_path_and_its_values),
        TEST(a_key_that_nothing_names_is_found_in_a_used_cell),
        TEST(a_deleted_value_of_a_live_key_is_found_behind_its_list),
        TEST(data_whose_cell_is_in_use_again_is_lost),
        TEST(a_value_alone_has_no_key),
        TEST(a_key_whose_parent_is_lost_says_so),
        TEST(a_key_that_is_its_own_parent_ends),
        TEST(any_changed_byte_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
