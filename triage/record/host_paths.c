/* Windows paths of the host: variables, drive letters, and the way back to volumes. */
#include "triage/record/host.h"

enum { EXPANSIONS_MOST = 64, EXPANDED_SIZE_MOST = 32 * 1024 };

/* The value of the variable whose name with its percent signs is `name`; NULL when it is not known.
 */
static const char *variable(const struct host *host, struct slice name)
{
    for (size_t i = 0; i < host->more_count; i++)
        if (host->more[i].name && slice_is_nocase(name, host->more[i].name))
            return host->more[i].fact.value;
    return NULL;
}

struct expansion {
    const struct host *host;
    struct buffer *out;
    unsigned steps_left; /* variables that may still be put in: they can name each other */
};

static void expand(struct expansion *expansion, struct slice text)
{
    struct buffer *out = expansion->out;

    while (text.size && out->size < EXPANDED_SIZE_MOST) {
        const size_t start = slice_find(text, 0, '%');
        const size_t end = start == SIZE_MAX ? SIZE_MAX : slice_find(text, start + 1, '%');
        if (end == SIZE_MAX || expansion->steps_left == 0)
            break;
        const char *value = variable(expansion->host, slice_part(text, start, end + 1 - start));
        buffer_add(out, slice_part(text, 0, start));
        if (value) {
            expansion->steps_left--;
            expand(expansion, slice_of_text(value));
            text = slice_from(text, end + 1);
        } else { /* the second sign may start the next name */
            buffer_add(out, slice_part(text, start, end - start));
            text = slice_from(text, end);
        }
    }
    if (out->size < EXPANDED_SIZE_MOST)
        buffer_add(out, slice_part(text, 0, EXPANDED_SIZE_MOST));
}

void host_expand(const struct host *host, const char *text, struct buffer *out)
{
    struct expansion expansion = {host, out, EXPANSIONS_MOST};

    expand(&expansion, slice_of_text(text));
}

void host_windows_path(const struct host *host, uint32_t volume, const char *path,
                       struct buffer *out)
{
    const struct drive *drive = NULL;

    for (size_t i = 0; i < host->drive_count && !drive; i++)
        if (host->drives[i].volume == volume)
            drive = &host->drives[i];
    if (drive)
        buffer_format(out, "%c:\\", drive->letter);
    else
        buffer_format(out, "volume %u: \\", volume);
    while (*path == '/')
        path++;
    for (; *path; path++)
        buffer_add_byte(out, *path == '/' ? '\\' : (uint8_t)*path);
}

static bool is_separator(uint8_t byte)
{
    return byte == '\\' || byte == '/';
}

static size_t component_size(struct slice text)
{
    size_t size = 0;

    while (size < text.size && !is_separator(text.data[size]))
        size++;
    return size;
}

/* Appends the components '/' separated, without empty ones, "." and "..". */
static void add_components(struct slice text, struct buffer *path)
{
    const size_t start = path->size;

    while (text.size) {
        const struct slice name = slice_part(text, 0, component_size(text));
        text = slice_from(text, name.size + 1);
        if (slice_is(name, "..")) {
            while (path->size > start && path->data[--path->size] != '/')
                continue;
        } else if (name.size && !slice_is(name, ".")) {
            if (path->size > start)
                buffer_add_byte(path, '/');
            buffer_add(path, name);
        }
    }
}

static const struct drive *drive_of(const struct host *host, uint8_t letter)
{
    for (size_t i = 0; i < host->drive_count; i++)
        if ((host->drives[i].letter | 0x20) == (letter | 0x20))
            return &host->drives[i];
    return NULL;
}

bool host_resolve(const struct host *host, const char *windows_path, uint32_t *volume,
                  struct buffer *path)
{
    struct buffer expanded = BUFFER_EMPTY;
    const struct drive *drive = NULL;

    host_expand(host, windows_path, &expanded);
    struct slice text = slice_trim(buffer_slice(&expanded));
    if (slice_starts(text, "\\\\?\\") || slice_starts(text, "\\??\\"))
        text = slice_from(text, 4);
    if (text.size >= 2 && text.data[1] == ':' && (text.size == 2 || is_separator(text.data[2])))
        drive = drive_of(host, text.data[0]);
    if (drive) {
        add_components(slice_from(text, 2), path);
        *volume = drive->volume;
    }
    buffer_release(&expanded);
    return drive != NULL;
}
