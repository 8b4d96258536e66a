#include "tests/unit/hive_builder.h"
#include "triage/base/error.h"
#include "triage/formats/hive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct hive_builder *builder;
    struct arena *arena;
    uint8_t *bytes; /* a copy that a test may change */
    size_t size;
    struct hive *hive;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->builder = hive_builder_new();
    f->arena = arena_new(0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hive_builder_free(f->builder);
    arena_free(f->arena);
    free(f->bytes);
    free(f);
    return 0;
}

static int open_built(struct fixture *f)
{
    if (!f->bytes) {
        const uint8_t *built = hive_builder_bytes(f->builder, &f->size);
        f->bytes = malloc(f->size);
        memcpy(f->bytes, built, f->size);
    }
    return hive_open(slice_of(f->bytes, f->size), f->arena, &f->hive);
}

static void a_value_is_found_in_any_letter_case(void **state)
{
    struct fixture *f = *state;
    struct hive_key key;
    struct hive_value value;

    hive_builder_text(f->builder, "Microsoft\\ExchangeServer\\v15\\Setup", "MsiInstallPath",
                      "D:\\X");
    assert_int_equal(open_built(f), 0);
    assert_true(hive_find(f->hive, NULL, "microsoft\\EXCHANGESERVER\\V15\\setup", &key));
    assert_true(hive_find_value(f->hive, &key, "msiinstallpath", &value));
    assert_string_equal(hive_text(f->hive, &value, f->arena), "D:\\X");
    assert_false(hive_find(f->hive, NULL, "Microsoft\\ExchangeServer\\v14", &key));
}

static void numbers_lie_in_the_value_itself(void **state)
{
    struct fixture *f = *state;
    struct hive_key root;
    struct hive_value value;
    uint64_t number;

    hive_builder_number(f->builder, "", "Current", 0x12345678);
    hive_builder_set(f->builder, "", "Big", HIVE_NUMBER_BIG_ENDIAN, "\x12\x34\x56\x78", 4);
    hive_builder_set(f->builder, "", "Long", HIVE_LONG_NUMBER, "\1\0\0\0\2\0\0\0", 8);
    hive_builder_set(f->builder, "", "Short", HIVE_NUMBER, "\1\2", 2);
    assert_int_equal(open_built(f), 0);
    root = hive_root(f->hive);
    assert_true(hive_find_value(f->hive, &root, "Current", &value));
    assert_true(hive_number(f->hive, &value, &number) && number == 0x12345678);
    assert_true(hive_find_value(f->hive, &root, "Big", &value));
    assert_true(hive_number(f->hive, &value, &number) && number == 0x12345678);
    assert_true(hive_find_value(f->hive, &root, "Long", &value));
    assert_true(hive_number(f->hive, &value, &number) && number == 0x200000001);
    assert_true(hive_find_value(f->hive, &root, "Short", &value));
    assert_false(hive_number(f->hive, &value, &number));
}

static void big_data_is_joined_from_its_parts(void **state)
{
    enum { SIZE = 50000 };
    struct fixture *f = *state;
    uint8_t *data = malloc(SIZE);
    struct hive_key root;
    struct hive_value value;

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    hive_builder_set(f->builder, "", "Big", HIVE_BINARY, data, SIZE);
    assert_int_equal(open_built(f), 0);
    root = hive_root(f->hive);
    assert_true(hive_find_value(f->hive, &root, "Big", &value));
    const struct slice read = hive_data(f->hive, &value, f->arena);
    assert_int_equal(read.size, SIZE);
    assert_memory_equal(read.data, data, SIZE);
    free(data);
}

static void several_texts_become_lines(void **state)
{
    struct fixture *f = *state;
    struct hive_key root;
    struct hive_value value;

    hive_builder_set(f->builder, "", "List", HIVE_TEXTS, "a\0b\0\0\0c\0\0\0\0\0", 12);
    assert_int_equal(open_built(f), 0);
    root = hive_root(f->hive);
    assert_true(hive_find_value(f->hive, &root, "List", &value));
    assert_string_equal(hive_text(f->hive, &value, f->arena), "ab\nc");
}

static int count_key(void *context, const char *path, const struct hive_key *key)
{
    (void)path, (void)key;
    ++*(size_t *)context;
    return 0;
}

static void lists_of_lists_are_walked(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;
    char name[32];

    for (unsigned i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "key%02u", i);
        hive_builder_number(f->builder, name, "n", i);
    }
    assert_int_equal(open_built(f), 0);
    assert_int_equal(hive_walk(f->hive, count_key, &count), 0);
    assert_int_equal(count, 51);
}

static int stop_at_b(void *context, const char *path, const struct hive_key *key)
{
    (void)context, (void)key;
    return strcmp(path, "a\\b") == 0 ? 42 : 0;
}

