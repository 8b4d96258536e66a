#include "triage/report/redaction.h"

#include "triage/base/error.h"
#include "triage/formats/json_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FIELDS_MEMORY = 32 << 20 };

struct redaction {
    struct pseudonyms *names;
    struct arena *arena;
};

/* --- learning --- */

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcasecmp(name, *list) == 0)
            return true;
    return false;
}

static const char *const user_fields[] = {"cs-username",
                                          "AuthenticatedUser",
                                          "User",
                                          "UserName",
                                          "TargetUserName",
                                          "SubjectUserName",
                                          "SamAccountName",
                                          "AccountName",
                                          "Owner",
                                          "jobOwner",
                                          "Caller",
                                          "RunAs",
                                          "UserId",
                                          "ParticipantUser",
                                          "LogonUser",
                                          "FullName",
                                          "ObjectName",
                                          "MemberName",
                                          "TargetOutboundUserName",
                                          "ExecutingUser",
                                          "Identity",
                                          "InstalledBy",
                                          "Profile",
                                          "CallerUser",
                                          "DelegatedUser",
                                          "Mailbox",
                                          "Account",
                                          "AuthUser",
                                          "SourceUserName",
                                          NULL};
static const char *const host_fields[] = {"cs-host",
                                          "UrlHost",
                                          "ServerHostName",
                                          "TargetServer",
                                          "ServerName",
                                          "s-computername",
                                          "HostName",
                                          "Machine",
                                          "Computer",
                                          "ComputerName",
                                          "Workstation",
                                          "WorkstationName",
                                          "SourceHostname",
                                          "DestinationHostname",
                                          "client-hostname",
                                          "server-hostname",
                                          "TargetServerName",
                                          "BackEndServer",
                                          "MailboxServer",
                                          "FrontEndServer",
                                          "ClientMachine",
                                          "ClientMachineName",
                                          "SourceWorkstation",
                                          "ClientName",
                                          "original-server-ip",
                                          NULL};
/* What the server itself writes: the rest of such a name is its domain. */
static const char *const own_fields[] = {
    "Computer",      "ComputerName",    "ServerHostName", "Machine",
    "MailboxServer", "server-hostname", "s-computername", NULL};
static const char *const domain_fields[] = {
    "TargetDomainName",         "SubjectDomainName", "DomainName", "Domain",
    "TargetOutboundDomainName", "MemberDomain",      NULL};

static void learn_field(struct redaction *redaction, const struct json_value *value)
{
    const char *name = (const char *)value->name.data;

    if (value->type != JSON_STRING || value->text.size < 3)
        return;
    const size_t dot = slice_find(value->text, 0, '.');
    if (dot != SIZE_MAX && is_one_of(name, own_fields) &&
        slice_find(value->text, dot + 1, '.') != SIZE_MAX)
        pseudonyms_learn_domain(redaction->names, slice_from(value->text, dot + 1));
    if (is_one_of(name, user_fields))
        pseudonyms_learn_user(redaction->names, value->text);
    else if (is_one_of(name, host_fields))
        pseudonyms_learn_host(redaction->names, value->text);
    else if (is_one_of(name, domain_fields))
        pseudonyms_learn_domain(redaction->names, value->text);
    else if (strcasecmp(name, "Author") == 0 && slice_find(value->text, 0, '\\') != SIZE_MAX)
        pseudonyms_learn_user(redaction->names, value->text);
}

static void learn_fields(struct redaction *redaction, struct slice text)
{
    struct json_value *root = NULL;

    arena_reset(redaction->arena);
    if (json_read(text, redaction->arena, &root) < 0 || root->type != JSON_OBJECT)
        return;
    for (const struct json_value *value = root->first; value; value = value->next)
        learn_field(redaction, value);
}

/* Hosts and the domain that the survey found; versions that look like addresses. */
static int learn_host(void *context, const char *const *cells)
{
    struct redaction *redaction = context;

    if (cells[1])
        pseudonyms_learn_domain(redaction->names, slice_of_text(cells[1]));
    if (cells[0])
        pseudonyms_learn_host(redaction->names, slice_of_text(cells[0]));
    return 0;
}

static int learn_version(void *context, const char *const *cells)
{
    struct redaction *redaction = context;

    if (cells[0])
        pseudonyms_keep(redaction->names, slice_of_text(cells[0]));
    return 0;
}

/* "*:443:mail.contoso.example": the name of a binding. */
static int learn_binding(void *context, const char *const *cells)
{
    struct redaction *redaction = context;
    const char *colon = cells[0] ? strrchr(cells[0], ':') : NULL;

    if (colon && colon[1])
        pseudonyms_learn_host(redaction->names, slice_of_text(colon + 1));
    return 0;
}

