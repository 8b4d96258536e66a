/* $SDS as Windows writes it, and as an attacker might. */
#include "triage/base/buffer.h"
#include "triage/evidence/ntfs_owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put_number(struct buffer *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_add_byte(out, i < sizeof value ? (uint8_t)(value >> 8 * i) : 0);
}

/* A descriptor whose owner is S-1-5-21-1-2-`last`. */
static void put_entry(struct buffer *out, uint32_t id, uint64_t offset, uint32_t last)
{
    static const uint8_t sid[] = {1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0};

    put_number(out, 0x1234, 4);
    put_number(out, id, 4);
    put_number(out, offset, 8);
    put_number(out, 20 + 20 + sizeof sid + 4, 4);
    put_number(out, 0x80040001, 4);
    put_number(out, 20, 4);
    put_number(out, 0, 12);
    buffer_add(out, slice_of(sid, sizeof sid));
    put_number(out, last, 4);
    while (out->size % 16)
        buffer_add_byte(out, 0);
}

static void owners_are_found_by_id(void **state)
{
    struct buffer sds = BUFFER_EMPTY;

    (void)state;
    put_entry(&sds, 0x101, 0, 500);
    put_entry(&sds, 0x100, sds.size, 1001);
    struct ntfs_owners *owners = ntfs_owners_new(buffer_slice(&sds));
    assert_string_equal(ntfs_owner_sid(owners, 0x100), "S-1-5-21-1-2-1001");
    assert_string_equal(ntfs_owner_sid(owners, 0x101), "S-1-5-21-1-2-500");
    assert_null(ntfs_owner_sid(owners, 0));
    ntfs_owners_free(owners);
    buffer_release(&sds);
}

static void the_mirror_of_a_block_is_passed_over(void **state)
{
    struct buffer sds = BUFFER_EMPTY;

    (void)state;
    put_entry(&sds, 0x100, 0, 500);
    while (sds.size < 0x40000)
        buffer_add_byte(&sds, 0);
    put_entry(&sds, 0x100, 0, 666);
    put_entry(&sds, 0x102, sds.size, 1002);
    struct ntfs_owners *owners = ntfs_owners_new(buffer_slice(&sds));
    assert_string_equal(ntfs_owner_sid(owners, 0x100), "S-1-5-21-1-2-500");
    assert_string_equal(ntfs_owner_sid(owners, 0x102), "S-1-5-21-1-2-1002");
    ntfs_owners_free(owners);
    buffer_release(&sds);
}

static void damaged_lists_are_survived(void **state)
{
    struct buffer sds = BUFFER_EMPTY;

    (void)state;
    put_entry(&sds, 0x100, 0, 500);
    put_entry(&sds, 0x101, sds.size, 501);
    srand(1);
    for (int round = 0; round < 5000; round++) {
        uint8_t *copy = malloc(sds.size);
        memcpy(copy, sds.data, sds.size);
        for (int i = 0; i < 4; i++)
            copy[(size_t)rand() % sds.size] = (uint8_t)rand();
        ntfs_owners_free(ntfs_owners_new(slice_of(copy, (size_t)rand() % sds.size)));
        free(copy);
    }
    ntfs_owners_free(ntfs_owners_new(slice_of(NULL, 0)));
    buffer_release(&sds);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_are_found_by_id),
        cmocka_unit_test(the_mirror_of_a_block_is_passed_over),
        cmocka_unit_test(damaged_lists_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
