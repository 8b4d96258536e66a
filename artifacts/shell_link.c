/*
 * NAME.lnk of the profiles: what users opened (Recent), what starts with their logon (Startup),
 * what lies on desktops and in start menus. Windows makes the link in Recent when a document is
 * first opened and writes it anew each time it is opened again: created is the first opening,
 * last written the last one.
 */
#include "artifacts/link_event.h"
#include "triage/base/error.h"

#include <string.h>

static const struct {
    const char *part, *place;
} places[] = {{"/Startup/", "startup"}, {"/Recent/", "recent"},
              {"/Desktop/", "desktop"}, {"/Quick Launch/", "quick launch"},
              {"/SendTo/", "send to"},  {"/Start Menu/", "start menu"}};

static const char *place_of(const char *path)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcasestr(path, places[i].part))
            return places[i].place;
    return NULL;
}

static int parse(struct job *job)
{
    struct shell_link link;
    struct slice content;
    struct entry entry;

    if (entry_content(job, &content) < 0)
        return -1;
    if (shell_link_read(content, job->arena, &link) < 0) {
        entry_reject(job, KIND_shell_link, content, error_text());
        return 0;
    }
    entry_begin(&entry, job, KIND_shell_link);
    entry_add(&entry, "Place", place_of(job->file->path));
    entry_add(&entry, "Profile", link_profile(job->arena, job->file->path));
    entry_add_created(&entry, "LinkCreated");
    link_add(&entry, job->arena, &link);
    entry.event.raw = content;
    if (link.problem) {
        job_notice(job, 0, link.problem);
        entry.event.marks |= EVENT_REPAIRED;
    }
    entry_emit(&entry);
    return 0;
}

static bool recognise(struct slice head, const char *name)
{
    return slice_ends_nocase(slice_of_text(name), ".lnk") && shell_link_find(head, 0) == 0;
}

static const char *const paths[] = {
    "Users/*/AppData/Roaming/Microsoft/Windows/Recent/*.lnk",
    "Users/*/AppData/Roaming/Microsoft/Windows/SendTo/*.lnk",
    "Users/*/AppData/Roaming/Microsoft/Windows/Start Menu/**/*.lnk",
    "Users/*/AppData/Roaming/Microsoft/Internet Explorer/Quick Launch/**/*.lnk",
    "Users/*/AppData/Roaming/Microsoft/Office/Recent/*.lnk",
    "Users/*/Desktop/**/*.lnk",
    "ProgramData/Microsoft/Windows/Start Menu/**/*.lnk",
    "Documents and Settings/*/Recent/*.lnk",
    "Documents and Settings/*/Desktop/**/*.lnk",
    "Documents and Settings/*/Start Menu/**/*.lnk",
    "{windows}/System32/config/systemprofile/**/*.lnk",
    "{windows}/SysWOW64/config/systemprofile/**/*.lnk",
    "{windows}/ServiceProfiles/**/*.lnk",
    NULL};
static const struct log_source sources[] = {{NULL, "windows", "lnk"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_shell_link;
const struct artifact artifact_shell_link = {
    .name = "shell_link",
    .title = "Shell links",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
