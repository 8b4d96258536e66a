/* Words for the types of indicators, and values brought into the form that is looked for. */
#include "triage/match/indicator_reader.h"

#include "triage/base/buffer.h"
#include "triage/match/ascii.h"
#include "triage/match/indicator_scan.h"
#include "triage/match/network.h"

enum { MUTEX = INDICATOR_IGNORED + 1, WORD_MOST = 32 };

/* Without '-', '_', ' ' and '.', in lower case; as MISP, OpenIOC, Sentinel and others spell them.
 */
static const struct {
    const char *word;
    int kind; /* indicator_kind, or MUTEX */
} types[] = {
    {"md5", INDICATOR_MD5},
    {"filehashmd5", INDICATOR_MD5},
    {"sha1", INDICATOR_SHA1},
    {"filehashsha1", INDICATOR_SHA1},
    {"sha256", INDICATOR_SHA256},
    {"filehashsha256", INDICATOR_SHA256},
    {"hash", INDICATOR_KINDS},
    {"filehash", INDICATOR_KINDS},
    {"ioc", INDICATOR_KINDS},
    {"ip", INDICATOR_ADDRESS},
    {"ipv4", INDICATOR_ADDRESS},
    {"ipv6", INDICATOR_ADDRESS},
    {"ipaddress", INDICATOR_ADDRESS},
    {"ipv4addr", INDICATOR_ADDRESS},
    {"ipv6addr", INDICATOR_ADDRESS},
    {"ipsrc", INDICATOR_ADDRESS},
    {"ipdst", INDICATOR_ADDRESS},
    {"cidr", INDICATOR_ADDRESS},
    {"domain", INDICATOR_DOMAIN},
    {"domainname", INDICATOR_DOMAIN},
    {"hostname", INDICATOR_DOMAIN},
    {"host", INDICATOR_DOMAIN},
    {"fqdn", INDICATOR_DOMAIN},
    {"url", INDICATOR_URL},
    {"uri", INDICATOR_URL},
    {"link", INDICATOR_URL},
    {"filename", INDICATOR_FILE_NAME},
    {"filenamepattern", INDICATOR_FILE_NAME},
    {"ransomnote", INDICATOR_FILE_NAME},
    {"filepath", INDICATOR_PATH},
    {"path", INDICATOR_PATH},
    {"fullpath", INDICATOR_PATH},
    {"pathsuffix", INDICATOR_PATH},
    {"pathregex", INDICATOR_PATH_REGEX},
    {"filenameregex", INDICATOR_PATH_REGEX},
    {"fileext", INDICATOR_FILE_EXTENSION},
    {"fileextension", INDICATOR_FILE_EXTENSION},
    {"regkey", INDICATOR_REGISTRY_KEY},
    {"registry", INDICATOR_REGISTRY_KEY},
    {"registrykey", INDICATOR_REGISTRY_KEY},
    {"service", INDICATOR_SERVICE},
    {"servicename", INDICATOR_SERVICE},
    {"windowsservicename", INDICATOR_SERVICE},
    {"useragent", INDICATOR_USER_AGENT},
    {"httpuseragent", INDICATOR_USER_AGENT},
    {"uripost", INDICATOR_POST_URI},
    {"email", INDICATOR_EMAIL},
    {"emailaddr", INDICATOR_EMAIL},
    {"emailaddress", INDICATOR_EMAIL},
    {"emailsrc", INDICATOR_EMAIL},
    {"emaildst", INDICATOR_EMAIL},
    {"mutex", MUTEX},
    {"mutant", MUTEX},
};

static bool plain_word(struct slice word, char out[WORD_MOST])
{
    size_t size = 0;

    for (size_t i = 0; i < word.size; i++) {
        if (strchr("-_ .", word.data[i]))
            continue;
        if (size + 1 >= WORD_MOST)
            return false;
        out[size++] = (char)ascii_lower(word.data[i]);
    }
    out[size] = 0;
    return size > 0;
}

