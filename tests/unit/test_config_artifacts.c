/* Configuration files that tell: scheduled tasks, IIS and ASP.NET, transport agents, compiled
 * pages, voice mail queues, the hosts file. */
#include "tests/unit/artifact_case.h"

#include <stdio.h>

#include "triage/base/zone.h"
#include "triage/formats/job_file.h"

static struct virtual_directory directories[] = {
    {.application = "/", .path = "/", .physical_path = "C:\\inetpub\\wwwroot"},
    {.application = "/owa", .path = "/", .physical_path = "C:\\Exchange\\owa"},
};
static struct site site = {
    .id = 1, .name = "Default Web Site", .directories = directories, .directory_count = 2};
static struct drive drive = {.letter = 'C', .volume = 0};
static struct named_fact root = {"%SystemRoot%", {.value = "C:\\Windows"}};
static struct host host = {.drives = &drive,
                           .drive_count = 1,
                           .sites = &site,
                           .site_count = 1,
                           .more = &root,
                           .more_count = 1};

static void add_other(const char *path, const char *text)
{
    fake.others[fake.other_count].path = path;
    fake.others[fake.other_count++].text = text;
}

static void start(const char *artifact, const char *path, struct slice bytes)
{
    start_job(artifact, path, bytes, "");
    fake.job.host = &host;
}

static void run(const char *artifact, const char *path, const char *text)
{
    start(artifact, path, slice_of_text(text));
    finish();
}

/* --- scheduled tasks --- */

#define TASK(inner)                                                                                \
    "<?xml version=\"1.0\"?>\n"                                                                    \
    "<Task xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n" inner "</Task>\n"
#define EXEC "<Actions><Exec><Command>a.exe</Command><Arguments>-x</Arguments></Exec></Actions>\n"

static void each_action_of_a_task_is_an_event(void **context)
{
    (void)context;
    run("scheduled_task", "Windows/System32/Tasks/A/B",
        TASK("<Actions><Exec><Command>a.exe</Command></Exec>"
             "<ComHandler><ClassId>{1}</ClassId></ComHandler></Actions>"));
    assert_accounts(2, 0, 0);
    assert_told("|TaskName=\\A\\B|");
    assert_told("|CommandLine=a.exe|");
    assert_told("|ActionType=ComHandler|ClassId={1}|");
}

static void a_task_without_action_is_one_event(void **context)
{
    (void)context;
    run("scheduled_task", "Windows/System32/Tasks/x", TASK("<Settings/>"));
    assert_accounts(1, 0, 0);
    assert_told("|ActionType=none|");
}

static void the_account_is_that_of_the_principal_the_actions_name(void **context)
{
    (void)context;
    run("scheduled_task", "Windows/System32/Tasks/x",
        TASK("<Principals><Principal id=\"A\"><UserId>S-1-5-19</UserId></Principal>"
             "<Principal id=\"B\"><UserId>S-1-5-18</UserId></Principal></Principals>"
             "<Actions Context=\"B\"><Exec><Command>a</Command></Exec></Actions>"));
    assert_told("|RunAs=S-1-5-18|");
}

static void a_start_with_an_offset_is_told_in_utc_and_one_without_only_with_a_zone(void **context)
{
    (void)context;
    run("scheduled_task", "Windows/System32/Tasks/x",
        TASK("<RegistrationInfo><Date>2021-03-03T05:00:00</Date></RegistrationInfo><Triggers>"
             "<TimeTrigger><StartBoundary>2021-03-03T06:00:00+01:00</StartBoundary></TimeTrigger>"
             "</Triggers>" EXEC));
    assert_told("|StartBoundaryUtc=2021-03-03T05:00:00.000000+00:00|");
    assert_told("|Date=2021-03-03T05:00:00|");
    assert_not_told("DateUtc");
    assert_int_equal(fake.last.basis, BASIS_UNKNOWN);
}

