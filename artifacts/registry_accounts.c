/*
 * Local accounts from the SAM hive: name, when created (last write of the key that bears the name),
 * logons, flags, and whether the account belongs to the administrators. Layout of the values "F",
 * "V" and "C": as published for the tools that reset passwords (Petter Nordahl-Hagen) and in
 * libyal's winreg-kb; no hash or secret is read.
 */
#include "artifacts/registry_hive.h"

#include "triage/base/utf16.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    V_HEADER_SIZE = 0xCC,
    V_NAME = 0x0C, /* offset and size of each text, counted from behind the header */
    V_FULL_NAME = 0x18,
    V_COMMENT = 0x24,
    F_LAST_LOGON = 8,
    F_PASSWORD_SET = 24,
    F_LAST_FAILED = 40,
    F_RID = 48,
    F_FLAGS = 56,
    F_COUNTS = 64,
    C_HEADER_SIZE = 52,
    C_MEMBERS = 40,
    DOMAIN_SIZE = 12, /* the last three numbers of the machine's SID end the account domain's "V" */
    SID_START = 12,   /* S-1-5-21-: revision, count, authority, 21 */
    MOST_MEMBERS = 4096,
};

static uint32_t number_at(struct slice bytes, size_t at)
{
    struct cursor c = cursor_over(bytes, 0);

    cursor_seek(&c, at);
    return cursor_u32le(&c);
}

static struct instant time_at(struct slice bytes, size_t at)
{
    struct cursor c = cursor_over(bytes, 0);

    cursor_seek(&c, at);
    return instant_from_filetime(cursor_u64le(&c));
}

static const char *text_at(struct registry *registry, struct slice v, size_t at)
{
    const size_t offset = (size_t)V_HEADER_SIZE + number_at(v, at), size = number_at(v, at + 4);

    return utf16_to_text(registry->scratch, slice_part(v, offset, size), false);
}

static const char *flags_text(struct registry *registry, unsigned flags)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {
        {0x001, "disabled"},        {0x004, "no password required"},   {0x010, "user"},
        {0x080, "machine account"}, {0x200, "password never expires"}, {0x400, "locked"},
    };
    struct buffer text = BUFFER_EMPTY;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (flags & words[i].bit)
            buffer_format(&text, "%s%s", text.size ? ", " : "", words[i].word);
    const char *copy = arena_text(registry->scratch, buffer_slice(&text));
    buffer_release(&text);
    return copy;
}

/* Whether the SID at the cursor is that of the machine's account `rid`. */
static bool is_member(struct cursor *c, struct slice domain, uint32_t rid)
{
    cursor_skip(c, 1);
    const uint8_t count = cursor_u8(c);
    const struct slice sid = cursor_take(c, 6 + (size_t)count * 4);

    return count == 5 && domain.size == DOMAIN_SIZE &&
           slice_equal(slice_part(sid, SID_START - 2, DOMAIN_SIZE), domain) &&
           number_at(sid, SID_START - 2 + DOMAIN_SIZE) == rid;
}

static bool group_has(struct registry *registry, const char *group, uint32_t rid)
{
    struct hive_key account, key;

    if (!hive_find(registry->hive, NULL, "SAM\\Domains\\Account", &account) ||
        !hive_find(registry->hive, NULL, group, &key))
        return false;
    const struct slice v = registry_bytes(registry, &account, "V");
    const struct slice domain =
        v.size < DOMAIN_SIZE ? slice_of(NULL, 0) : slice_from(v, v.size - DOMAIN_SIZE);
    const struct slice group_bytes = registry_bytes(registry, &key, "C");
    const uint32_t members = number_at(group_bytes, C_MEMBERS);
    uint32_t count = number_at(group_bytes, C_MEMBERS + 8);
    struct cursor c = cursor_over(group_bytes, 0);
    cursor_seek(&c, (size_t)C_HEADER_SIZE + members);
    for (; count && count <= MOST_MEMBERS && !cursor_failed(&c); count--)
        if (is_member(&c, domain, rid))
            return true;
    return false;
}

/* The key SAM\Domains\Account\Users\Names\NAME, written when the account was created or renamed. */
static struct instant created(struct registry *registry, const char *name)
{
    const char *path =
        arena_format(registry->scratch, "SAM\\Domains\\Account\\Users\\Names\\%s", name);
    struct hive_key key;

    if (!path || !*name || !hive_find(registry->hive, NULL, path, &key))
        return INSTANT_NONE;
    return key.written;
}

static void add_account(struct registry *registry, struct slice f, struct slice v)
{
    const uint32_t rid = number_at(f, F_RID), counts = number_at(f, F_COUNTS);

    registry_add(registry, FIELD_TargetUserName, text_at(registry, v, V_NAME));
    registry_add_number(registry, FIELD_Rid, rid);
    registry_add(registry, FIELD_FullName, text_at(registry, v, V_FULL_NAME));
    registry_add(registry, FIELD_Description, text_at(registry, v, V_COMMENT));
    registry_add(registry, FIELD_AccountFlags,
                 flags_text(registry, number_at(f, F_FLAGS) & 0xFFFF));
    registry_add(registry, FIELD_Administrator,
                 group_has(registry, "SAM\\Domains\\Builtin\\Aliases\\00000220", rid) ? "true"
                                                                                      : "false");
    registry_add(registry, FIELD_RemoteDesktopUser,
                 group_has(registry, "SAM\\Domains\\Builtin\\Aliases\\0000022B", rid) ? "true"
                                                                                      : "false");
    registry_add_number(registry, FIELD_LogonCount, counts >> 16);
    registry_add_time(registry, FIELD_LastLogon, time_at(f, F_LAST_LOGON));
    registry_add_time(registry, FIELD_LastFailedLogon, time_at(f, F_LAST_FAILED));
    registry_add_time(registry, FIELD_PasswordSet, time_at(f, F_PASSWORD_SET));
}

static void tell_account(struct registry *registry, const char *path, const struct hive_key *key)
{
    registry_begin(registry, path);
    const struct slice f = registry_bytes(registry, key, "F"),
                       v = registry_bytes(registry, key, "V");
    const struct instant logon = time_at(f, F_LAST_LOGON);

    if (f.size < F_COUNTS + 4 || v.size < V_HEADER_SIZE)
        return; /* "Names" and what is damaged */
    const char *name = text_at(registry, v, V_NAME);
    const struct instant when = created(registry, name ? name : "");
    add_account(registry, f, v);
    registry_emit(registry, KIND_registry_account, when, key);
    if (!instant_known(logon))
        return;
    registry_begin(registry, path);
    registry_add(registry, FIELD_TargetUserName,
                 text_at(registry, registry_bytes(registry, key, "V"), V_NAME));
    registry_add_number(registry, FIELD_Rid, number_at(registry_bytes(registry, key, "F"), F_RID));
    registry_emit(registry, KIND_registry_logon, logon, key);
}

const struct registry_theme registry_accounts[] = {
    {REGISTRY_SAM, "SAM\\Domains\\Account\\Users\\*", tell_account},
};
const size_t registry_account_count = sizeof registry_accounts / sizeof *registry_accounts;
