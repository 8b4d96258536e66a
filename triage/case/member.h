/* A case that is to be joined with others: whether it is whole, and what tells it from the next. */
#ifndef TRIAGE_CASE_MEMBER_H
#define TRIAGE_CASE_MEMBER_H

#include "triage/base/hash.h"

struct member_facts {
    char sha256[SHA256_TEXT_SIZE];   /* of case.db */
    char evidence[SHA256_TEXT_SIZE]; /* of what was read, and of which host: the same for two runs
                                        over the same evidence, whatever their rules were */
};

/* 0 when the folder holds a finished, whole case of this version that can be joined; -1 with the
 * reason in words for whoever has to mend it. */
int member_look(const char *folder, struct member_facts *facts);

/* What lists of cases tell of each, as columns of a SELECT without FROM: host, Exchange and its
 * build, the verdict (rung, name, confidence, first, last), when it was broken into, the summary,
 * how many indicators, things not read and damaged files there are. `source`: the schema's name
 * with its dot, or "". */
#define MEMBER_DOCUMENT(source, name, path)                                                        \
    "(SELECT json_extract(body, '$." path "') FROM " source "document WHERE name = '" name "'), "
#define MEMBER_VERDICT(source, column) "(SELECT " column " FROM " source "verdict), "
#define MEMBER_SUMMARY(source)                                                                     \
    MEMBER_DOCUMENT(source, "host", "computer.value")                                              \
    MEMBER_DOCUMENT(source, "findings", "exchange.name")                                           \
    MEMBER_DOCUMENT(source, "findings", "exchange.build")                                          \
    MEMBER_VERDICT(source, "rung")                                                                 \
    MEMBER_VERDICT(source, "name")                                                                 \
    MEMBER_VERDICT(source, "confidence")                                                           \
    MEMBER_VERDICT(source, "first")                                                                \
    MEMBER_VERDICT(source, "last")                                                                 \
    "(SELECT min(first) FROM " source "incident WHERE kind = 'intrusion'), " MEMBER_VERDICT(       \
        source, "summary") "(SELECT count(*) FROM " source                                         \
                           "indicator), (SELECT count(*) FROM " source                             \
                           "unread), (SELECT count(*) FROM " source                                \
                           "coverage WHERE damage <> '[]')"

#endif
