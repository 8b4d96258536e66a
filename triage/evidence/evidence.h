/*
 * Evidence, opened read-only: an image with its partitions and file systems, a folder (mounted
 * image, collected triage folder), or a single file. One handle belongs to one thread.
 */
#ifndef TRIAGE_EVIDENCE_EVIDENCE_H
#define TRIAGE_EVIDENCE_EVIDENCE_H

#include "triage/base/arena.h"
#include "triage/evidence/bitlocker.h"
#include "triage/evidence/image.h"
#include "triage/evidence/snapshot.h"
#include "triage/record/file.h"

struct evidence;
struct stream;

enum evidence_shape { EVIDENCE_IMAGE, EVIDENCE_FOLDER, EVIDENCE_SINGLE_FILE };

struct volume {
    uint32_t index;
    uint64_t offset, size;   /* bytes on the medium; 0 for a folder */
    const char *partition;   /* what the partition table says of it; "" without one */
    const char *file_system; /* "NTFS" "FAT32" "exFAT" "ext4" "folder" ...; "" when not readable */
    const char *label;
    uint64_t serial;
    uint32_t cluster_size, sector_size;
    char partition_guid[37]; /* GPT unique partition GUID, lower case, "" without */
    uint32_t disk_signature; /* MBR disk signature at 0x1B8; 0 for GPT */
    char drive_hint;         /* 'C' when a folder is named like a drive; 0 */
    const char *problem; /* NULL, or a sentence: why it cannot be read and what to do (BitLocker,
                            ReFS ...) */
    bool vacant;        /* the problem means no loss: a Microsoft reserved partition and the like */
    const char *notice; /* NULL, or a sentence: it is read, but something about it is damaged */
    const struct snapshot *snapshots; /* filled in by evidence_snapshots */
    size_t snapshot_count;
    const char *snapshot_problem; /* NULL, or a sentence: why they cannot be told */
};

/* An image file, a segment of a set, a folder or a single artifact file. -1 with error_text. */
int evidence_open(const char *path, struct evidence **out);
/* As above, with keys (may be NULL) for encrypted volumes. */
int evidence_open_with(const char *path, const struct bitlocker_keys *keys, struct evidence **out);
void evidence_close(struct evidence *evidence);

const char *evidence_path(const struct evidence *evidence);
enum evidence_shape evidence_shape(const struct evidence *evidence);
/* NULL for a folder and a single file. */
const struct container *evidence_container(const struct evidence *evidence);
size_t evidence_volume_count(const struct evidence *evidence);
const struct volume *evidence_volume(const struct evidence *evidence, size_t index);
const struct damage *evidence_damage(const struct evidence *evidence, size_t *count);

/*
 * Calls `visit` for each data stream of each file, live and deleted, and for each folder, in MFT
 * order; the $MFT is read in one sequential pass (other file systems: their folders are walked).
 * The file is borrowed for the call. Stops early when visit gives non-zero and returns that. -1
 * with error_text when the volume cannot be listed at all; entries that cannot be understood are
 * counted in `unreadable` (may be NULL).
 */
int evidence_list(struct evidence *evidence, uint32_t volume,
                  int (*visit)(void *context, const struct file *file), void *context,
                  uint64_t *unreadable);
/* The live file at `path` ('/' separated, any letter case, "name:stream" for a named stream); texts
 * go to the arena. False when there is none. */
bool evidence_find(struct evidence *evidence, uint32_t volume, const char *path,
                   struct arena *arena, struct file *file);

/* The volume with its shadow copies looked up; what is wrong with them stands in snapshot_problem.
 * NULL when there is no such volume. */
const struct volume *evidence_snapshots(struct evidence *evidence, size_t index);
/* As evidence_list and evidence_find; `snapshot` 0 is the live volume. */
int evidence_list_snapshot(struct evidence *evidence, uint32_t volume, uint32_t snapshot,
                           int (*visit)(void *context, const struct file *file), void *context,
                           uint64_t *unreadable);
bool evidence_find_snapshot(struct evidence *evidence, uint32_t volume, uint32_t snapshot,
                            const char *path, struct arena *arena, struct file *file);
/*
 * Is this file of a shadow copy the same on the live volume? Its entry has to be the same file in
 * the same place of the tree, with the same times, size and runs, and the bytes in those runs the
 * same too: a log that is open keeps its times and its size in the $MFT for hours while it is
 * written. What was not kept since the copy is known to be the same and is not read.
 */
bool evidence_is_unchanged(struct evidence *evidence, const struct file *file);

/* SID of the owner, "S-1-5-18"; false when it is not recorded. */
bool evidence_owner(struct evidence *evidence, const struct file *file, char *text, size_t size);

/* Content of a file that evidence_list or evidence_find gave (also in another process on the same
 * evidence). A folder with FILE_INDEXED and the stream "$I30" is its index, block by block. */
int evidence_open_stream(struct evidence *evidence, const struct file *file, struct stream **out);
/* The volume's $MFT, without listing the volume: of NTFS, or the file of that name at a folder's
 * top. -1 with error_text. */
int evidence_open_mft(struct evidence *evidence, uint32_t volume, uint32_t snapshot,
                      struct stream **out);
/* The space of the volume that no file owns, as a sparse stream whose offsets are bytes of the
 * volume; what files own reads as zeroes. The same as opening a file with FILE_UNALLOCATED. -1 with
 * error_text, for folders too. */
int evidence_open_unallocated(struct evidence *evidence, uint32_t volume, struct stream **out);
void stream_close(struct stream *stream);
uint64_t stream_size(const struct stream *stream);
/* Bytes read, short only at the end of the stream; -1 with error_text. Sparse parts read as zeroes.
 */
ssize_t stream_read(struct stream *stream, uint64_t offset, void *buffer, size_t size);
/* Next stretch that is not sparse at or after `offset`: its start and size; false when there is
 * none. */
bool stream_data(struct stream *stream, uint64_t offset, uint64_t *start, uint64_t *size);
/* Of a deleted file: bytes whose place belongs to another file now. They read as zeroes: a file
 * never has another one's content. What is free was, as far as can be told, not written since. */
uint64_t stream_lost(const struct stream *stream);
/* True once a read of this stream met damaged bytes of the container. */
bool stream_damaged(const struct stream *stream);

#endif
