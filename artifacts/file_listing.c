/* One file as one event. See file_listing.h. */
#include "artifacts/file_listing.h"

#include "triage/base/error.h"
#include "triage/base/path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OWNER_SIZE = 192, EXTENSION_SIZE = 32, NUMBER_SIZE = 24, VALUES = 11 };

struct listing {
    struct value values[VALUES];
    size_t count;
    char size[NUMBER_SIZE], attributes[ATTRIBUTES_SIZE], owner[OWNER_SIZE],
        extension[EXTENSION_SIZE];
    char md5[33], sha1[41], sha256[65];
};

static void value_add(struct listing *listing, enum field field, const char *text)
{
    listing->values[listing->count++] =
        (struct value){.name = field_name(field), .field = field, .text = slice_of_text(text)};
}

/* With its dot, lower case; empty when the name has none or it is too long to be one. */
static void extension_write(const char *name, char text[EXTENSION_SIZE])
{
    const char *dot = strrchr(name, '.');
    size_t i = 0;

    if (dot && strlen(dot) < EXTENSION_SIZE)
        for (; dot[i]; i++)
            text[i] = dot[i] >= 'A' && dot[i] <= 'Z' ? (char)(dot[i] | 0x20) : dot[i];
    text[i] = 0;
}

/* "C:\inetpub\wwwroot\x.aspx", with ":stream" behind it for a named stream that the path does not
 * tell already. */
static const char *target(struct job *job)
{
    const char *path = job->windows_path ? job->windows_path : job->file->path;
    const char *stream = job->file->stream;

    if (!stream || !*stream)
        return path;
    const size_t size = strlen(path), stream_size = strlen(stream);
    if (size > stream_size && path[size - stream_size - 1] == ':' &&
        strcmp(path + size - stream_size, stream) == 0)
        return path;
    const char *whole = arena_format(job->arena, "%s:%s", path, stream);
    return whole ? whole : path;
}

static void listing_make(struct job *job, struct listing *listing)
{
    const struct file *file = job->file;

    value_add(listing, FIELD_TargetFilename, target(job));
    value_add(listing, FIELD_FileName, path_name(file->path));
    extension_write(path_name(file->path), listing->extension);
    value_add(listing, FIELD_Extension, listing->extension);
    file_attributes_write(file->attributes, false, listing->attributes);
    value_add(listing, FIELD_FileAttributes, listing->attributes);
    if (job_owner(job, listing->owner, sizeof listing->owner))
        value_add(listing, FIELD_Owner, listing->owner);
    snprintf(listing->size, sizeof listing->size, "%" PRIu64, file->size);
    value_add(listing, FIELD_Size, listing->size);
    value_add(listing, FIELD_Deleted, file->flags & FILE_DELETED ? "true" : "false");
    value_add(listing, FIELD_Stream, file->stream ? file->stream : "");
}

static void digests_add(struct job *job, struct listing *listing)
{
    if (job_digests(job, listing->md5, listing->sha1, listing->sha256) < 0) {
        job_notice(job, 0, error_text());
        return;
    }
    value_add(listing, FIELD_MD5, listing->md5);
    value_add(listing, FIELD_SHA1, listing->sha1);
    value_add(listing, FIELD_SHA256, listing->sha256);
}

int file_listing_parse(struct job *job)
{
    const struct file *file = job->file;
    struct listing listing = {.count = 0};
    struct event event = {
        .kind = KIND_file_listed,
        .artifact = job->artifact->name,
        .sources = job->artifact->sources,
        .when = file_appeared(file),
        .file = file,
        .values = listing.values,
        .marks = file->flags & FILE_DAMAGED ? EVENT_DAMAGED : 0,
    };

    listing_make(job, &listing);
    digests_add(job, &listing);
    event.basis = instant_known(event.when) ? BASIS_UTC : BASIS_UNKNOWN;
    event.value_count = listing.count;
    event.raw = listing.values[0].text;
    job->tally->records++;
    job->tally->used++;
    tally_time(job->tally, event.when);
    job_emit(job, &event);
    return 0;
}
