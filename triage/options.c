#include "triage/options.h"

#include "triage/base/error.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum option_type {
    FLAG,
    COUNT,
    TEXT_VALUE,
    NUMBER,
    SIGNED_NUMBER,
    LIST,
    FROM_TIME,
    TO_TIME,
    LEVEL_VALUE,
    LOG_FORMAT,
    SNAPSHOTS,
    SECRET,
    KEY_FILE
};

struct option_entry {
    char letter; /* 0: only the long form */
    const char *name, *argument, *help;
    enum option_type type;
    size_t offset;
    unsigned commands;
};

#define AT(member) offsetof(struct options, member)
enum { FOR_IMAGES = FOR_RUN | FOR_INFO | FOR_VERIFY | FOR_EXTRACT, FOR_ALL = 127 };

/* clang-format off */
static const struct option_entry entries[] = {
    {'o', "output", "DIR", "the case folder (run), where files go (extract), the joined cases (merge)", TEXT_VALUE, AT(output), FOR_RUN | FOR_EXTRACT | FOR_MERGE},
    {'r', "rules", "PATH", "more rules: a Sigma or YARA file, an indicator list, or a folder of them (repeatable)", LIST, AT(rules), FOR_RUN | FOR_RULES},
    {0, "no-default-rules", NULL, "without the rules that come with extriage", FLAG, AT(no_default_rules), FOR_RUN | FOR_RULES},
    {0, "default-rules", "DIR", "this folder of rules instead of the one that comes with extriage", TEXT_VALUE, AT(default_rules), FOR_RUN | FOR_INFO | FOR_EXTRACT | FOR_RULES},
    {0, "placeholders", "FILE", "values of placeholders in Sigma rules: YAML, a name and its list of values", TEXT_VALUE, AT(placeholders), FOR_RUN | FOR_RULES},
    {0, "yara-all", NULL, "run the YARA rules over all files, logs too (default: web folders, what was deleted, temporary and public folders, scripts and programs in unusual places)", FLAG, AT(yara_all), FOR_RUN},
    {0, "known-good", "FILE", "hashes of files that are known to be good: one a line, or NSRL's table (repeatable)", LIST, AT(known_good), FOR_RUN},
    {0, "baseline", "PATH", "a clean server of the same build, an image or a folder: its web folders are what is at home", TEXT_VALUE, AT(baseline), FOR_RUN},
    {0, "from", "TIME", "only indicators at or after TIME (UTC unless an offset is given)", FROM_TIME, AT(from), FOR_RUN},
    {0, "to", "TIME", "only indicators at or before TIME; a day means its end", TO_TIME, AT(to), FOR_RUN},
    {'m', "min-level", "LEVEL", "only indicators of at least LEVEL (informational low medium high critical)", LEVEL_VALUE, AT(min_level), FOR_RUN},
    {0, "fail-level", "LEVEL", "exit code 2 from this level on (default: medium)", LEVEL_VALUE, AT(fail_level), FOR_RUN},
    {'j', "jobs", "N", "worker processes (default: one per processor; 0: all in this process, for debuggers)", NUMBER, AT(jobs), FOR_IMAGES},
    {0, "threads", "N", "the same as --jobs", NUMBER, AT(jobs), FOR_IMAGES},
    {0, "timeout", "SECONDS", "end a worker of which nothing was heard for so long (default: 300)", NUMBER, AT(timeout), FOR_RUN | FOR_INFO | FOR_EXTRACT},
    {0, "format", "LIST", "only these outputs, comma separated or repeated (see the list below)", LIST, AT(formats), FOR_RUN | FOR_REPORT},
    {0, "verify", NULL, "also read every byte of the evidence and compare the stored hashes", FLAG, AT(verify), FOR_RUN},
    {0, "path", "GLOB", "extract these paths instead of the known artifacts (repeatable; ** for any depth)", LIST, AT(globs), FOR_EXTRACT},
    {0, "deleted", NULL, "extract deleted files too", FLAG, AT(deleted), FOR_EXTRACT},
    {0, "no-hash", NULL, "extract without computing hashes", FLAG, AT(no_hash), FOR_EXTRACT},
    {0, "context", "MINUTES", "also keep what happened in the file systems so long before and after each indicator", NUMBER, AT(context_minutes), FOR_RUN},
    {0, "carve", NULL, "also search free space and $LogFile for change journal records: reads all free space", FLAG, AT(carve), FOR_RUN},
    {0, "no-files", NULL, "copy no files into the case", FLAG, AT(no_files), FOR_RUN},
    {0, "case-number", "TEXT", "written into run.json", TEXT_VALUE, AT(case_number), FOR_RUN | FOR_EXTRACT},
    {0, "evidence-number", "TEXT", "written into run.json", TEXT_VALUE, AT(evidence_number), FOR_RUN | FOR_EXTRACT},
    {0, "examiner", "TEXT", "written into run.json", TEXT_VALUE, AT(examiner), FOR_RUN | FOR_EXTRACT},
    {0, "agency", "TEXT", "written into run.json", TEXT_VALUE, AT(agency), FOR_RUN | FOR_EXTRACT},
    {0, "description", "TEXT", "written into run.json", TEXT_VALUE, AT(description), FOR_RUN | FOR_EXTRACT},
    {0, "sign", "HOW", "sign SHA256SUMS with your own key: gpg, gpg:KEYID or ssh:KEYFILE", TEXT_VALUE, AT(sign), FOR_RUN | FOR_REPORT | FOR_MERGE},
    {0, "redact", NULL, "users, mailboxes, addresses, host and domain names as pseudonyms; no files are copied", FLAG, AT(redact), FOR_RUN},
    {0, "redaction-key", "FILE", "where the pseudonyms' meaning goes (default: CASE-redaction-key.json, beside the case)", TEXT_VALUE, AT(redaction_key), FOR_RUN},
    {0, "clock-skew", "SECONDS", "seconds by which the server's clock was ahead; subtracted from all times", SIGNED_NUMBER, AT(clock_skew), FOR_RUN},
    {0, "resume", NULL, "go on with a run that was interrupted", FLAG, AT(resume), FOR_RUN},
    {'C', "clobber", NULL, "overwrite the case that is in the folder", FLAG, AT(clobber), FOR_RUN | FOR_EXTRACT | FOR_MERGE},
    {0, "format", "LIST", "the timelines of all cases that are written: jsonl, csv or both (default: jsonl)", LIST, AT(formats), FOR_MERGE},
    {0, "to", "postgresql://...", "a PostgreSQL database that takes the cases too, or alone without -o; a password in it is kept out of every output", SECRET, AT(database), FOR_MERGE},
    {0, "skip-errors", NULL, "join the other cases when some are not finished, damaged or given twice (exit code 3)", FLAG, AT(skip_errors), FOR_MERGE},
    {0, "no-prefilter", NULL, "let every record go through the rules: slow, for comparing the output", FLAG, AT(no_prefilter), FOR_RUN},
    {0, "vss", "LIST", "shadow copies to read too: all, none or numbers like 1,3 (default: none, as each adds time and repeats what is still there; `info` lists them; only files that differ from the live volume are read)", SNAPSHOTS, AT(snapshots), FOR_RUN | FOR_EXTRACT},
    {0, "recovery-key", "KEY", "opens BitLocker volumes: 48 digits in eight groups; this and the next are kept out of every output", SECRET, AT(keys.recovery_key), FOR_RUN | FOR_INFO | FOR_EXTRACT},
    {0, "password", "TEXT", "opens BitLocker volumes by their password", SECRET, AT(keys.password), FOR_RUN | FOR_INFO | FOR_EXTRACT},
    {0, "bek", "FILE", "opens BitLocker volumes by the startup key in a .BEK file", KEY_FILE, AT(keys.startup_key), FOR_RUN | FOR_INFO | FOR_EXTRACT},
    {'q', "quiet", NULL, "no progress, no summary; errors only", FLAG, AT(quiet), FOR_ALL},
    {'v', "verbose", NULL, "say more (repeatable)", COUNT, AT(verbose), FOR_ALL},
    {0, "no-color", NULL, "plain text, also on a terminal", FLAG, AT(no_color), FOR_ALL},
    {0, "log-format", "text|json", "how log.txt and messages are written", LOG_FORMAT, AT(log_json), FOR_RUN},
    {'h', "help", NULL, "this text", FLAG, AT(help), FOR_ALL},
};
/* clang-format on */
enum { ENTRY_COUNT = sizeof entries / sizeof *entries };