static void a_task_in_utf16_is_read_and_its_place_told_in_bytes(void **context)
{
    static const char text[] =
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<Task>\n" EXEC "</Task>";
    uint8_t wide[2 * sizeof text];

    (void)context;
    wide[0] = 0xff, wide[1] = 0xfe;
    for (size_t i = 0; i < sizeof text - 1; i++)
        wide[2 + 2 * i] = (uint8_t)text[i], wide[3 + 2 * i] = 0;
    start("scheduled_task", "Windows/System32/Tasks/x", slice_of(wide, 2 * sizeof text));
    finish();
    assert_told("|CommandLine=a.exe -x|");
    assert_int_equal(fake.last.offset, 2 + 2 * (size_t)(strstr(text, "<Exec>") - text));
}

static void a_damaged_character_does_not_end_a_task(void **context)
{
    static const char text[] = "<Task><!-- xx -->\n" EXEC "</Task>";
    uint8_t wide[2 * sizeof text];

    (void)context;
    wide[0] = 0xff, wide[1] = 0xfe;
    for (size_t i = 0; i < sizeof text - 1; i++)
        wide[2 + 2 * i] = (uint8_t)text[i], wide[3 + 2 * i] = 0;
    wide[2 + 2 * 11 + 1] = 0xdc; /* a lone surrogate in the comment */
    start("scheduled_task", "Windows/System32/Tasks/x", slice_of(wide, 2 * sizeof text));
    finish();
    assert_told("|CommandLine=a.exe -x|");
    assert_accounts(0, 1, 0);
    assert_noticed("not UTF-16");
}

static void a_task_that_gives_itself_another_name_is_told(void **context)
{
    (void)context;
    run("scheduled_task", "Windows/System32/Tasks/x",
        TASK("<RegistrationInfo><URI>\\y</URI></RegistrationInfo>" EXEC));
    assert_told("|TaskName=\\x|TaskUri=\\y|");
}

static void what_is_no_task_is_rejected_with_a_notice(void **context)
{
    (void)context;
    run("scheduled_task", "Windows/System32/Tasks/x", "<NotATask/>");
    assert_accounts(0, 0, 1);
    assert_noticed("not a task");
    release(NULL);
    run("scheduled_task", "Windows/System32/Tasks/x", "powershell -enc AAAA");
    assert_accounts(0, 0, 1);
    assert_told("raw=powershell -enc AAAA");
}

static void a_task_behind_damage_is_repaired(void **context)
{
    (void)context;
    run("scheduled_task", "Windows/System32/Tasks/x", "<Task>\n<a></b>\n" EXEC);
    assert_accounts(0, 1, 0);
    assert_noticed("line 2");
}

/* The fixed part of a .job file with two texts and nothing behind them but what `tail` has. */
static struct slice job_bytes(uint8_t *bytes, const uint8_t *tail, size_t tail_size)
{
    static const uint8_t texts[] = {0, 0, 3, 0, 'a', 0, 'b', 0, 0, 0, 2, 0, 'c',
                                    0, 0, 0, 0, 0,   0, 0,   0, 0, 0, 0, 0, 0};

    memset(bytes, 0, 68);
    bytes[1] = 6, bytes[2] = 1, bytes[20] = 70;
    bytes[48] = 0, bytes[49] = 2; /* hidden */
    bytes[52] = 0xe5, bytes[53] = 7, bytes[54] = 3, bytes[58] = 4, bytes[60] = 5;
    memcpy(bytes + 68, texts, sizeof texts);
    if (tail_size)
        memcpy(bytes + 68 + sizeof texts, tail, tail_size);
    return slice_of(bytes, 68 + sizeof texts + tail_size);
}

static void a_job_file_tells_program_flags_and_last_run(void **context)
{
    uint8_t bytes[256];
    static const uint8_t none[] = {0, 0};

    (void)context;
    start("scheduled_task", "Windows/Tasks/At1.job", job_bytes(bytes, none, sizeof none));
    finish();
    assert_accounts(1, 0, 0);
    assert_told("|TaskName=\\At1.job|Hidden=true|Enabled=true|");
    assert_told("|LastRunTime=2021-03-04T05:00:00|Command=ab|Arguments=c|CommandLine=ab c|");
}