static void a_walk_ends_when_the_visitor_says_so(void **state)
{
    struct fixture *f = *state;

    hive_builder_number(f->builder, "a\\b\\c", "n", 1);
    assert_int_equal(open_built(f), 0);
    assert_int_equal(hive_walk(f->hive, stop_at_b, NULL), 42);
}

static void last_write_of_a_key_is_read(void **state)
{
    struct fixture *f = *state;
    char text[INSTANT_TEXT_SIZE];
    struct hive_key key;

    hive_builder_number(f->builder, "a", "n", 1);
    assert_int_equal(open_built(f), 0);
    assert_true(hive_find(f->hive, NULL, "a", &key));
    assert_string_equal(instant_format(key.written, text), "2021-03-02T12:00:00.000000+00:00");
}

static void letters_beyond_ascii_compare_without_case(void **state)
{
    struct fixture *f = *state;
    struct hive_key key;

    hive_builder_number(f->builder, "\xC4rger", "n", 1); /* Latin-1 */
    assert_int_equal(open_built(f), 0);
    assert_true(hive_find(f->hive, NULL, "\xC3\xA4RGER", &key));
    assert_string_equal(hive_name_text(key.name, f->arena), "\xC3\x84rger");
}

static void different_sequence_numbers_mean_dirty(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_built(f), 0);
    assert_false(hive_is_dirty(f->hive));
    f->bytes[8]++;
    assert_int_equal(open_built(f), 0);
    assert_true(hive_is_dirty(f->hive));
}

static void what_is_not_a_hive_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(hive_open(SLICE_LITERAL("MZ"), f->arena, &f->hive), -1);
    assert_string_equal(error_text(), "not a registry hive");
    assert_int_equal(open_built(f), 0);
    memset(f->bytes + 36, 0xFF, 4);
    assert_int_equal(open_built(f), -1);
}

static uint8_t *find_bytes(struct fixture *f, const char *bytes, size_t size)
{
    return memmem(f->bytes, f->size, bytes, size);
}

static void a_cycle_of_keys_ends(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;

    hive_builder_number(f->builder, "loop", "n", 1);
    assert_int_equal(open_built(f), 0);
    uint8_t *root = find_bytes(f, "nk", 2), *child = find_bytes(f, "loop", 4) - 76;
    memcpy(child + 20, root + 20, 4); /* one subkey ... */
    memcpy(child + 28, root + 28, 4); /* ... which is itself */
    assert_int_equal(hive_walk(f->hive, count_key, &count), 0);
    assert_int_equal(count, 2);
}

static void a_list_that_holds_itself_ends(void **state)
{
    struct fixture *f = *state;
    struct hive_key root, key;
    const char *damage;
    uint64_t offset;

    hive_builder_number(f->builder, "a", "n", 1);
    assert_int_equal(open_built(f), 0);
    uint8_t *list = find_bytes(f, "lh\1\0", 4);
    memcpy(list, "ri", 2);
    const uint32_t itself = (uint32_t)(list - f->bytes - 4096 - 4);
    memcpy(list + 4, &itself, 4);
    root = hive_root(f->hive);
    struct hive_subkeys subkeys = hive_subkeys(f->hive, &root);
    assert_false(hive_next_subkey(&subkeys, &key));
    assert_int_equal(hive_damage(f->hive, &damage, &offset), 1);
}

static void damage_is_told_and_passed_over(void **state)
{
    struct fixture *f = *state;
    const char *damage;
    uint64_t offset;
    size_t count = 0;

    hive_builder_number(f->builder, "a", "n", 1);
    hive_builder_number(f->builder, "b", "n", 1);
    assert_int_equal(open_built(f), 0);
    uint8_t *broken = find_bytes(f, "a", 1);
    while (broken[-76] != 'n' || broken[-75] != 'k')
        broken = memchr(broken + 1, 'a', f->size);
    broken[-76] = 'x';
    assert_int_equal(hive_walk(f->hive, count_key, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(hive_damage(f->hive, &damage, &offset), 1);
    assert_string_equal(damage, "a key cannot be read");
    assert_int_equal(f->bytes[offset + 4], 'x');
}

/* Reads all that there is. */
static int read_key(void *context, const char *path, const struct hive_key *key)
{
    struct fixture *f = context;
    struct hive_values values = hive_values(f->hive, key);
    struct hive_value value;
    uint64_t number;

    (void)path;
    hive_security(f->hive, key);
    hive_class(f->hive, key);
    while (hive_next_value(&values, &value)) {
        hive_text(f->hive, &value, f->arena);
        hive_data(f->hive, &value, f->arena);
        hive_number(f->hive, &value, &number);
    }
    return 0;
}

static void fill(struct fixture *f)
{
    char name[32];

    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "k%u\\sub", i);
        hive_builder_number(f->builder, name, "number", i);
        hive_builder_text(f->builder, name, "text", "some text that is longer than four bytes");
    }
    uint8_t *big = calloc(1, 40000);
    hive_builder_set(f->builder, "big", "big", HIVE_BINARY, big, 40000);
    free(big);
}

