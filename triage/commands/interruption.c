/* An interrupted run says so in all that it writes. */
#include "triage/commands/documents.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/base/json.h"

#include <inttypes.h>
#include <time.h>

static void tell_sentence(const struct session *session, const char *stage, struct buffer *out)
{
    const struct session_counts *counts = session_counts(session);

    buffer_format(out, "This run was interrupted while it was %s, and this case is not complete",
                  stage);
    if (counts->files_wanted)
        buffer_format(out, ": %" PRIu64 " of %" PRIu64 " files were read", counts->files_read,
                      counts->files_wanted);
    buffer_add_text(out, ".");
}

static void put_document(const struct session *session, const char *stage, const char *sentence,
                         struct buffer *out)
{
    const struct session_counts *counts = session_counts(session);
    struct json json = json_over(out, false);

    json_object(&json);
    json_pair(&json, "stage", stage);
    json_pair_unsigned(&json, "files_read", counts->files_read);
    json_pair_unsigned(&json, "files_wanted", counts->files_wanted);
    json_pair(&json, "sentence", sentence);
    json_object_end(&json);
}

/* The rows of the rules end with this one: it is no rule's, but a row of the timeline needs one. */
static int add_rule(size_t index, const char *sentence, struct case_file *file)
{
    const struct case_rule row = {
        .index = (int64_t)index,
        .name = "RUN-INTERRUPTED",
        .id = "RUN-INTERRUPTED",
        .title = "The run was interrupted: this case is not complete",
        .language = "none",
        .level = level_name(LEVEL_INFORMATIONAL),
        .confidence = "",
        .author = "",
        .tags = "[]",
        .path = "",
        .sha256 = "",
        .state = "active",
        .reason = sentence,
    };

    return case_add_rule(file, &row);
}

static int add_row(const struct session *session, size_t rule, const char *sentence,
                   struct case_file *file)
{
    struct timespec now;
    char iso[INSTANT_TEXT_SIZE], sha256[SHA256_TEXT_SIZE];

    clock_gettime(CLOCK_REALTIME, &now);
    const struct instant when = instant_from_unix(now.tv_sec, now.tv_nsec);
    const struct slice raw = slice_of_text(sentence);
    hash_sha256(raw, sha256);
    const char *evidence = evidence_name(session_inventory(session, 0)->path);
    const struct fact *computer = &session_host(session, 0)->computer;
    const struct case_indicator row = {
        .dated = true,
        .timestamp = instant_to_unix_us(when),
        .timestamp_desc = "Run interrupted",
        .time_text = instant_format(when, iso),
        .time_basis = "utc",
        .message = sentence,
        .level = LEVEL_INFORMATIONAL,
        .rule = (int64_t)rule,
        .host = computer->value ? computer->value : "",
        .artifact = "run",
        .path = evidence,
        .evidence = evidence,
        .mft_entry = "",
        .raw = raw,
        .raw_sha256 = sha256,
        .fields = "{}",
        .how = "",
        .marks = "",
    };

    return case_add_indicator(file, "", &row);
}

int documents_store_interruption(struct session *session, const char *stage,
                                 const struct rule_set *rules, struct case_file *file,
                                 struct buffer *document)
{
    const size_t rule = rule_set_count(rules);
    struct buffer sentence = BUFFER_EMPTY;

    tell_sentence(session, stage, &sentence);
    put_document(session, stage, buffer_text(&sentence), document);
    int result = buffer_failed(document) ? error_set("out of memory") : 0;
    if (result == 0)
        result = session_note_rest(session, buffer_text(&sentence));
    if (result == 0)
        result = add_rule(rule, buffer_text(&sentence), file);
    if (result == 0)
        result = add_row(session, rule, buffer_text(&sentence), file);
    buffer_release(&sentence);
    return result;
}
