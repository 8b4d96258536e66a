#include "triage/base/error.h"
#include "triage/formats/pe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 0x400, HEADER = 0x40, OPTIONAL_SIZE = 240, SECTION = HEADER + 24 + OPTIONAL_SIZE };
enum { RAW = 0x200, ADDRESS = 0x3000 };

static uint8_t program[SIZE];

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        program[at + i] = (uint8_t)(value >> 8 * i);
}

/* One directory of resources with one entry. */
static void put_directory(size_t at, uint32_t id, uint32_t offset)
{
    put(RAW + at + 14, 1, 2);
    put(RAW + at + 16, id, 4);
    put(RAW + at + 20, offset, 4);
}

/* The smallest 64-bit program with a version resource. */
static int set_up(void **state)
{
    static const char name[] = "VS_VERSION_INFO";

    (void)state;
    memset(program, 0, sizeof program);
    memcpy(program, "MZ", 2);
    put(0x3C, HEADER, 4);
    memcpy(program + HEADER, "PE\0\0", 4);
    put(HEADER + 6, 1, 2);
    put(HEADER + 20, OPTIONAL_SIZE, 2);
    put(HEADER + 24, 0x20B, 2);
    put(HEADER + 24 + 112 + 16, ADDRESS, 4);
    put(SECTION + 12, ADDRESS, 4);
    put(SECTION + 16, SIZE - RAW, 4);
    put(SECTION + 20, RAW, 4);
    put_directory(0, 16, 0x80000018);
    put_directory(0x18, 1, 0x80000030);
    put_directory(0x30, 1033, 0x48);
    put(RAW + 0x48, ADDRESS + 0x60, 4);
    put(RAW + 0x4C, 100, 4);
    put(RAW + 0x60, 100, 2);
    put(RAW + 0x62, 52, 2);
    for (size_t i = 0; i < sizeof name; i++)
        program[RAW + 0x60 + 6 + 2 * i] = (uint8_t)name[i];
    put(RAW + 0x60 + 40, 0xFEEF04BD, 4);
    put(RAW + 0x60 + 48, 15 << 16 | 1, 4);
    put(RAW + 0x60 + 52, 2106 << 16 | 13, 4);
    return 0;
}

static void the_version_is_read(void **state)
{
    char text[PE_VERSION_TEXT_SIZE];
    struct pe_version version;

    (void)state;
    assert_int_equal(pe_file_version(slice_of(program, SIZE), &version), 0);
    assert_string_equal(pe_version_format(version, text), "15.1.2106.13");
}

static void a_program_without_version_is_told(void **state)
{
    struct pe_version version;

    (void)state;
    put(RAW + 16, 3, 4); /* icons only */
    assert_int_equal(pe_file_version(slice_of(program, SIZE), &version), -1);
    assert_string_equal(error_text(), "the program has no version resource");
}

static void other_files_are_refused(void **state)
{
    struct pe_version version;

    (void)state;
    assert_int_equal(pe_file_version(SLICE_LITERAL("regf"), &version), -1);
    assert_string_equal(error_text(), "not a Windows program");
    assert_int_equal(pe_file_version(slice_of(NULL, 0), &version), -1);
}

static void directories_that_name_themselves_end(void **state)
{
    struct pe_version version;

    (void)state;
    put_directory(0, 16, 0x80000000);
    assert_int_equal(pe_file_version(slice_of(program, SIZE), &version), -1);
}

static void a_program_cut_anywhere_does_no_harm(void **state)
{
    struct pe_version version;

    (void)state;
    for (size_t size = 0; size < RAW + 0x60 + 56; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, program, size);
        assert_int_equal(pe_file_version(slice_of(cut, size), &version), -1);
        free(cut);
    }
}

static void changed_bytes_do_no_harm(void **state)
{
    uint64_t random = 88172645463325252u;
    struct pe_version version;

    for (unsigned round = 0; round < 5000; round++) {
        set_up(state);
        for (size_t i = 0; i < 4; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            program[random % SIZE] = (uint8_t)(random >> 32);
        }
        pe_file_version(slice_of(program, SIZE), &version);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_version_is_read),
        TEST(a_program_without_version_is_told),
        TEST(other_files_are_refused),
        TEST(directories_that_name_themselves_end),
        TEST(a_program_cut_anywhere_does_no_harm),
        TEST(changed_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
