/*
 * Folder indexes: names that a folder had and has no more, from the slack of its index blocks and
 * from blocks that it does not use any more. Each comes with the four times that the file had when
 * its entry was last written. What the folder still holds, or has again under the same reference,
 * is not told.
 */
#include "artifacts/slack_entry.h"
#include "triage/base/error.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_USUAL = 4096 };

struct index {
    struct job *job;
    struct slack_entries *entries;
    uint8_t block[INDEX_BLOCK_MAX];
    size_t block_size;
};

static void reject(struct index *index, uint64_t offset, size_t size, const char *why)
{
    struct tally *tally = index->job->tally;

    tally->records++;
    tally->rejected++;
    job_notice(index->job, offset, why);
    if (size)
        job_reject(index->job, offset, 0, slice_of(index->block, size));
}

/* Entries in use count only where it can be said that they are not: with the folder's volume. */
static void take_block(struct index *index, uint64_t offset)
{
    const bool whole_folder = (index->job->file->flags & FILE_FOLDER) != 0;
    size_t slack = 0;

    if (slice_is_zero(slice_of(index->block, index->block_size)))
        return;
    const size_t good = index_block_open(index->block, index->block_size, &slack);
    if (good == 0) {
        reject(index, offset, index->block_size, "this is no index block");
        return;
    }
    if (good < index->block_size)
        reject(index, offset + good, 0, "the rest of the index block is torn");
    const struct slice bytes = slice_of(index->block, good);
    struct index_entry entry;
    for (size_t at = whole_folder ? INDEX_ENTRIES_START : slack;
         index_find_entry(bytes, &at, &entry);)
        slack_entry_take(index->entries, &entry,
                         offset + (uint64_t)(entry.bytes.data - index->block));
}

static int read_block(struct index *index, uint64_t offset)
{
    const ssize_t got = job_read(index->job, offset, index->block, index->block_size);

    if (got < 0)
        reject(index, offset, 0, error_text());
    else if ((size_t)got < index->block_size)
        reject(index, offset, (size_t)got, "the index block is cut short");
    else
        take_block(index, offset);
    return got < 0 ? -1 : 0;
}

static int read_blocks(struct index *index)
{
    struct job *job = index->job;
    uint64_t start, size, at = 0, good = 0, bad = 0;
    const ssize_t got = job_read(job, 0, index->block, BLOCK_USUAL);

    index->block_size = got > 0 ? index_block_size(slice_of(index->block, (size_t)got)) : 0;
    if (index->block_size == 0)
        index->block_size = BLOCK_USUAL;
    while (job_data(job, at, &start, &size)) {
        at = start - start % index->block_size;
        if (read_block(index, at) < 0)
            bad++;
        else
            good++;
        at += index->block_size;
    }
    return bad && !good ? error_set("no block of the index can be read") : 0;
}

static int parse(struct job *job)
{
    struct index *index = calloc(1, sizeof *index);
    int result = -1;

    if (!index)
        return error_set("out of memory");
    index->job = job;
    index->entries = slack_entries_new(job);
    if (index->entries)
        result = read_blocks(index);
    slack_entries_free(index->entries);
    free(index);
    return result;
}

/* A copy of the stream by itself. */
static bool recognise(struct slice head, const char *name)
{
    (void)name;
    return index_block_size(head) != 0;
}

/* Folders where intruders put things down; whole volumes would take long and say little. */
static const char *const paths[] = {
    "{web_root}",
    "{web_root}/**",
    "inetpub/**",
    "ProgramData",
    "ProgramData/**",
    "Windows/Temp",
    "Windows/Temp/**",
    "Users/*/AppData/Local/Temp",
    "Users/*/AppData/Local/Temp/**",
    "Users/*/Desktop",
    "Users/*/Downloads",
    "Users/Public/**",
    "PerfLogs",
    "PerfLogs/**",
    "Temp",
    "Temp/**",
    "root",
    "root/**",
    "Windows/Microsoft.NET/Framework64/*/Temporary ASP.NET Files/**",
    "Windows/Prefetch",
    "Windows/Tasks",
    "Windows/System32/Tasks/**",
    "Windows/System32/winevt/Logs",
    "$Recycle.Bin/**",
    NULL};

extern const struct artifact artifact_i30_slack;
const struct artifact artifact_i30_slack = {
    .name = "i30_slack",
    .title = "Names left in folder indexes ($I30)",
    .paths = paths,
    .sources = slack_sources,
    .folders = true,
    .deleted = true,
    .stay = true,
    .recognise = recognise,
    .parse = parse,
};
