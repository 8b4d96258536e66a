/* Logs of IIS, http.sys and Exchange: lines, headers, times, and what damage costs. */
#include "tests/unit/artifact_case.h"

#include <stdio.h>

#define W3C_FIELDS                                                                                 \
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip "          \
    "cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n"
#define W3C_HEADER                                                                                 \
    "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n" W3C_FIELDS
#define W3C_LINE "2021-03-03 10:15:19 10.0.0.5 GET /owa/ - 443 - 192.0.2.1 curl - 200 0 0 15\r\n"
#define W3C_LATER                                                                                  \
    "2021-03-04 00:00:01 10.0.0.5 POST /ecp/y.js x=1 443 CORP\\svc_exch 192.0.2.9 curl - 241 0 0 " \
    "15\r\n"

static void run(const char *artifact, const char *text, const char *needle)
{
    run_bytes(artifact, "x.log", slice_of_text(text), needle);
}

/* --- IIS --- */

static void a_plain_log_is_counted_without_events(void **context)
{
    (void)context;
    run("iis_log", W3C_HEADER W3C_LINE W3C_LINE "\r\n" W3C_LATER, NULL);
    assert_accounts(3, 0, 0);
    assert_int_equal(fake.event_count, 0);
    assert_int_equal(fake.tally.day_count, 2);
    assert_int_equal(fake.notice_count, 0);
}

static void only_nominated_lines_become_events(void **context)
{
    (void)context;
    run("iis_log", W3C_HEADER W3C_LINE W3C_LATER W3C_LINE, "/ECP/");
    assert_int_equal(fake.event_count, 1);
    assert_told("5|");
    assert_told("|web.request|0|1|2021-03-04T00:00:01.000000+00:00|date=2021-03-04|");
    assert_told("|cs-username=CORP\\svc_exch|");
    assert_told("|cs-user-agent=curl|");
    assert_int_equal(fake.last.offset, strlen(W3C_HEADER W3C_LINE));
    assert_string_equal(fake.time_text, "2021-03-04 00:00:01");
}

static void columns_may_change_amid_a_file(void **context)
{
    (void)context;
    run("iis_log",
        W3C_HEADER W3C_LINE "#Fields: time date cs-uri-stem c-ip X-Forwarded-For\r\n"
                            "11:00:00 2021-03-03 /late 192.0.2.7 203.0.113.9\r\n",
        "/late");
    assert_accounts(2, 0, 0);
    assert_told("2021-03-03T11:00:00.000000+00:00|time=11:00:00|date=2021-03-03|cs-uri-stem=/"
                "late|c-ip=192.0.2.7|X-Forwarded-For=203.0.113.9");
}

static void a_missing_header_is_assumed_and_told(void **context)
{
    (void)context;
    run("iis_log", W3C_LINE W3C_LINE, "");
    assert_accounts(2, 0, 0);
    assert_noticed("15 columns are assumed");
    assert_told("|cs-uri-stem=/owa/|");
}

static void lines_without_a_known_header_are_rejected_and_searched(void **context)
{
    (void)context;
    run("iis_log", "2021-03-03 10:00:00 a b c\n", "");
    assert_accounts(0, 0, 1);
    assert_told("|text.line|2|");
    assert_told("raw=2021-03-03 10:00:00 a b c");
}

static void a_date_is_taken_from_the_directive(void **context)
{
    (void)context;
    run("iis_log",
        "#Date: 2013-07-30 23:59:00\n#Fields: time cs-method cs-uri-stem\n23:59:58 GET "
        "/a\n00:00:01 GET /b\n",
        "");
    assert_told("2013-07-30T23:59:58.000000+00:00|time=23:59:58");
    assert_told("2013-07-31T00:00:01.000000+00:00|time=00:00:01");
    assert_noticed("no date column");
}

