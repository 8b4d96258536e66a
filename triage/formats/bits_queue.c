#include "triage/formats/bits_queue.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_UNITS_MOST = 65536, /* of one text, well above BITS' own limits */
    ERROR_SIZE = 25,         /* code, four words, a byte */
    ERRORS_MOST = 1024,
    FILE_LEAST = 4 + 8,  /* a length and "C:" with its NUL, for the search */
    CREATED_BEHIND = 29, /* bytes between a file's last text and its time in qmgr.db */
};

static const uint8_t file_header[BITS_GUID_SIZE] = {0x13, 0xF7, 0x2B, 0xC8, 0x40, 0x99, 0x12, 0x4A,
                                                    0x9F, 0x1A, 0x3A, 0xAE, 0xBD, 0x89, 0x4E, 0xEA};
static const uint8_t queue_header[BITS_GUID_SIZE] = {
    0x47, 0x44, 0x5F, 0x00, 0xA9, 0xBD, 0xBA, 0x44, 0x98, 0x51, 0xC4, 0x7B, 0xB6, 0xC0, 0x7A, 0xCE};
static const uint8_t transfer_header[BITS_GUID_SIZE] = {
    0x36, 0xDA, 0x56, 0x77, 0x6F, 0x51, 0x5A, 0x43, 0xAC, 0xAC, 0x44, 0xA2, 0x48, 0xFF, 0xF3, 0x4D};

/* Each version of BITS has a GUID of its own in front of (and in qmgr.dat also behind) a job. */
static const struct {
    enum bits_part part;
    uint8_t guid[BITS_GUID_SIZE];
} parts[] = {
    {BITS_JOB, "\x93\x36\x20\x35\xA0\x0C\x10\x4A\x84\xF3\xB1\x7E\x7B\x49\x9C\xD7"},
    {BITS_JOB, "\x10\x13\x70\xC8\x36\x53\xB3\x41\x83\xE5\x81\x55\x7F\x36\x1B\x87"},
    {BITS_JOB, "\x8C\x93\xEA\x64\x03\x0F\x68\x40\xB4\x6F\xF9\x7F\xE5\x1D\x4D\xCD"},
    {BITS_JOB, "\xB3\x46\xED\x3D\x3B\x10\xF9\x44\xBC\x2F\xE8\x37\x8B\xD3\x19\x86"},
    {BITS_JOB, "\xA1\x56\x09\xE1\x43\xAF\xC9\x42\x92\xE6\x6F\x98\x56\xEB\xA7\xF6"},
    {BITS_JOB, "\x9F\x95\xD4\x4C\x64\x70\xF2\x4B\x84\xD7\x47\x6A\x7E\x62\x69\x9F"},
    {BITS_JOB, "\xF1\x19\x26\xA9\x32\x03\xBF\x4C\x94\x27\x89\x88\x18\x95\x88\x31"},
    {BITS_JOB, "\xC1\x33\xBC\xDD\xFB\x5A\xAF\x4D\xB8\xA1\x22\x68\xB3\x9D\x01\xAD"},
    {BITS_JOB, "\xD0\x57\x56\x8F\x2C\x01\x3E\x4E\xAD\x2C\xF4\xA5\xD7\x65\x6F\xAF"},
    {BITS_JOB, "\x50\x67\x41\x94\x57\x03\x1D\x46\xA4\xCC\x5D\xD9\x99\x07\x06\xE4"},
    {BITS_FILE, "\xE4\xCF\x9E\x51\x46\xD9\x97\x43\xB7\x3E\x26\x85\x13\x05\x1A\xB2"},
};

static size_t find_guid(struct slice bytes, size_t from, const uint8_t guid[BITS_GUID_SIZE])
{
    for (size_t at = from; at < bytes.size && bytes.size - at >= BITS_GUID_SIZE; at++) {
        at = slice_find(bytes, at, guid[0]);
        if (at == SIZE_MAX || bytes.size - at < BITS_GUID_SIZE)
            break;
        if (memcmp(bytes.data + at, guid, BITS_GUID_SIZE) == 0)
            return at;
    }
    return SIZE_MAX;
}

static enum bits_part part_at(const uint8_t *guid)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (guid[0] == parts[i].guid[0] && memcmp(guid, parts[i].guid, BITS_GUID_SIZE) == 0)
            return parts[i].part;
    return BITS_NONE;
}

