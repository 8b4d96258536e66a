/* Virtual disks as qemu-img makes them, whole and broken: VMDK, VHDX, VHD. */
#include "triage/base/error.h"
#include "triage/evidence/image.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MEDIUM = 4 << 20, FILLED_TO = 3 << 20 };

static char folder[64];
static uint8_t medium[MEDIUM], got[MEDIUM];
static struct image *image;

/* libtsk loses some memory of libvmdk's whenever an open or a read fails. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libvmdk\nleak:libtsk\nleak:libewf\n";
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static const char *in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int setup(void **context)
{
    uint32_t state = 1;
    FILE *file;
    (void)context;
    for (size_t i = 1 << 20; i < FILLED_TO; i++)
        medium[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    strcpy(folder, "/tmp/test_virtual_disk.XXXXXX");
    image = NULL;
    if (!mkdtemp(folder) || !(file = fopen(in_folder("disk.raw"), "wb")))
        return -1;
    fwrite(medium, 1, MEDIUM, file);
    return fclose(file);
}

static int teardown(void **context)
{
    (void)context;
    image_close(image);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* False when qemu-img is not there. */
static bool qemu_img(const char *arguments)
{
    char command[512];

    if (system("command -v qemu-img >/dev/null 2>&1")) {
        print_message("# SKIP qemu-img is not there\n");
        return false;
    }
    snprintf(command, sizeof command, "cd %s && qemu-img %s >/dev/null 2>&1", folder, arguments);
    assert_int_equal(system(command), 0);
    return true;
}

static void open_disk(const char *name)
{
    if (image_open(in_folder(name), &image) < 0)
        fail_msg("%s", error_text());
    assert_int_equal(image_container(image)->size, MEDIUM);
    memset(got, 0xEE, sizeof got);
    assert_int_equal(image_read(image, 0, got, MEDIUM), MEDIUM);
}

static void assert_whole(const char *name)
{
    size_t count;

    open_disk(name);
    assert_memory_equal(got, medium, MEDIUM);
    image_damage(image, &count);
    assert_int_equal(count, 0);
    image_close(image);
    image = NULL;
}

static void assert_refused(const char *name, const char *word)
{
    assert_int_equal(image_open(in_folder(name), &image), -1);
    if (!strstr(error_text(), word))
        fail_msg("'%s' does not say '%s'", error_text(), word);
}

static bool is_damaged(size_t at)
{
    size_t count;
    const struct damage *damage = image_damage(image, &count);

    for (size_t i = 0; i < count; i++)
        if (at >= damage[i].offset && at - damage[i].offset < damage[i].size)
            return true;
    return false;
}

/* Cut to a part of its size, a disk has its bytes or says that they are damage. */
static void assert_cut_is_damage(const char *name)
{
    struct stat status;
    size_t damaged = 0;

    assert_int_equal(stat(in_folder(name), &status), 0);
    assert_int_equal(truncate(in_folder(name), status.st_size * 7 / 10), 0);
    open_disk(name);
    for (size_t at = 0; at < MEDIUM; at += 512) {
        if (is_damaged(at) || is_damaged(at + 511))
            damaged++;
        else
            assert_memory_equal(got + at, medium + at, 512);
    }
    assert_true(damaged > 0);
    assert_true(image_damage_hits(image) > 0);
}

static void every_vmdk_of_qemu_reads_as_the_medium(void **context)
{
    static const char *const kinds[] = {"monolithicSparse", "monolithicFlat", "streamOptimized",
                                        "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"};
    char arguments[256];
    (void)context;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(arguments, sizeof arguments,
                 "convert -f raw -O vmdk -o subformat=%s disk.raw %s.vmdk", kinds[i], kinds[i]);
        if (!qemu_img(arguments))
            return;
        snprintf(arguments, sizeof arguments, "%s.vmdk", kinds[i]);
        assert_whole(arguments);
    }
}

static void vhdx_and_vhd_read_as_the_medium(void **context)
{
    (void)context;
    if (!qemu_img("convert -f raw -O vhdx disk.raw dynamic.vhdx"))
        return;
    qemu_img("convert -f raw -O vhdx -o subformat=fixed disk.raw fixed.vhdx");
    qemu_img("convert -f raw -O vpc -o force_size=on disk.raw dynamic.vhd");
    qemu_img("convert -f raw -O vpc -o subformat=fixed,force_size=on disk.raw fixed.vhd");
    assert_whole("dynamic.vhdx");
    assert_whole("fixed.vhdx");
    assert_whole("dynamic.vhd");
    assert_whole("fixed.vhd");
}

