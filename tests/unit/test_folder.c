/* Folders and single files as evidence. */
#include "triage/base/error.h"
#include "triage/evidence/evidence.h"
#include "triage/evidence/folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_ROOM = 512 };

static char top[] = "/tmp/test_folder.XXXXXX";
static struct evidence *evidence;
static struct arena *arena;

static int setup(void **context)
{
    (void)context;
    strcpy(top, "/tmp/test_folder.XXXXXX");
    evidence = NULL;
    arena = arena_new(1 << 20);
    return arena && mkdtemp(top) ? 0 : -1;
}

static int teardown(void **context)
{
    char command[PATH_ROOM];

    (void)context;
    evidence_close(evidence);
    arena_free(arena);
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command);
}

/* Writes a file below the top folder and makes the folders that lead to it. */
static void add_file(const char *name, const char *content)
{
    char path[PATH_ROOM];

    snprintf(path, sizeof path, "%s/%s", top, name);
    for (char *at = path + strlen(top) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = 0;
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void add_link(const char *target, const char *name)
{
    char path[PATH_ROOM];

    snprintf(path, sizeof path, "%s/%s", top, name);
    assert_int_equal(symlink(target, path), 0);
}

static void open_top(void)
{
    assert_int_equal(evidence_open(top, &evidence), 0);
}

static struct file find(uint32_t volume, const char *path)
{
    struct file file = {0};

    assert_true(evidence_find(evidence, volume, path, arena, &file));
    return file;
}

static void assert_content(const struct file *file, const char *wanted)
{
    char text[64] = "";
    struct stream *stream;

    assert_int_equal(evidence_open_stream(evidence, file, &stream), 0);
    const ssize_t got = stream_read(stream, 0, text, sizeof text - 1);
    stream_close(stream);
    assert_int_equal(got, strlen(wanted));
    assert_string_equal(text, wanted);
}

static int count_file(void *context, const struct file *file)
{
    (void)file;
    ++*(unsigned *)context;
    return 0;
}

static unsigned count_files(uint32_t volume)
{
    unsigned count = 0;

    assert_int_equal(evidence_list(evidence, volume, count_file, &count, NULL), 0);
    return count;
}

static void a_set_of_files_is_one_volume(void **context)
{
    (void)context;
    add_file("logs/u_ex210303.log", "#Fields:");
    add_file("Security.evtx", "ElfFile");
    open_top();
    assert_int_equal(evidence_shape(evidence), EVIDENCE_FOLDER);
    assert_int_equal(evidence_volume_count(evidence), 1);
    assert_int_equal(count_files(0), 3);
    const struct file file = find(0, "LOGS/U_EX210303.log");
    assert_string_equal(file.path, "logs/u_ex210303.log");
    assert_true(instant_known(file.si.modified));
    assert_content(&file, "#Fields:");
}

static void folders_named_like_drives_are_volumes(void **context)
{
    (void)context;
    add_file("C/Windows/x", "c");
    add_file("D%3A/Exchange/y", "d");
    open_top();
    assert_int_equal(evidence_volume_count(evidence), 2);
    assert_int_equal(evidence_volume(evidence, 0)->drive_hint, 'C');
    assert_int_equal(evidence_volume(evidence, 1)->drive_hint, 'D');
    const struct file file = find(1, "exchange/Y");
    assert_content(&file, "d");
}

static void what_lies_beside_the_drives_is_read_too(void **context)
{
    (void)context;
    add_file("C/x", "c");
    add_file("notes.txt", "n");
    open_top();
    assert_int_equal(evidence_volume_count(evidence), 2);
    assert_int_equal(evidence_volume(evidence, 1)->drive_hint, 0);
    const struct file file = find(1, "notes.txt");
    struct file none;
    assert_content(&file, "n");
    assert_false(evidence_find(evidence, 1, "C/x", arena, &none));
}

static void the_folders_of_a_velociraptor_drive_are_merged(void **context)
{
    (void)context;
    add_file("uploads/auto/C%3A/Windows/System32/a.log", "auto");
    add_file("uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/SAM", "ntfs");
    open_top();
    assert_int_equal(evidence_volume(evidence, 0)->drive_hint, 'C');
    const struct file first = find(0, "Windows/System32/a.log");
    const struct file second = find(0, "windows/system32/sam");
    assert_content(&first, "auto");
    assert_content(&second, "ntfs");
}

static void an_encoded_colon_names_a_stream(void **context)
{
    (void)context;
    add_file("uploads/ntfs/%5C%5C.%5CC%3A/$Extend/$UsnJrnl%3A$J", "rows");
    open_top();
    const struct file file = find(0, "$Extend/$UsnJrnl:$J");
    assert_string_equal(file.path, "$Extend/$UsnJrnl");
    assert_string_equal(file.stream, "$J");
    assert_content(&file, "rows");
}

static void names_of_drives_are_recognised(void **context)
{
    (void)context;
    assert_int_equal(folder_drive_letter("C"), 'C');
    assert_int_equal(folder_drive_letter("d:"), 'D');
    assert_int_equal(folder_drive_letter("e%3a"), 'E');
    assert_int_equal(folder_drive_letter("F_"), 'F');
    assert_int_equal(folder_drive_letter("Drive G"), 'G');
    assert_int_equal(folder_drive_letter("H drive"), 'H');
    assert_int_equal(folder_drive_letter("%5C%5C.%5CC%3A"), 'C');
    assert_int_equal(folder_drive_letter("c"), 0);
    assert_int_equal(folder_drive_letter("CD"), 0);
    assert_int_equal(folder_drive_letter(""), 0);
}

static void a_mounted_system_drive_is_one_volume(void **context)
{
    (void)context;
    add_file("Windows/notepad.exe", "MZ");
    add_file("C/x", "c");
    open_top();
    assert_int_equal(evidence_volume_count(evidence), 1);
}

static void a_link_is_listed_but_not_followed(void **context)
{
    struct stream *stream;

    (void)context;
    add_file("a.txt", "a");
    add_link("/etc/passwd", "out");
    open_top();
    const struct file file = find(0, "out");
    assert_true(file.flags & FILE_REPARSE);
    assert_int_equal(file.size, 0);
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), -1);
    assert_non_null(strstr(error_text(), "link"));
}

