/* Who is known: from fields that name a user, a host or a domain, and from what texts tell. */
#include "triage/report/pseudonym_parts.h"

#include <string.h>

enum { USER_LEAST = 3 };

uint32_t pseudonyms_add_full_host(struct pseudonyms *names, struct slice text)
{
    const struct slice label = slice_part(text, 0, slice_find(text, 0, '.'));
    const uint32_t known =
        pseudonym_is_host(label) ? pseudonyms_add(names, PSEUDONYM_HOST, label, true) : 0;
    const uint32_t whole = pseudonyms_add(names, PSEUDONYM_HOST, text, true);

    if (known && pseudonyms_at(names, known)->kind == PSEUDONYM_HOST)
        pseudonyms_share(names, whole, known);
    return whole;
}

void pseudonyms_learn_host(struct pseudonyms *names, struct slice text)
{
    const size_t colon = slice_find(text, 0, ':');
    const struct slice host = slice_trim(slice_part(text, 0, colon));

    if (!pseudonym_is_host(host))
        return;
    if (pseudonyms_has_host(names, host))
        pseudonyms_add_full_host(names, host);
    else
        pseudonyms_add(names, PSEUDONYM_HOST, host, true);
}

void pseudonyms_learn_domain(struct pseudonyms *names, struct slice text)
{
    const struct slice domain = slice_trim(text);
    const size_t dot = slice_find(domain, 0, '.');

    if (!pseudonym_is_host(domain))
        return;
    const uint32_t whole = pseudonyms_add(names, PSEUDONYM_DOMAIN, domain, true);
    if (dot == SIZE_MAX || !whole)
        return;
    pseudonyms_add_domain(names, whole);
    const struct slice label = slice_part(domain, 0, dot);
    if (pseudonym_is_host(label))
        pseudonyms_share(names, pseudonyms_add(names, PSEUDONYM_DOMAIN, label, true), whole);
}

static void learn_account(struct pseudonyms *names, struct slice text)
{
    const struct slice name = slice_trim(text);

    if (name.size < USER_LEAST || name.size > 128 || pseudonym_is_common(name) ||
        pseudonym_is_all_of(name, "0123456789-.:") || slice_starts_nocase(name, "S-1-"))
        return;
    if (name.data[name.size - 1] == '$')
        pseudonyms_learn_host(names, slice_part(name, 0, name.size - 1));
    else
        pseudonyms_add(names, PSEUDONYM_USER, name, true);
}

void pseudonyms_learn_user(struct pseudonyms *names, struct slice text)
{
    const size_t slash = slice_find(text, 0, '\\'), at = slice_find(text, 0, '@');

    if (slash != SIZE_MAX) {
        const struct slice domain = slice_trim(slice_part(text, 0, slash));
        if (pseudonym_is_host(domain))
            pseudonyms_add(names, PSEUDONYM_DOMAIN, domain, true);
        text = slice_from(text, slash + 1);
        if (slice_find(text, 0, '\\') != SIZE_MAX)
            return; /* a path */
    } else if (at != SIZE_MAX) {
        text = slice_part(text, 0, at);
    }
    learn_account(names, text);
}

/* --- texts --- */

/* Bytes of a name in a path or behind a domain's name. */
static size_t name_run(struct slice text, bool with_blanks)
{
    size_t size = 0;

    while (size < text.size && size < 64 &&
           (pseudonym_is_word(text.data[size]) || strchr("._-$", text.data[size]) ||
            (with_blanks && text.data[size] == ' ')) &&
           text.data[size])
        size++;
    return size;
}

/* The account whose profile the text names: "Users\alice\", with one or two backslashes. */
static void learn_profile(struct pseudonyms *names, struct slice text, const char *folder)
{
    size_t start = strlen(folder);

    if (!slice_starts_nocase(text, folder) || text.size < start + 2 || text.data[start] != '\\')
        return;
    while (start < text.size && text.data[start] == '\\')
        start++;
    const struct slice rest = slice_from(text, start);
    const size_t size = name_run(rest, true);
    const bool ends = size < rest.size && rest.data[size] == '\\';
    learn_account(names, slice_part(rest, 0, ends ? size : name_run(rest, false)));
}

static void learn_profiles(struct pseudonyms *names, struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, '\\')) != SIZE_MAX;) {
        while (at < text.size && text.data[at] == '\\')
            at++;
        learn_profile(names, slice_from(text, at), "users");
        learn_profile(names, slice_from(text, at), "documents and settings");
    }
}

/* "CONTOSO\alice" where the domain or the machine is known. */
static void learn_accounts(struct pseudonyms *names, struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, '\\')) != SIZE_MAX; at++) {
        size_t start = at, next = at + 1;
        while (start > 0 && at - start < 64 &&
               (pseudonym_is_word(text.data[start - 1]) || text.data[start - 1] == '-'))
            start--;
        const struct pseudonym_name *name =
            pseudonyms_at(names, pseudonyms_find(names, slice_part(text, start, at - start)));
        if (!name || (name->kind != PSEUDONYM_DOMAIN && name->kind != PSEUDONYM_HOST))
            continue;
        if (next < text.size && text.data[next] == '\\')
            next++;
        const struct slice rest = slice_from(text, next);
        learn_account(names, slice_part(rest, 0, name_run(rest, false)));
    }
}

static void learn_hosts(struct pseudonyms *names, struct slice text)
{
    for (size_t at = 0; (at = slice_find(text, at, '@')) != SIZE_MAX; at++) {
        const size_t size = pseudonym_host_behind_sign(text, at + 1);
        if (size)
            pseudonyms_learn_host(names, slice_part(text, at + 1, size));
    }
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
        if (!pseudonyms_ends_domain(names, text, at))
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
