/* Names in folders: percent-encoded ones, those that stand for drives, and all of one folder. */
#include "triage/evidence/folder_parts.h"

#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool name_decode(const char *name, char *out, size_t room)
{
    size_t used = 0;

    for (; *name; name++) {
        if (used + 1 >= room)
            return false;
        const int high = *name == '%' ? hex_digit((uint8_t)name[1]) : -1;
        const int low = high >= 0 ? hex_digit((uint8_t)name[2]) : -1;
        const int byte = low >= 0 ? high * 16 + low : 0;
        if (byte != 0 && byte != '/') {
            out[used++] = (char)byte;
            name += 2;
        } else {
            out[used++] = *name;
        }
    }
    out[used] = 0;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

char folder_drive_letter(const char *name)
{
    static const char *const behind[] = {":", "_", " drive", "_drive", ":\\"};
    char text[COMPONENT_SIZE];
    const char *rest = text;

    if (!name_decode(name, text, sizeof text))
        return 0;
    if (strncmp(rest, "\\\\.\\", 4) == 0 || strncmp(rest, "\\\\?\\", 4) == 0)
        rest += 4;
    if (strncasecmp(rest, "drive", 5) == 0 && (rest[5] == ' ' || rest[5] == '_') &&
        is_letter(rest[6]) && rest[7] == 0)
        return upper(rest[6]);
    if (!is_letter(*rest))
        return 0;
    if (rest[1] == 0) /* a bare letter only as Windows writes it */
        return *rest == upper(*rest) ? *rest : 0;
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
        if (strcasecmp(rest + 1, behind[i]) == 0)
            return upper(*rest);
    return 0;
}

void found_release(struct found_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].raw);
        free(list->items[i].shown);
    }
    free(list->items);
}

static int found_add(struct found_list *list, const char *raw, const char *shown, size_t parent)
{
    if (list->count == list->room) {
        const size_t room = list->room ? list->room * 2 : 64;
        struct found *items = reallocarray(list->items, room, sizeof *items);
        if (!items)
            return error_set("out of memory");
        list->items = items;
        list->room = room;
    }
    struct found found = {.raw = strdup(raw), .shown = strdup(shown), .parent = parent};
    if (!found.raw || !found.shown) {
        free(found.raw);
        free(found.shown);
        return error_set("out of memory");
    }
    list->items[list->count++] = found;
    return 0;
}

int found_compare(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    const int order = strcmp(x->shown, y->shown);

    return order ? order : x->parent < y->parent ? -1 : x->parent > y->parent;
}

bool name_is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

DIR *folder_stream(int folder, const char *name)
{
    const int file = openat(folder, name, FOLDER_FLAGS);
    DIR *opened = file < 0 ? NULL : fdopendir(file);

    if (file >= 0 && !opened)
        close(file);
    return opened;
}

int folder_names(int folder, size_t parent, bool decode, struct found_list *list)
{
    DIR *names = folder_stream(folder, ".");
    char shown[COMPONENT_SIZE];
    int result = 0;

    if (!names)
        return 1;
    for (struct dirent *entry; result == 0 && (entry = readdir(names));) {
        if (name_is_dot(entry->d_name))
            continue;
        if (!decode || !name_decode(entry->d_name, shown, sizeof shown) || name_is_dot(shown))
            snprintf(shown, sizeof shown, "%s", entry->d_name);
        result = found_add(list, entry->d_name, shown, parent);
    }
    closedir(names);
    return result;
}
