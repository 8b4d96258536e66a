/*
 * Many cases as one database: the rows of all of them, each with the name of its case in front, and
 * its row number there (source_row). One case at a time is attached, so memory does not grow with
 * their number.
 */
#ifndef TRIAGE_CASE_FLEET_H
#define TRIAGE_CASE_FLEET_H

#include "triage/case/case.h"
#include "triage/case/member.h"

struct fleet;

/* Makes the folder and fleet.db.new in it; refuses a folder that holds anything but a fleet that
 * may be clobbered. */
int fleet_create(const char *folder, bool clobber, struct fleet **out);
/* Copies the rows of a case, which member_look found to be whole, under that name. */
int fleet_add(struct fleet *fleet, const char *name, const char *folder,
              const struct member_facts *facts);
/* Notes a case that cannot be joined. */
int fleet_leave_out(struct fleet *fleet, const char *folder, const char *why);
/* Indexes all, gives the database its name, and opens it for reading like a case: the rows of
 * case_each_indicator come in time order over all cases and tell their case. */
int fleet_finish(struct fleet *fleet, struct case_file **out);
void fleet_free(struct fleet *fleet);

#endif