enum bits_part bits_find(struct slice bytes, size_t from, size_t *start)
{
    for (size_t at = from; at < bytes.size && bytes.size - at >= BITS_GUID_SIZE; at++) {
        const enum bits_part part = part_at(bytes.data + at);
        if (part != BITS_NONE) {
            *start = at + BITS_GUID_SIZE;
            return part;
        }
    }
    return BITS_NONE;
}

bool bits_queue_header(struct slice bytes, uint32_t *jobs, size_t *end)
{
    enum { SEARCHED = 4096 };
    const size_t head = find_guid(slice_part(bytes, 0, SEARCHED), 0, file_header);

    if (head == SIZE_MAX)
        return false;
    struct cursor c = cursor_over(bytes, 0);
    cursor_seek(&c, head + BITS_GUID_SIZE);
    const struct slice queue = cursor_take(&c, BITS_GUID_SIZE);
    const uint32_t count = cursor_u32le(&c);
    if (cursor_failed(&c) || memcmp(queue.data, queue_header, BITS_GUID_SIZE) != 0)
        return false;
    const size_t last = find_guid(bytes, c.at, queue_header);
    if (jobs)
        *jobs = count;
    if (end)
        *end = last == SIZE_MAX ? bytes.size : last;
    return true;
}

/* --- texts and times --- */

/* A count of UTF-16 units, the NUL included, and the units. NULL when that cannot be. */
static const char *read_text(struct cursor *c, struct arena *arena)
{
    const uint32_t units = cursor_u32le(c);

    if (units > TEXT_UNITS_MOST) {
        c->failed = true;
        return "";
    }
    const struct slice utf16 = cursor_take(c, (size_t)units * 2);
    const char *text = cursor_failed(c) ? NULL : utf16_to_text(arena, utf16, true);
    return text ? text : "";
}

/* Times that no job can have are none: the layout behind the files differs between versions. */
static struct instant read_time(struct cursor *c)
{
    const struct instant least = instant_from_civil((struct civil){2001, 1, 1, 0, 0, 0, 0});
    const struct instant most = instant_from_civil((struct civil){2100, 1, 1, 0, 0, 0, 0});
    const uint64_t filetime = cursor_u64le(c);

    if (cursor_failed(c) || filetime < (uint64_t)least.ticks || filetime > (uint64_t)most.ticks)
        return INSTANT_NONE;
    return instant_from_filetime(filetime);
}

/* --- files --- */

/* Whether a length and the start of a path of Windows stand here: "C:" or "\\". */
static bool is_path(struct slice bytes, size_t at)
{
    struct cursor c = cursor_over(slice_from(bytes, at), 0);
    const uint32_t units = cursor_u32le(&c);
    const uint16_t first = cursor_u16le(&c), second = cursor_u16le(&c);
    const uint16_t letter = first | 0x20;

    return !cursor_failed(&c) && units >= 3 && units <= TEXT_UNITS_MOST &&
           ((letter >= 'a' && letter <= 'z' && second == ':') || (first == '\\' && second == '\\'));
}

static size_t find_path(struct slice bytes, size_t from)
{
    for (size_t at = from; at < bytes.size && bytes.size - at >= FILE_LEAST; at++)
        if (is_path(bytes, at))
            return at;
    return SIZE_MAX;
}

/* Sources differ in which of the two is the size of the file: what was transferred is not more. */
static void read_sizes(struct cursor *c, struct bits_file *file)
{
    const uint64_t first = cursor_u64le(c), second = cursor_u64le(c);

    file->size = file->transferred = BITS_SIZE_UNKNOWN;
    if (cursor_failed(c))
        return;
    file->size = first > second ? first : second; /* unknown is the greatest number */
    file->transferred = first > second ? second : first;
}

int bits_file_read(struct slice bytes, struct arena *arena, struct bits_file *out)
{
    struct cursor c = cursor_over(bytes, 0);
    struct bits_file file = {.drive = "", .volume = ""};

    file.local = read_text(&c, arena);
    file.remote = read_text(&c, arena);
    if (cursor_failed(&c) || !*file.local)
        return error_set("the names of a file are cut short");
    file.temporary = read_text(&c, arena);
    read_sizes(&c, &file);
    cursor_skip(&c, 1);
    file.drive = read_text(&c, arena);
    file.volume = read_text(&c, arena);
    file.end = cursor_failed(&c) ? bytes.size : c.at;
    *out = file;
    cursor_skip(&c, CREATED_BEHIND);
    out->created = read_time(&c);
    return 0;
}

