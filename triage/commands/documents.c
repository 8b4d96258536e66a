#include "triage/commands/documents.h"

#include "triage/base/durable.h"
#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/base/json.h"
#include "triage/base/sandbox.h"
#include "triage/case/custody.h"
#include "triage/findings/findings.h"
#include "triage/report/redaction.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static void damage_json(const struct session *session, size_t evidence, struct json *json)
{
    size_t count;
    const struct damage *damage = session_damage(session, evidence, &count);

    json_array(json);
    for (size_t i = 0; i < count; i++) {
        json_object(json);
        json_pair_unsigned(json, "offset", damage[i].offset);
        json_pair_unsigned(json, "size", damage[i].size);
        json_pair(json, "why", damage[i].why);
        json_object_end(json);
    }
    json_array_end(json);
}

/* The item whose host says most becomes the document itself: a server's data disk has no computer
 * name. */
static size_t main_item(const struct session *session, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (session_host(session, i)->computer.value && !session_host(session, i)->computer.assumed)
            return i;
    return 0;
}

static int store_host(const struct session *session, size_t count, struct case_file *file)
{
    const size_t chosen = main_item(session, count);
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_over(&text, true);

    json_object(&json);
    host_json(session_host(session, chosen), &json);
    json_key(&json, "evidence");
    json_array(&json);
    for (size_t i = 0; i < count; i++) {
        json_object(&json);
        inventory_json(session_inventory(session, i), &json);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_key(&json, "other_hosts");
    json_array(&json);
    for (size_t i = 0; i < count; i++) {
        if (i == chosen)
            continue;
        json_object(&json);
        host_json(session_host(session, i), &json);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    buffer_add_byte(&text, '\n');
    const int result = buffer_failed(&text) ? error_set("out of memory")
                                            : case_set_document(file, "host", buffer_slice(&text));
    buffer_release(&text);
    return result;
}

static int store_totals(const struct session *session, struct case_file *file)
{
    const struct session_counts *counts = session_counts(session);
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_over(&text, false);

    json_object(&json);
    json_pair_unsigned(&json, "files_listed", counts->files_listed);
    json_pair_unsigned(&json, "entries_unreadable", counts->entries_unreadable);
    json_pair_unsigned(&json, "files_not_recognised", counts->unrecognised);
    json_pair_unsigned(&json, "files_wanted", counts->files_wanted);
    json_object_end(&json);
    const int result = case_set_document(file, "totals", buffer_slice(&text));
    buffer_release(&text);
    return result;
}

static int store_damage(const struct session *session, size_t count, struct case_file *file)
{
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_over(&text, false);

    json_array(&json);
    for (size_t i = 0; i < count; i++) {
        json_object(&json);
        json_pair(&json, "evidence", evidence_name(session_inventory(session, i)->path));
        json_key(&json, "ranges");
        damage_json(session, i, &json);
        json_object_end(&json);
    }
    json_array_end(&json);
    const int result = case_set_document(file, "damage", buffer_slice(&text));
    buffer_release(&text);
    return result;
}

int documents_store(const struct session *session, size_t evidence_count, struct case_file *file)
{
    if (store_host(session, evidence_count, file) < 0 || store_totals(session, file) < 0)
        return -1;
    return store_damage(session, evidence_count, file);
}

static void tags_json(const struct rule *rule, struct buffer *out)
{
    struct json json = json_over(out, false);

    json_array(&json);
    for (size_t i = 0; rule->tags && rule->tags[i]; i++)
        json_text(&json, rule->tags[i]);
    json_array_end(&json);
}

static const char *state_name(enum rule_state state)
{
    static const char *const names[] = {"active", "not applicable", "not loaded"};
    return names[state];
}

/* Paths in the case must not depend on where the program lies: from "rules/" on for shipped rules,
 * else the whole. */
static const char *rule_path(const struct rule *rule)
{
    const char *folder = default_rules_folder();
    const size_t size = strlen(folder);

    return size && strncmp(rule->path, folder, size) == 0 && rule->path[size] == '/'
               ? rule->path + size + 1
               : rule->path;
}

static const char *language_name(enum rule_language language)
{
    return language == RULE_YARA ? "yara" : language == RULE_INDICATOR ? "indicators" : "sigma";
}

int documents_store_rules(const struct rule_set *rules, struct case_file *file)
{
    struct buffer tags = BUFFER_EMPTY;
    int result = 0;

    for (size_t i = 0; i < rule_set_count(rules) && result == 0; i++) {
        const struct rule *rule = rule_set_rule(rules, i);
        buffer_clear(&tags);
        tags_json(rule, &tags);
        const struct case_rule row = {
            .index = (int64_t)i,
            .name = rule->name,
            .id = rule->id,
            .title = rule->title,
            .language = language_name(rule->language),
            .level = level_name(rule->level),
            .confidence = rule->confidence,
            .author = rule->author,
            .tags = buffer_text(&tags),
            .path = rule_path(rule),
            .sha256 = rule->sha256,
            .state = state_name(rule->state),
            .reason = rule->reason,
            .line = rule->line,
        };
        result = case_add_rule(file, &row);
    }
    buffer_release(&tags);
    return result;
}

/* --- the verdict --- */

static int store_text(struct case_file *file, const char *name, struct buffer *text)
{
    const int result = buffer_failed(text) ? error_set("out of memory")
                                           : case_set_document(file, name, buffer_slice(text));

    buffer_clear(text);
    return result;
}

static int store_answer(const struct findings *findings, struct case_file *file)
{
    struct buffer text = BUFFER_EMPTY;

    findings_json(findings, &text);
    int result = store_text(file, "findings", &text);
    findings_retention(findings, &text);
    if (result == 0)
        result = store_text(file, "retention", &text);
    buffer_release(&text);
    return result;
}

int documents_store_findings(void *context, struct case_file *file)
{
    const struct completion *completion = context;
    struct findings findings = {0};
    int result = completion->stopped ? case_set_document(file, CASE_INTERRUPTED_DOCUMENT,
                                                         buffer_slice(completion->stopped))
                                     : 0;

    if (result == 0)
        result = findings_make(file, default_rules_folder(), &findings);
    if (result == 0)
        result = store_answer(&findings, file);
    findings_release(&findings);
    return result == 0 && completion->names ? redaction_apply(file, completion->names) : result;
}

/* --- run.json, and of it what the report tells --- */

static void time_pair(struct json *json, const char *key, struct timespec time)
{
    char text[INSTANT_TEXT_SIZE];

    json_pair(json, key, instant_format(instant_from_unix(time.tv_sec, time.tv_nsec), text));
}

static void arguments_json(int argc, char **argv, struct json *json)
{
    json_key(json, "arguments");
    json_array(json);
    for (int i = 0; i < argc; i++)
        json_text(json, argv[i]);
    json_array_end(json);
}

static void indicators_json(const struct rule_set *rules, struct json *json)
{
    struct indicator_totals totals;

    rule_set_indicators(rules, &totals);
    json_key(json, "indicators");
    json_object(json);
    json_pair_unsigned(json, "lists", totals.lists);
    json_pair_unsigned(json, "loaded", totals.loaded);
    json_pair_unsigned(json, "mutexes_ignored", totals.mutexes);
    json_pair_unsigned(json, "ignored", totals.ignored);
    json_pair_unsigned(json, "not_understood", totals.refused);
    json_pair_unsigned(json, "load_milliseconds", totals.milliseconds);
    json_object_end(json);
}

static void rule_folder_json(struct json *json)
{
    const char *folder = default_rules_folder();
    struct rule_folder_version version;
    struct rule_folder_digest digest;

    rule_folder_read_version(folder, &version);
    json_pair(json, "folder", folder);
    json_pair(json, "version", version.version);
    if (rule_folder_read_digest(folder, &digest) < 0)
        return;
    json_pair_unsigned(json, "files", digest.files);
    json_pair(json, "sha256", digest.sha256);
}

static void rules_json(const struct options *options, const struct rule_set *rules,
                       struct json *json)
{
    size_t states[3] = {0};

    for (size_t i = 0; i < rule_set_count(rules); i++)
        states[rule_set_rule(rules, i)->state]++;
    json_key(json, "rules");
    json_object(json);
    if (!options->no_default_rules)
        rule_folder_json(json);
    json_pair_unsigned(json, "active", states[RULE_ACTIVE]);
    json_pair_unsigned(json, "not_applicable", states[RULE_NOT_APPLICABLE]);
    json_pair_unsigned(json, "not_loaded", states[RULE_NOT_LOADED]);
    json_key(json, "list");
    json_array(json);
    for (size_t i = 0; i < rule_set_count(rules); i++) {
        const struct rule *rule = rule_set_rule(rules, i);
        json_object(json);
        json_pair(json, "rule", rule->name);
        json_pair(json, "rule_id", rule->id);
        json_pair(json, "author", rule->author);
        json_pair(json, "file", rule_path(rule));
        json_pair_unsigned(json, "line", rule->line);
        json_pair(json, "sha256", rule->sha256);
        json_pair(json, "state", state_name(rule->state));
        if (rule->reason)
            json_pair(json, "reason", rule->reason);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

static void verified_json(const struct verified *verified, struct json *json)
{
    json_key(json, "verification");
    if (!verified->done) {
        json_null(json);
        return;
    }
    json_object(json);
    json_pair(json, "md5", verified->result.computed.md5);
    json_pair(json, "sha1", verified->result.computed.sha1);
    json_pair(json, "sha256", verified->result.computed.sha256);
    json_pair(json, "stored_md5", verified->result.stored_md5);
    json_pair(json, "stored_sha1", verified->result.stored_sha1);
    json_pair_bool(json, "hash_differs", verified->result.hash_differs);
    json_pair_unsigned(json, "bytes", verified->result.bytes);
    json_pair_unsigned(json, "chunks", verified->result.chunks);
    json_pair_unsigned(json, "bad_chunks", verified->result.bad_chunks);
    json_object_end(json);
}

int seals_take(struct seals *seals, const struct options *options)
{
    seals->list = calloc(options->path_count + 1, sizeof(*seals->list));
    if (!seals->list)
        return error_set("out of memory");
    for (size_t i = 0; i < options->path_count; i++) {
        if (seal_take(options->paths[i], &seals->list[i]) < 0)
            return -1;
        seals->count++;
    }
    return 0;
}

bool seals_hold(struct seals *seals, const struct session *session, struct buffer *what)
{
    bool hold = true;

    for (size_t i = 0; i < seals->count; i++) {
        const struct container *container = &session_inventory(session, i)->container;
        hold &= seal_holds(seals->list[i], container->segments, container->segment_count, what);
    }
    return hold;
}

void seals_release(struct seals *seals)
{
    for (size_t i = 0; i < seals->count; i++)
        seal_free(seals->list[i]);
    free(seals->list);
    *seals = (struct seals){0};
}

static void evidence_json(const struct options *options, const struct session *session,
                          const struct seals *seals, struct json *json)
{
    json_key(json, "evidence");
    json_array(json);
    for (size_t i = 0; i < options->path_count; i++) {
        json_object(json);
        json_pair(json, "path", options->paths[i]);
        inventory_json(session_inventory(session, i), json);
        json_key(json, "damage_found");
        damage_json(session, i, json);
        verified_json(session_verified(session, i), json);
        json_key(json, "on_disk");
        seal_json(seals->list[i], json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void counts_json(const struct session_counts *counts, struct json *json)
{
    json_key(json, "counts");
    json_object(json);
    json_pair_unsigned(json, "files_listed", counts->files_listed);
    json_pair_unsigned(json, "files_wanted", counts->files_wanted);
    json_pair_unsigned(json, "files_read", counts->files_read);
    json_pair_unsigned(json, "files_unread", counts->files_unread);
    json_pair_unsigned(json, "files_copied", counts->files_copied);
    json_pair_unsigned(json, "bytes", counts->bytes);
    json_pair_unsigned(json, "records", counts->records);
    json_pair_unsigned(json, "used", counts->used);
    json_pair_unsigned(json, "repaired", counts->repaired);
    json_pair_unsigned(json, "rejected", counts->rejected);
    for (size_t i = 0; i <= LEVEL_CRITICAL; i++)
        json_pair_unsigned(json, level_name((enum level)i), counts->indicators[i]);
    json_pair_unsigned(json, "undated", counts->undated);
    json_pair_unsigned(json, "filtered_by_options", counts->filtered);
    json_pair_unsigned(json, "notices", counts->notices);
    json_object_end(json);
}

static void system_json(const struct options *options, struct json *json)
{
    struct utsname name;

    if (uname(&name) == 0) {
        json_key(json, "system");
        json_object(json);
        json_pair(json, "name", name.sysname);
        json_pair(json, "release", name.release);
        json_pair(json, "machine", name.machine);
        json_object_end(json);
    }
    json_pair(json, "sandbox", options->jobs ? sandbox_description() : "none (--jobs 0)");
}

static void put_program(struct json *json, const char *path)
{
    char real[PATH_MAX], hash[SHA256_TEXT_SIZE];

    if (!realpath(path, real) || custody_hash_file(real, hash) < 0)
        return;
    json_object(json);
    json_pair(json, "path", real);
    json_pair(json, "sha256", hash);
    json_object_end(json);
}

/* The program and the libraries that it runs with: their file names carry their versions. */
static void programs_json(struct json *json)
{
    char line[PATH_MAX + 200], last[PATH_MAX] = "";
    FILE *maps = fopen("/proc/self/maps", "re");

    json_key(json, "programs");
    json_array(json);
    put_program(json, "/proc/self/exe");
    while (maps && fgets(line, sizeof line, maps)) {
        char *path = strchr(line, '/');
        if (!path || !strstr(path, ".so"))
            continue;
        path[strcspn(path, "\n")] = 0;
        if (strcmp(path, last) == 0)
            continue;
        snprintf(last, sizeof last, "%s", path);
        put_program(json, path);
    }
    json_array_end(json);
    if (maps)
        fclose(maps);
}

static void case_json(const struct options *options, struct json *json)
{
    json_pair(json, "case_number", options->case_number);
    json_pair(json, "evidence_number", options->evidence_number);
    json_pair(json, "examiner", options->examiner);
    json_pair(json, "agency", options->agency);
    json_pair(json, "description", options->description);
    json_pair_integer(json, "clock_skew_seconds", options->clock_skew);
    json_pair_unsigned(json, "jobs", options->jobs);
}

int documents_store_run(const struct options *options, const struct session *session,
                        struct case_file *file)
{
    struct buffer text = BUFFER_EMPTY;
    struct json json = json_over(&text, false);

    json_object(&json);
    json_pair(&json, "version", PACKAGE_VERSION);
    json_pair(&json, "case_number", options->case_number);
    json_pair(&json, "evidence_number", options->evidence_number);
    json_pair(&json, "examiner", options->examiner);
    json_pair_integer(&json, "clock_skew_seconds", options->clock_skew);
    json_key(&json, "evidence");
    json_array(&json);
    for (size_t i = 0; i < options->path_count; i++) {
        json_object(&json);
        json_pair(&json, "name", evidence_name(options->paths[i]));
        verified_json(session_verified(session, i), &json);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    const int result = buffer_failed(&text) ? error_set("out of memory")
                                            : case_set_document(file, "run", buffer_slice(&text));
    buffer_release(&text);
    return result;
}

int documents_write_run(const struct options *options, int argc, char **argv,
                        const struct session *session, const struct rule_set *rules,
                        const struct log *log, const struct run_times *times,
                        const struct seals *seals, int exit_code, struct buffer *text)
{
    struct json json = json_over(text, true);

    json_object(&json);
    json_pair(&json, "program", "extriage");
    json_pair(&json, "version", PACKAGE_VERSION);
    arguments_json(argc, argv, &json);
    time_pair(&json, "started", times->started);
    time_pair(&json, "ended", times->ended);
    stage_times_json(&times->stages, &json);
    json_pair_integer(&json, "exit_code", exit_code);
    json_pair_bool(&json, "interrupted", exit_code == EXIT_INTERRUPTED);
    case_json(options, &json);
    system_json(options, &json);
    programs_json(&json);
    counts_json(session_counts(session), &json);
    evidence_json(options, session, seals, &json);
    json_key(&json, "warnings");
    json_array(&json);
    if (log->notices.size)
        json_raw(&json, buffer_slice(&log->notices));
    json_array_end(&json);
    rules_json(options, rules, &json);
    indicators_json(rules, &json);
    json_object_end(&json);
    buffer_add_byte(text, '\n');
    return buffer_failed(text) ? error_set("out of memory") : 0;
}

int documents_write_file(const char *folder, const char *name, struct slice content)
{
    struct buffer path = BUFFER_EMPTY;
    struct new_file out = {0};

    buffer_format(&path, "%s/%s", folder, name);
    int result = new_file_open(&out, buffer_text(&path));
    if (result == 0) {
        fwrite(content.data, 1, content.size, out.stream);
        result = new_file_keep(&out);
    }
    new_file_drop(&out);
    buffer_release(&path);
    return result;
}
