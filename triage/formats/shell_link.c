#include "triage/formats/shell_link.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdio.h>
#include <string.h>

enum link_flag {
    HAS_ITEMS = 0x1,
    HAS_INFORMATION = 0x2,
    HAS_NAME = 0x4,
    HAS_RELATIVE_PATH = 0x8,
    HAS_FOLDER = 0x10,
    HAS_ARGUMENTS = 0x20,
    HAS_ICON = 0x40,
    IS_UNICODE = 0x80,
    RUN_AS_ADMINISTRATOR = 0x2000,
};

enum {
    BLOCK_ENVIRONMENT = 0xA0000001,
    BLOCK_TRACKER = 0xA0000003,
    ANSI_PATH_SIZE = 260,
    LONG_INFORMATION = 0x24, /* header sizes with Unicode offsets behind */
    LONG_VOLUME = 0x14,
    LONG_SHARE = 0x14,
    NAME_EXTENSION = 0xBEEF0004,
    ITEMS_MOST = 256,
    BLOCKS_MOST = 64,
};

static const uint8_t signature[] = {0x4c, 0, 0,    0, 1, 0x14, 2, 0, 0, 0,
                                    0,    0, 0xc0, 0, 0, 0,    0, 0, 0, 0x46};

struct reader {
    struct arena *arena;
    struct shell_link *link;
};

static const char *kept(const char *text)
{
    return text ? text : "";
}

/* The code page is that of whoever made the link: what is not UTF-8 is replaced. */
static const char *narrow_text(struct reader *reader, struct slice bytes)
{
    struct buffer text = BUFFER_EMPTY;
    const size_t end = slice_find(bytes, 0, 0);

    utf8_append_repaired(&text, slice_part(bytes, 0, end));
    const char *copy = arena_text(reader->arena, buffer_slice(&text));
    buffer_release(&text);
    return kept(copy);
}

static const char *wide_text(struct reader *reader, struct slice bytes)
{
    return kept(utf16_to_text(reader->arena, bytes, true));
}

static const char *joined(struct reader *reader, const char *first, const char *second)
{
    const size_t size = strlen(first);
    const bool slash = size && *second && first[size - 1] != '\\' && *second != '\\';

    return kept(arena_format(reader->arena, "%s%s%s", first, slash ? "\\" : "", second));
}

/* --- the path as shell items --- */

/* The long name stands in an extension block whose offset is the item's last number. */
static const char *long_name(struct reader *reader, struct slice item)
{
    if (item.size < 16)
        return "";
    struct cursor c = cursor_over(item, 0);
    cursor_seek(&c, item.size - 2);
    const size_t at = cursor_u16le(&c);
    c = cursor_over(slice_from(item, at), 0);
    cursor_skip(&c, 2);
    const uint16_t version = cursor_u16le(&c);
    const uint32_t kind = cursor_u32le(&c);
    if (at < 4 || cursor_failed(&c) || kind != NAME_EXTENSION || version < 3)
        return "";
    cursor_skip(&c, 10); /* times, identifier */
    if (version >= 7)
        cursor_skip(&c, 18); /* file reference */
    cursor_skip(&c, 2);      /* size of a localised name */
    if (version >= 9)
        cursor_skip(&c, 4);
    if (version >= 8)
        cursor_skip(&c, 4);
    return cursor_failed(&c) ? "" : wide_text(reader, slice_from(item, at + c.at));
}

/* "" for items that are no part of a path. `item` has its size in front. */
static const char *item_name(struct reader *reader, struct slice item)
{
    const uint8_t class = item.size > 2 ? item.data[2] : 0;

    if ((class & 0x70) == 0x20)
        return item.size > 4 && item.data[3] >= 'A' ? narrow_text(reader, slice_from(item, 3)) : "";
    if ((class & 0x70) == 0x40)
        return narrow_text(reader, slice_from(item, 5));
    if ((class & 0x70) != 0x30)
        return "";
    const char *name = long_name(reader, item);
    if (*name)
        return name;
    return class & 4 ? wide_text(reader, slice_from(item, 14))
                     : narrow_text(reader, slice_from(item, 14));
}

static void read_items(struct reader *reader, struct slice list)
{
    struct cursor c = cursor_over(list, 0);
    const char *path = "";

    for (size_t i = 0; i < ITEMS_MOST; i++) {
        const size_t start = c.at, size = cursor_u16le(&c);
        if (cursor_failed(&c) || size < 2)
            break;
        cursor_skip(&c, size - 2);
        if (!cursor_failed(&c) && strlen(path) < ANSI_PATH_SIZE * 4)
            path = joined(reader, path, item_name(reader, slice_part(list, start, size)));
    }
    reader->link->item_path = path;
}