static void a_job_file_that_is_cut_short_is_repaired_or_rejected(void **context)
{
    uint8_t bytes[256];
    static const uint8_t one[] = {1, 0, 48, 0};

    (void)context;
    start("scheduled_task", "Windows/Tasks/At1.job", job_bytes(bytes, one, sizeof one));
    finish();
    assert_accounts(0, 1, 0);
    assert_noticed("a trigger is cut short");
    release(NULL);
    start("scheduled_task", "Windows/Tasks/At1.job", slice_part(job_bytes(bytes, NULL, 0), 0, 73));
    finish();
    assert_accounts(0, 0, 1);
}

/* --- configuration of IIS --- */

#define CONFIG(inner) "<configuration>\n" inner "</configuration>\n"

static void modules_handlers_and_directories_are_told_with_their_location(void **context)
{
    (void)context;
    run("iis_config", "applicationHost.config",
        CONFIG(
            "<system.applicationHost><sites><site name=\"S\" id=\"1\">"
            "<application path=\"/a\"><virtualDirectory path=\"/b\" physicalPath=\"C:\\x\"/>"
            "</application><logFile enabled=\"false\"/></site></sites></system.applicationHost>\n"
            "<location path=\"S/owa\"><system.webServer><globalModules>"
            "<add name=\"m\" image=\"%windir%\\m.dll\"/></globalModules>\n"
            "<handlers><add name=\"h\" path=\"*.x\" type=\"T\"/></handlers>"
            "<httpLogging dontLog=\"true\"/></system.webServer></location>"));
    assert_accounts(5, 0, 0);
    assert_told("|PhysicalPath=C:\\x|SiteName=S|VirtualPath=/a/b|");
    assert_told("|Section=logFile|Action=set|Enabled=false|SiteName=S|SiteId=1|");
    assert_told("|Section=globalModules|Action=add|Location=S/owa|ModuleName=m|ImagePath=%windir%");
    assert_told("|HandlerName=h|HandlerPath=*.x|Type=T|");
    assert_told("|DontLog=true|");
}

static void the_place_of_an_entry_is_its_start_tag(void **context)
{
    static const char text[] =
        CONFIG("<!-- <modules><add name=\"no\"/></modules> -->\n<modules>\n"
               "<add name=\"a>b\"\n type=\"T\"/><add name=\"c\"/></modules>");

    (void)context;
    run("web_config", "web.config", text);
    assert_accounts(2, 0, 0);
    assert_told("raw=<add name=\"a>b\"\n type=\"T\"/>");
    assert_int_equal(fake.last.offset, strstr(text, "<add name=\"c\"") - text);
}

static void rewrite_rules_tell_conditions_and_whether_they_are_negated(void **context)
{
    (void)context;
    run("web_config", "web.config",
        CONFIG("<rules><rule name=\"r\"><match url=\".*\"/><conditions>"
               "<add input=\"{X}\" pattern=\"p\" negate=\"true\"/><add input=\"{Y}\" pattern=\"q\" "
               "negate=\"false\"/></conditions><action type=\"AbortRequest\"/></rule></rules>"));
    assert_told("|Conditions={X} matches not p; {Y} matches q|");
    assert_told("|ActionType=AbortRequest|");
}

static void protection_that_is_not_written_is_none(void **context)
{
    (void)context;
    run("iis_config", "applicationHost.config",
        CONFIG("<location path=\"S/a\"><authentication><windowsAuthentication enabled=\"true\"/>"
               "</authentication></location><location path=\"S/b\"><authentication>"
               "<windowsAuthentication><extendedProtection tokenChecking=\"Require\"/>"
               "</windowsAuthentication></authentication></location>"));
    assert_told("|Location=S/a|Enabled=true|TokenChecking=None|");
    assert_told("|Location=S/b|TokenChecking=Require|");
}

