#include "triage/report/pseudonyms.h"

#include "triage/base/error.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MOST_NAMES = 1 << 20,
    MOST_NODES = 32 << 20,
    MOST_DOMAINS = 64,
    NAME_MOST = 320,
    USER_LEAST = 3,
    ENCODED_LEAST = 20,
    ENCODED_MOST = 64 << 10,
    TELLING = 5, /* bytes of a name that do not stand in other bytes by chance */
};

struct entry {
    enum pseudonym kind;
    uint32_t number; /* 0 until it is used */
    uint32_t alias;  /* the entry whose pseudonym it shares, from 1 */
    bool in_text;    /* looked for in all texts; otherwise known by its form */
    bool is_kept;
    char *text;
};

struct node {
    uint32_t child, next, entry; /* from 1 */
    uint8_t byte;                /* lower case */
};

struct pseudonyms {
    struct entry *entries;
    size_t count, room;
    struct node *nodes; /* the first 256 are where names begin */
    size_t node_count, node_room;
    uint32_t used[PSEUDONYM_KINDS];
    const char *domains[MOST_DOMAINS];
    size_t domain_count;
    bool failed;
};

static const char *const kinds[PSEUDONYM_KINDS] = {"user", "mailbox", "ip-public", "ip-private",
                                                   "host", "domain",  "sid",       "encoded"};

struct pseudonyms *pseudonyms_new(void)
{
    struct pseudonyms *names = calloc(1, sizeof *names);

    if (names) {
        names->node_room = 4096;
        names->node_count = 256;
        names->nodes = calloc(names->node_room, sizeof *names->nodes);
    }
    if (!names || !names->nodes) {
        free(names);
        return NULL;
    }
    return names;
}

void pseudonyms_free(struct pseudonyms *names)
{
    if (!names)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->entries[i].text);
    free(names->entries);
    free(names->nodes);
    free(names);
}

int pseudonyms_check(const struct pseudonyms *names)
{
    return names->failed ? error_set("more names than can be replaced by pseudonyms") : 0;
}

/* --- the names --- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_word(uint8_t c)
{
    return isalnum(c) || c >= 0x80;
}

static uint32_t child_of(const struct pseudonyms *names, uint32_t node, uint8_t byte)
{
    uint32_t child = names->nodes[node].child;

    while (child && names->nodes[child].byte != byte)
        child = names->nodes[child].next;
    return child;
}

static uint32_t add_child(struct pseudonyms *names, uint32_t node, uint8_t byte)
{
    if (names->node_count == names->node_room) {
        const size_t room = 2 * names->node_room;
        struct node *grown = room > MOST_NODES ? NULL : realloc(names->nodes, room * sizeof *grown);
        if (!grown) {
            names->failed = true;
            return 0;
        }
        names->nodes = grown;
        names->node_room = room;
    }
    const uint32_t child = (uint32_t)names->node_count++;
    names->nodes[child] = (struct node){.byte = byte, .next = names->nodes[node].child};
    names->nodes[node].child = child;
    return child;
}

/* The node of a name, made when it is not there; 0 when memory is out. */
static uint32_t node_of(struct pseudonyms *names, struct slice text)
{
    uint32_t node = lower(text.data[0]);

    for (size_t i = 1; i < text.size; i++) {
        const uint8_t byte = lower(text.data[i]);
        const uint32_t child = child_of(names, node, byte);
        node = child ? child : add_child(names, node, byte);
        if (!node)
            return 0;
    }
    return node;
}

static struct entry *new_entry(struct pseudonyms *names)
{
    if (names->count == names->room) {
        const size_t room = names->room ? 2 * names->room : 1024;
        struct entry *grown =
            room > MOST_NAMES ? NULL : realloc(names->entries, room * sizeof *grown);
        if (!grown) {
            names->failed = true;
            return NULL;
        }
        names->entries = grown;
        names->room = room;
    }
    struct entry *entry = &names->entries[names->count];
    *entry = (struct entry){0};
    return entry;
}

