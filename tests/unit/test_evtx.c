/* Event logs: chunks, records, and the values of their binary XML. */
#include "tests/unit/evtx_case.h"
#include "triage/formats/evtx_text.h"

#include <stdio.h>

/* All values of the first chunk's records, "name=text" a line. */
static char *values_of(struct slice file)
{
    static char text[65536];
    const struct slice chunk = slice_part(file, CHUNK_AT, EVTX_CHUNK_SIZE);
    const struct evtx_chunk_header header = evtx_chunk_header_read(chunk);
    struct evtx_walk walk = evtx_walk_over(chunk, &header);
    struct evtx_span span;
    struct evtx_decoder *decoder;
    size_t used = 0;

    assert_int_equal(evtx_decoder_new(&decoder), 0);
    evtx_decoder_chunk(decoder, chunk);
    text[0] = 0;
    while (evtx_walk_next(&walk, &span)) {
        struct evtx_record record;
        if (span.state == EVTX_BROKEN) {
            used += (size_t)snprintf(text + used, sizeof text - used, "broken\n");
            continue;
        }
        evtx_decode(decoder, &span, &record);
        used += (size_t)snprintf(text + used, sizeof text - used, "state=%d problem=%s\n",
                                 (int)span.state, record.problem ? record.problem : "none");
        for (size_t i = 0; i < record.value_count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s=%.*s\n",
                                     record.values[i].name->text, (int)record.values[i].text.size,
                                     (const char *)record.values[i].text.data);
    }
    evtx_decoder_free(decoder);
    return text;
}

static void a_record_has_its_values(void **context)
{
    (void)context;
    assert_string_equal(values_of(one_record(&logon)),
                        "state=0 problem=none\n"
                        "Provider_Name=Microsoft-Windows-Security-Auditing\n"
                        "EventID=4624\n"
                        "SystemTime=2021-03-03T10:15:19.1620000Z\n"
                        "EventRecordID=7\n"
                        "Channel=Security\n"
                        "TargetUserName=Administrator\n"
                        "LogonType=3\n"
                        "IpAddress=192.0.2.7\n");
}

static void a_template_serves_later_records(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_add(&writer, &process);
    const char *values = values_of(evtx_writer_finish(&writer, 0));
    assert_non_null(strstr(values, "EventRecordID=8\nChannel=Security\nNewProcessName=C:\\"));
}

static void plain_elements_have_no_dependency_number(void **context)
{
    struct log_entry entry = logon;
    (void)context;
    entry.literal = true;
    const char *values = values_of(one_record(&entry));
    assert_non_null(strstr(values, "problem=none"));
    assert_non_null(strstr(values, "TargetUserName=Administrator\nLogonType=3\n"));
}

static void an_array_makes_as_many_values_as_it_has_items(void **context)
{
    (void)context;
    assert_non_null(strstr(values_of(one_record(&cmdlet)),
                           "Data=New-MailboxExportRequest\nData=-Mailbox \"x\"\nData=admin\nData=\n"
                           "Data=S-1-5\n"));
}

static void an_empty_unnamed_value_keeps_its_place(void **context)
{
    struct log_entry entry = logon;
    (void)context;
    entry.literal = true;
    entry.fields[0] = (struct log_field){NULL, 1, "a"};
    entry.fields[1] = (struct log_field){NULL, 1, ""};
    entry.fields[2] = (struct log_field){NULL, 1, "c"};
    assert_non_null(strstr(values_of(one_record(&entry)), "Data=a\nData=\nData=c\n"));
}

static void xml_is_what_windows_shows(void **context)
{
    struct evtx_decoder *decoder;
    struct evtx_span span;
    struct log_entry entry = logon;
    (void)context;
    entry.fields[0].text = "<a&\">";
    const struct slice chunk = slice_part(one_record(&entry), CHUNK_AT, EVTX_CHUNK_SIZE);
    const struct evtx_chunk_header header = evtx_chunk_header_read(chunk);
    struct evtx_walk walk = evtx_walk_over(chunk, &header);
    assert_int_equal(evtx_decoder_new(&decoder), 0);
    evtx_decoder_chunk(decoder, chunk);
    assert_true(evtx_walk_next(&walk, &span));
    assert_true(slice_is(
        evtx_xml(decoder, &span),
        "<Event><System><Provider Name=\"Microsoft-Windows-Security-Auditing\"/>"
        "<EventID>4624</EventID><TimeCreated SystemTime=\"2021-03-03T10:15:19.1620000Z\"/>"
        "<EventRecordID>7</EventRecordID><Channel>Security</Channel></System><EventData>"
        "<Data Name=\"TargetUserName\">&lt;a&amp;&quot;&gt;</Data><Data Name=\"LogonType\">3</Data>"
        "<Data Name=\"IpAddress\">192.0.2.7</Data></EventData></Event>"));
    evtx_decoder_free(decoder);
}

