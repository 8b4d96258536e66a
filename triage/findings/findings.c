#include "triage/findings/findings.h"

#include "triage/base/error.h"
#include "triage/findings/timing.h"
#include "triage/formats/json_reader.h"

#include <stdlib.h>

static int count_unread(void *context, const struct case_note *row)
{
    struct findings *findings = context;

    (void)row;
    findings->unread++;
    return 0;
}

/* Of one medium, in order; those with other reasons may overlap. */
static uint64_t damaged_bytes(const struct json_value *ranges)
{
    uint64_t sum = 0, end = 0;

    for (const struct json_value *range = ranges ? ranges->first : NULL; range;
         range = range->next) {
        const struct json_value *offset = json_member(range, "offset");
        const struct json_value *size = json_member(range, "size");
        uint64_t start = 0, stop = 0;
        if (!offset || !size || !slice_to_u64(offset->text, &start) ||
            !slice_to_u64(size->text, &stop) || __builtin_add_overflow(start, stop, &stop))
            continue;
        start = start > end ? start : end;
        if (stop > start) {
            sum += stop - start;
            end = stop;
        }
    }
    return sum;
}

static int load_damage(struct case_file *file, struct findings *findings)
{
    struct buffer body = BUFFER_EMPTY;
    struct json_value *root = NULL;
    int result = 0;

    if (case_document(file, "damage", &body))
        result =
            json_read(arena_copy(findings->arena, buffer_slice(&body)), findings->arena, &root);
    for (const struct json_value *item = root ? root->first : NULL; item; item = item->next)
        findings->damaged += damaged_bytes(json_member(item, "ranges"));
    buffer_release(&body);
    return result;
}

/* The run did not come to its end: what it has not read may hold anything. */
static int load_interruption(struct case_file *file, struct findings *findings)
{
    struct buffer body = BUFFER_EMPTY;
    struct json_value *root = NULL;
    int result = 0;

    if (case_document(file, CASE_INTERRUPTED_DOCUMENT, &body)) {
        findings->interrupted = arena_copy(findings->arena, buffer_slice(&body));
        result = json_read(findings->interrupted, findings->arena, &root);
        const struct json_value *sentence = json_member(root, "sentence");
        findings->interruption = sentence ? (const char *)sentence->text.data : NULL;
        if (result == 0 && !findings->interruption)
            result = error_set("the document '%s' is malformed", CASE_INTERRUPTED_DOCUMENT);
    }
    buffer_release(&body);
    return result;
}

static int load(struct case_file *file, const char *folder, struct findings *findings)
{
    struct buffer host = BUFFER_EMPTY;
    const char *table = arena_format(findings->arena, "%s/judgement.tsv", folder);
    int result = table ? judgements_load(table, findings->arena, &findings->judgements) : -1;

    case_document(file, "host", &host);
    const struct slice text = arena_copy(findings->arena, buffer_slice(&host));
    buffer_release(&host);
    if (result == 0)
        result = sightings_load(file, &findings->judgements, text, findings->arena,
                                &findings->sightings);
    if (result == 0)
        result = exposure_make(file, folder, text, findings->arena, &findings->exposure);
    if (result == 0)
        result = load_interruption(file, findings);
    if (result == 0)
        result = case_each_unread(file, count_unread, findings);
    if (result == 0)
        result = load_damage(file, findings);
    return result == 0 ? log_spans_make(file, findings->arena, &findings->spans) : result;
}

static int check(struct case_file *file, struct findings *findings)
{
    const struct check_view view = {file,
                                    &findings->sightings,
                                    &findings->exposure,
                                    &findings->spans,
                                    &findings->outcomes,
                                    findings->arena};

    return checks_make(&view, &findings->checks);
}

/* How far back the logs reach depends on when the first trace is. */
static int reach(struct case_file *file, struct findings *findings)
{
    findings_find_rung(findings);
    return retention_make(file, &findings->exposure, &findings->spans,
                          findings->verdict.dated ? &findings->verdict.first : NULL,
                          findings->arena, &findings->retention);
}

int findings_make(struct case_file *file, const char *folder, struct findings *findings)
{
    *findings = (struct findings){.arena = arena_new(0)};
    if (!findings->arena || load(file, folder, findings) < 0 ||
        incidents_make(&findings->sightings, findings->arena, &findings->incidents) < 0 ||
        outcomes_make(&findings->sightings, &findings->judgements, &findings->exposure,
                      &findings->spans, findings->arena, &findings->outcomes) < 0 ||
        mitigations_make(file, &findings->exposure, &findings->spans, findings->arena,
                         &findings->mitigations) < 0 ||
        timing_tell(&findings->outcomes, &findings->exposure, &findings->mitigations,
                    findings->arena) < 0 ||
        moved_make(file, &findings->sightings, &findings->incidents, findings->arena,
                   &findings->volumes) < 0 ||
        check(file, findings) < 0 || findings_tell_taken(findings) < 0 ||
        findings_tell_destroyed(findings) < 0 || findings_tell_leads(findings) < 0 ||
        reach(file, findings) < 0 || findings_tell_verdict(findings) < 0)
        return error_prefix("the findings cannot be made");
    return 0;
}

void findings_release(struct findings *findings)
{
    free(findings->sightings.list);
    arena_free(findings->arena);
    *findings = (struct findings){0};
}
