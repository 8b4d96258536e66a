/* Event logs: the format, and what the artifact makes of it. */
#include "tests/unit/evtx_writer.h"
#include "tests/unit/fake_job.h"
#include "triage/formats/evtx.h"
#include "triage/formats/evtx_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { CHUNK_AT = 4096 };

#define TICKS UINT64_C(132592401191620000) /* 2021-03-03T10:15:19.162 */

static const struct log_entry logon = {.id = 7,
                                       .ticks = TICKS,
                                       .provider = "Microsoft-Windows-Security-Auditing",
                                       .channel = "Security",
                                       .event_id = 4624,
                                       .fields = {{"TargetUserName", 1, "Administrator"},
                                                  {"LogonType", 8, "3"},
                                                  {"IpAddress", 1, "192.0.2.7"}}};
static const struct log_entry process = {
    .id = 8,
    .ticks = TICKS + 10000000,
    .provider = "Microsoft-Windows-Security-Auditing",
    .channel = "Security",
    .event_id = 4688,
    .fields = {{"NewProcessName", 1, "C:\\Windows\\System32\\cmd.exe"},
               {"ParentProcessName", 1, "C:\\Windows\\System32\\inetsrv\\w3wp.exe"},
               {"CommandLine", 1, "cmd /c whoami"}}};
static const struct log_entry cmdlet = {
    .id = 9,
    .ticks = TICKS,
    .provider = "MSExchange CmdletLogs",
    .channel = "MSExchange Management",
    .event_id = 1,
    .fields = {{NULL, 0x81, "New-MailboxExportRequest|-Mailbox \"x\"|admin||S-1-5"}}};

/* --- the format --- */

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

static struct slice one_record(struct evtx_writer *writer, const struct log_entry *entry)
{
    evtx_writer_start(writer);
    evtx_writer_add(writer, entry);
    return evtx_writer_finish(writer, 0);
}

static void a_record_has_its_values(void **state)
{
    struct evtx_writer writer;
    (void)state;

    assert_string_equal(values_of(one_record(&writer, &logon)),
                        "state=0 problem=none\n"
                        "Provider_Name=Microsoft-Windows-Security-Auditing\n"
                        "EventID=4624\n"
                        "SystemTime=2021-03-03T10:15:19.1620000Z\n"
                        "EventRecordID=7\n"
                        "Channel=Security\n"
                        "TargetUserName=Administrator\n"
                        "LogonType=3\n"
                        "IpAddress=192.0.2.7\n");
    evtx_writer_release(&writer);
}

static void a_template_serves_later_records(void **state)
{
    struct evtx_writer writer;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_add(&writer, &process);
    const char *values = values_of(evtx_writer_finish(&writer, 0));
    assert_non_null(strstr(values, "EventRecordID=8\nChannel=Security\nNewProcessName=C:\\"));
    evtx_writer_release(&writer);
}

static void plain_elements_have_no_dependency_number(void **state)
{
    struct evtx_writer writer;
    struct log_entry entry = logon;
    (void)state;

    entry.literal = true;
    const char *values = values_of(one_record(&writer, &entry));
    assert_non_null(strstr(values, "problem=none"));
    assert_non_null(strstr(values, "TargetUserName=Administrator\nLogonType=3\n"));
    evtx_writer_release(&writer);
}

static void an_array_makes_as_many_values_as_it_has_items(void **state)
{
    struct evtx_writer writer;
    (void)state;

    assert_non_null(strstr(values_of(one_record(&writer, &cmdlet)),
                           "Data=New-MailboxExportRequest\nData=-Mailbox \"x\"\nData=admin\nData=\n"
                           "Data=S-1-5\n"));
    evtx_writer_release(&writer);
}

static void an_empty_unnamed_value_keeps_its_place(void **state)
{
    struct evtx_writer writer;
    struct log_entry entry = logon;
    (void)state;

    entry.literal = true;
    entry.fields[0] = (struct log_field){NULL, 1, "a"};
    entry.fields[1] = (struct log_field){NULL, 1, ""};
    entry.fields[2] = (struct log_field){NULL, 1, "c"};
    assert_non_null(strstr(values_of(one_record(&writer, &entry)), "Data=a\nData=\nData=c\n"));
    evtx_writer_release(&writer);
}

