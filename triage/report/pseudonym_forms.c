/* What names of networks, mailboxes, security identifiers and hosts look like. */
#include "triage/report/pseudonym_parts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_LEAST = 3, HOST_MOST = 253 };

/* --- words and runs --- */

bool pseudonym_is_word(uint8_t c)
{
    return isalnum(c) || c >= 0x80;
}

bool pseudonym_is_all_of(struct slice text, const char *characters)
{
    for (size_t i = 0; i < text.size; i++)
        if (!text.data[i] || !strchr(characters, text.data[i]))
            return false;
    return true;
}

size_t pseudonym_run(struct slice text, const char *characters, size_t most)
{
    size_t size = 0;

    while (size < text.size && size < most && text.data[size] &&
           strchr(characters, text.data[size]))
        size++;
    return size;
}

/* "%2F" or "\n" in front of a name does not belong to it. */
static bool ends_escape(struct slice text, size_t at)
{
    return (at >= 3 && text.data[at - 3] == '%' && isxdigit(text.data[at - 2]) &&
            isxdigit(text.data[at - 1])) ||
           (at >= 2 && text.data[at - 2] == '\\' && strchr("nrtf", text.data[at - 1]));
}

bool pseudonym_begins_word(struct slice text, size_t at)
{
    return at == 0 || !pseudonym_is_word(text.data[at - 1]) || ends_escape(text, at);
}

bool pseudonym_begins_run(struct slice text, size_t at, const char *characters)
{
    return at == 0 || !text.data[at - 1] || !strchr(characters, text.data[at - 1]) ||
           ends_escape(text, at);
}

/* --- addresses --- */

static bool is_private_v4(const uint8_t b[4])
{
    return b[0] == 10 || (b[0] == 172 && b[1] >= 16 && b[1] < 32) || (b[0] == 192 && b[1] == 168) ||
           (b[0] == 169 && b[1] == 254) || (b[0] == 100 && b[1] >= 64 && b[1] < 128);
}

/* Loopback and "any" say nothing of anybody. */
static void take_v4(const uint8_t b[4], size_t size, struct pseudonym_form *found)
{
    if (b[0] == 127 || b[0] == 0 || b[0] == 255)
        return;
    snprintf(found->room, sizeof found->room, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    found->size = size;
    found->kind = is_private_v4(b) ? PSEUDONYM_PRIVATE_ADDRESS : PSEUDONYM_PUBLIC_ADDRESS;
    found->key = slice_of_text(found->room);
}

static void find_v4(struct slice text, struct pseudonym_form *found)
{
    size_t size = pseudonym_run(text, "0123456789.", 16);
    char copy[17];
    uint8_t bytes[4];

    while (size && text.data[size - 1] == '.')
        size--;
    if (size < 7 || size > 15 || (size < text.size && isdigit(text.data[size])))
        return;
    snprintf(copy, sizeof copy, "%.*s", (int)size, (const char *)text.data);
    if (inet_pton(AF_INET, copy, bytes) == 1)
        take_v4(bytes, size, found);
}

static void find_v6(struct slice text, struct pseudonym_form *found)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    size_t size = pseudonym_run(text, "0123456789abcdefABCDEF:.", 46);
    char copy[48];
    uint8_t b[16];

    while (size && (text.data[size - 1] == '.' ||
                    (text.data[size - 1] == ':' && size > 1 && text.data[size - 2] != ':')))
        size--;
    if (size < 4 || size > 45 || (size < text.size && pseudonym_is_word(text.data[size])))
        return;
    snprintf(copy, sizeof copy, "%.*s", (int)size, (const char *)text.data);
    if (!strpbrk(copy, "0123456789") || inet_pton(AF_INET6, copy, b) != 1)
        return;
    if (memcmp(b, mapped, sizeof mapped) == 0) {
        take_v4(b + 12, size, found);
        return;
    }
    if (memcmp(b, (uint8_t[16]){0}, 15) == 0 || !inet_ntop(AF_INET6, b, found->room, 46))
        return; /* :: and ::1 */
    found->size = size;
    found->kind = (b[0] & 0xFE) == 0xFC || (b[0] == 0xFE && (b[1] & 0xC0) == 0x80)
                      ? PSEUDONYM_PRIVATE_ADDRESS
                      : PSEUDONYM_PUBLIC_ADDRESS;
    found->key = slice_of_text(found->room);
}

/* --- security identifiers, mailboxes --- */

static void find_sid(struct slice text, struct pseudonym_form *found)
{
    static const char start[] = "S-1-5-21-";

    if (text.size < sizeof start || strncasecmp((const char *)text.data, start, 9) != 0)
        return;
    found->size = 9 + pseudonym_run(slice_from(text, 9), "0123456789-", 60);
    while (text.data[found->size - 1] == '-')
        found->size--;
    found->kind = PSEUDONYM_SID;
    found->key = slice_part(text, 0, found->size);
}

static const char host_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

static const char local_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-${}~=#!&'";

