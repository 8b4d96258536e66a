/*
 * Change journal records where no journal is any more: in space that no file owns, which old parts
 * of the journal were given back to, and in $LogFile, which every record went through. What the
 * journal itself still holds is not told again. For this the whole free space is read, so it is
 * only done when asked for.
 *
 * $LogFile: pages "RCRD" of 4 KiB with an update sequence; what the log records of one page do not
 * hold goes on in the next one behind its header, so the pages' contents are put together.
 */
#include "artifacts/usn_events.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_SIZE = 1 << 20,
    UNREADABLE_STEP = 64 << 10,
    PAGE_SIZE = 4096,
    PAGE_HEADER = 64,
    PAGE_CONTENT = PAGE_SIZE - PAGE_HEADER,
    SECTOR = 512,
    PAGES = WINDOW_SIZE / PAGE_SIZE,
    RECORD_MOST = 1024,
};

struct carver {
    struct job *job;
    struct usn_events *events;
    uint8_t *bytes;      /* the window */
    struct file journal; /* the one in force */
    bool has_journal;
    uint64_t looked, live; /* bytes; records that the journal still holds */
};

static void find_journal(struct carver *carver)
{
    const uint32_t volume = carver->job->file->volume;

    carver->has_journal = job_find(carver->job, volume, "$Extend/$UsnJrnl:$J", &carver->journal);
}

/* A record's number is its place in the journal. */
static bool is_live(struct carver *carver, const struct usn_record *record)
{
    uint8_t there[RECORD_MOST];
    const size_t size = record->bytes.size;

    return carver->has_journal && size <= sizeof there &&
           job_peek(carver->job, &carver->journal, record->usn, there, size) == (ssize_t)size &&
           memcmp(there, record->bytes.data, size) == 0;
}

static void take(struct carver *carver, const struct usn_record *record, uint64_t offset)
{
    struct tally *tally = carver->job->tally;

    if (is_live(carver, record)) {
        carver->live++;
        return;
    }
    tally->records++;
    tally->used++;
    tally_time(tally, record->when);
    usn_events_add(carver->events, record, offset);
}

static void notice_unread(struct carver *carver, uint64_t offset)
{
    job_notice(carver->job, offset, error_text());
}

/* ---- free space ---- */

/* One stretch of free space. Records lie within a page of the journal, so within a cluster. */
static void carve_stretch(struct carver *carver, uint64_t start, uint64_t size)
{
    struct usn_record record;
    size_t step;

    for (uint64_t done = 0; done < size; done += step) {
        step = size - done < WINDOW_SIZE ? (size_t)(size - done) : WINDOW_SIZE;
        ssize_t got = job_read(carver->job, start + done, carver->bytes, step);
        if (got < 0) {
            step = step < UNREADABLE_STEP ? step : UNREADABLE_STEP;
            if ((got = job_read(carver->job, start + done, carver->bytes, step)) < 0)
                notice_unread(carver, start + done);
        }
        const struct slice window = slice_of(carver->bytes, got > 0 ? (size_t)got : 0);
        for (size_t at = 0; usn_carve(window, &at, true, &record);)
            take(carver, &record, start + done + (uint64_t)(record.bytes.data - carver->bytes));
        usn_events_flush(carver->events);
        carver->looked += window.size;
    }
}

static void carve_free_space(struct carver *carver)
{
    uint64_t at = 0, start, size;

    while (job_data(carver->job, at, &start, &size)) {
        carve_stretch(carver, start, size);
        at = start + size;
    }
}

/* ---- $LogFile ---- */

/* Undoes the page's update sequence; false when it is no page of log records. */
static bool open_page(uint8_t *page)
{
    struct cursor c = cursor_over(slice_of(page, PAGE_SIZE), 0);

    cursor_seek(&c, 4);
    const size_t at = cursor_u16le(&c), count = cursor_u16le(&c);
    if (memcmp(page, "RCRD", 4) != 0 || count != PAGE_SIZE / SECTOR + 1 || at % 2 != 0 ||
        at + 2 * count > PAGE_HEADER)
        return false;
    for (size_t i = 1; i < count; i++) {
        uint8_t *end = page + i * SECTOR - 2;
        if (memcmp(end, page + at, 2) == 0) /* else the sector is torn; its neighbours are not */
            memcpy(end, page + at + 2 * i, 2);
    }
    return true;
}

