/* What the survey reads from applicationHost.config. */
#include "tests/unit/fake_evidence.h"
#include "triage/base/error.h"
#include "triage/engine/survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct evidence evidence;
static struct host host;
static char shared[4 << 20];

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    memset(&evidence, 0, sizeof evidence);
    evidence.shape = EVIDENCE_FOLDER;
    evidence.volume_count = 2;
    evidence.volumes[0].drive_hint = 'C';
    evidence.volumes[1].drive_hint = 'D';
    fake_add(&evidence, 0, "Windows/System32/drivers/etc/hosts", SLICE_LITERAL(""));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void survey_config(struct slice config)
{
    fake_add(&evidence, 0, "Windows/System32/inetsrv/config/applicationHost.config", config);
    assert_int_equal(survey_run(&evidence, arena, &host), 0);
}

static void survey_sites(const char *sites)
{
    survey_config(slice_of_text(arena_format(
        arena, "<configuration><system.applicationHost>%s</system.applicationHost></configuration>",
        sites)));
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

static void a_site_overrides_the_defaults(void **state)
{
    (void)state;
    survey_sites(
        "<sites><site name='Default Web Site' id='1'>"
        "<logFile directory='D:\\IISLogs' period='Hourly' localTimeRollover='true'/></site>"
        "<site name='Exchange Back End' id='2'/>"
        "<siteDefaults><logFile logFormat='W3C' directory='%SystemDrive%\\Logs'/></siteDefaults>"
        "</sites>");
    assert_int_equal(host.site_count, 2);
    assert_string_equal(host.sites[0].log_folder.value, "D:\\IISLogs\\W3SVC1");
    assert_string_equal(host.sites[0].log_period.value, "Hourly");
    assert_false(host.sites[0].log_period.assumed);
    assert_true(host.sites[0].local_time_rollover);
    assert_string_equal(host.sites[1].log_folder.value, "C:\\Logs\\W3SVC2");
    assert_string_equal(host.sites[1].log_period.value, "Daily");
    assert_true(host.sites[1].log_period.assumed);
    assert_int_equal(place("iis_logs", "IISLogs/W3SVC1")->volume, 1);
    assert_int_equal(place("iis_logs", "Logs/W3SVC2")->volume, 0);
}

static void each_value_names_its_line(void **state)
{
    (void)state;
    survey_sites("<sites>\n<site name='a' id='7'>\n<logFile directory='D:\\L'/></site></sites>");
    assert_string_equal(host.sites[0].log_folder.source,
                        "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config: line 3");
}

static void virtual_directories_become_web_roots(void **state)
{
    (void)state;
    survey_sites("<sites><site name='a' id='1'>"
                 "<application path='/'><virtualDirectory path='/' "
                 "physicalPath='%SystemDrive%\\inetpub\\wwwroot'/>"
                 "<virtualDirectory path='/x' physicalPath='D:\\Apps\\x'/></application>"
                 "<application path='/owa'><virtualDirectory path='/' "
                 "physicalPath='D:\\Apps\\x\\owa'/></application>"
                 "<bindings><binding protocol='https' bindingInformation='*:443:'/></bindings>"
                 "</site></sites>");
    assert_int_equal(host.sites[0].directory_count, 3);
    assert_string_equal(host.sites[0].directories[0].physical_path, "C:\\inetpub\\wwwroot");
    assert_string_equal(host.sites[0].directories[2].application, "/owa");
    assert_string_equal(host.sites[0].bindings[0].information, "*:443:");
    assert_non_null(place("web_root", "inetpub/wwwroot"));
    assert_non_null(place("web_root", "Apps/x"));
    assert_null(place("web_root", "Apps/x/owa")); /* lies below the one above */
}

static void inherited_physical_paths_are_used(void **state)
{
    (void)state;
    survey_sites("<sites><virtualDirectoryDefaults physicalPath='D:\\all'/><site name='a' id='1'>"
                 "<application path='/'><virtualDirectory path='/'/></application></site></sites>");
    assert_string_equal(host.sites[0].directories[0].physical_path, "D:\\all");
}

static void custom_fields_are_read(void **state)
{
    (void)state;
    survey_sites("<sites><site name='a' id='1'><logFile logExtFileFlags='Date, Time'><customFields>"
                 "<add logFieldName='X-Forwarded-For' sourceName='X-Forwarded-For' "
                 "sourceType='RequestHeader'/></customFields></logFile></site></sites>");
    assert_string_equal(host.sites[0].log_fields.value, "Date, Time");
    assert_int_equal(host.sites[0].custom_field_count, 1);
    assert_string_equal(host.sites[0].custom_fields[0], "X-Forwarded-For");
}

static void central_logging_is_seen(void **state)
{
    (void)state;
    survey_sites("<log centralLogFileMode='CentralW3C'><centralW3CLogFile enabled='true' "
                 "directory='D:\\Central'/></log><sites><site name='a' id='1'/></sites>");
    assert_string_equal(host.central_log.value, "D:\\Central\\W3SVC");
    assert_int_equal(place("iis_logs", "Central")->volume, 1);
}

static void ftp_logs_are_a_place(void **state)
{
    (void)state;
    survey_sites("<sites><site name='a' id='5'><ftpServer><logFile directory='D:\\F'/></ftpServer>"
                 "</site></sites>");
    assert_non_null(place("iis_logs", "F/FTPSVC5"));
}

static void logging_that_is_off_is_told(void **state)
{
    (void)state;
    survey_sites("<sites><site name='a' id='1'><logFile enabled='false'/></site></sites>");
    assert_true(notice("does not log the requests to site 1 'a'"));
}

static void requests_that_are_not_logged_are_told(void **state)
{
    (void)state;
    survey_config(SLICE_LITERAL(
        "<configuration><location path='Default Web Site/x'><system.webServer>"
        "<httpLogging dontLog='true'/></system.webServer></location></configuration>"));
    assert_true(notice("requests below 'Default Web Site/x' are not logged"));
}

static void settings_kept_elsewhere_are_told(void **state)
{
    (void)state;
    survey_sites("<sites configSource='sites.config'/>");
    assert_true(notice("<sites> is kept in 'sites.config', which was not read"));
}

static void a_shared_configuration_is_told(void **state)
{
    (void)state;
    fake_add(&evidence, 0, "Windows/System32/inetsrv/config/redirection.config",
             SLICE_LITERAL("<configuration><configurationRedirection enabled='true' "
                           "path='\\\\server\\share'/></configuration>"));
    survey_sites("<sites/>");
    assert_true(notice("shared configuration in '\\\\server\\share'"));
}

static void a_folder_outside_of_the_evidence_is_told(void **state)
{
    (void)state;
    survey_sites(
        "<sites><site name='a' id='1'><application path='/'>"
        "<virtualDirectory path='/' physicalPath='\\\\server\\web'/></application></site></sites>");
    assert_true(notice("'\\\\server\\web' is not part of the evidence"));
}

static void without_a_file_the_defaults_are_assumed(void **state)
{
    (void)state;
    fake_add(&evidence, 0, "inetpub/wwwroot/iisstart.htm", SLICE_LITERAL(""));
    assert_int_equal(survey_run(&evidence, arena, &host), 0);
    assert_true(notice("the defaults of IIS are assumed"));
    assert_int_equal(host.site_count, 1);
    assert_true(host.sites[0].log_folder.assumed);
    assert_string_equal(host.sites[0].log_folder.value, "C:\\inetpub\\logs\\LogFiles\\W3SVC1");
    assert_true(place("web_root", "inetpub/wwwroot")->why.assumed);
}

static void a_file_that_is_not_xml_is_told(void **state)
{
    (void)state;
    survey_config(SLICE_LITERAL("\0\0\0\0"));
    assert_true(notice("cannot be used"));
    assert_true(host.sites[0].log_folder.assumed);
}

static void many_folders_do_not_crowd_out_the_usual_ones(void **state)
{
    struct buffer sites = BUFFER_EMPTY;

    (void)state;
    fake_add(&evidence, 0, "inetpub/logs/LogFiles/W3SVC1/u_ex210303.log", SLICE_LITERAL(""));
    buffer_add_text(&sites, "<sites><site name='a' id='1'><application path='/'>");
    for (unsigned i = 0; i < 9000; i++)
        buffer_format(&sites, "<virtualDirectory path='/%u' physicalPath='D:\\v%u'/>", i, i);
    buffer_add_text(&sites, "</application></site></sites>");
    survey_sites(buffer_text(&sites));
    buffer_release(&sites);
    assert_non_null(place("iis_logs", "inetpub/logs/LogFiles"));
    assert_true(notice("IIS names more folders"));
    assert_true(notice("virtual directories past the first"));
}

static void many_sites_do_not_eat_the_memory(void **state)
{
    struct buffer sites = BUFFER_EMPTY;

    (void)state;
    buffer_add_text(&sites, "<sites>");
    for (unsigned i = 1; i < 30000; i++)
        buffer_format(&sites, "<site id='%u'><ftpServer/></site>", i);
    buffer_add_text(&sites, "</sites>");
    survey_sites(buffer_text(&sites)); /* fails when the arena of 64 MiB is full */
    buffer_release(&sites);
    assert_true(notice("sites past the first"));
    assert_true(notice("further facts"));
}

static bool read_shared(const char *name, struct slice *content)
{
    const char *folder = getenv("EXTRIAGE_DATA"), *source = getenv("srcdir");
    char path[1024];

    if (folder)
        snprintf(path, sizeof path, "%s/%s", folder, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", name);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return false;
    *content = slice_of(shared, fread(shared, 1, sizeof shared, stream));
    fclose(stream);
    return true;
}

#define REAL "exchange/css-exchange-config/E19/Exchange/IIS/"

static void a_real_configuration_is_read(void **state)
{
    struct slice config;

    (void)state;
    if (!read_shared(REAL "applicationHost.config", &config))
        skip();
    survey_config(config);
    assert_int_equal(host.site_count, 2);
    assert_int_equal(host.sites[0].directory_count, 14);
    assert_int_equal(host.sites[1].directory_count, 20);
    assert_int_equal(host.sites[0].binding_count, 8);
    assert_string_equal(host.sites[1].name, "Exchange Back End");
    assert_false(notice("applicationHost.config"));
}

static void a_broken_configuration_gives_what_can_be_read(void **state)
{
    struct slice config;

    (void)state;
    if (!read_shared(REAL "BadApplicationHost.config", &config))
        skip();
    survey_config(config);
    assert_true(notice("applicationHost.config: line 128: Opening and ending tag mismatch"));
    assert_int_equal(host.site_count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_site_overrides_the_defaults),
        TEST(each_value_names_its_line),
        TEST(virtual_directories_become_web_roots),
        TEST(inherited_physical_paths_are_used),
        TEST(custom_fields_are_read),
        TEST(central_logging_is_seen),
        TEST(ftp_logs_are_a_place),
        TEST(logging_that_is_off_is_told),
        TEST(requests_that_are_not_logged_are_told),
        TEST(settings_kept_elsewhere_are_told),
        TEST(a_shared_configuration_is_told),
        TEST(a_folder_outside_of_the_evidence_is_told),
        TEST(without_a_file_the_defaults_are_assumed),
        TEST(a_file_that_is_not_xml_is_told),
        TEST(many_folders_do_not_crowd_out_the_usual_ones),
        TEST(many_sites_do_not_eat_the_memory),
        TEST(a_real_configuration_is_read),
        TEST(a_broken_configuration_gives_what_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
