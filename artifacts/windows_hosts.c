/* System32/drivers/etc/hosts: each line that maps names to an address. A name that is sent nowhere
 * keeps a program from its updates, one that is sent elsewhere leads its users astray. */
#include "artifacts/entry.h"

#include "triage/base/utf16.h"

#include <string.h>

enum { NAMES_SIZE = 1024 };

/* A word of the line at `at`; empty at the end of it or at a comment. */
static struct slice next_word(struct slice line, size_t *at)
{
    size_t start = *at;

    while (start < line.size && (line.data[start] == ' ' || line.data[start] == '\t'))
        start++;
    size_t end = start;
    while (end < line.size && (!line.data[end] || !strchr(" \t#", line.data[end])))
        end++;
    *at = end;
    return slice_part(line, start, end - start);
}

static bool is_address(struct slice word)
{
    bool dot = false;

    for (size_t i = 0; i < word.size; i++) {
        dot |= word.data[i] == '.' || word.data[i] == ':';
        if (!word.data[i] || !strchr("0123456789abcdefABCDEF.:%", word.data[i]))
            return false;
    }
    return dot;
}

static const char *names_of(struct job *job, struct slice line, size_t at)
{
    struct buffer names = BUFFER_EMPTY;

    for (struct slice word = next_word(line, &at); word.size && names.size < NAMES_SIZE;
         word = next_word(line, &at)) {
        if (names.size)
            buffer_add_byte(&names, ' ');
        utf8_append_repaired(&names, word);
    }
    const char *text = arena_text(job->arena, buffer_slice(&names));
    buffer_release(&names);
    return text;
}

static void tell(struct job *job, struct slice line, uint64_t offset, uint64_t number)
{
    struct entry entry;
    size_t at = 0;
    const struct slice address = next_word(line, &at);

    if (!address.size) /* empty, or a comment */
        return;
    const char *names = names_of(job, line, at);
    entry_begin(&entry, job, KIND_hosts_entry);
    entry.event.offset = offset;
    entry.event.number = number;
    entry.event.raw = line;
    if (is_address(address) && names && *names) {
        entry_add(&entry, "Address", arena_text(job->arena, address));
        entry_add(&entry, "HostName", names);
    } else {
        entry.event.marks |= EVENT_REJECTED;
        if (job->tally->rejected == 0)
            job_notice(job, offset, "a line that maps no name to an address");
    }
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    struct slice content;
    uint64_t number = 1;

    if (entry_content(job, &content) < 0)
        return -1;
    size_t at = slice_starts(content, "\xef\xbb\xbf") ? 3 : 0;
    for (; at < content.size; number++) {
        const size_t end = slice_find(content, at, '\n');
        const size_t size = (end == SIZE_MAX ? content.size : end) - at;
        tell(job, slice_trim(slice_part(content, at, size)), at, number);
        at += size + 1;
    }
    return 0;
}

static bool recognise(struct slice head, const char *name)
{
    return slice_is_nocase(slice_of_text(name), "hosts") && slice_find(head, 0, 0) == SIZE_MAX;
}

static const char *const paths[] = {"{windows}/System32/drivers/etc/hosts", NULL};
static const struct log_source sources[] = {{NULL, "windows", "hosts-file"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_windows_hosts;
const struct artifact artifact_windows_hosts = {
    .name = "windows_hosts",
    .title = "hosts file",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .recognise = recognise,
    .parse = parse,
};