static void a_date_is_taken_from_the_name(void **context)
{
    (void)context;
    run_bytes("iis_log", "inetpub/logs/W3SVC1/u_ex210303.log",
              SLICE_LITERAL("#Fields: time cs-method cs-uri-stem\n10:00:00 GET /a\n"), "");
    assert_told("2021-03-03T10:00:00.000000+00:00");
}

static void nul_tails_are_no_records(void **context)
{
    static char text[300000];

    (void)context;
    const size_t size = (size_t)snprintf(text, sizeof text, "%s", W3C_HEADER W3C_LINE);
    run_bytes("iis_log", "x.log", slice_of(text, sizeof text), "");
    assert_accounts(1, 0, 0);
    assert_noticed("NUL bytes");
    assert_int_equal(fake.notice_count, 1);
    assert_int_equal(fake.event_count, 1);
    assert_true(size < sizeof text);
}

static void a_hole_of_nuls_ends_a_record(void **context)
{
    static const char text[] = W3C_HEADER
        "2021-03-03 10:15:19 10.0.0.5 GET /cut\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" W3C_HEADER
            W3C_LINE;

    (void)context;
    run_bytes("iis_log", "x.log", slice_of(text, sizeof text - 1), "");
    assert_accounts(1, 1, 0);
    assert_told("|cs-uri-stem=/cut|");
    assert_int_equal(fake.last.number, 7);
}

static void a_cut_line_before_a_new_block_is_mended(void **context)
{
    (void)context;
    run("iis_log",
        W3C_HEADER W3C_LINE "2021-03-03 10:15:20 10.0.0.5 POST /owa/auth/x\r\n" W3C_HEADER W3C_LINE
                            "2021-03-03 10:15:2",
        "");
    assert_accounts(2, 1, 1);
    assert_noticed("cut short");
}

static void all_line_ends_are_understood(void **context)
{
    (void)context;
    run("iis_log",
        "#Fields: date time cs-uri-stem\n2021-03-03 10:00:00 /lf\n2021-03-03 10:00:01 "
        "/cr\r2021-03-03 10:00:02 /crlf\r\n",
        "");
    assert_accounts(3, 0, 0);
    assert_int_equal(fake.last.number, 4);
    assert_told("|cs-uri-stem=/cr|raw=2021-03-03 10:00:01 /cr\n");
}

static void bytes_that_are_not_utf8_stay_and_are_told(void **context)
{
    (void)context;
    run("iis_log",
        "#Fields: date time cs-uri-stem\n2021-03-03 10:00:00 /\xe4\n2021-03-03 10:00:00 "
        "/\xc3\xa4\n",
        NULL);
    assert_accounts(1, 1, 0);
    assert_noticed("not UTF-8");
}

static void utf16_keeps_the_places_of_the_evidence(void **context)
{
    static uint8_t text[2000];
    static const char plain[] =
        "#Fields: date time cs-uri-stem\n2021-03-03 10:00:00 /a\n2021-03-03 10:00:00 /b\n";

    (void)context;
    text[0] = 0xff, text[1] = 0xfe;
    for (size_t i = 0; i < sizeof plain - 1; i++)
        text[2 + 2 * i] = (uint8_t)plain[i];
    run_bytes("iis_log", "x.log", slice_of(text, 2 + 2 * (sizeof plain - 1)), "/b");
    assert_accounts(2, 0, 0);
    assert_int_equal(fake.last.offset, 2 + 2 * (strstr(plain, "2021-03-03 10:00:00 /b") - plain));
}

static void a_line_of_64_kib_is_one_record(void **context)
{
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    buffer_add_text(&text, "#Fields: date time cs-uri-stem cs-uri-query\n");
    for (unsigned i = 0; i < 20; i++) {
        buffer_add_text(&text, "2021-03-03 10:00:00 /a ");
        for (unsigned k = 0; k < 8000; k++)
            buffer_add_text(&text, "0123456789");
        buffer_add_text(&text, "\n");
    }
    run_bytes("iis_log", "x.log", buffer_slice(&text), "");
    assert_accounts(20, 0, 0);
    assert_int_equal(fake.event_count, 20);
    buffer_release(&text);
}

