#include "triage/formats/prefetch.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/lzxpress.h"

#include <string.h>

enum {
    HEADER_SIZE = 84,
    NAME_SIZE = 60,
    DEVICE_UNITS_MOST = 1024,
    MAM_CHECKSUM = 0x80,    /* in the fourth byte: a CRC-32 stands in front of the content */
    LONG_INFORMATION = 304, /* the first array begins here in the first variant of version 30 */
};

/* Where each version has what, from the start of the content. */
struct layout {
    uint32_t version;
    uint32_t metrics; /* only where the first array begins here; 0: anywhere */
    size_t runs, run_count, run_times, volume_size;
};

static const struct layout layouts[] = {
    {17, 0, 120, 144, 1, 40},
    {23, 0, 128, 152, 1, 104},
    {26, 0, 128, 208, PREFETCH_RUNS, 104},
    {30, LONG_INFORMATION, 128, 208, PREFETCH_RUNS, 96},
    {30, 0, 128, 200, PREFETCH_RUNS, 96},
    {31, 0, 128, 200, PREFETCH_RUNS, 96},
};

static const struct layout *layout_find(uint32_t version, uint32_t metrics)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i].version == version && (!layouts[i].metrics || layouts[i].metrics == metrics))
            return &layouts[i];
    return NULL;
}

bool prefetch_begins(struct slice head)
{
    return slice_starts(head, "MAM\x04") || slice_starts(head, "MAM\x84") ||
           slice_starts(slice_from(head, 4), "SCCA");
}

static int decompress(struct slice bytes, struct arena *arena, struct slice *content,
                      struct prefetch *out)
{
    struct cursor c = cursor_over(bytes, 0);

    cursor_skip(&c, 3);
    const uint8_t kind = cursor_u8(&c);
    const uint32_t size = cursor_u32le(&c);
    if (kind & MAM_CHECKSUM)
        cursor_skip(&c, 4);
    if (cursor_failed(&c))
        return error_set("the header of the compressed file is cut short");
    if (size > PREFETCH_MOST)
        return error_set("it says that it has %u bytes when decompressed: too many", size);
    out->compressed = true;
    return lzxpress_huffman(slice_from(bytes, c.at), size, arena, content, &out->problem);
}

static void read_runs(struct slice content, const struct layout *layout, struct prefetch *out)
{
    struct cursor c = cursor_over(content, 0);

    cursor_seek(&c, layout->runs);
    for (size_t i = 0; i < layout->run_times; i++) {
        const size_t offset = c.at;
        const struct instant when = instant_from_filetime(cursor_u64le(&c));
        if (!cursor_failed(&c) && instant_known(when))
            out->runs[out->run_times++] = (struct prefetch_run){when, offset};
    }
    cursor_seek(&c, layout->run_count);
    out->run_count = cursor_u32le(&c);
    if (cursor_failed(&c))
        out->problem = "it is cut short within the run times";
}

static bool within(struct slice content, size_t offset, size_t size)
{
    return offset <= content.size && size <= content.size - offset;
}

static const char *text_at(struct slice area, size_t offset, size_t units, struct arena *arena)
{
    const char *text = utf16_to_text(arena, slice_part(area, offset, units * 2), true);

    return text ? text : "";
}

static const char *read_volumes(struct slice area, size_t count, size_t size, struct arena *arena,
                                struct prefetch *out)
{
    for (size_t i = 0; i < count; i++) {
        struct cursor c = cursor_over(slice_part(area, i * size, size), 0);
        const size_t offset = cursor_u32le(&c), units = cursor_u32le(&c);
        const struct instant created = instant_from_filetime(cursor_u64le(&c));
        const uint32_t serial = cursor_u32le(&c);
        if (cursor_failed(&c) || units > DEVICE_UNITS_MOST || !within(area, offset, units * 2))
            return "the list of volumes is damaged";
        if (out->volume_count == PREFETCH_VOLUMES)
            return "it has more volumes than are read";
        const char *device = text_at(area, offset, units, arena);
        out->volumes[out->volume_count++] =
            (struct prefetch_volume){device, strlen(device), created, serial};
    }
    return NULL;
}

/* The nine numbers behind the header say where the arrays are. */
static void read_arrays(struct slice content, const struct layout *layout, struct arena *arena,
                        struct prefetch *out)
{
    struct cursor c = cursor_over(content, 0);

    cursor_seek(&c, HEADER_SIZE + 4);
    out->file_count = cursor_u32le(&c);
    cursor_skip(&c, 8); /* trace chains */
    const size_t names = cursor_u32le(&c), names_size = cursor_u32le(&c);
    const size_t volumes = cursor_u32le(&c), volume_count = cursor_u32le(&c);
    const size_t volumes_size = cursor_u32le(&c);
    const char *problem = NULL;
    out->names = slice_part(content, names, names_size);
    if (!within(content, volumes, volumes_size))
        problem = "the list of volumes lies outside of the file";
    else
        problem = read_volumes(slice_part(content, volumes, volumes_size), volume_count,
                               layout->volume_size, arena, out);
    if (!within(content, names, names_size))
        problem = "the list of loaded files lies outside of the file";
    if (!out->problem)
        out->problem = problem;
}

int prefetch_read(struct slice bytes, struct arena *arena, struct prefetch *out)
{
    struct slice content = bytes;

    *out = (struct prefetch){.executable = ""};
    if (slice_starts(bytes, "MAM") && prefetch_begins(bytes) &&
        decompress(bytes, arena, &content, out) < 0)
        return -1;
    struct cursor c = cursor_over(content, 0);
    out->version = cursor_u32le(&c);
    const struct slice magic = cursor_take(&c, 4);
    cursor_skip(&c, 4);
    const uint32_t size = cursor_u32le(&c);
    const struct slice name = cursor_take(&c, NAME_SIZE);
    out->hash = cursor_u32le(&c);
    cursor_skip(&c, 4); /* flags */
    const uint32_t metrics = cursor_u32le(&c);
    if (cursor_failed(&c) || !slice_is(magic, "SCCA"))
        return error_set("%s",
                         out->problem ? out->problem : "it does not begin as a prefetch file");
    const struct layout *layout = layout_find(out->version, metrics);
    if (!layout)
        return error_set("prefetch version %u is not known", out->version);
    if (content.size < layout->runs + 8)
        return error_set("it is cut short in front of the run times");
    const char *executable = utf16_to_text(arena, name, true);
    out->executable = executable ? executable : "";
    read_runs(content, layout, out);
    read_arrays(content, layout, arena, out);
    if (!out->problem && size > content.size)
        out->problem = "it is cut short: its header says it is longer";
    return 0;
}

bool prefetch_next_name(struct slice *names, struct slice *utf16)
{
    size_t end = 0;

    if (names->size < 2)
        return false;
    while (end + 1 < names->size && (names->data[end] || names->data[end + 1]))
        end += 2;
    *utf16 = slice_part(*names, 0, end);
    *names = slice_from(*names, end + 2);
    return true;
}
