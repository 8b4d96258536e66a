#include "triage/commands/baseline.h"
#include "triage/commands/documents.h"
#include "triage/commands/run_identity.h"

#include "triage/base/error.h"
#include "triage/base/hash.h"
#include "triage/case/custody.h"
#include "triage/case/sign.h"
#include "triage/report/redaction.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct run {
    const struct options *options;
    struct log log;
    struct watcher watcher;
    struct rule_set *rules;
    struct known_good *known;
    struct case_file *file;
    struct session *session;
    struct run_times times;
    struct seals seals;
    struct pseudonyms *names; /* NULL without --redact */
    struct outputs outputs;
    bool surveyed; /* the evidence could be opened: the case holds something */
    bool interrupted;
    bool changed;      /* evidence is not what it was when the run began */
    const char *stage; /* at work, as people know it */
};

static int check_usage(const struct options *options)
{
    if (options->path_count == 0)
        return error_set("which evidence? (see extriage run --help)");
    if (!options->output)
        return error_set("where shall the case go? Name a folder with -o");
    if (options->resume && options->clobber)
        return error_set("--resume and --clobber exclude each other");
    if (options->sign && sign_check(options->sign) < 0)
        return -1;
    if (options->redaction_key && !options->redact)
        return error_set("--redaction-key is of no use without --redact");
    if (check_formats(options) < 0 || check_evidence(options) < 0)
        return -1;
    return check_output(options);
}

static bool is_without_copies(const struct options *options)
{
    return options->no_files || options->redact;
}

static int open_session(struct run *run)
{
    const struct options *o = run->options;
    const struct session_options options = {
        .evidence = o->paths,
        .evidence_count = o->path_count,
        .rules = run->rules,
        .known = run->known,
        .scan_all = o->yara_all,
        .rules_folder = default_rules_folder(),
        .jobs = o->jobs,
        .timeout_seconds = o->timeout,
        .keys = &o->keys,
        .snapshots = o->snapshots,
        .from = o->from,
        .to = o->to,
        .least_level = o->min_level,
        .clock_skew = o->clock_skew,
        .carve = o->carve,
        .context_minutes = o->context_minutes,
        .no_copies = is_without_copies(o),
        .interrupted = &interrupted,
        .context = &run->watcher,
        .progress = watcher_progress,
        .notice = watcher_notice,
        .trail = watcher_trail,
    };

    return session_new(&options, &run->session);
}

static void key_path(const struct options *options, struct buffer *path)
{
    if (options->redaction_key)
        buffer_add_text(path, options->redaction_key);
    else
        redaction_key_path(options->output, path);
}

/* Better before the work than after it. */
static int check_key(const struct options *options)
{
    struct buffer path = BUFFER_EMPTY;
    int result = 0;

    if (!options->redact)
        return 0;
    key_path(options, &path);
    if (!options->clobber && !options->resume && access(buffer_text(&path), F_OK) == 0)
        result =
            error_set("the redaction key '%s' is there already (use --clobber to overwrite it)",
                      buffer_text(&path));
    buffer_release(&path);
    return result;
}

static int prepare(struct run *run)
{
    const struct options *o = run->options;
    const enum case_mode mode = o->resume ? CASE_RESUME : o->clobber ? CASE_CLOBBER : CASE_NEW;

    if (o->redact && !(run->names = pseudonyms_new()))
        return error_set("out of memory");
    if (check_usage(o) < 0 || check_key(o) < 0 || seals_take(&run->seals, o) < 0)
        return -1;
    run->rules = rules_from_options(o);
    if (!run->rules || !(run->known = known_good_from_options(o)) ||
        case_create(o->output, mode, &run->file) < 0 ||
        log_open(&run->log, o->output, o->resume) < 0 ||
        run_identity_check(o, run->rules, run->known, run->file) < 0)
        return -1;
    return open_session(run);
}

static void say_rules(struct run *run)
{
    size_t states[3] = {0};

    warn_of_old_rules(run->options, &run->log);
    for (size_t i = 0; i < rule_set_count(run->rules); i++) {
        const struct rule *rule = rule_set_rule(run->rules, i);
        states[rule->state]++;
        if (rule->state == RULE_NOT_LOADED)
            log_say(&run->log, LOG_WARNING, "%s:%u: rule '%s' is not loaded: %s", rule->path,
                    rule->line, rule->name, rule->reason ? rule->reason : "");
    }
    log_say(&run->log, LOG_INFO, "%zu rules active, %zu not applicable, %zu not loaded",
            states[RULE_ACTIVE], states[RULE_NOT_APPLICABLE], states[RULE_NOT_LOADED]);
}

static const struct {
    const char *text, *name;
    enum stage stage;
} stages[] = {
    {"surveying the evidence", "survey", STAGE_SURVEY},
    {"reading and matching", "parse", STAGE_PARSE},
    {"reading what happened around it", "context", STAGE_CONTEXT},
    {"copying what matched and what artifacts keep", "copy", STAGE_COPY},
    {"verifying", "verify", STAGE_VERIFY},
};