static bool find_type(struct slice word, int *kind)
{
    char plain[WORD_MOST];

    if (!plain_word(word, plain))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].word, plain) == 0) {
            *kind = types[i].kind;
            return true;
        }
    return false;
}

bool indicator_type(struct slice word, enum indicator_kind *kind)
{
    int found;

    if (!find_type(slice_part(word, 0, slice_find(word, 0, '|')), &found) || found == MUTEX)
        return false;
    *kind = (enum indicator_kind)found;
    return true;
}

bool indicator_is_ignored_type(struct slice word)
{
    int found;

    return find_type(word, &found) && found == MUTEX;
}

/* --- guessing --- */

static bool is_digest(struct slice value, enum indicator_kind *kind)
{
    uint8_t bytes[32];

    if ((value.size != 32 && value.size != 40 && value.size != 64) || !scan_hex(value, bytes))
        return false;
    *kind = value.size == 32 ? INDICATOR_MD5 : value.size == 40 ? INDICATOR_SHA1 : INDICATOR_SHA256;
    return true;
}

static bool ends_as_file(struct slice value)
{
    static const char *const endings[] = {
        ".exe", ".dll",  ".sys", ".aspx", ".asp",  ".ashx", ".asmx", ".asax", ".php",
        ".jsp", ".ps1",  ".bat", ".cmd",  ".vbs",  ".js",   ".hta",  ".txt",  ".log",
        ".zip", ".rar",  ".7z",  ".dmp",  ".dat",  ".tmp",  ".msi",  ".lnk",  ".xml",
        ".png", ".jpg",  ".gif", ".htm",  ".html", ".cab",  ".doc",  ".docx", ".docm",
        ".xls", ".xlsm", ".pdf", ".bin",  ".pst",  ".vbe",  ".jse",  ".wsf"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (slice_ends_nocase(value, endings[i]))
            return true;
    return false;
}

static bool is_domain(struct slice value)
{
    size_t dot = SIZE_MAX;

    for (size_t i = 0; i < value.size; i++) {
        const uint8_t c = ascii_lower(value.data[i]);
        if (c == '.')
            dot = i;
        else if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c < 0x80)
            return false;
    }
    if (dot == SIZE_MAX || value.size - dot < 3)
        return false;
    const uint8_t first = ascii_lower(value.data[dot + 1]);
    return first >= 'a' && first <= 'z';
}

bool indicator_guess(struct slice value, enum indicator_kind *kind)
{
    struct network network;

    if (is_digest(value, kind))
        return true;
    if (network_parse(value, &network))
        *kind = INDICATOR_ADDRESS;
    else if (slice_find_nocase(value, 0, SLICE_LITERAL("://")) != SIZE_MAX)
        *kind = INDICATOR_URL;
    else if (slice_starts_nocase(value, "HKEY_") || slice_starts_nocase(value, "HKLM\\") ||
             slice_starts_nocase(value, "HKCU\\") || slice_starts_nocase(value, "HKU\\"))
        *kind = INDICATOR_REGISTRY_KEY;
    else if (slice_find(value, 0, '\\') != SIZE_MAX || slice_starts(value, "/"))
        *kind = INDICATOR_PATH;
    else if (slice_find(value, 0, '@') != SIZE_MAX)
        *kind = INDICATOR_EMAIL;
    else if (ends_as_file(value))
        *kind = INDICATOR_FILE_NAME;
    else if (is_domain(value))
        *kind = INDICATOR_DOMAIN;
    else if (slice_find(value, 0, '.') != SIZE_MAX)
        *kind = INDICATOR_FILE_NAME;
    else
        return false;
    return true;
}

/* --- forms --- */

struct slice indicator_text_regex(struct arena *arena, struct slice text, bool start, bool end)
{
    struct buffer out = BUFFER_EMPTY;

    if (start)
        buffer_add_byte(&out, '^');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x80 && strchr("\\^$.[]|()?*+{}-#", text.data[i]))
            buffer_add_byte(&out, '\\');
        buffer_add_byte(&out, text.data[i]);
    }
    if (end)
        buffer_add_byte(&out, '$');
    const struct slice kept = arena_copy(arena, buffer_slice(&out));
    buffer_release(&out);
    return kept;
}