static void checksums_are_checked(void **context)
{
    (void)context;
    const struct slice file = one_record(&logon);
    const struct slice chunk = slice_part(file, CHUNK_AT, EVTX_CHUNK_SIZE);
    assert_true(evtx_file_header_read(file).checksum_ok);
    assert_true(evtx_chunk_header_read(chunk).header_ok);
    assert_true(evtx_chunk_header_read(chunk).records_ok);
    writer.file.data[CHUNK_AT + 700] ^= 1;
    assert_true(evtx_chunk_header_read(chunk).header_ok);
    assert_false(evtx_chunk_header_read(chunk).records_ok);
    writer.file.data[CHUNK_AT + 24] ^= 1;
    assert_false(evtx_chunk_header_read(chunk).header_ok);
    writer.file.data[24] ^= 1;
    assert_false(evtx_file_header_read(file).checksum_ok);
}

static void a_chunk_that_says_so_needs_no_checksums(void **context)
{
    (void)context;
    const struct slice chunk = slice_part(one_record(&logon), CHUNK_AT, EVTX_CHUNK_SIZE);
    writer.file.data[CHUNK_AT + 120] = EVTX_NO_CHECKSUM;
    writer.file.data[CHUNK_AT + 700] ^= 1;
    assert_true(evtx_chunk_header_read(chunk).records_ok);
}

static void a_chunk_without_a_header_is_still_read(void **context)
{
    (void)context;
    const struct slice file = one_record(&logon);
    writer.file.data[CHUNK_AT] = 0;
    const char *values = values_of(file);
    assert_non_null(strstr(values, "state=1 problem=none"));
    assert_non_null(strstr(values, "TargetUserName=Administrator"));
}

static void a_template_outside_of_the_chunk_is_a_problem(void **context)
{
    (void)context;
    const struct slice file = one_record(&logon);
    /* record head 24, fragment head 4, token, version, id 4: there stands the template's place */
    writer.file.data[CHUNK_AT + 512 + 24 + 4 + 6 + 2] = 0xFF;
    assert_non_null(strstr(values_of(file), "problem=a template lies outside of the chunk"));
}

/* Its definition is made to begin where the record itself does, which asks for it again. */
static void a_template_that_holds_itself_ends(void **context)
{
    (void)context;
    const struct slice file = one_record(&logon);
    uint8_t *place = &writer.file.data[CHUNK_AT + 512 + 24 + 4 + 6];
    place[0] = 0;
    place[1] = 2; /* 512: 24 bytes of a head, and the fragment of the record stands behind it */
    assert_null(strstr(values_of(file), "problem=none"));
}

static void a_name_that_was_overwritten_is_a_problem(void **context)
{
    (void)context;
    const struct slice file = one_record(&logon);
    const size_t at = slice_find_nocase(file, CHUNK_AT, slice_of("S\0y\0s\0t\0e\0m", 11));
    writer.file.data[at] = 'X';
    assert_non_null(strstr(values_of(file), "problem=a name was overwritten"));
}

static void records_go_on_behind_a_broken_one(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    const size_t second = writer.file.size;
    evtx_writer_add(&writer, &process);
    struct log_entry third = logon;
    third.id = 9;
    evtx_writer_add(&writer, &third);
    const struct slice file = evtx_writer_finish(&writer, 0);
    writer.file.data[second + 4] ^= 8;
    const char *values = values_of(file);
    assert_non_null(strstr(values, "EventRecordID=7"));
    assert_non_null(strstr(values, "broken\nstate=1"));
    assert_non_null(strstr(values, "EventRecordID=9"));
}

static void mark_unused(size_t from)
{
    writer.file.data[CHUNK_AT + 48] = (uint8_t)(from - CHUNK_AT);
    writer.file.data[CHUNK_AT + 49] = (uint8_t)((from - CHUNK_AT) >> 8);
    evtx_writer_sum_chunk(&writer, CHUNK_AT);
}