static int run_stage(struct run *run, enum stage stage)
{
    switch (stage) {
    case STAGE_SURVEY: {
        int result = session_survey(run->session, run->file);
        if (result == 0)
            result = run_identity_check_segments(run->options, run->session, run->file);
        return result == 0 && run->options->verify ? session_verify_begin(run->session) : result;
    }
    case STAGE_PARSE:
        return session_parse(run->session, run->file);
    case STAGE_CONTEXT:
        return session_context(run->session, run->file);
    case STAGE_COPY:
        return session_copy(run->session, run->file);
    default:
        return session_verify(run->session);
    }
}

/* 0, 1 when interrupted, -1 with error_text. */
static int work(struct run *run)
{
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        if ((stages[i].stage == STAGE_VERIFY && !run->options->verify) ||
            (stages[i].stage == STAGE_CONTEXT && !run->options->context_minutes) ||
            (stages[i].stage == STAGE_COPY && is_without_copies(run->options)))
            continue;
        run->stage = stages[i].text;
        log_say(&run->log, LOG_INFO, "%s", run->stage);
        const int result = run_stage(run, stages[i].stage);
        watcher_clear(&run->watcher);
        stage_times_end(&run->times.stages, stages[i].name);
        if (result)
            return result;
        run->surveyed = true; /* the first stage */
    }
    return 0;
}

static int exit_code(const struct run *run)
{
    const struct session_counts *counts = session_counts(run->session);

    if (session_hash_differs(run->session))
        return EXIT_MISMATCH;
    if (run->changed || session_incomplete(run->session))
        return EXIT_UNREADABLE;
    for (size_t i = run->options->fail_level; i <= LEVEL_CRITICAL; i++)
        if (counts->indicators[i])
            return EXIT_FINDINGS;
    return EXIT_COMPLETE;
}

/* Evidence that somebody else wrote to is an error, and cannot be trusted to be what was read. */
static void check_seals(struct run *run)
{
    struct buffer what = BUFFER_EMPTY;

    run->changed = !seals_hold(&run->seals, run->session, &what);
    if (run->changed)
        log_say(&run->log, LOG_ERROR, "the evidence changed while it was read: %s",
                buffer_text(&what));
    else
        log_say(&run->log, LOG_INFO, "the evidence is as it was when the run began");
    buffer_release(&what);
}

static void say_resume(struct run *run, enum log_level level)
{
    log_say(&run->log, level,
            "what was done up to here is kept; go on with: extriage run --resume -o %s ...",
            run->options->output);
}

/* Whatever stopped the run (a full disk): its case is as it was at the last flush. A new case whose
 * evidence was refused holds nothing: its folder does not look as if there were something to go on
 * with. */
static int fail(struct run *run)
{
    const int code = log_failure(&run->log);

    if (run->surveyed || run->options->resume) {
        say_resume(run, LOG_ERROR);
        return code;
    }
    log_release(&run->log);
    case_discard(run->file);
    run->file = NULL;
    return code;
}

static int write_run(struct run *run, int argc, char **argv, int code)
{
    struct buffer text = BUFFER_EMPTY, redacted = BUFFER_EMPTY;
    int result = documents_write_run(run->options, argc, argv, run->session, run->rules, &run->log,
                                     &run->times, &run->seals, code, &text);

    if (result == 0 && run->names)
        pseudonyms_replace_json(run->names, buffer_slice(&text), &redacted);
    if (result == 0)
        result = documents_write_file(run->options->output, "run.json",
                                      buffer_slice(run->names ? &redacted : &text));
    buffer_release(&text);
    buffer_release(&redacted);
    return result;
}

/* What the log says of the evidence was written before the names were known. */
static int redact_log(struct run *run)
{
    struct buffer path = BUFFER_EMPTY, text = BUFFER_EMPTY, redacted = BUFFER_EMPTY;
    uint8_t window[8192];
    size_t got;
    int result = 0;

    buffer_format(&path, "%s/log.txt", run->options->output);
    FILE *in = fopen(buffer_text(&path), "re");
    while (in && (got = fread(window, 1, sizeof window, in)) > 0)
        buffer_add(&text, slice_of(window, got));
    if (!in || ferror(in) || buffer_failed(&text))
        result = error_set_errno("cannot read '%s'", buffer_text(&path));
    if (in)
        fclose(in);
    if (run->options->log_json)
        pseudonyms_replace_json(run->names, buffer_slice(&text), &redacted);
    else
        pseudonyms_replace(run->names, buffer_slice(&text), &redacted);
    if (result == 0)
        result = documents_write_file(run->options->output, "log.txt", buffer_slice(&redacted));
    buffer_release(&path);
    buffer_release(&text);
    buffer_release(&redacted);
    return result;
}

