#include "triage/base/error.h"
#include "triage/commands/common.h"
#include "triage/match/rule_check.h"

#include <string.h>

static void list_rule(const struct rule *rule, FILE *out)
{
    static const char *const states[] = {"active", "not applicable", "not loaded"};
    struct buffer text = BUFFER_EMPTY;

    buffer_format(&text, "%-14s %-13s %-10s ", states[rule->state], level_name(rule->level),
                  rule->name);
    printable(&text, rule->title ? rule->title : "");
    buffer_format(&text, "  (%s:%u)", rule->path, rule->line);
    if (rule->reason)
        buffer_format(&text, ": %s", rule->reason);
    fprintf(out, "%s\n", buffer_text(&text));
    buffer_release(&text);
}

static size_t count_state(const struct rule_set *rules, enum rule_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < rule_set_count(rules); i++)
        count += rule_set_rule(rules, i)->state == state;
    return count;
}

static void show_warning(void *context, const char *text)
{
    const struct rule *rule = context;
    struct buffer line = BUFFER_EMPTY;

    buffer_format(&line, "%-14s %-13s %s  (%s:%u): ", "warning", level_name(rule->level),
                  rule->name, rule->path, rule->line);
    printable(&line, text);
    printf("%s\n", buffer_text(&line));
    buffer_release(&line);
}

static void show_indicators(const struct rule_set *rules)
{
    struct indicator_totals totals;

    rule_set_indicators(rules, &totals);
    if (totals.lists)
        printf("%zu indicators of %zu lists, %zu names of mutexes and %zu others ignored, %zu not "
               "understood, loaded in %llu ms\n",
               totals.loaded, totals.lists, totals.mutexes, totals.ignored, totals.refused,
               (unsigned long long)totals.milliseconds);
}

/* `list` shows all rules, `check` those that will not work and what is doubtful about the others; a
 * rule that cannot be understood fails the check. */
static int list(const struct rule_set *rules, bool only_bad)
{
    size_t warnings = 0, silent = 0;

    for (size_t i = 0; i < rule_set_count(rules); i++) {
        const struct rule *rule = rule_set_rule(rules, i);
        if (!only_bad || rule->state != RULE_ACTIVE)
            list_rule(rule, stdout);
        if (only_bad)
            warnings += rule_check(rules, i, show_warning, (void *)rule);
        silent += rule->state == RULE_ACTIVE && rule->silent && rule->kind == RULE_DETECTION &&
                  !rule_set_correlation(rules, i);
    }
    printf("%zu active, %zu not applicable, %zu not loaded", count_state(rules, RULE_ACTIVE),
           count_state(rules, RULE_NOT_APPLICABLE), count_state(rules, RULE_NOT_LOADED));
    if (silent)
        printf(", %zu that only correlations tell of", silent);
    if (only_bad)
        printf(", %zu warnings", warnings);
    printf("\n");
    show_indicators(rules);
    return only_bad && count_state(rules, RULE_NOT_LOADED) ? EXIT_FINDINGS : EXIT_COMPLETE;
}

/* The digest can be made by hand too: see rules/README.md. */
static void show_folder(const struct options *options)
{
    struct rule_folder_version version;
    struct rule_folder_digest digest;

    if (options->no_default_rules)
        return;
    const char *folder = default_rules_folder();
    rule_folder_read_version(folder, &version);
    if (rule_folder_read_digest(folder, &digest) == 0)
        printf("rules %s: %zu files, SHA-256 %s, in %s\n",
               *version.version ? version.version : "without a version", digest.files,
               digest.sha256, folder);
}

static int literals(const struct rule_set *rules)
{
    struct buffer lines = BUFFER_EMPTY;

    rule_set_literals(rules, &lines);
    fputs(buffer_text(&lines), stdout);
    buffer_release(&lines);
    return EXIT_COMPLETE;
}

static int test(struct rule_set *rules)
{
    struct buffer lines = BUFFER_EMPTY;
    const int failed = rule_set_test(rules, &lines);

    fputs(buffer_text(&lines), stdout);
    buffer_release(&lines);
    return failed < 0 ? EXIT_FATAL : failed ? EXIT_FINDINGS : EXIT_COMPLETE;
}

/* `rules check PATH...` looks at PATH alone. */
static int run_rules(const struct options *options, int argc, char **argv)
{
    struct options own = *options;
    struct log log;
    int code = EXIT_FATAL;

    (void)argc;
    (void)argv;
    log_init(&log, options);
    const char *what = options->path_count ? options->paths[0] : "list";
    for (size_t i = 1; i < options->path_count && own.rule_count < MOST_PATHS; i++) {
        own.rules[own.rule_count++] = options->paths[i];
        own.no_default_rules = true;
    }
    const bool known = strcmp(what, "list") == 0 || strcmp(what, "check") == 0 ||
                       strcmp(what, "test") == 0 || strcmp(what, "literals") == 0;
    struct rule_set *rules = known ? rules_from_options(&own) : NULL;
    if (!known)
        error_set("rules list, check, test or literals, not '%s'", what);
    if (rules && (strcmp(what, "list") == 0 || strcmp(what, "check") == 0)) {
        warn_of_old_rules(&own, &log);
        show_folder(&own);
    }
    if (!rules)
        log_failure(&log);
    else
        code = strcmp(what, "test") == 0       ? test(rules)
               : strcmp(what, "literals") == 0 ? literals(rules)
                                               : list(rules, strcmp(what, "check") == 0);
    if (rules && code == EXIT_FATAL)
        log_failure(&log);
    rule_set_free(rules);
    log_release(&log);
    return code;
}

const struct command command_rules = {
    .name = "rules",
    .usage = "list | check [PATH...] | test [PATH...] | literals",
    .summary = "what is loaded, what is not and why; runs the rules' own examples",
    .bit = FOR_RULES,
    .run = run_rules,
};
