/*
 * Event subscriptions in the WMI repository: filters (what to wait for), consumers (what to run
 * then) and the bindings between them. The pages of OBJECTS.DATA are searched for instances of
 * these classes, each of which begins with the digest of its class name, so that instances left in
 * slack are found too. Sources: "WMI repository file format" of libyal's dtformats, and "Windows
 * Management Instrumentation (WMI) Offense, Defense, and Forensics" (FireEye, 2015). Properties lie
 * in the order of their names; which are left out, only what they hold tells.
 */
#include "artifacts/entry.h"
#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/base/utf16.h"
#include "triage/evidence/ntfs_owner.h"

#include <stdio.h>
#include <string.h>

enum {
    PAGE_SIZE = 8192,
    WINDOW_PAGES = 32,
    CLASS_NAME_MOST = 40,
    DIGEST_MOST = 128, /* SHA-256 in hexadecimal UTF-16; MD5 has half of it (Windows XP, 2003) */
    ITEMS_MOST = 32,
    INSTANCES_MOST = 10000,
    INSTANCE_MEMORY = 1 << 20, /* a page's texts, each kept twice */
    TIMES_SIZE = 16,
    BLOCK_HEAD = 9, /* its size, the offset of the class name, a byte */
    DESCRIPTOR_SIZE = 16,
    SID_HEAD = 8,
    SID_PARTS_MOST = 15,
};

enum role { FILTER, CONSUMER, BINDING };

static const struct class
{
    const char *name, *type; /* as Sysmon words the type */
    enum role role;
} classes[] = {
    {"__EventFilter", NULL, FILTER},
    {"__FilterToConsumerBinding", NULL, BINDING},
    {"CommandLineEventConsumer", "Command Line", CONSUMER},
    {"ActiveScriptEventConsumer", "Script", CONSUMER},
    {"LogFileEventConsumer", "Log File", CONSUMER},
    {"NTEventLogEventConsumer", "Event Log", CONSUMER},
    {"SMTPEventConsumer", "SMTP", CONSUMER},
};

enum { CLASSES = sizeof classes / sizeof *classes };

/* What every Windows has. */
static const struct {
    const char *name, *query; /* of a consumer: no query */
} shipped[] = {
    {"SCM Event Log Filter", "select * from MSFT_SCMEventLogEvent"},
    {"SCM Event Log Consumer", NULL},
    {"BVTFilter", "SELECT * FROM __InstanceModificationEvent WITHIN 60 WHERE TargetInstance ISA "
                  "\"Win32_Processor\" AND TargetInstance.LoadPercentage > 99"},
};

struct repository {
    struct job *job;
    struct arena *arena;                      /* of the instance at hand */
    uint8_t digests[CLASSES][2][DIGEST_MOST]; /* SHA-256, MD5 */
    size_t told;
};

struct item {
    struct slice bytes;
    bool is_sid, is_wide;
};

struct instance {
    const struct class *class;
    uint64_t offset; /* of its digest */
    bool is_live, is_cut;
    struct instant when;
    struct slice block;
    const char *texts[ITEMS_MOST], *sid;
    size_t text_count, before_sid; /* texts in front of the SID */
};

static void digest_of(const char *name, unsigned kind, uint8_t out[DIGEST_MOST])
{
    uint8_t wide[2 * CLASS_NAME_MOST];
    const size_t size = strlen(name);

    for (size_t i = 0; i < size; i++) {
        wide[2 * i] = (uint8_t)(name[i] >= 'a' && name[i] <= 'z' ? name[i] & ~0x20 : name[i]);
        wide[2 * i + 1] = 0;
    }
    struct hasher *hasher = hasher_new(kind);
    if (!hasher)
        return;
    hasher_add(hasher, slice_of(wide, 2 * size));
    const struct digests digests = hasher_finish(hasher);
    const char *hex = kind == HASH_MD5 ? digests.md5 : digests.sha256;
    for (size_t i = 0; hex[i]; i++)
        out[2 * i] = (uint8_t)(hex[i] >= 'a' ? hex[i] & ~0x20 : hex[i]);
    hasher_free(hasher);
}

/* The data of the block: its size with the highest bit set, then the class name, to the block's
 * end.
 */
static struct slice data_of(const struct instance *instance)
{
    const struct slice block = instance->block;
    const size_t name_size = strlen(instance->class->name);

