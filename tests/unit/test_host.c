#include "triage/base/error.h"
#include "triage/record/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct named_fact environment[] = {
    {"%SystemDrive%", {"C:", "test", false}},
    {"%SystemRoot%", {"%SystemDrive%\\Windows", "test", false}},
    {"%windir%", {"%SystemRoot%", "test", false}},
    {"%loop%", {"%loop%%loop%", "test", false}},
    {"%nothing%", {"%empty%%empty%", "test", false}},
    {"%empty%", {"", "test", false}},
};
static struct drive drives[] = {{'C', 1, {"GPT partition", "test", false}},
                                {'D', 0, {NULL, "test", true}}};
static struct place places[] = {{"windows", 1, "Windows", {"C:\\Windows", "test", false}}};
static struct binding bindings[] = {{"https", "*:443:"}, {NULL, NULL}};
static struct virtual_directory directories[] = {
    {"/owa", "/", "D:\\Exchange\\owa", {"D:\\Exchange\\owa", "line 3", false}}};
static const char *custom[] = {"X-Forwarded-For"};
static struct site sites[] = {{
    .id = 1,
    .name = "Default Web Site",
    .bindings = bindings,
    .binding_count = 2,
    .directories = directories,
    .directory_count = 1,
    .log_folder = {"D:\\Logs\\W3SVC1", "line 4", false},
    .local_time_rollover = true,
    .custom_fields = custom,
    .custom_field_count = 1,
}};
static const char *notices[] = {"something was assumed"};

static struct host sample(void)
{
    struct host host = {
        .computer = {"EXCH01", "SYSTEM: ComputerName", false},
        .zone_name = {"W. Europe Standard Time", "SYSTEM", false},
        .more = environment,
        .more_count = sizeof environment / sizeof environment[0],
        .drives = drives,
        .drive_count = 2,
        .places = places,
        .place_count = 1,
        .sites = sites,
        .site_count = 1,
        .notices = notices,
        .notice_count = 1,
    };
    const struct zone_year year = {.year = 1601,
                                   .bias = -60,
                                   .daylight_bias = -60,
                                   .to_daylight = {.month = 3, .day = 5, .hour = 2},
                                   .to_standard = {.month = 10, .day = 5, .hour = 3}};

    strcpy(host.zone.name, "W. Europe Standard Time");
    zone_add_year(&host.zone, &year);
    return host;
}

static void assert_resolves(const char *windows_path, uint32_t volume, const char *path)
{
    const struct host host = sample();
    struct buffer found = BUFFER_EMPTY;
    uint32_t where = 99;

    assert_true(host_resolve(&host, windows_path, &where, &found));
    assert_int_equal(where, volume);
    assert_string_equal(buffer_text(&found), path);
    buffer_release(&found);
}

static void assert_unknown(const char *windows_path)
{
    const struct host host = sample();
    struct buffer found = BUFFER_EMPTY;
    uint32_t where = 99;

    assert_false(host_resolve(&host, windows_path, &where, &found));
    assert_int_equal(where, 99);
    buffer_release(&found);
}

static void paths_are_resolved_by_their_drive(void **state)
{
    (void)state;
    assert_resolves("C:\\inetpub\\wwwroot", 1, "inetpub/wwwroot");
    assert_resolves("d:/Exchange//V15\\", 0, "Exchange/V15");
    assert_resolves("D:\\", 0, "");
    assert_resolves("D:", 0, "");
    assert_resolves("\\\\?\\C:\\x", 1, "x");
}

static void variables_are_put_in(void **state)
{
    (void)state;
    assert_resolves("%SYSTEMDRIVE%\\inetpub", 1, "inetpub");
    assert_resolves("%windir%\\System32", 1, "Windows/System32");
    assert_resolves("C:\\100%\\%unknown%\\x", 1, "100%/%unknown%/x");
}

static void dots_cannot_leave_the_volume(void **state)
{
    (void)state;
    assert_resolves("C:\\a\\..\\..\\..\\b\\.\\c", 1, "b/c");
    assert_resolves("C:\\..", 1, "");
}

static void other_paths_are_unknown(void **state)
{
    (void)state;
    assert_unknown("E:\\x");
    assert_unknown("\\\\server\\share\\x");
    assert_unknown("inetpub");
    assert_unknown("");
    assert_unknown("C:x");
}

