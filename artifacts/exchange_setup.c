/*
 * ExchangeSetup.log: every run of Exchange's setup since the server was installed, one behind the
 * other. A record is "[MM/dd/yyyy HH:mm:ss.0fff] [depth] text", UTC, and may go on over lines; the
 * country of the user gives the date's separator, not its order, and the last four digits are
 * milliseconds. Each run is told once more as a whole, so that a history of builds can be made of
 * it: from which version to which, and how it ended. Source: published logs and the log reviewer
 * of Microsoft's CSS-Exchange.
 */
#include "artifacts/setup_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEPT_SIZE = 96 };

static const struct setup_words telling[] = {
    {"Starting Microsoft Exchange Server",
     true,
     "setup started",
     {{"Product", "Starting ", " Setup"}}},
    {"Setup version:", true, "version of the setup", {{"ProductVersion", "version:", ""}}},
    {"Logged on user:", true, "user", {{"User", "user:", ""}}},
    {"Command Line Parameter Name=",
     true,
     "parameter",
     {{"Name", "Name='", "'"}, {"Value", "Value='", "'"}}},
    {"RuntimeAssembly was started with the following command:",
     true,
     "command",
     {{"CommandLine", "command:", ""}}},
    {"The installation mode is set to:", true, "mode", {{"Operation", "to:", ""}}},
    {"The locally installed version is",
     true,
     "version before",
     {{"FromVersion", "version is", ""}}},
    {"Performing Microsoft Exchange Server Prerequisite Check",
     true,
     "prerequisites checked",
     {{0}}},
    {"[REQUIRED]", true, "prerequisite missing", {{"Error", "[REQUIRED]", ""}}},
    {"[ERROR-REFERENCE]", true, "error reference", {{"Error", "[ERROR-REFERENCE]", ""}}},
    {"[ERROR]", true, "error", {{"Error", "[ERROR]", ""}}},
    {"Setup is stopping now because of", true, "setup stopped", {{0}}},
    {"Setup previously failed while performing the action",
     false,
     "earlier setup unfinished",
     {{0}}},
    {"watermark", false, "watermark", {{0}}},
    {"The Exchange Server setup operation completed successfully", true, "setup completed", {{0}}},
    {"The Exchange Server setup operation didn't complete", true, "setup failed", {{0}}},
    {"Install is complete.", true, "server active", {{0}}},
    {"Installing MSI package", true, "package", {{"Package", "package", ""}}},
    {"Installing a new product. Package:",
     true,
     "package",
     {{"Package", "Package:", ". Property"}}},
    {"Removing product with code", true, "product removed", {{"Package", "code", ""}}},
    {"a reboot is required", false, "restart needed", {{0}}},
    {"require a reboot", false, "restart needed", {{0}}},
    {"requires a reboot", false, "restart needed", {{0}}},
    {"pending reboot", false, "restart needed", {{0}}},
    {"CurrentResult setupbase.maincore", true, "result", {{"ErrorCode", ": ", ""}}},
    {"End of Setup", true, "setup ended", {{0}}},
    {0},
};

/* One run of setup, told at its end. */
struct run {
    bool open;
    uint64_t offset, number, errors;
    struct instant started, last;
    char product[KEPT_SIZE], version[KEPT_SIZE], before[KEPT_SIZE], mode[KEPT_SIZE],
        user[KEPT_SIZE], result[KEPT_SIZE];
    bool completed, failed, ended, restart;
};

struct setup {
    struct job *job;
    struct setup_facts facts;
    struct run run;
};

/* --- time --- */

static bool skip_one_of(struct slice text, size_t *at, const char *bytes)
{
    if (*at >= text.size || !text.data[*at] || !strchr(bytes, text.data[*at]))
        return false;
    ++*at;
    return true;
}

/* "[03/04/2021 03:17:24.0945] [0] ": what is behind it starts at `*at`. */
static bool read_front(struct slice line, struct instant *when, size_t *at)
{
    struct civil civil = {0};
    int milliseconds, depth;

    *at = 0;
    if (!skip_one_of(line, at, "[") || !text_number(line, at, 2, 2, &civil.month) ||
        !skip_one_of(line, at, "/.- ") || !text_number(line, at, 2, 2, &civil.day) ||
        !skip_one_of(line, at, "/.- ") || !text_number(line, at, 4, 4, &civil.year) ||
        !skip_one_of(line, at, " ") || !text_number(line, at, 2, 2, &civil.hour) ||
        !skip_one_of(line, at, ":.") || !text_number(line, at, 2, 2, &civil.minute) ||
        !skip_one_of(line, at, ":.") || !text_number(line, at, 2, 2, &civil.second) ||
        !skip_one_of(line, at, ".,") || !text_number(line, at, 4, 4, &milliseconds) ||
        !skip_one_of(line, at, "]"))
        return false;
    civil.ticks = milliseconds < 1000 ? milliseconds * 10000 : 0;
    *when = instant_from_civil(civil);
    size_t behind = *at;
    if (skip_one_of(line, &behind, " ") && skip_one_of(line, &behind, "[") &&
        text_number(line, &behind, 1, 4, &depth) && skip_one_of(line, &behind, "]"))
        *at = behind;
    return instant_known(*when);
}

