/*
 * Programs: those of Exchange and of IIS, and whatever program lies where none belongs, also under
 * a name that is none of a program. Told is what the file says of itself (version, maker, first
 * name, signature) and what it is made for (exports and interfaces of IIS modules). Only headers
 * and tables are read; a program that nothing vouches for is read whole, for its digests.
 */
#include "artifacts/pe_program.h"
#include "triage/base/error.h"

#include <inttypes.h>
#include <string.h>

/* A program by its name; what has none of these and is one is disguised. */
static const char *const program_endings[] = {".exe",  ".dll", ".sys", ".ocx",    ".scr", ".cpl",
                                              ".com",  ".drv", ".efi", ".ax",     ".mui", ".tlb",
                                              ".rll",  ".olb", ".xll", ".tsp",    ".acm", ".ime",
                                              ".node", ".pyd", ".iec", ".deploy", NULL};

static bool has_program_name(const char *name)
{
    for (const char *const *ending = program_endings; *ending; ending++)
        if (slice_ends_nocase(slice_of_text(name), *ending))
            return true;
    return false;
}

static bool lies_below(const struct file *file, const struct place *place)
{
    const size_t size = strlen(place->path);
    const struct slice path = slice_of_text(file->path);

    return place->volume == file->volume &&
           (!size || (slice_starts_nocase(path, place->path) &&
                      (place->path[size - 1] == '/' || file->path[size] == '/')));
}

static bool is_in(struct job *job, const char *name)
{
    for (size_t i = 0; job->host && i < job->host->place_count; i++)
        if (strcmp(job->host->places[i].name, name) == 0 &&
            lies_below(job->file, &job->host->places[i]))
            return true;
    return false;
}

static bool path_has(const struct job *job, const char *part)
{
    return slice_find_nocase(slice_of_text(job->file->path), 0, slice_of_text(part)) != SIZE_MAX;
}

/* Which kind of place; an Exchange folder is that first, even where it is a web root as well. */
static const char *place_of(struct job *job)
{
    if (path_has(job, "/aspnet_client/"))
        return "web root";
    if (is_in(job, "exchange"))
        return "exchange";
    if (is_in(job, "web_root"))
        return "web root";
    if (path_has(job, "/assembly/GAC_MSIL/"))
        return "gac";
    if (path_has(job, "/System32/inetsrv/") || path_has(job, "/SysWOW64/inetsrv/"))
        return "inetsrv";
    return is_in(job, "windows") || path_has(job, "ProgramData/") || path_has(job, "Users/") ||
                   path_has(job, "PerfLogs/") || path_has(job, "inetpub/") ||
                   !strchr(job->file->path, '/')
               ? "unusual"
               : NULL;
}

/* The name without ".mui", its extension and the "64" that only tells the machine. */
static struct slice stem_of(const char *name)
{
    struct slice stem = slice_of_text(name);

    if (slice_ends_nocase(stem, ".mui"))
        stem.size -= 4;
    for (size_t i = stem.size; i > 0; i--)
        if (stem.data[i - 1] == '.') {
            stem.size = i - 1;
            break;
        }
    if (stem.size > 2 && slice_ends_nocase(stem, "64"))
        stem.size -= 2;
    return stem;
}

/* The first name often has no extension or another: only the rest must be the same. */
static const char *name_differs(const char *original, const char *name)
{
    if (!original || !*original)
        return NULL;
    return slice_equal_nocase(stem_of(original), stem_of(name)) ||
                   slice_equal_nocase(slice_of_text(original), stem_of(name))
               ? "false"
               : "true";
}

