/* What helper programs send, and what artifacts make of it; the helper is a list of frames here. */
#include "tests/unit/fake_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "triage/formats/ese_header.h"
#include "triage/record/helper_rows.h"

enum { FRAMES = 32 };

static struct fake_job fake;
static struct buffer frames[FRAMES];
static size_t frame_count;
static const char *failure; /* of the helper, behind its frames; NULL: it is done */
static char asked[200];     /* the request, '|' for NUL */

static int answer(struct job *job, const char *helper, struct slice request,
                  int (*take)(void *context, struct slice frame), void *context)
{
    (void)job;
    snprintf(asked, sizeof asked, "%s:%.*s", helper, (int)request.size,
             request.size ? (const char *)request.data : "");
    for (size_t i = 0; i < frame_count; i++)
        if (take(context, buffer_slice(&frames[i])) < 0)
            return -1;
    return failure ? error_set("%s", failure) : 0;
}

static struct buffer *frame(void)
{
    return &frames[frame_count++];
}

static void start(const char *artifact, const char *path, struct slice bytes)
{
    fake_job_init(&fake, artifact, path, bytes, "");
    assert_non_null(fake.job.artifact);
    fake.services.ask = answer;
}

static int finish(void)
{
    const int result = fake.job.artifact->parse(&fake.job);

    assert_int_equal(fake.tally.records,
                     fake.tally.used + fake.tally.repaired + fake.tally.rejected);
    buffer_text(&fake.text);
    buffer_text(&fake.notices);
    return result;
}

static int release(void **context)
{
    (void)context;
    if (fake.job.arena)
        fake_job_release(&fake);
    memset(&fake, 0, sizeof fake);
    for (size_t i = 0; i < FRAMES; i++)
        buffer_release(&frames[i]);
    memset(frames, 0, sizeof frames);
    frame_count = 0;
    failure = NULL;
    return 0;
}

static void assert_told(const char *part)
{
    if (!strstr((char *)fake.text.data, part))
        fail_msg("no event holds \"%s\" in:\n%s", part, (char *)fake.text.data);
}

static void assert_noticed(const char *part)
{
    if (!strstr((char *)fake.notices.data, part))
        fail_msg("no notice holds \"%s\" in:\n%s", part, (char *)fake.notices.data);
}

/* --- frames --- */

static const char *const two[] = {"a", "b"};

static void a_row_is_read_as_it_was_written(void **context)
{
    static struct helper_reader reader;

    (void)context;
    helper_write_table(frame(), "T", two, 2);
    helper_write_row(frame(), 7, 99, HELPER_RECOVERED, 2);
    helper_write_whole(&frames[1], (uint64_t)-5);
    helper_write_bytes(&frames[1], HELPER_TEXT, SLICE_LITERAL("x"));
    assert_int_equal(helper_read(&reader, buffer_slice(&frames[0])), 0);
    assert_int_equal(helper_read(&reader, buffer_slice(&frames[1])), 0);
    assert_int_equal(reader.number, 7);
    assert_int_equal(reader.offset, 99);
    assert_int_equal(reader.marks, HELPER_RECOVERED);
    assert_int_equal((int64_t)helper_value(&reader, "a")->whole, -5);
    assert_true(slice_is(helper_value(&reader, "b")->bytes, "x"));
    assert_int_equal(helper_value(&reader, "c")->form, HELPER_NULL);
}

static void a_frame_may_not_be_cut_or_longer(void **context)
{
    static struct helper_reader reader;

    (void)context;
    helper_write_table(frame(), "T", two, 2);
    helper_write_row(frame(), 7, 99, 0, 2);
    helper_write_real(&frames[1], 1.5);
    helper_write_null(&frames[1]);
    assert_int_equal(helper_read(&reader, buffer_slice(&frames[0])), 0);
    for (size_t size = 0; size < frames[1].size; size++)
        assert_int_equal(helper_read(&reader, slice_part(buffer_slice(&frames[1]), 0, size)), -1);
    buffer_add_byte(&frames[1], 0);
    assert_int_equal(helper_read(&reader, buffer_slice(&frames[1])), -1);
}

