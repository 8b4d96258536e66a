/* What is told from a file's first bytes; formats that cannot be read are named. */
#include "triage/base/error.h"
#include "triage/evidence/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_signature.XXXXXX";

static int setup(void **context)
{
    int file;
    (void)context;
    strcpy(path, "/tmp/test_signature.XXXXXX");
    file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int teardown(void **context)
{
    (void)context;
    return remove(path);
}

static void put(long at, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void grow(off_t size)
{
    assert_int_equal(truncate(path, size), 0);
}

static void assert_refused(const char *word)
{
    enum signature signature;

    assert_int_equal(signature_detect(path, &signature), -1);
    if (!strstr(error_text(), word))
        fail_msg("'%s' is not in: %s", word, error_text());
}

static enum signature detected(void)
{
    enum signature signature;

    if (signature_detect(path, &signature) < 0)
        fail_msg("%s", error_text());
    return signature;
}

static void formats_that_cannot_be_read_are_named(void **context)
{
    static const struct {
        long at;
        const char *bytes;
        size_t size;
        const char *word;
    } cases[] = {
        {0, "QFI\xfb\0\0\0\2", 8, "QCOW2"},
        {64, "\x7f\x10\xda\xbe", 4, "VDI"},
        {0, "\xbe\xba\xfe\xca\0\0\0\0", 8, "seSparse"},
        {0, "COWD", 4, "COWD"},
        {0, "EVF2\r\n\x81\0", 8, "Ex01"},
        {0, "LEF2\r\n\x81\0", 8, "Lx01"},
        {0, "LVF\x09\r\n\xff\0", 8, "L01"},
        {0, "ADSEGMENTEDFILE\0", 16, "AD1"},
        {0, "AFF10\r\n\0", 8, "AFF"},
        {0, "PK\3\4....aff4://", 15, "AFF4"},
        {0, "PK\3\4....readme.txt", 18, "ZIP"},
        {0, "MSWIM\0\0\0", 8, "WIM"},
        {8192 - 512, "koly\0\0\0\x04", 8, "DMG"},
        {0, "LUKS\xba\xbe", 6, "LUKS"},
        {0, "BZh91AY&SY", 10, "bzip2"},
        {0, "\x1f\x8b\x08\0", 4, "gzip"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        grow(0);
        grow(8192);
        put(cases[i].at, cases[i].bytes, cases[i].size);
        assert_refused(cases[i].word);
    }
}

static void an_empty_file_is_an_error(void **context)
{
    (void)context;
    assert_refused("is empty");
}

static void a_missing_file_is_an_error(void **context)
{
    enum signature signature;
    (void)context;
    assert_int_equal(signature_detect("/nowhere/at.all", &signature), -1);
    assert_non_null(strstr(error_text(), "No such file"));
}

static void a_folder_is_an_error(void **context)
{
    enum signature signature;
    (void)context;
    assert_int_equal(signature_detect("/tmp", &signature), -1);
}

static void other_bytes_are_raw(void **context)
{
    (void)context;
    grow(4096);
    assert_int_equal(detected(), SIGNATURE_NONE);
    grow(3);
    assert_int_equal(detected(), SIGNATURE_NONE);
}

static void known_containers_are_told(void **context)
{
    (void)context;
    grow(4096);
    put(0, "EVF\x09\r\n\xff\0", 8);
    assert_int_equal(detected(), SIGNATURE_EWF);
    put(0, "........", 8);
    put(4096 - 512, "conectix", 8);
    assert_int_equal(detected(), SIGNATURE_VHD);
}

static void a_name_that_promises_a_signature_is_held_to_it(void **context)
{
    enum signature signature;
    char named[64];
    (void)context;
    grow(4096);
    snprintf(named, sizeof named, "%s.vhd", path);
    assert_int_equal(rename(path, named), 0);
    assert_int_equal(signature_detect(named, &signature), -1);
    assert_non_null(strstr(error_text(), "signature is missing"));
    assert_int_equal(rename(named, path), 0);
}

static void put_descriptor(const char *kind, const char *parent)
{
    char text[512];

    snprintf(text, sizeof text,
             "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=%s\ncreateType=\"%s\"\n"
             "parentFileNameHint=\"base.vmdk\"\n",
             parent, kind);
    grow(0);
    put(0, text, strlen(text));
}

static void a_vmdk_is_judged_by_its_descriptor(void **context)
{
    (void)context;
    put_descriptor("monolithicFlat", "ffffffff");
    assert_int_equal(detected(), SIGNATURE_VMDK);
    put_descriptor("seSparse", "ffffffff");
    assert_refused("seSparse");
    put_descriptor("monolithicSparse", "0badcafe");
    assert_refused("base.vmdk");
    put_descriptor("fullDevice", "ffffffff");
    assert_refused("fullDevice");
}

static void a_sparse_vmdk_holds_its_descriptor(void **context)
{
    static const char text[] =
        "# Disk DescriptorFile\nparentCID=ffffffff\ncreateType=\"streamOptimized\"\n";
    uint8_t head[44] = "KDMV";
    (void)context;
    head[28] = 1, head[36] = 2;
    grow(4096);
    put(0, head, sizeof head);
    put(512, text, sizeof text);
    assert_int_equal(detected(), SIGNATURE_VMDK);
    head[28] = 0;
    put(0, head, sizeof head);
    assert_refused("part of a split VMDK");
    head[28] = 200;
    put(0, head, sizeof head);
    assert_refused("outside of the file");
}

static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
    uint32_t sum = ~UINT32_C(0);

    for (size_t i = 0; i < size; i++)
        for (int bit = (sum ^= bytes[i], 0); bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0x82F63B78) : 0);
    return ~sum;
}

static void put_vhdx_header(long at, uint8_t sequence, bool log)
{
    uint8_t head[4096] = "head";
    uint32_t sum;

    head[8] = sequence;
    head[48] = log;
    sum = crc32c(head, sizeof head);
    for (size_t i = 0; i < 4; i++)
        head[4 + i] = (uint8_t)(sum >> 8 * i);
    put(at, head, sizeof head);
}

/* A VHDX as far as it is looked at: two headers, region table, metadata with the file parameters.
 */
static void put_vhdx(bool old_log, bool new_log, bool parent)
{
    uint8_t regions[48] =
        "regi\0\0\0\0\1\0\0\0\0\0\0\0"
        "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e\0\0\x10";
    uint8_t metadata[64] = "metadata\0\0\1";
    uint8_t item[20] = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b\0\0\1";
    uint8_t parameters[8] = {0};

    parameters[4] = parent ? 2 : 0;
    memcpy(metadata + 32, item, sizeof item);
    grow(0);
    grow(0x200000);
    put(0, "vhdxfile", 8);
    put_vhdx_header(0x10000, 5, old_log);
    put_vhdx_header(0x20000, 6, new_log);
    put(0x30000, regions, sizeof regions);
    put(0x100000, metadata, sizeof metadata);
    put(0x110000, parameters, sizeof parameters);
}

static void the_active_header_of_a_vhdx_decides(void **context)
{
    (void)context;
    put_vhdx(true, false, false);
    assert_int_equal(detected(), SIGNATURE_VHDX);
    put_vhdx(false, true, false);
    assert_refused("log was not replayed");
    put_vhdx(false, false, true);
    assert_refused("differencing");
    put(0x10008, "x", 1);
    put(0x20008, "x", 1);
    assert_refused("valid header");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(formats_that_cannot_be_read_are_named),
        TEST(an_empty_file_is_an_error),
        TEST(a_missing_file_is_an_error),
        TEST(a_folder_is_an_error),
        TEST(other_bytes_are_raw),
        TEST(known_containers_are_told),
        TEST(a_name_that_promises_a_signature_is_held_to_it),
        TEST(a_vmdk_is_judged_by_its_descriptor),
        TEST(a_sparse_vmdk_holds_its_descriptor),
        TEST(the_active_header_of_a_vhdx_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