/* --- where the target is --- */

static const char *drive_type_name(uint32_t type)
{
    static const char *const names[] = {"unknown", "no root", "removable", "fixed",
                                        "remote",  "CD-ROM",  "RAM disk"};

    return type < sizeof names / sizeof *names ? names[type] : "unknown";
}

static uint32_t u32_at(struct slice area, size_t at)
{
    struct cursor c = cursor_over(slice_from(area, at), 0);

    return cursor_u32le(&c);
}

/* The text that the number at `place` leads to; "" when that is 0. */
static const char *text_behind(struct reader *reader, struct slice area, size_t place, bool wide)
{
    const uint32_t at = u32_at(area, place);

    if (!at || at >= area.size)
        return "";
    return wide ? wide_text(reader, slice_from(area, at))
                : narrow_text(reader, slice_from(area, at));
}

static const char *best_text(struct reader *reader, struct slice area, size_t narrow, size_t wide)
{
    const char *text = wide ? text_behind(reader, area, wide, true) : "";

    return *text ? text : text_behind(reader, area, narrow, false);
}

static void read_volume(struct reader *reader, struct slice area)
{
    struct shell_link *link = reader->link;

    if (area.size < 16)
        return;
    link->has_volume = true;
    link->drive_type = drive_type_name(u32_at(area, 4));
    link->serial = u32_at(area, 8);
    link->volume_label = best_text(reader, area, 12, u32_at(area, 12) == LONG_VOLUME ? 16 : 0);
}

static void read_share(struct reader *reader, struct slice area, const char *suffix)
{
    struct shell_link *link = reader->link;
    const bool wide = u32_at(area, 8) > LONG_SHARE;

    link->share = best_text(reader, area, 8, wide ? 20 : 0);
    link->share_device = best_text(reader, area, 12, wide ? 24 : 0);
    link->network_path = joined(reader, link->share, suffix);
}

static void read_information(struct reader *reader, struct slice area)
{
    const uint32_t header = u32_at(area, 4), flags = u32_at(area, 8);
    const bool wide = header >= LONG_INFORMATION;
    const char *suffix = best_text(reader, area, 24, wide ? 32 : 0);

    if (flags & 1) {
        const char *base = best_text(reader, area, 16, wide ? 28 : 0);
        read_volume(reader, slice_from(area, u32_at(area, 12)));
        if (*base)
            reader->link->local_path = joined(reader, base, suffix);
    }
    if (flags & 2)
        read_share(reader, slice_from(area, u32_at(area, 20)), suffix);
}

/* --- texts and blocks behind --- */

static const char *counted_text(struct reader *reader, struct cursor *c, uint32_t flags)
{
    const size_t units = cursor_u16le(c);
    const bool wide = flags & IS_UNICODE;
    const struct slice bytes = cursor_take(c, wide ? units * 2 : units);

    return wide ? wide_text(reader, bytes) : narrow_text(reader, bytes);
}

