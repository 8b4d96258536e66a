#include "triage/findings/build_history.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/base/tsv.h"
#include "triage/formats/json_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SCRATCH = 4 << 20, MOST_EVENTS = 4096, MOST_LEFT = 4096 };

struct program { /* a binary of Exchange with its version */
    const char *path, *relative;
    uint16_t number[4];
    const char *version;
};

struct history {
    const struct exchange_builds *builds;
    struct exposure *exposure;
    struct arena *arena, *scratch;
    struct program *programs;
    size_t program_count, program_room;

    bool failed, interrupted; /* the last run of setup or of an update */
    int64_t failed_at;
    const char *failed_what;
    uint16_t found[4];
    const char *branch; /* "2016 CU18", as update_files.tsv has it */
};

static const char *member(const struct json_value *fields, const char *name)
{
    const struct json_value *value = json_member(fields, name);

    return value && value->type == JSON_STRING ? (const char *)value->text.data : "";
}

/* --- what happened when --- */

static int add_event(struct history *history, const struct build_event *event)
{
    struct exposure *exposure = history->exposure;

    if (exposure->history_count == MOST_EVENTS)
        return 0;
    if (!exposure->history)
        exposure->history = arena_array(history->arena, MOST_EVENTS, sizeof *exposure->history);
    if (!exposure->history)
        return -1;
    exposure->history[exposure->history_count++] = *event;
    return 0;
}

static int add_build(struct history *history, const struct case_fact *fact, const char *version,
                     bool dated, int64_t time, bool claim, const char *what)
{
    struct build_event event = {.dated = dated, .time = time, .claim = claim};

    if (!exchange_build_parse(slice_of_text(version), event.number))
        return 0;
    event.text = arena_format(history->arena, "%u.%u.%u.%u", event.number[0], event.number[1],
                              event.number[2], event.number[3]);
    event.what = arena_text(history->arena, slice_of_text(what));
    event.source = arena_text(history->arena, slice_of_text(fact->path));
    return event.text && event.what && event.source ? add_event(history, &event) : -1;
}

/* "KB5000871" within a name; false when there is none. */
static bool article_in(const char *text, char article[16])
{
    const char *at = text;

    while ((at = strcasestr(at, "KB"))) {
        const size_t digits = strspn(at + 2, "0123456789");
        if (digits >= 6 && digits <= 8) {
            snprintf(article, 16, "KB%.*s", (int)digits, at + 2);
            return true;
        }
        at += 2;
    }
    return false;
}

/* The build that an update's article stands for on this server: one article has one build for each
 * cumulative update. */
static const struct exchange_build *build_of_article(const struct history *history,
                                                     const char *article)
{
    const struct exposure *exposure = history->exposure;

    for (size_t i = 0; exposure->family && i < history->builds->count; i++) {
        const struct exchange_build *row = &history->builds->rows[i];
        if (strcmp(row->article, article) == 0 && strcmp(row->family, exposure->family) == 0 &&
            strcmp(row->update, exposure->update) == 0)
            return row;
    }
    return NULL;
}

static int add_article(struct history *history, const struct case_fact *fact, const char *name,
                       bool dated, int64_t time)
{
    char article[16], version[32];
    const struct exchange_build *row =
        article_in(name, article) ? build_of_article(history, article) : NULL;
    const char *what = arena_format(history->scratch, "%.200s", name);

    if (!row || !what)
        return 0;
    snprintf(version, sizeof version, "%u.%u.%u.%u", row->number[0], row->number[1], row->number[2],
             row->number[3]);
    return add_build(history, fact, version, dated, time, true, what);
}

/* "20201107", also "2020-11-07" and "11/7/2020". */
static bool install_date(const char *text, int64_t *time)
{
    struct civil civil = {0};
    struct instant instant;

    if (strlen(text) == 8 && sscanf(text, "%4d%2d%2d", &civil.year, &civil.month, &civil.day) == 3)
        instant = instant_from_civil(civil);
    else if (sscanf(text, "%d/%d/%d", &civil.month, &civil.day, &civil.year) == 3)
        instant = instant_from_civil(civil);
    else if (!instant_parse(slice_of_text(text), &instant, NULL))
        return false;
    *time = instant_to_unix_us(instant);
    return instant_known(instant);
}

static int product_fact(struct history *history, const struct case_fact *fact,
                        const struct json_value *fields)
{
    const char *product = member(fields, "Product");
    int64_t time = fact->timestamp;
    bool dated = fact->dated;

    if (!strcasestr(product, "Exchange Server") || strcasestr(product, "Language Pack"))
        return 0;
    if (install_date(member(fields, "InstallDate"), &time))
        dated = true;
    if (strcasestr(product, "KB"))
        return add_article(history, fact, product, dated, time);
    return add_build(history, fact, member(fields, "ProductVersion"), dated, time, true, product);
}

static void note_failure(struct history *history, const struct case_fact *fact, bool interrupted)
{
    if (history->failed && fact->timestamp < history->failed_at)
        return;
    history->failed = true;
    history->interrupted = interrupted;
    history->failed_at = fact->timestamp;
    history->failed_what = arena_format(history->arena, "%.300s (%s)", fact->message, fact->path);
}

