#include "triage/evidence/signature.h"

#include "triage/base/cursor.h"
#include "triage/base/error.h"
#include "triage/evidence/segments.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    HEAD_SIZE = 4096,
    TAIL_SIZE = 512,
    DESCRIPTOR_MAX = 64 << 10, /* of a VMDK's text descriptor */
    KIB64 = 64 << 10
};

struct probe {
    struct segment file;
    uint8_t head[HEAD_SIZE], tail[TAIL_SIZE];
    size_t head_size, tail_size;
};

struct refused {
    uint32_t at; /* from the start; from the end when FROM_END is set */
    struct slice magic;
    const char *what; /* the sentence; behind it comes what to do */
};

#define MAGIC(bytes)                                                                               \
    {                                                                                              \
        (const uint8_t *)(bytes), sizeof(bytes) - 1                                                \
    }
#define FROM_END     (UINT32_C(1) << 31)
#define QEMU_CONVERT "convert it first: qemu-img convert -O raw INPUT OUTPUT.raw"

/* Sources: the public format descriptions of QEMU, VirtualBox, libyal, AFF, Microsoft; file(1)'s
 * magic for the packers. */
static const struct refused refused[] = {
    {0, MAGIC("QFI\xfb"),
     "is a QEMU disk (QCOW or QCOW2), which cannot be read directly; " QEMU_CONVERT},
    {0, MAGIC("QED\0"), "is a QEMU disk (QED), which cannot be read directly; " QEMU_CONVERT},
    {64, MAGIC("\x7f\x10\xda\xbe"),
     "is a VirtualBox disk (VDI), which cannot be read directly; " QEMU_CONVERT},
    {0, MAGIC("WithoutFreeSpace"),
     "is a Parallels disk, which cannot be read directly; " QEMU_CONVERT},
    {0, MAGIC("WithouFreSpacExt"),
     "is a Parallels disk, which cannot be read directly; " QEMU_CONVERT},
    {0, MAGIC("\xbe\xba\xfe\xca\0\0\0\0"),
     "is a seSparse VMDK (a VMware snapshot), which cannot be read directly; clone the virtual "
     "disk into one without snapshots: vmkfstools -i IN.vmdk OUT.vmdk -d thin"},
    {0, MAGIC("COWD"),
     "is a VMDK of an old ESX kind (COWD, a snapshot or sparse extent), which cannot be read; "
     "clone the virtual disk into one without snapshots: vmkfstools -i IN.vmdk OUT.vmdk -d thin"},
    {0, MAGIC("EVF2\r\n\x81\0"),
     "is an Ex01 image (EnCase 7 and later), which cannot be read; save it as E01, or as raw, with "
     "EnCase or FTK Imager"},
    {0, MAGIC("LEF2\r\n\x81\0"),
     "is an Lx01 logical evidence file, which cannot be read; export its files into a folder with "
     "EnCase and give the folder"},
    {0, MAGIC("LVF\x09\r\n\xff\0"),
     "is an L01 logical evidence file, which cannot be read; export its files into a folder with "
     "EnCase or FTK Imager and give the folder"},
    {0, MAGIC("ADSEGMENTEDFILE\0"),
     "is an AD1 custom content image, which cannot be read; export its files into a folder with "
     "FTK Imager and give the folder"},
    {0, MAGIC("ADCRYPT\0"),
     "is an image encrypted with AD Encryption; decrypt it with FTK Imager (File, Decrypt AD1 "
     "image)"},
    {0, MAGIC("AFF10\r\n\0"),
     "is an AFF image, which cannot be read; convert it first: affconvert -r INPUT.aff"},
    {0, MAGIC("AFM\0"),
     "is an AFF image, which cannot be read; convert it first: affconvert -r INPUT"},
    {0, MAGIC("MSWIM\0\0\0"),
     "is a WIM file archive; apply it into a folder (wimlib-imagex apply IN.wim 1 FOLDER) and give "
     "the folder"},
    {FROM_END | 512, MAGIC("koly\0\0\0\x04"),
     "is an Apple disk image (DMG), which cannot be read; convert it first: dmg2img INPUT.dmg "
     "OUTPUT.raw"},
    {0, MAGIC("LUKS\xba\xbe"),
     "is a LUKS-encrypted medium; open it with cryptsetup and give the decrypted device or a copy "
     "of it"},
    {0, MAGIC("\x1f\x8b\x08"), "is compressed with gzip; unpack it first: gzip -d"},
    {0,
     MAGIC("\xfd"
           "7zXZ\0"),
     "is compressed with xz; unpack it first: xz -d"},
    {0, MAGIC("\x28\xb5\x2f\xfd"), "is compressed with Zstandard; unpack it first: zstd -d"},
    {0, MAGIC("7z\xbc\xaf\x27\x1c"), "is a 7-Zip archive; unpack it first: 7z x"},
    {0, MAGIC("Rar!\x1a\x07"), "is a RAR archive; unpack it first"},
};