    for (size_t at = BLOCK_HEAD; at + 5 + name_size < block.size; at++) {
        struct cursor c = cursor_over(slice_from(block, at), 0);
        const uint32_t size = cursor_u32le(&c);
        const struct slice data = slice_from(block, at + 4);
        const bool fits = (size & 0x7fffffff) == data.size ||
                          (instance->is_cut && (size & 0x7fffffff) > data.size);
        if (fits && size >> 31 && data.data[0] == 0 && data.data[name_size + 1] == 0 &&
            slice_equal(slice_part(data, 1, name_size), slice_of_text(instance->class->name)))
            return slice_from(data, name_size + 2);
    }
    return slice_of(NULL, 0);
}

/* A SID with its size in front: the list CreatorSID. */
static bool take_sid(struct cursor *c, struct slice *sid)
{
    struct cursor look = *c;
    const uint32_t size = cursor_u32le(&look);
    const struct slice bytes = cursor_take(&look, size);

    if (cursor_failed(&look) || size < SID_HEAD || bytes.data[0] != 1 ||
        bytes.data[1] > SID_PARTS_MOST || size != SID_HEAD + 4u * bytes.data[1])
        return false;
    *sid = bytes;
    *c = look;
    return true;
}

/* A text: a byte that says how wide it is, the text, its NUL. */
static bool take_text(struct cursor *c, struct item *item)
{
    const uint8_t width = cursor_u8(c);
    const struct slice left = slice_from(c->bytes, c->at);
    size_t size = 0;

    if (width > 1 || !left.size)
        return false;
    item->is_wide = width == 1;
    while (size < left.size &&
           (left.data[size] || (item->is_wide && size + 1 < left.size && left.data[size + 1])))
        size += item->is_wide ? 2 : 1;
    item->bytes = slice_part(left, 0, size);
    const size_t end = size + (item->is_wide ? 2 : 1);
    cursor_skip(c, end < left.size ? end : left.size);
    return true;
}

static const char *sid_text(struct arena *arena, struct slice sid)
{
    char text[SID_TEXT_SIZE];

    return ntfs_sid_text(sid, text) ? arena_text(arena, slice_of_text(text)) : NULL;
}

/* Texts of Latin letters are one byte a letter. */
static const char *item_text(struct arena *arena, const struct item *item)
{
    struct buffer text = BUFFER_EMPTY;

    if (item->is_wide)
        return utf16_to_text(arena, item->bytes, true);
    for (size_t i = 0; i < item->bytes.size; i++) {
        uint8_t bytes[4];
        buffer_add(&text, slice_of(bytes, utf8_encode(item->bytes.data[i], bytes)));
    }
    const char *result = arena_text(arena, buffer_slice(&text));
    buffer_release(&text);
    return result;
}

static void read_items(struct instance *instance, struct arena *arena, struct slice data)
{
    struct cursor c = cursor_over(data, 0);
    struct item item = {.is_sid = false};

    while (cursor_left(&c) && instance->text_count < ITEMS_MOST) {
        if (!instance->sid && take_sid(&c, &item.bytes)) {
            instance->sid = sid_text(arena, item.bytes);
            instance->before_sid = instance->text_count;
        } else if (!take_text(&c, &item)) {
            continue; /* numbers and lists: on to the next byte */
        } else if (item.bytes.size) {
            const char *text = item_text(arena, &item);
            if (text && *text)
                instance->texts[instance->text_count++] = text;
        }
    }
}

static const char *text_with(const struct instance *instance, const char *part)
{
    for (size_t i = 0; i < instance->text_count; i++)
        if (slice_find_nocase(slice_of_text(instance->texts[i]), 0, slice_of_text(part)) !=
            SIZE_MAX)
            return instance->texts[i];
    return NULL;
}

static const char *nth(const struct instance *instance, size_t number)
{
    return number < instance->text_count ? instance->texts[number] : NULL;
}

static const char *is_shipped(const char *name, const char *query)
{
    for (size_t i = 0; name && i < sizeof shipped / sizeof *shipped; i++)
        if (strcmp(shipped[i].name, name) == 0 &&
            (!shipped[i].query ||
             (query && slice_is_nocase(slice_of_text(query), shipped[i].query))))
            return "true";
    return "false";
}

/* EventAccess, EventNamespace, Name, Query, QueryLanguage: the language comes last, the query
 * before it, the name before that. */
static void add_filter(struct entry *entry, const struct instance *instance)
{
    size_t last = instance->text_count;

    if (last && slice_is_nocase(slice_of_text(instance->texts[last - 1]), "WQL"))
        last--;
    const char *query = last >= 1 ? instance->texts[last - 1] : NULL;
    const char *name = last >= 2 ? instance->texts[last - 2] : NULL;
    entry_add(entry, "EventType", "WmiFilterEvent");
    if (last >= 3)
        entry_add(entry, "EventNamespace", instance->texts[last - 3]);
    entry_add(entry, "Name", name);
    entry_add(entry, "Query", query);
    entry_add(entry, "Shipped", is_shipped(name, query));
}