/* The entry's number from 1; what is known already stays what it was. */
static uint32_t learn(struct pseudonyms *names, enum pseudonym kind, struct slice text,
                      bool in_text)
{
    if (text.size == 0 || text.size > NAME_MOST || names->failed)
        return 0;
    const uint32_t node = node_of(names, text);
    if (names->failed)
        return 0;
    if (names->nodes[node].entry) {
        names->entries[names->nodes[node].entry - 1].in_text |= in_text;
        return names->nodes[node].entry;
    }
    struct entry *entry = new_entry(names);
    if (!entry || !(entry->text = strndup((const char *)text.data, text.size))) {
        names->failed = true;
        return 0;
    }
    entry->kind = kind;
    entry->in_text = in_text;
    return names->nodes[node].entry = (uint32_t)++names->count;
}

void pseudonyms_keep(struct pseudonyms *names, struct slice text)
{
    const uint32_t entry = learn(names, PSEUDONYM_PUBLIC_ADDRESS, text, false);

    if (entry)
        names->entries[entry - 1].is_kept = true;
}

static void add_pseudonym(struct pseudonyms *names, uint32_t number, struct buffer *out)
{
    struct entry *entry = number ? &names->entries[number - 1] : NULL;

    if (entry && entry->alias)
        entry = &names->entries[entry->alias - 1];
    if (!entry) {
        buffer_add_text(out, "redacted");
        return;
    }
    if (!entry->number)
        entry->number = ++names->used[entry->kind];
    buffer_format(out, "%s-%04u", kinds[entry->kind], entry->number);
}

/* --- learning --- */

/* What every Windows has, and words that stand for nobody. */
static bool is_common(struct slice text)
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

static bool is_all_of(struct slice text, const char *characters)
{
    for (size_t i = 0; i < text.size; i++)
        if (!text.data[i] || !strchr(characters, text.data[i]))
            return false;
    return true;
}

