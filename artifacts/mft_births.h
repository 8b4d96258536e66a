/*
 * Many scripts and programs that were made in one folder within seconds, long after the folder:
 * what unpacking a tool kit looks like, and what setting up a product does not. Only folders where
 * intruders put things down are looked at.
 */
#ifndef ARTIFACTS_MFT_BIRTHS_H
#define ARTIFACTS_MFT_BIRTHS_H

#include "artifacts/artifact.h"
#include "triage/evidence/listing.h"

struct births;

/* For one $MFT; NULL with error_text when memory is out. */
struct births *births_new(struct job *job, const struct listing *listing, uint32_t record_size);
void births_free(struct births *births);
/* Takes the file into account when it is a script or a program in such a folder. */
void births_add(struct births *births, const struct file *file, bool in_web_root);
/* Tells the bursts, as facts and to the rules. */
void births_tell(struct births *births);

#endif
