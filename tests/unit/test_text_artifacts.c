/* Text files that tell: setup and update logs, antivirus logs, PowerShell histories, error reports.
 */
#include "tests/unit/artifact_case.h"

#include <stdio.h>

#include "artifacts/setup_words.h"
#include "triage/base/zone.h"
#include "triage/record/host.h"

static struct host host;

static void start(const char *artifact, const char *path, struct slice bytes)
{
    start_job(artifact, path, bytes, "");
    memset(&host, 0, sizeof host);
    fake.job.host = &host;
}

static void run(const char *artifact, const char *path, const char *text)
{
    start(artifact, path, slice_of_text(text));
    finish();
}

/* One hour east of UTC. */
static void use_zone(void)
{
    host.zone.year_count = 1;
    host.zone.years[0].bias = -60;
}

static struct instant day(int year, int month, int day_of_month)
{
    return instant_from_civil((struct civil){.year = year, .month = month, .day = day_of_month});
}

/* --- Exchange setup --- */

#define SETUP_RUN                                                                                  \
    "[03/02/2021 20:14:01.0012] [0] Starting Microsoft Exchange Server 2016 Setup\r\n"             \
    "[03/02/2021 20:14:01.0028] [0] Setup version: 15.1.2176.2.\r\n"                               \
    "[03/02/2021 20:14:05.0951] [0] The installation mode is set to: 'BuildToBuildUpgrade'.\r\n"   \
    "[03/02/2021 20:14:09.0010] [0] The locally installed version is 15.1.2106.2.\r\n"

static void a_run_of_setup_is_told_as_a_whole(void **context)
{
    (void)context;
    run("exchange_setup", "ExchangeSetup.log",
        SETUP_RUN "[03/02/2021 20:58:11.0010] [0] The Exchange Server setup operation completed "
                  "successfully.\r\n[03/02/2021 20:58:11.0103] [0] End of Setup\r\n");
    assert_accounts(6, 0, 0);
    assert_int_equal(fake.event_count, 7);
    assert_told("1|0|exchange.setup|16|1|2021-03-02T20:58:11.103000+00:00|TargetFilename="
                "ExchangeSetup.log|FileName=ExchangeSetup.log|Step=run|Outcome=completed|Product="
                "Microsoft Exchange Server 2016|Operation=BuildToBuildUpgrade|FromVersion="
                "15.1.2106.2|ProductVersion=15.1.2176.2|");
}

static void a_run_without_an_end_is_unfinished(void **context)
{
    (void)context;
    run("exchange_setup", "ExchangeSetup.log", SETUP_RUN SETUP_RUN);
    assert_accounts(8, 0, 0);
    assert_told("|Step=run|Outcome=unfinished|");
    assert_int_equal(fake.event_count, 10);
    assert_int_equal(fake.last.number, 5); /* the second run begins in line 5 */
}

static void an_entry_goes_on_until_the_next_time(void **context)
{
    (void)context;
    run("exchange_setup", "ExchangeSetup.log",
        "[03.02.2021 20:14:01.0012] [1] [ERROR] first\nsecond\n\nthird\n"
        "[03.02.2021 20:14:02.0000] [0] next");
    assert_accounts(2, 0, 0);
    assert_told("|Message=[ERROR] first\nsecond\n\nthird|Level=error|Step=error|Error=first|");
}

static void a_setup_line_with_an_impossible_time_is_rejected(void **context)
{
    (void)context;
    run("exchange_setup", "ExchangeSetup.log", "[19/42/2021 20:14:01.0012] [0] text\n");
    assert_accounts(0, 0, 1);
    assert_noticed("without a time");
}

/* --- local logs --- */

static void a_date_is_clear_when_only_one_order_is_possible(void **context)
{
    const struct file file = {0};
    struct instant when;
    size_t size;

    (void)context;
    assert_int_equal(setup_date_read(SLICE_LITERAL("3/13/2021 8"), &file, &when, &size),
                     SETUP_DATE_CLEAR);
    assert_int_equal(when.ticks, day(2021, 3, 13).ticks);
    assert_int_equal(size, 9);
    assert_int_equal(setup_date_read(SLICE_LITERAL("13.03.2021"), &file, &when, &size),
                     SETUP_DATE_CLEAR);
    assert_int_equal(when.ticks, day(2021, 3, 13).ticks);
    assert_int_equal(setup_date_read(SLICE_LITERAL("2021-03-02"), &file, &when, &size),
                     SETUP_DATE_CLEAR);
    assert_int_equal(when.ticks, day(2021, 3, 2).ticks);
    assert_int_equal(setup_date_read(SLICE_LITERAL("99/99/2021"), &file, &when, &size),
                     SETUP_DATE_NONE);
}