static bool is_host_text(struct slice text)
{
    return text.size >= USER_LEAST && text.size < 254 && isalnum(text.data[0]) &&
           !is_all_of(text, "0123456789.") && !is_common(text) &&
           is_all_of(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
}

static bool ends_with(struct slice text, const char *end)
{
    const size_t size = strlen(end);

    return text.size > size + 1 && text.data[text.size - size - 1] == '.' &&
           strncasecmp((const char *)text.data + text.size - size, end, size) == 0;
}

static bool is_inner(const struct pseudonyms *names, struct slice text)
{
    for (size_t i = 0; i < names->domain_count; i++)
        if (ends_with(text, names->domains[i]))
            return true;
    return false;
}

/* A host below a domain shares the pseudonym of its short name. */
static uint32_t learn_full_host(struct pseudonyms *names, struct slice text)
{
    const struct slice label = slice_part(text, 0, slice_find(text, 0, '.'));
    const uint32_t known = names->count + 2 < MOST_NAMES && is_host_text(label)
                               ? learn(names, PSEUDONYM_HOST, label, true)
                               : 0;
    const uint32_t whole = learn(names, PSEUDONYM_HOST, text, true);

    if (known && whole && known != whole && !names->entries[whole - 1].number &&
        names->entries[known - 1].kind == PSEUDONYM_HOST)
        names->entries[whole - 1].alias = known;
    return whole;
}

void pseudonyms_learn_host(struct pseudonyms *names, struct slice text)
{
    const size_t colon = slice_find(text, 0, ':');
    const struct slice host = slice_trim(slice_part(text, 0, colon));

    if (!is_host_text(host))
        return;
    if (is_inner(names, host))
        learn_full_host(names, host);
    else
        learn(names, PSEUDONYM_HOST, host, true);
}

void pseudonyms_learn_domain(struct pseudonyms *names, struct slice text)
{
    const struct slice domain = slice_trim(text);
    const size_t dot = slice_find(domain, 0, '.');

    if (!is_host_text(domain))
        return;
    const uint32_t whole = learn(names, PSEUDONYM_DOMAIN, domain, true);
    if (dot == SIZE_MAX || !whole)
        return;
    if (names->domain_count < MOST_DOMAINS && !is_inner(names, domain))
        names->domains[names->domain_count++] = names->entries[whole - 1].text;
    const struct slice label = slice_part(domain, 0, dot);
    const uint32_t part = is_host_text(label) ? learn(names, PSEUDONYM_DOMAIN, label, true) : 0;
    if (part && !names->entries[part - 1].number && part != whole)
        names->entries[part - 1].alias = whole;
}

static void learn_account(struct pseudonyms *names, struct slice text)
{
    const struct slice name = slice_trim(text);

    if (name.size < USER_LEAST || name.size > 128 || is_common(name) ||
        is_all_of(name, "0123456789-.:") || strncasecmp((const char *)name.data, "S-1-", 4) == 0)
        return;
    if (name.data[name.size - 1] == '$')
        pseudonyms_learn_host(names, slice_part(name, 0, name.size - 1));
    else
        learn(names, PSEUDONYM_USER, name, true);
}

void pseudonyms_learn_user(struct pseudonyms *names, struct slice text)
{
    const size_t slash = slice_find(text, 0, '\\'), at = slice_find(text, 0, '@');

    if (slash != SIZE_MAX) {
        const struct slice domain = slice_trim(slice_part(text, 0, slash));
        if (is_host_text(domain))
            learn(names, PSEUDONYM_DOMAIN, domain, true);
        text = slice_from(text, slash + 1);
        if (slice_find(text, 0, '\\') != SIZE_MAX)
            return; /* a path */
    } else if (at != SIZE_MAX) {
        text = slice_part(text, 0, at);
    }
    learn_account(names, text);
}

/* Bytes of a name in a path or behind a domain's name. */
static size_t name_run(struct slice text, bool with_blanks)
{
    size_t size = 0;

    while (size < text.size && size < 64 &&
           (is_word(text.data[size]) || strchr("._-$", text.data[size]) ||
            (with_blanks && text.data[size] == ' ')) &&
           text.data[size])
        size++;
    return size;
}

/* "\Users\alice\", with one or two backslashes. */
static void learn_profiles(struct pseudonyms *names, struct slice text)
{
    static const char *const folders[] = {"users", "documents and settings"};

    for (size_t at = 0; (at = slice_find(text, at, '\\')) != SIZE_MAX;) {
        while (at < text.size && text.data[at] == '\\')
            at++;
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
            const size_t size = strlen(folders[i]);
            if (text.size - at < size + 2 || text.data[at + size] != '\\' ||
                strncasecmp((const char *)text.data + at, folders[i], size) != 0)
                continue;
            size_t start = at + size;
            while (start < text.size && text.data[start] == '\\')
                start++;
            const struct slice rest = slice_from(text, start);
            const size_t name = name_run(rest, true);
            const bool ends = name < rest.size && rest.data[name] == '\\';
            learn_account(names, slice_part(rest, 0, ends ? name : name_run(rest, false)));
        }
    }
}

static const struct entry *entry_of(const struct pseudonyms *names, struct slice text)
{
    uint32_t node = text.size ? lower(text.data[0]) : 0;

    for (size_t i = 1; i < text.size && node; i++)
        node = child_of(names, node, lower(text.data[i]));
    return text.size && node && names->nodes[node].entry
               ? &names->entries[names->nodes[node].entry - 1]
               : NULL;
}

/* "CONTOSO\alice" where the domain or the machine is known. */
static void learn_accounts(struct pseudonyms *names, struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, '\\')) != SIZE_MAX; at++) {
        size_t start = at, next = at + 1;
        while (start > 0 && at - start < 64 &&
               (is_word(text.data[start - 1]) || text.data[start - 1] == '-'))
            start--;
        const struct entry *entry = entry_of(names, slice_part(text, start, at - start));
        if (!entry || (entry->kind != PSEUDONYM_DOMAIN && entry->kind != PSEUDONYM_HOST))
            continue;
        if (next < text.size && text.data[next] == '\\')
            next++;
        const struct slice rest = slice_from(text, next);
        learn_account(names, slice_part(rest, 0, name_run(rest, false)));
    }
}

static const char host_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

static size_t run_of(struct slice text, const char *characters, size_t most)
{
    size_t size = 0;

    while (size < text.size && size < most && text.data[size] &&
           strchr(characters, text.data[size]))
        size++;
    return size;
}

/* Bytes of a host's name behind an at sign, with a dot in it or a port behind it: "a]@mail01:444",
 * "?@mail.example". */
