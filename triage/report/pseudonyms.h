/*
 * Names of people, machines and networks, and the pseudonyms that stand for them. Users, hosts and
 * domains must be learned before texts are replaced; addresses, mailboxes and security identifiers
 * are known by their form. Numbers are given in the order of first use.
 */
#ifndef TRIAGE_REPORT_PSEUDONYMS_H
#define TRIAGE_REPORT_PSEUDONYMS_H

#include "triage/base/buffer.h"
#include "triage/base/json.h"

enum pseudonym {
    PSEUDONYM_USER,
    PSEUDONYM_MAILBOX,
    PSEUDONYM_PUBLIC_ADDRESS,
    PSEUDONYM_PRIVATE_ADDRESS,
    PSEUDONYM_HOST,
    PSEUDONYM_DOMAIN,
    PSEUDONYM_SID,
    PSEUDONYM_ENCODED, /* Base64 in which one of the others is hidden */
    PSEUDONYM_KINDS
};

struct pseudonyms;

struct pseudonyms *pseudonyms_new(void); /* NULL when memory is out */
void pseudonyms_free(struct pseudonyms *names);
/* "CONTOSO\alice", "alice@contoso.example", "EXCH01$", "alice": the user, the domain, the machine.
 * Names that every Windows has (SYSTEM, Administrator ...) stay as they are. */
void pseudonyms_learn_user(struct pseudonyms *names, struct slice text);
/* "exch01", "exch01.contoso.example:444"; what has an inner domain's name is a host of it. */
void pseudonyms_learn_host(struct pseudonyms *names, struct slice text);
/* "contoso.example": every name below it is a host; its first part is the short name. */
void pseudonyms_learn_domain(struct pseudonyms *names, struct slice text);
/* Users that a text names: "C:\Users\alice", "CONTOSO\alice" of a domain that is known. */
void pseudonyms_learn_text(struct pseudonyms *names, struct slice text);
/* "15.1.225.42" is a version, no address. */
void pseudonyms_keep(struct pseudonyms *names, struct slice text);

/* Appends the text with pseudonyms in it; false when nothing was replaced. */
bool pseudonyms_replace(struct pseudonyms *names, struct slice text, struct buffer *out);
/* The same for JSON: in texts, not in keys. */
bool pseudonyms_replace_json(struct pseudonyms *names, struct slice text, struct buffer *out);
/* 0, or -1 with error_text when memory or numbers ran out: then nothing that was replaced counts.
 */
int pseudonyms_check(const struct pseudonyms *names);
/* All that were used, with what they stand for, as a list. */
void pseudonyms_json(const struct pseudonyms *names, struct json *json);

#endif
