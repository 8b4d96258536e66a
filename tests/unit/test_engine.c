/* The parent's small parts: plan, names of extracted files, messages. */
#include "triage/base/buffer.h"
#include "triage/base/glob.h"
#include "triage/engine/extract_name.h"
#include "triage/engine/message.h"
#include "triage/engine/plan.h"
#include "triage/engine/time_windows.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct place places[] = {
    {.name = "iis_logs", .volume = 1, .path = "IISLogs/W3SVC1"},
    {.name = "iis_logs", .volume = 0, .path = "inetpub/logs/LogFiles/W3SVC2"},
    {.name = "data", .volume = 2, .path = ""},
};
static struct drive drives[] = {{.letter = 'C', .volume = 0}, {.letter = 'D', .volume = 1}};
static const struct host host = {
    .places = places, .place_count = 3, .drives = drives, .drive_count = 2};

static void windows_of_time_merge_where_they_meet(void **state)
{
    struct time_windows windows = {.reach = 10};

    (void)state;
    for (int64_t at = 100; at <= 130; at += 10)
        assert_int_equal(time_windows_add(&windows, (struct instant){at}), 0);
    assert_int_equal(time_windows_add(&windows, (struct instant){200}), 0);
    assert_int_equal(windows.count, 2);
    time_windows_release(&windows);
}

static void too_many_windows_become_one_long_one(void **state)
{
    struct time_windows windows = {.reach = 10};

    (void)state;
    for (int64_t i = 1; i <= TIME_WINDOWS_MOST + 5; i++)
        assert_int_equal(time_windows_add(&windows, (struct instant){i * 100}), 0);
    assert_int_equal(windows.count, TIME_WINDOWS_MOST);
    assert_true(time_windows_hold(&windows, (struct instant){(TIME_WINDOWS_MOST + 5) * 100}));
    time_windows_release(&windows);
}

static void a_window_holds_its_edges_and_nothing_behind_them(void **state)
{
    struct time_windows windows = {.reach = 10};

    (void)state;
    assert_false(time_windows_hold(&windows, (struct instant){100}));
    time_windows_add(&windows, (struct instant){100});
    time_windows_add(&windows, (struct instant){200});
    assert_true(time_windows_hold(&windows, (struct instant){90}));
    assert_true(time_windows_hold(&windows, (struct instant){110}));
    assert_true(time_windows_hold(&windows, (struct instant){205}));
    assert_false(time_windows_hold(&windows, (struct instant){89}));
    assert_false(time_windows_hold(&windows, (struct instant){111}));
    assert_false(time_windows_hold(&windows, (struct instant){211}));
    assert_false(time_windows_hold(&windows, INSTANT_NONE));
    time_windows_release(&windows);
}

static void a_place_is_wanted_on_its_volume_only(void **state)
{
    struct arena *arena = arena_new(0);
    struct plan *plan = plan_new(arena);

    (void)state;
    assert_int_equal(plan_add(plan, &host, "{iis_logs}/**/*.log", 3), 0);
    assert_int_equal(plan_add(plan, &host, "{nowhere}/*", 4), 0);
    assert_int_equal(plan_add(plan, &host, "Windows/System32/LogFiles/HTTPERR/*.log", 5), 0);
    assert_int_equal(plan_match(plan, 1, "iislogs/w3svc1/U_EX1.LOG"), 1 << 3);
    assert_int_equal(plan_match(plan, 0, "IISLogs/W3SVC1/u_ex1.log"), 0);
    assert_int_equal(plan_match(plan, 0, "inetpub/logs/LogFiles/W3SVC2/a/b.log"), 1 << 3);
    assert_int_equal(plan_match(plan, 7, "WINDOWS/system32/logfiles/httperr/x.log"), 1 << 5);
    assert_int_equal(plan_match(plan, 1, "IISLogs/W3SVC1"), 0);
    arena_free(arena);
}

static void each_glob_is_asked_whatever_its_shape(void **state)
{
    static const char *const globs[] = {
        "**/*.log",         "**",    "*",      "Windows/**", "**/*.LOG.*", "**/hosts",
        "windows/*/*.evtx", "a.b/*", "**/x.*", "**/.ini",    "x.log",      "$Extend/$UsnJrnl:$J"};
    static const char *const paths[] = {"x.log",
                                        "a/b/U.LOG",
                                        "Windows/etc/hosts",
                                        "WINDOWS/x/y.EVTX",
                                        "a.b/c",
                                        "A.B/c.d",
                                        "a/.ini",
                                        "$extend/$UsnJrnl:$J",
                                        "x.",
                                        "u.log.1",
                                        "windows",
                                        ""};
    enum { GLOBS = sizeof globs / sizeof *globs };
    struct arena *arena = arena_new(0);
    struct plan *plan = plan_new(arena);

    (void)state;
    for (size_t i = 0; i < GLOBS; i++)
        assert_int_equal(plan_add(plan, &host, globs[i], i), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        uint64_t expected = 0;
        for (size_t j = 0; j < GLOBS; j++)
            expected |= (uint64_t)glob_match(globs[j], paths[i]) << j;
        if (strcmp(paths[i], "windows") == 0)
            expected &= ~(UINT64_C(1) << 3); /* what lies below a folder, not itself */
        assert_int_equal(plan_match(plan, 0, paths[i]), expected);
    }
    arena_free(arena);
}