static void variables_that_name_themselves_end(void **state)
{
    const struct host host = sample();
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    host_expand(&host, "%loop%", &out);
    assert_true(out.size < 64 * 1024);
    buffer_clear(&out);
    host_expand(&host, "%nothing%%nothing%|%empty%", &out);
    assert_string_equal(buffer_text(&out), "|");
    buffer_release(&out);
}

static void windows_paths_have_the_drive_letter(void **state)
{
    const struct host host = sample();
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    host_windows_path(&host, 1, "inetpub/x.aspx", &out);
    assert_string_equal(buffer_text(&out), "C:\\inetpub\\x.aspx");
    buffer_clear(&out);
    host_windows_path(&host, 7, "/inetpub/x.aspx", &out);
    assert_string_equal(buffer_text(&out), "volume 7: \\inetpub\\x.aspx");
    buffer_release(&out);
}

static void write_json(const struct host *host, struct buffer *out)
{
    struct json json = json_over(out, true);

    json_object(&json);
    host_json(host, &json);
    json_object_end(&json);
}

static void a_host_survives_the_wire(void **state)
{
    const struct host host = sample();
    struct arena *arena = arena_new(0);
    struct buffer wire = BUFFER_EMPTY, before = BUFFER_EMPTY, after = BUFFER_EMPTY;
    struct host read;

    (void)state;
    host_put(&wire, &host);
    struct cursor in = cursor_over(buffer_slice(&wire), 0);
    assert_int_equal(host_get(&in, arena, &read), 0);
    assert_int_equal(cursor_left(&in), 0);
    write_json(&host, &before);
    write_json(&read, &after);
    assert_string_equal(buffer_text(&before), buffer_text(&after));
    assert_non_null(strstr(buffer_text(&after), "\"month 3, last Sunday, 02:00\""));
    assert_non_null(strstr(buffer_text(&after), "\"X-Forwarded-For\""));
    assert_memory_equal(&read.zone, &host.zone, sizeof host.zone);
    buffer_release(&wire);
    buffer_release(&before);
    buffer_release(&after);
    arena_free(arena);
}

static void a_host_cut_short_is_refused(void **state)
{
    const struct host host = sample();
    struct arena *arena = arena_new(0);
    struct buffer wire = BUFFER_EMPTY;
    struct host read = {.site_count = 99};

    (void)state;
    host_put(&wire, &host);
    for (size_t size = 0; size < wire.size; size++) {
        struct cursor in = cursor_over(slice_of(wire.data, size), 0);
        assert_int_equal(host_get(&in, arena, &read), -1);
        assert_int_equal(read.site_count, 99);
        arena_reset(arena);
    }
    buffer_release(&wire);
    arena_free(arena);
}

/* A worker that was taken over can send anything: what is accepted must print and resolve. */
static void changed_bytes_do_no_harm(void **state)
{
    const struct host host = sample();
    struct arena *arena = arena_new(1 << 20);
    struct buffer wire = BUFFER_EMPTY, out = BUFFER_EMPTY;
    uint64_t random = 88172645463325252u;
    struct host read;
    uint32_t volume;

    (void)state;
    host_put(&wire, &host);
    for (unsigned round = 0; round < 5000; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        uint8_t *byte = &wire.data[random % wire.size];
        const uint8_t old = *byte;
        *byte = (uint8_t)(random >> 32);
        struct cursor in = cursor_over(buffer_slice(&wire), 0);
        if (host_get(&in, arena, &read) == 0) {
            int32_t minutes;
            write_json(&read, &out);
            zone_bias_at_local(&read.zone, (struct instant){132591600000000000}, &minutes);
            host_resolve(&read, "%windir%\\x", &volume, &out);
        }
        *byte = old;
        buffer_clear(&out);
        arena_reset(arena);
    }
    buffer_release(&wire);
    buffer_release(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_resolved_by_their_drive),
        cmocka_unit_test(variables_are_put_in),
        cmocka_unit_test(dots_cannot_leave_the_volume),
        cmocka_unit_test(other_paths_are_unknown),
        cmocka_unit_test(variables_that_name_themselves_end),
        cmocka_unit_test(windows_paths_have_the_drive_letter),
        cmocka_unit_test(a_host_survives_the_wire),
        cmocka_unit_test(a_host_cut_short_is_refused),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