static void a_hive_cut_anywhere_does_no_harm(void **state)
{
    struct fixture *f = *state;

    fill(f);
    assert_int_equal(open_built(f), 0);
    for (size_t size = 0; size < f->size; size += 97) {
        uint8_t *cut = malloc(size + 1); /* of its own, so that a sanitizer sees its end */
        memcpy(cut, f->bytes, size);
        if (hive_open(slice_of(cut, size), f->arena, &f->hive) == 0)
            hive_walk(f->hive, read_key, f);
        free(cut);
        arena_reset(f->arena);
    }
}

static void changed_bytes_do_no_harm(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 88172645463325252u;

    fill(f);
    assert_int_equal(open_built(f), 0);
    for (unsigned round = 0; round < 2000; round++) {
        size_t at[8];
        uint8_t old[8];
        for (size_t i = 0; i < 8; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            at[i] = i & 1 ? random % f->size : 4096 + random % 9000;
            old[i] = f->bytes[at[i]];
            f->bytes[at[i]] = (uint8_t)(random >> 40);
        }
        if (hive_open(slice_of(f->bytes, f->size), f->arena, &f->hive) == 0)
            hive_walk(f->hive, read_key, f);
        for (size_t i = 8; i-- > 0;)
            f->bytes[at[i]] = old[i];
        arena_reset(f->arena);
    }
}

struct counts {
    struct hive *hive;
    size_t keys, values;
};

static int count_all(void *context, const char *path, const struct hive_key *key)
{
    struct counts *counts = context;
    struct hive_values values = hive_values(counts->hive, key);
    struct hive_value value;

    (void)path;
    counts->keys++;
    while (hive_next_value(&values, &value))
        counts->values++;
    return 0;
}

static uint8_t *read_shared(const char *name, size_t *size)
{
    const char *folder = getenv("EXTRIAGE_DATA"), *source = getenv("srcdir");
    char path[1024];

    if (folder)
        snprintf(path, sizeof path, "%s/%s", folder, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", name);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return NULL;
    uint8_t *bytes = malloc(8 << 20);
    *size = fread(bytes, 1, 8 << 20, stream);
    fclose(stream);
    return bytes;
}

/* Counts as regfexport has them; it refuses the hive with the bad bin, and loses most of the one
 * with the corrupt list. */
static void real_hives_have_the_known_counts(void **state)
{
    static const struct {
        const char *name;
        size_t keys, values;
        bool damaged;
    } known[] = {
        {"registry/plaso/NTUSER.DAT", 1127, 5602, false},
        {"registry/plaso/100_sub_keys.hiv", 101, 100, false},
        {"registry/plaso/corrupt_sub_key_list.hiv", 100, 99, true},
        {"registry/ez-registry/BCD", 66, 46, false},
        {"registry/ez-registry/SAM_DUPENAME", 112, 128, false},
        {"registry/ez-registry/SAMBadHBinHeader", 68, 73, true},
        {"registry/ez-registry/SECURITYNoRoot", 8, 2, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct counts counts = {0};
        const char *damage;
        uint64_t offset;
        free(f->bytes);
        f->bytes = read_shared(known[i].name, &f->size);
        if (!f->bytes)
            skip();
        assert_int_equal(hive_open(slice_of(f->bytes, f->size), f->arena, &counts.hive), 0);
        assert_int_equal(hive_walk(counts.hive, count_all, &counts), 0);
        assert_int_equal(counts.keys, known[i].keys);
        assert_int_equal(counts.values, known[i].values);
        assert_int_equal(hive_damage(counts.hive, &damage, &offset) > 0, known[i].damaged);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_found_in_any_letter_case),
        TEST(numbers_lie_in_the_value_itself),
        TEST(big_data_is_joined_from_its_parts),
        TEST(several_texts_become_lines),
        TEST(lists_of_lists_are_walked),
        TEST(a_walk_ends_when_the_visitor_says_so),
        TEST(last_write_of_a_key_is_read),
        TEST(letters_beyond_ascii_compare_without_case),
        TEST(different_sequence_numbers_mean_dirty),
        TEST(what_is_not_a_hive_is_refused),
        TEST(a_cycle_of_keys_ends),
        TEST(a_list_that_holds_itself_ends),
        TEST(damage_is_told_and_passed_over),
        TEST(a_hive_cut_anywhere_does_no_harm),
        TEST(changed_bytes_do_no_harm),
        TEST(real_hives_have_the_known_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
