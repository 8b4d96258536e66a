/* For tests of the rule engine: rules from text, events from "field=value" lines, what matched as
 * text. */
#ifndef TESTS_UNIT_RULE_FIXTURE_H
#define TESTS_UNIT_RULE_FIXTURE_H

#include "triage/match/matcher.h"

/* Loads and compiles Sigma rules; stops the test when that fails. All log sources that tests use
 * are available. */
struct rule_set *fixture_rules(const char *yaml);
/* A whole rule around a detection block, which is indented by two blanks; its log source is a web
 * server's. */
struct rule_set *fixture_detection(const char *detection);
/* "NAME;NAME;" of the rules that match the event, "?NAME;" for an undecided one. Fields stand one a
 * line, "name=value"; the record's text is their values with blanks between. The text is valid
 * until the next call. */
const char *fixture_match(const struct rule_set *set, const char *fields);
/* The same for an event of other log sources. */
const char *fixture_match_as(const struct rule_set *set, const struct log_source *sources,
                             const char *fields);
/* As above for a web server's line that could not be split. */
const char *fixture_match_rejected(const struct rule_set *set, const char *raw);
/* `how` of the last hit. */
const char *fixture_how(void);
/* The reason of the first rule that is not active, NULL when all are. */
const char *fixture_reason(const struct rule_set *set);

#endif