static struct slice head_of(const struct probe *probe)
{
    return slice_of(probe->head, probe->head_size);
}

static bool starts(const struct probe *probe, size_t at, const char *magic, size_t size)
{
    struct slice part = slice_part(head_of(probe), at, size);

    return part.size == size && !memcmp(part.data, magic, size);
}

#define STARTS(probe, at, magic) starts(probe, at, magic, sizeof(magic) - 1)

static int probe_load(const char *path, struct probe *probe)
{
    ssize_t got;

    if (probe->file.size == 0)
        return error_set("'%s' is empty", path);
    got = segment_read(&probe->file, 0, probe->head, HEAD_SIZE);
    if (got < 0)
        return -1;
    probe->head_size = (size_t)got;
    if (probe->file.size < TAIL_SIZE)
        return 0;
    got = segment_read(&probe->file, probe->file.size - TAIL_SIZE, probe->tail, TAIL_SIZE);
    if (got < 0)
        return -1;
    probe->tail_size = (size_t)got;
    return 0;
}

static const char *refusal(const struct probe *probe)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct refused *kind = &refused[i];
        struct slice there =
            kind->at & FROM_END
                ? slice_part(slice_of(probe->tail, probe->tail_size), 0, kind->magic.size)
                : slice_part(head_of(probe), kind->at, kind->magic.size);
        if (slice_equal(there, kind->magic))
            return kind->what;
    }
    return NULL;
}

/* bzip2 has a short magic; the digit and the block's own magic behind it make it certain. */
static bool is_bzip2(const struct probe *probe)
{
    return STARTS(probe, 0, "BZh") && STARTS(probe, 4, "\x31\x41\x59\x26\x53\x59");
}

static int refuse_zip(const char *path, const struct probe *probe)
{
    size_t name = path ? strlen(path) : 0;
    bool named = name > 5 && !strcasecmp(path + name - 5, ".aff4");

    if (named || slice_find_nocase(head_of(probe), 0, slice_of_text("aff4:")) != SIZE_MAX ||
        slice_find_nocase(head_of(probe), 0, slice_of_text("container.description")) != SIZE_MAX)
        return error_set(
            "'%s' is an AFF4 image, which cannot be read; convert it first to E01 or raw "
            "with the tool that made it",
            path);
    return error_set("'%s' is a ZIP archive; unpack it and give what is inside", path);
}

/* The value of `key = "value"` or `key=value` in a descriptor's lines; empty when it is not there.
 */
static struct slice descriptor_value(struct slice text, const char *key)
{
    struct slice wanted = slice_of_text(key);

    for (size_t at = 0; at < text.size;) {
        size_t end = slice_find(text, at, '\n');
        struct slice line =
            slice_trim(slice_part(text, at, (end == SIZE_MAX ? text.size : end) - at));
        size_t equal = slice_find(line, 0, '=');
        if (equal != SIZE_MAX &&
            slice_equal_nocase(slice_trim(slice_part(line, 0, equal)), wanted)) {
            struct slice value = slice_trim(slice_from(line, equal + 1));
            if (value.size >= 2 && value.data[0] == '"')
                value = slice_part(value, 1, value.size - 2);
            return value;
        }
        at = end == SIZE_MAX ? text.size : end + 1;
    }
    return slice_of(NULL, 0);
}