static void read_texts(struct reader *reader, struct cursor *c, uint32_t flags)
{
    struct shell_link *link = reader->link;
    const struct {
        uint32_t flag;
        const char **text;
    } texts[] = {{HAS_NAME, &link->description},
                 {HAS_RELATIVE_PATH, &link->relative_path},
                 {HAS_FOLDER, &link->folder},
                 {HAS_ARGUMENTS, &link->arguments},
                 {HAS_ICON, &link->icon}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (flags & texts[i].flag)
            *texts[i].text = counted_text(reader, c, flags);
}

/* Droids that are not set are all zero. */
static void read_guid(struct cursor *c, char text[GUID_TEXT_SIZE])
{
    static const uint8_t none[GUID_SIZE];
    const struct slice guid = cursor_take(c, GUID_SIZE);

    text[0] = 0;
    if (!cursor_failed(c) && memcmp(guid.data, none, sizeof none) != 0)
        guid_plain(guid, text);
}

void shell_droid_read(struct cursor *c, struct shell_droid *out)
{
    read_guid(c, out->volume);
    read_guid(c, out->file);
}

void shell_droid_mac(const struct shell_droid *droid, char mac[MAC_TEXT])
{
    const char *hex = droid->file + 24;

    mac[0] = 0;
    if (!droid->file[0] || droid->file[14] != '1')
        return;
    snprintf(mac, MAC_TEXT, "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", hex, hex + 2, hex + 4, hex + 6,
             hex + 8, hex + 10);
}

static void read_tracker(struct reader *reader, struct slice block)
{
    struct shell_link *link = reader->link;
    struct cursor c = cursor_over(block, 0);

    cursor_skip(&c, 16); /* block's size and kind, size again, version */
    link->machine = narrow_text(reader, cursor_take(&c, 16));
    shell_droid_read(&c, &link->droid);
    shell_droid_read(&c, &link->birth);
    shell_droid_mac(&link->droid, link->mac);
    if (cursor_failed(&c))
        link->problem = "its tracker block is cut short";
}

static void read_environment(struct reader *reader, struct slice block)
{
    const char *wide = wide_text(reader, slice_from(block, 8 + ANSI_PATH_SIZE));

    reader->link->environment_path =
        *wide ? wide : narrow_text(reader, slice_part(block, 8, ANSI_PATH_SIZE));
}

static void read_blocks(struct reader *reader, struct cursor *c)
{
    for (size_t i = 0; i < BLOCKS_MOST && cursor_left(c) >= 4; i++) {
        const size_t start = c->at;
        const uint32_t size = cursor_u32le(c);
        if (size < 8)
            return;
        const uint32_t kind = cursor_u32le(c);
        cursor_skip(c, size - 8);
        if (cursor_failed(c)) {
            reader->link->problem = "a block at its end is cut short";
            return;
        }
        const struct slice block = slice_part(c->bytes, start, size);
        if (kind == BLOCK_TRACKER)
            read_tracker(reader, block);
        else if (kind == BLOCK_ENVIRONMENT)
            read_environment(reader, block);
    }
}

static uint32_t read_header(struct cursor *c, struct shell_link *link)
{
    cursor_skip(c, sizeof signature);
    const uint32_t flags = cursor_u32le(c);
    link->attributes = cursor_u32le(c);
    link->created = instant_from_filetime(cursor_u64le(c));
    link->accessed = instant_from_filetime(cursor_u64le(c));
    link->modified = instant_from_filetime(cursor_u64le(c));
    link->size = cursor_u32le(c);
    link->run_as_administrator = flags & RUN_AS_ADMINISTRATOR;
    cursor_seek(c, SHELL_LINK_HEADER);
    return flags;
}

int shell_link_read(struct slice bytes, struct arena *arena, struct shell_link *out)
{
    struct reader reader = {arena, out};
    struct cursor c = cursor_over(bytes, 0);

    *out = (struct shell_link){.local_path = "",
                               .network_path = "",
                               .item_path = "",
                               .environment_path = "",
                               .description = "",
                               .relative_path = "",
                               .folder = "",
                               .arguments = "",
                               .icon = "",
                               .drive_type = "",
                               .volume_label = "",
                               .share = "",
                               .share_device = "",
                               .machine = ""};
    if (bytes.size < SHELL_LINK_HEADER || shell_link_find(bytes, 0) != 0)
        return error_set("it does not begin as a shell link");
    const uint32_t flags = read_header(&c, out);
    if (flags & HAS_ITEMS)
        read_items(&reader, cursor_take(&c, cursor_u16le(&c)));
    if (flags & HAS_INFORMATION) {
        const size_t start = c.at, size = cursor_u32le(&c);
        cursor_skip(&c, size < 4 ? 0 : size - 4);
        if (!cursor_failed(&c))
            read_information(&reader, slice_part(bytes, start, size));
    }
    read_texts(&reader, &c, flags);
    if (cursor_failed(&c))
        out->problem = "it is cut short";
    else
        read_blocks(&reader, &c);
    return 0;
}

const char *shell_link_target(const struct shell_link *link)
{
    const char *const by_worth[] = {link->local_path, link->network_path, link->environment_path,
                                    link->item_path, link->relative_path};

    for (size_t i = 0; i < sizeof by_worth / sizeof *by_worth; i++)
        if (*by_worth[i])
            return by_worth[i];
    return "";
}

size_t shell_link_find(struct slice bytes, size_t from)
{
    while (from < bytes.size && bytes.size - from >= sizeof signature) {
        const size_t at = slice_find(bytes, from, signature[0]);
        if (at == SIZE_MAX || bytes.size - at < sizeof signature)
            return SIZE_MAX;
        if (memcmp(bytes.data + at, signature, sizeof signature) == 0)
            return at;
        from = at + 1;
    }
    return SIZE_MAX;
}
