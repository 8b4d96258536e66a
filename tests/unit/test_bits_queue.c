/* Jobs of BITS: a job's bytes are put together here, part by part, so that each can be damaged. */
#include "triage/formats/bits_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "triage/base/buffer.h"

#define QUEUE_GUID    "\x47\x44\x5F\x00\xA9\xBD\xBA\x44\x98\x51\xC4\x7B\xB6\xC0\x7A\xCE"
#define FILE_GUID     "\x13\xF7\x2B\xC8\x40\x99\x12\x4A\x9F\x1A\x3A\xAE\xBD\x89\x4E\xEA"
#define TRANSFER_GUID "\x36\xDA\x56\x77\x6F\x51\x5A\x43\xAC\xAC\x44\xA2\x48\xFF\xF3\x4D"
#define JOB_GUID      "\xB3\x46\xED\x3D\x3B\x10\xF9\x44\xBC\x2F\xE8\x37\x8B\xD3\x19\x86"
#define KEY           "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x10"

static struct buffer bytes;
static struct arena *arena;

static int start(void **context)
{
    (void)context;
    arena = arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int end(void **context)
{
    (void)context;
    buffer_release(&bytes);
    arena_free(arena);
    return 0;
}

static void put_guid(const char *guid)
{
    buffer_add(&bytes, slice_of(guid, BITS_GUID_SIZE));
}

static void put_number(uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_add_byte(&bytes, (uint8_t)(i < 8 ? number >> 8 * i : 0));
}

static void put_text(const char *text)
{
    put_number(strlen(text) + 1, 4);
    for (const char *c = text;; c++) {
        put_number((uint8_t)*c, 2);
        if (!*c)
            break;
    }
}

static void put_head(uint32_t type)
{
    put_number(type, 4);
    put_number(2, 4);
    put_number(6, 4);
    put_number(0, 4);
    put_guid(KEY);
    put_text("name");
    put_text("words");
    put_text("C:\\x.exe");
    put_text("-a");
    put_text("S-1-5-18");
    put_number(3, 4);
}

static void put_file(const char *local, uint64_t first, uint64_t second)
{
    put_text(local);
    put_text("http://192.0.2.7/a");
    put_text("C:\\BIT1.tmp");
    put_number(first, 8);
    put_number(second, 8);
    put_number(0, 1);
    put_text("C:\\");
    put_text("volume");
}

static void put_times(uint64_t created)
{
    put_number(0, 4); /* errors */
    put_number(0, 12);
    put_number(created, 8);
    put_number(created + 10000000, 8);
    put_number(0, 8);
}

#define CREATED UINT64_C(132592896000000000) /* 2021-03-04 */

static void put_job(uint32_t count, uint32_t files)
{
    put_head(0);
    put_guid(TRANSFER_GUID);
    put_number(count, 4);
    for (uint32_t i = 0; i < files; i++) {
        put_file("C:\\a", 5, 9);
        put_number(3, 4);
    }
    put_guid(TRANSFER_GUID);
    put_times(CREATED);
}

static struct bits_job read_job(void)
{
    struct bits_job job;

    assert_int_equal(bits_job_read(buffer_slice(&bytes), arena, &job), 0);
    return job;
}

static void a_job_tells_its_texts_and_times(void **context)
{
    (void)context;
    put_job(1, 1);
    const struct bits_job job = read_job();
    assert_null(job.problem);
    assert_string_equal(job.name, "name");
    assert_string_equal(job.command, "C:\\x.exe");
    assert_string_equal(job.arguments, "-a");
    assert_string_equal(job.owner, "S-1-5-18");
    assert_int_equal(job.created.ticks, CREATED);
    assert_int_equal(job.modified.ticks, CREATED + 10000000);
    assert_int_equal(job.completed.ticks, 0);
}

static void files_of_a_job_are_found_behind_each_other(void **context)
{
    (void)context;
    put_job(3, 3);
    const struct bits_job job = read_job();
    assert_int_equal(job.file_count, 3);
    assert_string_equal(job.files[2].local, "C:\\a");
    assert_string_equal(job.files[2].remote, "http://192.0.2.7/a");
}

static void the_size_of_a_file_is_the_larger_number(void **context)
{
    struct bits_file file;

    (void)context;
    put_file("C:\\a", UINT64_MAX, 7);
    assert_int_equal(bits_file_read(buffer_slice(&bytes), arena, &file), 0);
    assert_true(file.size == BITS_SIZE_UNKNOWN);
    assert_int_equal(file.transferred, 7);
}

static void keys_of_files_are_told_from_files(void **context)
{
    (void)context;
    put_head(0);
    put_guid(TRANSFER_GUID);
    put_number(1, 4);
    put_guid(KEY);
    put_guid(TRANSFER_GUID);
    put_times(CREATED);
    const struct bits_job job = read_job();
    assert_int_equal(job.file_count, 0);
    assert_int_equal(job.file_ids.size, BITS_GUID_SIZE);
    assert_memory_equal(job.file_ids.data, KEY, BITS_GUID_SIZE);
}

static void files_that_are_missing_are_a_problem(void **context)
{
    (void)context;
    put_job(4, 2);
    const struct bits_job job = read_job();
    assert_int_equal(job.file_count, 2);
    assert_string_equal(job.problem, "some of its files cannot be read");
}

static void a_number_of_files_that_cannot_be_is_a_problem(void **context)
{
    (void)context;
    put_job(0x7FFFFFFF, 1);
    const struct bits_job job = read_job();
    assert_int_equal(job.file_count, 0);
    assert_string_equal(job.problem, "the number of its files makes no sense");
}

static void a_job_may_end_anywhere(void **context)
{
    struct bits_job job;
    size_t read = 0;

    (void)context;
    put_job(2, 2);
    for (size_t size = 0; size < bytes.size; size++) {
        arena_reset(arena);
        if (bits_job_read(slice_part(buffer_slice(&bytes), 0, size), arena, &job) == 0) {
            read++;
            assert_true(job.problem || size > bytes.size - 24);
        }
    }
    assert_in_range(read, 1, bytes.size - 60);
}

static void what_is_no_job_is_refused(void **context)
{
    struct bits_job job;

    (void)context;
    put_head(3);
    assert_int_equal(bits_job_read(buffer_slice(&bytes), arena, &job), -1);
}

static void times_that_cannot_be_are_none(void **context)
{
    (void)context;
    put_head(1);
    put_guid(TRANSFER_GUID);
    put_number(0, 4);
    put_guid(TRANSFER_GUID);
    put_times(42);
    const struct bits_job job = read_job();
    assert_int_equal(job.created.ticks, 0);
    assert_string_equal(job.problem, "its times cannot be read");
}

static void a_queue_tells_its_jobs_and_its_end(void **context)
{
    uint32_t jobs = 0;
    size_t last = 0;

    (void)context;
    put_number(0, 8);
    put_number(0, 8);
    put_guid(FILE_GUID);
    put_guid(QUEUE_GUID);
    put_number(2, 4);
    put_number(0, 8);
    put_guid(QUEUE_GUID);
    assert_true(bits_queue_header(buffer_slice(&bytes), &jobs, &last));
    assert_int_equal(jobs, 2);
    assert_int_equal(last, 60);
    assert_false(bits_queue_header(slice_from(buffer_slice(&bytes), 17), NULL, NULL));
}

static void jobs_are_found_by_their_guids(void **context)
{
    size_t at = 0;

    (void)context;
    put_number(0xB3, 5);
    put_guid(JOB_GUID);
    put_number(0, 3);
    put_guid(JOB_GUID);
    assert_int_equal(bits_find(buffer_slice(&bytes), 0, &at), BITS_JOB);
    assert_int_equal(at, 21);
    assert_int_equal(bits_find(buffer_slice(&bytes), at, &at), BITS_JOB);
    assert_int_equal(at, 40);
    assert_int_equal(bits_find(buffer_slice(&bytes), at, &at), BITS_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(a_job_tells_its_texts_and_times),
        TEST(files_of_a_job_are_found_behind_each_other),
        TEST(the_size_of_a_file_is_the_larger_number),
        TEST(keys_of_files_are_told_from_files),
        TEST(files_that_are_missing_are_a_problem),
        TEST(a_number_of_files_that_cannot_be_is_a_problem),
        TEST(a_job_may_end_anywhere),
        TEST(what_is_no_job_is_refused),
        TEST(times_that_cannot_be_are_none),
        TEST(a_queue_tells_its_jobs_and_its_end),
        TEST(jobs_are_found_by_their_guids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
