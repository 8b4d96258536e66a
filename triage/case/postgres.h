/*
 * Cases in a PostgreSQL database, for teams that query together: the schema "extriage" with the
 * tables of a case, each row with the number of its server. All is one transaction: either every
 * case is there in full, or nothing has changed. (libpq; its only home.)
 */
#ifndef TRIAGE_CASE_POSTGRES_H
#define TRIAGE_CASE_POSTGRES_H

#include "triage/base/buffer.h"
#include "triage/case/member.h"

struct postgres;

enum postgres_how { POSTGRES_ADDED, POSTGRES_REPLACED, POSTGRES_SAME, POSTGRES_HOW_COUNT };

/* 0 when the text names a database (postgresql://...) and this program can use one. */
int postgres_check(const char *target);
/* The same text without its password. */
void postgres_show_target(const char *target, struct buffer *out);
/* Connects, begins, and makes the schema when it is not there. Others who merge wait. */
int postgres_open(const char *target, struct postgres **out);
/* A case that member_look found to be whole. The same evidence has one place in the database: the
 * same case is not added again, another run over it takes the place of the earlier one. */
int postgres_add(struct postgres *postgres, const char *name, const char *folder,
                 const struct member_facts *facts, enum postgres_how *how);
int postgres_commit(struct postgres *postgres);
/* Without a commit nothing has changed. */
void postgres_close(struct postgres *postgres);

#endif
