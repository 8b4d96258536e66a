/* Pages for people on the terminal. Whatever comes from evidence goes through printable(). */
#include "triage/commands/documents.h"
#include "triage/commands/verdict_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_INDICATORS = 20, LABEL_WIDTH = 14, MESSAGE_WIDTH = 150 };

static void line(FILE *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void line(FILE *out, const char *label, const char *format, ...)
{
    struct buffer raw = BUFFER_EMPTY, text = BUFFER_EMPTY;
    char *formatted = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&formatted, format, arguments) >= 0)
        printable(&text, formatted);
    va_end(arguments);
    fprintf(out, "%-*s %s\n", LABEL_WIDTH, label, buffer_text(&text));
    free(formatted);
    buffer_release(&raw);
    buffer_release(&text);
}

static const char *known(const struct fact *fact, const char *instead)
{
    return fact->value && *fact->value ? fact->value : instead;
}

static const char *assumed(const struct fact *fact)
{
    return fact->value && fact->assumed ? " (assumed)" : "";
}

/* --- info --- */

static void print_container(const struct inventory *inventory, FILE *out)
{
    const struct container *container = &inventory->container;
    char size[32];

    line(out, "Container", "%s, %s (%" PRIu64 " bytes), %zu segment%s, sector size %u",
         container->format, size_text(container->size, size), container->size,
         container->segment_count, container->segment_count == 1 ? "" : "s",
         container->sector_size);
    if (container->chunk_size)
        line(out, "", "%" PRIu64 " chunks of %u bytes", container->chunk_count,
             container->chunk_size);
    for (size_t i = 0; i < container->metadata_count; i++)
        if (container->metadata[i].value && *container->metadata[i].value)
            line(out, i ? "" : "Case metadata", "%s: %s", container->metadata[i].key,
                 container->metadata[i].value);
    if (*container->md5)
        line(out, "Stored MD5", "%s", container->md5);
    if (*container->sha1)
        line(out, "Stored SHA-1", "%s", container->sha1);
}

static void print_snapshots(const struct volume *volume, FILE *out)
{
    for (size_t i = 0; i < volume->snapshot_count; i++) {
        const struct snapshot *snapshot = &volume->snapshots[i];
        char created[INSTANT_TEXT_SIZE] = "an unknown time";
        if (instant_known(snapshot->created))
            instant_format(snapshot->created, created);
        line(out, "", "   shadow copy %u of %s, {%s}%s%s", snapshot->number, created, snapshot->id,
             snapshot->problem ? ": " : "", snapshot->problem ? snapshot->problem : "");
    }
    if (volume->snapshot_problem)
        line(out, "", "   %s", volume->snapshot_problem);
}

static void print_volumes(const struct inventory *inventory, const struct host *host, FILE *out)
{
    for (size_t i = 0; i < inventory->volume_count; i++) {
        const struct volume *volume = &inventory->volumes[i];
        char size[32], letter[16] = "";
        for (size_t j = 0; j < host->drive_count; j++)
            if (host->drives[j].volume == i)
                snprintf(letter, sizeof letter, ", drive %c:", host->drives[j].letter);
        line(out, i ? "" : "Volumes", "%zu: %s%s%s%s%s at byte %" PRIu64 ", %s%s", i,
             *volume->file_system ? volume->file_system : "not readable",
             *volume->label ? " \"" : "", volume->label, *volume->label ? "\"" : "", letter,
             volume->offset, size_text(volume->size, size),
             *volume->partition ? "" : ", no partition table");
        if (*volume->partition)
            line(out, "", "   partition: %s", volume->partition);
        if (volume->problem)
            line(out, "", "   %s", volume->problem);
        if (volume->notice)
            line(out, "", "   %s", volume->notice);
        print_snapshots(volume, out);
    }
}