static size_t host_behind_sign(struct slice text, size_t at)
{
    const struct slice rest = slice_from(text, at);
    size_t size = run_of(rest, host_characters, 253);
    const bool has_port =
        size + 1 < rest.size && rest.data[size] == ':' && isdigit(rest.data[size + 1]);

    while (size && !isalnum(rest.data[size - 1]))
        size--;
    return size && at > 0 && text.data[at - 1] == '@' &&
                   (has_port || memchr(rest.data, '.', size)) &&
                   is_host_text(slice_part(rest, 0, size))
               ? size
               : 0;
}

static void learn_hosts(struct pseudonyms *names, struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, '@')) != SIZE_MAX; at++) {
        const size_t size = host_behind_sign(text, at + 1);
        if (size)
            pseudonyms_learn_host(names, slice_part(text, at + 1, size));
    }
}

static bool ends_domain(const struct pseudonyms *names, struct slice text, size_t end)
{
    for (size_t i = 0; i < names->domain_count; i++) {
        const size_t size = strlen(names->domains[i]);
        if (end >= size && (end == size || !isalnum(text.data[end - size - 1])) &&
            strncasecmp((const char *)text.data + end - size, names->domains[i], size) == 0)
            return true;
    }
    return false;
}

/* Bytes of what stands behind a domain's slash: "Users/Carol Jones". */
static size_t directory_run(struct slice text)
{
    size_t size = 0;

    while (size < text.size && size < 200 && text.data[size] >= 0x20 &&
           !strchr("\"<>,;)'|#&\\", text.data[size])) {
        if (text.size - size > 4 && memcmp(text.data + size, " in ", 4) == 0)
            break; /* "by contoso.example/Users/Carol Jones in 5668 w3wp" */
        size++;
    }
    return size;
}

/* "contoso.example/Users/Carol Jones": how the directory names people (canonical names). */
static void learn_directory_names(struct pseudonyms *names, struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, '/')) != SIZE_MAX; at++) {
        if (!ends_domain(names, text, at))
            continue;
        const struct slice path = slice_from(text, at + 1);
        const struct slice whole = slice_part(path, 0, directory_run(path));
        size_t start = whole.size;
        while (start > 0 && whole.data[start - 1] != '/')
            start--;
        if (start > 0)
            learn_account(names, slice_from(whole, start));
    }
}

void pseudonyms_learn_text(struct pseudonyms *names, struct slice text)
{
    learn_directory_names(names, text);
    learn_hosts(names, text);
    learn_profiles(names, text);
    learn_accounts(names, text);
}

/* --- what is known by its form --- */

struct found {
    size_t size; /* bytes of the text; 0 when there is nothing */
    enum pseudonym kind;
    struct slice key; /* as it is remembered */
    char room[NAME_MOST + 1];
};

static bool is_private_v4(const uint8_t b[4])
{
    return b[0] == 10 || (b[0] == 172 && b[1] >= 16 && b[1] < 32) || (b[0] == 192 && b[1] == 168) ||
           (b[0] == 169 && b[1] == 254) || (b[0] == 100 && b[1] >= 64 && b[1] < 128);
}

