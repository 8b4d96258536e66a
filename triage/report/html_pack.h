/*
 * Large data in a small page: the LZ4 block format (lz4_Block_format.md of the LZ4 project) in
 * base64 (RFC 4648). The script unpacks only what is looked at. The same bytes give the same
 * result on every machine.
 */
#ifndef TRIAGE_REPORT_HTML_PACK_H
#define TRIAGE_REPORT_HTML_PACK_H

#include "triage/base/buffer.h"

void base64_add(struct buffer *out, struct slice bytes);
/* One LZ4 block; whoever unpacks it must know its size. */
void lz4_add(struct buffer *out, struct slice bytes);

#endif
