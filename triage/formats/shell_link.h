/*
 * Shell links, NAME.lnk, and those within jump lists: where they lead, and what Windows noted of
 * the target when it made them. Source: MS-SHLLINK; for the parts of a path that stand as shell
 * items, the documentation of libfwsi.
 */
#ifndef TRIAGE_FORMATS_SHELL_LINK_H
#define TRIAGE_FORMATS_SHELL_LINK_H

#include "triage/base/arena.h"
#include "triage/base/guid.h"
#include "triage/base/instant.h"

enum { SHELL_LINK_HEADER = 76, MAC_TEXT = 18 };

/* Object ids of a file: of its volume and of itself. */
struct shell_droid {
    char volume[GUID_TEXT_SIZE], file[GUID_TEXT_SIZE]; /* lower case; "" when not set */
};

/* Texts are never NULL; "" when they are not there. */
struct shell_link {
    struct instant created, accessed, modified; /* of the target, when the link was made */
    uint32_t size, attributes;                  /* likewise */
    bool run_as_administrator;
    const char *local_path, *network_path, *item_path, *environment_path;
    const char *description, *relative_path, *folder, *arguments, *icon;
    const char *drive_type; /* fixed, removable, remote ... */
    const char *volume_label, *share, *share_device;
    bool has_volume;
    uint32_t serial;
    const char *machine; /* NetBIOS name of the computer that the target was on */
    struct shell_droid droid, birth;
    char mac[MAC_TEXT];  /* network card of that computer, as the file's object id has it; "" */
    const char *problem; /* NULL, or what is wrong behind the header */
};

/* Texts live in the arena. -1 with error_text when it does not begin as a link does. Bytes behind
 * its end do not matter. */
int shell_link_read(struct slice bytes, struct arena *arena, struct shell_link *out);
/* Where it leads, by the best that it says; "" when it does not say. */
const char *shell_link_target(const struct shell_link *link);
/* Offset of the next place at or after `from` where a link begins; SIZE_MAX when there is none. */
size_t shell_link_find(struct slice bytes, size_t from);
void shell_droid_read(struct cursor *c, struct shell_droid *out);
/* The network card's address in an object id that was made of time and place (version 1). */
void shell_droid_mac(const struct shell_droid *droid, char mac[MAC_TEXT]);

#endif