static void code_in_a_configuration_is_told_even_in_a_comment(void **context)
{
    (void)context;
    run("web_config", "web.config", CONFIG("<!-- <%@ x %> -->"));
    assert_told("|Setting=server-side code|");
    assert_int_equal(fake.last.offset, strlen("<configuration>\n<!-- "));
}

static void settings_kept_elsewhere_are_noticed(void **context)
{
    (void)context;
    run("web_config", "web.config", CONFIG("<machineKey configSource=\"keys.config\"/>"));
    assert_noticed("<machineKey> is kept in 'keys.config'");
}

static void a_program_is_missing_only_where_others_are_present(void **context)
{
    static const char text[] =
        CONFIG("<globalModules><add name=\"m\" image=\"%SystemRoot%\\m.dll\"/></globalModules>");

    (void)context;
    run("iis_config", "applicationHost.config", text);
    assert_told("|ImageOnDisk=unknown|");
    release(NULL);
    start("iis_config", "applicationHost.config", slice_of_text(text));
    add_other("Windows/System32/ntdll.dll", "x");
    finish();
    assert_told("|ImageOnDisk=false|");
    release(NULL);
    start("iis_config", "applicationHost.config", slice_of_text(text));
    add_other("Windows/m.dll", "x");
    finish();
    assert_told("|ImageOnDisk=true|");
}

/* --- its history --- */

#define COPY(number)  "inetpub/history/CFGHISTORY_" number "/applicationHost.config"
#define MODULE(name)  "<add name=\"" name "\" image=\"" name ".dll\"/>"
#define MODULES(list) CONFIG("<globalModules>" list "</globalModules>")

static void run_history(const char *number_path, const char *text, const char *other_path,
                        const char *other)
{
    start("iis_config_history", number_path, slice_of_text(text));
    add_other(other_path, other);
    finish();
}

static void a_copy_is_compared_with_the_one_before_over_gaps(void **context)
{
    (void)context;
    run_history(COPY("0000000007"), MODULES(MODULE("a") MODULE("b")), COPY("0000000004"),
                MODULES(MODULE("a") MODULE("c")));
    assert_accounts(3, 0, 0);
    assert_int_equal(fake.event_count, 2);
    assert_told("|Change=added|Section=globalModules|Action=add|ModuleName=b|");
    assert_told("|Change=removed|Section=globalModules|Action=add|ModuleName=c|");
}

static void the_newest_copy_is_compared_with_what_is_in_force(void **context)
{
    (void)context;
    run_history(COPY("0000000007"), MODULES(MODULE("a")),
                "Windows/System32/inetsrv/config/applicationHost.config",
                MODULES("<add name=\"a\" image=\"other.dll\"/>"));
    assert_int_equal(fake.event_count, 1);
    assert_told("|Change=changed|");
    assert_told("|OldValues=ModuleName=a, ImagePath=a.dll|");
}

static void the_oldest_copy_tells_nothing_but_is_counted(void **context)
{
    (void)context;
    run("iis_config_history", COPY("0000000001"), MODULES(MODULE("a") MODULE("b")));
    assert_accounts(2, 0, 0);
    assert_int_equal(fake.event_count, 0);
}

static void a_copy_before_that_cannot_be_read_is_noticed(void **context)
{
    (void)context;
    run_history(COPY("0000000002"), MODULES(MODULE("a")), COPY("0000000001"), "damaged");
    assert_noticed("it was not compared with");
}

/* --- transport agents --- */

static void an_agent_tells_its_assembly(void **context)
{
    (void)context;
    run("transport_agent", "Exchange/TransportRoles/Shared/agents.config",
        CONFIG("<mexRuntime><agentList><agent name=\"A\" assemblyPath=\"C:\\x\\y.dll\" "
               "enabled=\"true\"/><agent name=\"B\"/></agentList></mexRuntime>"));
    assert_accounts(2, 0, 0);
    assert_told("|AgentName=A|AssemblyPath=C:\\x\\y.dll|Enabled=true|AssemblyName=y.dll|");
}