/* Last of all: writing run.json and the log may have met further names. */
static int write_key(struct run *run)
{
    struct buffer path = BUFFER_EMPTY;

    key_path(run->options, &path);
    int result = redact_log(run) < 0 ? -1 : pseudonyms_check(run->names);
    if (result == 0)
        result = redaction_write_key(run->names, buffer_text(&path),
                                     run->options->clobber || run->options->resume);
    buffer_release(&path);
    return result;
}

/* The summary names the server too. */
static int print_redacted(struct run *run)
{
    char *text = NULL;
    size_t size = 0;
    struct buffer redacted = BUFFER_EMPTY;
    FILE *out = open_memstream(&text, &size);
    int result = out ? summary_print(run->options, run->session, run->file, out)
                     : error_set("out of memory");

    if (out)
        fclose(out);
    if (result == 0) {
        pseudonyms_replace(run->names, slice_of((const uint8_t *)text, size), &redacted);
        fwrite(redacted.data, 1, redacted.size, stdout);
    }
    buffer_release(&redacted);
    free(text);
    return result;
}

static int print_summary(struct run *run)
{
    if (run->options->quiet)
        return 0;
    return run->names ? print_redacted(run)
                      : summary_print(run->options, run->session, run->file, stdout);
}

/* The hashes of all that was written, signed when that is wanted. */
static int write_sums(struct run *run)
{
    if (custody_write_sums_knowing(run->file, run->outputs.known, run->outputs.known_count) < 0)
        return -1;
    return run->options->sign ? sign_sums(run->options->output, run->options->sign) : 0;
}

static int store_all(struct run *run, struct buffer *stopped)
{
    const struct options *o = run->options;
    const bool whole = !run->interrupted;
    struct completion completion = {run->names, whole ? NULL : stopped};

    if (documents_store(run->session, o->path_count, run->file) < 0 ||
        documents_store_run(o, run->session, run->file) < 0 ||
        documents_store_rules(run->rules, run->file) < 0)
        return -1;
    if (!whole &&
        documents_store_interruption(run->session, run->stage, run->rules, run->file, stopped) < 0)
        return -1;
    return case_finish(run->file, documents_store_findings, &completion);
}

/* The log ends before the sums are made. */
static int write_last(struct run *run, int argc, char **argv, int code)
{
    if (write_run(run, argc, argv, code) < 0 || log_close(&run->log) < 0 ||
        (run->names && write_key(run) < 0) || write_sums(run) < 0)
        return -1;
    return run->interrupted ? 0 : case_conclude(run->file);
}

static int finish(struct run *run, int argc, char **argv)
{
    struct buffer stopped = BUFFER_EMPTY;

    log_say(&run->log, LOG_INFO, "putting the findings together");
    int result = store_all(run, &stopped);
    buffer_release(&stopped);
    stage_times_end(&run->times.stages, "findings");
    if (result == 0) {
        log_say(&run->log, LOG_INFO, "writing the outputs");
        result = write_outputs_asked_for(run->options, run->file, &run->outputs);
        stage_times_end(&run->times.stages, "outputs");
    }
    if (result < 0)
        return fail(run);
    check_seals(run);
    clock_gettime(CLOCK_REALTIME, &run->times.ended);
    const int code = run->interrupted ? EXIT_INTERRUPTED : exit_code(run);
    log_say(&run->log, run->interrupted ? LOG_WARNING : LOG_INFO, "%s, exit code %d",
            run->interrupted ? "interrupted" : "complete", code);
    if (write_last(run, argc, argv, code) < 0 || print_summary(run) < 0)
        return fail(run);
    if (run->interrupted)
        say_resume(run, LOG_ERROR);
    return code;
}

static int run_run(const struct options *options, int argc, char **argv)
{
    struct run run = {.options = options};
    int code = EXIT_FATAL;

    log_init(&run.log, options);
    watcher_init(&run.watcher, &run.log);
    clock_gettime(CLOCK_REALTIME, &run.times.started);
    stage_times_start(&run.times.stages);
    signals_catch();
    if (prepare(&run) < 0) {
        log_failure(&run.log);
        goto out;
    }
    say_rules(&run);
    stage_times_end(&run.times.stages, "start");
    const int result = work(&run);
    run.interrupted = result == 1;
    if (run.interrupted)
        log_say(&run.log, LOG_WARNING,
                "interrupted: what was found so far is being written (again to stop at once)");
    code = result < 0 ? fail(&run) : finish(&run, argc, argv);
out:
    outputs_release(&run.outputs);
    pseudonyms_free(run.names);
    seals_release(&run.seals);
    session_free(run.session);
    case_close(run.file);
    rule_set_free(run.rules);
    known_good_free(run.known);
    log_release(&run.log);
    return code;
}

const struct command command_run = {
    .name = "run",
    .usage = "[OPTIONS] EVIDENCE... -o CASE",
    .summary = "survey, extract, match, report: the main job",
    .bit = FOR_RUN,
    .run = run_run,
};
