#include "triage/match/known_good.h"

#include "triage/base/arena.h"
#include "triage/base/error.h"
#include "triage/base/tsv.h"
#include "triage/match/ascii.h"
#include "triage/match/indicator_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGEST_KEPT = 16, KEY_MOST = 1024, RANGES_MOST = 64, FAMILIES_MOST = 16 };

struct build_range {
    uint64_t first, last;
};

/* A file that is at home at a place: of Microsoft's lists, or of the clean server. */
struct page {
    const char *key; /* lower case, see key_of() */
    uint8_t sha256[32];
    const struct build_range *ranges; /* of Microsoft's lists */
    size_t range_count;
    bool clean; /* of the clean server */
};

/* The start of an MD5, SHA-1 or SHA-256: 128 bits are enough to be the same. */
struct digest {
    uint8_t bytes[DIGEST_KEPT];
};

struct known_good {
    struct arena *arena;
    struct page *pages;
    size_t page_count, page_room;
    struct digest *digests;
    size_t digest_count, digest_room;
    uint64_t newest[FAMILIES_MOST]; /* last listed build of each family */
    size_t family_count;
    bool shipped, clean; /* there are pages of that kind */
};

static const char *const words[] = {
    [KNOWN_NOTHING] = "",
    [KNOWN_TRUSTED] = "trusted",
    [KNOWN_SHIPPED] = "shipped",
    [KNOWN_OTHER_BUILD] = "other build",
    [KNOWN_FOREIGN] = "foreign",
    [KNOWN_UNDECIDED] = "undecided",
    [KNOWN_NOT_SHIPPED] = "not shipped",
};

const char *known_state_word(enum known_state state)
{
    return words[state];
}

int known_good_new(struct known_good **out)
{
    struct known_good *known = calloc(1, sizeof *known);

    if (!known || !(known->arena = arena_new(0))) {
        free(known);
        return error_set("out of memory");
    }
    *out = known;
    return 0;
}

void known_good_free(struct known_good *known)
{
    if (!known)
        return;
    free(known->pages);
    free(known->digests);
    arena_free(known->arena);
    free(known);
}

uint64_t known_good_build(const char *text)
{
    uint64_t build = 0;
    unsigned parts = 0;

    while (*text && parts < 4) {
        char *end;
        const unsigned long part = strtoul(text, &end, 10);
        if (end == text || part > UINT16_MAX)
            return 0;
        build = build << 16 | part;
        parts++;
        text = *end == '.' ? end + 1 : end;
        if (*end != '.' && *end)
            return 0;
    }
    return parts == 4 && !*text ? build : 0;
}

/* --- where a file is at home --- */

static bool is_version_folder(const char *name, size_t size)
{
    unsigned dots = 0;

    for (size_t i = 0; i < size; i++) {
        if (name[i] == '.')
            dots++;
        else if (name[i] < '0' || name[i] > '9')
            return false;
    }
    return dots == 2 || dots == 3;
}

/* Writes the key: lower case, without the drive, with "version" for folders that are named after a
 * build. False when it does not fit. */
static bool write_key(const char *path, char key[KEY_MOST])
{
    size_t size = 0;

    if (path[0] && path[1] == ':')
        path += 2;
    while (*path) {
        const char *end = strpbrk(path + 1, "\\/");
        const size_t length = end ? (size_t)(end - path) : strlen(path);
        const bool version = end && is_version_folder(path + 1, length - 1);
        if (size + length + 9 > KEY_MOST)
            return false;
        if (version) {
            memcpy(key + size, "\\version", 8);
            size += 8;
        } else {
            key[size++] = '\\';
            for (size_t i = 1; i < length; i++)
                key[size++] = (char)ascii_lower((uint8_t)path[i]);
        }
        path += length;
    }
    key[size] = 0;
    return true;
}

/* From the folder of Exchange on, whose own place a server may choose; NULL when the file lies
 * elsewhere. */
static const char *below_exchange(const char *key)
{
    const char *front = strstr(key, "\\frontend\\"), *back = strstr(key, "\\clientaccess\\");

    return front && back ? (front < back ? front : back) : front ? front : back;
}

static bool ends_with(const char *key, const char *ending)
{
    const size_t size = strlen(key), end = strlen(ending);

    return size >= end && strcmp(key + size - end, ending) == 0;
}

/* Settings are rewritten by setup and by administrators: their content tells nothing. */
static bool is_setting(const char *key)
{
    return ends_with(key, ".config");
}

/* What a server runs when it is asked for. */
static bool is_page(const char *key)
{
    static const char *const endings[] = {".aspx", ".ashx",   ".asmx", ".asax",   ".ascx",
                                          ".svc",  ".master", ".asp",  ".cshtml", ".soap",
                                          ".cer",  ".php",    ".jsp"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(key, endings[i]))
            return true;
    return false;
}