/* '*' and '?' of a path, which end at a folder. */
static struct slice wildcard_regex(struct arena *arena, struct slice text)
{
    struct buffer out = BUFFER_EMPTY;

    buffer_add_text(&out, text.size && text.data[0] == '\\' ? "" : "(^|\\\\)");
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (c == '*') {
            buffer_add_text(&out, "[^\\\\]*");
        } else if (c == '?') {
            buffer_add_text(&out, "[^\\\\]");
        } else {
            if (c < 0x80 && strchr("\\^$.[]|()+{}-#", c))
                buffer_add_byte(&out, '\\');
            buffer_add_byte(&out, c);
        }
    }
    buffer_add_byte(&out, '$');
    const struct slice kept = arena_copy(arena, buffer_slice(&out));
    buffer_release(&out);
    return kept;
}

/* Where variables of the environment lead to, as the end of a path. */
static const struct {
    const char *name, *folder;
} variables[] = {
    {"%tmp%", "\\temp"},
    {"%temp%", "\\temp"},
    {"%windir%", "\\windows"},
    {"%systemroot%", "\\windows"},
    {"%programdata%", "\\programdata"},
    {"%allusersprofile%", "\\programdata"},
    {"%appdata%", "\\appdata\\roaming"},
    {"%localappdata%", "\\appdata\\local"},
    {"%public%", "\\users\\public"},
    {"%programfiles%", "\\program files"},
    {"%systemdrive%", ""},
};

/* "C:\x" is rooted, "%temp%\x" and "x\y" are the ends of paths. */
static struct slice path_form(struct arena *arena, struct slice text, bool *rooted)
{
    const size_t percent = slice_starts(text, "%") ? slice_find(text, 1, '%') : SIZE_MAX;

    *rooted = text.size > 3 && text.data[1] == ':' && (text.data[2] == '\\' || text.data[2] == '/');
    if (*rooted)
        return slice_from(text, 2);
    if (percent != SIZE_MAX) {
        const struct slice rest = slice_from(text, percent + 1);
        for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
            if (slice_starts_nocase(text, variables[i].name))
                return slice_of_text(arena_format(arena, "%s%.*s", variables[i].folder,
                                                  (int)rest.size, (const char *)rest.data));
        return rest;
    }
    if (text.data[0] == '\\' || text.data[0] == '/')
        return text;
    return slice_of_text(arena_format(arena, "\\%.*s", (int)text.size, (const char *)text.data));
}

static struct slice key_form(struct arena *arena, struct slice text)
{
    static const struct {
        const char *from, *to;
    } hives[] = {{"HKEY_LOCAL_MACHINE\\", "HKLM\\"},
                 {"HKEY_USERS\\", "HKU\\"},
                 {"HKEY_CURRENT_USER\\", "\\"},
                 {"HKCU\\", "\\"},
                 {"HKEY_CLASSES_ROOT\\", "HKLM\\SOFTWARE\\Classes\\"},
                 {"HKCR\\", "HKLM\\SOFTWARE\\Classes\\"}};

    for (size_t i = 0; i < sizeof hives / sizeof *hives; i++) {
        if (!slice_starts_nocase(text, hives[i].from))
            continue;
        const struct slice rest = slice_from(text, strlen(hives[i].from));
        return slice_of_text(
            arena_format(arena, "%s%.*s", hives[i].to, (int)rest.size, (const char *)rest.data));
    }
    return text;
}

/* "hxxp", "[.]" and "(dot)" are how lists keep people from clicking. */
static struct slice refanged(struct arena *arena, struct slice text)
{
    struct buffer out = BUFFER_EMPTY;