/* CommandLineTemplate, the SID, ExecutablePath, Name, WorkingDirectory. */
static void add_command(struct entry *entry, const struct instance *instance)
{
    const size_t first =
        instance->sid ? instance->before_sid : instance->text_count > 1 || instance->is_cut;
    const char *command = first ? instance->texts[0] : NULL, *program = NULL;
    size_t at = first;

    if (instance->text_count > first + 1 &&
        slice_find_nocase(slice_of_text(instance->texts[at]), 0, SLICE_LITERAL(".exe")) != SIZE_MAX)
        program = instance->texts[at++];
    entry_add(entry, "Name", nth(instance, at));
    entry_add(entry, "Destination", command ? command : program);
    entry_add(entry, "CommandLine", command);
    entry_add(entry, "ExecutablePath", program);
    entry_add(entry, "WorkingDirectory", nth(instance, at + 1));
    entry_add(entry, "Shipped", "false");
}

/* The SID, Name, ScriptFileName, ScriptingEngine, ScriptText. */
static void add_script(struct entry *entry, const struct instance *instance)
{
    const size_t count = instance->text_count;
    const char *engine = text_with(instance, "script");

    entry_add(entry, "Name", nth(instance, 0));
    entry_add(entry, "Destination", count > 1 ? instance->texts[count - 1] : NULL);
    entry_add(entry, "ScriptingEngine", engine && strlen(engine) < 32 ? engine : NULL);
    entry_add(entry, "Shipped", "false");
}

static void add_consumer(struct entry *entry, const struct instance *instance)
{
    entry_add(entry, "EventType", "WmiConsumerEvent");
    entry_add(entry, "Type", instance->class->type);
    if (strcmp(instance->class->type, "Command Line") == 0) {
        add_command(entry, instance);
    } else if (strcmp(instance->class->type, "Script") == 0) {
        add_script(entry, instance);
    } else {
        const char *known = text_with(instance, "SCM Event Log Consumer");
        entry_add(entry, "Name", known ? known : nth(instance, 0));
        entry_add(entry, "Destination", nth(instance, instance->text_count - 1));
        entry_add(entry, "Shipped", is_shipped(known, NULL));
    }
}

static void add_binding(struct entry *entry, const struct instance *instance)
{
    const char *consumer = text_with(instance, "Consumer.Name="),
               *filter = text_with(instance, "__EventFilter.Name=");
    const bool known = consumer && filter && strstr(consumer, "\"SCM Event Log Consumer\"") &&
                       strstr(filter, "\"SCM Event Log Filter\"");

    entry_add(entry, "EventType", "WmiBindingEvent");
    entry_add(entry, "Consumer", consumer);
    entry_add(entry, "Filter", filter);
    entry_add(entry, "Shipped", known ? "true" : "false");
}

static const char *all_texts(struct arena *arena, const struct instance *instance)
{
    struct buffer all = BUFFER_EMPTY;

    for (size_t i = 0; i < instance->text_count; i++)
        buffer_format(&all, "%s%s", i ? " | " : "", instance->texts[i]);
    const char *text = arena_text(arena, buffer_slice(&all));
    buffer_release(&all);
    return text;
}

static void tell(struct repository *repository, struct instance *instance)
{
    static void (*const adders[])(struct entry *, const struct instance *) = {
        [FILTER] = add_filter, [CONSUMER] = add_consumer, [BINDING] = add_binding};
    struct job *job = repository->job;
    struct entry entry;

    arena_reset(repository->arena);
    read_items(instance, repository->arena, data_of(instance));
    entry_begin(&entry, job, KIND_wmi_subscription);
    entry.event.offset = instance->offset;
    entry.event.raw = instance->block;
    if (instant_known(instance->when))
        entry_time(&entry, instance->when);
    entry_add(&entry, "ClassName", instance->class->name);
    if (!instance->text_count) {
        entry.event.marks |= EVENT_REJECTED;
        job_notice(job, instance->offset, "an instance of a WMI class cannot be read");
    } else {
        adders[instance->class->role](&entry, instance);
        entry_add(&entry, "CreatorSid", instance->sid);
        entry_add(&entry, "Values", all_texts(repository->arena, instance));
    }
    if (!instance->is_live)
        entry.event.marks |= EVENT_RECOVERED;
    if (instance->is_cut) {
        entry.event.marks |= EVENT_REPAIRED;
        job_notice(job, instance->offset,
                   "an instance goes on in another page: only its start was read");
    }
    entry_emit(&entry);
}