static void a_row_needs_its_table(void **context)
{
    static struct helper_reader reader;

    (void)context;
    memset(&reader, 0, sizeof reader);
    helper_write_row(frame(), 0, 0, 0, 0);
    assert_int_equal(helper_read(&reader, buffer_slice(&frames[0])), -1);
}

static void a_name_may_not_hold_a_nul(void **context)
{
    static struct helper_reader reader;

    (void)context;
    buffer_add(frame(), SLICE_LITERAL("\x01\x03\0\0\0a\0b\0\0"));
    assert_int_equal(helper_read(&reader, buffer_slice(&frames[0])), -1);
}

static void the_state_of_a_database_is_told(void **context)
{
    uint8_t head[240] = {[4] = 0xEF, 0xCD, 0xAB, 0x89, [52] = ESE_DIRTY, [237] = 0x10};
    struct ese_header header;

    (void)context;
    assert_true(ese_header_read(slice_of(head, sizeof head), &header));
    assert_int_equal(header.page_size, 4096);
    assert_non_null(ese_state_notice(header.state));
    assert_null(ese_state_notice(ESE_CLEAN));
    assert_false(ese_header_read(slice_of(head, 239), &header));
}

/* --- SRUM --- */

static const char *const map_columns[] = {"IdType", "IdIndex", "IdBlob"};
static const char *const net_columns[] = {"AutoIncId", "TimeStamp", "AppId",
                                          "UserId",    "BytesSent", "BytesRecvd"};
#define NETWORK "{973F5D5C-1D90-4944-BE8E-24B94231A174}"

static void put_name(uint64_t type, uint64_t index, struct slice blob)
{
    struct buffer *row = frame();

    helper_write_row(row, 0, HELPER_NO_OFFSET, 0, 3);
    helper_write_whole(row, type);
    helper_write_whole(row, index);
    helper_write_bytes(row, HELPER_BYTES, blob);
}

static void put_usage(uint64_t id, double day, uint64_t app, uint64_t sent)
{
    struct buffer *row = frame();

    helper_write_row(row, id, HELPER_NO_OFFSET, 0, 6);
    helper_write_whole(row, id);
    helper_write_real(row, day);
    helper_write_whole(row, app);
    helper_write_whole(row, 2);
    helper_write_whole(row, sent);
    helper_write_whole(row, 5);
}

static void put_srum_names(void)
{
    helper_write_table(frame(), "SruDbIdMapTable", map_columns, 3);
    put_name(0, 1, SLICE_LITERAL("\\\0d\0\\\0a\0.\0e\0x\0e\0\0"));
    put_name(3, 2, SLICE_LITERAL("\1\1\0\0\0\0\0\5\x12\0\0\0"));
    helper_write_table(frame(), NETWORK, net_columns, 6);
}

static void a_usage_row_has_the_names_of_program_and_user(void **context)
{
    (void)context;
    start("srum", "Windows/System32/sru/SRUDB.dat", SLICE_LITERAL("x"));
    put_srum_names();
    put_usage(11, 44259.0, 1, 1000);
    assert_int_equal(finish(), 0);
    assert_told("11|0|srum.network|0|1|2021-03-04T00:00:00.000000+00:00|Application=\\d\\a.exe|"
                "FileName=a.exe|UserSid=S-1-5-18|BytesSent=1000|BytesReceived=5|");
    assert_int_equal(strncmp(asked, "ese:SruDbIdMapTable", 19), 0);
}

static void sums_are_facts_and_no_records(void **context)
{
    (void)context;
    start("srum", "SRUDB.dat", SLICE_LITERAL("x"));
    put_srum_names();
    put_usage(1, 44259.0, 1, 1000);
    put_usage(2, 44259.5, 1, 2000);
    assert_int_equal(finish(), 0);
    assert_int_equal(fake.tally.records, 2);
    assert_int_equal(fake.event_count, 3);
    assert_told("srum.total|16|1|2021-03-04T12:00:00.000000+00:00|Application=\\d\\a.exe");
    assert_told("|BytesSent=3000|BytesReceived=10|Intervals=2|");
}