static void xml_is_what_windows_shows(void **state)
{
    struct evtx_writer writer;
    struct evtx_decoder *decoder;
    struct evtx_span span;
    struct log_entry entry = logon;
    (void)state;

    entry.fields[0].text = "<a&\">";
    const struct slice chunk = slice_part(one_record(&writer, &entry), CHUNK_AT, EVTX_CHUNK_SIZE);
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
    evtx_writer_release(&writer);
}

static void checksums_are_checked(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice file = one_record(&writer, &logon);
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
    evtx_writer_release(&writer);
}

static void a_chunk_that_says_so_needs_no_checksums(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice chunk = slice_part(one_record(&writer, &logon), CHUNK_AT, EVTX_CHUNK_SIZE);
    writer.file.data[CHUNK_AT + 120] = EVTX_NO_CHECKSUM;
    writer.file.data[CHUNK_AT + 700] ^= 1;
    assert_true(evtx_chunk_header_read(chunk).records_ok);
    evtx_writer_release(&writer);
}

static void a_chunk_without_a_header_is_still_read(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice file = one_record(&writer, &logon);
    writer.file.data[CHUNK_AT] = 0;
    const char *values = values_of(file);
    assert_non_null(strstr(values, "state=1 problem=none"));
    assert_non_null(strstr(values, "TargetUserName=Administrator"));
    evtx_writer_release(&writer);
}

static void a_template_outside_of_the_chunk_is_a_problem(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice file = one_record(&writer, &logon);
    /* record head 24, fragment head 4, token, version, id 4: there stands the template's place */
    writer.file.data[CHUNK_AT + 512 + 24 + 4 + 6 + 2] = 0xFF;
    assert_non_null(strstr(values_of(file), "problem=a template lies outside of the chunk"));
    evtx_writer_release(&writer);
}

/* Its definition is made to begin where the record itself does, which asks for it again. */
static void a_template_that_holds_itself_ends(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice file = one_record(&writer, &logon);
    uint8_t *place = &writer.file.data[CHUNK_AT + 512 + 24 + 4 + 6];
    place[0] = 0;
    place[1] = 2; /* 512: 24 bytes of a head, and the fragment of the record stands behind it */
    assert_null(strstr(values_of(file), "problem=none"));
    evtx_writer_release(&writer);
}

static void a_name_that_was_overwritten_is_a_problem(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice file = one_record(&writer, &logon);
    const size_t at = slice_find_nocase(file, CHUNK_AT, slice_of("S\0y\0s\0t\0e\0m", 11));
    writer.file.data[at] = 'X';
    assert_non_null(strstr(values_of(file), "problem=a name was overwritten"));
    evtx_writer_release(&writer);
}

static void records_go_on_behind_a_broken_one(void **state)
{
    struct evtx_writer writer;
    (void)state;

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
    evtx_writer_release(&writer);
}

static void mark_unused(struct evtx_writer *writer, size_t from)
{
    writer->file.data[CHUNK_AT + 48] = (uint8_t)(from - CHUNK_AT);
    writer->file.data[CHUNK_AT + 49] = (uint8_t)((from - CHUNK_AT) >> 8);
    evtx_writer_sum_chunk(writer, CHUNK_AT);
}

static void an_old_header_does_not_hide_newer_records(void **state)
{
    struct evtx_writer writer;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    const size_t second = writer.file.size;
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, 1);
    mark_unused(&writer, second);
    assert_null(strstr(values_of(file), "state=2"));
    evtx_writer_release(&writer);
}