static void the_times_of_the_file_decide_the_order_of_a_date(void **context)
{
    const struct file near = {.si.modified = {day(2021, 3, 2).ticks + 7 * TICKS_PER_SECOND}};
    const struct file far = {.si.modified = day(2021, 7, 1)};
    struct instant when;
    size_t size;

    (void)context;
    assert_int_equal(setup_date_read(SLICE_LITERAL("02/03/2021"), &near, &when, &size),
                     SETUP_DATE_BY_FILE);
    assert_int_equal(when.ticks, day(2021, 3, 2).ticks);
    assert_int_equal(setup_date_read(SLICE_LITERAL("02/03/2021"), &far, &when, &size),
                     SETUP_DATE_AMBIGUOUS);
}

#define MSI_START                                                                                  \
    "=== Verbose logging started: 3/13/2021  23:59:55  Build type: SHIP UNICODE 5.00  Calling "    \
    "process: C:\\Windows\\system32\\msiexec.exe ===\r\n"

static void an_installer_log_passes_midnight_in_local_time(void **context)
{
    (void)context;
    start("msi_log", "x.msilog",
          SLICE_LITERAL(MSI_START "MSI (s) (B4:20) [00:00:02:000]: MainEngineThread is returning "
                                  "1603\r\nno clock here\r\n"));
    use_zone();
    finish();
    assert_accounts(3, 0, 0);
    assert_told("1|0|exchange.setup|16|2|2021-03-13T22:59:55");
    assert_told("|exchange.setup|16|2|2021-03-13T23:00:02");
    assert_told("|Step=result|ErrorCode=1603|");
    assert_told("3|203|exchange.setup|0|2|2021-03-13T23:00:02");
}

static void an_installer_log_in_utf16_keeps_its_places(void **context)
{
    static const uint8_t text[] = {0xff, 0xfe, 'a', 0, '\n', 0, 'b', 0};

    (void)context;
    start("msi_log", "x.msilog", slice_of(text, sizeof text));
    finish();
    assert_accounts(2, 0, 0);
    assert_told("2|6|exchange.setup|");
}

static void a_date_that_could_be_two_leaves_the_lines_undated(void **context)
{
    (void)context;
    start("msi_log", "x.msilog",
          SLICE_LITERAL("=== Logging started: 3/2/2021  20:00:00 ===\r\nMSI (s) (B4:20) "
                        "[20:00:02:000]: x\r\n"));
    use_zone();
    finish();
    assert_noticed("could be the month");
    assert_int_equal(fake.last.basis, BASIS_UNKNOWN);
    assert_false(instant_known(fake.last.when));
}

static void an_update_tells_name_and_code(void **context)
{
    (void)context;
    run("msi_log", "x.log",
        MSI_START
        "MSI (s) (B4:20) [23:59:56:000]: Windows Installer installed an update. Product "
        "Name: Microsoft Exchange Server. Product Version: 15.1.2176.2. Product Language: "
        "9. Manufacturer: Microsoft Corporation. Update Name: Security Update (KB5000871). "
        "Installation success or error status: 0.\r\n");
    assert_told("|Step=update installed|Product=Microsoft Exchange Server|ProductVersion="
                "15.1.2176.2|UpdateName=Security Update (KB5000871)|ErrorCode=0|");
}

static void a_script_log_is_dated_by_its_first_lines(void **context)
{
    (void)context;
    start("exchange_update_script", "ExchangeSetupLogs/UpdateCas.log",
          SLICE_LITERAL("[08:35:17] * UpdateCas.ps1: 3/13/2021 8:35:17 AM\n"
                        "[08:35:19] Updating OWA to version 15.1.2176.9\n"
                        "[08:35:20] [Error] it broke\nat line 7\n"));
    use_zone();
    finish();
    assert_accounts(3, 0, 0);
    assert_told("|2021-03-13T07:35:19");
    assert_told("|Step=version|ProductVersion=15.1.2176.9|");
    assert_told("|Step=error|Error=it broke|");
}

/* --- protection --- */

