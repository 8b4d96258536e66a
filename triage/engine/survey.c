#include "triage/engine/survey.h"

#include "triage/base/error.h"
#include "triage/engine/survey_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 4096, READ_SIZE = 4 * 1024 * 1024, NOTICES_MOST = 500, MORE_MOST = 4096 };

static const char *format_text(struct survey *survey, const char *format, va_list arguments)
{
    char text[TEXT_SIZE];

    vsnprintf(text, sizeof text, format, arguments);
    const char *copy = arena_text(survey->arena, slice_of_text(text));
    if (!copy)
        survey->failed = true;
    return copy ? copy : "";
}

const char *survey_text(struct survey *survey, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = format_text(survey, format, arguments);
    va_end(arguments);
    return text;
}

void *survey_grow(struct survey *survey, void *array, size_t count, size_t size)
{
    if (count & (count - 1) || (count == 0 && array)) /* room is a power of two */
        return array;
    uint8_t *larger = arena_array(survey->arena, count ? count * 2 : 1, size);
    if (!larger)
        survey->failed = true;
    else if (count)
        memcpy(larger, array, count * size);
    return larger;
}

void survey_notice(struct survey *survey, const char *format, ...)
{
    struct host *host = survey->host;
    va_list arguments;

    if (host->notice_count > NOTICES_MOST)
        return;
    const char **notices =
        survey_grow(survey, host->notices, host->notice_count, sizeof *host->notices);
    if (!notices)
        return;
    host->notices = notices;
    va_start(arguments, format);
    const char *text = host->notice_count < NOTICES_MOST
                           ? format_text(survey, format, arguments)
                           : "further notices of the survey were left out";
    va_end(arguments);
    for (size_t i = 0; i < host->notice_count; i++)
        if (strcmp(notices[i], text) == 0)
            return;
    notices[host->notice_count++] = text;
}

void survey_more(struct survey *survey, const char *name, struct fact fact)
{
    struct host *host = survey->host;

    if (host->more_count == MORE_MOST) {
        survey_notice(survey, "further facts like '%s' were left out", name);
        return;
    }
    struct named_fact *more = survey_grow(survey, host->more, host->more_count, sizeof *more);

    if (!more)
        return;
    more[host->more_count++] = (struct named_fact){name, fact};
    host->more = more;
}

bool survey_exists(struct survey *survey, uint32_t volume, const char *path)
{
    struct file file;

    return evidence_find(survey->evidence, volume, path, survey->arena, &file);
}

/* The stream's content in memory of its own, kept for the survey. */
static int load(struct survey *survey, struct stream *stream, struct slice *content)
{
    const uint64_t size = stream_size(stream);
    uint8_t *bytes = survey->load_count < SURVEY_LOADS ? malloc(size ? size : 1) : NULL;
    uint64_t used = 0;

    if (!bytes)
        return error_set("out of memory");
    survey->loads[survey->load_count++] = bytes;
    while (used < size) {
        const uint64_t left = size - used;
        const ssize_t got =
            stream_read(stream, used, bytes + used, left < READ_SIZE ? left : READ_SIZE);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        used += (uint64_t)got;
    }
    *content = slice_of(bytes, used);
    return 0;
}

bool survey_load(struct survey *survey, uint32_t volume, const char *path, uint64_t ceiling,
                 struct slice *content)
{
    const char *name = survey_windows_path(survey, volume, path);
    struct stream *stream = NULL;
    struct file file;
    bool loaded = false;

    if (!evidence_find(survey->evidence, volume, path, survey->arena, &file) ||
        (file.flags & FILE_FOLDER))
        return false;
    if (evidence_open_stream(survey->evidence, &file, &stream) < 0)
        survey_notice(survey, "%s cannot be read: %s", name, error_text());
    else if (stream_size(stream) > ceiling)
        survey_notice(survey, "%s is larger than %llu MiB and was not read", name,
                      (unsigned long long)ceiling >> 20);
    else if (load(survey, stream, content) < 0)
        survey_notice(survey, "%s cannot be read: %s", name, error_text());
    else
        loaded = true;
    if (stream && stream_damaged(stream))
        survey_notice(survey, "%s lies in a damaged part of the image", name);
    stream_close(stream);
    return loaded;
}