static void a_record_in_slack_is_told_apart(void **state)
{
    struct evtx_writer writer;
    struct log_entry older = process;
    (void)state;

    older.id = 3;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    const size_t second = writer.file.size;
    evtx_writer_add(&writer, &older);
    const struct slice file = evtx_writer_finish(&writer, 0);
    mark_unused(&writer, second);
    assert_non_null(strstr(values_of(file), "state=2 problem=none"));
    evtx_writer_release(&writer);
}

/* Every prefix and every single changed byte of a record: no crash, and spans stay within the
 * chunk. */
static void any_damage_is_survived(void **state)
{
    struct evtx_writer writer;
    (void)state;

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
    evtx_writer_release(&writer);
}

static void check_value(uint8_t type, const char *bytes, size_t size, const char *expected)
{
    uint8_t room[256];
    struct evtx_text text = {room, 0, sizeof room, false};

    evtx_text_add_value(&text, type, slice_of(bytes, size));
    assert_true(slice_is(slice_of(room, text.size), expected));
}

static void values_have_the_text_of_their_type(void **state)
{
    (void)state;
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

static void a_value_that_is_cut_short_is_empty(void **state)
{
    (void)state;
    check_value(EVTX_UINT32, "\x01\x02", 2, "");
    check_value(EVTX_GUID, "\x01\x02", 2, "");
    check_value(EVTX_FILETIME, "", 0, "");
}

/* --- the artifact --- */

static struct fake_job fake;

static int parse(struct evtx_writer *writer, struct slice file)
{
    (void)writer;
    fake_job_init(&fake, "eventlog", "C:\\log.evtx", file, "");
    return fake.job.artifact->parse(&fake.job);
}

static void done(struct evtx_writer *writer)
{
    fake_job_release(&fake);
    evtx_writer_release(writer);
}

static void check_event(const char *part)
{
    if (!strstr(buffer_text(&fake.text), part))
        fail_msg("'%s' is not in %s", part, buffer_text(&fake.text));
}

static void check_notice(const char *part)
{
    if (!strstr(buffer_text(&fake.notices), part))
        fail_msg("'%s' is not in %s", part, buffer_text(&fake.notices));
}

static void a_process_has_sysmon_names_too(void **state)
{
    struct evtx_writer writer;
    (void)state;

    assert_int_equal(parse(&writer, one_record(&writer, &process)), 0);
    check_event("8|4608|eventlog.process|0|1|2021-03-03T10:15:20.162000+00:00|");
    check_event("|@Image=C:\\Windows\\System32\\cmd.exe|");
    check_event("|@ParentImage=C:\\Windows\\System32\\inetsrv\\w3wp.exe|");
    assert_string_equal(fake.last.sources[0].category, "process_creation");
    assert_string_equal(fake.last.sources[0].service, "security");
    assert_int_equal(fake.tally.used, 1);
    done(&writer);
}

static void a_cmdlet_has_its_sentence_and_the_names_of_the_other_log(void **state)
{
    struct evtx_writer writer;
    (void)state;

    assert_int_equal(parse(&writer, one_record(&writer, &cmdlet)), 0);
    check_event("|Data0=New-MailboxExportRequest|Data1=-Mailbox \"x\"|");
    check_event("|@Cmdlet=New-MailboxExportRequest|@Parameters=-Mailbox \"x\"|");
    check_event("@Message=Cmdlet suceeded. Cmdlet New-MailboxExportRequest, parameters "
                "-Mailbox \"x\".");
    assert_string_equal(fake.last.sources[1].service, "rps-cmdlet");
    done(&writer);
}

static void only_what_the_prefilter_nominates_becomes_an_event(void **state)
{
    struct evtx_writer writer;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_add(&writer, &process);
    fake_job_init(&fake, "eventlog", "x.evtx", evtx_writer_finish(&writer, 0), "whoami");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.last.number, 8);
    assert_int_equal(fake.tally.records, 2);
    done(&writer);
}