    if (slice_find(text, 0, '[') == SIZE_MAX && !slice_starts_nocase(text, "hxxp"))
        return text;
    for (size_t i = 0; i < text.size; i++) {
        const struct slice rest = slice_from(text, i);
        if (i == 0 && slice_starts_nocase(rest, "hxxp")) {
            buffer_add_text(&out, "http");
            i += 3;
        } else if (slice_starts(rest, "[.]") || slice_starts(rest, "[:]")) {
            buffer_add_byte(&out, rest.data[1]);
            i += 2;
        } else {
            buffer_add_byte(&out, text.data[i]);
        }
    }
    const struct slice kept = arena_copy(arena, buffer_slice(&out));
    buffer_release(&out);
    return kept;
}

static bool has_wildcard(struct slice text)
{
    return slice_find(text, 0, '*') != SIZE_MAX || slice_find(text, 0, '?') != SIZE_MAX;
}

static void shape(struct arena *arena, struct indicator_fact *fact)
{
    struct slice *text = &fact->text;

    if (fact->kind == INDICATOR_FILE_NAME && (slice_find(*text, 0, '\\') != SIZE_MAX))
        fact->kind = INDICATOR_PATH;
    if (fact->kind == INDICATOR_PATH && slice_find(*text, 0, '\\') == SIZE_MAX &&
        slice_find(*text, 0, '/') == SIZE_MAX)
        fact->kind = INDICATOR_FILE_NAME;
    if (fact->kind == INDICATOR_PATH)
        *text = path_form(arena, *text, &fact->rooted);
    if ((fact->kind == INDICATOR_PATH || fact->kind == INDICATOR_FILE_NAME) &&
        has_wildcard(*text)) {
        *text = wildcard_regex(arena, *text);
        fact->kind = INDICATOR_PATH_REGEX;
    } else if (fact->kind == INDICATOR_REGISTRY_KEY) {
        *text = key_form(arena, *text);
    } else if (fact->kind == INDICATOR_DOMAIN) {
        *text = refanged(arena, *text);
        while (text->size && (text->data[0] == '*' || text->data[0] == '.'))
            *text = slice_from(*text, 1);
    } else if (fact->kind == INDICATOR_URL) {
        *text = refanged(arena, *text);
        const size_t scheme = slice_find_nocase(*text, 0, SLICE_LITERAL("://"));
        *text = scheme == SIZE_MAX ? *text : slice_from(*text, scheme + 3);
    } else if (fact->kind == INDICATOR_ADDRESS) {
        *text = refanged(arena, *text);
    }
}

void indicator_tell_kind(const struct indicator_sink *sink, struct arena *arena,
                         enum indicator_kind kind, struct slice value,
                         const struct indicator_fact *base)
{
    struct indicator_fact fact = *base;

    fact.kind = kind;
    fact.text = slice_trim(value);
    if (fact.text.size == 0) {
        sink->refuse(sink->context, base->line, "empty");
        return;
    }
    if (kind == INDICATOR_KINDS && !indicator_guess(fact.text, &fact.kind)) {
        sink->refuse(sink->context, base->line, "the value tells no type");
        return;
    }
    shape(arena, &fact);
    sink->add(sink->context, &fact);
}

/* "filename|sha256" with "a.aspx|8e90...": the strongest of the two is looked for. */
void indicator_tell(const struct indicator_sink *sink, struct arena *arena, struct slice type,
                    struct slice value, const struct indicator_fact *base)
{
    const size_t bar = slice_find(type, 0, '|'), cut = slice_find(value, 0, '|');
    enum indicator_kind first, second;

    if (indicator_is_ignored_type(type)) {
        sink->ignore(sink->context, base->line, "mutex");
        return;
    }
    if (!indicator_type(type, &first)) {
        const char *reason =
            arena_format(arena, "type '%.*s' is not known", type.size < 60 ? (int)type.size : 60,
                         (const char *)type.data);
        sink->refuse(sink->context, base->line, reason ? reason : "type is not known");
        return;
    }
    if (bar != SIZE_MAX && cut != SIZE_MAX) {
        if (indicator_type(slice_from(type, bar + 1), &second) && second <= INDICATOR_SHA256) {
            first = second;
            value = slice_from(value, cut + 1);
        } else {
            value = slice_part(value, 0, cut);
        }
    }
    indicator_tell_kind(sink, arena, first, value, base);
}