const char *survey_windows_path(struct survey *survey, uint32_t volume, const char *path)
{
    struct buffer text = BUFFER_EMPTY;

    host_windows_path(survey->host, volume, path, &text);
    const char *copy = survey_text(survey, "%s", buffer_text(&text));
    buffer_release(&text);
    return copy;
}

static struct drive *find_drive(struct host *host, char letter)
{
    for (size_t i = 0; i < host->drive_count; i++)
        if (host->drives[i].letter == letter)
            return &host->drives[i];
    return NULL;
}

void survey_add_drive(struct survey *survey, char letter, uint32_t volume, struct fact why)
{
    struct host *host = survey->host;

    if (letter >= 'a' && letter <= 'z')
        letter = (char)(letter - 'a' + 'A');
    if (letter < 'A' || letter > 'Z' || find_drive(host, letter))
        return;
    struct drive *drives = survey_grow(survey, host->drives, host->drive_count, sizeof *drives);
    if (!drives)
        return;
    drives[host->drive_count++] = (struct drive){letter, volume, why};
    host->drives = drives;
}

static bool has_letter(const struct host *host, uint32_t volume)
{
    for (size_t i = 0; i < host->drive_count; i++)
        if (host->drives[i].volume == volume)
            return true;
    return false;
}

/* The volume without a letter that has the path; "" (the root itself) is no sign of anything. */
static bool find_holder(struct survey *survey, const char *path, uint32_t *volume)
{
    for (uint32_t i = 0; *path && i < evidence_volume_count(survey->evidence); i++) {
        if (has_letter(survey->host, i) || evidence_volume(survey->evidence, i)->problem ||
            !survey_exists(survey, i, path))
            continue;
        *volume = i;
        return true;
    }
    return false;
}

/* Gives the drive of `expanded` ("E:\Exchange") to the volume that has the path. */
static bool guess_drive(struct survey *survey, const char *expanded)
{
    struct drive anywhere = {.letter = expanded[0] | 0x20};
    struct host blank = {.drives = &anywhere, .drive_count = 1};
    struct buffer path = BUFFER_EMPTY;
    uint32_t volume = 0;

    anywhere.letter = (char)(anywhere.letter - 'a' + 'A');
    const bool found = host_resolve(&blank, expanded, &volume, &path) &&
                       find_holder(survey, buffer_text(&path), &volume);
    if (found) {
        const char *why = survey_text(survey, "assumed: volume %u has the folder '%s'", volume,
                                      buffer_text(&path));
        survey_add_drive(survey, anywhere.letter, volume, (struct fact){NULL, why, true});
        survey_notice(survey,
                      "drive %c: is taken to be volume %u, because that has the folder '%s'",
                      anywhere.letter, volume, buffer_text(&path));
    }
    buffer_release(&path);
    return found;
}

static bool starts_with_drive(const char *path)
{
    const char letter = (char)(path[0] | 0x20);

    return letter >= 'a' && letter <= 'z' && path[1] == ':';
}

bool survey_locate(struct survey *survey, const char *what, const char *windows_path,
                   uint32_t *volume, const char **path)
{
    struct buffer expanded = BUFFER_EMPTY, found = BUFFER_EMPTY;
    bool located = host_resolve(survey->host, windows_path, volume, &found);

    if (!located) {
        host_expand(survey->host, windows_path, &expanded);
        const char *plain = buffer_text(&expanded);
        if (starts_with_drive(plain) && !find_drive(survey->host, (char)(plain[0] & ~0x20)))
            guess_drive(survey, plain);
        located = host_resolve(survey->host, plain, volume, &found);
        if (!located)
            survey_notice(survey, "%s '%s' is not part of the evidence", what, plain);
    }
    if (located)
        *path = survey_text(survey, "%s", buffer_text(&found));
    buffer_release(&expanded);
    buffer_release(&found);
    return located;
}

int survey_run(struct evidence *evidence, struct arena *arena, struct host *host)
{
    struct survey survey = {.evidence = evidence, .arena = arena, .host = host};

    memset(host, 0, sizeof *host);
    if (evidence_shape(evidence) == EVIDENCE_SINGLE_FILE) {
        survey_notice(&survey, "a single file says nothing of the server it comes from");
    } else {
        survey_windows(&survey);
        survey_exchange(&survey);
        survey_iis(&survey);
        survey_places(&survey);
    }
    for (size_t i = 0; i < survey.load_count; i++)
        free(survey.loads[i]);
    return survey.failed ? error_set("the survey needs too much memory") : 0;
}