static struct log_entry script_part(uint64_t id, const char *number, const char *text)
{
    return (struct log_entry){.id = id,
                              .ticks = TICKS,
                              .provider = "Microsoft-Windows-PowerShell",
                              .channel = "Microsoft-Windows-PowerShell/Operational",
                              .event_id = 4104,
                              .fields = {{"MessageNumber", 1, number},
                                         {"MessageTotal", 1, "2"},
                                         {"ScriptBlockText", 1, text},
                                         {"ScriptBlockId", 1, "b1"}}};
}

static void a_script_block_in_parts_is_put_together(void **state)
{
    struct evtx_writer writer;
    const struct log_entry first = script_part(1, "1", "Invoke-Power"),
                           second = script_part(2, "2", "ShellTcp");
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &first);
    evtx_writer_add(&writer, &second);
    assert_int_equal(parse(&writer, evtx_writer_finish(&writer, 0)), 0);
    assert_int_equal(fake.event_count, 3);
    check_event("|MessageNumber=1-2|MessageTotal=2|ScriptBlockText=Invoke-PowerShellTcp|");
    assert_int_equal(fake.tally.records, 2);
    done(&writer);
}

static void a_script_block_without_its_end_is_told(void **state)
{
    struct evtx_writer writer;
    const struct log_entry first = script_part(1, "1", "a");
    (void)state;

    assert_int_equal(parse(&writer, one_record(&writer, &first)), 0);
    check_notice("1 PowerShell script blocks lack parts");
    done(&writer);
}

static void missing_record_ids_are_told(void **state)
{
    struct evtx_writer writer;
    struct log_entry later = logon;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    later.id = 20;
    evtx_writer_add(&writer, &later);
    evtx_writer_end_chunk(&writer);
    later.id = 31;
    evtx_writer_add(&writer, &later);
    assert_int_equal(parse(&writer, evtx_writer_finish(&writer, 0)), 0);
    check_notice("record ids have 2 gaps, 22 ids are missing");
    done(&writer);
}

static void a_clock_that_was_set_back_is_told(void **state)
{
    struct evtx_writer writer;
    struct log_entry later = logon;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &process);
    later.id = 9;
    evtx_writer_add(&writer, &later);
    assert_int_equal(parse(&writer, evtx_writer_finish(&writer, 0)), 0);
    assert_int_equal(fake.tally.backward, 1);
    check_notice("1 records are earlier than the one in front");
    done(&writer);
}

static void a_log_that_begins_again_at_its_start_is_no_jump(void **state)
{
    struct evtx_writer writer;
    struct log_entry earlier = logon;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &process);
    evtx_writer_end_chunk(&writer);
    earlier.id = 7;
    evtx_writer_add(&writer, &earlier);
    assert_int_equal(parse(&writer, evtx_writer_finish(&writer, 0)), 0);
    assert_int_equal(fake.tally.backward, 0);
    assert_int_equal(fake.notice_count, 0);
    done(&writer);
}

static void a_zeroed_chunk_is_told_and_the_others_are_read(void **state)
{
    struct evtx_writer writer;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, 0);
    memset(writer.file.data + CHUNK_AT, 0, EVTX_CHUNK_SIZE);
    assert_int_equal(parse(&writer, file), 0);
    assert_int_equal(fake.event_count, 1);
    check_notice("4096: chunk 0: nothing but zeros");
    done(&writer);
}

static void a_chunk_that_the_file_does_not_count_is_recovered(void **state)
{
    struct evtx_writer writer;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, 0);
    writer.file.data[42] = 1;
    assert_int_equal(parse(&writer, file), 0);
    assert_int_equal(fake.last.marks, EVENT_RECOVERED);
    assert_int_equal(fake.tally.used, 1);
    assert_int_equal(fake.tally.repaired, 1);
    check_notice("unused space: 1 records recovered");
    done(&writer);
}

static void a_dirty_log_may_have_more_chunks_than_it_counts(void **state)
{
    struct evtx_writer writer;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, EVTX_DIRTY);
    writer.file.data[42] = 1;
    assert_int_equal(parse(&writer, file), 0);
    assert_int_equal(fake.tally.used, 2);
    check_notice("not closed properly");
    done(&writer);
}

