/* Sums of the bytes that logs count: the same whichever lines the prefilter nominates. */
#include "tests/unit/fake_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct fake_job fake;

#define PROXY_FIELDS "DateTime,RequestId,AuthenticatedUser,UrlStem,AnchorMailbox,ProxyAction,"
#define PROXY_HEADER                                                                               \
    "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2106.002\r\n"                         \
    "#Log-type: HttpProxy Logs\r\n#Date: 2021-03-03T10:00:00.000Z\r\n"                             \
    "#Fields: " PROXY_FIELDS "ClientIpAddress,RequestBytes,ResponseBytes\r\n"
#define PROXY_ROW(time, user, address, received, sent)                                             \
    "2021-03-03T" time ".000Z,x," user ",/owa/,a,b," address "," received "," sent "\r\n"

static const char three_rows[] =
    PROXY_HEADER PROXY_ROW("10:00:01", "CORP\\a", "192.0.2.1", "10", "100")
        PROXY_ROW("10:00:02", "\"CORP\\b, \"", "192.0.2.2", "20", "5000")
            PROXY_ROW("10:00:03", "CORP\\a", "192.0.2.1", "30", "300");

static const char *sums_of(const char *artifact, const char *text, const char *needle)
{
    fake_job_init(&fake, artifact, "x.log", slice_of_text(text), needle);
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    const char *all = buffer_text(&fake.text);
    const char *told = strstr(all, "|BytesSent=");
    return told ? told : "";
}

static int release(void **context)
{
    (void)context;
    fake_job_release(&fake);
    memset(&fake, 0, sizeof fake);
    return 0;
}

static const char told_of_three[] =
    "|BytesSent=5400|BytesReceived=60|Lines=3|FirstSeen=2021-03-03T10:00:01.000000+00:00|Clients="
    "5000 20 1 192.0.2.2\n400 40 2 192.0.2.1|Users=5000 20 1 CORP\\b, \n400 40 2 CORP\\a|";

static void lines_that_no_rule_matches_are_added_up(void **context)
{
    (void)context;
    const char *told = sums_of("exchange_httpproxy", three_rows, NULL);

    assert_memory_equal(told, told_of_three, sizeof told_of_three - 1);
    assert_int_equal(fake.last.marks, EVENT_FACT);
    assert_int_equal(fake.tally.records, 3);
}

static void lines_that_are_split_add_up_to_the_same(void **context)
{
    (void)context;
    const char *told = sums_of("exchange_httpproxy", three_rows, "");

    assert_memory_equal(told, told_of_three, sizeof told_of_three - 1);
}

static void a_log_without_bytes_tells_nothing(void **context)
{
    (void)context;
    assert_string_equal(sums_of("iis_log",
                                "#Fields: date time c-ip cs-method sc-status\r\n"
                                "2021-03-03 10:15:19 192.0.2.1 GET 200\r\n",
                                NULL),
                        "");
}

static void columns_that_come_later_count_from_there(void **context)
{
    (void)context;
    const char *told = sums_of("iis_log",
                               "#Fields: date time c-ip cs-method sc-status\r\n"
                               "2021-03-03 10:15:19 192.0.2.1 GET 200\r\n"
                               "#Fields: date time sc-bytes c-ip cs-username cs-method\r\n"
                               "2021-03-03 10:15:20 700 192.0.2.1 - GET\r\n",
                               NULL);

    assert_non_null(strstr(told, "BytesSent=700|BytesReceived=0|Lines=1|"));
    assert_non_null(strstr(told, "Clients=700 0 1 192.0.2.1|Users=|"));
}

static void only_mail_that_was_sent_counts(void **context)
{
    (void)context;
    const char *told =
        sums_of("exchange_message_tracking",
                "#Software: Microsoft Exchange Server\r\n#Log-type: Message Tracking Log\r\n"
                "#Fields: date-time,event-id,internal-message-id,recipient-address,total-bytes,"
                "sender-address\r\n"
                "2021-03-03T10:00:01.000Z,RECEIVE,1,b@example.org,900,a@example.com\r\n"
                "2021-03-03T10:00:02.000Z,SEND,1,b@example.org,900,a@example.com\r\n",
                NULL);

    assert_non_null(strstr(told, "BytesSent=900|BytesReceived=0|Lines=1|"));
    assert_non_null(strstr(told, "Users=900 0 1 a@example.com|"));
}

static void made_up_numbers_are_left_out(void **context)
{
    (void)context;
    assert_string_equal(
        sums_of("exchange_httpproxy",
                PROXY_HEADER PROXY_ROW("10:00:01", "a", "192.0.2.1", "x", "18446744073709551615")
                    PROXY_ROW("10:00:02", "a", "192.0.2.1", "", "99999999999999999999999"),
                NULL),
        "");
}

/* A flood of addresses costs no memory beyond its table, and the largest are told all the same. */
static void more_clients_than_fit_are_added_up_together(void **context)
{
    enum { CLIENTS = 9000 };
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    buffer_add_text(&text, "#Fields: date time c-ip sc-bytes\r\n");
    for (unsigned i = 0; i < CLIENTS; i++)
        buffer_format(&text, "2021-03-03 10:15:20 10.1.%u.%u %u\r\n", i / 256, i % 256, i + 1);
    const char *told = sums_of("iis_log", buffer_text(&text), NULL);

    assert_non_null(strstr(told, "BytesSent=40504500|"));
    assert_non_null(strstr(told, "Clients=4096 0 1 10.1.15.255\n"));
    assert_non_null(strstr(told, "|LinesOfOtherClients=4904|"));
    assert_null(strstr(told, "LinesOfOtherUsers"));
    buffer_release(&text);
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_that_no_rule_matches_are_added_up),
        TEST(lines_that_are_split_add_up_to_the_same),
        TEST(a_log_without_bytes_tells_nothing),
        TEST(columns_that_come_later_count_from_there),
        TEST(only_mail_that_was_sent_counts),
        TEST(made_up_numbers_are_left_out),
        TEST(more_clients_than_fit_are_added_up_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
