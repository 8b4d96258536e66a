#include "tests/fuzz/target.h"

#include "artifacts/artifact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TARGETS = 128 };

static const struct fuzz_target others[] = {
    {"wire", fuzz_wire, NULL},
    {"pseudonyms", fuzz_pseudonyms, NULL},
    {"sigma", fuzz_sigma, NULL},
    {"condition", fuzz_condition, NULL},
    {"regex", fuzz_regex, NULL},
    {"hive", fuzz_hive, NULL},
    {"xml", fuzz_xml, NULL},
    {"pe", fuzz_pe, NULL},
    {"mft", fuzz_mft, NULL},
    {"image", fuzz_image, NULL},
    {"page_text", fuzz_page_text, NULL},
    {"indicator_stix", fuzz_indicators, "list.stix"},
    {"indicator_misp", fuzz_indicators, "list.json"},
    {"indicator_openioc", fuzz_indicators, "list.ioc"},
    {"indicator_csv", fuzz_indicators, "list.csv"},
    {"indicator_list", fuzz_indicators, "list.txt"},
    {"hive_log", fuzz_hive_log, NULL},
    {"owners", fuzz_owners, NULL},
    {"helper_rows", fuzz_helper_rows, NULL},
    {"channel", fuzz_channel, NULL},
    {"known_hashes", fuzz_known_hashes, NULL},
    {"exchange_builds", fuzz_exchange_builds, NULL},
    {"yara", fuzz_yara, NULL},
    {"json", fuzz_json, NULL},
};
static struct fuzz_target targets[MOST_TARGETS];
static size_t count;

int targets_open(const char *rules)
{
    size_t artifacts;
    const struct artifact *const *all = artifact_all(&artifacts);

    count = 0;
    for (size_t i = 0; i < artifacts && count < MOST_TARGETS; i++)
        targets[count++] = (struct fuzz_target){all[i]->name, fuzz_artifact, all[i]};
    for (size_t i = 0; i < sizeof others / sizeof *others && count < MOST_TARGETS; i++)
        targets[count++] = others[i];
    return fuzz_artifact_open(rules);
}

void targets_close(void)
{
    fuzz_artifact_close();
}

size_t target_count(void)
{
    return count;
}

const struct fuzz_target *target_at(size_t index)
{
    return &targets[index];
}

const struct fuzz_target *target_by_name(const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(targets[i].name, name) == 0)
            return &targets[i];
    return NULL;
}

void demand(bool holds, const char *promise)
{
    if (holds)
        return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}
