#include "triage/match/content_compile.h"

#ifdef HAVE_YARA

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/match/content_cache.h"
#include "triage/match/content_text.h"

#include <stdio.h>
#include <string.h>
#include <yara.h>

enum {
    COMPLAINTS_MOST = 64, /* of one compilation */
    ROUNDS_MOST = 400,    /* in which a file's bad rules are left out */
};

const char *const content_variables[CONTENT_VARIABLES] = {"filename", "filepath", "extension",
                                                          "filetype", "owner",    "md5"};

static const char *yara_reason(int code)
{
    switch (code) {
    case ERROR_INSUFFICIENT_MEMORY:
        return "out of memory";
    case ERROR_SCAN_TIMEOUT:
        return "out of time";
    case ERROR_TOO_MANY_MATCHES:
        return "too many matches";
    case ERROR_EXEC_STACK_OVERFLOW:
        return "a condition is nested too deep";
    default:
        return NULL;
    }
}

int content_yara_error(const char *what, int code)
{
    const char *reason = yara_reason(code);

    return reason ? error_set("%s: %s", what, reason)
                  : error_set("%s: libyara error %d", what, code);
}

/* The errors of a compilation, in the order in which libyara met them. */
struct complaints {
    struct complaint {
        char text[400];
        unsigned line;
    } list[COMPLAINTS_MOST];
    size_t count;
};

static void complain(int level, const char *file, int line, const YR_RULE *rule,
                     const char *message, void *context)
{
    struct complaints *complaints = context;

    (void)file, (void)rule;
    if (level != YARA_ERROR_LEVEL_ERROR || complaints->count == COMPLAINTS_MOST)
        return;
    struct complaint *complaint = &complaints->list[complaints->count++];
    snprintf(complaint->text, sizeof complaint->text, "%s", message);
    complaint->line = line > 0 ? (unsigned)line : 0;
}

/* A compiler that knows the external variables and reads no other file. */
static int compiler_new(struct complaints *complaints, YR_COMPILER **out)
{
    YR_COMPILER *compiler;
    int code = yr_compiler_create(&compiler);

    if (code != ERROR_SUCCESS)
        return content_yara_error("libyara's compiler", code);
    yr_compiler_set_callback(compiler, complain, complaints);
    yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
    for (size_t i = 0; i < CONTENT_VARIABLES && code == ERROR_SUCCESS; i++)
        code = yr_compiler_define_string_variable(compiler, content_variables[i], "");
    if (code != ERROR_SUCCESS) {
        yr_compiler_destroy(compiler);
        return content_yara_error("libyara's compiler", code);
    }
    *out = compiler;
    return 0;
}

static int compile(const struct content_source *sources, size_t count,
                   struct complaints *complaints, YR_RULES **out)
{
    YR_COMPILER *compiler = NULL;
    int code = ERROR_SUCCESS, result = 0;

    complaints->count = 0;
    if (compiler_new(complaints, &compiler) < 0)
        return -1;
    for (size_t i = 0; i < count && result == 0; i++) {
        char name[32];

        snprintf(name, sizeof name, "%zu", i);
        if (yr_compiler_add_string(compiler, sources[i].text, name) > 0)
            result =
                error_set("%s", complaints->count ? complaints->list[0].text : "does not compile");
    }
    if (result == 0 && (code = yr_compiler_get_rules(compiler, out)) != ERROR_SUCCESS)
        result = content_yara_error("libyara's compiler", code);
    yr_compiler_destroy(compiler);
    return result;
}

/* --- kept from run to run --- */

/* Smaller sources are compiled faster than a file is read. */
enum { CACHED_LEAST = 32 << 10 };

/* Of all that the compiled rules depend on. False when there is little to compile. */
static bool cache_key(const struct content_source *sources, size_t count,
                      char key[SHA256_TEXT_SIZE])
{
    struct hasher *hasher = hasher_new(HASH_SHA256);
    size_t total = 0;

    if (!hasher)
        return false;
    hasher_add(hasher, SLICE_LITERAL(PACKAGE_VERSION " " YR_VERSION " "));
    for (size_t i = 0; i < CONTENT_VARIABLES; i++)
        hasher_add(hasher, slice_of(content_variables[i], strlen(content_variables[i]) + 1));
    for (size_t i = 0; i < count; i++) {
        const struct slice text = slice_of_text(sources[i].text);
        hasher_add(hasher, slice_of(text.data, text.size + 1));
        total += text.size;
    }
    memcpy(key, hasher_finish(hasher).sha256, SHA256_TEXT_SIZE);
    hasher_free(hasher);
    return total >= CACHED_LEAST;
}

static size_t write_stream(const void *data, size_t size, size_t count, void *context)
{
    buffer_add(context, slice_of(data, size * count));
    return buffer_failed(context) ? 0 : count;
}

static size_t read_stream(void *data, size_t size, size_t count, void *context)
{
    const struct slice part = cursor_take(context, size * count);

    if (cursor_failed(context))
        return 0;
    if (part.size)
        memcpy(data, part.data, part.size);
    return count;
}

