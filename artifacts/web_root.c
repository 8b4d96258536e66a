/*
 * Web roots: every file that IIS or Exchange could serve, live or deleted, as one event with its
 * hashes, attributes, owner and times. Its content is searched by the content rules.
 */
#include "artifacts/file_listing.h"

/* Pages that lie outside of any server: a folder of them, copied for a look. */
static bool recognise(struct slice head, const char *name)
{
    static const char *const endings[] = {".aspx",   ".ashx", ".asmx", ".asax",
                                          ".ascx",   ".asp",  ".asa",  ".cshtml",
                                          ".vbhtml", ".svc",  ".soap", ".master"};

    (void)head;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (slice_ends_nocase(slice_of_text(name), endings[i]))
            return true;
    return false;
}

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
    .recognise = recognise,
    .parse = file_listing_parse,
};
