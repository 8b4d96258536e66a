#include "artifacts/pe_program.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/base/utf16.h"

#include <string.h>

enum {
    WINDOWS_MOST = 64,
    WINDOW_LEAST = 16 * 1024,
    WINDOW_BYTES_MOST = 8 * 1024 * 1024,
    WINDOW_ALIGN = 4096,
    EXPORTS_TEXT_MOST = 512,
    EXPORT_NAME_MOST = 128,
    ENTROPY_SAMPLE = 64 * 1024,
    ENTROPY_LEAST = 512,
    SECTION_EXECUTES = 0x20000000,
    CHECKSUM_PIECE = 64 * 1024,
    CHECKSUM_FILE_MOST = 64 * 1024 * 1024,
};

/* The windows that were read stay: headers and tables lie close together. */
struct windows {
    struct job *job;
    struct window {
        uint64_t offset;
        struct slice bytes;
    } windows[WINDOWS_MOST];
    size_t count, bytes;
    bool exhausted, unreadable;
};

static struct slice find_window(const struct windows *windows, uint64_t offset, size_t size)
{
    for (size_t i = windows->count; i-- > 0;) {
        const struct window *window = &windows->windows[i];
        if (offset < window->offset || offset - window->offset >= window->bytes.size)
            continue;
        const struct slice found =
            slice_part(window->bytes, (size_t)(offset - window->offset), size);
        if (found.size == size)
            return found;
    }
    return slice_of(NULL, 0);
}

static struct slice read_window(void *context, uint64_t offset, size_t size)
{
    struct windows *windows = context;
    struct job *job = windows->job;

    if (offset >= job->size)
        return slice_of(NULL, 0);
    if (size > job->size - offset)
        size = (size_t)(job->size - offset);
    const struct slice known = find_window(windows, offset, size);
    if (known.size)
        return known;
    const uint64_t start = offset - offset % WINDOW_ALIGN;
    size_t wanted = size + (size_t)(offset - start);
    if (wanted < WINDOW_LEAST)
        wanted = WINDOW_LEAST;
    if (wanted > job->size - start)
        wanted = (size_t)(job->size - start);
    if (windows->count == WINDOWS_MOST || wanted > WINDOW_BYTES_MOST - windows->bytes) {
        windows->exhausted = true;
        return slice_of(NULL, 0);
    }
    uint8_t *bytes = arena_take(job->arena, wanted);
    const ssize_t got = bytes ? job_read(job, start, bytes, wanted) : -1;
    if (got < 0)
        windows->unreadable = true;
    windows->bytes += wanted;
    const struct slice read = slice_of(bytes, got > 0 ? (size_t)got : 0);
    windows->windows[windows->count++] = (struct window){start, read};
    return slice_part(read, (size_t)(offset - start), size);
}

struct exports {
    struct buffer text;
    bool is_native_module, is_filter, is_extension;
};

static void take_export(void *context, struct slice name)
{
    struct exports *exports = context;

    exports->is_native_module |= slice_is(name, "RegisterModule");
    exports->is_filter |= slice_is(name, "HttpFilterProc");
    exports->is_extension |= slice_is(name, "HttpExtensionProc");
    if (exports->text.size > EXPORTS_TEXT_MOST)
        return;
    if (exports->text.size)
        buffer_add_byte(&exports->text, ' ');
    utf8_append_repaired(&exports->text, slice_part(name, 0, EXPORT_NAME_MOST));
}

static void read_exports(struct job *job, struct pe_program *program)
{
    struct exports exports = {.text = BUFFER_EMPTY};
    const size_t count = pe_exports(&program->image, take_export, &exports);

    if (count)
        program->exports = arena_text(job->arena, buffer_slice(&exports.text));
    if (exports.is_native_module)
        program->iis_module = "native";
    else if (exports.is_filter)
        program->iis_module = "ISAPI filter";
    else if (exports.is_extension)
        program->iis_module = "ISAPI extension";
    buffer_release(&exports.text);
}

/* What the imports come to, as the module pefile of Python words them: "library.function" in lower
 * case, the library without .dll, .ocx or .sys, with commas between. */
struct imports {
    struct buffer text;
    size_t count;
};

static void add_lower(struct buffer *text, struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        const uint8_t c = name.data[i];
        buffer_add_byte(text, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
    }
}

static struct slice without_ending(struct slice library)
{
    if (slice_ends_nocase(library, ".dll") || slice_ends_nocase(library, ".ocx") ||
        slice_ends_nocase(library, ".sys"))
        library.size -= 4;
    return library;
}

static void take_import(void *context, const struct pe_import *import)
{
    struct imports *imports = context;
    struct buffer *text = &imports->text;

    if (imports->count++)
        buffer_add_byte(text, ',');
    add_lower(text, without_ending(import->library));
    buffer_add_byte(text, '.');
    const char *known =
        import->name.size ? NULL : pe_ordinal_name(import->library, import->ordinal);
    if (known)
        add_lower(text, slice_of_text(known));
    else if (import->name.size)
        add_lower(text, import->name);
    else
        buffer_format(text, "ord%u", import->ordinal);
}

static void read_imports(struct job *job, struct pe_program *program)
{
    struct imports imports = {.text = BUFFER_EMPTY};

    if (pe_imports(&program->image, take_import, &imports) && !buffer_failed(&imports.text)) {
        struct hasher *hasher = hasher_new(HASH_MD5);
        if (hasher) {
            hasher_add(hasher, buffer_slice(&imports.text));
            program->imphash = arena_text(job->arena, slice_of_text(hasher_finish(hasher).md5));
        }
        hasher_free(hasher);
    }
    buffer_release(&imports.text);
}

