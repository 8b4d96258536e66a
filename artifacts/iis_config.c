/* applicationHost.config, the configuration of all of IIS as it is in force: one event for each
 * module, handler, filter, virtual directory, logging setting, rewrite rule and key. */
#include "artifacts/iis_settings.h"

/* Saved copies often bear another name. */
static bool recognise(struct slice head, const char *name)
{
    return slice_ends_nocase(slice_of_text(name), ".config") &&
           slice_find_nocase(head, 0, SLICE_LITERAL("<configuration")) != SIZE_MAX &&
           slice_find_nocase(head, 0, SLICE_LITERAL("\"system.applicationHost\"")) != SIZE_MAX;
}

static const char *const paths[] = {"{windows}/System32/inetsrv/config/applicationHost.config",
                                    NULL};
static const struct log_source sources[] = {{NULL, "windows", "iis-config"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_iis_config;
const struct artifact artifact_iis_config = {
    .name = "iis_config",
    .title = "Configuration of IIS",
    .paths = paths,
    .sources = sources,
    .keep = true,
    .recognise = recognise,
    .parse = iis_settings_parse,
};