static void print_host(const struct host *host, FILE *out)
{
    line(out, "Computer", "%s%s%s%s", known(&host->computer, "unknown"),
         host->domain.value && *host->domain.value ? "." : "", known(&host->domain, ""),
         assumed(&host->computer));
    line(out, "Windows", "%s, build %s, in %s%s", known(&host->windows_version, "unknown version"),
         known(&host->windows_build, "unknown"), known(&host->windows_root, "an unknown folder"),
         assumed(&host->windows_root));
    line(out, "Time zone", "%s%s", known(&host->zone_name, "unknown"), assumed(&host->zone_name));
    line(out, "Exchange", "%s, version %s, in %s%s", known(&host->exchange_family, "not found"),
         known(&host->exchange_build, known(&host->exchange_version, "unknown")),
         known(&host->exchange_path, "an unknown folder"), assumed(&host->exchange_path));
    for (size_t i = 0; i < host->role_count; i++)
        line(out, i ? "" : "Roles", "%s %s", host->roles[i].name, known(&host->roles[i].fact, ""));
    for (size_t i = 0; i < host->site_count; i++) {
        const struct site *site = &host->sites[i];
        line(out, i ? "" : "IIS sites", "%u \"%s\": %zu virtual directories, %s log in %s%s",
             site->id, site->name, site->directory_count, known(&site->log_format, "W3C"),
             known(&site->log_folder, "an unknown folder"), assumed(&site->log_folder));
    }
    for (size_t i = 0; i < host->notice_count; i++)
        line(out, i ? "" : "Notices", "%s", host->notices[i]);
}

static void print_damage(const struct session *session, size_t evidence, FILE *out)
{
    enum { SHOWN = 20 };
    size_t count;
    const struct damage *damage = session_damage(session, evidence, &count);

    for (size_t i = 0; i < count && i < SHOWN; i++)
        line(out, i ? "" : "DAMAGED", "bytes %" PRIu64 " to %" PRIu64 ": %s", damage[i].offset,
             damage[i].offset + damage[i].size - 1, damage[i].why);
    if (count > SHOWN)
        line(out, "", "and %zu more ranges", count - SHOWN);
}

void info_print(const struct session *session, size_t evidence, FILE *out)
{
    const struct inventory *inventory = session_inventory(session, evidence);
    static const char *const shapes[] = {"image", "folder", "single file"};

    line(out, "Evidence", "%s (%s)", inventory->path ? inventory->path : "?",
         shapes[inventory->shape]);
    if (inventory->shape == EVIDENCE_IMAGE)
        print_container(inventory, out);
    print_volumes(inventory, session_host(session, evidence), out);
    print_host(session_host(session, evidence), out);
    print_damage(session, evidence, out);
}

/* --- verify --- */

static void print_hash(FILE *out, const char *name, const char *computed, const char *stored,
                       bool damaged)
{
    const char *verdict = !*stored                        ? "nothing stored to compare with"
                          : strcmp(computed, stored) == 0 ? "the same as stored in the evidence"
                          : damaged ? "NOT the stored one, as bytes are damaged; stored:"
                                    : "NOT the stored one:";

    line(out, name, "%s  %s%s%s", computed, verdict, *stored && strcmp(computed, stored) ? " " : "",
         *stored && strcmp(computed, stored) ? stored : "");
}

void verification_print(const struct session *session, size_t evidence, FILE *out)
{
    const struct verified *verified = session_verified(session, evidence);
    const struct verification *result = &verified->result;
    size_t damage_count;
    char size[32];

    session_damage(session, evidence, &damage_count);
    if (!verified->done) {
        line(out, "Verification", "could not be done");
        return;
    }
    line(out, "Read", "%s (%" PRIu64 " bytes), %" PRIu64 " chunks, %" PRIu64 " of them bad",
         size_text(result->bytes, size), result->bytes, result->chunks, result->bad_chunks);
    print_hash(out, "MD5", result->computed.md5, result->stored_md5, damage_count > 0);
    print_hash(out, "SHA-1", result->computed.sha1, result->stored_sha1, damage_count > 0);
    print_hash(out, "SHA-256", result->computed.sha256, "", damage_count > 0);
    print_damage(session, evidence, out);
    line(out, "Result", "%s",
         damage_count           ? "FAILURE: the evidence is damaged"
         : result->hash_differs ? "FAILURE: a stored hash is not the computed one"
         : *result->stored_md5 || *result->stored_sha1
             ? "SUCCESS"
             : "read without errors; no hash is stored in this container");
}

