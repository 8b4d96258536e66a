/*
 * Paths of a change journal's time. A record names its folder by reference only; the folder's name
 * comes from the journal itself where it tells of that folder, and from the $MFT for the folders
 * that it does not mention, whose names therefore did not change while it was written. References
 * hold the sequence number, so an entry that was used again is another folder. Memory is bounded;
 * folders past the bound are named by their entry.
 */
#ifndef ARTIFACTS_USN_PATHS_H
#define ARTIFACTS_USN_PATHS_H

#include "artifacts/artifact.h"
#include "triage/formats/usn.h"

struct usn_paths;

/* For one job; NULL with error_text when memory is out. */
struct usn_paths *usn_paths_new(struct job *job);
void usn_paths_free(struct usn_paths *paths);
/* First pass over the journal: what it says of a folder first was so from the start. */
void usn_paths_learn(struct usn_paths *paths, const struct usn_record *record);
/* Second pass, for each record of a folder in order: from now on it has this name and this parent.
 */
void usn_paths_update(struct usn_paths *paths, const struct usn_record *record);
/* Appends "C:\dir\sub\" for a folder's reference; "C:\$Orphan\entry-N-S\..." where its parents
 * cannot be told. */
void usn_paths_append(struct usn_paths *paths, struct usn_reference folder, struct buffer *out);
/* Whether a bound was reached. */
bool usn_paths_full(const struct usn_paths *paths);

/* Appends a name in UTF-8; what cannot be part of a Windows name becomes U+FFFD. */
void usn_name_append(struct buffer *out, struct slice utf16);
/* "123-4": entry and sequence number. */
void usn_reference_append(struct buffer *out, struct usn_reference reference);

#endif
