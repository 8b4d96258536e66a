/* Seeds that the program's own writers and those of the unit tests make. */
#include "tests/fuzz/target.h"
#include "tests/unit/evtx_writer.h"

#include "triage/record/helper_rows.h"

#include <stdio.h>
#include <sys/stat.h>

static const struct log_entry entries[] = {
    {.id = 7,
     .ticks = 132592401191620000,
     .provider = "Microsoft-Windows-Security-Auditing",
     .channel = "Security",
     .event_id = 4688,
     .fields = {{"NewProcessName", 1, "C:\\Windows\\System32\\cmd.exe"},
                {"ParentProcessName", 1, "C:\\Windows\\System32\\inetsrv\\w3wp.exe"},
                {"ProcessId", 8, "4711"},
                {"CommandLine", 1, "cmd /c whoami"}}},
    {.id = 8,
     .ticks = 132592401191630000,
     .provider = "MSExchange CmdletLogs",
     .channel = "MSExchange Management",
     .event_id = 1,
     .fields = {{NULL, 0x81, "New-MailboxExportRequest|-Mailbox \"x\"|admin||S-1-5"}}},
    {.id = 9,
     .ticks = 132592401191640000,
     .provider = "Microsoft-Windows-PowerShell",
     .channel = "Microsoft-Windows-PowerShell/Operational",
     .event_id = 4104,
     .literal = true,
     .fields = {{"MessageNumber", 8, "1"},
                {"MessageTotal", 8, "2"},
                {"ScriptBlockText", 1, "Get-Item"}}},
};

static void put(const char *folder, const char *name, struct slice bytes)
{
    char path[4096];

    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    demand(file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size && fclose(file) == 0,
           "a seed can be written");
}

static void put_event_log(const char *folder, const char *name, uint32_t flags, bool two_chunks)
{
    struct evtx_writer writer;

    evtx_writer_start(&writer);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        evtx_writer_add(&writer, &entries[i]);
        if (two_chunks && i == 1)
            evtx_writer_end_chunk(&writer);
    }
    put(folder, name, evtx_writer_finish(&writer, flags));
    evtx_writer_release(&writer);
}

/* --- what helper programs send --- */

static void put_frame(struct buffer *out, struct buffer *frame)
{
    for (unsigned shift = 0; shift < 32; shift += 8)
        buffer_add_byte(out, (uint8_t)(frame->size >> shift));
    buffer_add(out, buffer_slice(frame));
    buffer_clear(frame);
}

static void put_name_row(struct buffer *out, uint64_t type, uint64_t index, struct slice blob)
{
    struct buffer frame = BUFFER_EMPTY;

    helper_write_row(&frame, index, HELPER_NO_OFFSET, 0, 3);
    helper_write_whole(&frame, type);
    helper_write_whole(&frame, index);
    helper_write_bytes(&frame, HELPER_BYTES, blob);
    put_frame(out, &frame);
    buffer_release(&frame);
}

static void put_srum(const char *folder)
{
    static const char *const names[] = {"IdType", "IdIndex", "IdBlob"};
    static const char *const usage[] = {"AutoIncId", "TimeStamp", "AppId", "UserId", "BytesSent"};
    struct buffer out = BUFFER_EMPTY, frame = BUFFER_EMPTY;

    helper_write_table(&frame, "SruDbIdMapTable", names, 3);
    put_frame(&out, &frame);
    put_name_row(&out, 0, 1, SLICE_LITERAL("\\\0r\0c\0l\0o\0n\0e\0.\0e\0x\0e\0\0"));
    put_name_row(&out, 3, 2, SLICE_LITERAL("\1\1\0\0\0\0\0\5\x12\0\0\0"));
    helper_write_table(&frame, "{973F5D5C-1D90-4944-BE8E-24B94231A174}", usage, 5);
    put_frame(&out, &frame);
    for (uint64_t i = 0; i < 3; i++) {
        helper_write_row(&frame, i, HELPER_NO_OFFSET, 0, 5);
        helper_write_whole(&frame, i);
        helper_write_real(&frame, 44259.5 + (double)i);
        helper_write_whole(&frame, 1);
        helper_write_whole(&frame, 2);
        helper_write_whole(&frame, 734003200);
        put_frame(&out, &frame);
    }
    helper_write_notice(&frame, 12, "a page is damaged");
    put_frame(&out, &frame);
    put(folder, "rows", buffer_slice(&out));
    buffer_release(&out);
    buffer_release(&frame);
}

static void put_classic(const char *folder)
{
    static const char *const columns[] = {"event_id", "type",     "category", "created", "written",
                                          "source",   "computer", "sid",      "strings", "data"};
    struct buffer out = BUFFER_EMPTY, frame = BUFFER_EMPTY;

    helper_write_table(&frame, "records", columns, 10);
    put_frame(&out, &frame);
    for (uint64_t i = 1; i < 4; i++) {
        helper_write_row(&frame, i * i, i * 48, i == 3 ? HELPER_RECOVERED : 0, 10);
        helper_write_whole(&frame, 0xC0000004);
        helper_write_whole(&frame, 1);
        helper_write_whole(&frame, 2);
        helper_write_whole(&frame, 1614816000 - i);
        helper_write_whole(&frame, 1614816000);
        helper_write_bytes(&frame, HELPER_TEXT, SLICE_LITERAL("MSExchange Control Panel"));
        helper_write_bytes(&frame, HELPER_TEXT, SLICE_LITERAL("WEB1"));
        helper_write_null(&frame);
        helper_write_bytes(&frame, HELPER_TEXT, SLICE_LITERAL("/ecp/about.aspx?a=]:444/\0two\0"));
        helper_write_bytes(&frame, HELPER_BYTES, SLICE_LITERAL("\1\2"));
        put_frame(&out, &frame);
    }
    put(folder, "rows", buffer_slice(&out));
    buffer_release(&out);
    buffer_release(&frame);
}

void fuzz_seeds(const char *folder)
{
    struct buffer bytes = BUFFER_EMPTY;
    char path[4096], name[16];

    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/wire", folder);
    for (unsigned kind = 0; fuzz_wire_sample(kind, &bytes); kind++) {
        snprintf(name, sizeof name, "kind%u", kind);
        put(path, name, buffer_slice(&bytes));
    }
    buffer_release(&bytes);
    snprintf(path, sizeof path, "%s/eventlog", folder);
    put_event_log(path, "Security.evtx", 0, false);
    put_event_log(path, "unchecked.evtx", 4, true);
    put_event_log(path, "dirty.evtx", 1, true);
    snprintf(path, sizeof path, "%s/srum", folder);
    put_srum(path);
    snprintf(path, sizeof path, "%s/helper_rows", folder);
    put_srum(path);
    snprintf(path, sizeof path, "%s/eventlog_classic", folder);
    put_classic(path);
}
