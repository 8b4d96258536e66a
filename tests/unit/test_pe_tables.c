/* Exports, imports, signatures: with damage of every kind. */
#include "triage/base/buffer.h"
#include "triage/formats/pe_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 0x600, HEADER = 0x40, OPTIONAL = HEADER + 24, OPTIONAL_SIZE = 240, RAW = 0x200 };
enum { SECTION = OPTIONAL + OPTIONAL_SIZE, ADDRESS = 0x3000, NAMES = 0x100, SIGNATURE = 0x500 };

static uint8_t program[SIZE];
static struct slice bytes;

static void put(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        program[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_directory(unsigned number, uint32_t address, uint32_t size)
{
    put(OPTIONAL + 112 + 8 * number, address, 4);
    put(OPTIONAL + 112 + 8 * number + 4, size, 4);
}

/* A library with one export and three imports: by name, by a known number, by an unknown one. */
static int set_up(void **state)
{
    (void)state;
    memset(program, 0, sizeof program);
    bytes = slice_of(program, SIZE);
    memcpy(program, "MZ", 2);
    put(0x3C, HEADER, 4);
    memcpy(program + HEADER, "PE\0\0\x64\x86\x01\0", 8);
    put(HEADER + 20, OPTIONAL_SIZE, 2);
    put(OPTIONAL, 0x20B, 2);
    put(SECTION + 12, ADDRESS, 4);
    put(SECTION + 16, 0x300, 4);
    put(SECTION + 20, RAW, 4);
    put_directory(PE_EXPORTS, ADDRESS, 40);
    put(RAW + 24, 1, 4);
    put(RAW + 32, ADDRESS + 40, 4);
    put(RAW + 40, ADDRESS + NAMES, 4);
    memcpy(program + RAW + NAMES, "RegisterModule", 15);
    put_directory(PE_IMPORTS, ADDRESS + 0x40, 40);
    put(RAW + 0x40, ADDRESS + 0x80, 4);
    put(RAW + 0x4C, ADDRESS + NAMES + 0x20, 4);
    put(RAW + 0x80, ADDRESS + NAMES + 0x40, 8);
    put(RAW + 0x88, UINT64_C(1) << 63 | 115, 8);
    put(RAW + 0x90, UINT64_C(1) << 63 | 60000, 8);
    memcpy(program + RAW + NAMES + 0x20, "WS2_32.dll", 11);
    memcpy(program + RAW + NAMES + 0x42, "connect", 8);
    put_directory(PE_CERTIFICATES, SIGNATURE, 0x20);
    put(SIGNATURE, 0x20, 4);
    put(SIGNATURE + 6, 2, 2);
    return 0;
}

static struct slice window(void *context, uint64_t offset, size_t size)
{
    (void)context;
    return slice_part(bytes, (size_t)offset, size);
}

static struct pe_image image;

static int open_image(void)
{
    const struct pe_source source = {window, NULL, bytes.size};

    return pe_open(&source, &image);
}

static void add_export(void *context, struct slice name)
{
    buffer_add(context, name);
    buffer_add_byte(context, ' ');
}

static void add_import(void *context, const struct pe_import *import)
{
    const char *known = pe_ordinal_name(import->library, import->ordinal);

    buffer_add(context, import->name);
    if (!import->name.size)
        buffer_format(context, "%u=%s", import->ordinal, known ? known : "?");
    buffer_add_byte(context, ' ');
}

static void names_of_exports_are_told(void **state)
{
    struct buffer names = BUFFER_EMPTY;

    (void)state;
    assert_int_equal(open_image(), 0);
    assert_int_equal(pe_exports(&image, add_export, &names), 1);
    assert_string_equal(buffer_text(&names), "RegisterModule ");
    buffer_release(&names);
}

static void imports_by_number_have_the_names_that_are_known(void **state)
{
    struct buffer names = BUFFER_EMPTY;

    (void)state;
    assert_int_equal(open_image(), 0);
    assert_int_equal(pe_imports(&image, add_import, &names), 3);
    assert_string_equal(buffer_text(&names), "connect 115=WSAStartup 60000=? ");
    buffer_release(&names);
}

static void a_signature_is_present_or_damaged_or_not_there(void **state)
{
    struct arena *arena = arena_new(1 << 16);
    struct pe_signature signature;

    (void)state;
    assert_int_equal(open_image(), 0);
    pe_signature_read(&image, arena, &signature);
    assert_int_equal(signature.state, PE_SIGNED);
    put_directory(PE_CERTIFICATES, SIGNATURE, 0x7fffffff);
    assert_int_equal(open_image(), 0);
    pe_signature_read(&image, arena, &signature);
    assert_int_equal(signature.state, PE_SIGNATURE_DAMAGED);
    put_directory(PE_CERTIFICATES, 0, 0);
    assert_int_equal(open_image(), 0);
    pe_signature_read(&image, arena, &signature);
    assert_int_equal(signature.state, PE_UNSIGNED);
    arena_free(arena);
}

static void a_count_of_exports_that_cannot_be_ends_with_the_section(void **state)
{
    struct buffer names = BUFFER_EMPTY;

    (void)state;
    put(RAW + 24, 0xffffffff, 4);
    assert_int_equal(open_image(), 0);
    assert_true(pe_exports(&image, add_export, &names) < 0x300 / 4);
    buffer_release(&names);
}

static void read_all(void)
{
    struct arena *arena = arena_new(1 << 16);
    struct buffer names = BUFFER_EMPTY;
    struct pe_signature signature;
    struct pe_version_info version;
    struct pe_debug debug;
    struct pe_cli cli;

    if (open_image() == 0) {
        pe_exports(&image, add_export, &names);
        pe_imports(&image, add_import, &names);
        pe_version_read(&image, arena, &version);
        pe_debug_read(&image, arena, &debug);
        pe_cli_read(&image, arena, &cli);
        pe_signature_read(&image, arena, &signature);
    }
    buffer_release(&names);
    arena_free(arena);
}

static void a_program_cut_anywhere_does_no_harm(void **state)
{
    (void)state;
    for (size_t size = 0; size < SIZE; size += 3) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, program, size);
        bytes = slice_of(cut, size);
        read_all();
        free(cut);
    }
}

static void changed_bytes_do_no_harm(void **state)
{
    uint64_t random = 88172645463325252u;

    for (unsigned round = 0; round < 1000; round++) {
        set_up(state);
        for (size_t i = 0; i < 6; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            program[random % SIZE] = (uint8_t)(random >> 32);
        }
        read_all();
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_of_exports_are_told),
        TEST(imports_by_number_have_the_names_that_are_known),
        TEST(a_signature_is_present_or_damaged_or_not_there),
        TEST(a_count_of_exports_that_cannot_be_ends_with_the_section),
        TEST(a_program_cut_anywhere_does_no_harm),
        TEST(changed_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