static void add_version(struct entry *entry, const struct pe_program *program)
{
    char text[PE_VERSION_TEXT_SIZE];
    struct arena *arena = entry->job->arena;
    const struct pe_version_info *info = &program->version;

    if (!program->has_version)
        return;
    entry_add(entry, "FileVersion",
              arena_text(arena, slice_of_text(pe_version_format(info->file, text))));
    entry_add(entry, "ProductVersion",
              info->product_version
                  ? info->product_version
                  : arena_text(arena, slice_of_text(pe_version_format(info->product, text))));
    entry_add(entry, "FileVersionText", info->file_version);
    entry_add(entry, "Company", info->company);
    entry_add(entry, "Product", info->product_name);
    entry_add(entry, "Description", info->description);
    entry_add(entry, "OriginalFileName", info->original_name);
    entry_add(entry, "InternalName", info->internal_name);
}

/* Public rules know Signed and Signature from Sysmon; SignatureStatus says what was done. */
static void add_signature(struct entry *entry, const struct pe_signature *signature)
{
    static const char *const states[] = {
        [PE_UNSIGNED] = "none in the file",
        [PE_SIGNED] = "present, not verified",
        [PE_SIGNATURE_DAMAGED] = "damaged",
    };

    entry_add(entry, "Signed", signature->state == PE_SIGNED ? "true" : "false");
    entry_add(entry, "Signature", signature->signer);
    entry_add(entry, "SignatureStatus", states[signature->state]);
    if (signature->state == PE_SIGNATURE_DAMAGED) {
        job_notice(entry->job, signature->offset, signature->problem);
        entry->event.marks |= EVENT_REPAIRED;
    }
}

static void add_build(struct entry *entry, const struct pe_program *program)
{
    struct arena *arena = entry->job->arena;
    const struct pe_image *image = &program->image;
    char stamp[INSTANT_TEXT_SIZE];

    entry_add(entry, "Architecture", pe_machine(image, arena));
    entry_add(entry, "Runtime", program->cli.is_managed ? ".NET" : "native");
    entry_add(entry, "ModuleName", program->cli.module_name);
    if (program->debug.reproducible)
        entry_add(entry, "LinkDate", "none: the build is reproducible");
    else
        entry_add(entry, "LinkDate",
                  arena_text(arena, slice_of_text(instant_format(
                                        instant_from_unix(image->time_stamp, 0), stamp))));
    entry_add(entry, "PdbPath", program->debug.pdb_path);
    entry_add(entry, "IisModule", program->iis_module);
    entry_add(entry, "Exports", program->exports);
    entry_add(entry, "Imphash", program->imphash);
    entry_add(entry, "Sections", program->sections);
    entry_add(entry, "Packer", program->packer);
    if (program->overlay)
        entry_add(entry, "Overlay", arena_format(arena, "%" PRIu64, program->overlay));
}

static void add_whole(struct entry *entry, const struct pe_program *program)
{
    struct job *job = entry->job;
    char *md5 = arena_take(job->arena, 33), *sha1 = arena_take(job->arena, 41),
         *sha256 = arena_take(job->arena, 65);

    if (!md5 || !sha1 || !sha256 || job_digests(job, md5, sha1, sha256) < 0) {
        job_notice(job, 0, error_text());
        return;
    }
    entry_add(entry, "MD5", md5);
    entry_add(entry, "SHA1", sha1);
    entry_add(entry, "SHA256", sha256);
    entry_add(entry, "Entropy", pe_program_entropy(job, program));
    entry_add(entry, "ChecksumFits", pe_program_checksum(job, program));
}

static void tell(struct job *job, const struct pe_program *program, const char *place)
{
    const char *name = entry_last_part(job->file->path);
    const bool is_exchange = place && (strcmp(place, "exchange") == 0 || strcmp(place, "gac") == 0);
    const bool live = !(job->file->flags & FILE_DELETED);
    struct entry entry;

    entry_begin(&entry, job, KIND_program_file);
    entry_add(&entry, "Size", arena_format(job->arena, "%" PRIu64, job->file->size));
    entry_add(&entry, "Place", place);
    entry_add(&entry, "Disguised", has_program_name(name) ? NULL : "true");
    entry_add(&entry, "NameDiffers", name_differs(program->version.original_name, name));
    add_version(&entry, program);
    add_signature(&entry, &program->signature);
    add_build(&entry, program);
    if (!is_exchange || program->signature.state != PE_SIGNED)
        add_whole(&entry, program);
    if (is_exchange && live)
        entry.event.marks |= EVENT_FACT;
    if (program->problem) {
        job_notice(job, 0, program->problem);
        entry.event.marks |= EVENT_REPAIRED;
    }
    entry.event.raw = entry.values[0].text;
    entry_emit(&entry);
}