static void a_file_that_ends_within_a_chunk_is_read_so_far(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice file = one_record(&writer, &logon);
    assert_int_equal(parse(&writer, slice_part(file, 0, CHUNK_AT + 3000)), 0);
    assert_int_equal(fake.tally.records, 1);
    check_notice("chunk 0: it is cut short");
    done(&writer);
}

static void a_record_that_cannot_be_decoded_is_searched_as_text(void **state)
{
    struct evtx_writer writer;
    (void)state;

    const struct slice file = one_record(&writer, &process);
    writer.file.data[CHUNK_AT + 512 + 24 + 4 + 6 + 2] = 0xFF;
    assert_int_equal(parse(&writer, file), 0);
    assert_int_equal(fake.last.marks, EVENT_REJECTED);
    check_event("cmd /c whoami");
    assert_int_equal(fake.tally.rejected, 1);
    done(&writer);
}

static void bytes_that_cannot_be_read_cost_their_chunk_only(void **state)
{
    struct evtx_writer writer;
    (void)state;

    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    fake_job_init(&fake, "eventlog", "x.evtx", evtx_writer_finish(&writer, 0), "");
    fake.damage_from = CHUNK_AT + 600;
    fake.damage_to = CHUNK_AT + 700;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    check_notice("a chunk cannot be read");
    done(&writer);
}

static void what_is_no_event_log_is_refused(void **state)
{
    struct evtx_writer writer = {0};
    (void)state;

    assert_int_equal(parse(&writer, SLICE_LITERAL("MZ this is a program")), -1);
    done(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_has_its_values),
        cmocka_unit_test(a_template_serves_later_records),
        cmocka_unit_test(plain_elements_have_no_dependency_number),
        cmocka_unit_test(an_array_makes_as_many_values_as_it_has_items),
        cmocka_unit_test(an_empty_unnamed_value_keeps_its_place),
        cmocka_unit_test(xml_is_what_windows_shows),
        cmocka_unit_test(checksums_are_checked),
        cmocka_unit_test(a_chunk_that_says_so_needs_no_checksums),
        cmocka_unit_test(a_chunk_without_a_header_is_still_read),
        cmocka_unit_test(a_template_outside_of_the_chunk_is_a_problem),
        cmocka_unit_test(a_template_that_holds_itself_ends),
        cmocka_unit_test(a_name_that_was_overwritten_is_a_problem),
        cmocka_unit_test(records_go_on_behind_a_broken_one),
        cmocka_unit_test(an_old_header_does_not_hide_newer_records),
        cmocka_unit_test(a_record_in_slack_is_told_apart),
        cmocka_unit_test(any_damage_is_survived),
        cmocka_unit_test(values_have_the_text_of_their_type),
        cmocka_unit_test(a_value_that_is_cut_short_is_empty),
        cmocka_unit_test(a_process_has_sysmon_names_too),
        cmocka_unit_test(a_cmdlet_has_its_sentence_and_the_names_of_the_other_log),
        cmocka_unit_test(only_what_the_prefilter_nominates_becomes_an_event),
        cmocka_unit_test(a_script_block_in_parts_is_put_together),
        cmocka_unit_test(a_script_block_without_its_end_is_told),
        cmocka_unit_test(missing_record_ids_are_told),
        cmocka_unit_test(a_clock_that_was_set_back_is_told),
        cmocka_unit_test(a_log_that_begins_again_at_its_start_is_no_jump),
        cmocka_unit_test(a_zeroed_chunk_is_told_and_the_others_are_read),
        cmocka_unit_test(a_chunk_that_the_file_does_not_count_is_recovered),
        cmocka_unit_test(a_dirty_log_may_have_more_chunks_than_it_counts),
        cmocka_unit_test(a_file_that_ends_within_a_chunk_is_read_so_far),
        cmocka_unit_test(a_record_that_cannot_be_decoded_is_searched_as_text),
        cmocka_unit_test(bytes_that_cannot_be_read_cost_their_chunk_only),
        cmocka_unit_test(what_is_no_event_log_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