/* Commands may mean different things by one name. */
static const struct option_entry *find_long(struct slice name, unsigned command)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (slice_is(name, entries[i].name) && (entries[i].commands & command))
            return &entries[i];
    return NULL;
}

static const struct option_entry *find_letter(char letter)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (entries[i].letter && entries[i].letter == letter)
            return &entries[i];
    return NULL;
}

static int set_number(const struct option_entry *entry, const char *text, unsigned *value)
{
    uint64_t number;

    if (!slice_to_u64(slice_of_text(text), &number) || number > 4096)
        return error_set("--%s wants a number from 0 to 4096, not '%s'", entry->name, text);
    *value = (unsigned)number;
    return 0;
}

static int set_signed(const struct option_entry *entry, const char *text, int64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoll(text, &end, 10);
    if (errno || *end || end == text || *value > INT64_C(10000000000) ||
        *value < -INT64_C(10000000000))
        return error_set("--%s wants seconds, not '%s'", entry->name, text);
    return 0;
}

/* A day as the end of the range means the whole day. */
static int set_time(const struct option_entry *entry, const char *text, struct instant *value)
{
    const struct slice trimmed = slice_trim(slice_of_text(text));

    if (!instant_parse(trimmed, value, NULL))
        return error_set("--%s wants a time like 2021-03-02 or 2021-03-02T10:00:00+01:00, not '%s'",
                         entry->name, text);
    if (entry->type == TO_TIME && trimmed.size == 10)
        value->ticks += TICKS_PER_DAY - 1;
    return 0;
}

