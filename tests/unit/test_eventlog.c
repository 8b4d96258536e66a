/* What the artifact makes of event logs. */
#include "tests/unit/evtx_case.h"

static int parse(struct slice file)
{
    start_job("eventlog", "C:\\log.evtx", file, "");
    return fake.job.artifact->parse(&fake.job);
}

static void a_process_has_sysmon_names_too(void **context)
{
    (void)context;
    assert_int_equal(parse(one_record(&process)), 0);
    assert_told("8|4608|eventlog.process|0|1|2021-03-03T10:15:20.162000+00:00|");
    assert_told("|@Image=C:\\Windows\\System32\\cmd.exe|");
    assert_told("|@ParentImage=C:\\Windows\\System32\\inetsrv\\w3wp.exe|");
    assert_string_equal(fake.last.sources[0].category, "process_creation");
    assert_string_equal(fake.last.sources[0].service, "security");
    assert_int_equal(fake.tally.used, 1);
}

static void a_cmdlet_has_its_sentence_and_the_names_of_the_other_log(void **context)
{
    (void)context;
    assert_int_equal(parse(one_record(&cmdlet)), 0);
    assert_told("|Data0=New-MailboxExportRequest|Data1=-Mailbox \"x\"|");
    assert_told("|@Cmdlet=New-MailboxExportRequest|@Parameters=-Mailbox \"x\"|");
    assert_told("@Message=Cmdlet suceeded. Cmdlet New-MailboxExportRequest, parameters "
                "-Mailbox \"x\".");
    assert_string_equal(fake.last.sources[1].service, "rps-cmdlet");
}

static void only_what_the_prefilter_nominates_becomes_an_event(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_add(&writer, &process);
    fake_job_init(&fake, "eventlog", "x.evtx", evtx_writer_finish(&writer, 0), "whoami");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.last.number, 8);
    assert_int_equal(fake.tally.records, 2);
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

static void a_script_block_in_parts_is_put_together(void **context)
{
    const struct log_entry first = script_part(1, "1", "Invoke-Power"),
                           second = script_part(2, "2", "ShellTcp");
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &first);
    evtx_writer_add(&writer, &second);
    assert_int_equal(parse(evtx_writer_finish(&writer, 0)), 0);
    assert_int_equal(fake.event_count, 3);
    assert_told("|MessageNumber=1-2|MessageTotal=2|ScriptBlockText=Invoke-PowerShellTcp|");
    assert_int_equal(fake.tally.records, 2);
}

static void a_script_block_without_its_end_is_told(void **context)
{
    const struct log_entry first = script_part(1, "1", "a");
    (void)context;
    assert_int_equal(parse(one_record(&first)), 0);
    assert_noticed("1 PowerShell script blocks lack parts");
}

static void missing_record_ids_are_told(void **context)
{
    struct log_entry later = logon;
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    later.id = 20;
    evtx_writer_add(&writer, &later);
    evtx_writer_end_chunk(&writer);
    later.id = 31;
    evtx_writer_add(&writer, &later);
    assert_int_equal(parse(evtx_writer_finish(&writer, 0)), 0);
    assert_noticed("record ids have 2 gaps, 22 ids are missing");
}

static void a_clock_that_was_set_back_is_told(void **context)
{
    struct log_entry later = logon;
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &process);
    later.id = 9;
    evtx_writer_add(&writer, &later);
    assert_int_equal(parse(evtx_writer_finish(&writer, 0)), 0);
    assert_int_equal(fake.tally.backward, 1);
    assert_noticed("1 records are earlier than the one in front");
}

static void a_log_that_begins_again_at_its_start_is_no_jump(void **context)
{
    struct log_entry earlier = logon;
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &process);
    evtx_writer_end_chunk(&writer);
    earlier.id = 7;
    evtx_writer_add(&writer, &earlier);
    assert_int_equal(parse(evtx_writer_finish(&writer, 0)), 0);
    assert_int_equal(fake.tally.backward, 0);
    assert_int_equal(fake.notice_count, 0);
}

static void a_zeroed_chunk_is_told_and_the_others_are_read(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, 0);
    memset(writer.file.data + CHUNK_AT, 0, EVTX_CHUNK_SIZE);
    assert_int_equal(parse(file), 0);
    assert_int_equal(fake.event_count, 1);
    assert_noticed("4096: chunk 0: nothing but zeros");
}

static void a_chunk_that_the_file_does_not_count_is_recovered(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, 0);
    writer.file.data[42] = 1;
    assert_int_equal(parse(file), 0);
    assert_int_equal(fake.last.marks, EVENT_RECOVERED);
    assert_int_equal(fake.tally.used, 1);
    assert_int_equal(fake.tally.repaired, 1);
    assert_noticed("unused space: 1 records recovered");
}

static void a_dirty_log_may_have_more_chunks_than_it_counts(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    const struct slice file = evtx_writer_finish(&writer, EVTX_DIRTY);
    writer.file.data[42] = 1;
    assert_int_equal(parse(file), 0);
    assert_int_equal(fake.tally.used, 2);
    assert_noticed("not closed properly");
}

static void a_file_that_ends_within_a_chunk_is_read_so_far(void **context)
{
    (void)context;
    const struct slice file = one_record(&logon);
    assert_int_equal(parse(slice_part(file, 0, CHUNK_AT + 3000)), 0);
    assert_int_equal(fake.tally.records, 1);
    assert_noticed("chunk 0: it is cut short");
}

static void a_record_that_cannot_be_decoded_is_searched_as_text(void **context)
{
    (void)context;
    const struct slice file = one_record(&process);
    writer.file.data[CHUNK_AT + 512 + 24 + 4 + 6 + 2] = 0xFF;
    assert_int_equal(parse(file), 0);
    assert_int_equal(fake.last.marks, EVENT_REJECTED);
    assert_told("cmd /c whoami");
    assert_int_equal(fake.tally.rejected, 1);
}

static void bytes_that_cannot_be_read_cost_their_chunk_only(void **context)
{
    (void)context;
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, &logon);
    evtx_writer_end_chunk(&writer);
    evtx_writer_add(&writer, &process);
    fake_job_init(&fake, "eventlog", "x.evtx", evtx_writer_finish(&writer, 0), "");
    fake.damage_from = CHUNK_AT + 600;
    fake.damage_to = CHUNK_AT + 700;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_noticed("a chunk cannot be read");
}

static void what_is_no_event_log_is_refused(void **context)
{
    (void)context;
    assert_int_equal(parse(SLICE_LITERAL("MZ this is a program")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_process_has_sysmon_names_too),
        TEST(a_cmdlet_has_its_sentence_and_the_names_of_the_other_log),
        TEST(only_what_the_prefilter_nominates_becomes_an_event),
        TEST(a_script_block_in_parts_is_put_together),
        TEST(a_script_block_without_its_end_is_told),
        TEST(missing_record_ids_are_told),
        TEST(a_clock_that_was_set_back_is_told),
        TEST(a_log_that_begins_again_at_its_start_is_no_jump),
        TEST(a_zeroed_chunk_is_told_and_the_others_are_read),
        TEST(a_chunk_that_the_file_does_not_count_is_recovered),
        TEST(a_dirty_log_may_have_more_chunks_than_it_counts),
        TEST(a_file_that_ends_within_a_chunk_is_read_so_far),
        TEST(a_record_that_cannot_be_decoded_is_searched_as_text),
        TEST(bytes_that_cannot_be_read_cost_their_chunk_only),
        TEST(what_is_no_event_log_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
