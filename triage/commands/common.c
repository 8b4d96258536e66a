#include "triage/commands/common.h"

#include "artifacts/artifact.h"
#include "triage/base/error.h"
#include "triage/base/json.h"
#include "triage/base/utf16.h"
#include "triage/match/matcher.h"
#include "triage/report/writer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

volatile int interrupted;

/* --- log --- */

void log_init(struct log *log, const struct options *options)
{
    *log = (struct log){
        .json = options->log_json,
        .quiet = options->quiet,
        .verbose = options->verbose,
        .color = !options->no_color && isatty(STDERR_FILENO),
    };
}

void log_release(struct log *log)
{
    if (log->file)
        fclose(log->file);
    log->file = NULL;
    buffer_release(&log->notices);
}

int log_close(struct log *log)
{
    FILE *file = log->file;
    const bool spoilt = file && ferror(file);

    log->file = NULL;
    if (file && (fclose(file) != 0 || spoilt))
        return error_set_errno("cannot write 'log.txt'");
    return 0;
}

int log_open(struct log *log, const char *folder, bool append)
{
    struct buffer path = BUFFER_EMPTY;

    buffer_format(&path, "%s/log.txt", folder);
    log->file = fopen(buffer_text(&path), append ? "ae" : "we");
    const int result = log->file ? 0 : error_set_errno("cannot write '%s'", buffer_text(&path));
    buffer_release(&path);
    return result;
}

static void time_stamp(char text[40], bool iso)
{
    struct timespec now;
    struct tm utc;
    char seconds[24];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(seconds, sizeof seconds, iso ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &utc);
    snprintf(text, 40, "%s%c%03ld%s", seconds, iso ? '.' : ',', now.tv_nsec / 1000000,
             iso ? "Z" : "");
}

static void write_line(struct log *log, FILE *out, const char *level, const char *text)
{
    struct buffer line = BUFFER_EMPTY;
    char stamp[40];

    time_stamp(stamp, log->json);
    if (log->json) {
        struct json json = json_over(&line, false);
        json_object(&json);
        json_pair(&json, "time", stamp);
        json_pair(&json, "level", level);
        json_pair(&json, "message", text);
        json_object_end(&json);
    } else {
        buffer_format(&line, "%s [%s] ", stamp, level);
        printable(&line, text);
    }
    fprintf(out, "%s\n", buffer_text(&line));
    buffer_release(&line);
}

static void remember(struct log *log, const char *text)
{
    struct json json = json_over(&log->notices, false);

    if (log->notice_count++ > 1000)
        return;
    if (log->notices.size)
        buffer_add_byte(&log->notices, ',');
    json_text(&json, text);
}

static void show(struct log *log, enum log_level level, const char *text)
{
    struct buffer line = BUFFER_EMPTY;

    if (log->line_open)
        fputs("\r\033[K", stderr);
    log->line_open = false;
    if (log->json) {
        write_line(log, stderr, level == LOG_ERROR ? "ERROR" : "WARNING", text);
        return;
    }
    printable(&line, text);
    fprintf(stderr, "extriage: %s%s\n", level == LOG_WARNING ? "warning: " : "",
            buffer_text(&line));
    buffer_release(&line);
}

void log_say(struct log *log, enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"INFO", "WARNING", "ERROR"};
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (log->file)
        write_line(log, log->file, names[level], text);
    if (log->file)
        fflush(log->file); /* a run that is killed has told what it was at */
    if (level != LOG_INFO)
        remember(log, text);
    if (level == LOG_ERROR || (level == LOG_WARNING && !log->quiet) || log->verbose)
        show(log, level, text);
}

void log_trail(struct log *log, const char *text)
{
    if (log->file)
        write_line(log, log->file, "INFO", text);
}

int log_failure(struct log *log)
{
    char text[1100];

    snprintf(text, sizeof text, "%s", error_text());
    log_say(log, LOG_ERROR, "%s", text);
    return EXIT_FATAL;
}

