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

#endif
