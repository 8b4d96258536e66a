/* web.config and SharedWebConfig.config of every web folder: modules, handlers, keys, rewrite rules
 * that a folder adds to those of the server. */
#include "artifacts/iis_settings.h"

static bool recognise(struct slice head, const char *name)
{
    const struct slice file_name = slice_of_text(name);

    return (slice_ends_nocase(file_name, "web.config") ||
            slice_is_nocase(file_name, "SharedWebConfig.config")) &&
           slice_find_nocase(head, 0, SLICE_LITERAL("<configuration")) != SIZE_MAX;
}

static const char *const paths[] = {
    "{web_root}/**/web.config",
    "{exchange}/**/web.config",
    "{exchange}/**/SharedWebConfig.config",
    "inetpub/**/web.config",
    "{windows}/Microsoft.NET/*/*/Config/web.config",
    NULL,
};
/* Rules for modules and handlers hold for both sorts of file. */
static const struct log_source sources[] = {
    {NULL, "windows", "iis-config"}, {NULL, "windows", "web-config"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_web_config;
const struct artifact artifact_web_config = {
    .name = "web_config",
    .title = "web.config of web folders",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = iis_settings_parse,
};