/* --- filling --- */

static struct page *add_page(struct known_good *known, const char *key, const char *sha256)
{
    struct page page = {.key = key};

    if (!scan_hex(slice_of_text(sha256), page.sha256) || strlen(sha256) != 64) {
        error_set("'%.70s' is no SHA-256", sha256);
        return NULL;
    }
    if (known->page_count == known->page_room) {
        const size_t room = known->page_room ? 2 * known->page_room : 4096;
        struct page *larger = realloc(known->pages, room * sizeof *larger);
        if (!larger) {
            error_set("out of memory");
            return NULL;
        }
        known->pages = larger;
        known->page_room = room;
    }
    known->pages[known->page_count] = page;
    return &known->pages[known->page_count++];
}

static void note_newest(struct known_good *known, uint64_t build)
{
    for (size_t i = 0; i < known->family_count; i++)
        if (known->newest[i] >> 32 == build >> 32) {
            known->newest[i] = build > known->newest[i] ? build : known->newest[i];
            return;
        }
    if (known->family_count < FAMILIES_MOST)
        known->newest[known->family_count++] = build;
}

static int take_ranges(struct known_good *known, const char *text, struct page *page)
{
    struct build_range ranges[RANGES_MOST];
    char part[64];

    while (*text) {
        const size_t size = strcspn(text, ",");
        if (size >= sizeof part || page->range_count == RANGES_MOST)
            return error_set("too many builds");
        memcpy(part, text, size);
        part[size] = 0;
        char *dash = strchr(part, '-');
        if (dash)
            *dash++ = 0;
        struct build_range *range = &ranges[page->range_count++];
        range->first = known_good_build(part);
        range->last = dash ? known_good_build(dash) : range->first;
        if (!range->first || !range->last)
            return error_set("'%s' is no build", part);
        note_newest(known, range->last);
        text += size + (text[size] == ',');
    }
    struct build_range *kept = arena_array(known->arena, page->range_count + 1, sizeof *ranges);
    if (!kept)
        return -1;
    page->ranges = memcpy(kept, ranges, page->range_count * sizeof *ranges);
    return 0;
}

static int page_row(void *context, const char *const *texts)
{
    struct known_good *known = context;
    char key[KEY_MOST];

    if (!write_key(texts[0], key))
        return error_set("the path '%.80s' is too long", texts[0]);
    const char *kept = arena_text(known->arena, slice_of_text(key));
    struct page *page = kept ? add_page(known, kept, texts[1]) : NULL;
    known->shipped = true;
    return page ? take_ranges(known, texts[2], page) : -1;
}

int known_good_load_pages(struct known_good *known, const char *path)
{
    static const char *const names[] = {"path", "sha256", "builds"};

    return tsv_read(path, names, 3, known->arena, page_row, known);
}

int known_good_add_file(struct known_good *known, const char *path, const char *sha256)
{
    char key[KEY_MOST];

    if (!write_key(path, key))
        return 0;
    const char *below = below_exchange(key);
    const char *kept = arena_text(known->arena, slice_of_text(below ? below : key));
    struct page *page = kept ? add_page(known, kept, sha256) : NULL;
    if (!page)
        return -1;
    page->clean = true;
    known->clean = true;
    return 0;
}

static int add_digest(struct known_good *known, const uint8_t *bytes)
{
    if (known->digest_count == known->digest_room) {
        const size_t room = known->digest_room ? 2 * known->digest_room : 4096;
        struct digest *larger = realloc(known->digests, room * sizeof *larger);
        if (!larger)
            return error_set("out of memory");
        known->digests = larger;
        known->digest_room = room;
    }
    memcpy(known->digests[known->digest_count++].bytes, bytes, DIGEST_KEPT);
    return 0;
}

int known_good_add_hashes(struct known_good *known, struct slice text)
{
    struct scan scan;
    struct scanned_text found;

    scan_start(&scan, text, 0, SCAN_DIGEST);
    while (scan_next(&scan, &found))
        if (add_digest(known, found.key) < 0)
            return -1;
    return 0;
}

int known_good_load_hashes(struct known_good *known, const char *path)
{
    const int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* no pipe is waited for */
    const size_t before = known->digest_count;
    struct stat status;
    int result = 0;

    if (handle < 0 || fstat(handle, &status) < 0 || !S_ISREG(status.st_mode)) {
        const int why = errno;
        if (handle >= 0)
            close(handle);
        errno = why;
        return handle < 0 ? error_set_errno("known good '%s' cannot be opened", path)
                          : error_set("known good '%s' is no file", path);
    }
    if (status.st_size > 0) {
        const size_t size = (size_t)status.st_size;
        void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, handle, 0);
        if (bytes == MAP_FAILED) {
            result = error_set_errno("known good '%s' cannot be read", path);
        } else {
            result = known_good_add_hashes(known, slice_of(bytes, size));
            munmap(bytes, size);
        }
    }
    close(handle);
    if (result == 0 && known->digest_count == before)
        result = error_set("known good '%s' holds no hashes", path);
    return result;
}

