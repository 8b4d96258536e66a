/* A whole file as one event "file.listed", with its hashes, attributes, owner and times: for
 * artifacts that want files for what they are. */
#ifndef ARTIFACTS_FILE_LISTING_H
#define ARTIFACTS_FILE_LISTING_H

#include "artifacts/artifact.h"

/* For an artifact's `parse`. */
int file_listing_parse(struct job *job);

#endif