static bool load_compiled(const char *key, YR_RULES **out)
{
    struct buffer content = BUFFER_EMPTY;
    bool loaded = false;

    if (content_cache_load(key, &content)) {
        struct cursor cursor = cursor_over(buffer_slice(&content), 0);
        YR_STREAM stream = {.user_data = &cursor, .read = read_stream};
        loaded = yr_rules_load_stream(&stream, out) == ERROR_SUCCESS;
    }
    buffer_release(&content);
    return loaded;
}

static void store_compiled(const char *key, YR_RULES *compiled)
{
    struct buffer content = BUFFER_EMPTY;
    YR_STREAM stream = {.user_data = &content, .write = write_stream};

    if (yr_rules_save_stream(compiled, &stream) == ERROR_SUCCESS && !buffer_failed(&content))
        content_cache_store(key, buffer_slice(&content));
    buffer_release(&content);
}

static int compile_or_load(const struct content_source *sources, size_t count,
                           struct complaints *complaints, YR_RULES **out)
{
    char key[SHA256_TEXT_SIZE];
    const bool cached = cache_key(sources, count, key);

    complaints->count = 0;
    if (cached && load_compiled(key, out))
        return 0;
    if (compile(sources, count, complaints, out) < 0)
        return -1;
    if (cached)
        store_compiled(key, *out);
    return 0;
}

int content_compile_all(const struct content_source *sources, size_t count, YR_RULES **out)
{
    struct complaints complaints;

    return compile_or_load(sources, count, &complaints, out);
}

/* --- leaving out what does not compile --- */

struct mending {
    struct content_source *source;
    struct content_part *parts;
    size_t part_count;
    const struct content_refusals *refusals;
};

static struct content_part *part_of(const struct mending *mending, unsigned line)
{
    for (size_t i = 0; i < mending->part_count; i++) {
        struct content_part *part = &mending->parts[i];
        if (!part->dropped && line >= part->line && line <= part->last_line)
            return part;
    }
    return NULL;
}

static void refuse(const struct mending *mending, const struct content_part *part,
                   const struct complaint *complaint)
{
    char text[512];

    if (part->is_import)
        snprintf(text, sizeof text, "%s%s", complaint->text,
                 strstr(complaint->text, "unknown module")
                     ? ": this build of libyara does not have it"
                     : "");
    else
        snprintf(text, sizeof text, "rule '%.*s': %s", (int)(part->name.size & 0xFFF),
                 (const char *)part->name.data, complaint->text);
    mending->refusals->refuse(mending->refusals->context, complaint->line, text);
}

/* The first error is one. Of the others only those count that the first cannot have led to. */
static bool is_own_error(const struct complaint *complaint, size_t number)
{
    return number == 0 || strstr(complaint->text, "undefined identifier") ||
           strstr(complaint->text, "unknown module");
}

static bool leave_out(const struct mending *mending, const struct complaints *complaints)
{
    bool any = false;

    for (size_t i = 0; i < complaints->count; i++) {
        const struct complaint *complaint = &complaints->list[i];
        struct content_part *part =
            is_own_error(complaint, i) ? part_of(mending, complaint->line) : NULL;
        if (!part)
            continue;
        refuse(mending, part, complaint);
        content_text_drop(mending->source->text, part);
        any = true;
    }
    return any;
}

static bool find_parts(struct mending *mending, struct arena *arena)
{
    if (!mending->parts)
        mending->parts =
            content_text_parts(arena, slice_of_text(mending->source->text), &mending->part_count);
    return mending->parts != NULL;
}

/* The module magic opens a database of its own, which no worker may: every scan would fail. */
static bool leave_out_magic(struct mending *mending, struct arena *arena)
{
    static const struct complaint complaint = {
        .text = "module \"magic\" opens files of its own, which a worker may not"};

    if (!strstr(mending->source->text, "\"magic\""))
        return true;
    if (!find_parts(mending, arena))
        return false;
    for (size_t i = 0; i < mending->part_count; i++) {
        struct content_part *part = &mending->parts[i];
        if (!part->is_import || !slice_is(part->name, "\"magic\""))
            continue;
        struct complaint told = complaint;
        told.line = part->line;
        refuse(mending, part, &told);
        content_text_drop(mending->source->text, part);
    }
    return true;
}

int content_compile_file(struct arena *arena, struct content_source *source,
                         const struct content_refusals *refusals, unsigned *line, YR_RULES **out)
{
    struct mending mending = {.source = source, .refusals = refusals};
    struct complaints complaints;

    if (!leave_out_magic(&mending, arena))
        return -1;
    for (size_t round = 0; compile_or_load(source, 1, &complaints, out) < 0; round++) {
        *line = complaints.count ? complaints.list[0].line : 0;
        if (complaints.count == 0 || round == ROUNDS_MOST)
            return -1;
        if (!find_parts(&mending, arena) || !leave_out(&mending, &complaints))
            return error_set("%s", complaints.list[0].text);
    }
    return 0;
}

#endif
