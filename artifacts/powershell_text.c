#include "artifacts/powershell_text.h"

void powershell_command(struct entry *entry, struct slice command)
{
    entry_add_slice(entry, "Command", command);
    const size_t count = entry->event.value_count;
    entry_add_slice(entry, "ScriptBlockText", command);
    if (entry->event.value_count > count)
        entry->values[count].alias = true;
}

struct slice powershell_owner(const char *path)
{
    static const char *const folders[] = {"/Users/", "/Documents and Settings/",
                                          "/ServiceProfiles/"};
    const struct slice whole = slice_of_text(path);

    if (text_holds(whole, "/systemprofile/"))
        return SLICE_LITERAL("SYSTEM");
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        /* A path of a volume has no slash in front. */
        const struct slice folder = slice_of_text(folders[i]), top = slice_from(folder, 1);
        size_t at = slice_find_nocase(whole, 0, folder);
        if (slice_equal_nocase(slice_part(whole, 0, top.size), top))
            at = top.size;
        else if (at != SIZE_MAX)
            at += folder.size;
        else
            continue;
        const size_t end = slice_find(whole, at, '/');
        return end == SIZE_MAX ? slice_of(NULL, 0) : slice_part(whole, at, end - at);
    }
    return slice_of(NULL, 0);
}