static void a_cut_vmdk_is_damage(void **context)
{
    (void)context;
    if (!qemu_img("convert -f raw -O vmdk disk.raw disk.vmdk"))
        return;
    assert_cut_is_damage("disk.vmdk");
}

static void a_cut_extent_of_a_split_vmdk_is_damage(void **context)
{
    (void)context;
    if (!qemu_img("convert -f raw -O vmdk -o subformat=twoGbMaxExtentSparse disk.raw disk.vmdk"))
        return;
    assert_int_equal(truncate(in_folder("disk-s001.vmdk"), 2 << 20), 0);
    open_disk("disk.vmdk");
    assert_true(is_damaged(FILLED_TO - 512));
    assert_false(is_damaged(1 << 20));
}

static void a_cut_vhd_is_damage(void **context)
{
    (void)context;
    if (!qemu_img("convert -f raw -O vpc -o force_size=on disk.raw disk.vhd"))
        return;
    assert_cut_is_damage("disk.vhd");
}

static void a_vmdk_cut_behind_its_start_is_an_error(void **context)
{
    struct stat status;
    (void)context;
    if (!qemu_img("convert -f raw -O vmdk -o subformat=streamOptimized disk.raw disk.vmdk"))
        return;
    assert_int_equal(stat(in_folder("disk.vmdk"), &status), 0);
    assert_int_equal(truncate(in_folder("disk.vmdk"), status.st_size / 2), 0);
    assert_refused("disk.vmdk", "cannot be read as VMDK");
}

static void a_missing_extent_is_an_error(void **context)
{
    (void)context;
    if (!qemu_img("convert -f raw -O vmdk -o subformat=monolithicFlat disk.raw disk.vmdk"))
        return;
    remove(in_folder("disk-flat.vmdk"));
    assert_refused("disk.vmdk", "disk-flat.vmdk");
}

static void a_vmdk_with_a_parent_is_refused(void **context)
{
    (void)context;
    if (!qemu_img("convert -f raw -O vmdk disk.raw disk.vmdk"))
        return;
    qemu_img("create -f vmdk -b disk.vmdk -F vmdk child.vmdk");
    assert_refused("child.vmdk", "differencing VMDK (a snapshot) of 'disk.vmdk'");
}

static void a_renamed_vmdk_is_refused(void **context)
{
    char from[128];
    (void)context;
    if (!qemu_img("convert -f raw -O vmdk disk.raw disk.vmdk"))
        return;
    snprintf(from, sizeof from, "%s/disk.vmdk", folder);
    assert_int_equal(rename(from, in_folder("other.vmdk")), 0);
    assert_refused("other.vmdk", "renamed");
}

/* qemu-img makes none with a parent, so the bit is set afterwards: MS-VHDX 2.6.2.1. */
static void a_vhdx_with_a_parent_is_refused(void **context)
{
    static const uint8_t item[16] = {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                     0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b};
    static uint8_t bytes[16 << 20];
    uint8_t *table, *entry, flags = 2;
    FILE *file;
    (void)context;
    if (!qemu_img("convert -f raw -O vhdx disk.raw disk.vhdx"))
        return;
    file = fopen(in_folder("disk.vhdx"), "r+b");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    table = memmem(bytes, size, "metadata", 8);
    entry = memmem(bytes, size, item, sizeof item);
    assert_true(table && entry);
    fseek(file, table - bytes + (entry[16] | entry[17] << 8 | entry[18] << 16) + 4, SEEK_SET);
    fwrite(&flags, 1, 1, file);
    fclose(file);
    assert_refused("disk.vhdx", "differencing VHDX");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_vmdk_of_qemu_reads_as_the_medium),
        TEST(vhdx_and_vhd_read_as_the_medium),
        TEST(a_cut_vmdk_is_damage),
        TEST(a_cut_extent_of_a_split_vmdk_is_damage),
        TEST(a_cut_vhd_is_damage),
        TEST(a_vmdk_cut_behind_its_start_is_an_error),
        TEST(a_missing_extent_is_an_error),
        TEST(a_vmdk_with_a_parent_is_refused),
        TEST(a_renamed_vmdk_is_refused),
        TEST(a_vhdx_with_a_parent_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