/* Whether a descriptor at the start of the page says that a record begins here. */
static bool is_live(struct slice page, size_t at)
{
    struct cursor c = cursor_over(page, 0);

    while (cursor_left(&c) >= DESCRIPTOR_SIZE) {
        const uint32_t identifier = cursor_u32le(&c), offset = cursor_u32le(&c),
                       size = cursor_u32le(&c), checksum = cursor_u32le(&c);
        if (!identifier && !offset && !size && !checksum)
            return false;
        if (offset == at && size)
            return true;
    }
    return false;
}

/* FILETIMEs between 2000 and 2100: others are no times. */
static struct instant plausible(uint64_t filetime)
{
    return filetime > UINT64_C(125911584000000000) && filetime < UINT64_C(157469184000000000)
               ? instant_from_filetime(filetime)
               : INSTANT_NONE;
}

static void take_instance(struct repository *repository, const struct class *class,
                          struct slice page, uint64_t page_at, size_t at, size_t digest_size)
{
    struct instance instance = {.class = class, .offset = page_at + at};
    struct cursor c = cursor_over(slice_from(page, at + digest_size), 0);

    instance.when = plausible(cursor_u64le(&c));
    cursor_skip(&c, TIMES_SIZE - 8);
    const size_t block_at = at + digest_size + c.at;
    const uint32_t size = cursor_u32le(&c);
    instance.is_live = is_live(page, at);
    instance.block = slice_part(page, block_at, cursor_failed(&c) ? 0 : size);
    instance.is_cut = instance.block.size < size;
    tell(repository, &instance);
}

/* The first digest of a class at or after `from`; SIZE_MAX when there is none. */
static size_t next_digest(const struct repository *repository, struct slice page, size_t from,
                          size_t *class, size_t *size)
{
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < 2 * CLASSES; i++) {
        const size_t bytes = i % 2 == 0 ? DIGEST_MOST : DIGEST_MOST / 2;
        const size_t left = (first == SIZE_MAX ? page.size : first) - from;
        const uint8_t *found =
            memmem(page.data + from, left, repository->digests[i / 2][i % 2], bytes);
        if (!found)
            continue;
        first = (size_t)(found - page.data);
        *class = i / 2;
        *size = bytes;
    }
    return first;
}

static void search_page(struct repository *repository, struct slice page, uint64_t page_at)
{
    size_t class = 0, size = 0;

    for (size_t at = 0; at < page.size && repository->told < INSTANCES_MOST; at += size) {
        at = next_digest(repository, page, at, &class, &size);
        if (at == SIZE_MAX)
            return;
        repository->told++;
        take_instance(repository, &classes[class], page, page_at, at, size);
    }
}

static int search(struct repository *repository)
{
    struct job *job = repository->job;
    uint8_t *window = arena_take(job->arena, (size_t)WINDOW_PAGES * PAGE_SIZE);

    if (!window)
        return -1;
    for (size_t i = 0; i < CLASSES; i++) {
        digest_of(classes[i].name, HASH_SHA256, repository->digests[i][0]);
        digest_of(classes[i].name, HASH_MD5, repository->digests[i][1]);
    }
    for (uint64_t at = 0; at < job->size; at += (uint64_t)WINDOW_PAGES * PAGE_SIZE) {
        const ssize_t got = job_read(job, at, window, (size_t)WINDOW_PAGES * PAGE_SIZE);
        if (got < 0)
            job_notice(job, at, error_text());
        for (size_t page = 0; got > 0 && page < (size_t)got; page += PAGE_SIZE)
            search_page(repository, slice_part(slice_of(window, (size_t)got), page, PAGE_SIZE),
                        at + page);
    }
    if (repository->told == INSTANCES_MOST)
        job_notice(job, 0, "there are more than 10000 subscriptions: the rest was left out");
    return 0;
}

static int parse(struct job *job)
{
    struct repository repository = {.job = job, .arena = arena_new(INSTANCE_MEMORY)};
    const int result = repository.arena ? search(&repository) : -1;

    arena_free(repository.arena);
    return result;
}

static const char *const paths[] = {"{system32}/wbem/Repository/OBJECTS.DATA",
                                    "{system32}/wbem/Repository/FS/OBJECTS.DATA",
                                    "{system32}/wbem/Repository.*/OBJECTS.DATA", NULL};
static const struct log_source sources[] = {
    {"wmi_event", "windows", NULL}, {NULL, "windows", "wmi-repository"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_wmi_repository;
const struct artifact artifact_wmi_repository = {
    .name = "wmi_repository",
    .title = "WMI event subscriptions",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .parse = parse,
};