static void a_detection_tells_threat_and_path(void **context)
{
    (void)context;
    run("defender_log", "MPLog-1.log",
        "2021-03-03T04:40:18.854Z DETECTION_ADD#1 Backdoor:ASP/X file:C:\\a b\\x.aspx PropBag [l]\n"
        "2021-03-03T04:40:19.854Z DETECTION_CLEANEVENT S ACTION_QUARANTINE 0x8 Trojan:Y "
        "file:C:\\y.exe;\n");
    assert_accounts(2, 0, 0);
    assert_told("|defender.log|16|1|2021-03-03T04:40:18.854000+00:00|");
    assert_told("|Step=detection|Threat Name=Backdoor:ASP/X|Path=file:C:\\a b\\x.aspx|");
    assert_told("|Step=cleaned|Threat Name=Trojan:Y|Path=file:C:\\y.exe|");
}

static void a_reported_command_line_is_one_of_a_process(void **context)
{
    (void)context;
    run("defender_log", "MPLog-1.log",
        "2021-03-03T04:42:21.580Z Engine:command line reported as lowfi: C:\\W\\reg.exe(reg add "
        "(x))");
    assert_told("|Image=C:\\W\\reg.exe|CommandLine=reg add (x)|");
    assert_string_equal(fake.last.sources[1].category, "process_creation");
}

static void a_block_of_the_support_log_has_local_time(void **context)
{
    (void)context;
    start("defender_log", "MPLog-1.log",
          SLICE_LITERAL("Begin Resource Scan\nStart Time:12-15-2022 11:24:33\nThreat Name:A\n"
                        "Resource Path:C:\\b\nEnd Scan\nBEGIN BM telemetry\nCreationTime:broken\n"
                        "ImagePath:C:\\c.exe\n"));
    use_zone();
    finish();
    assert_accounts(2, 0, 0);
    assert_told("|2022-12-15T10:24:33.000000+00:00|");
    assert_told("|Step=scan|Threat Name=A|Path=C:\\b|");
    assert_false(instant_known(fake.last.when));
}

static void a_time_without_zone_is_utc_in_the_support_log(void **context)
{
    (void)context;
    run("defender_log", "MPLog-1.log",
        "2024-03-03T04:40:18.854 DETECTION Backdoor:ASP/X file:C:\\x.asp\n"
        "2024-03-03T04:40:19.000 [MpRtp] Engine VFZ block: \\Device\\y.asp. status=0x8\n");
    assert_told("|1|2024-03-03T04:40:18.854000+00:00|");
    assert_told("|Step=detection|Threat Name=Backdoor:ASP/X|Path=file:C:\\x.asp|");
    assert_told("|Step=blocked|Path=\\Device\\y.asp|");
}

static void behaviour_tells_program_and_parents(void **context)
{
    (void)context;
    run("defender_log", "MPLog-1.log",
        "BEGIN BM telemetry\nProcessID:7968\nImagePath:C:\\W\\cmd.exe\nTaint Info:Friendly: Y; "
        "Modules: ; Parents: C:\\W\\w3wp.exe:2504:3,\nOperations:None\nEND BM telemetry\n");
    assert_told("|Step=behaviour|Process Name=C:\\W\\cmd.exe|ProcessId=7968|"
                "Parents=C:\\W\\w3wp.exe:2504:3,|");
}

static void a_scan_has_the_time_it_started(void **context)
{
    (void)context;
    start("safety_scanner", "msert.log",
          SLICE_LITERAL(
              "Microsoft Safety Scanner v1, (build 1.3)\nStarted On Thu Mar  4 13:33:34 2021\n"
              "Threat Detected: A:B/C and Removed!\n    Action: Remove, Result: 0\n"
              "        file://C:\\x.aspx\nReturn code: 7 (0x7)\n"));
    use_zone();
    finish();
    assert_accounts(4, 0, 0);
    assert_told("|2021-03-04T12:33:34.000000+00:00|TargetFilename=msert.log|FileName=msert.log|"
                "Message=Threat Detected");
    assert_told("|Threat Name=A:B/C|Outcome=Removed!|Path=C:\\x.aspx|Action Name=Remove|");
    assert_told("|Step=return code|ErrorCode=7|");
}

static void the_mitigation_tool_tells_what_it_did(void **context)
{
    (void)context;
    start("eomt", "EOMT.log",
          SLICE_LITERAL("2021-03-16 09:00:20 Info: Mitigation complete on EX\n"));
    use_zone();
    finish();
    assert_told("|exchange.mitigation_tool|16|2|2021-03-16T08:00:20");
    assert_told("|Step=mitigation applied|");
}

