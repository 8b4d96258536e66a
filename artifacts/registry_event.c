/* Events put together from the values of a key, and the tables of keys that they are made of. */
#include "artifacts/registry_hive.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { BASE_BLOCK_SIZE = 4096 };

void registry_put_path(struct registry *registry, struct buffer *out, const char *path)
{
    const size_t size = strlen(registry->control_set);

    buffer_add_text(out, registry->prefix);
    if (*path)
        buffer_add_byte(out, '\\');
    if (size && strncasecmp(path, registry->control_set, size) == 0 &&
        (path[size] == 0 || path[size] == '\\')) {
        buffer_add_text(out, "CurrentControlSet");
        path += size;
    }
    buffer_add_text(out, path);
}

const char *registry_last_part(const char *path)
{
    const char *last = strrchr(path, '\\');

    return last ? last + 1 : path;
}

void registry_begin(struct registry *registry, const char *path)
{
    arena_reset(registry->scratch);
    registry->value_count = 0;
    buffer_clear(&registry->line);
    registry_put_path(registry, &registry->line, path);
    registry_add(registry, FIELD_TargetObject,
                 arena_text(registry->scratch, buffer_slice(&registry->line)));
}

static void add(struct registry *registry, enum field field, const char *text, bool alias)
{
    if (!text || !*text || registry->value_count == REGISTRY_MOST_VALUES)
        return;
    registry->values[registry->value_count++] =
        (struct value){field_name(field), field, alias, slice_of_text(text)};
}

void registry_add(struct registry *registry, enum field field, const char *text)
{
    add(registry, field, text, false);
}

void registry_add_alias(struct registry *registry, enum field field, const char *text)
{
    add(registry, field, text, true);
}

void registry_add_number(struct registry *registry, enum field field, uint64_t number)
{
    registry_add(registry, field, arena_format(registry->scratch, "%" PRIu64, number));
}

void registry_add_time(struct registry *registry, enum field field, struct instant when)
{
    char text[INSTANT_TEXT_SIZE];

    registry_add(registry, field,
                 arena_text(registry->scratch, slice_of_text(instant_format(when, text))));
}

const char *registry_text(struct registry *registry, const struct hive_key *key, const char *name)
{
    struct hive_value value;
    uint64_t number;

    if (!hive_find_value(registry->hive, key, name, &value))
        return NULL;
    if (hive_number(registry->hive, &value, &number))
        return arena_format(registry->scratch, "%" PRIu64, number);
    return hive_text(registry->hive, &value, registry->scratch);
}

bool registry_number(struct registry *registry, const struct hive_key *key, const char *name,
                     uint64_t *number)
{
    struct hive_value value;

    return hive_find_value(registry->hive, key, name, &value) &&
           hive_number(registry->hive, &value, number);
}

struct slice registry_bytes(struct registry *registry, const struct hive_key *key, const char *name)
{
    struct hive_value value;

    if (!hive_find_value(registry->hive, key, name, &value))
        return slice_of(NULL, 0);
    return hive_data(registry->hive, &value, registry->scratch);
}

/* "HKLM\...\x: ServiceName=x; ImagePath=..." */
static struct slice describe(struct registry *registry)
{
    struct buffer *line = &registry->line;

    for (size_t i = 1; i < registry->value_count; i++) {
        if (registry->values[i].alias)
            continue;
        buffer_add_text(line, line->size == registry->values[0].text.size ? ": " : "; ");
        buffer_add_text(line, registry->values[i].name);
        buffer_add_byte(line, '=');
        buffer_add(line, registry->values[i].text);
    }
    return buffer_slice(line);
}

void registry_emit(struct registry *registry, enum kind kind, struct instant when,
                   const struct hive_key *key)
{
    static const struct log_source sources[] = {{NULL, "windows", "registry"}, {NULL, NULL, NULL}};
    const struct event event = {
        .kind = kind,
        .artifact = registry->job->artifact->name,
        .sources = sources,
        .when = when,
        .basis = instant_known(when) ? BASIS_UTC : BASIS_UNKNOWN,
        .file = registry->job->file,
        .offset = BASE_BLOCK_SIZE + (uint64_t)key->cell,
        .number = registry->job->tally->records,
        .raw = describe(registry),
        .values = registry->values,
        .value_count = registry->value_count,
        .marks = (registry->job->file->flags & FILE_DAMAGED ? EVENT_DAMAGED : 0) |
                 (kind == KIND_registry_product ? EVENT_FACT : 0),
    };

    job_emit(registry->job, &event);
}

/* --- themes --- */

struct expansion {
    struct registry *registry;
    const struct registry_theme *theme;
    struct buffer path;
};

/* `rest` is what is left of the theme's path behind the key; it has few parts, so that this does
 * not go deep. */
static void expand(struct expansion *expansion, const struct hive_key *key, struct slice rest)
{
    struct registry *registry = expansion->registry;
    const size_t end = slice_find(rest, 0, '\\'), size = expansion->path.size;
    struct slice part = slice_part(rest, 0, end);
    const struct slice next = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, end + 1);
    struct hive_key child;

    if (part.size == 0) {
        expansion->theme->tell(registry, buffer_text(&expansion->path), key);
        return;
    }
    if (slice_is(part, "@"))
        part = slice_of_text(registry->control_set);
    if (size)
        buffer_add_byte(&expansion->path, '\\');
    const size_t start = expansion->path.size;
    if (slice_is(part, "*")) {
        struct hive_subkeys subkeys = hive_subkeys(registry->hive, key);
        while (registry->looks_left && hive_next_subkey(&subkeys, &child)) {
            registry->looks_left--;
            hive_append_name(&expansion->path, child.name);
            expand(expansion, &child, next);
            expansion->path.size = start;
        }
    } else if (part.size) {
        buffer_add(&expansion->path, part);
        const char *name = buffer_text(&expansion->path) + start;
        if (hive_find(registry->hive, key, name, &child))
            expand(expansion, &child, next);
    }
    expansion->path.size = size;
}

void registry_tell_themes(struct registry *registry, const struct registry_theme *themes,
                          size_t count)
{
    const struct hive_key root = hive_root(registry->hive);

    for (size_t i = 0; i < count; i++) {
        struct expansion expansion = {registry, &themes[i], BUFFER_EMPTY};
        if (themes[i].kinds & registry->kind)
            expand(&expansion, &root, slice_of_text(themes[i].keys));
        buffer_release(&expansion.path);
    }
}