/* Loopback and "any" say nothing of anybody. */
static void take_v4(const uint8_t b[4], size_t size, struct found *found)
{
    if (b[0] == 127 || b[0] == 0 || b[0] == 255)
        return;
    snprintf(found->room, sizeof found->room, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    found->size = size;
    found->kind = is_private_v4(b) ? PSEUDONYM_PRIVATE_ADDRESS : PSEUDONYM_PUBLIC_ADDRESS;
    found->key = slice_of_text(found->room);
}

static void find_v4(struct slice text, struct found *found)
{
    size_t size = run_of(text, "0123456789.", 16);
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

static void find_v6(struct slice text, struct found *found)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    size_t size = run_of(text, "0123456789abcdefABCDEF:.", 46);
    char copy[48];
    uint8_t b[16];

    while (size && (text.data[size - 1] == '.' ||
                    (text.data[size - 1] == ':' && size > 1 && text.data[size - 2] != ':')))
        size--;
    if (size < 4 || size > 45 || (size < text.size && is_word(text.data[size])))
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

static void find_sid(struct slice text, struct found *found)
{
    static const char start[] = "S-1-5-21-";

    if (text.size < sizeof start || strncasecmp((const char *)text.data, start, 9) != 0)
        return;
    found->size = 9 + run_of(slice_from(text, 9), "0123456789-", 60);
    while (text.data[found->size - 1] == '-')
        found->size--;
    found->kind = PSEUDONYM_SID;
    found->key = slice_part(text, 0, found->size);
}

static const char local_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-${}~=#!&'";

/* "alice@contoso.example", also with "%40" for the at sign. */
static void find_mailbox(struct slice text, struct found *found)
{
    size_t local = run_of(text, local_characters, 128);
    const bool escaped = local + 3 <= text.size && memcmp(text.data + local, "%40", 3) == 0;
    const size_t sign = escaped ? 3 : 1;

    if (!local || local + sign >= text.size || (!escaped && text.data[local] != '@'))
        return;
    const struct slice rest = slice_from(text, local + sign);
    size_t domain = run_of(rest, host_characters, 128);
    while (domain && !isalnum(rest.data[domain - 1]))
        domain--;
    if (domain < 4 || !memchr(rest.data, '.', domain) || !isalnum(rest.data[0]))
        return;
    snprintf(found->room, sizeof found->room, "%.*s@%.*s", (int)local, (const char *)text.data,
             (int)domain, (const char *)rest.data);
    found->size = local + sign + domain;
    found->kind = PSEUDONYM_MAILBOX;
    found->key = slice_of_text(found->room);
}

/* A name below a domain that is known. */
static void find_host(const struct pseudonyms *names, struct slice text, struct found *found)
{
    size_t size = run_of(text, host_characters, 253);

    while (size && !isalnum(text.data[size - 1]))
        size--;
    if (!is_inner(names, slice_part(text, 0, size)))
        return;
    found->size = size;
    found->kind = PSEUDONYM_HOST;
    found->key = slice_part(text, 0, size);
}

/* --- replacing --- */

/* "%2F" or "\n" in front of a name does not belong to it. */
static bool ends_escape(struct slice text, size_t at)
{
    return (at >= 3 && text.data[at - 3] == '%' && isxdigit(text.data[at - 2]) &&
            isxdigit(text.data[at - 1])) ||
           (at >= 2 && text.data[at - 2] == '\\' && strchr("nrtf", text.data[at - 1]));
}

static bool begins_word(struct slice text, size_t at)
{
    return at == 0 || !is_word(text.data[at - 1]) || ends_escape(text, at);
}

static bool begins_run(struct slice text, size_t at, const char *characters)
{
    return at == 0 || !text.data[at - 1] || !strchr(characters, text.data[at - 1]) ||
           ends_escape(text, at);
}

/* A name so telling that it is looked for within words too. */
static bool stands_anywhere(const struct entry *entry, size_t size)
{
    const bool odd = strpbrk(entry->text, "0123456789.") != NULL;

    return entry->kind == PSEUDONYM_USER ? odd && size >= 6 : size >= 6 || (odd && size >= 4);
}

/* The longest learned name that begins here. */
static uint32_t longest_name(const struct pseudonyms *names, struct slice text, size_t at,
                             size_t *size)
{
    const bool begins = begins_word(text, at);
    uint32_t node = lower(text.data[at]), best = 0;

    for (size_t i = at; node || i == at; i++) {
        const uint32_t number = names->nodes[node].entry;
        const struct entry *entry = number ? &names->entries[number - 1] : NULL;
        const bool ends = i + 1 == text.size || !is_word(text.data[i + 1]);
        if (entry && entry->in_text && !entry->is_kept &&
            ((begins && ends) || stands_anywhere(entry, i + 1 - at))) {
            best = number;
            *size = i + 1 - at;
        }
        if (i + 1 == text.size || !(node = child_of(names, node, lower(text.data[i + 1]))))
            break;
    }
    return best;
}

static void find_form(const struct pseudonyms *names, struct slice text, size_t at,
                      struct found *found)
{
    const struct slice rest = slice_from(text, at);
    const uint8_t c = text.data[at];

    found->size = 0;
    if ((c | 0x20) == 's' && begins_word(text, at))
        find_sid(rest, found);
    if (!found->size && begins_run(text, at, local_characters) && strchr(local_characters, c) && c)
        find_mailbox(rest, found);
    if (!found->size && isdigit(c) && begins_run(text, at, "0123456789."))
        find_v4(rest, found);
    if (!found->size && (isxdigit(c) || c == ':') &&
        begins_run(text, at, "0123456789abcdefABCDEF:") && begins_word(text, at))
        find_v6(rest, found);
    if (!found->size && isalnum(c) && begins_run(text, at, host_characters))
        find_host(names, rest, found);
    if (!found->size && (found->size = host_behind_sign(text, at))) {
        found->kind = PSEUDONYM_HOST;
        found->key = slice_part(rest, 0, found->size);
    }
}

static bool holds_name(struct pseudonyms *names, struct slice text)
{
    struct found found;

    for (size_t at = 0; at < text.size; at++) {
        size_t size = 0;
        find_form(names, text, at, &found);
        if (found.size || (longest_name(names, text, at, &size) && size >= TELLING))
            return true;
    }
    return false;
}

static int value_of(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+' || c == '-' ? 62
           : c == '/' || c == '_' ? 63
                                  : -1;
}

/* The bytes that Base64 stands for, without NULs, so that UTF-16 reads like ASCII. */
static void decode(struct slice text, struct buffer *out)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < text.size; i++) {
        const int value = value_of(text.data[i]);
        if (value < 0)
            continue;
        bits = bits << 6 | (uint32_t)value;
        if ((count += 6) >= 8) {
            count -= 8;
            const uint8_t byte = (uint8_t)(bits >> count);
            if (byte)
                buffer_add_byte(out, byte);
        }
    }
}

