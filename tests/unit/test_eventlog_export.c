/* Exported events: JSON in the layouts of several tools, XML, and the reader of JSON. */
#include "tests/unit/fake_job.h"
#include "triage/formats/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fake_job fake;

static void parse(const char *text)
{
    fake_job_init(&fake, "eventlog_export", "C:\\events.json", slice_of_text(text), "");
    assert_true(fake.job.artifact->recognise(slice_of_text(text), "events.json"));
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
}

static void check(const char *part)
{
    if (!strstr(buffer_text(&fake.text), part))
        fail_msg("'%s' is not in %s", part, buffer_text(&fake.text));
}

static void evtx_dump_layout(void **state)
{
    (void)state;
    parse(
        "{\"Event\":{\"#attributes\":{\"xmlns\":\"x\"},\"System\":{\"Provider\":{\"#attributes\":{"
        "\"Name\":\"Microsoft-Windows-Security-Auditing\"}},\"EventID\":4688,\"TimeCreated\":{"
        "\"#attributes\":{\"SystemTime\":\"2021-03-03T10:15:19.162Z\"}},\"EventRecordID\":77,"
        "\"Channel\":\"Security\",\"Correlation\":null},\"EventData\":{\"NewProcessName\":"
        "\"C:\\\\Windows\\\\System32\\\\cmd.exe\",\"ProcessId\":4}}}\n");
    check("77|0|eventlog.process|0|1|2021-03-03T10:15:19.162000+00:00|");
    check("|NewProcessName=C:\\Windows\\System32\\cmd.exe|ProcessId=4|");
    check("|@Image=C:\\Windows\\System32\\cmd.exe|");
    assert_string_equal(fake.last.sources[0].category, "process_creation");
    fake_job_release(&fake);
}

static void evtx_dump_layout_with_unnamed_data(void **state)
{
    (void)state;
    parse("{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":\"MSExchange "
          "CmdletLogs\"}},\"EventID\":{\"#attributes\":{\"Qualifiers\":16384},\"#text\":1},"
          "\"Channel\":\"MSExchange Management\"},\"EventData\":{\"Data\":{\"#text\":[\"Get-App\","
          "\"-Mailbox x\"]}}}}");
    check("|EventID=1|");
    check("|Qualifiers=16384|");
    check("|Data0=Get-App|Data1=-Mailbox x|");
    check("@Cmdlet=Get-App");
    fake_job_release(&fake);
}

static void velociraptor_layout(void **state)
{
    (void)state;
    parse(
        "{\"System\":{\"Provider\":{\"Name\":\"P\"},\"EventID\":{\"Value\":4624},\"TimeCreated\":"
        "{\"SystemTime\":1614766519.162},\"Channel\":\"Security\"},\"EventData\":{\"LogonType\":3},"
        "\"Message\":\"m\"}\n");
    check("|2021-03-03T10:15:19.162000+00:00|Provider_Name=P|EventID=4624|");
    check("|LogonType=3|Message=m|");
    fake_job_release(&fake);
}

static void winlogbeat_layout(void **state)
{
    (void)state;
    parse("{\"@timestamp\":\"2021-03-03T10:15:19.162Z\",\"winlog\":{\"provider_name\":\"Service "
          "Control Manager\",\"event_id\":7045,\"channel\":\"System\",\"record_id\":5,"
          "\"event_data\":{\"ImagePath\":\"a\"}},\"message\":\"A service\"}\n");
    check("5|0|eventlog.service|0|1|2021-03-03T10:15:19.162000+00:00|");
    check("|ImagePath=a|Message=A service|");
    fake_job_release(&fake);
}

static void nxlog_layout(void **state)
{
    (void)state;
    parse(
        "{\"EventTime\":\"2021-03-03 10:15:19\",\"Hostname\":\"h\",\"EventID\":104,\"SourceName\":"
        "\"Microsoft-Windows-Eventlog\",\"Channel\":\"System\",\"RecordNumber\":9}\n");
    check("9|0|eventlog.log_cleared|0|1|2021-03-03T10:15:19.000000+00:00|");
    check("|Computer=h|EventID=104|");
    assert_non_null(strstr(buffer_text(&fake.notices), "times without a zone"));
    fake_job_release(&fake);
}

static void a_cmdlet_is_read_from_its_sentence(void **state)
{
    (void)state;
    parse("{\"EventID\":1,\"SourceName\":\"MSExchange CmdletLogs\",\"Channel\":\"MSExchange "
          "Management\",\"Message\":\"Cmdlet suceeded. Cmdlet Set-OabVirtualDirectory, parameters "
          "-ExternalUrl x.\"}");
    check("|@Cmdlet=Set-OabVirtualDirectory|@Parameters=-ExternalUrl x|");
    fake_job_release(&fake);
}

