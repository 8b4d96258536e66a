#include "triage/findings/web_paths.h"

#include "triage/formats/json_reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct web_directory {
    uint64_t site;
    const char *url;  /* "/owa", "" for the root */
    const char *path; /* "D:\...\owa" */
};

struct web_paths {
    struct web_directory *directories;
    size_t count;
};

static const char *text_of(const struct json_value *parent, const char *name)
{
    const struct json_value *value = json_member(parent, name);

    return value && value->type == JSON_STRING ? (const char *)value->text.data : "";
}

static size_t count_directories(const struct json_value *sites)
{
    size_t count = 0;

    for (const struct json_value *site = sites ? sites->first : NULL; site; site = site->next) {
        const struct json_value *list = json_member(site, "virtual_directories");
        for (const struct json_value *at = list ? list->first : NULL; at; at = at->next)
            count++;
    }
    return count;
}

/* Application and virtual path put together, without the slash at the end: "/" and "/" are "". */
static const char *url_of(struct arena *arena, const char *application, const char *path)
{
    char *url = arena_format(arena, "%s%s", strcmp(application, "/") == 0 ? "" : application,
                             strcmp(path, "/") == 0 ? "" : path);
    const size_t size = url ? strlen(url) : 0;

    if (size && url[size - 1] == '/')
        url[size - 1] = 0;
    return url;
}

static void add_directories(struct web_paths *paths, const struct json_value *site,
                            struct arena *arena)
{
    const struct json_value *id = json_member(site, "id");
    const struct json_value *list = json_member(site, "virtual_directories");
    uint64_t number = 0;

    if (id)
        slice_to_u64(id->text, &number);
    for (const struct json_value *at = list ? list->first : NULL; at; at = at->next) {
        const struct web_directory directory = {
            number, url_of(arena, text_of(at, "application"), text_of(at, "path")),
            arena_text(arena, slice_of_text(text_of(at, "physical_path")))};
        if (directory.url && directory.path && *directory.path)
            paths->directories[paths->count++] = directory;
    }
}

struct web_paths *web_paths_new(struct slice host, struct arena *arena)
{
    struct web_paths *paths = arena_take(arena, sizeof *paths);
    struct json_value *root = NULL;

    if (!paths || json_read(host, arena, &root) < 0)
        return paths;
    const struct json_value *sites = json_member(json_member(root, "iis"), "sites");
    paths->directories =
        arena_array(arena, count_directories(sites) + 1, sizeof *paths->directories);
    if (!paths->directories)
        return NULL;
    for (const struct json_value *site = sites ? sites->first : NULL; site; site = site->next)
        add_directories(paths, site, arena);
    return paths;
}

/* The number behind "W3SVC" of an IIS log's path; 0 elsewhere: all logs of Exchange itself tell of
 * its front end. */
static uint64_t site_of_log(const char *log_path)
{
    const char *at = strcasestr(log_path, "\\W3SVC");

    return at ? strtoull(at + 6, NULL, 10) : 0;
}

static bool holds(const struct web_directory *directory, struct slice stem)
{
    const size_t size = strlen(directory->url);

    return size <= stem.size && slice_starts_nocase(stem, directory->url) &&
           (size == stem.size || stem.data[size] == '/');
}

static const struct web_directory *directory_of(const struct web_paths *paths, uint64_t site,
                                                struct slice stem)
{
    const struct web_directory *best = NULL;

    for (size_t i = 0; i < paths->count; i++) {
        const struct web_directory *at = &paths->directories[i];
        if ((site && at->site != site) || !holds(at, stem))
            continue;
        if (!best || strlen(at->url) > strlen(best->url) ||
            (strlen(at->url) == strlen(best->url) && at->site < best->site))
            best = at;
    }
    return best;
}

bool web_paths_file(const struct web_paths *paths, const char *log_path, struct slice stem,
                    struct buffer *out)
{
    const struct web_directory *directory = directory_of(paths, site_of_log(log_path), stem);

    if (!directory)
        return false;
    const size_t start = out->size;
    buffer_add_text(out, directory->path);
    while (out->size > start && out->data[out->size - 1] == '\\')
        out->size--;
    buffer_add(out, slice_from(stem, strlen(directory->url)));
    for (size_t i = start; i < out->size; i++) {
        const uint8_t c = out->data[i];
        out->data[i] = c == '/' ? '\\' : c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    return !buffer_failed(out);
}
