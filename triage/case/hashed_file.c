#include "triage/case/hashed_file.h"

#include "triage/base/error.h"
#include "triage/case/custody.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pieces go round: the stream fills one while the thread works on those before it. */
enum { PIECE_SIZE = 1 << 20, PIECE_COUNT = 4 };

struct hashed_file {
    char *path, *stream_room;
    uint8_t *pieces[PIECE_COUNT];
    size_t sizes[PIECE_COUNT];
    size_t filled, done; /* pieces handed over, and worked on: counted up for ever */
    bool ended;
    int failure; /* errno of the first write that failed */
    int descriptor;
    struct hasher *hasher;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static int write_all(int descriptor, const uint8_t *data, size_t size)
{
    while (size) {
        const ssize_t written = write(descriptor, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* The next piece; false when there will be none. */
static bool next_piece(struct hashed_file *file, size_t *slot)
{
    pthread_mutex_lock(&file->lock);
    while (file->done == file->filled && !file->ended)
        pthread_cond_wait(&file->changed, &file->lock);
    const bool has_piece = file->done < file->filled;
    *slot = file->done % PIECE_COUNT;
    pthread_mutex_unlock(&file->lock);
    return has_piece;
}

static void *work(void *context)
{
    struct hashed_file *file = context;
    int failure = 0;

    for (size_t slot; next_piece(file, &slot);) {
        if (failure == 0) {
            hasher_add(file->hasher, slice_of(file->pieces[slot], file->sizes[slot]));
            failure = write_all(file->descriptor, file->pieces[slot], file->sizes[slot]);
        }
        pthread_mutex_lock(&file->lock);
        file->done++;
        file->failure = failure;
        pthread_cond_signal(&file->changed);
        pthread_mutex_unlock(&file->lock);
    }
    return NULL;
}

/* Waits for room, hands the bytes over. Gives errno of the thread's failure. */
static int hand_over(struct hashed_file *file, const char *bytes, size_t size)
{
    pthread_mutex_lock(&file->lock);
    while (file->filled - file->done == PIECE_COUNT)
        pthread_cond_wait(&file->changed, &file->lock);
    const size_t slot = file->filled % PIECE_COUNT;
    const int failure = file->failure;
    pthread_mutex_unlock(&file->lock);
    if (failure)
        return failure;
    memcpy(file->pieces[slot], bytes, size);
    file->sizes[slot] = size;
    pthread_mutex_lock(&file->lock);
    file->filled++;
    pthread_cond_signal(&file->changed);
    pthread_mutex_unlock(&file->lock);
    return 0;
}

static ssize_t on_write(void *context, const char *bytes, size_t size)
{
    struct hashed_file *file = context;

    for (size_t at = 0; at < size;) {
        const size_t part = size - at < PIECE_SIZE ? size - at : PIECE_SIZE;
        const int failure = hand_over(file, bytes + at, part);
        if (failure) {
            errno = failure;
            return 0;
        }
        at += part;
    }
    return (ssize_t)size;
}

static void end_thread(struct hashed_file *file)
{
    if (!file->has_thread)
        return;
    pthread_mutex_lock(&file->lock);
    file->ended = true;
    pthread_cond_signal(&file->changed);
    pthread_mutex_unlock(&file->lock);
    pthread_join(file->thread, NULL);
    file->has_thread = false;
}

static void free_file(struct hashed_file *file)
{
    end_thread(file);
    if (file->descriptor >= 0)
        close(file->descriptor);
    for (size_t i = 0; i < PIECE_COUNT; i++)
        free(file->pieces[i]);
    hasher_free(file->hasher);
    pthread_mutex_destroy(&file->lock);
    pthread_cond_destroy(&file->changed);
    free(file->stream_room);
    free(file->path);
    free(file);
}

static struct hashed_file *new_file(const char *path)
{
    struct hashed_file *file = calloc(1, sizeof *file);

    if (!file)
        return NULL;
    file->descriptor = -1;
    pthread_mutex_init(&file->lock, NULL);
    pthread_cond_init(&file->changed, NULL);
    bool complete = (file->path = strdup(path)) && (file->hasher = hasher_new(HASH_SHA256)) &&
                    (file->stream_room = malloc(PIECE_SIZE));
    for (size_t i = 0; i < PIECE_COUNT && complete; i++)
        complete = (file->pieces[i] = malloc(PIECE_SIZE)) != NULL;
    if (complete)
        return file;
    free_file(file);
    return NULL;
}

int hashed_file_create(const char *path, struct hashed_file **out, FILE **stream)
{
    static const cookie_io_functions_t functions = {.write = on_write};
    struct hashed_file *file = new_file(path);

    if (!file)
        return error_set("out of memory");
    unlink(path);
    file->descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->descriptor < 0 || !(*stream = fopencookie(file, "w", functions))) {
        error_set_errno("cannot write '%s'", path);
        free_file(file);
        return -1;
    }
    setvbuf(*stream, file->stream_room, _IOFBF, PIECE_SIZE);
    file->has_thread = pthread_create(&file->thread, NULL, work, file) == 0;
    if (!file->has_thread) {
        fclose(*stream);
        free_file(file);
        return error_set("cannot start a thread");
    }
    *out = file;
    return 0;
}

int hashed_file_close(struct hashed_file *file, FILE *stream, char sha256[SHA256_TEXT_SIZE])
{
    int failure = fclose(stream) != 0 ? errno : 0;

    end_thread(file);
    if (file->failure)
        failure = file->failure;
    if (close(file->descriptor) != 0 && failure == 0)
        failure = errno;
    file->descriptor = -1;
    const struct digests digests = hasher_finish(file->hasher);
    memcpy(sha256, digests.sha256, SHA256_TEXT_SIZE);
    errno = failure;
    const int result = failure ? error_set_errno("cannot write '%s'", file->path) : 0;
    free_file(file);
    return result;
}

/* --- files that are there --- */

struct hash_job {
    pthread_t thread;
    char *path, *problem;
    char sha256[SHA256_TEXT_SIZE];
};

static void *hash_it(void *context)
{
    struct hash_job *job = context;

    if (custody_hash_file(job->path, job->sha256) < 0)
        job->problem = strdup(error_text()); /* each thread has its own */
    return NULL;
}

int hash_job_start(const char *path, struct hash_job **out)
{
    struct hash_job *job = calloc(1, sizeof *job);

    if (!job || !(job->path = strdup(path)) ||
        pthread_create(&job->thread, NULL, hash_it, job) != 0) {
        if (job)
            free(job->path);
        free(job);
        return error_set("out of memory");
    }
    *out = job;
    return 0;
}

int hash_job_end(struct hash_job *job, char sha256[SHA256_TEXT_SIZE])
{
    if (!job)
        return 0;
    pthread_join(job->thread, NULL);
    memcpy(sha256, job->sha256, SHA256_TEXT_SIZE);
    const int result =
        job->sha256[0] ? 0 : error_set("%s", job->problem ? job->problem : "out of memory");
    free(job->problem);
    free(job->path);
    free(job);
    return result;
}
