/*
 * The text of a YARA rule file: where its rules and imports stand, and the text without some of
 * them. It knows the words around rules, not what they say.
 */
#ifndef TRIAGE_MATCH_CONTENT_TEXT_H
#define TRIAGE_MATCH_CONTENT_TEXT_H

#include "triage/base/arena.h"

/* A rule with its modifiers, or an import. */
struct content_part {
    size_t start, end;
    unsigned line, last_line;
    struct slice name; /* of the rule, or what is imported with its quotes */
    bool is_import, dropped;
};

/* Line of the next "rule NAME" of that name from `*at` in line `*line` on, where reading goes on
 * behind it; 0, and nothing changes, when it is not found. */
unsigned content_text_find_rule(struct slice text, const char *name, size_t *at, unsigned *line);
/* All parts in their order; NULL when memory is out. */
struct content_part *content_text_parts(struct arena *arena, struct slice text, size_t *count);
/* Puts blanks in the place of a part, so that all lines keep their numbers. */
void content_text_drop(char *text, struct content_part *part);

#endif
