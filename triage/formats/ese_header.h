/* First page of an ESE database (SRUDB.dat, qmgr.db), enough to tell what state it is in. Source:
 * the notes of libesedb (Joachim Metz). The tables are read by triage/helpers/ese.c. */
#ifndef TRIAGE_FORMATS_ESE_HEADER_H
#define TRIAGE_FORMATS_ESE_HEADER_H

#include "triage/base/cursor.h"

enum ese_state {
    ESE_CREATED = 1,
    ESE_DIRTY = 2,
    ESE_CLEAN = 3,
    ESE_CONVERTING = 4,
    ESE_FORCED = 5
};

struct ese_header {
    uint32_t state, page_size;
};

/* False when the bytes do not begin as an ESE database does. */
bool ese_header_read(struct slice head, struct ese_header *out);
/* What must be told of that state; NULL when it was closed as it should. */
const char *ese_state_notice(uint32_t state);

#endif