/* --- PowerShell --- */

static void a_history_is_undated_and_tells_whose_it_is(void **context)
{
    (void)context;
    start("powershell_history", "Users/alice/AppData/ConsoleHost_history.txt",
          SLICE_LITERAL("whoami\r\nGet-X | `\r\n  ft\r\n"));
    fake.file.si.modified = day(2021, 3, 4);
    finish();
    assert_accounts(2, 0, 0);
    assert_told("1|0|powershell.command|0|0||");
    assert_told("|AccountName=alice|Command=Get-X | `\n  ft|@ScriptBlockText=Get-X | `\n  ft|");
    assert_told("|FileModified=2021-03-04T00:00:00.000000+00:00|");
}

static void a_transcript_tells_commands_with_their_session(void **context)
{
    (void)context;
    start("powershell_transcript", "PowerShell_transcript.X.txt",
          SLICE_LITERAL("**********************\nStart der Aufzeichnung\n"
                        "Startzeit: 20210303101519\nBenutzername: C\\a\nRunAs-Benutzer: C\\b\n"
                        "Konfigurationsname:\nComputer: EX01 (Microsoft Windows NT 10.0)\n"
                        "Hostanwendung: C:\\x\\powershell.exe -nop\n**********************\n"
                        "PS C:\\> whoami\nc\\b\n[EX01]: PS C:\\> hostname\nPS is not a prompt\n"));
    use_zone();
    finish();
    assert_accounts(4, 0, 0);
    assert_told("|2021-03-03T09:15:19.000000+00:00|");
    assert_told("|Command=whoami|@ScriptBlockText=whoami|AccountName=C\\b|HostApplication=C:\\x\\"
                "powershell.exe -nop|Machine=EX01 (Microsoft Windows NT 10.0)|Output=c\\b|");
    assert_told("|Command=hostname|");
    assert_string_equal(fake.time_text, "20210303101519");
}

static void a_command_of_several_lines_is_one(void **context)
{
    (void)context;
    run("powershell_transcript", "PowerShell_transcript.X.txt",
        "PS C:\\> foreach ($x in 1) {\n>> whoami\n>> }\nc\\a\n");
    assert_accounts(1, 0, 0);
    assert_told("|Command=foreach ($x in 1) {\n>> whoami\n>> }|@");
}

static void a_command_has_the_time_in_front_of_it(void **context)
{
    (void)context;
    start("powershell_transcript", "PowerShell_transcript.X.txt",
          SLICE_LITERAL("**********************\nBefehlsstartzeit: 20220824123114\n"
                        "**********************\nPS>ping\nx: 20000101000000\nPS>dir\n"));
    use_zone();
    finish();
    assert_told(
        "|2022-08-24T11:31:14.000000+00:00|TargetFilename=PowerShell_transcript.X.txt|FileName="
        "PowerShell_transcript.X.txt|Command=dir|");
}

/* --- error reports --- */

static void an_error_report_tells_module_and_code_by_name(void **context)
{
    (void)context;
    run("crash_report", "Report.wer",
        "EventType=BEX64\nEventTime=132592260000000000\nSig[0].Name=Application Name\n"
        "Sig[0].Value=w3wp.exe\nSig[3].Name=Fault Module Name\nSig[3].Value=x.dll\n"
        "Sig[7].Name=Exception Code\nSig[7].Value=c0000005\n"
        "LoadedModule[0]=C:\\Windows\\System32\\ntdll.dll\nLoadedModule[1]=C:\\P\\x.dll\n");
    assert_accounts(1, 0, 0);
    assert_told("|Application=w3wp.exe|Module=x.dll|ExceptionCode=c0000005|");
    assert_told("|OtherModules=C:\\P\\x.dll|LoadedModules=C:\\Windows\\System32\\ntdll.dll|");
}

static void an_error_report_in_another_language_goes_by_place(void **context)
{
    (void)context;
    run("crash_report", "Report.wer",
        "EventType=APPCRASH\nEventTime=x\nSig[0].Name=Anwendungsname\nSig[0].Value=w3wp.exe\n"
        "Sig[3].Name=Fehlermodulname\nSig[3].Value=y.dll\nSig[6].Value=c0000005\n");
    assert_accounts(0, 1, 0);
    assert_told("|Application=w3wp.exe|Module=y.dll|ExceptionCode=c0000005|");
}

