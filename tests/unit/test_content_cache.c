/* Compiled rules kept from run to run: what may be loaded again and what may not. */
#include "triage/base/buffer.h"
#include "triage/match/content.h"
#include "triage/match/content_cache.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char key[] = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";
static const char other_key[] = "11ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

struct place {
    char cache[64], folder[80], path[200];
};

static const char *path_of(struct place *place, const char *of)
{
    snprintf(place->path, sizeof place->path, "%s/%.64s.yarc", place->folder, of);
    return place->path;
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->cache, sizeof place->cache, "/tmp/extriage-cache-XXXXXX");
    if (!mkdtemp(place->cache))
        return -1;
    snprintf(place->folder, sizeof place->folder, "%s/extriage", place->cache);
    setenv("XDG_CACHE_HOME", place->cache, 1);
    *state = place;
    return 0;
}

static size_t each_file(const struct place *place, void (*visit)(const char *path))
{
    DIR *folder = opendir(place->folder);
    const struct dirent *entry;
    size_t count = 0;

    while (folder && (entry = readdir(folder))) {
        char path[400];
        if (*entry->d_name == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", place->folder, entry->d_name);
        count++;
        if (visit)
            visit(path);
    }
    if (folder)
        closedir(folder);
    return count;
}

static void remove_file(const char *path)
{
    unlink(path);
}

static int tear_down(void **state)
{
    struct place *place = *state;

    chmod(place->folder, 0700);
    each_file(place, remove_file);
    rmdir(place->folder);
    unlink(place->folder);
    rmdir(place->cache);
    unsetenv("XDG_CACHE_HOME");
    free(place);
    return 0;
}

static bool holds(const char *of, const char *content)
{
    struct buffer found = BUFFER_EMPTY;
    const bool held = content_cache_load(of, &found) && slice_is(buffer_slice(&found), content);

    buffer_release(&found);
    return held;
}

static bool holds_any(const char *of)
{
    struct buffer found = BUFFER_EMPTY;
    const bool held = content_cache_load(of, &found);

    assert_true(held || found.size == 0);
    buffer_release(&found);
    return held;
}

static void what_was_stored_is_there_again(void **state)
{
    (void)state;
    assert_false(holds_any(key));
    content_cache_store(key, SLICE_LITERAL("compiled"));
    assert_true(holds(key, "compiled"));
    content_cache_store(key, SLICE_LITERAL("again"));
    assert_true(holds(key, "again"));
    assert_false(holds_any(other_key));
}

/* Rules of another version, with other variables, have another key: their file is not taken for
 * ours, wherever it is put. */
static void a_file_under_another_name_is_not_loaded(void **state)
{
    struct place *place = *state;
    char from[200];

    content_cache_store(key, SLICE_LITERAL("compiled"));
    snprintf(from, sizeof from, "%s", path_of(place, key));
    assert_int_equal(rename(from, path_of(place, other_key)), 0);
    assert_false(holds_any(other_key));
}

static void what_others_could_write_is_not_loaded(void **state)
{
    struct place *place = *state;

    content_cache_store(key, SLICE_LITERAL("compiled"));
    assert_int_equal(chmod(path_of(place, key), 0620), 0);
    assert_false(holds_any(key));
    assert_int_equal(chmod(path_of(place, key), 0602), 0);
    assert_false(holds_any(key));
    assert_int_equal(chmod(path_of(place, key), 0600), 0);
    assert_true(holds_any(key));
    assert_int_equal(chmod(place->folder, 0770), 0);
    assert_false(holds_any(key));
    content_cache_store(other_key, SLICE_LITERAL("compiled"));
    assert_int_equal(each_file(place, NULL), 1); /* nothing is put there, either */
    assert_int_equal(chmod(place->folder, 0700), 0);
    assert_true(holds_any(key));
}

static void a_file_of_somebody_else_is_not_loaded(void **state)
{
    struct place *place = *state;

    if (geteuid() != 0)
        skip();
    content_cache_store(key, SLICE_LITERAL("compiled"));
    assert_int_equal(chown(path_of(place, key), 65534, 65534), 0);
    assert_false(holds_any(key));
    assert_int_equal(chown(path_of(place, key), 0, 0), 0);
    assert_int_equal(chown(place->folder, 65534, 65534), 0);
    assert_false(holds_any(key));
    assert_int_equal(chown(place->folder, 0, 0), 0);
    assert_true(holds_any(key));
}

static void links_are_not_followed(void **state)
{
    struct place *place = *state;
    char beside[100];

    content_cache_store(key, SLICE_LITERAL("compiled"));
    snprintf(beside, sizeof beside, "%s/moved", place->cache);
    assert_int_equal(rename(path_of(place, key), beside), 0);
    assert_int_equal(symlink(beside, path_of(place, key)), 0);
    assert_false(holds_any(key));
    assert_int_equal(unlink(path_of(place, key)), 0);
    assert_int_equal(rename(beside, path_of(place, key)), 0);
    assert_int_equal(rename(place->folder, beside), 0);
    assert_int_equal(symlink(beside, place->folder), 0);
    assert_false(holds_any(key));
    assert_int_equal(unlink(place->folder), 0);
    assert_int_equal(rename(beside, place->folder), 0);
    assert_true(holds_any(key));
}

static size_t read_file(const char *path, char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    const size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void what_is_cut_short_or_changed_is_not_loaded(void **state)
{
    struct place *place = *state;
    char bytes[1000];

    content_cache_store(key, SLICE_LITERAL("compiled"));
    const size_t size = read_file(path_of(place, key), bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        write_file(path_of(place, key), bytes, cut);
        assert_false(holds_any(key));
    }
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= 1;
        write_file(path_of(place, key), bytes, size);
        assert_false(holds_any(key));
        bytes[at] ^= 1;
    }
    write_file(path_of(place, key), bytes, size);
    assert_true(holds_any(key));
}

static void without_a_safe_place_nothing_is_kept(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", "relative/path", 1);
    unsetenv("HOME");
    content_cache_store(key, SLICE_LITERAL("compiled"));
    assert_false(holds_any(key));
}

/* --- through the compiler --- */

/* Rules that are long enough to be kept. */
static void make_rules(struct buffer *text, const char *word)
{
    buffer_clear(text);
    for (unsigned i = 0; i < 500; i++)
        buffer_format(text,
                      "rule r%u { strings: $a = \"%s%u and a longer text of the rule\" "
                      "condition: $a }\n",
                      i, word, i);
}

static void no_refusal(void *context, unsigned line, const char *reason)
{
    (void)context, (void)line;
    fail_msg("%s", reason);
}

static void count_hit(void *context, size_t rule, const char *detail)
{
    (void)rule, (void)detail;
    ++*(size_t *)context;
}

static void no_doubt(void *context, size_t rule, const char *why)
{
    (void)context, (void)rule;
    fail_msg("%s", why);
}

/* Compiles the rules, or takes them from the cache: both must find the same. */
static size_t hits_of(const char *word)
{
    const struct content_refusals refusals = {NULL, no_refusal};
    const struct content_file file = {.filename = "x"};
    struct content_rules *rules = NULL;
    struct content_scanner *scanner = NULL;
    struct buffer text = BUFFER_EMPTY;
    size_t hits = 0;
    const struct content_sink sink = {&hits, count_hit, no_doubt, NULL};

    make_rules(&text, word);
    assert_int_equal(content_new(&rules), 0);
    assert_int_equal(content_add_file(rules, "a.yar", buffer_slice(&text), &refusals), 0);
    assert_int_equal(content_compile(rules), 0);
    assert_int_equal(content_scanner_new(rules, &scanner), 0);
    assert_int_equal(content_scan(scanner,
                                  SLICE_LITERAL("red7 and a longer text of the rule, "
                                                "blue8 and a longer text of the rule, "
                                                "blue9 and a longer text of the rule"),
                                  &file, &sink),
                     0);
    content_scanner_free(scanner);
    content_free(rules);
    buffer_release(&text);
    return hits;
}

static void the_cache_changes_no_result(void **state)
{
    struct place *place = *state;

    if (!content_available())
        skip();
    assert_int_equal(hits_of("red"), 1);
    const size_t kept = each_file(place, NULL);
    assert_true(kept >= 1);
    assert_int_equal(hits_of("red"), 1);
    assert_int_equal(each_file(place, NULL), kept);
    assert_int_equal(hits_of("blue"), 2); /* other rules, another key */
    assert_true(each_file(place, NULL) > kept);
}

static void replace_by_garbage(const char *path)
{
    char name[65];

    snprintf(name, sizeof name, "%.64s", strrchr(path, '/') + 1);
    content_cache_store(name, SLICE_LITERAL("YARA\x06 these are no compiled rules"));
}

/* The user's own file with the right hash, but libyara cannot make anything of it. */
static void what_libyara_does_not_take_is_compiled_again(void **state)
{
    struct place *place = *state;

    if (!content_available())
        skip();
    assert_int_equal(hits_of("red"), 1);
    each_file(place, replace_by_garbage);
    assert_int_equal(hits_of("red"), 1);
    each_file(place, remove_file);
}

static void runs_at_the_same_time_do_not_disturb_each_other(void **state)
{
    enum { RUNS = 8 };
    struct place *place = *state;
    int bad = 0;

    if (!content_available())
        skip();
    for (int i = 0; i < RUNS; i++)
        if (fork() == 0)
            _exit(hits_of("red") == 1 && hits_of("blue") == 2 ? 0 : 1);
    for (int i = 0; i < RUNS; i++) {
        int status;
        wait(&status);
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    assert_int_equal(bad, 0);
    assert_int_equal(each_file(place, NULL), 2); /* one for each, and nothing half written */
    assert_int_equal(hits_of("red"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_stored_is_there_again),
        TEST(a_file_under_another_name_is_not_loaded),
        TEST(what_others_could_write_is_not_loaded),
        TEST(a_file_of_somebody_else_is_not_loaded),
        TEST(links_are_not_followed),
        TEST(what_is_cut_short_or_changed_is_not_loaded),
        TEST(the_cache_changes_no_result),
        TEST(what_libyara_does_not_take_is_compiled_again),
        TEST(runs_at_the_same_time_do_not_disturb_each_other),
        TEST(without_a_safe_place_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
