/*
 * Temporary ASP.NET Files/APPLICATION/HASH/HASH: what ASP.NET leaves when it compiles a page on its
 * first request. PAGE.HASH.compiled names the page and its assembly, App_Web_*.dll is that
 * assembly, App_Web_*.N.cs (or .js, .vb) its generated source. They stay when the page is deleted.
 * Assemblies are searched by the content rules. Source: System.Web.Compilation in the .NET
 * Framework's reference source.
 */
#include "artifacts/xml_file.h"
#include "triage/base/error.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { SOURCES_SIZE = 2048, PATH_SIZE = 1024, HEAD_SIZE = 256 * 1024 };

static const char *extension_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot : "";
}

/* --- where the page was --- */

/* Whether the page is there: true, false (its web folder is in the evidence, the page is not),
 * unknown. */
struct search {
    struct job *job;
    const char *physical_path; /* Windows path of the page, or where it should be; NULL */
    bool found, folder_found;
};

static bool exists(struct job *job, const char *windows_path)
{
    struct buffer path = BUFFER_EMPTY;
    struct file file;
    uint32_t volume;

    const bool found = host_resolve(job->host, windows_path, &volume, &path) &&
                       job_find(job, volume, buffer_text(&path), &file);
    buffer_release(&path);
    return found;
}

static void look_at(struct search *search, const char *folder, const char *page)
{
    if (!page || search->found)
        return;
    search->found = exists(search->job, page);
    const bool folder_found = exists(search->job, folder);
    if (search->found || !search->physical_path || (folder_found && !search->folder_found))
        search->physical_path = page;
    search->folder_found |= folder_found;
}

/* What stands behind `start` in a virtual path, from its slash; NULL when it does not lie below. */
static const char *below(const char *path, const char *start)
{
    const size_t size = strcmp(start, "/") == 0 ? 0 : strlen(start);

    return strncasecmp(path, start, size) == 0 && path[size] == '/' ? path + size : NULL;
}

static char *with_backslashes(char *text)
{
    for (char *c = text; c && *c; c++)
        if (*c == '/')
            *c = '\\';
    return text;
}

/* The virtual directory of the site that lies nearest above the page. */
static void look_in_site(struct search *search, const struct site *site, const char *page)
{
    const struct virtual_directory *best = NULL;
    const char *rest = NULL;

    for (size_t i = 0; i < site->directory_count; i++) {
        const struct virtual_directory *directory = &site->directories[i];
        const char *application = directory->application ? directory->application : "/";
        const char *left = below(page, application);
        if (left && directory->path)
            left = below(left, directory->path);
        if (left && directory->physical_path && (!rest || strlen(left) < strlen(rest))) {
            best = directory;
            rest = left;
        }
    }
    if (best)
        look_at(search, best->physical_path,
                with_backslashes(
                    arena_format(search->job->arena, "%.512s%.1024s", best->physical_path, rest)));
}

static struct search search_virtual(struct job *job, const char *page)
{
    struct search search = {.job = job};

    for (size_t i = 0; job->host && i < job->host->site_count; i++)
        look_in_site(&search, &job->host->sites[i], page);
    return search;
}

static void tell_search(const struct search *search, struct entry *entry)
{
    entry_add(entry, "PhysicalPath", search->physical_path);
    entry_add(entry, "PageOnDisk",
              search->found          ? "true"
              : search->folder_found ? "false"
                                     : "unknown");
}

/* --- PAGE.HASH.compiled --- */

static const char *sources_of(struct job *job, const struct xml_element *root)
{
    struct buffer text = BUFFER_EMPTY;
    const struct xml_element *at = xml_find(root, "filedeps/filedep");

    for (; at && text.size < SOURCES_SIZE; at = xml_again(at)) {
        const char *name = xml_attribute(at, "name");
        buffer_format(&text, "%s%.500s", text.size ? "; " : "", name ? name : "");
    }
    const char *kept = arena_text(job->arena, buffer_slice(&text));
    buffer_release(&text);
    return kept;
}

static int parse_page(struct job *job)
{
    struct xml_file file;
    struct entry entry;
    const int result = xml_file_read(job, KIND_aspnet_page, &file);

    if (result != 0)
        return result < 0 ? -1 : 0;
    const struct xml_element *root = file.document.root;
    const char *page = xml_attribute(root, "virtualPath");
    if (strcmp(root->name, "preserve") != 0 || !page) {
        entry_reject(job, KIND_aspnet_page, file.content, "it names no compiled page");
        return 0;
    }
    entry_begin(&entry, job, KIND_aspnet_page);
    entry_time(&entry, file_appeared(job->file));
    entry_add(&entry, "VirtualPath", page);
    entry_add(&entry, "Extension", extension_of(page));
    entry_add(&entry, "AssemblyName", xml_attribute(root, "assembly"));
    entry_add(&entry, "Type", xml_attribute(root, "type"));
    entry_add(&entry, "SourceFiles", sources_of(job, root));
    if (*extension_of(page)) {
        const struct search search = search_virtual(job, page);
        tell_search(&search, &entry);
    }
    xml_file_place(&file, root, 0, &entry);
    entry_emit(&entry);
    return 0;
}