static void a_line_longer_than_any_window_is_searched_in_pieces(void **context)
{
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    buffer_add_text(&text, "#Fields: date time cs-uri-stem cs-uri-query\n2021-03-03 10:00:00 /a ");
    uint8_t *room = buffer_reserve(&text, 40 << 20);
    memset(room, 'q', 40 << 20);
    text.size += 40 << 20;
    buffer_add_text(&text, "needle\n2021-03-03 10:00:01 /b -\n");
    run_bytes("iis_log", "x.log", buffer_slice(&text), "needle");
    assert_accounts(1, 1, 0);
    assert_int_equal(fake.event_count, 1);
    assert_noticed("in pieces");
    assert_int_equal(fake.last.number, 2);
    buffer_release(&text);
}

static void a_damaged_place_costs_only_its_lines(void **context)
{
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    buffer_add_text(&text, W3C_HEADER);
    while (text.size < 600000)
        buffer_add_text(&text, W3C_LINE);
    fake_job_init(&fake, "iis_log", "x.log", buffer_slice(&text), NULL);
    fake.damage_from = 200000, fake.damage_to = 200100;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_true(fake.tally.used > 6000);
    assert_int_equal(fake.tally.rejected + fake.tally.repaired, 2);
    assert_true(fake.notice_count >= 2);
    buffer_release(&text);
}

static void native_logs_have_local_times(void **context)
{
    static struct host host;

    (void)context;
    host.zone.year_count = 1;
    host.zone.years[0].bias = -60;
    fake_job_init(&fake, "iis_log", "in010320.log",
                  SLICE_LITERAL("192.0.2.1, -, 03/20/01, 7:55:20, W3SVC2, SERVER, 10.0.0.5, 4502, "
                                "163, 3223, 200, 0, GET, /x.gif, a=1,b=2,\r\n"),
                  "");
    fake.job.host = &host;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    buffer_text(&fake.text);
    assert_accounts(0, 1, 0);
    assert_told("|web.request|1|2|2001-03-20T06:55:20.000000+00:00|c-ip=192.0.2.1|");
    assert_told("|cs-uri-query=a=1,b=2|");
    assert_string_equal(fake.time_text, "03/20/01, 7:55:20");
}

static void local_times_without_a_zone_are_undated(void **context)
{
    (void)context;
    run("iis_log",
        "192.0.2.1, -, 03/20/01, 7:55:20, W3SVC2, SERVER, 10.0.0.5, 4502, 163, 3223, 200, 0, GET, "
        "/x.gif, -,\r\n",
        "");
    assert_accounts(1, 0, 0);
    assert_told("|web.request|0|0||c-ip=");
    assert_noticed("undated");
    assert_true(instant_known(fake.tally.first));
}

static void common_log_lines_are_split(void **context)
{
    (void)context;
    run("iis_log",
        "192.0.2.1 - CORP\\fred [08/Apr/2001:17:39:04 -0800] \"GET /a/b.dll?http/serv HTTP/1.0\" "
        "200 3401\n"
        "not a line\n",
        "");
    assert_accounts(1, 0, 1);
    assert_told("2001-04-09T01:39:04.000000+00:00|c-ip=192.0.2.1|");
    assert_told("|cs-method=GET|cs-uri-stem=/a/b.dll|cs-uri-query=http/serv|cs-version=HTTP/"
                "1.0|sc-status=200|sc-bytes=3401|");
}

static void a_dirty_time_leaves_the_record_undated(void **context)
{
    (void)context;
    run("iis_log", "#Fields: date time cs-uri-stem\n2021-13-03 10:00:00 /a\n", "");
    assert_accounts(0, 1, 0);
    assert_told("|web.request|1|0||date=2021-13-03|");
}

/* --- HTTPERR and Exchange --- */