static void a_row_without_a_time_is_repaired(void **context)
{
    (void)context;
    start("srum", "SRUDB.dat", SLICE_LITERAL("x"));
    put_srum_names();
    put_usage(1, -1e300, 1, 1000);
    assert_int_equal(finish(), 0);
    assert_int_equal(fake.tally.repaired, 1);
    assert_noticed("1 rows have no time that can be");
}

static void a_helper_that_dies_costs_the_rest(void **context)
{
    (void)context;
    start("srum", "SRUDB.dat", SLICE_LITERAL("x"));
    put_srum_names();
    put_usage(1, 44259.0, 1, 1000);
    failure = "it crashed";
    assert_int_equal(finish(), 0);
    assert_int_equal(fake.tally.used, 1);
    assert_noticed("the rest of the database is missing: it crashed");
}

static void a_helper_that_says_nothing_is_an_error(void **context)
{
    (void)context;
    start("srum", "SRUDB.dat", SLICE_LITERAL("x"));
    failure = "built without libesedb";
    assert_int_equal(finish(), -1);
    assert_string_equal(error_text(), "built without libesedb");
}

static void without_helpers_nothing_is_read(void **context)
{
    (void)context;
    start("eventlog_classic", "a.evt", SLICE_LITERAL("x"));
    fake.services.ask = NULL;
    assert_int_equal(finish(), -1);
}

static void a_helper_that_lies_is_stopped(void **context)
{
    (void)context;
    start("srum", "SRUDB.dat", SLICE_LITERAL("x"));
    put_srum_names();
    put_usage(1, 44259.0, 1, 1000);
    helper_write_table(frame(), "Secrets", two, 2);
    helper_write_row(frame(), 0, 0, 0, 2);
    helper_write_null(&frames[frame_count - 1]);
    helper_write_null(&frames[frame_count - 1]);
    assert_int_equal(finish(), 0);
    assert_noticed("a table that was not asked for");
}

static void notices_of_a_helper_are_plain_text(void **context)
{
    (void)context;
    start("srum", "SRUDB.dat", SLICE_LITERAL("x"));
    put_srum_names();
    helper_write_notice(frame(), UINT64_MAX, "bad\x1b[31m\nthing");
    assert_int_equal(finish(), 0);
    assert_noticed("0: bad?[31m?thing\n");
}

/* --- classic event logs --- */

static const char *const log_columns[] = {"event_id", "type",     "category", "created", "written",
                                          "source",   "computer", "sid",      "strings", "data"};

static void put_record(uint64_t number, uint64_t offset, unsigned marks, uint64_t seconds)
{
    struct buffer *row = frame();

    helper_write_row(row, number, offset, marks, 10);
    helper_write_whole(row, 0x40001B7B);
    helper_write_whole(row, 1);
    helper_write_whole(row, 3);
    helper_write_whole(row, seconds);
    helper_write_whole(row, seconds);
    helper_write_bytes(row, HELPER_TEXT, SLICE_LITERAL("Source"));
    helper_write_bytes(row, HELPER_TEXT, SLICE_LITERAL("WEB1"));
    helper_write_null(row);
    helper_write_bytes(row, HELPER_TEXT, SLICE_LITERAL("one\0\0three\0"));
    helper_write_bytes(row, HELPER_BYTES, SLICE_LITERAL("\xAB\x01"));
}

#define LOG_HEADER                                                                                 \
    "\x30\0\0\0LfLe\1\0\0\0\1\0\0\0\x30\0\0\0\x30\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0"           \
    "\0\0\0\0\x30\0\0\0"
#define LOG_RECORD                                                                                 \
    "\x40\0\0\0LfLe\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"       \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0"

static void start_log(const char *path)
{
    start("eventlog_classic", path, SLICE_LITERAL(LOG_HEADER LOG_RECORD));
    helper_write_table(frame(), "records", log_columns, 10);
}

static void a_classic_record_has_the_names_of_a_modern_one(void **context)
{
    (void)context;
    start_log("Windows/System32/config/SysEvent.Evt");
    put_record(5, 48, 0, 1614816000);
    assert_int_equal(finish(), 0);
    assert_int_equal(fake.tally.used, 1);
    assert_told("5|48|eventlog.event|0|1|2021-03-04T00:00:00.000000+00:00|Provider_Name=Source|"
                "EventID=7035|Qualifiers=16384|Level=2|Keywords=0x80000000000000|Task=3|");
    assert_told("|EventRecordID=5|Channel=System|Computer=WEB1|Data0=one|Data1=|Data2=three|"
                "Binary=AB01|");
    assert_noticed("was not closed properly (dirty)");
}

