#include "artifacts/mft_lines.h"

#include "triage/base/error.h"
#include "triage/base/path.h"

#include <string.h>

enum {
    EXTENSION_SIZE = 16,
    LAST_DAY = 3067670, /* 9999-12-31 */
};

static const enum field field_of[TEXT_COUNT] = {
    FIELD_TargetFilename,
    FIELD_Extension,
    FIELD_FileAttributes,
    FIELD_Size,
    FIELD_Deleted,
    FIELD_Stream,
    FIELD_Created0x10,
    FIELD_LastModified0x10,
    FIELD_Created0x30,
    FIELD_TimestompReason,
    FIELD_BirthReason,
    FIELD_Place,
    FIELD_FileReferenceNumber,
};

static void end_text(struct mft_lines *lines, struct mft_line *line, enum mft_text which)
{
    line->end[which] = (uint32_t)lines->text.size;
    buffer_add_byte(&lines->text, which == TEXT_COUNT - 1 ? '\n' : '\t');
}

/* With '\' between the parts; control bytes, which only POSIX names have, as U+FFFD. */
static void add_path(struct buffer *out, const char *path)
{
    const size_t size = strlen(path);
    uint8_t *end = buffer_reserve(out, 3 * size);
    size_t used = 0;

    for (size_t i = 0; end && i < size; i++) {
        const uint8_t byte = (uint8_t)path[i];
        if (byte >= 0x20 && byte != '\\') {
            end[used++] = byte == '/' ? '\\' : byte;
            continue;
        }
        memcpy(end + used, "\xEF\xBF\xBD", 3);
        used += 3;
    }
    out->size += used;
}

static void add_target(struct mft_lines *lines, struct mft_line *line, const struct file *file)
{
    struct buffer *text = &lines->text;
    const char *name = path_name(file->path);
    char extension[EXTENSION_SIZE] = "";

    buffer_add(text, buffer_slice(&lines->root));
    add_path(text, file->path);
    line->name_end = (uint32_t)text->size;
    line->name = line->name_end;
    while (line->name > line->start && text->data[line->name - 1] != '\\')
        line->name--;
    if (file->stream) {
        buffer_add_byte(text, ':');
        add_path(text, file->stream);
    }
    end_text(lines, line, TEXT_TARGET);
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && strlen(dot) < EXTENSION_SIZE && dot[i]; i++)
        extension[i] = dot[i] >= 'A' && dot[i] <= 'Z' ? (char)(dot[i] | 0x20) : dot[i];
    add_path(text, extension);
    end_text(lines, line, TEXT_EXTENSION);
}

static void add_attributes(struct buffer *out, const struct file *file)
{
    char text[ATTRIBUTES_SIZE];

    buffer_add(out, slice_of(text, file_attributes_write(file->attributes,
                                                         file->flags & FILE_FOLDER, text)));
}

static void put_digits(char *text, int64_t number, size_t count)
{
    while (count-- > 0) {
        text[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* As instant_format has it, but three times for each of millions of entries. */
static void add_time(struct mft_lines *lines, struct instant instant)
{
    static const char blank[] = "0000-00-00T00:00:00.000000+00:00";
    const int64_t day = instant.ticks / TICKS_PER_DAY, rest = instant.ticks % TICKS_PER_DAY;
    const int64_t second = rest / TICKS_PER_SECOND;
    char *text = lines->day_text;

    if (instant.ticks <= 0 || day > LAST_DAY) {
        buffer_add_text(&lines->text, instant_format(instant, text));
        *text = 0;
        return;
    }
    if (day != lines->day || !*text) {
        const struct civil civil = instant_to_civil(instant);
        memcpy(text, blank, sizeof blank);
        put_digits(text, civil.year, 4);
        put_digits(text + 5, civil.month, 2);
        put_digits(text + 8, civil.day, 2);
        lines->day = day;
    }
    put_digits(text + 11, second / 3600, 2);
    put_digits(text + 14, second / 60 % 60, 2);
    put_digits(text + 17, second % 60, 2);
    put_digits(text + 20, rest % TICKS_PER_SECOND / 10, 6);
    buffer_add(&lines->text, slice_of(text, sizeof blank - 1));
}

/* Of a script in a web root. */
static void add_birth(struct buffer *text, int64_t late)
{
    if (late <= 0)
        return;
    buffer_add_number(text, (uint64_t)late);
    buffer_add_text(text, late == 1 ? " day after" : " days after");
    buffer_add_text(text, " what is beside it");
}

void mft_lines_init(struct mft_lines *lines, const struct job *job, const struct listing *listing)
{
    *lines = (struct mft_lines){.web.job = job};
    lines->reasons = mft_reasons_of(listing);
    if (job->host)
        host_windows_path(job->host, job->file->volume, "", &lines->root);
}

void mft_lines_release(struct mft_lines *lines)
{
    web_folders_release(&lines->web);
    buffer_release(&lines->root);
    buffer_release(&lines->text);
}

int mft_lines_add(struct mft_lines *lines, const struct file *file, const struct script *script,
                  struct mft_line *line)
{
    struct buffer *text = &lines->text;

    *line = (struct mft_line){.start = (uint32_t)text->size};
    add_target(lines, line, file);
    add_attributes(text, file);
    end_text(lines, line, TEXT_ATTRIBUTES);
    buffer_add_number(text, file->size);
    end_text(lines, line, TEXT_SIZE);
    buffer_add_text(text, file->flags & FILE_DELETED ? "true" : "false");
    end_text(lines, line, TEXT_DELETED);
    add_path(text, file->stream ? file->stream : "");
    end_text(lines, line, TEXT_STREAM);
    add_time(lines, file->si.created);
    end_text(lines, line, TEXT_CREATED);
    add_time(lines, file->si.modified);
    end_text(lines, line, TEXT_MODIFIED);
    add_time(lines, file->fn.created);
    end_text(lines, line, TEXT_NAMED);
    mft_reasons_add(&lines->reasons, file, script && script->odd, text);
    line->forged = text->size > line->end[TEXT_NAMED] + 1;
    end_text(lines, line, TEXT_REASON);
    add_birth(text, script ? script->late : 0);
    end_text(lines, line, TEXT_BIRTH);
    if (web_folders_hold(&lines->web, file->path))
        buffer_add_text(text, "web root");
    end_text(lines, line, TEXT_PLACE);
    buffer_add_number(text, file->address);
    buffer_add_byte(text, '-');
    buffer_add_number(text, file->sequence);
    end_text(lines, line, TEXT_REFERENCE);
    return buffer_failed(text) ? error_set("out of memory") : 0;
}

/* ---- events ---- */

struct slice mft_line_text(const struct mft_lines *lines, const struct mft_line *line,
                           enum mft_text which)
{
    const uint32_t start = which == 0 ? line->start : line->end[which - 1] + 1;

    return slice_part(buffer_slice(&lines->text), start, line->end[which] - start);
}

void mft_line_values(const struct mft_lines *lines, const struct mft_line *line,
                     struct value values[MFT_VALUES])
{
    for (size_t i = 0; i < TEXT_COUNT; i++)
        values[i] = (struct value){.name = field_name(field_of[i]),
                                   .field = field_of[i],
                                   .text = mft_line_text(lines, line, (enum mft_text)i)};
    values[TEXT_COUNT] = (struct value){
        .name = field_name(FIELD_FileName),
        .field = FIELD_FileName,
        .text = slice_part(buffer_slice(&lines->text), line->name, line->name_end - line->name),
    };
}
