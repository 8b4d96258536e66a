/*
 * libewf's only home: case metadata and stored hashes. A child process opens the set, writes what
 * it found into a pipe and ends; its answer is as little trusted as the image itself. The chunks
 * are read by ewf.c.
 */
#include "triage/evidence/ewf_libewf.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <errno.h>
#include <fcntl.h>
#include <libewf.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    VALUE_MAX = 64 << 10,
    ANSWER_MAX = 1 << 20,
    SECONDS_MAX = 10,     /* until the answer is there */
    CPU_SECONDS_MAX = 5,  /* of libewf; usual are milliseconds */
    MEMORY_MAX = 1 << 30, /* what libewf may add */
    FIRST_FILE = 3,       /* behind standard input, output and error */
    ITEM_MD5 = EWF_KEYS,  /* behind the keys in an answer's numbering */
    ITEM_SHA1,
    ITEMS
};

/* ---- in the child ---- */

/* A sanitizer reserves terabytes and could not run below a ceiling. */
static void limit_memory(void)
{
    unsigned long long pages = 0, size;
    struct rlimit limit;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return;
    if (fscanf(file, "%llu", &pages) != 1)
        pages = 0;
    fclose(file);
    size = pages * (unsigned long long)sysconf(_SC_PAGESIZE) + MEMORY_MAX;
    limit = (struct rlimit){size, size};
    if (size < UINT64_C(1) << 40)
        setrlimit(RLIMIT_AS, &limit);
}

static void limit_child(int out)
{
    static const struct rlimit nothing = {0, 0}, cpu = {CPU_SECONDS_MAX, CPU_SECONDS_MAX};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    dup2(out, FIRST_FILE);
    close_range(FIRST_FILE + 1, ~0u, 0);
    setrlimit(RLIMIT_CORE, &nothing);
    setrlimit(RLIMIT_FSIZE, &nothing);
    setrlimit(RLIMIT_CPU, &cpu);
    limit_memory();
    setenv("TZ", "UTC", 1); /* libewf gives local times */
    tzset();
}

static void put_item(struct buffer *out, uint32_t item, const char *text)
{
    size_t size = strnlen(text, VALUE_MAX - 1);

    buffer_format(out, "%u %zu ", item, size);
    buffer_add(out, slice_of(text, size));
}

static void put_value(struct buffer *out, libewf_handle_t *handle, uint32_t index)
{
    const char *key = ewf_key(index);
    char *value = calloc(1, VALUE_MAX);

    if (value && libewf_handle_get_utf8_header_value(handle, (const uint8_t *)key, strlen(key),
                                                     (uint8_t *)value, VALUE_MAX, NULL) == 1)
        put_item(out, index, value);
    free(value);
}

static void put_hashes(struct buffer *out, libewf_handle_t *handle)
{
    uint8_t md5[MD5_TEXT_SIZE] = {0}, sha1[SHA1_TEXT_SIZE] = {0};

    if (libewf_handle_get_utf8_hash_value_md5(handle, md5, sizeof md5, NULL) == 1)
        put_item(out, ITEM_MD5, (const char *)md5);
    if (libewf_handle_get_utf8_hash_value_sha1(handle, sha1, sizeof sha1, NULL) == 1)
        put_item(out, ITEM_SHA1, (const char *)sha1);
}

static bool ask(char *const *paths, size_t count, struct buffer *out)
{
    libewf_handle_t *handle = NULL;

    if (libewf_handle_initialize(&handle, NULL) != 1 ||
        libewf_handle_set_header_codepage(handle, LIBEWF_CODEPAGE_WINDOWS_1252, NULL) != 1 ||
        libewf_handle_open(handle, paths, (int)count, LIBEWF_OPEN_READ, NULL) != 1)
        return false;
    libewf_handle_set_header_values_date_format(handle, LIBEWF_DATE_FORMAT_ISO8601, NULL);
    for (uint32_t i = 0; i < EWF_KEYS; i++)
        put_value(out, handle, i);
    put_hashes(out, handle);
    libewf_handle_close(handle, NULL);
    libewf_handle_free(&handle, NULL);
    return !buffer_failed(out);
}

