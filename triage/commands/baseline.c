#include "triage/commands/baseline.h"

#include "triage/base/error.h"
#include "triage/case/case.h"
#include "triage/engine/session.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPEN_MOST = 16 };

struct clean_server {
    struct known_good *known;
    size_t files;
    bool failed;
};

static void take_file(void *context, const char *path, bool deleted, const char *sha256)
{
    struct clean_server *server = context;

    if (deleted || !*sha256)
        return;
    server->files++;
    server->failed |= known_good_add_file(server->known, path, sha256) < 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

/* Reads the web folders of the clean server as those of evidence are read. `file` takes what else a
 * run stores, and is thrown away. */
static int read_session(const struct options *options, struct case_file *file,
                        struct clean_server *server)
{
    const struct session_options wanted = {
        .evidence = (const char *const[]){options->baseline, NULL},
        .evidence_count = 1,
        .rules_folder = default_rules_folder(),
        .jobs = options->jobs,
        .timeout_seconds = options->timeout,
        .only = "web_root",
        .interrupted = &interrupted,
        .context = server,
        .digested = take_file,
    };
    struct session *session = NULL;
    int result = session_new(&wanted, &session);

    if (result == 0)
        result = session_survey(session, file);
    if (result == 0)
        result = session_parse(session, file);
    session_free(session);
    return result == 1 ? error_set("interrupted") : result;
}

static int read_clean_server(const struct options *options, struct known_good *known)
{
    const char *temporary = getenv("TMPDIR");
    char folder[4096], inner[4200];
    struct clean_server server = {.known = known};
    struct case_file *file = NULL;

    snprintf(folder, sizeof folder, "%s/extriage-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(folder))
        return error_set_errno("no temporary folder '%s' can be made", folder);
    snprintf(inner, sizeof inner, "%s/case", folder);
    int result = case_create(inner, CASE_NEW, &file);
    if (result == 0)
        result = read_session(options, file, &server);
    case_close(file);
    nftw(folder, remove_entry, OPEN_MOST, FTW_DEPTH | FTW_PHYS);
    if (result == 0 && server.failed)
        result = -1;
    if (result == 0 && server.files == 0)
        result = error_set("it has no files in web folders");
    return result < 0 ? error_prefix("baseline '%s'", options->baseline) : 0;
}

static int load(const struct options *options, struct known_good *known)
{
    char path[4200];

    if (!options->no_default_rules && *default_rules_folder()) {
        snprintf(path, sizeof path, "%s/web_baseline.tsv", default_rules_folder());
        if (access(path, R_OK) == 0 && known_good_load_pages(known, path) < 0)
            return -1;
    }
    for (size_t i = 0; i < options->known_good_count; i++)
        if (known_good_load_hashes(known, options->known_good[i]) < 0)
            return -1;
    if (options->baseline && read_clean_server(options, known) < 0)
        return -1;
    return known_good_compile(known);
}

struct known_good *known_good_from_options(const struct options *options)
{
    struct known_good *known = NULL;

    if (known_good_new(&known) < 0)
        return NULL;
    if (load(options, known) < 0) {
        known_good_free(known);
        return NULL;
    }
    return known;
}