/* --- progress --- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void watcher_init(struct watcher *watcher, struct log *log)
{
    *watcher =
        (struct watcher){.log = log, .terminal = isatty(STDERR_FILENO), .started_ms = now_ms()};
}

static const char *stage_text(enum stage stage)
{
    static const char *const texts[] = {
        [STAGE_SURVEY] = "surveying",
        [STAGE_PARSE] = "reading",
        [STAGE_CONTEXT] = "reading what happened around it",
        [STAGE_COPY] = "copying",
        [STAGE_VERIFY] = "verifying",
    };
    return texts[stage];
}

static void remaining_text(const struct progress *progress, int64_t elapsed_ms, char text[32])
{
    const double done = (double)progress->bytes_done, all = (double)progress->bytes_all;
    const double seconds =
        done > 0 && all > done ? (double)elapsed_ms / 1000 * (all - done) / done : 0;

    if (done > 0 && all > 0)
        snprintf(text, 32, ", %.0f s left", seconds);
    else
        text[0] = 0;
}

static void progress_text(const struct watcher *watcher, const struct progress *progress,
                          int64_t elapsed, struct buffer *line)
{
    char done[32], all[32], rate[32], left[32];

    size_text(progress->bytes_done, done);
    size_text(progress->bytes_all, all);
    size_text(elapsed > 0 ? progress->bytes_done * 1000 / (uint64_t)elapsed : 0, rate);
    remaining_text(progress, elapsed, left);
    (void)watcher;
    buffer_format(line, "%s: %s", stage_text(progress->stage), done);
    if (progress->bytes_all)
        buffer_format(line, " of %s", all);
    buffer_format(line, ", %s/s%s, %" PRIu64 " indicators  ", rate, left, progress->indicators);
    printable(line, progress->current);
}

static unsigned terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    const long width = columns ? atol(columns) : 0;

    return width > 20 && width < 1000 ? (unsigned)width : 100;
}

/* Cut to `width` characters: UTF-8 continuation bytes count nothing. */
static void cut_to_width(struct buffer *line, unsigned width)
{
    unsigned shown = 0;

    for (size_t i = 0; i < line->size; i++)
        if ((line->data[i] & 0xC0) != 0x80 && ++shown > width) {
            line->size = i;
            return;
        }
}

void watcher_progress(void *context, const struct progress *progress)
{
    enum { TERMINAL_MS = 200, PIPE_MS = 10000 };
    struct watcher *watcher = context;
    const bool terminal = watcher->terminal;
    const int64_t now = now_ms();
    struct buffer line = BUFFER_EMPTY;

    if (watcher->stage != progress->stage) {
        watcher->stage = progress->stage;
        watcher->started_ms = now;
    }
    if (watcher->log->quiet || watcher->log->json ||
        now - (watcher->shown_ms ? watcher->shown_ms : watcher->started_ms) <
            (terminal ? TERMINAL_MS : PIPE_MS))
        return;
    watcher->shown_ms = now;
    progress_text(watcher, progress, now - watcher->started_ms, &line);
    if (terminal) {
        cut_to_width(&line, terminal_width() - 1);
        fprintf(stderr, "\r\033[K%s", buffer_text(&line));
        fflush(stderr);
        watcher->log->line_open = true;
    } else {
        fprintf(stderr, "%s\n", buffer_text(&line));
    }
    buffer_release(&line);
}

void watcher_clear(struct watcher *watcher)
{
    if (watcher->log->line_open)
        fputs("\r\033[K", stderr);
    watcher->log->line_open = false;
}

void watcher_notice(void *context, const char *text)
{
    struct watcher *watcher = context;

    log_say(watcher->log, LOG_WARNING, "%s", text);
}

void watcher_trail(void *context, const char *text)
{
    struct watcher *watcher = context;

    log_trail(watcher->log, text);
}

/* --- signals --- */

static void on_signal(int number)
{
    if (interrupted) {
        signal(number, SIG_DFL);
        raise(number);
    }
    interrupted = 1;
}

void signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error as a full disk is */
}

/* --- rules --- */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_source_of(const struct log_source *list, size_t count, const struct log_source *one)
{
    for (size_t i = 0; i < count; i++)
        if (same_text(list[i].category, one->category) &&
            same_text(list[i].product, one->product) && same_text(list[i].service, one->service))
            return true;
    return false;
}

/* All log sources that some artifact makes events of, each once, ended by an empty one. Static:
 * made once. */
static const struct log_source *available_sources(void)
{
    static struct log_source sources[1024];
    size_t count, used = 0;
    const struct artifact *const *all = artifact_all(&count);

    for (size_t i = 0; i < count; i++)
        for (const struct log_source *s = all[i]->sources;
             s && (s->category || s->product || s->service); s++)
            if (!is_source_of(sources, used, s)) {
                assert(used + 1 < sizeof sources / sizeof *sources);
                sources[used++] = *s;
            }
    sources[used] = (struct log_source){0};
    return sources;
}

static int load_rules(const struct options *options, struct rule_set *set)
{
    if (options->placeholders && rule_set_load_placeholders(set, options->placeholders) < 0)
        return -1;
    if (!options->no_default_rules) {
        const char *folder = default_rules_folder();
        if (!*folder)
            return error_set(
                "the rules that come with extriage were not found (set EXTRIAGE_RULES)");
        if (rule_folder_check(folder) < 0 || rule_set_load(set, folder) < 0)
            return -1;
    }
    for (size_t i = 0; i < options->rule_count; i++)
        if (rule_set_load(set, options->rules[i]) < 0)
            return -1;
    return rule_set_compile(set);
}