/* --- Exchange --- */

static void a_stamp_with_am_or_pm_has_the_month_first(void **context)
{
    (void)context;
    run("exchange_request_filter", "HttpRequestFiltering_1.log",
        "DateTime,UrlStem,ScanResult\r\n3/5/2023 12:00:01 AM,/ecp/x.js,Detected\r\n"
        "3/5/2023 1:00:00 PM,/owa/,NotDetected\r\n");
    assert_told("|2023-03-05T00:00:01.000000+00:00|");
    assert_told("|2023-03-05T13:00:00.000000+00:00|");
}

/* --- odd text --- */

static void nuls_in_front_of_a_line_do_not_hide_that_a_record_starts(void **context)
{
    (void)context;
    start(
        "exchange_setup", "ExchangeSetup.log",
        SLICE_LITERAL("[03/02/2021 20:14:01.0012] [0] a\n\0\0\0[03/02/2021 20:14:02.0012] [0] b"));
    finish();
    assert_accounts(1, 1, 0);
    assert_told("2|36|exchange.setup|1|");
    assert_noticed("NUL");
}

static void a_line_of_nothing_but_nuls_in_utf16_is_passed(void **context)
{
    static const char text[] = "\xff\xfe[\0x\0]\0\n\0\0\0\0\0\n\0y\0\n\0\0\0";

    (void)context;
    start("defender_log", "MPLog-1.log", slice_of(text, sizeof text - 1));
    finish();
    assert_noticed("NUL");
}

static void a_record_of_more_than_a_mebibyte_is_cut(void **context)
{
    const size_t size = TEXT_RECORD_MOST + 4096;
    char *text = malloc(size);

    (void)context;
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, "[03/02/2021 20:14:01.0012] [0] ", 31);
    start("exchange_setup", "ExchangeSetup.log", slice_of(text, size));
    finish();
    free(text);
    assert_accounts(0, 1, 0);
    assert_noticed("more than 1 MiB");
}

static void a_line_longer_than_any_window_is_one_record(void **context)
{
    const size_t size = (17 << 20) + 5;
    char *text = malloc(size + 4);

    (void)context;
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text + size, "\nls\n", 4);
    start("powershell_history", "ConsoleHost_history.txt", slice_of(text, size + 4));
    finish();
    free(text);
    assert_accounts(1, 1, 0);
    assert_int_equal(fake.last.number, 2);
    assert_int_equal(fake.last.offset, size + 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_of_setup_is_told_as_a_whole),
        TEST(a_run_without_an_end_is_unfinished),
        TEST(an_entry_goes_on_until_the_next_time),
        TEST(a_setup_line_with_an_impossible_time_is_rejected),
        cmocka_unit_test(a_date_is_clear_when_only_one_order_is_possible),
        cmocka_unit_test(the_times_of_the_file_decide_the_order_of_a_date),
        TEST(an_installer_log_passes_midnight_in_local_time),
        TEST(an_installer_log_in_utf16_keeps_its_places),
        TEST(a_date_that_could_be_two_leaves_the_lines_undated),
        TEST(an_update_tells_name_and_code),
        TEST(a_script_log_is_dated_by_its_first_lines),
        TEST(a_detection_tells_threat_and_path),
        TEST(a_reported_command_line_is_one_of_a_process),
        TEST(a_block_of_the_support_log_has_local_time),
        TEST(a_time_without_zone_is_utc_in_the_support_log),
        TEST(behaviour_tells_program_and_parents),
        TEST(a_scan_has_the_time_it_started),
        TEST(the_mitigation_tool_tells_what_it_did),
        TEST(a_history_is_undated_and_tells_whose_it_is),
        TEST(a_transcript_tells_commands_with_their_session),
        TEST(a_command_of_several_lines_is_one),
        TEST(a_command_has_the_time_in_front_of_it),
        TEST(an_error_report_tells_module_and_code_by_name),
        TEST(an_error_report_in_another_language_goes_by_place),
        TEST(a_stamp_with_am_or_pm_has_the_month_first),
        TEST(nuls_in_front_of_a_line_do_not_hide_that_a_record_starts),
        TEST(a_line_of_nothing_but_nuls_in_utf16_is_passed),
        TEST(a_record_of_more_than_a_mebibyte_is_cut),
        TEST(a_line_longer_than_any_window_is_one_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
