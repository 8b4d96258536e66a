/*
 * A gate in front of YARA: which of its rules could match a file, by the literals that their
 * strings cannot match without, the file's size, its name and its first bytes. It only nominates:
 * it reads the rules' conditions and takes for possible what it does not understand.
 */
#ifndef TRIAGE_MATCH_CONTENT_GATE_H
#define TRIAGE_MATCH_CONTENT_GATE_H

#include "triage/base/arena.h"
#include "triage/match/matcher.h"

struct content_gate;
struct content_gate_scratch;

/* NULL when memory is out. The arena must outlive it; `text` of gate_add is borrowed. */
struct content_gate *content_gate_new(struct arena *arena);
void content_gate_free(struct content_gate *gate);
/* Adds all rules of a file that libyara compiled, private ones too, in their order. */
int content_gate_add(struct content_gate *gate, struct slice text);
/* Once, after the last file. */
int content_gate_finish(struct content_gate *gate);
size_t content_gate_rule_count(const struct content_gate *gate);

/* What one worker asks with; the gate must be finished and outlive it. */
int content_gate_scratch_new(const struct content_gate *gate, struct content_gate_scratch **out);
void content_gate_scratch_free(struct content_gate_scratch *scratch);
/* Whether any rule could match the file. */
bool content_gate_ask(struct content_gate_scratch *scratch, struct slice content,
                      const struct content_file *file);
/* Whether the rule of that number could match the file that was asked about last. */
bool content_gate_possible(const struct content_gate_scratch *scratch, size_t rule);

#endif