static int by_key(const void *a, const void *b)
{
    const struct page *first = a, *second = b;
    const int order = strcmp(first->key, second->key);

    return order ? order : memcmp(first->sha256, second->sha256, sizeof first->sha256);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_KEPT);
}

int known_good_compile(struct known_good *known)
{
    if (known->page_count)
        qsort(known->pages, known->page_count, sizeof *known->pages, by_key);
    if (known->digest_count)
        qsort(known->digests, known->digest_count, sizeof *known->digests, by_bytes);
    return 0;
}

size_t known_good_hashes(const struct known_good *known)
{
    return known->digest_count;
}

size_t known_good_files(const struct known_good *known)
{
    return known->page_count;
}

/* --- judging --- */

static bool digest_is_known(const struct known_good *known, struct slice hex)
{
    uint8_t bytes[32];

    return known->digest_count && hex.size >= 2 * (size_t)DIGEST_KEPT && hex.size <= 64 &&
           scan_hex(hex, bytes) &&
           bsearch(bytes, known->digests, known->digest_count, sizeof *known->digests, by_bytes);
}

static size_t first_page(const struct known_good *known, const char *key)
{
    size_t low = 0, high = known->page_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(known->pages[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t newest_of(const struct known_good *known, uint64_t build)
{
    for (size_t i = 0; i < known->family_count; i++)
        if (known->newest[i] >> 32 == build >> 32)
            return known->newest[i];
    return 0;
}

/* A later build than the lists know counts as the last one that they know. */
static bool page_is_of(const struct known_good *known, const struct page *page, uint64_t build)
{
    const uint64_t newest = newest_of(known, build);

    if (build > newest)
        build = newest;
    for (size_t i = 0; i < page->range_count; i++)
        if (build >= page->ranges[i].first && build <= page->ranges[i].last)
            return true;
    return false;
}

/* What the pages at one place say of a content. */
struct opinion {
    bool clean, clean_same;                      /* the clean server has a file there; with it */
    bool shipped, shipped_here, same, same_here; /* Microsoft has; in this build; with it */
};

static struct opinion ask_pages(const struct known_good *known, const char *key,
                                const uint8_t *sha256, const struct known_file *file)
{
    const uint64_t build = file->build;
    struct opinion opinion = {0};

    for (size_t at = first_page(known, key);
         at < known->page_count && strcmp(known->pages[at].key, key) == 0; at++) {
        const struct page *page = &known->pages[at];
        const bool same = memcmp(page->sha256, sha256, 32) == 0;
        if (page->clean) {
            opinion.clean = true;
            opinion.clean_same |= same;
            continue;
        }
        if (file->without_lists)
            continue;
        const bool here = build && page_is_of(known, page, build);
        opinion.shipped = true;
        opinion.shipped_here |= here;
        opinion.same |= same;
        opinion.same_here |= same && (here || !build);
    }
    return opinion;
}

bool known_good_has_lists(const struct known_good *known)
{
    return known->shipped;
}

bool known_good_lists(const struct known_good *known, uint64_t build)
{
    return build && build <= newest_of(known, build);
}

static enum known_state judge_page(const struct known_good *known, const char *key, bool exchange,
                                   const struct opinion *opinion, uint64_t build)
{
    const bool listed = known_good_lists(known, build);

    if (opinion->clean_same)
        return KNOWN_TRUSTED;
    if (opinion->same_here)
        return KNOWN_SHIPPED;
    if (opinion->same)
        return KNOWN_OTHER_BUILD;
    if (is_setting(key))
        return KNOWN_NOTHING;
    if (opinion->clean || (opinion->shipped_here && listed))
        return KNOWN_FOREIGN;
    if (opinion->shipped)
        return KNOWN_UNDECIDED;
    return is_page(key) && ((exchange && known->shipped) || known->clean) ? KNOWN_NOT_SHIPPED
                                                                          : KNOWN_NOTHING;
}

enum known_state known_good_judge(const struct known_good *known, const struct known_file *file)
{
    char whole[KEY_MOST];
    uint8_t sha256[32];

    if (digest_is_known(known, file->sha256) || digest_is_known(known, file->sha1) ||
        digest_is_known(known, file->md5))
        return KNOWN_TRUSTED;
    if (file->sha256.size != 64 || !scan_hex(file->sha256, sha256) || !write_key(file->path, whole))
        return KNOWN_NOTHING;
    const char *below = below_exchange(whole);
    const char *key = below ? below : whole;
    const struct opinion opinion = ask_pages(known, key, sha256, file);
    return judge_page(known, key, below && !file->without_lists, &opinion, file->build);
}