static void an_array_over_many_lines(void **state)
{
    (void)state;
    parse(
        "[\n  {\n    \"EventID\": 1,\n    \"Channel\": \"a\"\n  },\n  {\n    \"EventID\": 2,\n    "
        "\"Channel\": \"{b\\\"\"\n  }\n]\n");
    assert_int_equal(fake.event_count, 2);
    check("|EventID=2|Channel={b\"|");
    fake_job_release(&fake);
}

static void a_broken_line_costs_itself(void **state)
{
    (void)state;
    parse("{\"EventID\":1,\"Channel\":\"a\"}\n{\"EventID\":2,\"Chan\n{\"EventID\":3,\"Channel\":"
          "\"a\"}\n"
          "{\"EventID\":4,");
    assert_int_equal(fake.tally.records, 4);
    assert_int_equal(fake.tally.used, 2);
    assert_int_equal(fake.tally.rejected, 2);
    check("|EventID=3|");
    fake_job_release(&fake);
}

static void wevtutil_xml(void **state)
{
    (void)state;
    parse("<?xml version='1.0'?><Events><Event "
          "xmlns='http://schemas.microsoft.com/win/2004/08/events/"
          "event'><System><Provider Name='Microsoft-Windows-Sysmon'/><EventID>11</EventID>"
          "<TimeCreated SystemTime='2021-03-03T10:15:19.1620000Z'/><EventRecordID>3</EventRecordID>"
          "<Channel>Microsoft-Windows-Sysmon/Operational</Channel></System><EventData><Data "
          "Name='Image'>"
          "System</Data><Data Name='TargetFilename'>C:\\a&amp;b.aspx</Data></EventData></Event>\n"
          "<Event "
          "xmlns='x'><System><EventID>5</EventID></System><EventData><Data>u</Data></EventData>"
          "</Event></Events>");
    assert_int_equal(fake.event_count, 2);
    check("eventlog.file|0|1|2021-03-03T10:15:19.162000+00:00|Provider_Name=Microsoft-Windows-"
          "Sysmon|");
    check("|Image=System|TargetFilename=C:\\a&b.aspx|");
    check("|EventID=5|Data0=u|");
    fake_job_release(&fake);
}

static void broken_xml_is_searched_as_text(void **state)
{
    (void)state;
    parse("<Events><Event "
          "xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System></Event>"
          "<Event xmlns='x'><System><EventID>5</EventID></System></Event></Events>");
    assert_int_equal(fake.tally.rejected, 1);
    assert_int_equal(fake.tally.used, 1);
    fake_job_release(&fake);
}

static void other_json_is_not_recognised(void **state)
{
    const struct artifact *artifact = artifact_by_name("eventlog_export");
    (void)state;

    assert_false(artifact->recognise(SLICE_LITERAL("{\"name\":1}"), "a.json"));
    assert_false(artifact->recognise(SLICE_LITERAL("EventID,Channel"), "a.csv"));
    assert_false(artifact->recognise(SLICE_LITERAL("<Event/>"), "a.xml"));
    assert_false(artifact->recognise(SLICE_LITERAL(""), "a"));
}

/* --- the reader of JSON --- */

static const struct json_value *read(struct arena *arena, const char *text)
{
    struct json_value *root = NULL;

    return json_read(slice_of_text(text), arena, &root) == 0 ? root : NULL;
}

static void escapes_become_text(void **state)
{
    struct arena *arena = arena_new(1 << 20);
    (void)state;

    const struct json_value *root =
        read(arena, "{\"a\":\"\\u00e9\\ud83d\\ude00\\n\\/\\\"\\ud83dx\"}");
    assert_true(
        slice_is(json_member(root, "a")->text, "\xC3\xA9\xF0\x9F\x98\x80\n/\"\xEF\xBF\xBDx"));
    arena_free(arena);
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",    "{",           "{\"a\"}", "{\"a\":}",   "[1,]", "\"a", "{a:1}", "{\"a\":1}x",
        "nul", "\"\\u12g4\"", "[1 2]",   "{\"a\":1,}", "\"\\", "\\",  "}"};
    struct arena *arena = arena_new(1 << 20);
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read(arena, bad[i]))
            fail_msg("'%s' was read", bad[i]);
    arena_free(arena);
}

static void nesting_has_an_end(void **state)
{
    char text[1000];
    struct arena *arena = arena_new(1 << 20);
    (void)state;

    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_null(read(arena, text));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evtx_dump_layout),
        cmocka_unit_test(evtx_dump_layout_with_unnamed_data),
        cmocka_unit_test(velociraptor_layout),
        cmocka_unit_test(winlogbeat_layout),
        cmocka_unit_test(nxlog_layout),
        cmocka_unit_test(a_cmdlet_is_read_from_its_sentence),
        cmocka_unit_test(an_array_over_many_lines),
        cmocka_unit_test(a_broken_line_costs_itself),
        cmocka_unit_test(wevtutil_xml),
        cmocka_unit_test(broken_xml_is_searched_as_text),
        cmocka_unit_test(other_json_is_not_recognised),
        cmocka_unit_test(escapes_become_text),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(nesting_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
