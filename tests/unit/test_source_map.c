/* Which log sources a record of an event log belongs to, and what logsources.yml says of them. */
#include "triage/base/error.h"
#include "triage/match/logsources.h"
#include "triage/match/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct logsources *sources;

static int set_up(void **context)
{
    (void)context;
    arena = arena_new(0);
    return logsources_new(arena, &sources);
}

static int tear_down(void **context)
{
    (void)context;
    logsources_free(sources);
    arena_free(arena);
    return 0;
}

/* "CATEGORY/PRODUCT/SERVICE;" of each. */
static const char *sources_of(const char *channel, uint64_t number, const char *type)
{
    static char text[1024];
    const struct value value = {"EventType", FIELD_OTHER, false, slice_of_text(type)};
    const struct event event = {.values = &value, .value_count = 1};
    const struct log_source *source =
        source_map_of(logsources_map(sources), slice_of_text(channel), number, &event);

    text[0] = 0;
    for (; source->category || source->product || source->service; source++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s/%s/%s;",
                 source->category ? source->category : "", source->product ? source->product : "",
                 source->service ? source->service : "");
    return text;
}

static void an_event_id_decides_the_category(void **context)
{
    const char *sysmon = "Microsoft-Windows-Sysmon/Operational";

    (void)context;
    assert_string_equal(sources_of("security", 4688, ""), "process_creation/windows/security;");
    assert_string_equal(sources_of("Security", 4624, ""), "/windows/security;");
    assert_string_equal(sources_of(sysmon, 1, ""), "process_creation/windows/sysmon;");
    assert_string_equal(sources_of("PowerShellCore/Operational", 4104, ""),
                        "ps_script/windows/powershell;");
    assert_string_equal(sources_of("Some Vendor/Operational", 1, ""), "/windows/;");
}

static void a_field_may_decide_it_too(void **context)
{
    const char *sysmon = "Microsoft-Windows-Sysmon/Operational";

    (void)context;
    assert_string_equal(sources_of(sysmon, 12, "CreateKey"),
                        "registry_event/windows/sysmon;registry_add/windows/sysmon;");
    assert_string_equal(sources_of(sysmon, 12, "DeleteValue"),
                        "registry_event/windows/sysmon;registry_delete/windows/sysmon;");
    assert_string_equal(sources_of(sysmon, 12, "?"), "registry_event/windows/sysmon;");
}

static void a_channel_may_have_several_services(void **context)
{
    (void)context;
    assert_string_equal(sources_of("Microsoft-Windows-LDAP-Client/Debug", 30, ""),
                        "/windows/ldap;/windows/ldap_debug;");
    assert_string_equal(sources_of("MSExchange Management", 1, ""),
                        "/windows/msexchange-management;/exchange/rps-cmdlet;");
}

static void a_user_adds_to_it(void **context)
{
    (void)context;
    assert_int_equal(
        logsources_add(sources, slice_of_text("services: {vendor: [Some Vendor/Operational]}\n"
                                              "categories: {process_creation: {service: vendor, "
                                              "ids: [7, 8]}}\n"
                                              "fields: {process_creation: {Image: Program}}\n")),
        0);
    assert_string_equal(sources_of("Some Vendor/Operational", 8, ""),
                        "process_creation/windows/vendor;");
    assert_string_equal(sources_of("Security", 4688, ""), "process_creation/windows/security;");
}

static void mistakes_are_told_with_their_line(void **context)
{
    static const char *const samples[][2] = {
        {"services: [a]\n", "line 1: 'services' is a map"},
        {"categories:\n  x: {service: a}\n", "line 2: a category needs 'service' and 'ids'"},
        {"categories:\n  x: {service: a, ids: b}\n", "line 2: an event id must be a number"},
        {"fields: {any: [a]}\n", "names of fields are a map"},
        {"- a\n", "a map is expected"},
        {"a: [\n", "line"},
    };

    (void)context;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        assert_int_equal(logsources_add(sources, slice_of_text(samples[i][0])), -1);
        if (!strstr(error_text(), samples[i][1]))
            fail_msg("%s: %s", samples[i][0], error_text());
    }
}

static void names_of_fields_stand_for_each_other(void **context)
{
    const struct log_source process = {"process_creation", "windows", NULL};

    (void)context;
    assert_string_equal(logsources_common_name(sources, "C-UserAgent"), "cs-user-agent");
    assert_string_equal(logsources_common_name(sources, "whatever"), "whatever");
    const struct yaml_node *names = logsources_other_names(sources, &process, "image", 0);
    assert_non_null(names);
    assert_string_equal((const char *)names->text.data, "NewProcessName");
    assert_null(logsources_other_names(sources, &process, "image", 1));
}

static void what_the_evidence_cannot_show_has_a_reason(void **context)
{
    const struct log_source proxy = {"proxy", NULL, NULL}, linux_auth = {NULL, "linux", "auth"};
    const struct log_source security = {NULL, "windows", "security"};

    (void)context;
    assert_non_null(logsources_reason(sources, &proxy));
    assert_non_null(logsources_reason(sources, &linux_auth));
    assert_null(logsources_reason(sources, &security));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_id_decides_the_category, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_field_may_decide_it_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_channel_may_have_several_services, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_user_adds_to_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_told_with_their_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_fields_stand_for_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_evidence_cannot_show_has_a_reason, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("source_map", tests, NULL, NULL);
}