/* --- compiled pages --- */

#define PAGE(path)                                                                                 \
    "<preserve resultType=\"3\" virtualPath=\"" path "\" assembly=\"App_Web_a\">"                  \
    "<filedeps><filedep name=\"" path "\"/></filedeps></preserve>"

static void a_compiled_page_is_looked_for_in_its_nearest_virtual_directory(void **context)
{
    (void)context;
    start("aspnet_compiled", "t/x.compiled", slice_of_text(PAGE("/owa/auth/x.aspx")));
    add_other("Exchange/owa", "");
    finish();
    assert_told("|PhysicalPath=C:\\Exchange\\owa\\auth\\x.aspx|PageOnDisk=false|");
    release(NULL);
    start("aspnet_compiled", "t/x.compiled", slice_of_text(PAGE("/owa/auth/x.aspx")));
    add_other("Exchange/owa/auth/x.aspx", "");
    finish();
    assert_told("|PageOnDisk=true|");
}

static void a_page_of_a_folder_that_is_not_in_the_evidence_is_unknown(void **context)
{
    (void)context;
    run("aspnet_compiled", "t/x.compiled", PAGE("/aspnet_client/x.aspx"));
    assert_told("|PageOnDisk=unknown|");
    assert_told("|SourceFiles=/aspnet_client/x.aspx|");
}

static void a_generated_source_names_its_page(void **context)
{
    (void)context;
    run("aspnet_compiled", "t/App_Web_a.0.js",
        "//@set @position(file=\"C:\\\\inetpub\\\\wwwroot\\\\x.aspx\";line=1)\n");
    assert_told("|SourceFile=C:\\inetpub\\wwwroot\\x.aspx|");
    release(NULL);
    run("aspnet_compiled", "t/App_Web_a.0.cs", "#line 1 \"C:\\inetpub\\x.aspx\"\n");
    assert_told("|SourceFile=C:\\inetpub\\x.aspx|");
}

static void an_assembly_of_pages_is_known_by_its_class(void **context)
{
    (void)context;
    run("aspnet_compiled", "t/App_Web_a.dll", "MZ FastObjectFactory_app_web_a");
    assert_told("|HoldsPages=true|");
    release(NULL);
    run("aspnet_compiled", "t/App_Web_a.dll", "MZ something else");
    assert_told("|HoldsPages=false|");
}

/* --- voice mail queues --- */

static void the_types_of_a_serialised_object_are_told(void **context)
{
    (void)context;
    run("um_queue", "UnifiedMessaging/voicemail/a.txt",
        "CallId : 12\r\nContactInfo : "
        "AAEAAAD/////AQAAAAAAAAAMAgAAAElTeXN0ZW0uRGlhZ25vc3RpY3MuUHJvY2Vzcw==\r\n");
    assert_accounts(1, 0, 0);
    assert_told("|CallId=12|");
    assert_told("|SerializedTypes=ISystem.Diagnostics.Process|");
}

static void a_recording_is_listed_and_not_read_as_a_header(void **context)
{
    (void)context;
    run("um_queue", "UnifiedMessaging/voicemail/a.wma", "CallId : 12\r\n");
    assert_accounts(1, 0, 0);
    assert_not_told("CallId=");
}

/* --- hosts --- */

static void lines_of_the_hosts_file_are_read_without_comments(void **context)
{
    (void)context;
    run("windows_hosts", "Windows/System32/drivers/etc/hosts",
        "# comment\r\n\r\n\t127.0.0.1  localhost loop # x\r\nfe80::1%12 h6\r\nnonsense\r\n");
    assert_accounts(2, 0, 1);
    assert_told("3|13|hosts.entry|0|0||");
    assert_told("|Address=127.0.0.1|HostName=localhost loop|");
    assert_noticed("maps no name");
}

