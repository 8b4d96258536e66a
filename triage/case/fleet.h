/*
 * Many cases as one database: the rows of all of them, each with the name of its case in front, and
 * its row number there (source_row). One case at a time is attached, so memory does not grow with
 * their number.
 */
#ifndef TRIAGE_CASE_FLEET_H
#define TRIAGE_CASE_FLEET_H

#include "triage/case/case.h"

struct fleet;

/* 0 when the folder holds a finished case of this version that can be joined; -1 with the reason.
 */
int fleet_check(const char *folder);
/* Makes the folder and fleet.db.new in it; refuses a folder that holds anything but a fleet that
 * may be clobbered. */
int fleet_create(const char *folder, bool clobber, struct fleet **out);
/* Copies the rows of a case under that name. */
int fleet_add(struct fleet *fleet, const char *name, const char *folder);
/* Indexes all, gives the database its name, and opens it for reading like a case: the rows of
 * case_each_indicator come in time order over all cases and tell their case. */
int fleet_finish(struct fleet *fleet, struct case_file **out);
void fleet_free(struct fleet *fleet);

#endif
