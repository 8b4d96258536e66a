/*
 * Web roots: every file that IIS or Exchange could serve, live or deleted, as one event with its
 * hashes, attributes, owner and times. Its content is searched by the content rules.
 */
#include "artifacts/file_listing.h"

/* A directive of ASP.NET or a script that runs at the server, whatever the file is called. */
static bool holds_page(struct slice head)
{
    const size_t runat = slice_find_nocase(head, 0, SLICE_LITERAL("runat"));

    if (slice_find_nocase(head, 0, SLICE_LITERAL("<%@")) != SIZE_MAX)
        return true;
    return runat != SIZE_MAX &&
           slice_find_nocase(slice_part(head, runat, 20), 0, SLICE_LITERAL("server")) != SIZE_MAX;
}

/* Pages that lie outside of any server: a folder of them, copied for a look. */
static bool recognise(struct slice head, const char *name)
{
    static const char *const endings[] = {".aspx", ".ashx",   ".asmx",   ".asax",   ".ascx",
                                          ".asp",  ".asa",    ".cshtml", ".vbhtml", ".svc",
                                          ".soap", ".master", ".cer",    ".cdx"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (slice_ends_nocase(slice_of_text(name), endings[i]))
            return true;
    return holds_page(head);
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
