/*
 * The folder of a case: what may be removed from it, and nothing else.
 */
#ifndef TRIAGE_CASE_FOLDER_H
#define TRIAGE_CASE_FOLDER_H

#include "triage/case/case.h"

#include <stdio.h>

/* Makes the folder, or empties it of a case when told to; -1 with error_text when it holds anything
 * else. */
int case_folder_prepare(const char *path, enum case_mode mode);
/* Removes what an interrupted run has written for people: it tells of an unfinished case. The log
 * and the copies of files stay. -1 with error_text. */
int case_folder_remove_outputs(const char *path);
/* Opens a plain file of the folder for reading: no link, pipe or device, which may have no end.
 * NULL when there is none. */
FILE *case_folder_open(const char *path, const char *name);
/* Removes what a run writes while it is at work, and the folder itself when told to and nothing
 * else is in it. What cannot be removed stays. */
void case_folder_take_back(const char *path, bool folder_too);
/* Is there anything of that name in the folder? */
bool case_folder_has(const char *path, const char *name);

#endif
