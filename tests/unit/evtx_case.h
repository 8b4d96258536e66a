/* An event log that is written record by record, and what is written into it. */
#ifndef TESTS_UNIT_EVTX_CASE_H
#define TESTS_UNIT_EVTX_CASE_H

#include "tests/unit/artifact_case.h"
#include "tests/unit/evtx_writer.h"
#include "triage/formats/evtx.h"

enum { CHUNK_AT = 4096 };

#define TICKS UINT64_C(132592401191620000) /* 2021-03-03T10:15:19.162 */

static struct evtx_writer writer;

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

static inline struct slice one_record(const struct log_entry *entry)
{
    evtx_writer_start(&writer);
    evtx_writer_add(&writer, entry);
    return evtx_writer_finish(&writer, 0);
}

static inline int tear_down(void **context)
{
    evtx_writer_release(&writer);
    memset(&writer, 0, sizeof writer);
    return release(context);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

#endif