/* Offset in $LogFile of a byte of the contents that were put together. */
static uint64_t page_offset(uint64_t first_page, size_t at)
{
    return (first_page + at / PAGE_CONTENT) * PAGE_SIZE + PAGE_HEADER + at % PAGE_CONTENT;
}

/* Moves the contents of the window's pages together; zeroes stand for what is no page of records.
 */
static size_t join_pages(uint8_t *window, size_t size)
{
    size_t used = 0;

    for (size_t at = 0; size - at >= PAGE_SIZE; at += PAGE_SIZE, used += PAGE_CONTENT) {
        if (open_page(window + at))
            memmove(window + used, window + at + PAGE_HEADER, PAGE_CONTENT);
        else
            memset(window + used, 0, PAGE_CONTENT);
    }
    return used;
}

/* The last page of a window is read again as the first of the next one: a record of two pages is
 * whole in one of them, and one that was whole already is passed over. */
static void carve_log(struct carver *carver)
{
    struct usn_record record;
    size_t skip = 0;

    for (uint64_t page = 0; page * PAGE_SIZE < carver->job->size;) {
        const ssize_t got =
            job_read(carver->job, page * PAGE_SIZE, carver->bytes, PAGES * PAGE_SIZE);
        if (got < 0)
            notice_unread(carver, page * PAGE_SIZE);
        const size_t pages = got > 0 ? (size_t)got / PAGE_SIZE : 0;
        const size_t size = join_pages(carver->bytes, pages * PAGE_SIZE);
        const bool last = pages < PAGES && got >= 0;
        size_t at = skip;
        while (usn_carve(slice_of(carver->bytes, size), &at, last, &record))
            take(carver, &record, page_offset(page, (size_t)(record.bytes.data - carver->bytes)));
        usn_events_flush(carver->events);
        const size_t step = pages < PAGES ? PAGES : PAGES - 1;
        skip = at > (PAGES - 1) * PAGE_CONTENT && pages == PAGES
                   ? at - (size_t)(PAGES - 1) * PAGE_CONTENT
                   : 0;
        carver->looked += got > 0 ? (uint64_t)(last ? pages : step) * PAGE_SIZE : 0;
        page += step;
        if (last)
            break;
    }
}

/* ---- the job ---- */

static void tell_live(struct carver *carver)
{
    struct buffer text = BUFFER_EMPTY;

    if (carver->live == 0)
        return;
    buffer_format(&text, "%llu records here are still in the change journal and are told there",
                  (unsigned long long)carver->live);
    job_notice(carver->job, 0, buffer_text(&text));
    buffer_release(&text);
}

static int parse(struct job *job)
{
    struct carver carver = {.job = job, .bytes = malloc(WINDOW_SIZE)};

    carver.events = usn_events_new(job, EVENT_RECOVERED);
    if (!carver.bytes || !carver.events) {
        usn_events_free(carver.events);
        free(carver.bytes);
        return error_set("out of memory");
    }
    find_journal(&carver);
    if (job->file->flags & FILE_UNALLOCATED)
        carve_free_space(&carver);
    else
        carve_log(&carver);
    tell_live(&carver);
    job->size = carver.looked;
    usn_events_free(carver.events);
    free(carver.bytes);
    return 0;
}

static const char *const paths[] = {"$LogFile", "$Unallocated", NULL};
static const struct log_source sources[] = {
    {"file_event", "windows", "usnjournal"},
    {"file_delete", "windows", "usnjournal"},
    {"file_rename", "windows", "usnjournal"},
    {NULL, NULL, NULL},
};

extern const struct artifact artifact_usn_carve;
const struct artifact artifact_usn_carve = {
    .name = "usn_carve",
    .title = "Change journal records from free space and $LogFile",
    .paths = paths,
    .sources = sources,
    .carve = true,
    .stay = true,
    .parse = parse,
};