static int judge_descriptor(const char *path, struct slice text)
{
    static const char *const readable[] = {
        "monolithicSparse",     "monolithicFlat",  "twoGbMaxExtentSparse",
        "twoGbMaxExtentFlat",   "streamOptimized", "vmfs",
        "vmfsSparse",           "vmfsThin",        "vmfsPreallocated",
        "vmfsEagerZeroedThick", "custom"};
    struct slice kind = descriptor_value(text, "createType");
    struct slice parent = descriptor_value(text, "parentCID");

    if (slice_is_nocase(kind, "seSparse") ||
        slice_find_nocase(text, 0, slice_of_text(" SESPARSE ")) != SIZE_MAX)
        return error_set(
            "'%s' is a seSparse VMDK (a VMware snapshot), which cannot be read; clone the "
            "virtual disk into one without snapshots: vmkfstools -i IN.vmdk OUT.vmdk -d thin",
            path);
    if (parent.size && !slice_is_nocase(parent, "ffffffff")) {
        struct slice hint = slice_part(descriptor_value(text, "parentFileNameHint"), 0, 255);
        return error_set(
            "'%s' is a differencing VMDK (a snapshot) of '%.*s' and cannot be read alone; "
            "merge it with its parents: qemu-img convert -O raw IN.vmdk OUT.raw",
            path, (int)hint.size, hint.size ? (const char *)hint.data : "");
    }
    for (size_t i = 0; kind.size && i < sizeof readable / sizeof *readable; i++)
        if (slice_is_nocase(kind, readable[i]))
            return 0;
    if (kind.size == 0)
        return error_set(
            "'%s' is one part of a split VMDK, or a damaged one: it names no createType; give "
            "its descriptor, the small .vmdk file without a number",
            path);
    kind = slice_part(kind, 0, 64);
    return error_set("'%s' is a VMDK of kind '%.*s', which cannot be read; " QEMU_CONVERT, path,
                     (int)kind.size, (const char *)kind.data);
}

/* The file name that the first extent line of a descriptor gives: RW 131072 SPARSE "disk.vmdk". */
static struct slice first_extent(struct slice text)
{
    static const char *const kinds[] = {" SPARSE \"", " ZERO \"", " FLAT \""};
    size_t start = SIZE_MAX, end;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && start == SIZE_MAX; i++) {
        start = slice_find_nocase(text, 0, slice_of_text(kinds[i]));
        if (start != SIZE_MAX)
            start += strlen(kinds[i]);
    }
    end = start == SIZE_MAX ? SIZE_MAX : slice_find(text, start, '"');
    return end == SIZE_MAX ? slice_of(NULL, 0) : slice_part(text, start, end - start);
}

/* A disk of one file names itself, and libtsk opens what it names: a renamed one would be another
 * disk's bytes, or none. */
static int judge_own_name(const char *path, struct slice text)
{
    struct slice name = slice_part(first_extent(text), 0, 255);

    for (size_t i = name.size; i > 0; i--) /* the name alone counts */
        if (name.data[i - 1] == '/' || name.data[i - 1] == '\\') {
            name = slice_from(name, i);
            break;
        }
    if (name.size == 0 || slice_equal(name, slice_of_text(path_name(path))))
        return 0;
    return error_set("'%s' is a VMDK that was renamed: it says that its data are in '%.*s'; put a "
                     "copy or a link under that name into a folder of its own, or " QEMU_CONVERT,
                     path, (int)name.size, (const char *)name.data);
}

static int judge_vmdk_at(const char *path, const struct probe *probe, uint64_t at, uint64_t size,
                         struct slice *descriptor)
{
    static _Thread_local uint8_t text[DESCRIPTOR_MAX];
    ssize_t got =
        segment_read(&probe->file, at, text, size < sizeof text ? (size_t)size : sizeof text);

    if (got < 0)
        return -1;
    *descriptor = slice_of(text, strnlen((const char *)text, (size_t)got));
    return judge_descriptor(path, *descriptor);
}

/* A sparse extent names its descriptor's place; parts of a split disk have none. */
static int judge_sparse_vmdk(const char *path, const struct probe *probe)
{
    struct cursor c = cursor_over(head_of(probe), 0);
    struct slice descriptor;
    uint64_t at, size;

    cursor_skip(&c, 28);
    at = cursor_u64le(&c);
    size = cursor_u64le(&c);
    if (cursor_failed(&c))
        return error_set("'%s' is a VMDK that is cut short", path);
    if (at == 0 || size == 0)
        return error_set(
            "'%s' is one part of a split VMDK; give its descriptor, the small .vmdk file "
            "without a number",
            path);
    if (at > probe->file.size / 512 || size > probe->file.size / 512)
        return error_set(
            "'%s' is a VMDK whose descriptor lies outside of the file: it is cut short", path);
    if (judge_vmdk_at(path, probe, at * 512, size * 512, &descriptor) < 0)
        return -1;
    return judge_own_name(path, descriptor);
}