/* Bytes of a host's name at the start, which ends with a letter or a digit. */
static size_t host_run(struct slice text, size_t most)
{
    size_t size = pseudonym_run(text, host_characters, most);

    while (size && !isalnum(text.data[size - 1]))
        size--;
    return size;
}

/* "alice@contoso.example", also with "%40" for the at sign. */
static void find_mailbox(struct slice text, struct pseudonym_form *found)
{
    size_t local = pseudonym_run(text, local_characters, 128);
    const bool escaped = local + 3 <= text.size && memcmp(text.data + local, "%40", 3) == 0;
    const size_t sign = escaped ? 3 : 1;

    if (!local || local + sign >= text.size || (!escaped && text.data[local] != '@'))
        return;
    const struct slice rest = slice_from(text, local + sign);
    const size_t domain = host_run(rest, 128);
    if (domain < 4 || !memchr(rest.data, '.', domain) || !isalnum(rest.data[0]))
        return;
    snprintf(found->room, sizeof found->room, "%.*s@%.*s", (int)local, (const char *)text.data,
             (int)domain, (const char *)rest.data);
    found->size = local + sign + domain;
    found->kind = PSEUDONYM_MAILBOX;
    found->key = slice_of_text(found->room);
}

/* --- hosts --- */

/* What every Windows has, and words that stand for nobody. */
bool pseudonym_is_common(struct slice text)
{
    static const char *const common[] = {
        "system",
        "local service",
        "network service",
        "anonymous logon",
        "administrator",
        "administrators",
        "guest",
        "guests",
        "everyone",
        "users",
        "public",
        "default",
        "default user",
        "all users",
        "defaultaccount",
        "krbtgt",
        "iusr",
        "trustedinstaller",
        "defaultapppool",
        "nt authority",
        "builtin",
        "nt service",
        "iis apppool",
        "nt virtual machine",
        "true",
        "false",
        "null",
        "none",
        "unknown",
        "localhost",
        "font driver host",
        "window manager",
        "autodiscover",
        "n/a",
        "admin",
        "anonymous",
        "localsystem",
        "mail",
        "www",
        "owa",
        "workgroup",
        "wdagutilityaccount",
        "authenticated users",
        "creator owner",
        "user",
        "test",
    };

    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (text.size == strlen(common[i]) &&
            strncasecmp((const char *)text.data, common[i], text.size) == 0)
            return true;
    return text.size > 9 && strncasecmp((const char *)text.data, "MSExchange", 10) == 0;
}

bool pseudonym_is_host(struct slice text)
{
    return text.size >= HOST_LEAST && text.size <= HOST_MOST && isalnum(text.data[0]) &&
           !pseudonym_is_all_of(text, "0123456789.") && !pseudonym_is_common(text) &&
           pseudonym_is_all_of(text,
                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
}

/* A name below a domain that is known. */
static void find_host(const struct pseudonyms *names, struct slice text,
                      struct pseudonym_form *found)
{
    const size_t size = host_run(text, HOST_MOST);

    if (!pseudonyms_has_host(names, slice_part(text, 0, size)))
        return;
    found->size = size;
    found->kind = PSEUDONYM_HOST;
    found->key = slice_part(text, 0, size);
}

size_t pseudonym_host_behind_sign(struct slice text, size_t at)
{
    const struct slice rest = slice_from(text, at);

    if (at == 0 || text.data[at - 1] != '@')
        return 0;
    const size_t size = host_run(rest, HOST_MOST),
                 end = pseudonym_run(rest, host_characters, HOST_MOST);
    const bool has_port =
        end + 1 < rest.size && rest.data[end] == ':' && isdigit(rest.data[end + 1]);
    return size && (has_port || memchr(rest.data, '.', size)) &&
                   pseudonym_is_host(slice_part(rest, 0, size))
               ? size
               : 0;
}

void pseudonym_find_form(const struct pseudonyms *names, struct slice text, size_t at,
                         struct pseudonym_form *found)
{
    const struct slice rest = slice_from(text, at);
    const uint8_t c = text.data[at];

    found->size = 0;
    if ((c | 0x20) == 's' && pseudonym_begins_word(text, at))
        find_sid(rest, found);
    if (!found->size && pseudonym_begins_run(text, at, local_characters) &&
        strchr(local_characters, c) && c)
        find_mailbox(rest, found);
    if (!found->size && isdigit(c) && pseudonym_begins_run(text, at, "0123456789."))
        find_v4(rest, found);
    if (!found->size && (isxdigit(c) || c == ':') &&
        pseudonym_begins_run(text, at, "0123456789abcdefABCDEF:") &&
        pseudonym_begins_word(text, at))
        find_v6(rest, found);
    if (!found->size && isalnum(c) && pseudonym_begins_run(text, at, host_characters))
        find_host(names, rest, found);
    if (!found->size && (found->size = pseudonym_host_behind_sign(text, at))) {
        found->kind = PSEUDONYM_HOST;
        found->key = slice_part(rest, 0, found->size);
    }
}