/* --- real configurations of an honest Exchange 2019 --- */

static struct slice load_sample(const char *path, uint8_t *bytes, size_t room)
{
    const char *data = getenv("EXTRIAGE_DATA");
    char whole[1024];

    snprintf(whole, sizeof whole, "%s/%s", data ? data : "../shared/data", path);
    FILE *file = fopen(whole, "rb");
    const size_t size = file ? fread(bytes, 1, room, file) : 0;
    if (file)
        fclose(file);
    return slice_of(bytes, size);
}

static uint8_t sample[512 * 1024];

static void a_real_configuration_is_used_to_the_last_entry(void **context)
{
    const struct slice bytes =
        load_sample("exchange/css-exchange-config/E19/Exchange/IIS/applicationHost.config", sample,
                    sizeof sample);

    (void)context;
    if (!bytes.size)
        skip();
    start("iis_config", "applicationHost.config", bytes);
    finish();
    assert_accounts(376, 0, 0); /* counted with Python's ElementTree */
    assert_int_equal(fake.notice_count, 0);
}

static void a_real_job_file_tells_what_other_tools_tell(void **context)
{
    const struct slice bytes = load_sample("ntfs-meta/plaso/wintask.job", sample, sizeof sample);

    (void)context;
    if (!bytes.size)
        skip();
    start("scheduled_task", "Windows/Tasks/wintask.job", bytes);
    finish();
    assert_told("|Author=Brian|");
    assert_told("|Triggers=daily 2013-07-12T15:42:00|");
    assert_told("|LastRunTime=2013-08-24T12:42:00|");
    assert_told("GoogleUpdate.exe /ua /installsource scheduler|");
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_action_of_a_task_is_an_event),
        TEST(a_task_without_action_is_one_event),
        TEST(the_account_is_that_of_the_principal_the_actions_name),
        TEST(a_start_with_an_offset_is_told_in_utc_and_one_without_only_with_a_zone),
        TEST(a_task_in_utf16_is_read_and_its_place_told_in_bytes),
        TEST(a_damaged_character_does_not_end_a_task),
        TEST(a_task_that_gives_itself_another_name_is_told),
        TEST(what_is_no_task_is_rejected_with_a_notice),
        TEST(a_task_behind_damage_is_repaired),
        TEST(a_job_file_tells_program_flags_and_last_run),
        TEST(a_job_file_that_is_cut_short_is_repaired_or_rejected),
        TEST(modules_handlers_and_directories_are_told_with_their_location),
        TEST(the_place_of_an_entry_is_its_start_tag),
        TEST(rewrite_rules_tell_conditions_and_whether_they_are_negated),
        TEST(protection_that_is_not_written_is_none),
        TEST(code_in_a_configuration_is_told_even_in_a_comment),
        TEST(settings_kept_elsewhere_are_noticed),
        TEST(a_program_is_missing_only_where_others_are_present),
        TEST(a_copy_is_compared_with_the_one_before_over_gaps),
        TEST(the_newest_copy_is_compared_with_what_is_in_force),
        TEST(the_oldest_copy_tells_nothing_but_is_counted),
        TEST(a_copy_before_that_cannot_be_read_is_noticed),
        TEST(an_agent_tells_its_assembly),
        TEST(a_compiled_page_is_looked_for_in_its_nearest_virtual_directory),
        TEST(a_page_of_a_folder_that_is_not_in_the_evidence_is_unknown),
        TEST(a_generated_source_names_its_page),
        TEST(an_assembly_of_pages_is_known_by_its_class),
        TEST(the_types_of_a_serialised_object_are_told),
        TEST(a_recording_is_listed_and_not_read_as_a_header),
        TEST(lines_of_the_hosts_file_are_read_without_comments),
        TEST(a_real_configuration_is_used_to_the_last_entry),
        TEST(a_real_job_file_tells_what_other_tools_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
