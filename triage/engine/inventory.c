#include "triage/engine/inventory.h"

#include "triage/base/error.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <string.h>

int inventory_of(struct evidence *evidence, struct arena *arena, struct inventory *inventory)
{
    const struct container *container = evidence_container(evidence);
    const size_t count = evidence_volume_count(evidence);
    struct volume *volumes = arena_array(arena, count, sizeof *volumes);

    if (!volumes)
        return -1;
    for (size_t i = 0; i < count; i++)
        volumes[i] = *evidence_snapshots(evidence, i);

    *inventory = (struct inventory){
        .path = evidence_path(evidence),
        .shape = evidence_shape(evidence),
        .volumes = volumes,
        .volume_count = count,
    };
    if (container)
        inventory->container = *container;
    inventory->damage = evidence_damage(evidence, &inventory->damage_count);
    return 0;
}

static void put_container(struct buffer *out, const struct container *container)
{
    wire_put_text(out, container->format);
    wire_put_u64(out, container->size);
    wire_put_u32(out, container->sector_size);
    wire_put_u32(out, (uint32_t)container->segment_count);
    for (size_t i = 0; i < container->segment_count; i++)
        wire_put_text(out, container->segments[i]);
    wire_put_u32(out, (uint32_t)container->metadata_count);
    for (size_t i = 0; i < container->metadata_count; i++) {
        wire_put_text(out, container->metadata[i].key);
        wire_put_text(out, container->metadata[i].value);
    }
    wire_put_text(out, container->md5);
    wire_put_text(out, container->sha1);
    wire_put_u32(out, container->chunk_size);
    wire_put_u64(out, container->chunk_count);
}

static void put_volume(struct buffer *out, const struct volume *volume)
{
    wire_put_u32(out, volume->index);
    wire_put_u64(out, volume->offset);
    wire_put_u64(out, volume->size);
    wire_put_text(out, volume->partition);
    wire_put_text(out, volume->file_system);
    wire_put_text(out, volume->label);
    wire_put_u64(out, volume->serial);
    wire_put_u32(out, volume->cluster_size);
    wire_put_u32(out, volume->sector_size);
    wire_put_text(out, volume->partition_guid);
    wire_put_u32(out, volume->disk_signature);
    wire_put_u8(out, (uint8_t)volume->drive_hint);
    wire_put_text(out, volume->problem);
    wire_put_text(out, volume->notice);
    wire_put_u8(out, volume->vacant);
    wire_put_text(out, volume->snapshot_problem);
    wire_put_u32(out, (uint32_t)volume->snapshot_count);
    for (size_t i = 0; i < volume->snapshot_count; i++) {
        wire_put_u32(out, volume->snapshots[i].number);
        wire_put_u64(out, (uint64_t)volume->snapshots[i].created.ticks);
        wire_put_text(out, volume->snapshots[i].id);
        wire_put_text(out, volume->snapshots[i].problem);
    }
}

void inventory_put(struct buffer *out, const struct inventory *inventory)
{
    wire_put_text(out, inventory->path);
    wire_put_u8(out, (uint8_t)inventory->shape);
    put_container(out, &inventory->container);
    wire_put_u32(out, (uint32_t)inventory->volume_count);
    for (size_t i = 0; i < inventory->volume_count; i++)
        put_volume(out, &inventory->volumes[i]);
    wire_put_u32(out, (uint32_t)inventory->damage_count);
    for (size_t i = 0; i < inventory->damage_count; i++) {
        wire_put_u64(out, inventory->damage[i].offset);
        wire_put_u64(out, inventory->damage[i].size);
        wire_put_text(out, inventory->damage[i].why);
    }
}

/* Room for `count` items of `item_size` bytes each; the cursor fails when the count cannot be true.
 */
