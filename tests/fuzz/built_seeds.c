/* Seeds that the program's own writers and those of the unit tests make. */
#include "tests/fuzz/target.h"
#include "tests/unit/evtx_writer.h"

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
}
