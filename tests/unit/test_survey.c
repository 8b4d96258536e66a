/* What the survey reads from the registry and from the files of Exchange. */
#include "tests/unit/fake_evidence.h"
#include "tests/unit/hive_builder.h"
#include "triage/base/error.h"
#include "triage/engine/exchange_builds.h"
#include "triage/engine/survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GUID_BYTES "\x21\x1f\x93\x09\xaf\x7f\xa9\x44\x81\xd8\x1e\x73\xc1\x4b\x9e\xaf"
#define GUID_TEXT  "09931f21-7faf-44a9-81d8-1e73c14b9eaf"
#define ZONES      "Microsoft\\Windows NT\\CurrentVersion\\Time Zones\\W. Europe Standard Time"
#define W_EUROPE                                                                                   \
    "\xc4\xff\xff\xff\0\0\0\0\xc4\xff\xff\xff\0\0\x0a\0\0\0\x05\0\x03\0\0\0\0\0\0\0\0\0\x03\0\0\0" \
    "\x05\0\x02\0\0\0\0\0\0\0"

static struct arena *arena;
static struct evidence evidence;
static struct host host;
static struct hive_builder *system_hive, *software_hive;

/* An image with Exchange on the first volume and Windows on the second. */
static int set_up(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    system_hive = hive_builder_new();
    software_hive = hive_builder_new();
    memset(&evidence, 0, sizeof evidence);
    memset(&host, 0, sizeof host);
    evidence.shape = EVIDENCE_IMAGE;
    evidence.volume_count = 2;
    strcpy(evidence.volumes[0].partition_guid, GUID_TEXT);
    evidence.volumes[1].disk_signature = 0xAABBCCDD;
    evidence.volumes[1].offset = 1048576;
    hive_builder_number(system_hive, "Select", "Current", 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hive_builder_free(system_hive);
    hive_builder_free(software_hive);
    arena_free(arena);
    return 0;
}

static struct slice hive_slice(struct hive_builder *builder)
{
    size_t size;
    const uint8_t *bytes = hive_builder_bytes(builder, &size);

    return slice_of(bytes, size);
}

static void run(void)
{
    fake_add(&evidence, 1, "Windows/System32/config/SYSTEM", hive_slice(system_hive));
    fake_add(&evidence, 1, "Windows/System32/config/SOFTWARE", hive_slice(software_hive));
    assert_int_equal(survey_run(&evidence, arena, &host), 0);
}

static const struct place *place(const char *name, const char *path)
{
    for (size_t i = 0; i < host.place_count; i++)
        if (strcmp(host.places[i].name, name) == 0 && strcmp(host.places[i].path, path) == 0)
            return &host.places[i];
    return NULL;
}

static bool notice(const char *part)
{
    for (size_t i = 0; i < host.notice_count; i++)
        if (strstr(host.notices[i], part))
            return true;
    return false;
}

static const struct drive *drive(char letter)
{
    for (size_t i = 0; i < host.drive_count; i++)
        if (host.drives[i].letter == letter)
            return &host.drives[i];
    return NULL;
}

static void the_current_control_set_names_the_computer(void **state)
{
    (void)state;
    hive_builder_text(system_hive, "ControlSet001\\Control\\ComputerName\\ComputerName",
                      "ComputerName", "OLD");
    hive_builder_text(system_hive, "ControlSet002\\Control\\ComputerName\\ComputerName",
                      "ComputerName", "EXCH01");
    hive_builder_text(system_hive, "ControlSet002\\Services\\Tcpip\\Parameters", "Domain",
                      "contoso.example");
    run();
    assert_string_equal(host.control_set.value, "ControlSet002");
    assert_string_equal(host.computer.value, "EXCH01");
    assert_string_equal(host.computer.source,
                        "C:\\Windows\\System32\\config\\SYSTEM: "
                        "ControlSet002\\Control\\ComputerName\\ComputerName\\ComputerName");
    assert_string_equal(host.domain.value, "contoso.example");
}

static void the_version_of_windows_is_read(void **state)
{
    static const char key[] = "Microsoft\\Windows NT\\CurrentVersion";

    (void)state;
    hive_builder_text(software_hive, key, "ProductName", "Windows Server 2019 Standard");
    hive_builder_text(software_hive, key, "ReleaseId", "1809");
    hive_builder_text(software_hive, key, "CurrentBuildNumber", "17763");
    hive_builder_number(software_hive, key, "UBR", 1817);
    hive_builder_text(software_hive, key, "SystemRoot", "E:\\Windows");
    run();
    assert_string_equal(host.windows_version.value, "Windows Server 2019 Standard (1809)");
    assert_string_equal(host.windows_build.value, "17763.1817");
    assert_string_equal(host.windows_root.value, "E:\\Windows");
    assert_int_equal(drive('E')->volume, 1);
    assert_string_equal(place("windows", "Windows")->why.value, "E:\\Windows");
}

static void drives_are_matched_with_partitions(void **state)
{
    (void)state;
    hive_builder_set(system_hive, "MountedDevices", "\\DosDevices\\D:", 3, "DMIO:ID:" GUID_BYTES,
                     24);
    hive_builder_set(system_hive, "MountedDevices", "\\DosDevices\\C:", 3,
                     "\xDD\xCC\xBB\xAA\0\0\x10\0\0\0\0\0", 12);
    hive_builder_set(system_hive, "MountedDevices", "\\DosDevices\\F:", 3,
                     "\x11\xCC\xBB\xAA\0\0\x10\0\0\0\0\0", 12);
    run();
    assert_int_equal(drive('C')->volume, 1);
    assert_int_equal(drive('D')->volume, 0);
    assert_string_equal(drive('D')->why.value, "GPT partition " GUID_TEXT);
    assert_null(drive('F'));
}

static void exchange_on_another_volume_is_found(void **state)
{
    static const char setup[] = "Microsoft\\ExchangeServer\\v15\\Setup";

    (void)state;
    hive_builder_set(system_hive, "MountedDevices", "\\DosDevices\\D:", 3, "DMIO:ID:" GUID_BYTES,
                     24);
    hive_builder_text(software_hive, setup, "MsiInstallPath", "D:\\Exchange\\V15\\");
    hive_builder_number(software_hive, setup, "MsiProductMajor", 15);
    hive_builder_number(software_hive, setup, "MsiProductMinor", 1);
    hive_builder_number(software_hive, setup, "MsiBuildMajor", 2106);
    hive_builder_number(software_hive, setup, "MsiBuildMinor", 2);
    hive_builder_text(software_hive, "Microsoft\\ExchangeServer\\v15\\MailboxRole",
                      "ConfiguredVersion", "15.1.2106.2");
    run();
    assert_string_equal(host.exchange_path.value, "D:\\Exchange\\V15\\");
    assert_string_equal(host.exchange_version.value, "15.1.2106.2");
    assert_string_equal(host.exchange_family.value, "2016");
    assert_int_equal(host.role_count, 1);
    assert_string_equal(host.roles[0].name, "MailboxRole");
    assert_true(notice("ExSetup.exe is not there"));
    assert_int_equal(place("exchange", "Exchange/V15")->volume, 0);
    assert_non_null(place("exchange_logging", "Exchange/V15/Logging"));
    assert_non_null(place("web_root", "Exchange/V15/FrontEnd/HttpProxy"));
    assert_non_null(place("message_tracking", "Exchange/V15/TransportRoles/Logs"));
}

static void an_unknown_drive_is_looked_for(void **state)
{
    (void)state;
    hive_builder_text(software_hive, "Microsoft\\ExchangeServer\\v14\\Setup", "MsiInstallPath",
                      "X:\\Ex");
    fake_add(&evidence, 0, "Ex/Bin/ExSetup.exe", SLICE_LITERAL("not a program"));
    run();
    assert_int_equal(drive('X')->volume, 0);
    assert_true(drive('X')->why.assumed);
    assert_true(notice("drive X: is taken to be volume 0"));
    assert_true(notice("ExSetup.exe tells no version: not a Windows program"));
}

static void the_environment_tells_the_install_path(void **state)
{
    (void)state;
    hive_builder_text(system_hive, "ControlSet002\\Control\\Session Manager\\Environment",
                      "ExchangeInstallPath", "%SystemDrive%\\Ex\\");
    run();
    assert_int_equal(place("exchange", "Ex")->volume, 1);
}

static void the_usual_folder_of_exchange_is_assumed(void **state)
{
    (void)state;
    fake_add(&evidence, 1, "Program Files/Microsoft/Exchange Server/V15/Logging/x",
             SLICE_LITERAL(""));
    run();
    assert_string_equal(host.exchange_path.value,
                        "C:\\Program Files\\Microsoft\\Exchange Server\\V15");
    assert_true(host.exchange_path.assumed);
}

static void the_zone_has_its_rules_from_the_registry(void **state)
{
    static const char key[] = "ControlSet002\\Control\\TimeZoneInformation";
    struct instant local;
    char text[INSTANT_TEXT_SIZE];

    (void)state;
    hive_builder_text(system_hive, key, "TimeZoneKeyName", "W. Europe Standard Time");
    hive_builder_number(system_hive, key, "Bias", 0xFFFFFFC4);
    hive_builder_set(software_hive, ZONES, "TZI", 3, W_EUROPE, 44);
    run();
    assert_string_equal(host.zone.name, "W. Europe Standard Time");
    assert_true(instant_parse(SLICE_LITERAL("2021-07-01 12:00:00"), &local, NULL));
    assert_string_equal(instant_format(zone_to_utc(&host.zone, local), text),
                        "2021-07-01T10:00:00.000000+00:00");
}

static void years_of_the_zone_are_read(void **state)
{
    (void)state;
    hive_builder_text(system_hive, "ControlSet002\\Control\\TimeZoneInformation", "TimeZoneKeyName",
                      "W. Europe Standard Time");
    hive_builder_set(software_hive, ZONES "\\Dynamic DST", "2020", 3, W_EUROPE, 44);
    hive_builder_set(software_hive, ZONES "\\Dynamic DST", "2019", 3, W_EUROPE, 44);
    hive_builder_number(software_hive, ZONES "\\Dynamic DST", "FirstEntry", 2019);
    run();
    assert_int_equal(host.zone.year_count, 2);
    assert_int_equal(host.zone.years[0].year, 2019);
}

static void rules_of_the_moment_are_the_fallback(void **state)
{
    static const char key[] = "ControlSet002\\Control\\TimeZoneInformation";

    (void)state;
    hive_builder_text(system_hive, key, "TimeZoneKeyName", "W. Europe Standard Time");
    hive_builder_number(system_hive, key, "Bias", 0xFFFFFFC4);
    hive_builder_number(system_hive, key, "DaylightBias", 0xFFFFFFC4);
    hive_builder_set(system_hive, key, "StandardStart", 3, "\0\0\x0a\0\5\0\3\0\0\0\0\0\0\0\0\0",
                     16);
    hive_builder_set(system_hive, key, "DaylightStart", 3, "\0\0\x03\0\5\0\2\0\0\0\0\0\0\0\0\0",
                     16);
    run();
    assert_int_equal(host.zone.year_count, 1);
    assert_int_equal(host.zone.years[0].to_daylight.month, 3);
    assert_int_equal(host.zone.years[0].to_standard.hour, 3);
    assert_true(notice("the rules of the time zone are those of the moment only"));
}

static void daylight_saving_switched_off_is_honoured(void **state)
{
    static const char key[] = "ControlSet002\\Control\\TimeZoneInformation";

    (void)state;
    hive_builder_text(system_hive, key, "TimeZoneKeyName", "W. Europe Standard Time");
    hive_builder_number(system_hive, key, "DynamicDaylightTimeDisabled", 1);
    hive_builder_number(system_hive, key, "Bias", 0xFFFFFFC4);
    hive_builder_set(software_hive, ZONES, "TZI", 3, W_EUROPE, 44);
    run();
    assert_int_equal(host.zone.years[0].to_daylight.month, 0);
    assert_true(notice("was not set forward and back"));
}

static void the_folder_of_http_errors_can_be_moved(void **state)
{
    (void)state;
    hive_builder_text(system_hive, "ControlSet002\\Services\\HTTP\\Parameters", "ErrorLoggingDir",
                      "C:\\Moved");
    run();
    assert_non_null(place("httperr", "Moved/HTTPERR"));
    assert_null(place("httperr", "Windows/System32/LogFiles/HTTPERR"));
}

static void the_newer_of_two_windows_is_taken(void **state)
{
    struct hive_builder *older = hive_builder_new();
    struct slice bytes = hive_slice(older);
    uint8_t *copy = (uint8_t *)arena_text(arena, bytes);

    (void)state;
    copy[18]--; /* last written some weeks earlier */
    fake_add(&evidence, 0, "Windows/System32/config/SYSTEM", slice_of(copy, bytes.size));
    hive_builder_text(system_hive, "ControlSet002\\Control\\ComputerName\\ComputerName",
                      "ComputerName", "NEWER");
    run();
    assert_string_equal(host.computer.value, "NEWER");
    assert_true(notice("several Windows installations: volume 1 \\Windows"));
    hive_builder_free(older);
}

static void a_damaged_hive_is_told(void **state)
{
    (void)state;
    fake_add(&evidence, 1, "Windows/System32/config/SYSTEM", SLICE_LITERAL("regf and no more"));
    assert_int_equal(survey_run(&evidence, arena, &host), 0);
    assert_true(notice("cannot be used: not a registry hive"));
    assert_true(notice("the time zone is unknown"));
    assert_string_equal(host.windows_root.value, "C:\\Windows");
    assert_true(host.windows_root.assumed);
}

static void nothing_gives_notices(void **state)
{
    (void)state;
    assert_int_equal(survey_run(&evidence, arena, &host), 0);
    assert_int_equal(host.place_count, 0);
    assert_null(host.computer.value);
    assert_true(notice("no Windows folder was found"));
    assert_true(notice("no sign of Exchange was found"));
}

static void a_volume_that_cannot_be_read_is_left_alone(void **state)
{
    (void)state;
    evidence.volumes[1].problem = "BitLocker";
    run();
    assert_true(notice("no Windows folder was found"));
}

static void too_little_memory_is_an_error(void **state)
{
    struct arena *small = arena_new(600);

    (void)state;
    assert_int_equal(survey_run(&evidence, small, &host), -1);
    arena_free(small);
}

/* Whatever an attacker puts into the files that are read. */
static void changed_bytes_do_no_harm(void **state)
{
    static const char config[] =
        "<configuration><system.applicationHost><sites><site name='a' id='1'>"
        "<application path='/'><virtualDirectory path='/' physicalPath='%SystemDrive%\\x'/>"
        "</application></site></sites></system.applicationHost></configuration>";
    uint64_t random = 88172645463325252u;

    (void)state;
    hive_builder_set(system_hive, "MountedDevices", "\\DosDevices\\D:", 3, "DMIO:ID:" GUID_BYTES,
                     24);
    hive_builder_text(system_hive, "ControlSet002\\Control\\Session Manager\\Environment",
                      "ExchangeInstallPath", "%SystemDrive%\\Ex\\");
    hive_builder_text(system_hive, "ControlSet002\\Control\\TimeZoneInformation", "TimeZoneKeyName",
                      "W. Europe Standard Time");
    hive_builder_set(software_hive, ZONES "\\Dynamic DST", "2020", 3, W_EUROPE, 44);
    hive_builder_text(software_hive, "Microsoft\\ExchangeServer\\v15\\MailboxRole",
                      "ConfiguredVersion", "15.1.2106.2");
    const struct slice files[] = {hive_slice(system_hive), hive_slice(software_hive),
                                  slice_of(config, sizeof config - 1)};
    uint8_t *copies[3];
    for (size_t i = 0; i < 3; i++)
        copies[i] = (uint8_t *)arena_text(arena, files[i]);
    struct arena *scratch = arena_new(64 << 20);
    fake_add(&evidence, 1, "Windows/System32/config/SYSTEM", slice_of(copies[0], files[0].size));
    fake_add(&evidence, 1, "Windows/System32/config/SOFTWARE", slice_of(copies[1], files[1].size));
    fake_add(&evidence, 1, "Windows/System32/inetsrv/config/applicationHost.config",
             slice_of(copies[2], files[2].size));
    for (unsigned round = 0; round < 3000; round++) {
        for (size_t i = 0; i < 3; i++) {
            memcpy(copies[i], files[i].data, files[i].size);
            for (size_t change = 0; change < round % 5; change++) {
                random ^= random << 13, random ^= random >> 7, random ^= random << 17;
                copies[i][random % files[i].size] = (uint8_t)(random >> 40);
            }
        }
        survey_run(&evidence, scratch, &host);
        arena_reset(scratch);
    }
    arena_free(scratch);
}

static const char builds_text[] = "# comment\n"
                                  "version_family\tcu\tsu\tbuild\trelease_date\tkb\n"
                                  "2016\tCU18\t\t15.1.2106.2\t2020-09-15\tKB4571788\n"
                                  "2016\tCU18\tMar21SU\t15.01.2106.013\t2021-03-02\tKB5000871\r\n"
                                  "2016\tCU19\t\t15.1.2176.2\t2020-12-15\t\n";

static void name_build(const char *version)
{
    struct exchange_builds builds;

    host.exchange_version = (struct fact){version, "test", false};
    assert_int_equal(exchange_builds_parse(SLICE_LITERAL(builds_text), arena, &builds), 0);
    assert_int_equal(builds.count, 3);
    exchange_builds_name(&builds, arena, &host);
}

static void a_listed_build_is_named(void **state)
{
    (void)state;
    name_build("15.1.2106.13");
    assert_string_equal(host.exchange_build.value, "Exchange Server 2016 CU18 Mar21SU");
    assert_string_equal(host.exchange_build.source,
                        "exchange_builds.tsv: 15.1.2106.13, released 2021-03-02, KB5000871");
    assert_false(host.exchange_build.assumed);
}

static void an_unlisted_build_is_told_as_such(void **state)
{
    (void)state;
    name_build("15.1.2106.7");
    assert_string_equal(host.exchange_build.value,
                        "Exchange Server 2016 CU18, not a listed build (next lower: 15.1.2106.2)");
    assert_true(host.exchange_build.assumed);
}

static void an_unknown_build_has_no_name(void **state)
{
    struct exchange_builds builds;

    (void)state;
    name_build("15.9.1.1");
    assert_null(host.exchange_build.value);
    assert_int_equal(exchange_builds_parse(SLICE_LITERAL("no table"), arena, &builds), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_current_control_set_names_the_computer),
        TEST(the_version_of_windows_is_read),
        TEST(drives_are_matched_with_partitions),
        TEST(exchange_on_another_volume_is_found),
        TEST(an_unknown_drive_is_looked_for),
        TEST(the_environment_tells_the_install_path),
        TEST(the_usual_folder_of_exchange_is_assumed),
        TEST(the_zone_has_its_rules_from_the_registry),
        TEST(years_of_the_zone_are_read),
        TEST(rules_of_the_moment_are_the_fallback),
        TEST(daylight_saving_switched_off_is_honoured),
        TEST(the_folder_of_http_errors_can_be_moved),
        TEST(the_newer_of_two_windows_is_taken),
        TEST(a_damaged_hive_is_told),
        TEST(nothing_gives_notices),
        TEST(a_volume_that_cannot_be_read_is_left_alone),
        TEST(too_little_memory_is_an_error),
        TEST(changed_bytes_do_no_harm),
        TEST(a_listed_build_is_named),
        TEST(an_unlisted_build_is_told_as_such),
        TEST(an_unknown_build_has_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
