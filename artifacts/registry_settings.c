/*
 * Keys that say something together: services, scheduled tasks, installed products and Exchange
 * updates, mounted shares. Service and task fields bear the names of events 7045 and 4698.
 */
#include "artifacts/registry_hive.h"

#include "triage/base/guid.h"
#include "triage/base/utf16.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TASKS_DEPTH = 32,
    ACTION_COMMAND = 0x6666,
    ACTION_HANDLER = 0x7777,
    ACTIONS_WITH_FLAGS = 3, /* from this version on; it also begins with the author's context */
    MOST_ACTIONS = 32,
};

/* --- services --- */

static const char *service_type(uint64_t type)
{
    switch (type & 0x3F) {
    case 1:
        return "kernel mode driver";
    case 2:
        return "file system driver";
    case 4:
    case 8:
        return "adapter or recognizer driver";
    case 0x10:
    case 0x20:
    case 0x30:
        return "user mode service";
    default:
        return "other";
    }
}

static const char *start_type(uint64_t start)
{
    static const char *const words[] = {"boot start", "system start", "auto start", "demand start",
                                        "disabled"};

    return start < sizeof words / sizeof *words ? words[start] : "other";
}

static const char *service_dll(struct registry *registry, const struct hive_key *key)
{
    struct hive_key parameters;

    if (hive_find(registry->hive, key, "Parameters", &parameters)) {
        const char *dll = registry_text(registry, &parameters, "ServiceDll");
        if (dll)
            return dll;
    }
    return registry_text(registry, key, "ServiceDll");
}

static void tell_service(struct registry *registry, const char *path, const struct hive_key *key)
{
    uint64_t number;

    registry_begin(registry, path);
    const char *image = registry_text(registry, key, "ImagePath");
    const char *dll = service_dll(registry, key);
    const char *account = registry_text(registry, key, "ObjectName");
    if (!image && !dll)
        return;
    registry_add(registry, FIELD_ServiceName,
                 arena_text(registry->scratch, slice_of_text(registry_last_part(path))));
    registry_add(registry, FIELD_DisplayName, registry_text(registry, key, "DisplayName"));
    registry_add(registry, FIELD_ImagePath, image);
    registry_add(registry, FIELD_ServiceDll, dll);
    if (registry_number(registry, key, "Type", &number))
        registry_add(registry, FIELD_ServiceType, service_type(number));
    if (registry_number(registry, key, "Start", &number))
        registry_add(registry, FIELD_StartType, start_type(number));
    registry_add(registry, FIELD_AccountName, account);
    registry_add_alias(registry, FIELD_ObjectName, account);
    registry_add(registry, FIELD_FailureCommand, registry_text(registry, key, "FailureCommand"));
    registry_emit(registry, KIND_registry_service, key->written, key);
}

/* --- scheduled tasks: TaskCache --- */

/* A text with its size in bytes in front. */
static void put_sized_text(struct cursor *c, struct buffer *out)
{
    const uint32_t size = cursor_u32le(c);

    utf16_append(out, cursor_take(c, size), true);
}

static void put_guid(struct cursor *c, struct buffer *out)
{
    char text[GUID_TEXT_SIZE];

    buffer_add_text(out, guid_braced(cursor_take(c, GUID_SIZE), text));
}

/* One action; false at the end or at something else. */
static bool put_action(struct cursor *c, unsigned version, struct buffer *out)
{
    struct buffer id = BUFFER_EMPTY;
    const uint16_t kind = cursor_u16le(c);
    const bool known = kind == ACTION_COMMAND || kind == ACTION_HANDLER;

    if (cursor_failed(c) || !known)
        return false;
    put_sized_text(c, &id);
    buffer_release(&id);
    if (out->size)
        buffer_add_text(out, " & ");
    if (kind == ACTION_HANDLER) {
        put_guid(c, out);
        buffer_add_byte(out, ' ');
        put_sized_text(c, out);
    } else {
        put_sized_text(c, out);
        buffer_add_byte(out, ' ');
        put_sized_text(c, out);
        put_sized_text(c, &id); /* working folder */
        buffer_release(&id);
        if (version >= ACTIONS_WITH_FLAGS)
            cursor_skip(c, 2);
    }
    return !cursor_failed(c);
}

