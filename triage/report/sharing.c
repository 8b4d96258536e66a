#include "triage/report/sharing.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* The namespace of our own ids: a random UUID, fixed once. */
#define SPACE "6b1f0c52-7c39-4a0e-9d51-2f8a4be0c7d3"

static char *copy_of(const char *text)
{
    return strdup(text ? text : "");
}

static int take_verdict(void *context, const char *const *cells)
{
    struct sharing *sharing = context;

    free(sharing->summary);
    sharing->summary = copy_of(cells[0]);
    sharing->is_intrusion = sharing_number(cells[1]) != 0;
    if (cells[2])
        sharing_time(sharing, cells[2], sharing->moment);
    return 0;
}

static int take_host(void *context, const char *const *cells)
{
    struct sharing *sharing = context;

    free(sharing->host);
    sharing->host = copy_of(cells[0]);
    return 0;
}

int sharing_begin(struct sharing *sharing, struct case_file *file, FILE *out)
{
    *sharing = (struct sharing){.file = file, .out = out};
    sharing->json = json_over(&sharing->text, true);
    snprintf(sharing->moment, sizeof sharing->moment, "1970-01-01T00:00:00.000Z");
    sharing->host = copy_of("");
    sharing->summary = copy_of("");
    if (case_query(file,
                   "SELECT summary, (SELECT count(*) FROM incident WHERE kind = 'intrusion'), "
                   "coalesce(last, (SELECT max(time) FROM v_timeline)) "
                   "FROM verdict",
                   take_verdict, sharing) < 0 ||
        case_query(file,
                   "SELECT json_extract(body, '$.computer.value') FROM document "
                   "WHERE name = 'host'",
                   take_host, sharing) < 0)
        return -1;
    return sharing->host && sharing->summary ? 0 : error_set("out of memory");
}

int sharing_flush(struct sharing *sharing)
{
    if (buffer_failed(&sharing->text))
        return error_set("out of memory");
    if (fwrite(sharing->text.data, 1, sharing->text.size, sharing->out) != sharing->text.size)
        return error_set_errno("the output cannot be written");
    buffer_clear(&sharing->text);
    return 0;
}

void sharing_release(struct sharing *sharing)
{
    buffer_release(&sharing->text);
    free(sharing->host);
    free(sharing->summary);
    sharing->host = sharing->summary = NULL;
}

const char *sharing_uuid(const struct sharing *sharing, const char *kind, const char *name,
                         char text[UUID_TEXT_SIZE])
{
    struct buffer whole = BUFFER_EMPTY;

    buffer_format(&whole, "%s|%s|%s", kind, sharing->host, name);
    uuid_of_name(SPACE, buffer_slice(&whole), text);
    buffer_release(&whole);
    return text;
}

const char *sharing_time(const struct sharing *sharing, const char *time,
                         char text[SHARED_TIME_SIZE])
{
    struct instant instant;
    char iso[INSTANT_TEXT_SIZE];

    if (time && instant_parse(slice_of_text(time), &instant, NULL) && instant_known(instant))
        snprintf(text, SHARED_TIME_SIZE, "%.23sZ", instant_format(instant, iso));
    else if (text != sharing->moment)
        snprintf(text, SHARED_TIME_SIZE, "%s", sharing->moment);
    return text;
}

bool sharing_technique(const char *tag, char id[16])
{
    if (!tag || strncmp(tag, "attack.t", 8) != 0)
        return false;
    const size_t size = strspn(tag + 8, "0123456789.");
    if (size < 4 || size > 8 || tag[8 + size])
        return false;
    snprintf(id, 16, "T%s", tag + 8);
    return true;
}

bool sharing_is_address(const char *text)
{
    struct in6_addr address;

    return text &&
           (inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1);
}

const char *sharing_file_name(const char *path)
{
    const char *name = strrchr(path, '\\');

    return name && name[1] ? name + 1 : path;
}

long long sharing_number(const char *cell)
{
    return cell ? strtoll(cell, NULL, 10) : 0;
}