/* CRC-32C, bit by bit: a few KiB once. */
static uint32_t crc32c(const uint8_t *bytes, size_t size, size_t hole, size_t hole_size)
{
    uint32_t sum = ~UINT32_C(0);

    for (size_t i = 0; i < size; i++) {
        sum ^= i >= hole && i < hole + hole_size ? 0 : bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0x82F63B78) : 0);
    }
    return ~sum;
}

/* True for the valid header at `at`; MS-VHDX 2.2.2. */
static bool vhdx_header(const struct probe *probe, uint64_t at, uint64_t *sequence, bool *log)
{
    static const uint8_t no_log[16];
    uint8_t bytes[4096];
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), at);
    uint32_t sum;

    if (segment_read(&probe->file, at, bytes, sizeof bytes) != (ssize_t)sizeof bytes ||
        memcmp(bytes, "head", 4))
        return false;
    cursor_skip(&c, 4);
    sum = cursor_u32le(&c);
    *sequence = cursor_u64le(&c);
    cursor_skip(&c, 32);
    *log = memcmp(cursor_take(&c, 16).data, no_log, 16) != 0;
    return crc32c(bytes, sizeof bytes, 4, 4) == sum;
}

/* Offset of the metadata region named by the region table at `at`, 0 when there is none;
 * MS-VHDX 2.2.3. */
static uint64_t vhdx_metadata(const struct probe *probe, uint64_t at)
{
    static const uint8_t region_id[16] = {0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                          0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e};
    uint8_t bytes[HEAD_SIZE];
    ssize_t got = segment_read(&probe->file, at, bytes, sizeof bytes);
    struct cursor c = cursor_over(slice_of(bytes, got < 0 ? 0 : (size_t)got), at);
    uint32_t count;

    if (!slice_is(cursor_take(&c, 4), "regi"))
        return 0;
    cursor_skip(&c, 4);
    count = cursor_u32le(&c);
    cursor_skip(&c, 4);
    for (uint32_t i = 0; i < count && !cursor_failed(&c); i++) {
        struct slice id = cursor_take(&c, 16);
        uint64_t offset = cursor_u64le(&c);
        cursor_skip(&c, 8);
        if (!cursor_failed(&c) && slice_equal(id, slice_of(region_id, 16)))
            return offset;
    }
    return 0;
}

/* The HasParent bit of the file parameters; MS-VHDX 2.6.2.1. */
static bool vhdx_has_parent(const struct probe *probe, uint64_t metadata)
{
    static const uint8_t item_id[16] = {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                        0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b};
    uint8_t bytes[HEAD_SIZE], flags[8];
    ssize_t got = segment_read(&probe->file, metadata, bytes, sizeof bytes);
    struct cursor c = cursor_over(slice_of(bytes, got < 0 ? 0 : (size_t)got), metadata);
    uint16_t count;

    if (!slice_is(cursor_take(&c, 8), "metadata"))
        return false;
    cursor_skip(&c, 2);
    count = cursor_u16le(&c);
    cursor_skip(&c, 20);
    for (uint16_t i = 0; i < count && !cursor_failed(&c); i++) {
        struct slice id = cursor_take(&c, 16);
        uint32_t offset = cursor_u32le(&c);
        cursor_skip(&c, 12);
        if (cursor_failed(&c) || !slice_equal(id, slice_of(item_id, 16)))
            continue;
        return segment_read(&probe->file, metadata + offset, flags, 8) == 8 && (flags[4] & 2);
    }
    return false;
}

static int judge_vhdx(const char *path, const struct probe *probe)
{
    uint64_t sequence[2] = {0, 0}, metadata;
    bool log[2] = {false, false}, valid[2];

    for (size_t i = 0; i < 2; i++)
        valid[i] = vhdx_header(probe, (i + 1) * (uint64_t)KIB64, &sequence[i], &log[i]);
    if (!valid[0] && !valid[1])
        return error_set("'%s' is a VHDX without a valid header: it is cut short or damaged", path);
    if (log[valid[1] && (!valid[0] || sequence[1] > sequence[0])])
        return error_set(
            "'%s' is a VHDX whose log was not replayed (the machine was not shut down): its "
            "bytes would be wrong; replay it on a copy (qemu-img check -r all COPY.vhdx) and "
            "give the copy",
            path);
    metadata = vhdx_metadata(probe, 3 * (uint64_t)KIB64);
    if (!metadata)
        metadata = vhdx_metadata(probe, 4 * (uint64_t)KIB64);
    if (!metadata)
        return error_set("'%s' is a VHDX without a region table: it is cut short or damaged", path);
    if (vhdx_has_parent(probe, metadata))
        return error_set("'%s' is a differencing VHDX and cannot be read without its parent; merge "
                         "copies of both (Hyper-V: Merge-VHD) and give the result",
                         path);
    return 0;
}