static bool write_all(struct slice bytes, int out)
{
    for (size_t done = 0; done < bytes.size;) {
        ssize_t wrote = write(out, bytes.data + done, bytes.size - done);
        if (wrote < 0 && errno != EINTR)
            return false;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

static _Noreturn void child(char *const *paths, size_t count, int out)
{
    struct buffer answer = BUFFER_EMPTY;

    limit_child(out);
    _exit(ask(paths, count, &answer) && write_all(buffer_slice(&answer), FIRST_FILE) ? 0 : 1);
}

/* ---- in the process that asks ---- */

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False when there is too much of it, or when it is not there in time. */
static bool read_answer(int in, struct buffer *answer)
{
    int64_t until = milliseconds() + SECONDS_MAX * 1000, left;
    struct pollfd ready = {.fd = in, .events = POLLIN};

    while (answer->size <= ANSWER_MAX && (left = until - milliseconds()) > 0) {
        uint8_t *room = buffer_reserve(answer, VALUE_MAX);
        if (!room)
            return false;
        if (poll(&ready, 1, (int)left) <= 0)
            continue;
        ssize_t got = read(in, room, VALUE_MAX);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        answer->size += got > 0 ? (size_t)got : 0;
    }
    return false;
}

/* The number in front of the next space. */
static bool take_number(struct cursor *c, uint64_t *number)
{
    size_t space = slice_find(c->bytes, c->at, ' ');
    struct slice digits;

    if (space == SIZE_MAX)
        return false;
    digits = cursor_take(c, space - c->at);
    cursor_skip(c, 1);
    return slice_to_u64(digits, number);
}

static bool take_hash(struct slice text, char *hash, size_t room)
{
    if (text.size != room - 1)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!strchr("0123456789abcdef", text.data[i] ? text.data[i] : ' '))
            return false;
    memcpy(hash, text.data, text.size);
    hash[text.size] = 0;
    return true;
}

static const char *clean_text(struct slice text, struct arena *arena)
{
    struct buffer repaired = BUFFER_EMPTY;
    const char *kept = NULL;

    text = slice_trim(text);
    if (text.size) {
        utf8_append_repaired(&repaired, text);
        kept = buffer_failed(&repaired) ? NULL : arena_text(arena, buffer_slice(&repaired));
    }
    buffer_release(&repaired);
    return kept;
}

static bool parse_answer(struct slice bytes, struct arena *arena, struct ewf_answer *answer)
{
    struct cursor c = cursor_over(bytes, 0);
    uint64_t item, size;

    while (c.at < bytes.size) {
        if (!take_number(&c, &item) || !take_number(&c, &size) || size >= VALUE_MAX)
            return false;
        struct slice text = cursor_take(&c, (size_t)size);
        if (cursor_failed(&c) || item >= ITEMS)
            return false;
        if (item == ITEM_MD5)
            take_hash(text, answer->md5, sizeof answer->md5);
        else if (item == ITEM_SHA1)
            take_hash(text, answer->sha1, sizeof answer->sha1);
        else
            answer->values[item] = clean_text(text, arena);
    }
    return true;
}

/* Reads the child's answer and waits for its end, which comes at once: it is killed. */
static int hear(pid_t process, int in, struct buffer *bytes)
{
    bool is_there = read_answer(in, bytes);
    int status = 0;

    if (!is_there)
        kill(process, SIGKILL);
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return error_set_errno("libewf's process is lost");
    if (!is_there || WIFSIGNALED(status))
        return error_set("libewf crashed, or was stopped, while it opened the set");
    return WEXITSTATUS(status) ? error_set("libewf does not open the set") : 0;
}

static int run_child(char *const *paths, size_t count, struct buffer *bytes)
{
    int ends[2], result;
    pid_t process;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno("a pipe cannot be made");
    process = fork();
    if (process == 0)
        child(paths, count, ends[1]);
    close(ends[1]);
    result = process < 0 ? error_set_errno("a process for libewf cannot be started")
                         : hear(process, ends[0], bytes);
    close(ends[0]);
    return result;
}

int ewf_ask_libewf(const char *const *paths, size_t count, struct arena *arena,
                   struct ewf_answer *answer)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct ewf_answer heard = {0};
    int result = run_child((char *const *)(uintptr_t)paths, count, &bytes);

    if (result == 0 && !parse_answer(buffer_slice(&bytes), arena, &heard))
        result = error_set("libewf's process gave no sense");
    if (result == 0)
        *answer = heard;
    buffer_release(&bytes);
    return result;
}