/* Files within a job; what lies between two of them differs between versions. */
static void read_files(struct slice bytes, uint32_t count, struct arena *arena,
                       struct bits_job *out)
{
    size_t at = 0;

    out->files =
        arena_array(arena, count < BITS_FILES_MOST ? count : BITS_FILES_MOST, sizeof *out->files);
    while (out->files && out->file_count < count && out->file_count < BITS_FILES_MOST) {
        struct bits_file *file = &out->files[out->file_count];
        at = find_path(bytes, at);
        if (at == SIZE_MAX || bits_file_read(slice_from(bytes, at), arena, file) < 0)
            break;
        file->created = INSTANT_NONE;
        out->file_count++;
        at += file->end;
    }
    if (out->file_count < count)
        out->problem = "some of its files cannot be read";
}

/* --- jobs --- */

static void read_times(struct slice bytes, struct bits_job *out)
{
    struct cursor c = cursor_over(bytes, 0);

    out->errors = cursor_u32le(&c);
    if (out->errors > ERRORS_MOST) {
        out->errors = 0;
        out->problem = "what stands behind its files makes no sense";
        return;
    }
    cursor_skip(&c, out->errors * (size_t)ERROR_SIZE);
    cursor_skip(&c, 12); /* passing errors, delay between tries, time-out */
    out->created = read_time(&c);
    out->modified = read_time(&c);
    out->completed = read_time(&c);
    if (!instant_known(out->created))
        out->problem = "its times cannot be read";
}

static void read_transfers(struct slice bytes, struct arena *arena, struct bits_job *out)
{
    const size_t first = find_guid(bytes, 0, transfer_header);

    if (first == SIZE_MAX) {
        out->problem = "its files and times are missing";
        return;
    }
    const struct slice rest = slice_from(bytes, first + BITS_GUID_SIZE);
    struct cursor c = cursor_over(rest, 0);
    const uint32_t count = cursor_u32le(&c);
    const size_t second = find_guid(rest, 4, transfer_header);
    const struct slice files = slice_part(rest, 4, second == SIZE_MAX ? rest.size : second - 4);
    if (cursor_failed(&c) || count > files.size / BITS_GUID_SIZE)
        out->problem = "the number of its files makes no sense";
    else if (count && files.size == (size_t)count * BITS_GUID_SIZE)
        out->file_ids = files;
    else if (count)
        read_files(files, count, arena, out);
    if (second == SIZE_MAX)
        out->problem = "its times are missing";
    else
        read_times(slice_from(rest, second + BITS_GUID_SIZE), out);
}

int bits_job_read(struct slice bytes, struct arena *arena, struct bits_job *out)
{
    struct cursor c = cursor_over(bytes, 0);
    struct bits_job job = {0};

    job.type = cursor_u32le(&c);
    job.priority = cursor_u32le(&c);
    job.state = cursor_u32le(&c);
    cursor_skip(&c, 4);
    const struct slice id = cursor_take(&c, BITS_GUID_SIZE);
    if (cursor_failed(&c) || job.type > 2 || job.priority > 3 || job.state > 8)
        return error_set("it does not begin as a job of BITS does");
    memcpy(job.id, id.data, sizeof job.id);
    job.name = read_text(&c, arena);
    job.description = read_text(&c, arena);
    job.command = read_text(&c, arena);
    job.arguments = read_text(&c, arena);
    if (cursor_failed(&c))
        return error_set("the texts of a job of BITS are cut short");
    job.owner = read_text(&c, arena);
    job.flags = cursor_u32le(&c);
    if (cursor_failed(&c))
        job.problem = "it is cut short at its owner";
    else
        read_transfers(slice_from(bytes, c.at), arena, &job);
    *out = job;
    return 0;
}

/* --- names --- */

static const char *name_of(const char *const *names, size_t count, uint32_t number)
{
    return number < count ? names[number] : "unknown";
}

const char *bits_type_name(uint32_t type)
{
    static const char *const names[] = {"download", "upload", "upload reply"};

    return name_of(names, 3, type);
}

const char *bits_priority_name(uint32_t priority)
{
    static const char *const names[] = {"foreground", "high", "normal", "low"};

    return name_of(names, 4, priority);
}

const char *bits_state_name(uint32_t state)
{
    static const char *const names[] = {"queued",      "connecting",   "transferring",
                                        "suspended",   "error",        "transient error",
                                        "transferred", "acknowledged", "cancelled"};

    return name_of(names, 9, state);
}