static int setup_fact(struct history *history, const struct case_fact *fact,
                      const struct json_value *fields)
{
    const char *step = member(fields, "Step"), *outcome = member(fields, "Outcome");
    const char *name = member(fields, "UpdateName");
    struct instant started;

    if (strcmp(step, "run") == 0 && *member(fields, "FromVersion") &&
        instant_parse(slice_of_text(member(fields, "Started")), &started, NULL) &&
        add_build(history, fact, member(fields, "FromVersion"), true, instant_to_unix_us(started),
                  true, "was installed before a run of setup") < 0)
        return -1;
    if (strcmp(step, "run") == 0 && strcmp(outcome, "completed") == 0)
        return add_build(history, fact, member(fields, "ProductVersion"), fact->dated,
                         fact->timestamp, true, "setup completed");
    if (strcmp(step, "run") == 0) {
        note_failure(history, fact, strcmp(outcome, "failed") != 0);
        return 0;
    }
    if (strcmp(step, "update failed") == 0)
        note_failure(history, fact, false);
    if (strcmp(step, "update installed") == 0)
        return add_article(history, fact, *name ? name : member(fields, "Message"), fact->dated,
                           fact->timestamp);
    return 0;
}

/* MsiInstaller events: which data says what differs by event, so each is tried. 1023 to 1025, 1029
 * and 11708 are failures. */
static int installer_fact(struct history *history, const struct case_fact *fact,
                          const struct json_value *fields)
{
    static const char *const failures[] = {"1023", "1024", "1025", "11708"};
    const char *id = member(fields, "EventID");
    char name[] = "Data0", article[16];

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (strcmp(id, failures[i]) == 0) {
            note_failure(history, fact, false);
            return 0;
        }
    for (; name[4] <= '9'; name[4]++) {
        const char *text = member(fields, name);
        uint16_t number[4];
        if (article_in(text, article))
            return add_article(history, fact, text, fact->dated, fact->timestamp);
        if (exchange_build_parse(slice_of_text(text), number))
            return add_build(history, fact, text, fact->dated, fact->timestamp, true,
                             "the installer's event log");
    }
    return 0;
}

/* --- binaries --- */

/* The part of a path below the installation folder, with a backslash in front; NULL outside. */
static const char *below_install_path(const struct exposure *exposure, const char *path)
{
    const char *install = exposure->install_path;
    size_t size = install ? strlen(install) : 0;

    while (size && install[size - 1] == '\\')
        size--;
    return size && strncasecmp(path, install, size) == 0 && path[size] == '\\' ? path + size : NULL;
}

static int program_fact(struct history *history, const struct case_fact *fact,
                        const struct json_value *fields)
{
    const char *version = member(fields, "FileVersion");
    const char *relative = below_install_path(history->exposure, fact->path);
    struct program program = {0};

    if (!relative || !exchange_build_parse(slice_of_text(version), program.number) ||
        fact->snapshot != 0 || strstr(fact->marks, "recovered"))
        return 0;
    if (history->program_count == history->program_room) {
        const size_t room = history->program_room ? 2 * history->program_room : 1024;
        struct program *grown = realloc(history->programs, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        history->programs = grown;
        history->program_room = room;
    }
    program.path = arena_text(history->arena, slice_of_text(fact->path));
    program.version = arena_text(history->arena, slice_of_text(version));
    if (!program.path || !program.version)
        return -1;
    program.relative = program.path + (relative - fact->path);
    history->programs[history->program_count++] = program;
    return 0;
}

static int take_fact(void *context, const struct case_fact *fact)
{
    static const struct {
        const char *kind;
        int (*take)(struct history *, const struct case_fact *, const struct json_value *);
    } kinds[] = {
        {"registry.product", product_fact},
        {"exchange.setup", setup_fact},
        {"eventlog.msi", installer_fact},
        {"program.file", program_fact},
    };
    struct history *history = context;
    struct json_value *fields;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(fact->kind, kinds[i].kind) != 0)
            continue;
        arena_reset(history->scratch);
        if (json_read(slice_of_text(fact->fields), history->scratch, &fields) == 0)
            return kinds[i].take(history, fact, fields);
    }
    return 0;
}

/* --- did the last update take? --- */

/* A file that security updates of this cumulative update always replace. Updates that the table
 * does not list replace much the same files: then each that any list has is compared. */
static int compare_file(void *context, const char *const *texts)
{
    struct history *history = context;
    struct exposure *exposure = history->exposure;

    if (history->branch && strcmp(texts[0], history->branch) != 0)
        return 0;
    for (size_t i = 0; i < history->program_count; i++) {
        struct program *program = &history->programs[i];
        if (!program->relative || strcasecmp(program->relative, texts[1]) != 0)
            continue;
        program->relative = NULL; /* once is enough */
        if (memcmp(program->number, history->found, 3 * sizeof history->found[0]) != 0)
            continue;
        exposure->files_compared++;
        if (exchange_build_compare(program->number, history->found) < 0 &&
            exposure->left_behind_count < MOST_LEFT)
            exposure->left_behind[exposure->left_behind_count++] =
                (struct left_behind){program->path, program->version};
    }
    return 0;
}

