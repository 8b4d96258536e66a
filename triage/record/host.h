/* What the survey found out about the server, each value with where it was read. */
#ifndef TRIAGE_RECORD_HOST_H
#define TRIAGE_RECORD_HOST_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/base/json.h"
#include "triage/base/zone.h"

struct fact {
    const char *value;  /* NULL: not known */
    const char *source; /* "C:\Windows\System32\config\SYSTEM: ControlSet001\Control\...", or why it
                           is assumed */
    bool assumed;       /* a default, because the image cannot tell */
};

struct named_fact {
    const char *name;
    struct fact fact;
};

struct drive {
    char letter;
    uint32_t volume;
    struct fact why; /* value: the MountedDevices entry */
};

/* A folder that artifacts name in braces: "{iis_logs}", "{exchange}", "{web_root}", "{httperr}",
 * "{windows}" ... */
struct place {
    const char *name;
    uint32_t volume;
    const char *path; /* '/' separated from the volume's root; "" is the root itself */
    struct fact why;  /* value: the Windows path, %variables% resolved */
};

struct binding {
    const char *protocol, *information;
};

struct virtual_directory {
    const char *application, *path; /* "/owa", "/" */
    const char *physical_path;      /* as written, %variables% resolved: "C:\inetpub\wwwroot" */
    struct fact why;
};

struct site {
    uint32_t id;
    const char *name;
    struct binding *bindings;
    size_t binding_count;
    struct virtual_directory *directories;
    size_t directory_count;
    struct fact log_folder;  /* Windows path with the site's own sub folder, "D:\IISLogs\W3SVC1" */
    struct fact log_format;  /* W3C, IIS, NCSA, Custom */
    struct fact log_fields;  /* logExtFileFlags as written */
    struct fact log_period;  /* Daily, Hourly ... */
    struct fact log_enabled; /* true, false */
    bool local_time_rollover;
    const char **custom_fields; /* names of the custom log columns */
    size_t custom_field_count;
};

struct host {
    struct fact computer, domain, windows_version, windows_build, windows_root, control_set,
        zone_name;
    struct zone zone;
    struct fact exchange_path, exchange_family, exchange_version, exchange_build;
    struct named_fact *roles; /* name: the role's key; value: ConfiguredVersion */
    size_t role_count;
    struct named_fact
        *more; /* anything else worth printing in host.json; the environment as "%Name%" */
    size_t more_count;
    struct drive *drives;
    size_t drive_count;
    struct place *places;
    size_t place_count;
    struct site *sites;
    size_t site_count;
    struct fact central_log; /* central W3C or binary logging folder; value NULL when per site */
    const char **notices;    /* what could not be read and was assumed, one sentence each */
    size_t notice_count;
};

/* Process to process. host_get copies all texts to the arena; -1 with error_text on malformed
 * bytes. */
void host_put(struct buffer *out, const struct host *host);
int host_get(struct cursor *in, struct arena *arena, struct host *host);
/* The content of host.json as members of the object that is open. */
void host_json(const struct host *host, struct json *json);

/* Appends the text with its %variables% put in from host->more, where they stand as "%Name%";
 * unknown ones stay as they are. */
void host_expand(const struct host *host, const char *text, struct buffer *out);
/* "C:\inetpub\x.aspx" for a file of the volume; "volume 1: \inetpub\x.aspx" when it has no drive
 * letter. */
void host_windows_path(const struct host *host, uint32_t volume, const char *path,
                       struct buffer *out);
/* The other way: volume and '/' path of "C:\inetpub"; %variables% are resolved. False when the
 * drive is unknown. */
bool host_resolve(const struct host *host, const char *windows_path, uint32_t *volume,
                  struct buffer *path);

#endif