/* Packers name their sections, unless told not to. */
static const char *packer_of(const char *section)
{
    static const struct {
        const char *name, *packer;
    } packers[] = {
        {"UPX0", "UPX"},        {"UPX1", "UPX"},           {".aspack", "ASPack"},
        {".adata", "ASPack"},   {".themida", "Themida"},   {".winlice", "WinLicense"},
        {".vmp0", "VMProtect"}, {".vmp1", "VMProtect"},    {".MPRESS1", "MPRESS"},
        {".MPRESS2", "MPRESS"}, {".petite", "Petite"},     {".enigma1", "Enigma"},
        {".nsp0", "NsPack"},    {"pebundle", "PEBundle"},  {"PEC2", "PECompact"},
        {".boom", "Boomerang"}, {".spack", "Simple Pack"}, {"FSG!", "FSG"},
    };

    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++)
        if (slice_is_nocase(slice_of_text(section), packers[i].name))
            return packers[i].packer;
    return NULL;
}

static void read_sections(struct job *job, struct pe_program *program)
{
    const struct pe_image *image = &program->image;
    struct buffer names = BUFFER_EMPTY;

    for (size_t i = 0; i < image->section_count; i++) {
        const char *name = image->sections[i].name;
        if (i)
            buffer_add_byte(&names, ' ');
        utf8_append_repaired(&names, slice_of_text(name));
        if (!program->packer)
            program->packer = packer_of(name);
    }
    program->sections = arena_text(job->arena, buffer_slice(&names));
    buffer_release(&names);
}

/* Bits of a fraction: log2(1 / p) for 0 < p <= 1, by squaring; near enough for two digits. */
static double bits_of(double p)
{
    double bits = 0, step = 1;

    for (; p <= 0.5; p *= 2)
        bits += 1;
    for (unsigned i = 0; i < 16; i++) {
        step /= 2;
        p *= p;
        if (p <= 0.5) {
            bits += step;
            p *= 2;
        }
    }
    return bits;
}

static double entropy_of(struct slice bytes)
{
    size_t counts[256] = {0};
    double entropy = 0;

    for (size_t i = 0; i < bytes.size; i++)
        counts[bytes.data[i]]++;
    for (size_t i = 0; i < 256; i++)
        if (counts[i]) {
            const double p = (double)counts[i] / (double)bytes.size;
            entropy += p * bits_of(p);
        }
    return entropy;
}

const char *pe_program_entropy(struct job *job, const struct pe_program *program)
{
    uint8_t *bytes = arena_take(job->arena, ENTROPY_SAMPLE);
    double most = 0;

    for (size_t i = 0; bytes && i < program->image.section_count; i++) {
        const struct pe_section *section = &program->image.sections[i];
        const size_t size =
            section->stored_size < ENTROPY_SAMPLE ? section->stored_size : ENTROPY_SAMPLE;
        if (!(section->flags & SECTION_EXECUTES) || size < ENTROPY_LEAST)
            continue;
        const ssize_t got = job_read(job, section->offset, bytes, size);
        const double entropy = got > 0 ? entropy_of(slice_of(bytes, (size_t)got)) : 0;
        if (entropy > most)
            most = entropy;
    }
    return most > 0 ? arena_format(job->arena, "%.2f", most) : NULL;
}

/* Sum of all words with the carry added again, without the checksum itself; then the size. */
const char *pe_program_checksum(struct job *job, const struct pe_program *program)
{
    const uint64_t skipped = program->image.checksum_at;
    uint8_t *bytes = arena_take(job->arena, CHECKSUM_PIECE);
    uint64_t sum = 0, at = 0;

    if (!program->image.checksum || !bytes || job->size > CHECKSUM_FILE_MOST || skipped % 2)
        return NULL;
    while (at < job->size) {
        const ssize_t got = job_read(job, at, bytes, CHECKSUM_PIECE);
        if (got <= 0)
            return NULL;
        for (size_t i = 0; i < (size_t)got; i += 2) {
            const unsigned high = i + 1 < (size_t)got ? bytes[i + 1] : 0;
            if (at + i != skipped && at + i != skipped + 2)
                sum += bytes[i] | high << 8;
        }
        if (got % 2 && at + (uint64_t)got < job->size)
            return NULL; /* words would be split: the medium is damaged here */
        at += (uint64_t)got;
    }
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)(sum + job->size) == program->image.checksum ? "true" : "false";
}

int pe_program_read(struct job *job, struct pe_program *program)
{
    struct windows *windows = arena_take(job->arena, sizeof *windows);

    if (!windows)
        return -1;
    windows->job = job;
    const struct pe_source source = {read_window, windows, job->size};
    if (pe_open(&source, &program->image) < 0)
        return -1;
    program->has_version = pe_version_read(&program->image, job->arena, &program->version) == 0;
    pe_debug_read(&program->image, job->arena, &program->debug);
    pe_cli_read(&program->image, job->arena, &program->cli);
    pe_signature_read(&program->image, job->arena, &program->signature);
    read_exports(job, program);
    read_imports(job, program);
    read_sections(job, program);
    if (!program->iis_module && program->cli.is_http_module)
        program->iis_module = "managed";
    program->overlay = pe_overlay_size(&program->image);
    if (windows->unreadable)
        program->problem = "parts of the program cannot be read: it is told without them";
    else if (windows->exhausted)
        program->problem = "tables of the program lie too far apart or are too large: it is told "
                           "without some of them";
    else if (program->image.sections_cut || job->size < pe_stored_size(&program->image))
        program->problem = "the program is cut short";
    return 0;
}
