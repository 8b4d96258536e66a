#include "triage/report/html_files.h"

#include "triage/base/error.h"

#include <stdlib.h>

struct loading {
    struct found_files *files;
    struct arena *arena;
};

static int by_hash(const void *a, const void *b)
{
    return strcmp(((const struct found_file *)a)->sha256, ((const struct found_file *)b)->sha256);
}

static int add_hash(struct found_files *files, const char *sha256)
{
    if (files->count == files->room) {
        const size_t room = files->room ? 2 * files->room : 64;
        struct found_file *grown = realloc(files->list, room * sizeof *grown);
        if (!grown)
            return error_set("out of memory");
        files->list = grown;
        files->room = room;
    }
    files->list[files->count++] = (struct found_file){.sha256 = sha256};
    return 0;
}

static const struct json_value *first_of(const struct json_value *parent, const char *name)
{
    const struct json_value *list = json_member(parent, name);

    return list ? list->first : NULL;
}

static int add_hashes(struct found_files *files, const struct json_value *findings)
{
    for (const struct json_value *incident = first_of(findings, "incidents"); incident;
         incident = incident->next)
        for (const struct json_value *file = first_of(incident, "files"); file; file = file->next) {
            const struct json_value *hash = json_member(file, "sha256");
            if (hash && hash->type == JSON_STRING &&
                add_hash(files, (const char *)hash->text.data) < 0)
                return -1;
        }
    return 0;
}

static struct found_file *find(const struct found_files *files, const char *sha256)
{
    const struct found_file wanted = {.sha256 = sha256};

    return sha256 && files->count
               ? bsearch(&wanted, files->list, files->count, sizeof wanted, by_hash)
               : NULL;
}

const struct found_file *found_files_at(const struct found_files *files, const char *sha256)
{
    return find(files, sha256);
}

/* Of several files with the same content the one with a copy counts. */
static int fill_in(void *context, const struct case_stored *row)
{
    struct loading *loading = context;
    struct found_file *known = find(loading->files, row->sha256);

    if (!known || (known->stored && *known->stored))
        return 0;
    known->md5 = arena_text(loading->arena, slice_of_text(row->md5));
    known->sha1 = arena_text(loading->arena, slice_of_text(row->sha1));
    known->stored = arena_text(loading->arena, slice_of_text(row->stored));
    return known->md5 && known->sha1 && known->stored ? 0 : -1;
}

static void drop_doubles(struct found_files *files)
{
    size_t kept = 0;

    for (size_t i = 0; i < files->count; i++)
        if (!kept || strcmp(files->list[kept - 1].sha256, files->list[i].sha256) != 0)
            files->list[kept++] = files->list[i];
    files->count = kept;
}

int found_files_load(struct case_file *file, const struct json_value *findings, struct arena *arena,
                     struct found_files *files)
{
    struct loading loading = {.files = files, .arena = arena};

    if (add_hashes(files, findings) < 0)
        return -1;
    if (!files->count)
        return 0;
    qsort(files->list, files->count, sizeof *files->list, by_hash);
    drop_doubles(files);
    return case_each_stored(file, fill_in, &loading);
}

void found_files_release(struct found_files *files)
{
    free(files->list);
    *files = (struct found_files){0};
}