/* --- assemblies and generated sources --- */

/* ASP.NET gives each assembly of pages a class "FastObjectFactory_..." in the name space "__ASP".
 */
static const char *holds_pages(struct slice content)
{
    return slice_find_nocase(content, 0, SLICE_LITERAL("FastObjectFactory_")) != SIZE_MAX ||
                   slice_find_nocase(content, 0, SLICE_LITERAL("__ASP")) != SIZE_MAX
               ? "true"
               : "false";
}

/* The quoted text behind the first `mark`. */
static struct slice quoted_behind(struct slice text, const char *mark)
{
    const size_t at = slice_find_nocase(text, 0, slice_of_text(mark));
    const size_t start = at == SIZE_MAX ? SIZE_MAX : slice_find(text, at, '"');
    const size_t end = start == SIZE_MAX ? SIZE_MAX : slice_find(text, start + 1, '"');

    if (end == SIZE_MAX || end - start > PATH_SIZE || start - at > 40)
        return slice_of(NULL, 0);
    return slice_part(text, start + 1, end - start - 1);
}

/* Generated sources say which page each stretch of them came from: #line (C#), #ExternalSource
 * (Visual Basic), @position (JScript, with doubled backslashes). */
static const char *page_of_source(struct job *job, struct slice content)
{
    static const char *const marks[] = {"#line ", "#ExternalSource(", "@position(file="};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const struct slice path = quoted_behind(content, marks[i]);
        char *text = path.size ? arena_text(job->arena, path) : NULL;
        if (!text)
            continue;
        char *to = text;
        for (const char *from = text; *from; from++)
            if (from[0] != '\\' || from[1] != '\\')
                *to++ = *from;
        *to = 0;
        return text;
    }
    return NULL;
}

static void tell_source(struct entry *entry, struct slice content)
{
    const char *page = page_of_source(entry->job, content);
    struct search search = {.job = entry->job};

    entry_add(entry, "SourceFile", page);
    if (!page || !entry->job->host)
        return;
    const size_t folder = (size_t)(entry_last_part(page) - page);
    look_at(&search, arena_format(entry->job->arena, "%.*s", (int)(folder ? folder - 1 : 0), page),
            page);
    tell_search(&search, entry);
}

static bool is_one_of(const char *extension, const char *const *list)
{
    for (; *list; list++)
        if (strcasecmp(extension, *list) == 0)
            return true;
    return false;
}

static struct slice first_bytes(struct job *job)
{
    uint8_t *bytes = arena_take(job->arena, HEAD_SIZE);
    const ssize_t got = bytes ? job_read(job, 0, bytes, HEAD_SIZE) : -1;

    if (got < 0)
        job_notice(job, 0, error_text());
    return slice_of(bytes, got > 0 ? (size_t)got : 0);
}

static int parse_other(struct job *job)
{
    static const char *const sources[] = {".cs", ".vb", ".js", ".jsl", ".cmdline", NULL};
    const char *extension = extension_of(entry_last_part(job->file->path));
    struct entry entry;

    entry_begin(&entry, job, KIND_aspnet_file);
    entry_time(&entry, file_appeared(job->file));
    entry_add(&entry, "Extension", extension);
    entry_add(&entry, "Size", arena_format(job->arena, "%" PRIu64, job->file->size));
    if (strcasecmp(extension, ".dll") == 0)
        entry_add(&entry, "HoldsPages", holds_pages(first_bytes(job)));
    else if (is_one_of(extension, sources))
        tell_source(&entry, first_bytes(job));
    entry.event.raw = entry.values[0].text;
    entry_emit(&entry);
    return 0;
}

static int parse(struct job *job)
{
    const bool page = slice_ends_nocase(slice_of_text(job->file->path), ".compiled");

    return page && !job->file->stream ? parse_page(job) : parse_other(job);
}

static bool recognise(struct slice head, const char *name)
{
    return slice_ends_nocase(slice_of_text(name), ".compiled") &&
           slice_find_nocase(head, 0, SLICE_LITERAL("<preserve")) != SIZE_MAX;
}

/* Not deeper: below "assembly" lie copies of the application's own assemblies. */
static const char *const paths[] = {
    "{temp_aspnet}/*/*/*/*", "{windows}/Microsoft.NET/*/*/Temporary ASP.NET Files/*/*/*/*", NULL};
static const struct log_source sources[] = {{NULL, "windows", "aspnet-temp"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_aspnet_compiled;
const struct artifact artifact_aspnet_compiled = {
    .name = "aspnet_compiled",
    .title = "Pages that ASP.NET compiled",
    .paths = paths,
    .sources = sources,
    .scan = true,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