void warn_of_old_rules(const struct options *options, struct log *log)
{
    char text[2 * PATH_MAX];

    if (!options->no_default_rules && rule_folder_is_old(text, sizeof text))
        log_say(log, LOG_WARNING, "%s", text);
}

struct rule_set *rules_from_options(const struct options *options)
{
    struct rule_set *set = NULL;

    if (rule_set_new(available_sources(), &set) < 0)
        return NULL;
    if (load_rules(options, set) < 0) {
        rule_set_free(set);
        return NULL;
    }
    if (options->no_prefilter)
        rule_set_disable_prefilter(set);
    return set;
}

/* --- text --- */

const char *size_text(uint64_t bytes, char text[32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

void printable(struct buffer *out, const char *text)
{
    utf8_append_tame(out, slice_of_text(text));
}

/* Takes the next name off a list; false when there is none. */
static bool next_name(struct slice *rest, struct slice *name)
{
    if (rest->size == 0)
        return false;
    const size_t comma = slice_find(*rest, 0, ',');
    *name = slice_trim(slice_part(*rest, 0, comma));
    *rest = comma == SIZE_MAX ? slice_of(NULL, 0) : slice_from(*rest, comma + 1);
    return true;
}

bool is_asked_for(const struct options *options, const struct writer *writer)
{
    struct slice part;

    for (size_t i = 0; i < options->format_count; i++)
        for (struct slice rest = slice_of_text(options->formats[i]); next_name(&rest, &part);)
            if (slice_is(part, writer->name) || slice_is(part, "all"))
                return true;
    return options->format_count == 0 && !writer->optional;
}

static bool is_wanted(const void *options, const struct writer *writer)
{
    return is_asked_for(options, writer);
}

int write_outputs_asked_for(const struct options *options, struct case_file *file,
                            struct outputs *outputs)
{
    *outputs = (struct outputs){.is_wanted = is_wanted, .context = options, .lanes = options->jobs};
    return outputs_write(outputs, file);
}

static bool is_output(struct slice name)
{
    size_t count;
    const struct writer *const *writers = writer_all(&count);

    for (size_t i = 0; i < count; i++)
        if (slice_is(name, writers[i]->name))
            return true;
    return slice_is(name, "all");
}

int check_formats(const struct options *options)
{
    struct slice part;

    for (size_t i = 0; i < options->format_count; i++)
        for (struct slice rest = slice_of_text(options->formats[i]); next_name(&rest, &part);)
            if (!is_output(part))
                return error_set("there is no output '%.*s' (see extriage report --help)",
                                 (int)(part.size < 64 ? part.size : 64), (const char *)part.data);
    return 0;
}

/* The real path of something that need not be there yet, in `real`; false when not even its folder
 * is. */
static bool real_path(const char *path, char real[PATH_MAX])
{
    char folder[PATH_MAX], parent[PATH_MAX];
    size_t size = strlen(path);

    if (realpath(path, real))
        return true;
    while (size > 1 && path[size - 1] == '/')
        size--;
    const char *slash = memrchr(path, '/', size);
    const size_t folder_size = !slash ? 1 : slash == path ? 1 : (size_t)(slash - path);
    if (folder_size >= sizeof folder)
        return false;
    snprintf(folder, sizeof folder, "%.*s", (int)folder_size, slash ? path : ".");
    const char *name = slash ? slash + 1 : path;
    return realpath(folder, parent) &&
           snprintf(real, PATH_MAX, "%s/%.*s", parent[1] ? parent : "",
                    (int)(size - (size_t)(name - path)), name) < PATH_MAX;
}

/* Whether `path` is `folder` or lies below it. */
static bool lies_in(const char *path, const char *folder)
{
    const size_t size = folder[1] ? strlen(folder) : 0;

    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == 0);
}

int check_output(const struct options *options)
{
    char output[PATH_MAX], evidence[PATH_MAX];

    if (!real_path(options->output, output))
        return 0; /* making the folder will say why */
    for (size_t i = 0; i < options->path_count; i++) {
        if (!realpath(options->paths[i], evidence))
            continue;
        if (lies_in(output, evidence))
            return error_set("the folder '%s' lies in the evidence '%s': name one outside of it",
                             options->output, options->paths[i]);
        if (lies_in(evidence, output))
            return error_set(
                "the evidence '%s' lies in the folder '%s': name another for the output",
                options->paths[i], options->output);
    }
    return 0;
}

int check_evidence(const struct options *options)
{
    struct stat status;

    for (size_t i = 0; i < options->path_count; i++) {
        const char *path = options->paths[i];
        if (stat(path, &status) != 0)
            return error_set_errno("cannot read '%s'", path);
        if (access(path, S_ISDIR(status.st_mode) ? R_OK | X_OK : R_OK) != 0)
            return error_set_errno("cannot read '%s'", path);
        if (S_ISREG(status.st_mode) && status.st_size == 0)
            return error_set("'%s' is empty", path);
    }
    return 0;
}
