/* The one job of an artifact's test, and what such tests ask of it. */
#ifndef TESTS_UNIT_ARTIFACT_CASE_H
#define TESTS_UNIT_ARTIFACT_CASE_H

#include "tests/unit/fake_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct fake_job fake;

/* A job of that artifact over `bytes`; whatever is nominated, see `needle` in fake_job.h. */
static inline void start_job(const char *artifact, const char *path, struct slice bytes,
                             const char *needle)
{
    fake_job_init(&fake, artifact, path, bytes, needle);
    assert_non_null(fake.job.artifact);
}

/* Parses; every record must end in exactly one counter. */
static inline void finish(void)
{
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.tally.records,
                     fake.tally.used + fake.tally.repaired + fake.tally.rejected);
    buffer_text(&fake.text);
    buffer_text(&fake.notices);
}

/* A whole file through an artifact. */
static inline void run_bytes(const char *artifact, const char *path, struct slice bytes,
                             const char *needle)
{
    start_job(artifact, path, bytes, needle);
    finish();
}

static inline int release(void **context)
{
    (void)context;
    fake_job_release(&fake);
    memset(&fake, 0, sizeof fake);
    return 0;
}

static inline void assert_accounts(uint64_t used, uint64_t repaired, uint64_t rejected)
{
    assert_int_equal(fake.tally.used, used);
    assert_int_equal(fake.tally.repaired, repaired);
    assert_int_equal(fake.tally.rejected, rejected);
}

/* Lines hold the records' own bytes too, zeroes among them. */
static inline bool is_told(const char *part)
{
    return fake.text.size && memmem(fake.text.data, fake.text.size, part, strlen(part));
}

static inline void assert_told(const char *part)
{
    if (!is_told(part))
        fail_msg("no event holds \"%s\" in:\n%s", part,
                 fake.text.data ? (char *)fake.text.data : "");
}

static inline void assert_not_told(const char *part)
{
    if (is_told(part))
        fail_msg("an event holds \"%s\" in:\n%s", part, (char *)fake.text.data);
}

static inline void assert_noticed(const char *part)
{
    if (!strstr(buffer_text(&fake.notices), part))
        fail_msg("no notice holds \"%s\" in:\n%s", part, buffer_text(&fake.notices));
}

#endif