static int learn_documents(struct case_file *file, struct redaction *redaction)
{
    static const struct {
        const char *query;
        int (*learn)(void *context, const char *const *cells);
    } parts[] = {
        {"SELECT json_extract(body, '$.computer.value'), json_extract(body, '$.domain.value') FROM "
         "document WHERE name = 'host'",
         learn_host},
        {"SELECT json_extract(o.value, '$.computer.value'), json_extract(o.value, "
         "'$.domain.value') FROM document d, json_each(d.body, '$.other_hosts') o WHERE d.name = "
         "'host'",
         learn_host},
        {"SELECT DISTINCT host, NULL FROM indicator WHERE host <> ''", learn_host},
        {"SELECT t.atom FROM document d, json_tree(d.body) t WHERE d.name = 'findings' AND t.key "
         "IN ('build', 'claimed', 'found', 'expected') AND t.type = 'text'",
         learn_version},
        {"SELECT t.atom FROM document d, json_tree(d.body, '$.exchange') t WHERE d.name = 'host' "
         "AND t.type = 'text' AND t.key = 'value'",
         learn_version},
        {"SELECT t.atom FROM document d, json_tree(d.body) t WHERE d.name = 'host' AND t.key = "
         "'information' AND t.type = 'text'",
         learn_binding},
    };
    int result = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && result == 0; i++)
        result = case_query(file, parts[i].query, parts[i].learn, redaction);
    return result;
}

static bool is_json(const char *table, const char *column)
{
    static const char *const columns[] = {"fields", "tags", "days", "damage", "body", NULL};

    (void)table;
    return is_one_of(column, columns);
}

static int learn_structured(void *context, const char *table, const char *column, struct slice text,
                            struct buffer *out)
{
    struct redaction *redaction = context;

    (void)table;
    (void)out;
    if (strcmp(column, "fields") == 0)
        learn_fields(redaction, text);
    else if (strcmp(column, "owner") == 0)
        pseudonyms_learn_user(redaction->names, text);
    return 0;
}

static int learn_text(void *context, const char *table, const char *column, struct slice text,
                      struct buffer *out)
{
    struct redaction *redaction = context;

    (void)table;
    (void)column;
    (void)out;
    pseudonyms_learn_text(redaction->names, text);
    return 0;
}

/* --- replacing --- */

/* A record that was cut may end within a name, which nothing would know for one. */
static struct slice without_cut_name(struct slice text)
{
    enum { CUT = 4096, NAME = 320 };
    size_t size = text.size;

    if (size < CUT)
        return text;
    while (size > text.size - NAME && !strchr(" ,;\t\r\n\"", text.data[size - 1]))
        size--;
    return slice_part(text, 0, size);
}

/* UTF-16 and other binary records could hide names in ways that are not looked for. */
static int replace_text(void *context, const char *table, const char *column, struct slice text,
                        struct buffer *out)
{
    struct redaction *redaction = context;
    bool replaced;

    if (strcmp(column, "raw") == 0 && slice_find(text, 0, 0) != SIZE_MAX) {
        buffer_format(out, "[binary record of %zu bytes, left out by --redact]", text.size);
        return 1;
    }
    if (strcmp(column, "raw") == 0)
        text = without_cut_name(text);
    replaced = is_json(table, column) ? pseudonyms_replace_json(redaction->names, text, out)
                                      : pseudonyms_replace(redaction->names, text, out);
    return replaced;
}

static const char statement[] =
    "{\"redacted\": true, \"note\": \"users, mailboxes, addresses, hosts and domains are "
    "pseudonyms; binary records and extracted files are left out; hashes are those of the "
    "evidence\"}\n";

int redaction_apply(struct case_file *file, struct pseudonyms *names)
{
    struct redaction redaction = {names, arena_new(FIELDS_MEMORY)};
    int result = redaction.arena ? learn_documents(file, &redaction) : error_set("out of memory");

    if (result == 0)
        result = case_rewrite(file, learn_structured, &redaction);
    if (result == 0)
        result = case_rewrite(file, learn_text, &redaction);
    if (result == 0)
        result = case_rewrite(file, replace_text, &redaction);
    if (result == 0)
        result = pseudonyms_check(names);
    if (result == 0)
        result = case_set_document(file, REDACTION_DOCUMENT, slice_of_text(statement));
    if (result == 0)
        result = case_compact(file);
    arena_free(redaction.arena);
    return result;
}

/* --- the key --- */

void redaction_key_path(const char *folder, struct buffer *path)
{
    size_t size = strlen(folder);

    while (size > 1 && folder[size - 1] == '/')
        size--;
    buffer_format(path, "%.*s-redaction-key.json", (int)size, folder);
}

int redaction_write_key(const struct pseudonyms *names, const char *path, bool replace)
{
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_over(&text, true);
    int result = 0;

    json_object(&json);
    json_key(&json, "pseudonyms");
    pseudonyms_json(names, &json);
    json_object_end(&json);
    buffer_add_byte(&text, '\n');
    if (replace)
        unlink(path);
    const int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!out || fwrite(text.data, 1, text.size, out) != text.size)
        result = error_set_errno("cannot write the redaction key '%s'", path);
    if (out && fclose(out) != 0 && result == 0)
        result = error_set_errno("cannot write the redaction key '%s'", path);
    if (!out && descriptor >= 0)
        close(descriptor);
    buffer_release(&text);
    return result;
}
