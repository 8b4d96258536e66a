#include "triage/evidence/snapshots.h"

#include "triage/base/error.h"
#include "triage/evidence/probe.h"
#include "triage/evidence/sleuthkit.h"

#include <stdio.h>
#include <stdlib.h>

struct copy {
    struct view view;
    struct image *image;
    struct medium *medium;
    char problem[300]; /* why it cannot be mounted */
};

struct snapshots {
    struct shadow_volume volume;
    struct shadow *shadow; /* NULL: `problem` says why */
    struct arena *arena;
    struct copy *copies[SNAPSHOTS_MAX]; /* by number - 1, NULL before first use */
    char problem[300];
};

void view_release(struct view *view)
{
    listing_free(view->listing);
    if (view->source)
        view->source->methods->close(view->source);
}

struct snapshots *snapshots_new(const struct shadow_volume *volume, struct arena *arena)
{
    struct snapshots *snapshots = calloc(1, sizeof *snapshots);

    if (!snapshots) {
        error_set("out of memory");
        return NULL;
    }
    snapshots->volume = *volume;
    snapshots->arena = arena;
    if (shadow_new(volume, arena, &snapshots->shadow) < 0)
        snprintf(snapshots->problem, sizeof snapshots->problem, "%s", error_text());
    return snapshots;
}

static void copy_free(struct copy *copy)
{
    if (!copy)
        return;
    view_release(&copy->view);
    medium_free(copy->medium);
    image_close(copy->image);
    free(copy);
}

void snapshots_free(struct snapshots *snapshots)
{
    if (!snapshots)
        return;
    for (size_t i = 0; i < SNAPSHOTS_MAX; i++)
        copy_free(snapshots->copies[i]);
    shadow_free(snapshots->shadow);
    free(snapshots);
}

int snapshots_list(struct snapshots *snapshots, const struct snapshot **list, size_t *count)
{
    *list = NULL;
    *count = 0;
    return snapshots->shadow ? shadow_list(snapshots->shadow, list, count)
                             : error_set("its shadow copies: %s", snapshots->problem);
}

/* As a volume that begins where its medium does. */
static int mount(struct snapshots *snapshots, uint32_t number, struct copy *copy)
{
    struct volume volume = {.size = snapshots->volume.size};
    struct probe probe;

    if (shadow_image(snapshots->shadow, number, &copy->image) < 0 ||
        probe_volume(copy->image, 0, volume.size, &probe) < 0)
        return -1;
    if (probe.kind != PROBE_NTFS)
        return error_set("it holds no NTFS");
    copy->medium = medium_new(copy->image);
    return copy->medium ? sleuthkit_mount(copy->medium, &probe, snapshots->arena, &volume,
                                          &copy->view.source)
                        : -1;
}

static int check_number(struct snapshots *snapshots, uint32_t number)
{
    const struct snapshot *list;
    size_t count;

    if (snapshots_list(snapshots, &list, &count) < 0)
        return -1;
    if (number < 1 || number > count)
        return error_set("there is no shadow copy %u", number);
    return list[number - 1].problem
               ? error_set("shadow copy %u: %s", number, list[number - 1].problem)
               : 0;
}

struct view *snapshots_view(struct snapshots *snapshots, uint32_t number)
{
    if (check_number(snapshots, number) < 0)
        return NULL;
    struct copy *copy = snapshots->copies[number - 1];
    if (!copy) {
        copy = snapshots->copies[number - 1] = calloc(1, sizeof *copy);
        if (!copy) {
            error_set("out of memory");
            return NULL;
        }
        if (mount(snapshots, number, copy) < 0)
            snprintf(copy->problem, sizeof copy->problem, "%s", error_text());
    }
    if (!copy->view.source)
        error_set("shadow copy %u: %s", number, copy->problem);
    return copy->view.source ? &copy->view : NULL;
}

static bool is_same(void *context, uint64_t offset, uint64_t size)
{
    return shadow_is_same(context, offset, size);
}

bool snapshots_same_content(struct snapshots *snapshots, uint32_t number, struct stream *kept,
                            struct stream *live)
{
    return sleuthkit_is_same(kept, live, is_same, snapshots->copies[number - 1]->image);
}