/* --- run --- */

/* Indicators of one record stand together in the timeline: they are shown as one line, with the
 * gravest rule's words. */
struct top {
    FILE *out;
    bool color;
    int64_t least;
    size_t shown, records;
    char last[INSTANT_TEXT_SIZE];
    struct {
        int64_t timestamp, offset, level;
        struct buffer path, rules, message;
        bool open;
    } record;
};

static const char *color_of(int64_t level, bool color)
{
    static const char *const codes[] = {"", "", "\033[33m", "\033[31m", "\033[1;31m"};
    return color ? codes[level] : "";
}

static const char *time_of(int64_t timestamp, char text[INSTANT_TEXT_SIZE])
{
    return instant_format(instant_from_unix(timestamp / 1000000, timestamp % 1000000 * 1000), text);
}

/* Cut to MESSAGE_WIDTH bytes without splitting a character. */
static void cut_message(struct buffer *message)
{
    if (message->size <= MESSAGE_WIDTH)
        return;
    message->size = MESSAGE_WIDTH;
    while (message->size && (message->data[message->size] & 0xC0) == 0x80)
        message->size--;
    buffer_add_text(message, "...");
}

static void close_record(struct top *top)
{
    const char *color = color_of(top->record.level, top->color);

    if (!top->record.open)
        return;
    top->record.open = false;
    top->records++;
    time_of(top->record.timestamp, top->last);
    if (top->shown == SHOWN_INDICATORS)
        return;
    top->shown++;
    cut_message(&top->record.message);
    fprintf(top->out, "  %.19sZ  %s%-8s%s %s\n", top->last, color,
            level_name((enum level)top->record.level), *color ? "\033[0m" : "",
            buffer_text(&top->record.message));
    fprintf(top->out, "  %20s  %-8s rules%s; %s\n", "", "", buffer_text(&top->record.rules),
            buffer_text(&top->record.path));
}

static bool is_same_record(const struct top *top, const struct case_indicator *row)
{
    return top->record.open && top->record.timestamp == row->timestamp &&
           top->record.offset == row->offset &&
           slice_is(buffer_slice(&top->record.path), row->path);
}

static int top_indicator(void *context, const struct case_indicator *row,
                         const struct case_rule *rule)
{
    struct top *top = context;

    if (row->level < top->least)
        return 0;
    if (!is_same_record(top, row)) {
        close_record(top);
        buffer_clear(&top->record.path);
        printable(&top->record.path, row->path);
        buffer_clear(&top->record.rules);
        top->record.open = true;
        top->record.timestamp = row->timestamp;
        top->record.offset = row->offset;
        top->record.level = -1;
    }
    buffer_format(&top->record.rules, " %s", rule->name);
    if (row->level > top->record.level) {
        top->record.level = row->level;
        buffer_clear(&top->record.message);
        printable(&top->record.message, row->message);
    }
    return 0;
}

