/* A case that is put together row by row, and what the findings make of it. */
#ifndef TESTS_UNIT_FINDINGS_SCENE_H
#define TESTS_UNIT_FINDINGS_SCENE_H

#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/findings/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000000)
static const int64_t NOON = INT64_C(1614772800000000); /* 2021-03-03 12:00 UTC */

struct scene {
    char folder[64];
    struct case_file *file;
    struct findings findings;
    int64_t rules;
};

static const char *const host_document =
    "{\"exchange\":{\"version\":{\"value\":\"%s\"},\"path\":{\"value\":\"D:\\\\Exchange\\\\\"},"
    "\"roles\":[{\"name\":\"CafeRole\"}]},\"iis\":{\"sites\":[{\"id\":1,\"virtual_directories\":["
    "{\"application\":\"/\",\"path\":\"/\",\"physical_path\":\"C:\\\\inetpub\\\\wwwroot\"},"
    "{\"application\":\"/owa\",\"path\":\"/"
    "\",\"physical_path\":\"D:\\\\Exchange\\\\owa\\\\\"}]}]}}";

static inline void set_version(struct scene *scene, const char *version)
{
    char text[1024];

    snprintf(text, sizeof text, host_document, version);
    assert_int_equal(case_set_document(scene->file, "host", slice_of_text(text)), 0);
}

static inline int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    strcpy(scene->folder, "/tmp/extriage-findings-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    assert_int_equal(case_create(scene->folder, CASE_NEW, &scene->file), 0);
    set_version(scene, "15.1.2106.2");
    *state = scene;
    return 0;
}

static inline int tear_down(void **state)
{
    struct scene *scene = *state;
    char command[128];

    findings_release(&scene->findings);
    case_close(scene->file);
    snprintf(command, sizeof command, "rm -rf '%s'", scene->folder);
    assert_int_equal(system(command), 0);
    free(scene);
    return 0;
}

/* An indicator of the rule, with `fields` as the inside of a JSON object; `desc` is what its time
 * means, NULL: nothing in particular. */
static inline void saw_as(struct scene *scene, const char *rule, int level, int64_t time,
                          const char *desc, const char *artifact, const char *fields)
{
    char text[1024];
    const struct case_rule row = {.index = scene->rules,
                                  .name = rule,
                                  .id = rule,
                                  .title = rule,
                                  .level = "high",
                                  .confidence = "high",
                                  .tags = "[]"};

    snprintf(text, sizeof text, "{%s}", fields);
    assert_int_equal(case_add_rule(scene->file, &row), 0);
    const struct case_indicator indicator = {.dated = time != 0,
                                             .timestamp = time,
                                             .timestamp_desc = desc,
                                             .message = rule,
                                             .level = level,
                                             .rule = scene->rules++,
                                             .artifact = artifact,
                                             .path = "C:\\logs\\W3SVC1\\a.log",
                                             .fields = text,
                                             .marks = ""};
    assert_int_equal(case_add_indicator(scene->file, "task", &indicator), 0);
}

static inline void saw(struct scene *scene, const char *rule, int level, int64_t time,
                       const char *artifact, const char *fields)
{
    saw_as(scene, rule, level, time, NULL, artifact, fields);
}

static inline void knew(struct scene *scene, const char *kind, const char *path, int64_t time,
                        const char *fields)
{
    char text[1024];

    snprintf(text, sizeof text, "{%s}", fields);
    const struct case_fact fact = {.kind = kind,
                                   .dated = time != 0,
                                   .timestamp = time,
                                   .message = kind,
                                   .path = path,
                                   .fields = text,
                                   .marks = ""};
    assert_int_equal(case_add_fact(scene->file, "task", &fact), 0);
}

static inline void had_log(struct scene *scene, const char *artifact, const char *days)
{
    const struct case_coverage row = {.path = artifact,
                                      .artifact = artifact,
                                      .records = 10,
                                      .used = 10,
                                      .first = "2021-03-01T00:00:00.000000+00:00",
                                      .last = "2021-03-03T00:00:00.000000+00:00",
                                      .days = days,
                                      .damage = "[]"};

    assert_int_equal(case_add_coverage(scene->file, "task", &row), 0);
}

static inline int judge(void *context, struct case_file *file)
{
    return findings_make(file, getenv("EXTRIAGE_RULES"), context);
}

static inline const struct findings *verdict_of(struct scene *scene)
{
    if (case_finish(scene->file, judge, &scene->findings) < 0)
        fail_msg("%s", error_text());
    return &scene->findings;
}

static inline const struct cve_outcome *outcome_of(const struct findings *findings, const char *cve)
{
    for (size_t i = 0; i < findings->outcomes.count; i++)
        if (strcmp(findings->outcomes.list[i].exposure->cve, cve) == 0)
            return &findings->outcomes.list[i];
    fail_msg("no %s", cve);
    return NULL;
}

/* Fields: who connected by IIS, the client by the front end's log, the page. */
#define FROM(address)       "\"c-ip\":\"" address "\""
#define FROM_PROXY(address) "\"ClientIpAddress\":\"" address "\""
#define PAGE(stem)          "\"cs-uri-stem\":\"" stem "\",\"sc-status\":\"200\""

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
