/*
 * Files that are on the disk when we say so: written beside their place, checked, and put there
 * whole. Each gives -1 with error_text.
 */
#ifndef TRIAGE_BASE_DURABLE_H
#define TRIAGE_BASE_DURABLE_H

#include <stdio.h>

/* Waits until a file, or a folder's list of names, is on the disk. */
int durable_sync(const char *path);
/* Likewise all that was written to the file system that the folder lies in. */
int durable_sync_all(const char *folder);
/* `from` takes the place of `to` once it is on the disk. */
int durable_rename(const char *from, const char *to);

/* A file that appears whole or not at all: until it is kept it is called PATH.new. */
struct new_file {
    FILE *stream;
    char *path, *beside;
};

int new_file_open(struct new_file *file, const char *path);
/* Checks that each byte was written, and puts the file in its place. */
int new_file_keep(struct new_file *file);
/* Leaves nothing behind; also after new_file_keep, and for a zeroed struct. */
void new_file_drop(struct new_file *file);

#endif
