#include "triage/base/error.h"
#include "triage/case/custody.h"
#include "triage/commands/documents.h"
#include "triage/report/writer.h"

#include <inttypes.h>

struct extraction {
    const struct options *options;
    struct log log;
    struct watcher watcher;
    struct case_file *file;
    struct session *session;
};

static int prepare(struct extraction *e)
{
    const struct options *o = e->options;
    const struct session_options options = {
        .evidence = o->paths,
        .evidence_count = o->path_count,
        .rules_folder = default_rules_folder(),
        .jobs = o->jobs,
        .timeout_seconds = o->timeout,
        .keys = &o->keys,
        .snapshots = o->snapshots,
        .globs = o->glob_count ? o->globs : NULL,
        .take_deleted = o->deleted,
        .no_hash = o->no_hash,
        .take_all = true,
        .interrupted = &interrupted,
        .context = &e->watcher,
        .progress = watcher_progress,
        .notice = watcher_notice,
    };

    if (o->path_count == 0)
        return error_set("which evidence?");
    if (!o->output)
        return error_set("where shall the files go? Name a folder with -o");
    if (check_evidence(o) < 0 || check_output(o) < 0 ||
        case_create(o->output, o->clobber ? CASE_CLOBBER : CASE_NEW, &e->file) < 0 ||
        log_open(&e->log, o->output, false) < 0)
        return -1;
    return session_new(&options, &e->session);
}

static int work(struct extraction *e)
{
    int result = session_survey(e->session, e->file);

    if (result == 0)
        result = session_copy(e->session, e->file);
    watcher_clear(&e->watcher);
    return result;
}

static int finish(struct extraction *e)
{
    static const char *const outputs[] = {"files", "host", "coverage"};
    const struct session_counts *counts = session_counts(e->session);
    char size[32];

    if (documents_store(e->session, e->options->path_count, e->file) < 0 ||
        case_finish(e->file, NULL, NULL) < 0)
        return log_failure(&e->log);
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        if (writer_run(writer_by_name(outputs[i]), e->file) < 0)
            return log_failure(&e->log);
    if (log_close(&e->log) < 0 || (!e->options->no_hash && custody_write_sums(e->file) < 0) ||
        case_conclude(e->file) < 0)
        return log_failure(&e->log);
    if (!e->options->quiet)
        printf("%" PRIu64 " files, %s, to %s/files (listed in %s/files.csv); %" PRIu64
               " could not be read in full\n",
               counts->files_copied, size_text(counts->bytes, size), e->options->output,
               e->options->output, counts->files_unread);
    return session_incomplete(e->session) ? EXIT_UNREADABLE : EXIT_COMPLETE;
}

static int run_extract(const struct options *options, int argc, char **argv)
{
    struct extraction e = {.options = options};
    int code = EXIT_FATAL;

    (void)argc;
    (void)argv;
    log_init(&e.log, options);
    watcher_init(&e.watcher, &e.log);
    signals_catch();
    const int prepared = prepare(&e);
    const int result = prepared < 0 ? -1 : work(&e);
    if (result < 0)
        log_failure(&e.log);
    else
        code = result == 1 ? EXIT_INTERRUPTED : finish(&e);
    session_free(e.session);
    case_close(e.file);
    log_release(&e.log);
    return code;
}

const struct command command_extract = {
    .name = "extract",
    .usage = "[OPTIONS] EVIDENCE... -o DIR [--path GLOB]...",
    .summary = "copies artifacts, or any path, out with hashes and MACB times",
    .bit = FOR_EXTRACT,
    .run = run_extract,
};
