/*
 * Large data in a small page: the LZ4 block format (lz4_Block_format.md of the LZ4 project). The
 * script unpacks only what is looked at. The same bytes give the same result on every machine.
 */
#ifndef TRIAGE_REPORT_HTML_PACK_H
#define TRIAGE_REPORT_HTML_PACK_H

#include "triage/base/buffer.h"

/* One LZ4 block; whoever unpacks it must know its size. */
void lz4_add(struct buffer *out, struct slice bytes);

#endif