static int note_branch(void *context, const char *const *texts)
{
    struct history *history = context;
    const struct exposure *exposure = history->exposure;
    const char *name = arena_format(history->scratch, "%s %s", exposure->family, exposure->update);

    if (name && strcmp(texts[0], name) == 0 && !history->branch)
        history->branch = arena_text(history->arena, slice_of_text(texts[0]));
    arena_reset(history->scratch);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct left_behind *)a)->path, ((const struct left_behind *)b)->path);
}

static int compare_files(struct history *history, const char *path)
{
    static const char *const names[] = {"cu", "relative_path"};
    struct exposure *exposure = history->exposure;

    exposure->left_behind = arena_array(history->arena, MOST_LEFT, sizeof *exposure->left_behind);
    if (!exposure->left_behind ||
        tsv_read(path, names, 2, history->arena, note_branch, history) < 0 ||
        tsv_read(path, names, 2, history->arena, compare_file, history) < 0)
        return -1;
    qsort(exposure->left_behind, exposure->left_behind_count, sizeof *exposure->left_behind,
          by_path);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct build_event *x = a, *y = b;

    if (x->dated != y->dated)
        return x->dated ? 1 : -1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    const int order = exchange_build_compare(x->number, y->number);
    return order ? order : strcmp(x->source, y->source);
}

/* What the server believes to have: the highest build that a key or a log claims. */
static const struct build_event *last_claim(const struct exposure *exposure)
{
    const struct build_event *last = NULL;

    for (size_t i = 0; i < exposure->history_count; i++)
        if (exposure->history[i].claim &&
            (!last || exchange_build_compare(exposure->history[i].number, last->number) >= 0))
            last = &exposure->history[i];
    return last;
}

static bool completed_after(const struct exposure *exposure, int64_t time)
{
    for (size_t i = 0; i < exposure->history_count; i++)
        if (exposure->history[i].dated && exposure->history[i].time > time)
            return true;
    return false;
}

static void judge_update(struct history *history)
{
    struct exposure *exposure = history->exposure;
    const struct build_event *claim = last_claim(exposure);
    const struct exchange_build *row = exchange_builds_find(history->builds, history->found);
    const char *why;

    exposure->claimed = claim ? claim->text : NULL;
    exposure->claimed_dated = claim && claim->dated;
    exposure->claimed_time = claim ? claim->time : 0;
    if (claim && exchange_build_compare(claim->number, history->found) > 0) {
        exposure->update_state = UPDATE_FAILED;
        why =
            arena_format(history->arena, "%s says that %s is installed (%s), but ExSetup.exe is %s",
                         claim->source, claim->text, claim->what, exposure->found);
    } else if (exposure->left_behind_count) {
        exposure->update_state = UPDATE_PARTIAL;
        why = arena_format(
            history->arena,
            "%zu of %zu files that the update replaces are older than ExSetup.exe (%s)",
            exposure->left_behind_count, exposure->files_compared, exposure->found);
    } else if (history->failed && !completed_after(exposure, history->failed_at)) {
        exposure->update_state = history->interrupted ? UPDATE_PARTIAL : UPDATE_FAILED;
        why = arena_format(history->arena, "the last run of setup did not end well: %s",
                           history->failed_what ? history->failed_what : "");
    } else if (row && !*row->patch && exchange_build_compare(row->number, history->found) == 0) {
        exposure->update_state = UPDATE_NONE;
        why =
            arena_format(history->arena, "%s is %s %s as it was released: no security update on it",
                         exposure->found, exposure->family, exposure->update);
    } else {
        exposure->update_state = UPDATE_COMPLETE;
        why = exposure->files_compared
                  ? arena_format(history->arena,
                                 "all %zu files that were compared have the build of "
                                 "ExSetup.exe (%s)",
                                 exposure->files_compared, exposure->found)
                  : "ExSetup.exe has the build; no other file of the update could be compared";
    }
    exposure->update_why = why ? why : "";
}

int build_history_make(struct case_file *file, const struct exchange_builds *builds,
                       const char *files, struct arena *arena, struct exposure *exposure)
{
    struct history history = {
        .builds = builds, .exposure = exposure, .arena = arena, .scratch = arena_new(SCRATCH)};
    int result = history.scratch ? case_each_fact(file, take_fact, &history) : -1;

    exposure->update_why = "the version that is installed is not known";
    if (result == 0 && exposure->history_count)
        qsort(exposure->history, exposure->history_count, sizeof *exposure->history, by_time);
    if (result == 0 && exposure->found) {
        exchange_build_parse(slice_of_text(exposure->found), history.found);
        result = compare_files(&history, files);
        if (result == 0)
            judge_update(&history);
    }
    arena_free(history.scratch);
    free(history.programs);
    return result;
}
