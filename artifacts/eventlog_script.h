/* PowerShell script blocks (event 4104) that were cut into several records, put together again. */
#ifndef ARTIFACTS_EVENTLOG_SCRIPT_H
#define ARTIFACTS_EVENTLOG_SCRIPT_H

#include "artifacts/artifact.h"

struct script_blocks;

/* NULL when memory is out. */
struct script_blocks *script_blocks_new(void);
void script_blocks_free(struct script_blocks *blocks);
/* Keeps the part that this event is. With the last one, an event with the whole text is emitted at
 * the place of that part. */
void script_block_take(struct script_blocks *blocks, struct job *job, const struct event *part);
/* Blocks that lack parts become one notice. */
void script_blocks_finish(struct script_blocks *blocks, struct job *job);

#endif