/* Bytes of Base64 in which a name is hidden; 0 when there is none. */
static size_t find_encoded(struct pseudonyms *names, struct slice text, size_t at)
{
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_-";
    struct buffer bytes = BUFFER_EMPTY;
    bool hidden = false;

    if (!begins_run(text, at, characters))
        return 0;
    const size_t size = run_of(slice_from(text, at), characters, ENCODED_MOST);
    if (size < ENCODED_LEAST)
        return 0;
    /* Other characters of the alphabet may stand in front: each of the four ways to begin. */
    for (size_t skipped = 0; skipped < 4 && !hidden; skipped++) {
        buffer_clear(&bytes);
        decode(slice_part(text, at + skipped, size - skipped), &bytes);
        hidden = holds_name(names, buffer_slice(&bytes));
    }
    buffer_release(&bytes);
    return !hidden ? 0 : size + run_of(slice_from(text, at + size), "=", 2);
}

/* What stands at `at`: its size, and the entry; 0 when it is nothing to hide. */
static uint32_t find(struct pseudonyms *names, struct slice text, size_t at, size_t *size)
{
    struct found found;

    if ((*size = find_encoded(names, text, at)))
        return learn(names, PSEUDONYM_ENCODED,
                     slice_part(text, at, *size < NAME_MOST ? *size : NAME_MOST), false);
    find_form(names, text, at, &found);
    if (found.size) {
        const struct entry *known = entry_of(names, found.key);
        *size = found.size;
        return known && known->is_kept        ? 0
               : found.kind == PSEUDONYM_HOST ? learn_full_host(names, found.key)
                                              : learn(names, found.kind, found.key, false);
    }
    return longest_name(names, text, at, size);
}

bool pseudonyms_replace(struct pseudonyms *names, struct slice text, struct buffer *out)
{
    bool replaced = false;

    for (size_t at = 0; at < text.size;) {
        size_t size = 0;
        const uint32_t entry = find(names, text, at, &size);
        if (entry) {
            add_pseudonym(names, entry, out);
            replaced = true;
        } else {
            size = size ? size : 1;
            buffer_add(out, slice_part(text, at, size));
        }
        at += size;
    }
    return replaced;
}

/* --- JSON --- */

static unsigned hex4(const uint8_t *at)
{
    char text[5];

    snprintf(text, sizeof text, "%.4s", (const char *)at);
    return (unsigned)strtoul(text, NULL, 16);
}