static void an_old_header_does_not_hide_newer_records(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    const size_t second = writer.file.size;
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, 1);
    mark_unused(second);
    assert_null(strstr(values_of(file), "state=2"));
}

static void a_record_in_slack_is_told_apart(void **context)
{
    struct log_entry older = process;
    (void)context;
    older.id = 3;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    const size_t second = writer.file.size;
    evtx_writer_add(&writer, &older);
    const struct slice file = evtx_writer_finish(&writer, 0);
    mark_unused(second);
    assert_non_null(strstr(values_of(file), "state=2 problem=none"));
}

/* Every prefix and every single changed byte of a record: no crash, and spans stay within the
 * chunk. */
static void any_damage_is_survived(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_add(&writer, &cmdlet);
    const size_t end = writer.file.size;
    const struct slice file = evtx_writer_finish(&writer, 0);
    for (size_t at = CHUNK_AT + 512; at < end; at++) {
        const uint8_t was = writer.file.data[at];
        writer.file.data[at] = (uint8_t)(was ^ 0xFF);
        values_of(file);
        writer.file.data[at] = was;
        values_of(slice_part(file, 0, at));
    }
    assert_non_null(strstr(values_of(file), "EventRecordID=9"));
}

static void check_value(uint8_t type, const char *bytes, size_t size, const char *expected)
{
    uint8_t room[256];
    struct evtx_text text = {room, 0, sizeof room, false};

    evtx_text_add_value(&text, type, slice_of(bytes, size));
    assert_true(slice_is(slice_of(room, text.size), expected));
}

static void values_have_the_text_of_their_type(void **context)
{
    (void)context;
    check_value(EVTX_INT8, "\xFE", 1, "-2");
    check_value(EVTX_INT64, "\x00\x00\x00\x00\x00\x00\x00\x80", 8, "-9223372036854775808");
    check_value(EVTX_UINT64, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, "18446744073709551615");
    check_value(EVTX_HEX32, "\xE3\x9A\x52\x00", 4, "0x529ae3");
    check_value(EVTX_HEX64, "\x00\x00\x00\x00\x00\x00\x00\x80", 8, "0x8000000000000000");
    check_value(EVTX_BOOL, "\x01\x00\x00\x00", 4, "true");
    check_value(EVTX_BINARY, "\x0A\xFF", 2, "0AFF");
    check_value(EVTX_GUID, "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF", 16,
                "{00112233-4455-6677-8899-AABBCCDDEEFF}");
    check_value(EVTX_SID, "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00", 16,
                "S-1-5-32-544");
    check_value(EVTX_SYSTEMTIME, "\xE5\x07\x03\x00\x03\x00\x03\x00\x0A\x00\x0F\x00\x13\x00\xA2\x00",
                16, "2021-03-03T10:15:19.162Z");
    check_value(EVTX_ANSI, "caf\xE9\0", 5, "caf\xC3\xA9");
    check_value(EVTX_STRING, "\x3D\xD8\x00\xDE\x00\xD8", 6, "\xF0\x9F\x98\x80\xEF\xBF\xBD");
    check_value(EVTX_REAL64, "\x00\x00\x00\x00\x00\x00\xF8\x3F", 8, "1.5");
}

static void a_value_that_is_cut_short_is_empty(void **context)
{
    (void)context;
    check_value(EVTX_UINT32, "\x01\x02", 2, "");
    check_value(EVTX_GUID, "\x01\x02", 2, "");
    check_value(EVTX_FILETIME, "", 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_has_its_values),
        TEST(a_template_serves_later_records),
        TEST(plain_elements_have_no_dependency_number),
        TEST(an_array_makes_as_many_values_as_it_has_items),
        TEST(an_empty_unnamed_value_keeps_its_place),
        TEST(xml_is_what_windows_shows),
        TEST(checksums_are_checked),
        TEST(a_chunk_that_says_so_needs_no_checksums),
        TEST(a_chunk_without_a_header_is_still_read),
        TEST(a_template_outside_of_the_chunk_is_a_problem),
        TEST(a_template_that_holds_itself_ends),
        TEST(a_name_that_was_overwritten_is_a_problem),
        TEST(records_go_on_behind_a_broken_one),
        TEST(an_old_header_does_not_hide_newer_records),
        TEST(a_record_in_slack_is_told_apart),
        TEST(any_damage_is_survived),
        TEST(values_have_the_text_of_their_type),
        TEST(a_value_that_is_cut_short_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
