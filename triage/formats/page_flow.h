/*
 * Where what a client sends ends up in the code of a server page: the names that hold something of
 * the request, followed through assignments, and the calls that get them.
 */
#ifndef TRIAGE_FORMATS_PAGE_FLOW_H
#define TRIAGE_FORMATS_PAGE_FLOW_H

#include "triage/base/buffer.h"

/* Appends a line for each call that matters and that gets a name which holds part of the request,
 * with the request in its place: "eval(Request["x"])". False when there is none. */
bool page_flow(struct slice text, struct buffer *lines);

#endif
