/*
 * Commands that people typed, as histories and transcripts of PowerShell have them. Such a text is
 * what a script block (event 4104) would have held: it is told under Sigma's ps_script, with
 * ScriptBlockText as a second name of Command, so that rules for script blocks see it.
 */
#ifndef ARTIFACTS_POWERSHELL_TEXT_H
#define ARTIFACTS_POWERSHELL_TEXT_H

#include "artifacts/text_file.h"

/* Adds the command under both names. */
void powershell_command(struct entry *entry, struct slice command);
/* Whose folder the file lies in: NAME of ".../Users/NAME/...", the account of the system's
 * profiles; an empty slice when the path does not tell. */
struct slice powershell_owner(const char *path);

#endif