static void *room_for(struct cursor *in, struct arena *arena, uint32_t count, size_t item_size)
{
    if (cursor_failed(in) || count > cursor_left(in) / 4)
        in->failed = true;
    void *room = in->failed ? NULL : arena_array(arena, count, item_size);
    if (!room)
        in->failed = true;
    return room;
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static void get_fixed_text(struct cursor *in, struct arena *arena, char *text, size_t size)
{
    const char *read = wire_get_text(in, arena);

    snprintf(text, size, "%s", read ? read : "");
}

static void get_container(struct cursor *in, struct arena *arena, struct container *container)
{
    container->format = text_or_empty(wire_get_text(in, arena));
    container->size = wire_get_u64(in);
    container->sector_size = wire_get_u32(in);
    const uint32_t segments = wire_get_u32(in);
    const char **names = room_for(in, arena, segments, sizeof *names);
    for (uint32_t i = 0; i < segments && !cursor_failed(in); i++)
        names[i] = text_or_empty(wire_get_text(in, arena));
    container->segments = names;
    container->segment_count = cursor_failed(in) ? 0 : segments;
    const uint32_t pairs = wire_get_u32(in);
    struct pair *metadata = room_for(in, arena, pairs, sizeof *metadata);
    for (uint32_t i = 0; i < pairs && !cursor_failed(in); i++) {
        metadata[i].key = text_or_empty(wire_get_text(in, arena));
        metadata[i].value = text_or_empty(wire_get_text(in, arena));
    }
    container->metadata = metadata;
    container->metadata_count = cursor_failed(in) ? 0 : pairs;
    get_fixed_text(in, arena, container->md5, sizeof container->md5);
    get_fixed_text(in, arena, container->sha1, sizeof container->sha1);
    container->chunk_size = wire_get_u32(in);
    container->chunk_count = wire_get_u64(in);
}

static void get_snapshots(struct cursor *in, struct arena *arena, struct volume *volume)
{
    const uint32_t count = wire_get_u32(in);
    struct snapshot *snapshots = room_for(in, arena, count, sizeof *snapshots);

    for (uint32_t i = 0; i < count && !cursor_failed(in); i++) {
        snapshots[i].number = wire_get_u32(in);
        snapshots[i].created.ticks = (int64_t)wire_get_u64(in);
        get_fixed_text(in, arena, snapshots[i].id, sizeof snapshots[i].id);
        snapshots[i].problem = wire_get_text(in, arena);
    }
    volume->snapshots = snapshots;
    volume->snapshot_count = cursor_failed(in) ? 0 : count;
}

static void get_volume(struct cursor *in, struct arena *arena, struct volume *volume)
{
    volume->index = wire_get_u32(in);
    volume->offset = wire_get_u64(in);
    volume->size = wire_get_u64(in);
    volume->partition = text_or_empty(wire_get_text(in, arena));
    volume->file_system = text_or_empty(wire_get_text(in, arena));
    volume->label = text_or_empty(wire_get_text(in, arena));
    volume->serial = wire_get_u64(in);
    volume->cluster_size = wire_get_u32(in);
    volume->sector_size = wire_get_u32(in);
    get_fixed_text(in, arena, volume->partition_guid, sizeof volume->partition_guid);
    volume->disk_signature = wire_get_u32(in);
    volume->drive_hint = (char)wire_get_u8(in);
    volume->problem = wire_get_text(in, arena);
    volume->notice = wire_get_text(in, arena);
    volume->vacant = wire_get_u8(in) != 0;
    volume->snapshot_problem = wire_get_text(in, arena);
    get_snapshots(in, arena, volume);
}

int inventory_get(struct cursor *in, struct arena *arena, struct inventory *inventory)
{
    struct inventory read = {0};

    read.path = text_or_empty(wire_get_text(in, arena));
    const uint8_t shape = wire_get_u8(in);
    get_container(in, arena, &read.container);
    const uint32_t volumes = wire_get_u32(in);
    struct volume *list = room_for(in, arena, volumes, sizeof *list);
    for (uint32_t i = 0; i < volumes && !cursor_failed(in); i++)
        get_volume(in, arena, &list[i]);
    read.volumes = list;
    read.volume_count = volumes;
    const uint32_t damages = wire_get_u32(in);
    struct damage *damage = room_for(in, arena, damages, sizeof *damage);
    for (uint32_t i = 0; i < damages && !cursor_failed(in); i++) {
        damage[i].offset = wire_get_u64(in);
        damage[i].size = wire_get_u64(in);
        damage[i].why = text_or_empty(wire_get_text(in, arena));
    }
    read.damage = damage;
    read.damage_count = damages;
    if (cursor_failed(in) || shape > EVIDENCE_SINGLE_FILE)
        return error_set("the description of the evidence is malformed");
    read.shape = (enum evidence_shape)shape;
    *inventory = read;
    return 0;
}

const char *evidence_name(const char *path)
{
    size_t size = strlen(path);

    while (size > 1 && path[size - 1] == '/')
        size--;
    const char *slash = memrchr(path, '/', size);
    return slash && slash[1] ? slash + 1 : path;
}

static void container_json(const struct container *container, struct json *json)
{
    json_pair(json, "format", container->format);
    json_pair_unsigned(json, "size", container->size);
    json_pair_unsigned(json, "sector_size", container->sector_size);
    json_key(json, "segments");
    json_array(json);
    for (size_t i = 0; i < container->segment_count; i++)
        json_text(json, evidence_name(container->segments[i]));
    json_array_end(json);
    json_key(json, "metadata");
    json_object(json);
    for (size_t i = 0; i < container->metadata_count; i++)
        json_pair(json, container->metadata[i].key, container->metadata[i].value);
    json_object_end(json);
    json_pair(json, "stored_md5", container->md5[0] ? container->md5 : NULL);
    json_pair(json, "stored_sha1", container->sha1[0] ? container->sha1 : NULL);
    json_pair_unsigned(json, "chunk_size", container->chunk_size);
    json_pair_unsigned(json, "chunks", container->chunk_count);
}

static void snapshots_json(const struct volume *volume, struct json *json)
{
    char created[INSTANT_TEXT_SIZE];

    json_key(json, "shadow_copies");
    json_array(json);
    for (size_t i = 0; i < volume->snapshot_count; i++) {
        const struct snapshot *snapshot = &volume->snapshots[i];
        json_object(json);
        json_pair_unsigned(json, "number", snapshot->number);
        json_pair(json, "created",
                  instant_known(snapshot->created) ? instant_format(snapshot->created, created)
                                                   : NULL);
        json_pair(json, "id", snapshot->id);
        json_pair(json, "problem", snapshot->problem);
        json_object_end(json);
    }
    json_array_end(json);
}

static void volume_json(const struct volume *volume, struct json *json)
{
    char serial[20];

    snprintf(serial, sizeof serial, "%016llx", (unsigned long long)volume->serial);
    json_object(json);
    json_pair_unsigned(json, "index", volume->index);
    json_pair_unsigned(json, "offset", volume->offset);
    json_pair_unsigned(json, "size", volume->size);
    json_pair(json, "partition", volume->partition);
    json_pair(json, "file_system", volume->file_system);
    json_pair(json, "label", volume->label);
    json_pair(json, "serial", serial);
    json_pair_unsigned(json, "cluster_size", volume->cluster_size);
    json_pair_unsigned(json, "sector_size", volume->sector_size);
    json_pair(json, "partition_guid", volume->partition_guid[0] ? volume->partition_guid : NULL);
    json_pair(json, "problem", volume->problem);
    json_pair(json, "notice", volume->notice);
    if (volume->snapshot_count)
        snapshots_json(volume, json);
    if (volume->snapshot_problem)
        json_pair(json, "shadow_copy_problem", volume->snapshot_problem);
    json_object_end(json);
}

static void damage_json(const struct inventory *inventory, struct json *json)
{
    json_key(json, "damage");
    json_array(json);
    for (size_t i = 0; i < inventory->damage_count; i++) {
        json_object(json);
        json_pair_unsigned(json, "offset", inventory->damage[i].offset);
        json_pair_unsigned(json, "size", inventory->damage[i].size);
        json_pair(json, "why", inventory->damage[i].why);
        json_object_end(json);
    }
    json_array_end(json);
}

void inventory_json(const struct inventory *inventory, struct json *json)
{
    static const char *const shapes[] = {"image", "folder", "single file"};

    json_pair(json, "name", evidence_name(inventory->path));
    json_pair(json, "shape", shapes[inventory->shape]);
    if (inventory->shape == EVIDENCE_IMAGE)
        container_json(&inventory->container, json);
    json_key(json, "volumes");
    json_array(json);
    for (size_t i = 0; i < inventory->volume_count; i++)
        volume_json(&inventory->volumes[i], json);
    json_array_end(json);
    damage_json(inventory, json);
}