static void httperr_lines_are_http_errors(void **context)
{
    (void)context;
    run("httperr",
        "#Software: Microsoft HTTP API 2.0\r\n#Fields: date time c-ip c-port s-ip s-port "
        "cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\r\n"
        "2021-03-03 10:00:00 192.0.2.1 2094 10.0.0.5 443 HTTP/1.1 GET /a?b 503 1 ConnLimit "
        "Pool\r\n",
        "");
    assert_accounts(1, 0, 0);
    assert_told("|http.error|0|1|2021-03-03T10:00:00.000000+00:00|");
    assert_told("|cs-uri=/a?b|sc-status=503|s-siteid=1|s-reason=ConnLimit|s-queuename=Pool|");
}

static void httpproxy_rows_have_web_server_names_too(void **context)
{
    (void)context;
    run("exchange_httpproxy",
        "\xef\xbb\xbf"
        "DateTime,RequestId,UrlHost,UrlStem,AnchorMailbox,UserAgent,ClientIpAddress,HttpStatus,"
        "Method,UrlQuery\r\n"
        "#Software: Microsoft Exchange Server\r\n#Log-type: HttpProxy Logs\r\n"
        "#Fields: "
        "DateTime,RequestId,UrlHost,UrlStem,AnchorMailbox,UserAgent,ClientIpAddress,HttpStatus,"
        "Method,UrlQuery\r\n"
        "2021-03-03T10:00:00.123Z,id,h,/ecp/y.js,ServerInfo~a]@EX:444/"
        "x?#,curl,192.0.2.1,241,POST,?a=1\r\n",
        "ServerInfo~");
    assert_accounts(2, 0, 0);
    assert_int_equal(fake.event_count, 1);
    assert_told("2021-03-03T10:00:00.123000+00:00|DateTime=");
    assert_told("|@cs-method=POST|@cs-uri-stem=/ecp/"
                "y.js|@cs-uri-query=?a=1|@sc-status=241|@c-ip=192.0.2.1|@cs-user-agent=curl|");
    assert_string_equal(fake.last.sources[0].category, "webserver");
    assert_string_equal(fake.last.sources[1].product, "exchange");
}

static void an_exchange_log_without_header_gets_the_known_one(void **context)
{
    (void)context;
    run("exchange_ecp_server",
        "2021-03-03T10:00:00.123Z,EX01,ECP.Request,\"S:CMD=Set-OabVirtualDirectory.ExternalUrl=''a,"
        " b''\"\r\n",
        "");
    assert_accounts(1, 0, 0);
    assert_noticed("4 columns are assumed");
    assert_told("|EventData=S:CMD=Set-OabVirtualDirectory.ExternalUrl=''a, b''|");
}

static void a_record_over_lines_counts_once(void **context)
{
    (void)context;
    run("exchange_oab",
        "#Fields: Timestamp,RecordType,TraceId,OabGuid,AddressListGuid,Message\r\n"
        "2021-03-03T10:00:00.123Z,Info,1,2,3,\"one\r\ntwo, three\r\n\"\r\n"
        "2021-03-03T10:00:01.123Z,Info,1,2,3,four\r\n",
        "");
    assert_accounts(2, 0, 0);
    assert_told("|Message=one\r\ntwo, three\r\n|");
    assert_int_equal(fake.last.number, 5);
}

/* --- the same whatever is nominated --- */

static void mutate(struct buffer *text, unsigned seed)
{
    static const char bytes[] = "\",\",\n\r \0\xe4#x";

    srand(seed);
    for (unsigned i = 0; i < 40; i++)
        text->data[(size_t)rand() % text->size] =
            (uint8_t)bytes[(size_t)rand() % (sizeof bytes - 1)];
}

