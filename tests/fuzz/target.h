/*
 * What is fuzzed: everything that reads bytes an attacker may have written, by name. Each artifact
 * is a target from the day it is listed. A target must neither crash nor hang nor leak, and checks
 * its own promises with demand(). Driven by replay.c (saved inputs and fixed mutations, part of
 * make check) and by libfuzzer.c (make fuzz).
 */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include "triage/base/buffer.h"

struct fuzz_target {
    const char *name;
    void (*run)(const struct fuzz_target *target, const char *file_name, struct slice input);
    const void *own;
};

/* Makes the list of targets; NULL for `rules` leaves the artifacts without a matcher. -1 with
 * error_text. */
int targets_open(const char *rules);
void targets_close(void);
size_t target_count(void);
const struct fuzz_target *target_at(size_t index);
/* NULL when there is none of that name. */
const struct fuzz_target *target_by_name(const char *name);

/* Ends the program with the words of the promise that was broken. */
void demand(bool holds, const char *promise);

/* Writes inputs that cannot be kept as text to FOLDER/TARGET/. */
void fuzz_seeds(const char *folder);
/* One input of each kind for the target "wire"; false when there is no such kind. */
bool fuzz_wire_sample(unsigned kind, struct buffer *out);

/* The runs of target.c's table, one file each. */
int fuzz_artifact_open(const char *rules);
void fuzz_artifact_close(void);
void fuzz_artifact(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_wire(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_pseudonyms(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_sigma(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_condition(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_regex(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_hive(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_xml(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_page_text(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_pe(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_mft(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_indicators(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_image(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_hive_log(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_owners(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_helper_rows(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_channel(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_known_hashes(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_exchange_builds(const struct fuzz_target *target, const char *file_name,
                          struct slice input);
void fuzz_yara(const struct fuzz_target *target, const char *file_name, struct slice input);
void fuzz_json(const struct fuzz_target *target, const char *file_name, struct slice input);

#endif