/* By its shape alone: a line with an impossible date is a record too, though a rejected one. */
static bool starts(struct slice line)
{
    int number;
    size_t at = 0;

    return skip_one_of(line, &at, "[") && text_number(line, &at, 2, 2, &number) &&
           skip_one_of(line, &at, "/.- ") && text_number(line, &at, 2, 2, &number) &&
           skip_one_of(line, &at, "/.- ") && text_number(line, &at, 4, 4, &number) &&
           skip_one_of(line, &at, " ");
}

/* --- runs --- */

static const char *outcome(const struct run *run)
{
    if (run->failed)
        return "failed";
    if (run->completed)
        return "completed";
    return run->ended ? "ended without saying so" : "unfinished";
}

/* The whole run as one fact; it is no record of its own and not counted. */
static void run_end(struct setup *setup)
{
    struct run *run = &setup->run;
    struct entry entry;
    char started[INSTANT_TEXT_SIZE], errors[24];

    if (!run->open)
        return;
    run->open = false;
    entry_begin(&entry, setup->job, KIND_exchange_setup);
    entry.event.offset = run->offset;
    entry.event.number = run->number;
    entry.event.marks |= EVENT_FACT;
    entry_time(&entry, run->last);
    entry_add(&entry, "Step", "run");
    entry_add(&entry, "Outcome", outcome(run));
    entry_add(&entry, "Product", run->product);
    entry_add(&entry, "Operation", run->mode);
    entry_add(&entry, "FromVersion", run->before);
    entry_add(&entry, "ProductVersion", run->version);
    entry_add(&entry, "ErrorCode", run->result);
    entry_add(&entry, "User", run->user);
    entry_add(&entry, "Started", instant_format(run->started, started));
    snprintf(errors, sizeof errors, "%" PRIu64, run->errors);
    entry_add(&entry, "Errors", errors);
    entry_add(&entry, "RestartNeeded", run->restart ? "true" : NULL);
    entry.event.raw = slice_of_text(run->product);
    job_emit(setup->job, &entry.event);
}

static void run_start(struct setup *setup, const struct text_record *record, struct instant when)
{
    run_end(setup);
    setup->run = (struct run){
        .open = true, .offset = record->offset, .number = record->number, .started = when};
}

static void run_note(struct run *run, struct entry *entry, const char *step)
{
    setup_keep(entry, "Product", run->product, sizeof run->product);
    setup_keep(entry, "ProductVersion", run->version, sizeof run->version);
    setup_keep(entry, "FromVersion", run->before, sizeof run->before);
    setup_keep(entry, "Operation", run->mode, sizeof run->mode);
    setup_keep(entry, "User", run->user, sizeof run->user);
    setup_keep(entry, "ErrorCode", run->result, sizeof run->result);
    run->errors += strcmp(step, "error") == 0;
    run->completed |= strcmp(step, "setup completed") == 0;
    run->failed |= strcmp(step, "setup failed") == 0 || strcmp(step, "setup stopped") == 0;
    run->ended |= strcmp(step, "setup ended") == 0;
    run->restart |= strcmp(step, "restart needed") == 0;
}

/* --- records --- */

static const char *level_of(struct slice text)
{
    if (slice_starts_nocase(text, "[ERROR"))
        return "error";
    return slice_starts_nocase(text, "[WARNING") ? "warning" : NULL;
}

static void tell(struct setup *setup, struct entry *entry, struct slice text)
{
    const struct setup_words *row = setup_words_find(telling, text_first_line(text));
    struct run *run = &setup->run;

    entry_add_slice(entry, "Message", text);
    entry_add(entry, "Level", level_of(text));
    if (row) {
        setup_words_tell(entry, row, text_first_line(text), &setup->facts);
        run_note(run, entry, row->step);
    }
    if (run->open)
        run->last = entry->event.when;
}

static void take_record(void *context, const struct text_record *record)
{
    struct setup *setup = context;
    struct entry entry;
    struct instant when = INSTANT_NONE;
    size_t at = 0;

    text_entry_begin(&entry, setup->job, KIND_exchange_setup, record);
    if (!read_front(record->text, &when, &at)) {
        text_undated(&entry);
        text_entry_reject(&entry, "a line of the setup log without a time");
        entry_emit(&entry);
        return;
    }
    const struct slice text = slice_trim(slice_from(record->text, at));
    text_time_utc(&entry, when, slice_part(record->text, 1, slice_find(record->text, 0, ']') - 1));
    if (slice_starts_nocase(text, "Starting Microsoft Exchange Server"))
        run_start(setup, record, when);
    tell(setup, &entry, text);
    entry_emit(&entry);
    if (setup->run.open && setup->run.ended)
        run_end(setup);
}

static int parse(struct job *job)
{
    static const struct text_format format = {.starts = starts, .record = take_record};
    struct setup setup = {.job = job};
    const int result = text_file_read(job, &format, &setup);

    run_end(&setup);
    return result;
}

static bool recognise(struct slice head, const char *name)
{
    if (slice_starts(head, "\xef\xbb\xbf"))
        head = slice_from(head, 3);
    return slice_starts_nocase(slice_of_text(name), "ExchangeSetup") && starts(head);
}

static const char *const paths[] = {"**/ExchangeSetupLogs/**/ExchangeSetup*.log", NULL};
static const struct log_source sources[] = {{NULL, "exchange", "setup"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_exchange_setup;
const struct artifact artifact_exchange_setup = {
    .name = "exchange_setup",
    .title = "Exchange setup logs",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
