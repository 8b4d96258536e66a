#include "triage/report/outputs.h"

#include "triage/base/error.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LANES_MOST = 4 };

struct output {
    const struct writer *writer; /* NULL: only hash the file */
    const char *name;
    char sha256[SHA256_TEXT_SIZE];
    char *problem; /* why it failed; NULL when it did not, or memory is out */
    bool failed;
};

struct work {
    const struct case_file *file;
    struct output *list;
    size_t count, next;
    bool failed; /* those that were not begun are left */
    pthread_mutex_t lock;
};

/* The next one that nobody has taken; NULL when there is none. */
static struct output *take(struct work *work)
{
    pthread_mutex_lock(&work->lock);
    struct output *output =
        work->next < work->count && !work->failed ? &work->list[work->next++] : NULL;
    pthread_mutex_unlock(&work->lock);
    return output;
}

static int hash(const struct work *work, struct output *output)
{
    struct buffer path = BUFFER_EMPTY;

    buffer_format(&path, "%s/%s", case_folder(work->file), output->name);
    const int result = buffer_failed(&path) ? error_set("out of memory")
                                            : custody_hash_file(buffer_text(&path), output->sha256);
    buffer_release(&path);
    return result;
}

static void run_lane(struct work *work, struct case_file *file)
{
    struct output *output;

    while ((output = take(work))) {
        if ((!output->writer || writer_run(output->writer, file) == 0) && hash(work, output) == 0)
            continue;
        output->failed = true;
        output->problem = strdup(error_text()); /* each thread has its own */
        pthread_mutex_lock(&work->lock);
        work->failed = true;
        pthread_mutex_unlock(&work->lock);
    }
}

/* A lane that cannot read the case leaves all to the others. */
static void *lane(void *context)
{
    struct work *work = context;
    struct case_file *file;

    if (case_open_again(work->file, &file) < 0)
        return NULL;
    run_lane(work, file);
    case_close(file);
    return NULL;
}

static void run_lanes(struct work *work, struct case_file *file, unsigned lanes)
{
    pthread_t threads[LANES_MOST];
    unsigned count = 0;

    while (count + 1 < lanes && count + 1 < LANES_MOST &&
           pthread_create(&threads[count], NULL, lane, work) == 0)
        count++;
    run_lane(work, file);
    while (count)
        pthread_join(threads[--count], NULL);
}

/* The report takes longest and stands behind the timelines in the list: so from its end. */
static size_t list_outputs(const struct outputs *outputs, struct output *list)
{
    size_t writers, count = 0;
    const struct writer *const *all = writer_all(&writers);

    list[count++] = (struct output){.name = "case.db"};
    for (size_t i = writers; i > 0; i--)
        if (outputs->is_wanted(outputs->context, all[i - 1]))
            list[count++] = (struct output){.writer = all[i - 1], .name = all[i - 1]->file};
    return count;
}

/* Keeps the hashes; what failed is said of the first in the list of writers. */
static int settle(struct outputs *outputs, const struct work *work)
{
    int result = 0;

    for (size_t i = work->count; i > 0; i--) {
        struct output *output = &work->list[i - 1];
        struct custody_known *known = &outputs->known[outputs->known_count];
        if (output->failed && result == 0)
            result = error_set("%s", output->problem ? output->problem : "out of memory");
        known->name = output->name;
        memcpy(known->sha256, output->sha256, sizeof known->sha256);
        outputs->known_count++;
        free(output->problem);
    }
    return result;
}

int outputs_write(struct outputs *outputs, struct case_file *file)
{
    size_t writers;

    writer_all(&writers);
    struct output *list = calloc(writers + 1, sizeof *list);
    outputs->known = calloc(writers + 1, sizeof *outputs->known);
    outputs->known_count = 0;
    if (!list || !outputs->known) {
        free(list);
        return error_set("out of memory");
    }
    struct work work = {.file = file, .list = list};
    work.count = list_outputs(outputs, list);
    pthread_mutex_init(&work.lock, NULL);
    run_lanes(&work, file, outputs->lanes);
    pthread_mutex_destroy(&work.lock);
    const int result = settle(outputs, &work);
    free(list);
    return result;
}

void outputs_release(struct outputs *outputs)
{
    free(outputs->known);
    outputs->known = NULL;
    outputs->known_count = 0;
}
