#include "artifacts/log_head.h"

#include "triage/formats/columns.h"
#include "triage/formats/lines.h"
#include "triage/formats/w3c_log.h"

#include <stdlib.h>
#include <string.h>

/* Text has no NULs in its first line. */
static bool is_text(struct slice text)
{
    const size_t end = slice_find(text, 0, '\n');

    return slice_find(slice_part(text, 0, end), 0, 0) == SIZE_MAX && text.size > 0;
}

static bool head_line(struct log_head *head, struct slice line)
{
    struct slice value;

    line = slice_trim(line);
    if (line.size == 0)
        return true;
    if (log_directive(line, "#Software", &value))
        head->software = value;
    else if (log_directive(line, "#Log-type", &value))
        head->log_type = value;
    else if (log_directive(line, "#Fields", &value))
        head->fields = value;
    else if (line.data[0] != '#' && !head->first.size)
        head->first = line;
    /* A bare line of names may stand in front of the directives. */
    return line.data[0] == '#' || !head->fields.size;
}

bool log_head_read(struct slice bytes, struct log_head *head)
{
    size_t size, at = 0;

    *head = (struct log_head){0};
    head->text = lines_decode_head(slice_part(bytes, 0, LOG_HEAD_SIZE), &size);
    const struct slice text = slice_of(head->text, head->text ? size : 0);
    if (!is_text(text))
        return false;
    for (unsigned count = 0; at < text.size && count < 64; count++) {
        size_t end = slice_find(text, at, '\n');
        end = end == SIZE_MAX ? text.size : end;
        if (!head_line(head, slice_part(text, at, end - at)))
            break;
        at = end + 1;
    }
    head->fields_commas = slice_find(head->fields, 0, ',') != SIZE_MAX;
    return true;
}

void log_head_release(struct log_head *head)
{
    free(head->text);
    head->text = NULL;
}

static bool names_hold(struct slice names, const char *name)
{
    for (size_t at = 0; at < names.size;) {
        size_t end = at;
        while (end < names.size && !strchr(", \t", names.data[end]))
            end++;
        if (slice_is_nocase(slice_part(names, at, end - at), name))
            return true;
        at = end + 1;
    }
    return false;
}

bool log_head_names(const struct log_head *head, const char *name)
{
    return names_hold(head->fields, name) || names_hold(head->first, name);
}

bool log_head_starts_stamp(const struct log_head *head)
{
    const size_t comma = slice_find(head->first, 0, ',');

    return comma != SIZE_MAX && column_fits(COLUMN_STAMP, slice_part(head->first, 0, comma));
}