static int add_to_list(const struct option_entry *entry, const char *text, struct options *options)
{
    const char **list = (const char **)(void *)((char *)options + entry->offset);
    size_t *count = entry->offset == AT(rules)        ? &options->rule_count
                    : entry->offset == AT(globs)      ? &options->glob_count
                    : entry->offset == AT(known_good) ? &options->known_good_count
                                                      : &options->format_count;

    if (*count == MOST_PATHS)
        return error_set("--%s is given more than %d times", entry->name, MOST_PATHS);
    list[(*count)++] = text;
    return 0;
}

static int set_log_format(const char *text, bool *json)
{
    *json = strcmp(text, "json") == 0;
    return *json || strcmp(text, "text") == 0
               ? 0
               : error_set("--log-format is text or json, not '%s'", text);
}

/* Keeps a copy and blanks the argument, which other users of the machine can see and run.json
 * shows. */
static int set_secret(const struct option_entry *entry, const char *text, const char **value)
{
    char *copy = strdup(text);

    if (!copy)
        return error_set("out of memory");
    if (!*text) {
        free(copy);
        return error_set("--%s is empty", entry->name);
    }
    memset((char *)(uintptr_t)text, '*', strlen(text));
    free((char *)(uintptr_t)*value);
    *value = copy;
    return 0;
}

static int read_key_file(const char *path, struct slice *key)
{
    enum { KEY_FILE_MAX = 64 << 10 };
    uint8_t *bytes = malloc(KEY_FILE_MAX);
    FILE *file = fopen(path, "rbe");
    const size_t size = bytes && file ? fread(bytes, 1, KEY_FILE_MAX, file) : 0;

    if (file)
        fclose(file);
    if (size == 0) {
        free(bytes);
        return error_set_errno("the key file '%s' cannot be read", path);
    }
    free((uint8_t *)(uintptr_t)key->data);
    *key = slice_of(bytes, size);
    return 0;
}