static void assert_same_accounts(const char *artifact, const struct buffer *text)
{
    struct tally without;

    run_bytes(artifact, "x.log", buffer_slice(text), NULL);
    without = fake.tally;
    release(NULL);
    run_bytes(artifact, "x.log", buffer_slice(text), "");
    assert_int_equal(fake.event_count >= fake.tally.records - fake.tally.used, 1);
    assert_memory_equal(&without, &fake.tally, sizeof without);
    release(NULL);
}

static void accounts_do_not_depend_on_nomination(void **context)
{
    (void)context;
    for (unsigned seed = 0; seed < 150; seed++) {
        struct buffer w3c = BUFFER_EMPTY, csv = BUFFER_EMPTY;
        buffer_add_text(&w3c, W3C_HEADER);
        buffer_add_text(
            &csv,
            "#Fields: DateTime,UrlStem,UserAgent,ClientIpAddress,HttpStatus,GenericErrors\r\n");
        for (unsigned i = 0; i < 60; i++) {
            buffer_add_text(&w3c, i % 3 ? W3C_LINE : W3C_LATER);
            buffer_format(&csv,
                          "2021-03-03T10:%02u:00.123Z,/owa/,\"c,u\"\"rl\",192.0.2.1,200,%s\r\n", i,
                          i % 5 ? "" : "\"at\r\nline, \"\"2\"\"\"");
        }
        mutate(&w3c, seed);
        mutate(&csv, seed + 1000);
        assert_same_accounts("iis_log", &w3c);
        assert_same_accounts("exchange_httpproxy", &csv);
        buffer_release(&w3c);
        buffer_release(&csv);
    }
}

static void windows_do_not_cut_records(void **context)
{
    struct buffer csv = BUFFER_EMPTY;
    unsigned count = 0;

    (void)context;
    buffer_add_text(&csv, "#Fields: DateTime,UrlStem,GenericErrors,HttpStatus\r\n");
    for (; csv.size < 1500000; count++)
        buffer_format(&csv, "2021-03-03T10:00:00.123Z,/%0*u,\"a\r\nb, %u\r\n\"\"c\"\"\",200\r\n",
                      1 + (int)(count % 97), 0, count);
    run_bytes("exchange_httpproxy", "x.log", buffer_slice(&csv), NULL);
    assert_accounts(count, 0, 0);
    release(NULL);
    run_bytes("exchange_httpproxy", "x.log", buffer_slice(&csv), "");
    assert_accounts(count, 0, 0);
    assert_int_equal(fake.event_count, count);
    assert_int_equal(fake.last.number, 2 + 3 * (count - 1));
    buffer_release(&csv);
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_log_is_counted_without_events),
        TEST(only_nominated_lines_become_events),
        TEST(columns_may_change_amid_a_file),
        TEST(a_missing_header_is_assumed_and_told),
        TEST(lines_without_a_known_header_are_rejected_and_searched),
        TEST(a_date_is_taken_from_the_directive),
        TEST(a_date_is_taken_from_the_name),
        TEST(nul_tails_are_no_records),
        TEST(a_hole_of_nuls_ends_a_record),
        TEST(a_cut_line_before_a_new_block_is_mended),
        TEST(all_line_ends_are_understood),
        TEST(bytes_that_are_not_utf8_stay_and_are_told),
        TEST(utf16_keeps_the_places_of_the_evidence),
        TEST(a_line_of_64_kib_is_one_record),
        TEST(a_line_longer_than_any_window_is_searched_in_pieces),
        TEST(a_damaged_place_costs_only_its_lines),
        TEST(native_logs_have_local_times),
        TEST(local_times_without_a_zone_are_undated),
        TEST(common_log_lines_are_split),
        TEST(a_dirty_time_leaves_the_record_undated),
        TEST(httperr_lines_are_http_errors),
        TEST(httpproxy_rows_have_web_server_names_too),
        TEST(an_exchange_log_without_header_gets_the_known_one),
        TEST(a_record_over_lines_counts_once),
        TEST(accounts_do_not_depend_on_nomination),
        TEST(windows_do_not_cut_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
