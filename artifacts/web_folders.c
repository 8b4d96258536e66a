#include "artifacts/web_folders.h"

#include <string.h>
#include <strings.h>

static bool lies_below(const char *path, const char *folder)
{
    const size_t size = strlen(folder);

    return strncasecmp(path, folder, size) == 0 && (size == 0 || path[size] == '/');
}

/* By what the survey found, and by the names that such folders have where it found none. `folder`
 * ends with '/'. */
static bool is_web_folder(const struct job *job, const char *folder)
{
    static const char *const usual[] = {"inetpub/wwwroot/", "/FrontEnd/HttpProxy/",
                                        "/ClientAccess/", "aspnet_client/"};
    const struct host *host = job->host;

    for (size_t i = 0; host && i < host->place_count; i++)
        if (strcmp(host->places[i].name, "web_root") == 0 &&
            host->places[i].volume == job->file->volume && lies_below(folder, host->places[i].path))
            return true;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcasestr(folder, usual[i]))
            return true;
    return false;
}

bool web_folders_hold(struct web_folders *folders, const char *path)
{
    const char *slash = strrchr(path, '/');
    const struct slice folder = slice_of(path, slash ? (size_t)(slash + 1 - path) : 0);

    if (!slice_equal(folder, buffer_slice(&folders->last))) {
        buffer_clear(&folders->last);
        buffer_add(&folders->last, folder);
        folders->last_is_web = is_web_folder(folders->job, buffer_text(&folders->last));
    }
    return folders->last_is_web;
}

void web_folders_release(struct web_folders *folders)
{
    buffer_release(&folders->last);
}