static void a_record_must_stand_where_the_helper_says(void **context)
{
    (void)context;
    start_log("x.evt");
    put_record(6, 48, 0, 1614816000);
    put_record(5, UINT64_MAX, 0, 1614816000);
    assert_int_equal(finish(), 0);
    assert_int_equal(fake.tally.repaired, 2);
    assert_noticed("48: record 6 does not stand where it was read");
    assert_told("|Channel=x|");
}

static void gaps_and_jumps_back_are_told(void **context)
{
    (void)context;
    start_log("AppEvent.evt");
    put_record(5, 48, 0, 1614816000);
    put_record(8, 48, 0, 1614815000);
    put_record(3, 48, HELPER_RECOVERED, 1614810000);
    assert_int_equal(finish(), 0);
    assert_int_equal(fake.tally.backward, 1);
    assert_noticed("1 gaps, 2 are missing");
    assert_noticed("unused space: 1 records recovered");
}

static void a_log_that_wraps_is_no_jump_of_the_clock(void **context)
{
    (void)context;
    start_log("AppEvent.evt");
    put_record(5, 48, 0, 1614816000);
    put_record(4, 48, 0, 1614815000);
    assert_int_equal(finish(), 0);
    assert_int_equal(fake.tally.backward, 0);
}

static void classic_logs_are_known_by_their_content(void **context)
{
    const struct artifact *artifact = artifact_by_name("eventlog_classic");

    (void)context;
    assert_true(artifact->recognise(SLICE_LITERAL(LOG_HEADER), "anything"));
    assert_false(artifact->recognise(SLICE_LITERAL("ElfFile"), "a.evtx"));
}

/* --- BITS without its tables --- */

static void a_queue_that_cannot_be_read_is_searched(void **context)
{
    static const char database[] = "\0\0\0\0\xEF\xCD\xAB\x89";
    struct buffer bytes = BUFFER_EMPTY;

    (void)context;
    buffer_add(&bytes, slice_of(database, 8));
    while (bytes.size < 4096)
        buffer_add_byte(&bytes, bytes.size == 52 ? ESE_CLEAN : 0);
    buffer_add(&bytes, SLICE_LITERAL("\xE4\xCF\x9E\x51\x46\xD9\x97\x43\xB7\x3E\x26\x85\x13\x05\x1A"
                                     "\xB2\5\0\0\0C\0:\0\\\0a\0\0\0\2\0\0\0u\0\0\0"));
    start("bits_jobs", "qmgr.db", buffer_slice(&bytes));
    failure = "built without libesedb";
    assert_int_equal(finish(), 0);
    assert_told("|RemoteName=u|LocalName=C:\\a|");
    assert_noticed("its tables could not be read (built without libesedb)");
    buffer_release(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, release)
    const struct CMUnitTest tests[] = {
        TEST(a_row_is_read_as_it_was_written),
        TEST(a_frame_may_not_be_cut_or_longer),
        TEST(a_row_needs_its_table),
        TEST(a_name_may_not_hold_a_nul),
        TEST(the_state_of_a_database_is_told),
        TEST(a_usage_row_has_the_names_of_program_and_user),
        TEST(sums_are_facts_and_no_records),
        TEST(a_row_without_a_time_is_repaired),
        TEST(a_helper_that_dies_costs_the_rest),
        TEST(a_helper_that_says_nothing_is_an_error),
        TEST(without_helpers_nothing_is_read),
        TEST(a_helper_that_lies_is_stopped),
        TEST(notices_of_a_helper_are_plain_text),
        TEST(a_classic_record_has_the_names_of_a_modern_one),
        TEST(a_record_must_stand_where_the_helper_says),
        TEST(gaps_and_jumps_back_are_told),
        TEST(a_log_that_wraps_is_no_jump_of_the_clock),
        TEST(classic_logs_are_known_by_their_content),
        TEST(a_queue_that_cannot_be_read_is_searched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