static void a_place_at_the_root_and_more_than_enough_artifacts(void **state)
{
    struct arena *arena = arena_new(0);
    struct plan *plan = plan_new(arena);

    (void)state;
    assert_int_equal(plan_add(plan, &host, "{data}/**", 0), 0);
    assert_int_equal(plan_match(plan, 2, "any/thing"), 1);
    assert_int_equal(plan_add(plan, &host, "*", PLAN_MOST_ARTIFACTS), -1);
    assert_int_equal(plan_add(plan, &host, "{data/x", 1), -1);
    arena_free(arena);
}

static void check_clean(const char *name, size_t size, const char *expected)
{
    struct buffer out = BUFFER_EMPTY;

    name_clean(slice_of(name, size), &out);
    assert_string_equal(buffer_text(&out), expected);
    buffer_release(&out);
}

static void names_from_evidence_lose_their_teeth(void **state)
{
    char longest[400];
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    check_clean("..", 2, "._");
    check_clean(".", 1, "_");
    check_clean("", 0, "_");
    check_clean("a/../b", 6, "a_.._b");
    check_clean("a\\b:c*?", 7, "a_b_c__");
    check_clean("x\0y\n", 4, "x_y_");
    check_clean("NUL.txt", 7, "_NUL.txt");
    check_clean("com1", 4, "_com1");
    check_clean("page.aspx. ", 11, "page.aspx._");
    memset(longest, 'a', sizeof longest);
    name_clean(slice_of(longest, sizeof longest), &out);
    assert_int_equal(out.size, 200);
    buffer_release(&out);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void extracted_files_stay_in_their_folder_and_apart(void **state)
{
    char folder[] = "/tmp/extriage-names-XXXXXX";
    struct arena *arena = arena_new(0);
    struct file file = {.path = "../../etc/passwd", .volume = 1, .address = 77, .sequence = 3};

    (void)state;
    assert_non_null(mkdtemp(folder));
    struct name_set *names = name_set_new(arena, folder);
    const char *first = name_set_add(names, &host, 1, &file);
    assert_string_equal(first + strlen(folder), "/D/._/._/etc/passwd");
    file.path = "../../ETC/PASSWD";
    const char *second = name_set_add(names, &host, 1, &file);
    assert_string_equal(second + strlen(folder), "/D/._/._/ETC/PASSWD~77-3");
    file = (struct file){.path = "x.aspx",
                         .volume = 5,
                         .address = 9,
                         .sequence = 2,
                         .flags = FILE_DELETED,
                         .stream = "a:b"};
    const char *third = name_set_add(names, &host, 2, &file);
    assert_string_equal(third + strlen(folder), "/0/volume-5/x.aspx~deleted-9-2~a_b");
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(arena);
}

static void a_message_never_holds_control_bytes(void **state)
{
    const struct value values[] = {
        {"cs-method", FIELD_cs_method, false, SLICE_LITERAL("POST\x1b[31m\r\n")},
        {"cs-uri-stem", FIELD_cs_uri_stem, false, SLICE_LITERAL("/owa/\xFFx")},
        {"c-ip", FIELD_c_ip, false, SLICE_LITERAL("192.0.2.1")},
    };
    const struct event event = {.kind = KIND_web_request, .values = values, .value_count = 3};
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    message_of(&event, &out);
    assert_string_equal(
        buffer_text(&out),
        "POST [31m   /owa/\xEF\xBF\xBDx, query -, from 192.0.2.1 answered ?, user -, agent -");
    buffer_release(&out);
}

static void fields_leave_aliases_and_repetitions_out(void **state)
{
    const struct value values[] = {
        {"Method", FIELD_Method, false, SLICE_LITERAL("GET")},
        {"cs-method", FIELD_cs_method, true, SLICE_LITERAL("GET")},
        {"Method", FIELD_Method, false, SLICE_LITERAL("PUT")},
        {"x\"y", FIELD_OTHER, false, SLICE_LITERAL("1")},
    };
    const struct event event = {.kind = KIND_exchange_proxy, .values = values, .value_count = 4};
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    message_fields(&event, &out);
    assert_string_equal(buffer_text(&out), "{\"Method\":\"GET\",\"x\\\"y\":\"1\"}");
    buffer_release(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_of_time_merge_where_they_meet),
        cmocka_unit_test(too_many_windows_become_one_long_one),
        cmocka_unit_test(a_window_holds_its_edges_and_nothing_behind_them),
        cmocka_unit_test(a_place_is_wanted_on_its_volume_only),
        cmocka_unit_test(each_glob_is_asked_whatever_its_shape),
        cmocka_unit_test(a_place_at_the_root_and_more_than_enough_artifacts),
        cmocka_unit_test(names_from_evidence_lose_their_teeth),
        cmocka_unit_test(extracted_files_stay_in_their_folder_and_apart),
        cmocka_unit_test(a_message_never_holds_control_bytes),
        cmocka_unit_test(fields_leave_aliases_and_repetitions_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
