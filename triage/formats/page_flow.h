/*
 * Where what a client sends ends up in the code of a server page: the names that hold something of
 * the request, followed through assignments, into the functions of the page and out of the controls
 * of its form, and the calls that get them. Only code that runs at the server counts.
 */
#ifndef TRIAGE_FORMATS_PAGE_FLOW_H
#define TRIAGE_FORMATS_PAGE_FLOW_H

#include "triage/base/buffer.h"

/* Appends a line for each call that matters and that gets something of the client's, with that in
 * its place: "eval(Request["x"])", "SaveAs(Field[path.Text" for a control,
 * "SqlCommand(Part[Request" where it is a part of what a database gets, "FileStream.Write(" for
 * files that are written, "execute(Decoded[f(x" for code that the page decodes. Behind `page_size`
 * stands what texts of the page held, which counts as its code. False when there is none. */
bool page_flow(struct slice text, size_t page_size, struct buffer *lines);

#endif