static void add_point(struct buffer *out, uint32_t point)
{
    if (point < 0x80) {
        buffer_add_byte(out, (uint8_t)point);
    } else if (point < 0x800) {
        buffer_add_byte(out, (uint8_t)(0xC0 | point >> 6));
        buffer_add_byte(out, (uint8_t)(0x80 | (point & 63)));
    } else if (point < 0x10000) {
        buffer_add_byte(out, (uint8_t)(0xE0 | point >> 12));
        buffer_add_byte(out, (uint8_t)(0x80 | (point >> 6 & 63)));
        buffer_add_byte(out, (uint8_t)(0x80 | (point & 63)));
    } else {
        buffer_add_byte(out, (uint8_t)(0xF0 | point >> 18));
        buffer_add_byte(out, (uint8_t)(0x80 | (point >> 12 & 63)));
        buffer_add_byte(out, (uint8_t)(0x80 | (point >> 6 & 63)));
        buffer_add_byte(out, (uint8_t)(0x80 | (point & 63)));
    }
}

/* One escape of a JSON text behind its backslash; gives the bytes taken. */
static size_t add_escape(struct slice text, struct buffer *out)
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    const char *known = text.data[0] ? strchr(escapes, text.data[0]) : NULL;

    if (text.data[0] == 'u' && text.size >= 5) {
        uint32_t point = hex4(text.data + 1);
        if (point >> 10 == 0x36 && text.size >= 11 && text.data[5] == '\\' && text.data[6] == 'u') {
            point = 0x10000 + ((point & 0x3FF) << 10) + (hex4(text.data + 7) & 0x3FF);
            add_point(out, point);
            return 11;
        }
        add_point(out, point);
        return 5;
    }
    buffer_add_byte(out, known && (known - escapes) % 2 == 0 ? (uint8_t)known[1] : text.data[0]);
    return 1;
}

/* Bytes of the JSON text that begins with a quote, both quotes included; its content in `plain`. */
static size_t read_text(struct slice json, struct buffer *plain)
{
    size_t at = 1;

    buffer_clear(plain);
    while (at < json.size && json.data[at] != '"') {
        if (json.data[at] == '\\' && at + 1 < json.size)
            at += 1 + add_escape(slice_from(json, at + 1), plain);
        else
            buffer_add_byte(plain, json.data[at++]);
    }
    return at < json.size ? at + 1 : json.size;
}

bool pseudonyms_replace_json(struct pseudonyms *names, struct slice text, struct buffer *out)
{
    struct buffer plain = BUFFER_EMPTY, changed = BUFFER_EMPTY;
    bool replaced = false;

    for (size_t at = 0; at < text.size;) {
        if (text.data[at] != '"') {
            buffer_add_byte(out, text.data[at++]);
            continue;
        }
        const size_t size = read_text(slice_from(text, at), &plain);
        size_t behind = at + size;
        while (behind < text.size && strchr(" \t\r\n", text.data[behind]) && text.data[behind])
            behind++;
        const bool is_key = behind < text.size && text.data[behind] == ':';
        buffer_clear(&changed);
        if (!is_key && pseudonyms_replace(names, buffer_slice(&plain), &changed)) {
            struct json json = json_over(out, false);
            json_slice(&json, buffer_slice(&changed));
            replaced = true;
        } else {
            buffer_add(out, slice_part(text, at, size));
        }
        at += size;
    }
    buffer_release(&plain);
    buffer_release(&changed);
    return replaced;
}

void pseudonyms_json(const struct pseudonyms *names, struct json *json)
{
    char pseudonym[40];

    json_array(json);
    for (size_t i = 0; i < names->count; i++) {
        const struct entry *entry = &names->entries[i];
        const struct entry *shown = entry->alias ? &names->entries[entry->alias - 1] : entry;
        if (!shown->number)
            continue;
        snprintf(pseudonym, sizeof pseudonym, "%s-%04u", kinds[shown->kind], shown->number);
        json_object(json);
        json_pair(json, "pseudonym", pseudonym);
        json_pair(json, "kind", kinds[shown->kind]);
        json_pair(json, "value", entry->text);
        json_object_end(json);
    }
    json_array_end(json);
}