static void print_counts(const struct session_counts *counts, FILE *out)
{
    char size[32];

    line(out, "Read", "%" PRIu64 " of %" PRIu64 " wanted files (%" PRIu64 " listed), %s",
         counts->files_read, counts->files_wanted, counts->files_listed,
         size_text(counts->bytes, size));
    line(out, "Records",
         "%" PRIu64 " = %" PRIu64 " used + %" PRIu64 " repaired + %" PRIu64 " rejected",
         counts->records, counts->used, counts->repaired, counts->rejected);
    line(out, "Indicators",
         "%" PRIu64 " critical, %" PRIu64 " high, %" PRIu64 " medium, %" PRIu64 " low, %" PRIu64
         " informational%s",
         counts->indicators[LEVEL_CRITICAL], counts->indicators[LEVEL_HIGH],
         counts->indicators[LEVEL_MEDIUM], counts->indicators[LEVEL_LOW],
         counts->indicators[LEVEL_INFORMATIONAL],
         counts->filtered ? " (more were left out by --from, --to or --min-level)" : "");
    if (counts->undated)
        line(out, "", "%" PRIu64 " of them have no time and stand in undated.jsonl",
             counts->undated);
}

/* The gravest level that occurs: what a person must see first. */
static int64_t level_to_show(const struct session_counts *counts)
{
    int64_t level = LEVEL_CRITICAL;

    while (level > 0 && counts->indicators[level] == 0)
        level--;
    return level;
}

static int print_indicators(const struct options *options, const struct session_counts *counts,
                            struct case_file *file, FILE *out)
{
    struct top top = {.out = out,
                      .color = !options->no_color && isatty(fileno(out)),
                      .least = level_to_show(counts)};

    fprintf(out, "\n");
    const int result = case_each_indicator(file, true, top_indicator, &top);
    close_record(&top);
    if (result == 0 && top.records == 0)
        fprintf(out, "  No indicator with a time was found. What was read, and for which days, is "
                     "in coverage.json:\n"
                     "  where logs are missing this does not mean that nothing happened.\n");
    if (top.records > top.shown)
        fprintf(out, "  ... and %zu more records of level %s or above, until %.19sZ\n",
                top.records - top.shown, level_name((enum level)top.least), top.last);
    fprintf(out, "\n");
    buffer_release(&top.record.path);
    buffer_release(&top.record.rules);
    buffer_release(&top.record.message);
    return result;
}

int summary_print(const struct options *options, const struct session *session,
                  struct case_file *file, FILE *out)
{
    const struct session_counts *counts = session_counts(session);

    fprintf(out, "\n");
    for (size_t i = 0; i < options->path_count; i++) {
        const struct inventory *inventory = session_inventory(session, i);
        const struct host *host = session_host(session, i);
        char size[32];
        if (inventory->shape == EVIDENCE_IMAGE)
            line(out, "Evidence", "%s: %s, %s", evidence_name(options->paths[i]),
                 inventory->container.format, size_text(inventory->container.size, size));
        else
            line(out, "Evidence", "%s", evidence_name(options->paths[i]));
        line(out, "Host", "%s, %s", known(&host->computer, "name unknown"),
             known(&host->windows_version, "Windows version unknown"));
        line(out, "Exchange", "%s %s%s%s", known(&host->exchange_family, "not found"),
             known(&host->exchange_build, ""), host->exchange_path.value ? " in " : "",
             known(&host->exchange_path, ""));
        if (session_verified(session, i)->done)
            verification_print(session, i, out);
        else
            print_damage(session, i, out);
    }
    print_counts(counts, out);
    verdict_text_summary(file, out);
    if (verdict_text_incidents(file, out) == 0 && print_indicators(options, counts, file, out) < 0)
        return -1;
    if (counts->files_unread)
        line(out, "NOT READ",
             "%" PRIu64
             " files or volumes could not be read in full: see \"unread\" in coverage.json",
             counts->files_unread);
    if (counts->entries_unreadable)
        line(out, "NOT READ",
             "%" PRIu64 " entries of file systems are damaged and could not be listed",
             counts->entries_unreadable);
    if (counts->damaged_files)
        line(out, "DAMAGED",
             "%" PRIu64 " files lie in damaged parts of the evidence; their indicators are marked",
             counts->damaged_files);
    line(out, "Case",
         "%s: report.html findings.json timeline.jsonl timeline.csv coverage.json host.json "
         "files.csv case.db",
         options->output);
    return 0;
}