/* The value "Actions": a version, from 3 on the context's name, then one action behind the other.
 */
static const char *actions_text(struct registry *registry, struct slice actions)
{
    struct cursor c = cursor_over(actions, 0);
    const uint16_t version = cursor_u16le(&c);
    struct buffer out = BUFFER_EMPTY;

    if (version >= 2) {
        const uint32_t context_size = cursor_u32le(&c);
        cursor_skip(&c, context_size);
    }
    for (unsigned i = 0; i < MOST_ACTIONS && put_action(&c, version, &out); i++)
        continue;
    const char *text = out.size && !buffer_failed(&out)
                           ? arena_text(registry->scratch, slice_trim(buffer_slice(&out)))
                           : NULL;
    buffer_release(&out);
    return text;
}

/* The value "DynamicInfo": version, created, last run, ... */
static void add_task_times(struct registry *registry, struct slice info)
{
    struct cursor c = cursor_over(info, 0);

    cursor_skip(&c, 4);
    const uint64_t created = cursor_u64le(&c), ran = cursor_u64le(&c);
    if (cursor_failed(&c))
        return;
    registry_add_time(registry, FIELD_TaskCreated, instant_from_filetime(created));
    registry_add_time(registry, FIELD_LastRun, instant_from_filetime(ran));
}

static void add_task(struct registry *registry, const struct hive_key *task)
{
    registry_add(registry, FIELD_Author, registry_text(registry, task, "Author"));
    registry_add(registry, FIELD_Command,
                 actions_text(registry, registry_bytes(registry, task, "Actions")));
    add_task_times(registry, registry_bytes(registry, task, "DynamicInfo"));
}

#define TASK_CACHE "Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache\\"

static void tell_tree_entry(struct registry *registry, const char *path, const char *name,
                            const struct hive_key *key)
{
    struct hive_key task;

    registry_begin(registry, path);
    const char *id = registry_text(registry, key, "Id");
    if (!id)
        return; /* a folder of tasks */
    registry_add(registry, FIELD_TaskName, name);
    registry_add(registry, FIELD_TaskId, id);
    registry_add(registry, FIELD_SecurityDescriptor,
                 registry_bytes(registry, key, "SD").size ? "present" : "missing");
    registry_add(registry, FIELD_Index, registry_text(registry, key, "Index"));
    const char *wanted = arena_format(registry->scratch, TASK_CACHE "Tasks\\%s", id);
    if (wanted && hive_find(registry->hive, NULL, wanted, &task))
        add_task(registry, &task);
    else
        registry_add(registry, FIELD_TaskState, "no entry below Tasks");
    registry_emit(registry, KIND_registry_task, key->written, key);
}

/* The tree of tasks, by name; its depth is bounded. `path` ends with the key's name. */
static void tell_tree(struct registry *registry, struct buffer *path, size_t root,
                      const struct hive_key *key, unsigned depth)
{
    struct hive_subkeys subkeys = hive_subkeys(registry->hive, key);
    const size_t size = path->size;
    struct hive_key child;

    while (depth < TASKS_DEPTH && hive_next_subkey(&subkeys, &child)) {
        if (registry->looks_left == 0)
            return;
        registry->looks_left--;
        buffer_add_byte(path, '\\');
        hive_append_name(path, child.name);
        const char *text = buffer_text(path);
        tell_tree_entry(registry, text, text + root, &child);
        tell_tree(registry, path, root, &child, depth + 1);
        path->size = size;
    }
}

