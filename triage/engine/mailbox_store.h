/* Files that hold people's mail: databases of Exchange with their transaction logs, and Outlook's.
 * A run lists them and never opens them. */
#ifndef TRIAGE_ENGINE_MAILBOX_STORE_H
#define TRIAGE_ENGINE_MAILBOX_STORE_H

#include <stdbool.h>

/* Whether the file at the '/' path is one, by its name. */
bool is_mailbox_store(const char *path);

#endif