static void a_link_to_a_folder_is_not_entered(void **context)
{
    struct file file = {.path = "out/passwd"};
    struct stream *stream;

    (void)context;
    add_link("/etc", "out");
    open_top();
    assert_int_equal(count_files(0), 1);
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), -1);
}

static void no_path_leads_out_of_the_folder(void **context)
{
    const char *const paths[] = {"../x", "/etc/passwd", "a/../../x", ".", ""};
    struct stream *stream;

    (void)context;
    add_file("a/b", "b");
    open_top();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct file file = {.path = paths[i]};
        assert_int_equal(evidence_open_stream(evidence, &file, &stream), -1);
    }
}

static void a_pipe_does_not_stop_the_reader(void **context)
{
    char path[PATH_ROOM];
    struct stream *stream;

    (void)context;
    snprintf(path, sizeof path, "%s/pipe", top);
    assert_int_equal(mkfifo(path, 0600), 0);
    open_top();
    const struct file file = find(0, "pipe");
    assert_int_equal(evidence_open_stream(evidence, &file, &stream), -1);
}

static void holes_are_skipped(void **context)
{
    char path[PATH_ROOM];
    uint64_t start = 0, size = 0;
    struct stream *stream;

    (void)context;
    add_file("sparse", "");
    snprintf(path, sizeof path, "%s/sparse", top);
    FILE *file = fopen(path, "w");
    fseek(file, 8 << 20, SEEK_SET);
    fputs("data", file);
    fclose(file);
    open_top();
    const struct file found = find(0, "sparse");
    assert_int_equal(evidence_open_stream(evidence, &found, &stream), 0);
    assert_true(stream_data(stream, 0, &start, &size));
    assert_true(start <= 8 << 20 && start + size == stream_size(stream));
    stream_close(stream);
}

static void a_single_file_is_a_volume_with_one_file(void **context)
{
    char path[PATH_ROOM];

    (void)context;
    add_file("u_ex210303.log", "2021-03-03 10:00:00");
    snprintf(path, sizeof path, "%s/u_ex210303.log", top);
    assert_int_equal(evidence_open(path, &evidence), 0);
    assert_int_equal(evidence_shape(evidence), EVIDENCE_SINGLE_FILE);
    assert_int_equal(count_files(0), 1);
    const struct file file = find(0, "u_ex210303.log");
    assert_content(&file, "2021-03-03 10:00:00");
}

static void what_is_not_there_is_an_error(void **context)
{
    char path[PATH_ROOM];

    (void)context;
    snprintf(path, sizeof path, "%s/none", top);
    assert_int_equal(evidence_open(path, &evidence), -1);
    assert_non_null(strstr(error_text(), "none"));
}

static void a_folder_without_permission_is_an_error(void **context)
{
    const uid_t user = geteuid();

    (void)context;
    assert_int_equal(chmod(top, 0), 0);
    if (user == 0)
        assert_int_equal(seteuid(65534), 0);
    const int result = evidence_open(top, &evidence);
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    chmod(top, 0700);
    assert_int_equal(result, -1);
    assert_non_null(strstr(error_text(), "ermission"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_set_of_files_is_one_volume),
        TEST(folders_named_like_drives_are_volumes),
        TEST(what_lies_beside_the_drives_is_read_too),
        TEST(the_folders_of_a_velociraptor_drive_are_merged),
        TEST(an_encoded_colon_names_a_stream),
        TEST(names_of_drives_are_recognised),
        TEST(a_mounted_system_drive_is_one_volume),
        TEST(a_link_is_listed_but_not_followed),
        TEST(a_link_to_a_folder_is_not_entered),
        TEST(no_path_leads_out_of_the_folder),
        TEST(a_pipe_does_not_stop_the_reader),
        TEST(holes_are_skipped),
        TEST(a_single_file_is_a_volume_with_one_file),
        TEST(what_is_not_there_is_an_error),
        TEST(a_folder_without_permission_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