static int parse(struct job *job)
{
    const bool named = has_program_name(entry_last_part(job->file->path));
    struct pe_program *program = arena_take(job->arena, sizeof *program);
    uint8_t head[256] = {0};
    const ssize_t got = job_read(job, 0, head, sizeof head);

    if (!program || got < 0)
        return -1;
    /* Under another name, or deleted and written over since: it is not for us to judge. */
    const struct slice start = slice_of(head, (size_t)got);
    if (!slice_starts(start, "MZ") && (!named || job->file->flags & FILE_DELETED))
        return 0;
    if (pe_program_read(job, program) < 0) {
        if (named)
            entry_reject(job, KIND_program_file, start, error_text());
        return 0;
    }
    tell(job, program, place_of(job));
    return 0;
}

static bool recognise(struct slice head, const char *name)
{
    struct cursor c = cursor_over(head, 0);

    (void)name;
    cursor_seek(&c, 0x3C);
    cursor_seek(&c, cursor_u32le(&c));
    return slice_starts(head, "MZ") && slice_equal(cursor_take(&c, 4), SLICE_LITERAL("PE\0\0"));
}

#define PROGRAMS(folder)                                                                           \
    folder "/*.exe", folder "/*.dll", folder "/*.sys", folder "/*.com", folder "/*.scr"
/* Endings that a program hides behind; pictures and scripts of web sites are too many. */
#define DISGUISES(folder)                                                                          \
    folder "/*.txt", folder "/*.log", folder "/*.jpg", folder "/*.dat", folder "/*.bin",           \
        folder "/*.tmp"

static const char *const paths[] = {
    "{exchange}/Bin/*.exe",
    "{exchange}/Bin/*.dll",
    "{exchange}/FrontEnd/**/*.exe",
    "{exchange}/FrontEnd/**/*.dll",
    "{exchange}/ClientAccess/**/*.exe",
    "{exchange}/ClientAccess/**/*.dll",
    "{exchange}/TransportRoles/agents/**/*.dll",
    "{windows}/Microsoft.NET/assembly/GAC_MSIL/Microsoft.Exchange.*/*/*.dll",
    "{windows}/System32/inetsrv/*.dll",
    "{windows}/System32/inetsrv/*.exe",
    "{windows}/SysWOW64/inetsrv/*.dll",
    PROGRAMS("{web_root}/**"),
    DISGUISES("{web_root}/**"),
    "{windows}/Temp/*",
    "{windows}/Temp/*/*",
    PROGRAMS("ProgramData"),
    PROGRAMS("ProgramData/*"),
    DISGUISES("ProgramData"),
    PROGRAMS("Users/Public/**"),
    DISGUISES("Users/Public/**"),
    PROGRAMS("Users/*/AppData/Local/Temp"),
    PROGRAMS("Users/*/AppData/Local/Temp/*"),
    DISGUISES("Users/*/AppData/Local/Temp"),
    PROGRAMS("PerfLogs/**"),
    DISGUISES("PerfLogs/**"),
    PROGRAMS("inetpub"),
    PROGRAMS("inetpub/*"),
    "*.exe",
    "*.dll",
    "*.com",
    NULL};
static const struct log_source sources[] = {{NULL, "windows", "pe"}, {NULL, NULL, NULL}};

extern const struct artifact artifact_pe_file;
const struct artifact artifact_pe_file = {
    .name = "pe_file",
    .title = "Programs",
    .paths = paths,
    .sources = sources,
    .deleted = true,
    .recognise = recognise,
    .parse = parse,
};
