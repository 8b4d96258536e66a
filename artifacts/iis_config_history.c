/*
 * inetpub/history/CFGHISTORY_nnnnnnnnnn/applicationHost.config: IIS keeps a copy of its
 * configuration some two minutes after each change, ten of them by default. Each copy is compared
 * with the one before it, and the newest with the configuration in force: what appeared, went or
 * changed. The folder's name is a counter; the copy's birth bounds the time of the change from
 * above.
 */
#include "artifacts/iis_settings.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SEARCH_MOST = 64, DIGITS = 10 };

static const char folder_start[] = "CFGHISTORY_";
static const char live_path[] = "%SystemRoot%\\System32\\inetsrv\\config\\applicationHost.config";

/* A setting in a list; the one it stands beside in the other file is found by its key. */
struct item {
    const char *key;  /* section, location and name */
    const char *text; /* all values, joined */
    struct iis_setting setting;
};

struct snapshot {
    const char *path; /* Windows path or '/' path: what an examiner is told */
    struct xml_file file;
    struct item *items;
    size_t count, room;
    struct arena *arena;
    bool failed;
};

static const char *key_of(struct arena *arena, const struct iis_setting *setting)
{
    return arena_format(arena, "%s|%s|%s|%s", setting->section, setting->action, setting->location,
                        setting->name);
}

static const char *text_of(struct arena *arena, const struct iis_setting *setting)
{
    struct buffer text = BUFFER_EMPTY;

    for (size_t i = 0; i < setting->value_count; i++)
        buffer_format(&text, "%s%s=%s", i ? ", " : "", setting->values[i].name,
                      setting->values[i].text);
    const char *kept = arena_text(arena, buffer_slice(&text));
    buffer_release(&text);
    return kept;
}

static struct item *next_item(struct snapshot *snapshot)
{
    if (snapshot->count == snapshot->room) {
        const size_t room = snapshot->room ? 2 * snapshot->room : 512;
        struct item *items = arena_array(snapshot->arena, room, sizeof *items);
        if (!items)
            return NULL;
        if (snapshot->count)
            memcpy(items, snapshot->items, snapshot->count * sizeof *items);
        snapshot->items = items;
        snapshot->room = room;
    }
    return &snapshot->items[snapshot->count];
}

static void take(void *context, const struct iis_setting *setting)
{
    struct snapshot *snapshot = context;
    struct item *item = next_item(snapshot);

    if (!item) {
        snapshot->failed = true;
        return;
    }
    *item = (struct item){key_of(snapshot->arena, setting), text_of(snapshot->arena, setting),
                          *setting};
    if (item->key && item->text)
        snapshot->count++;
    else
        snapshot->failed = true;
}

static int compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    const int order = strcmp(x->key, y->key);

    if (order)
        return order;
    return x->setting.index < y->setting.index ? -1 : x->setting.index > y->setting.index;
}

static int list_settings(struct snapshot *snapshot, struct arena *arena)
{
    snapshot->arena = arena;
    iis_settings_each(&snapshot->file, arena, take, snapshot);
    if (snapshot->failed)
        return error_set("the configuration needs too much memory");
    if (snapshot->count)
        qsort(snapshot->items, snapshot->count, sizeof *snapshot->items, compare);
    return 0;
}

/* --- the other file --- */

/* The '/' path as three parts: what stands before the counter, its digits, what follows. */
static bool split_path(const char *path, size_t *digits)
{
    for (size_t i = 0; path[i]; i++) {
        if (strncasecmp(path + i, folder_start, sizeof folder_start - 1) != 0)
            continue;
        *digits = i + sizeof folder_start - 1;
        return strspn(path + *digits, "0123456789") == DIGITS && path[*digits + DIGITS] == '/';
    }
    return false;
}

/* The copy whose counter is `step` away, up or down, or the next one behind a gap. */
static bool find_copy(struct job *job, int step, struct file *file)
{
    const char *path = job->file->path;
    size_t digits;

    if (!split_path(path, &digits))
        return false;
    const long long own = strtoll(path + digits, NULL, 10);
    for (int i = 1; i <= SEARCH_MOST; i++) {
        const long long number = own + (long long)step * i;
        if (number < 0 || number > 9999999999)
            return false;
        const char *other = arena_format(job->arena, "%.*s%010lld%s", (int)digits, path, number,
                                         path + digits + DIGITS);
        if (other && job_find(job, job->file->volume, other, file))
            return true;
    }
    return false;
}

static bool find_live(struct job *job, struct file *file)
{
    struct buffer path = BUFFER_EMPTY;
    uint32_t volume;

    const bool found = job->host && host_resolve(job->host, live_path, &volume, &path) &&
                       job_find(job, volume, buffer_text(&path), file);
    buffer_release(&path);
    return found;
}

static const char *windows_path_of(struct job *job, const struct file *file)
{
    struct buffer path = BUFFER_EMPTY;

    if (!job->host)
        return file->path;
    host_windows_path(job->host, file->volume, file->path, &path);
    const char *text = arena_text(job->arena, buffer_slice(&path));
    buffer_release(&path);
    return text;
}

