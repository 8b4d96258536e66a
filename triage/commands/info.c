#include "triage/base/error.h"
#include "triage/commands/documents.h"

/* `info` and `verify` need no case: one session, one stage, one page per evidence item. */
static int with_session(const struct options *options, int (*stage)(struct session *session),
                        void (*print)(const struct session *session, size_t evidence, FILE *out))
{
    struct log log;
    struct watcher watcher;
    struct session *session = NULL;
    int code = EXIT_FATAL;
    const struct session_options session_options = {
        .evidence = options->paths,
        .evidence_count = options->path_count,
        .rules_folder = default_rules_folder(),
        .jobs = options->jobs,
        .timeout_seconds = options->timeout,
        .keys = &options->keys,
        .survey_only = true,
        .interrupted = &interrupted,
        .context = &watcher,
        .progress = watcher_progress,
    };

    log_init(&log, options);
    watcher_init(&watcher, &log);
    signals_catch();
    if (options->path_count == 0) {
        error_set("which evidence?");
        log_failure(&log);
    } else if (check_evidence(options) < 0 || session_new(&session_options, &session) < 0) {
        log_failure(&log);
    } else {
        const int result = stage(session);
        watcher_clear(&watcher);
        for (size_t i = 0; result == 0 && i < options->path_count; i++)
            print(session, i, stdout);
        code = result < 0                      ? log_failure(&log)
               : result == 1                   ? EXIT_INTERRUPTED
               : session_hash_differs(session) ? EXIT_MISMATCH
               : session_incomplete(session)   ? EXIT_UNREADABLE
                                               : EXIT_COMPLETE;
    }
    session_free(session);
    log_release(&log);
    return code;
}

static int survey(struct session *session)
{
    return session_survey(session, NULL);
}

static int run_info(const struct options *options, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return with_session(options, survey, info_print);
}

static int run_verify(const struct options *options, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return with_session(options, session_verify, verification_print);
}

const struct command command_info = {
    .name = "info",
    .usage = "EVIDENCE",
    .summary = "container, partitions, file systems, host, Exchange, without matching",
    .bit = FOR_INFO,
    .run = run_info,
};

const struct command command_verify = {
    .name = "verify",
    .usage = "EVIDENCE",
    .summary = "reads every byte, computes the hashes, lists damaged ranges",
    .bit = FOR_VERIFY,
    .run = run_verify,
};
