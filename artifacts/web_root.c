/*
 * Web roots: every file that IIS or Exchange could serve, live or deleted, as one event with its
 * hashes, attributes, owner and times. Its content is searched by the content rules.
 */
#include "artifacts/file_listing.h"

static const char *const paths[] = {"{web_root}/**", NULL};
static const struct log_source sources[] = {{NULL, "windows", "webroot"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_web_root;
const struct artifact artifact_web_root = {
    .name = "web_root",
    .title = "Files below web roots",
    .paths = paths,
    .sources = sources,
    .scan = true,
    .deleted = true,
    .parse = file_listing_parse,
};