static void tell_task_tree(struct registry *registry, const char *path, const struct hive_key *key)
{
    struct buffer whole = BUFFER_EMPTY;

    buffer_add_text(&whole, path);
    tell_tree(registry, &whole, whole.size, key, 0);
    buffer_release(&whole);
}

/* A task that the tree does not name: hidden from every list. */
static void tell_treeless_task(struct registry *registry, const char *path,
                               const struct hive_key *key)
{
    struct hive_key entry;

    registry_begin(registry, path);
    const char *name = registry_text(registry, key, "Path");
    const char *wanted = arena_format(registry->scratch, TASK_CACHE "Tree%s", name ? name : "");
    if (!name || !wanted || hive_find(registry->hive, NULL, wanted, &entry))
        return;
    registry_add(registry, FIELD_TaskName, name);
    registry_add(registry, FIELD_TaskId,
                 arena_text(registry->scratch, slice_of_text(registry_last_part(path))));
    registry_add(registry, FIELD_TaskState, "no entry below Tree");
    add_task(registry, key);
    registry_emit(registry, KIND_registry_task, key->written, key);
}

/* --- products and updates --- */

static void tell_product(struct registry *registry, const char *path, const struct hive_key *key)
{
    registry_begin(registry, path);
    const char *name = registry_text(registry, key, "DisplayName");
    if (!name)
        return;
    registry_add(registry, FIELD_Product, name);
    registry_add(registry, FIELD_ProductVersion, registry_text(registry, key, "DisplayVersion"));
    registry_add(registry, FIELD_Company, registry_text(registry, key, "Publisher"));
    registry_add(registry, FIELD_InstallDate, registry_text(registry, key, "InstallDate"));
    registry_add(registry, FIELD_InstallSource, registry_text(registry, key, "InstallSource"));
    registry_emit(registry, KIND_registry_product, key->written, key);
}

static void tell_update(struct registry *registry, const char *path, const struct hive_key *key)
{
    registry_begin(registry, path);
    const char *name = registry_text(registry, key, "PackageName");
    if (!name || !strcasestr(path, "\\Exchange"))
        return;
    registry_add(registry, FIELD_Product, name);
    registry_add(registry, FIELD_ProductVersion, registry_text(registry, key, "PackageVersion"));
    registry_add(registry, FIELD_InstallDate, registry_text(registry, key, "InstalledDate"));
    registry_add(registry, FIELD_InstalledBy, registry_text(registry, key, "InstalledBy"));
    registry_emit(registry, KIND_registry_product, key->written, key);
}

/* --- shares and devices that a user connected --- */

static void tell_mount_point(struct registry *registry, const char *path,
                             const struct hive_key *key)
{
    registry_begin(registry, path);
    char *name = arena_text(registry->scratch, slice_of_text(registry_last_part(path)));
    if (!name || *name == '{' || *name == 0)
        return;
    for (char *c = name; *c; c++)
        if (*c == '#')
            *c = '\\';
    registry_add(registry, FIELD_RemotePath, name);
    registry_emit(registry, KIND_registry_mount, key->written, key);
}

const struct registry_theme registry_settings[] = {
    {REGISTRY_SYSTEM, "@\\Services\\*", tell_service},
    {REGISTRY_SOFTWARE, TASK_CACHE "Tree", tell_task_tree},
    {REGISTRY_SOFTWARE, TASK_CACHE "Tasks\\*", tell_treeless_task},
    {REGISTRY_SOFTWARE, "Microsoft\\Windows\\CurrentVersion\\Uninstall\\*", tell_product},
    {REGISTRY_SOFTWARE, "WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\*",
     tell_product},
    {REGISTRY_USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\*", tell_product},
    {REGISTRY_SOFTWARE, "Microsoft\\Updates\\*\\*\\*", tell_update},
    {REGISTRY_USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\MountPoints2\\*",
     tell_mount_point},
};
const size_t registry_setting_count = sizeof registry_settings / sizeof *registry_settings;
