#include "artifacts/mft_reasons.h"

#include "triage/evidence/mft.h"

enum { SYSTEM_ENTRIES = 24 }; /* the file system's own, whose times are those of its making */

/* When the volume was made: its own files have that time and nothing sets it. */
static struct instant volume_made(const struct listing *listing)
{
    struct instant made = INSTANT_NONE;

    for (uint32_t i = 0; i < MFT_ROOT; i++) {
        const struct listing_entry *entry = listing_look(listing, i);
        if (entry && instant_known(entry->si.created) &&
            (!instant_known(made) || entry->si.created.ticks < made.ticks))
            made = entry->si.created;
    }
    return made;
}

struct mft_reasons mft_reasons_of(const struct listing *listing)
{
    return (struct mft_reasons){listing, volume_made(listing)};
}

static void add_reason(struct buffer *out, size_t start, const char *reason)
{
    if (out->size > start)
        buffer_add_text(out, "; ");
    buffer_add_text(out, reason);
}

static bool is_whole_second(struct instant instant)
{
    return instant.ticks % TICKS_PER_SECOND == 0;
}

/* Made before the folder that it was made in: `si` says so and $FN does not. */
static bool precedes_folder(const struct listing *listing, const struct file *file)
{
    const uint32_t parent = listing_parent(listing, (uint32_t)file->address);
    const struct listing_entry *folder =
        parent == LISTING_NONE || parent == MFT_ROOT ? NULL : listing_look(listing, parent);

    return folder && folder->flags & FILE_FOLDER && instant_known(folder->si.created) &&
           file->si.created.ticks < folder->si.created.ticks &&
           file->fn.created.ticks >= folder->si.created.ticks;
}

void mft_reasons_add(const struct mft_reasons *reasons, const struct file *file, bool odd,
                     struct buffer *out)
{
    const struct macb *si = &file->si, *fn = &file->fn;
    const size_t start = out->size;

    if (file->address < SYSTEM_ENTRIES || !instant_known(si->created) ||
        !instant_known(fn->created))
        return;
    if (si->created.ticks + TICKS_PER_DAY < fn->created.ticks)
        add_reason(out, start, "$SI created more than a day before $FN");
    if (is_whole_second(si->created) && !is_whole_second(fn->created))
        add_reason(out, start, "$SI created in whole seconds");
    if (instant_known(si->changed) && si->changed.ticks + TICKS_PER_SECOND < fn->created.ticks)
        add_reason(out, start, "$SI changed before $FN created");
    if (si->created.ticks < reasons->volume_made.ticks &&
        fn->created.ticks >= reasons->volume_made.ticks)
        add_reason(out, start, "$SI created before the volume");
    if (precedes_folder(reasons->listing, file))
        add_reason(out, start, "$SI created before its folder");
    if (odd)
        add_reason(out, start, "$SI times of a file beside it");
}