static int apply(const struct option_entry *entry, const char *text, struct options *options)
{
    void *member = (char *)options + entry->offset;

    switch (entry->type) {
    case FLAG:
        *(bool *)member = true;
        return 0;
    case COUNT:
        ++*(unsigned *)member;
        return 0;
    case TEXT_VALUE:
        *(const char **)member = text;
        return 0;
    case NUMBER:
        return set_number(entry, text, member);
    case SIGNED_NUMBER:
        return set_signed(entry, text, member);
    case LIST:
        return add_to_list(entry, text, options);
    case FROM_TIME:
    case TO_TIME:
        return set_time(entry, text, member);
    case LEVEL_VALUE:
        return level_from_name(text, member)
                   ? 0
                   : error_set("--%s wants informational, low, medium, high or critical, not '%s'",
                               entry->name, text);
    case LOG_FORMAT:
        return set_log_format(text, member);
    case SECRET:
        return set_secret(entry, text, member);
    case KEY_FILE:
        return read_key_file(text, member);
    default:
        return snapshot_choice_parse(text, member);
    }
}

static bool takes_value(const struct option_entry *entry)
{
    return entry->argument != NULL;
}

static int refuse(const char *shown, unsigned command)
{
    (void)command;
    return error_set("unknown option '%s' (see --help)", shown);
}

/* One argument that begins with "--"; gives how many arguments it took, -1 on error. */
static int parse_long(char **argv, unsigned command, struct options *options)
{
    const struct slice whole = slice_of_text(argv[0] + 2);
    const size_t equals = slice_find(whole, 0, '=');
    const struct option_entry *entry = find_long(slice_part(whole, 0, equals), command);
    const bool attached = equals != SIZE_MAX;

    if (!entry)
        return refuse(argv[0], command);
    if (!takes_value(entry))
        return attached                          ? error_set("--%s takes no value", entry->name)
               : apply(entry, NULL, options) < 0 ? -1
                                                 : 1;
    const char *value = attached ? argv[0] + 2 + equals + 1 : argv[1];
    if (!value)
        return error_set("--%s wants a value", entry->name);
    return apply(entry, value, options) < 0 ? -1 : attached ? 1 : 2;
}

/* "-qvj4": letters, of which the last may take the rest or the next argument. */
static int parse_letters(char **argv, unsigned command, struct options *options)
{
    for (const char *letter = argv[0] + 1; *letter; letter++) {
        const struct option_entry *entry = find_letter(*letter);
        if (!entry || !(entry->commands & command))
            return refuse(argv[0], command);
        if (!takes_value(entry)) {
            if (apply(entry, NULL, options) < 0)
                return -1;
            continue;
        }
        const char *value = letter[1] ? letter + 1 : argv[1];
        if (!value)
            return error_set("-%c wants a value", *letter);
        return apply(entry, value, options) < 0 ? -1 : letter[1] ? 1 : 2;
    }
    return 1;
}

static unsigned processors(void)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > 64 ? 64 : (unsigned)count;
}

int options_parse(int argc, char **argv, unsigned command, struct options *options)
{
    bool only_paths = false;

    *options = (struct options){.jobs = processors(), .timeout = 300, .fail_level = LEVEL_MEDIUM};
    if (getenv("NO_COLOR"))
        options->no_color = true;
    for (int i = 1; i < argc;) {
        int used = 1;
        if (!only_paths && strcmp(argv[i], "--") == 0)
            only_paths = true;
        else if (!only_paths && argv[i][0] == '-' && argv[i][1] == '-')
            used = parse_long(argv + i, command, options);
        else if (!only_paths && argv[i][0] == '-' && argv[i][1])
            used = parse_letters(argv + i, command, options);
        else if (options->path_count == MOST_PATHS)
            return error_set("more than %d paths are given", MOST_PATHS);
        else
            options->paths[options->path_count++] = argv[i];
        if (used < 0)
            return -1;
        i += used;
    }
    if (instant_known(options->from) && instant_known(options->to) &&
        options->from.ticks > options->to.ticks)
        return error_set("--from lies behind --to: no time is between them");
    return 0;
}

void options_help(unsigned command, struct buffer *out)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        const struct option_entry *entry = &entries[i];
        if (!(entry->commands & command))
            continue;
        const size_t start = out->size;
        if (entry->letter)
            buffer_format(out, "  -%c, --%s", entry->letter, entry->name);
        else
            buffer_format(out, "      --%s", entry->name);
        if (entry->argument)
            buffer_format(out, " %s", entry->argument);
        do
            buffer_add_byte(out, ' ');
        while (out->size - start < 30);
        buffer_format(out, "%s\n", entry->help);
    }
}
