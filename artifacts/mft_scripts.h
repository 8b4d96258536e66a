/*
 * Scripts in web roots: what each says about those beside it can only be told when all are known,
 * so they are put aside while the $MFT is walked.
 */
#ifndef ARTIFACTS_MFT_SCRIPTS_H
#define ARTIFACTS_MFT_SCRIPTS_H

#include "artifacts/artifact.h"
#include "triage/evidence/listing.h"

struct script {
    struct file file; /* its texts lie in the job's arena */
    uint32_t parent;
    bool odd;     /* has the times of one beside it that has been there for longer */
    int64_t late; /* days after most of those beside it; 0: with them */
};

struct scripts {
    struct job *job;
    const struct listing *listing;
    struct script *all;
    size_t count, room;
};

/* Puts a file of a web root aside when it is a script. False when it is to be told at once. */
bool scripts_put_aside(struct scripts *scripts, const struct file *file);
/* Compares them, and leaves them in the order of their entries. */
void scripts_judge(struct scripts *scripts);
void scripts_release(struct scripts *scripts);

#endif