/* Extensions whose files always have a signature: without it they are damaged, not raw. */
static const struct {
    const char *extension;
    const char *what;
} promised[] = {
    {".vhd", "VHD"},   {".vhdx", "VHDX"},   {".avhd", "VHD"},  {".avhdx", "VHDX"},
    {".vdi", "VDI"},   {".qcow2", "QCOW2"}, {".qcow", "QCOW"}, {".aff4", "AFF4"},
    {".ex01", "Ex01"}, {".l01", "L01"},     {".ad1", "AD1"},
};

/* Name ends: x.E01, x.e02, x.s01; later ones (.EAA) are no proof. */
static bool is_named_ewf(const char *path)
{
    size_t size = strlen(path);
    const char *end = size > 4 ? path + size - 4 : "";

    return end[0] == '.' && strchr("eEsS", end[1]) && end[1] && strchr("0123456789", end[2]) &&
           end[2] && strchr("0123456789", end[3]) && end[3];
}

static bool ends_with(const char *path, const char *end)
{
    return slice_ends_nocase(slice_of_text(path), end);
}

/* No signature was found: the name may still tell that there should be one. */
static int judge_name(const char *path, enum signature *signature)
{
    if (is_named_ewf(path)) {
        *signature = SIGNATURE_EWF;
        return 0;
    }
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
        if (ends_with(path, promised[i].extension))
            return error_set(
                "'%s' is named like a %s file, but its signature is missing: it is cut "
                "short or damaged; if it holds the raw bytes of a disk, name it .raw",
                path, promised[i].what);
    if (ends_with(path, ".vmdk") && !ends_with(path, "flat.vmdk"))
        return error_set(
            "'%s' is named like a VMDK, but its signature is missing: it is cut short or "
            "damaged; if it holds the raw bytes of a disk, name it .raw",
            path);
    return 0;
}

static int judge(const char *path, const struct probe *probe, enum signature *signature)
{
    const char *why = refusal(probe);
    struct slice descriptor;

    *signature = SIGNATURE_NONE;
    if (why)
        return error_set("'%s' %s", path, why);
    if (is_bzip2(probe))
        return error_set("'%s' is compressed with bzip2; unpack it first: bzip2 -d", path);
    if (STARTS(probe, 0, "PK\3\4"))
        return refuse_zip(path, probe);
    if (STARTS(probe, 0, "EVF\x09\r\n\xff\0")) {
        *signature = SIGNATURE_EWF;
    } else if (STARTS(probe, 0, "vhdxfile")) {
        *signature = SIGNATURE_VHDX;
        return judge_vhdx(path, probe);
    } else if (STARTS(probe, 0, "KDMV")) {
        *signature = SIGNATURE_VMDK;
        return judge_sparse_vmdk(path, probe);
    } else if (STARTS(probe, 0, "# Disk DescriptorFile")) {
        *signature = SIGNATURE_VMDK;
        return judge_vmdk_at(path, probe, 0, DESCRIPTOR_MAX, &descriptor);
    } else if (STARTS(probe, 0, "conectix") ||
               (probe->tail_size >= 8 &&
                (!memcmp(probe->tail, "conectix", 8) || !memcmp(probe->tail + 1, "conectix", 8)))) {
        *signature = SIGNATURE_VHD;
    } else {
        return judge_name(path, signature);
    }
    return 0;
}

int signature_detect(const char *path, enum signature *signature)
{
    struct probe probe = {.file = {.path = (char *)(uintptr_t)path, .number = 1}};
    int result;

    probe.file.fd = medium_open(path, &probe.file.size);
    if (probe.file.fd < 0)
        return -1;
    result = probe_load(path, &probe);
    if (result == 0)
        result = judge(path, &probe, signature);
    close(probe.file.fd);
    return result;
}
