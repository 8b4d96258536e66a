/* Scripts of web roots, beside each other. See mft_scripts.h. */
#include "artifacts/mft_scripts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SCRIPTS_MAX = 1 << 17 };

static bool is_script(const char *path)
{
    static const char *const endings[] = {".aspx",   ".asp",    ".ashx", ".asmx", ".asax",
                                          ".cshtml", ".soap",   ".svc",  ".php",  ".jsp",
                                          ".cer",    ".master", ".ascx"};
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static int compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_times(const void *a, const void *b)
{
    const struct script *x = a, *y = b;
    const int64_t of_x[] = {x->parent, x->file.si.created.ticks, x->file.si.modified.ticks,
                            x->file.fn.created.ticks, (int64_t)x->file.address};
    const int64_t of_y[] = {y->parent, y->file.si.created.ticks, y->file.si.modified.ticks,
                            y->file.fn.created.ticks, (int64_t)y->file.address};

    for (size_t i = 0; i < sizeof of_x / sizeof *of_x; i++)
        if (of_x[i] != of_y[i])
            return compare(of_x[i], of_y[i]);
    return 0;
}

static int by_entry(const void *a, const void *b)
{
    const struct script *x = a, *y = b;

    return compare((int64_t)x->file.address, (int64_t)y->file.address);
}

static bool room_for_script(struct scripts *scripts)
{
    if (scripts->count < scripts->room)
        return true;
    const size_t room = scripts->room ? 2 * scripts->room : 256;
    struct script *grown = room > SCRIPTS_MAX ? NULL : realloc(scripts->all, room * sizeof *grown);
    if (!grown)
        return false;
    scripts->all = grown;
    scripts->room = room;
    return true;
}

bool scripts_put_aside(struct scripts *scripts, const struct file *file)
{
    if (file->stream || file->flags & FILE_FOLDER || !is_script(file->path) ||
        !room_for_script(scripts))
        return false;
    const char *path = arena_text(scripts->job->arena, slice_of_text(file->path));
    if (!path)
        return false;
    struct script *script = &scripts->all[scripts->count++];
    *script = (struct script){.file = *file,
                              .parent = listing_parent(scripts->listing, (uint32_t)file->address)};
    script->file.path = path;
    return true;
}

static bool share_times(const struct script *a, const struct script *b)
{
    return a->parent == b->parent && a->file.si.created.ticks == b->file.si.created.ticks &&
           a->file.si.modified.ticks == b->file.si.modified.ticks &&
           instant_known(a->file.si.created) && instant_known(a->file.fn.created);
}

/* Marks those that have the times of a file beside them but came there more than a day later. */
static void mark_odd_scripts(struct scripts *scripts)
{
    struct script *all = scripts->all;
    size_t leader = 0;

    if (scripts->count == 0)
        return;
    qsort(all, scripts->count, sizeof *all, by_times);
    for (size_t i = 1; i < scripts->count; i++) {
        if (!share_times(&all[leader], &all[i]))
            leader = i;
        all[i].odd =
            all[i].file.fn.created.ticks - TICKS_PER_DAY > all[leader].file.fn.created.ticks;
    }
}

static int by_birth(const void *a, const void *b)
{
    const struct script *x = a, *y = b;

    if (x->parent != y->parent)
        return compare(x->parent, y->parent);
    return compare(x->file.fn.created.ticks, y->file.fn.created.ticks);
}

/* When most files of a folder came: the middle one of them, or the folder itself where there are
 * too few to tell. */
static int64_t usual_birth(const struct scripts *scripts, const struct script *all, size_t count)
{
    const struct listing_entry *folder =
        all->parent == LISTING_NONE ? NULL : listing_look(scripts->listing, all->parent);

    if (count >= 3)
        return all[(count - 1) / 2].file.fn.created.ticks;
    return folder && instant_known(folder->si.created) ? folder->si.created.ticks : INT64_MAX;
}

static void mark_late_scripts(struct scripts *scripts)
{
    struct script *all = scripts->all;
    size_t end;

    if (scripts->count)
        qsort(all, scripts->count, sizeof *all, by_birth);
    for (size_t start = 0; start < scripts->count; start = end) {
        for (end = start + 1; end < scripts->count && all[end].parent == all[start].parent;)
            end++;
        const int64_t usual = usual_birth(scripts, &all[start], end - start);
        for (size_t i = start; i < end; i++)
            if (all[i].file.fn.created.ticks > usual)
                all[i].late = (all[i].file.fn.created.ticks - usual) / TICKS_PER_DAY;
    }
}

/* What they have in common is looked for in other orders than that in which they are told. */
void scripts_judge(struct scripts *scripts)
{
    mark_odd_scripts(scripts);
    mark_late_scripts(scripts);
    if (scripts->count)
        qsort(scripts->all, scripts->count, sizeof *scripts->all, by_entry);
}

void scripts_release(struct scripts *scripts)
{
    free(scripts->all);
    *scripts = (struct scripts){.all = NULL};
}