static int read_other(struct job *job, const struct file *file, struct snapshot *other)
{
    struct slice content;

    other->path = windows_path_of(job, file);
    if (!other->path || job_load(job, file, ENTRY_FILE_MOST, &content) < 0 ||
        xml_file_parse(job->arena, content, &other->file) < 0)
        return -1;
    return list_settings(other, job->arena);
}

/* --- what changed --- */

struct change {
    const char *word;                 /* added, removed, changed */
    const struct item *item, *before; /* `before`: the other value of a change; else NULL */
    bool own;                         /* the item stands in the job's own file */
};

struct comparing {
    struct job *job;
    const struct snapshot *own, *older, *newer;
    struct instant when; /* the newer file's time */
};

/* Mitigations come and go as rewrite rules. */
static bool is_fact(const struct iis_setting *setting)
{
    return setting->kind == KIND_iis_rewrite;
}

static void emit(const struct comparing *comparing, const struct change *change)
{
    struct entry entry;

    entry_begin(&entry, comparing->job, KIND_iis_change);
    if (is_fact(&change->item->setting))
        entry.event.marks |= EVENT_FACT;
    entry_time(&entry, comparing->when);
    entry_add(&entry, "Change", change->word);
    iis_setting_tell(&change->item->setting, &entry);
    entry_add(&entry, "Name", change->item->setting.name);
    entry_add(&entry, "Values", change->item->text);
    if (change->before)
        entry_add(&entry, "OldValues", change->before->text);
    entry_add(&entry, "OlderFile", comparing->older->path);
    entry_add(&entry, "NewerFile", comparing->newer->path);
    if (change->own)
        xml_file_place(&comparing->own->file, change->item->setting.element,
                       change->item->setting.index, &entry);
    else {
        entry.event.number = 0;
        entry.event.raw = slice_of_text(change->item->text);
    }
    entry_emit(&entry);
}

static void emit_one(const struct comparing *comparing, const char *word, const struct item *item,
                     const struct snapshot *holder, const struct item *before)
{
    const struct change change = {word, item, before, holder == comparing->own};

    emit(comparing, &change);
}

/* Each setting of the job's own file is one record; in the second comparison only differences are.
 */
static void count_equal(const struct comparing *comparing)
{
    if (comparing->newer != comparing->own)
        return;
    comparing->job->tally->records++;
    comparing->job->tally->used++;
}

/* Both lists are sorted by key; several of one key are paired in their order. */
static void compare_lists(const struct comparing *comparing)
{
    const struct snapshot *older = comparing->older, *newer = comparing->newer;
    size_t i = 0, j = 0;

    while (i < older->count || j < newer->count) {
        const struct item *was = &older->items[i], *is = &newer->items[j];
        const int order = i == older->count   ? 1
                          : j == newer->count ? -1
                                              : strcmp(was->key, is->key);
        if (order < 0)
            emit_one(comparing, "removed", was, older, NULL);
        else if (order > 0)
            emit_one(comparing, "added", is, newer, NULL);
        else if (strcmp(was->text, is->text) != 0)
            emit_one(comparing, "changed", is, newer, was);
        else
            count_equal(comparing);
        i += order <= 0;
        j += order >= 0;
    }
}

static void notice_other(struct job *job, const struct file *file)
{
    const char *text =
        arena_format(job->arena, "it was not compared with '%s': %s", file->path, error_text());

    job_notice(job, 0, text ? text : error_text());
}

/* With the copy before it. */
static void compare_with_previous(struct job *job, const struct snapshot *own)
{
    struct snapshot other = {.path = ""};
    struct file file;

    if (!find_copy(job, -1, &file)) {
        job->tally->records += own->count; /* the oldest copy: nothing to compare with */
        job->tally->used += own->count;
        return;
    }
    if (read_other(job, &file, &other) < 0) {
        notice_other(job, &file);
        return;
    }
    const struct comparing comparing = {job, own, &other, own, file_appeared(job->file)};
    compare_lists(&comparing);
}

/* The newest copy with what is in force. */
static void compare_with_live(struct job *job, const struct snapshot *own)
{
    struct snapshot other = {.path = ""};
    struct file file;

    if (find_copy(job, 1, &file) || !find_live(job, &file))
        return;
    if (read_other(job, &file, &other) < 0) {
        notice_other(job, &file);
        return;
    }
    const struct comparing comparing = {job, own, own, &other, file.si.modified};
    compare_lists(&comparing);
}

static int parse(struct job *job)
{
    struct snapshot own = {.path = job->windows_path ? job->windows_path : job->file->path};
    const int result = xml_file_read(job, KIND_iis_change, &own.file);

    if (result != 0)
        return result < 0 ? -1 : 0;
    if (list_settings(&own, job->arena) < 0)
        return -1;
    compare_with_previous(job, &own);
    compare_with_live(job, &own);
    return 0;
}

static const char *const paths[] = {"inetpub/history/CFGHISTORY_*/applicationHost.config",
                                    "{iis_history}/CFGHISTORY_*/applicationHost.config", NULL};
static const struct log_source sources[] = {{NULL, "windows", "iis-config-history"},
                                            {NULL, NULL, NULL}};

extern const struct artifact artifact_iis_config_history;
const struct artifact artifact_iis_config_history = {
    .name = "iis_config_history",
    .title = "Changes of the configuration of IIS",
    .paths = paths,
    .sources = sources,
    .parse = parse,
};
