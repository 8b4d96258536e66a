#include "triage/base/uuid.h"
#include "triage/case/seal.h"
#include "triage/case/sign.h"
#include "triage/engine/mailbox_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_custody_XXXXXX";

static const char *put(const char *name, const char *content)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(content, out);
    fclose(out);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"a.E01", "a.E02", "a.txt"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static bool holds(struct seal *seal, const char *const *segments, size_t count)
{
    struct buffer what = BUFFER_EMPTY;
    const bool held = seal_holds(seal, segments, count, &what);

    assert_int_equal(held, what.size == 0);
    buffer_release(&what);
    return held;
}

static void a_segment_that_grows_breaks_the_seal(void **state)
{
    static const char *const segments[] = {"a.E01", "a.E02"};
    struct seal *seal = NULL;
    char first[256];

    (void)state;
    snprintf(first, sizeof first, "%s", put("a.E01", "one"));
    put("a.E02", "two");
    put("a.txt", "a note beside it");
    assert_int_equal(seal_take(first, &seal), 0);
    assert_true(holds(seal, segments, 2));
    put("a.txt", "the note may change");
    assert_true(holds(seal, segments, 2));
    put("a.E02", "other");
    assert_false(holds(seal, segments, 2));
    seal_free(seal);
}

static void a_folder_is_sealed_with_all_below(void **state)
{
    struct seal *seal = NULL;

    (void)state;
    put("a.E01", "one");
    assert_int_equal(seal_take(folder, &seal), 0);
    assert_true(holds(seal, NULL, 0));
    put("a.E01", "longer");
    assert_false(holds(seal, NULL, 0));
    seal_free(seal);
}

static void what_is_not_there_cannot_be_sealed(void **state)
{
    struct seal *seal = NULL;

    (void)state;
    assert_int_equal(seal_take("/no/such/evidence", &seal), -1);
}

static void signing_wants_a_key(void **state)
{
    (void)state;
    assert_int_equal(sign_check("gpg"), 0);
    assert_int_equal(sign_check("gpg:me@example.org"), 0);
    assert_int_equal(sign_check("gpg:"), -1);
    assert_int_equal(sign_check("ssh"), -1);
    assert_int_equal(sign_check("ssh:/no/such/key"), -1);
    assert_int_equal(sign_check("pgp"), -1);
}

static void stores_of_mail_are_known_by_name(void **state)
{
    static const char *const stores[] = {"Exchange/Mailbox/DB01/DB01.edb",
                                         "x/Mailbox Database 1.EDB",
                                         "Users/a/archive.pst",
                                         "a.ost",
                                         "priv1.stm",
                                         "DB01/E00.log",
                                         "DB01/E0000000A2F.log",
                                         "DB01/E00tmp.log",
                                         "DB01/E00res00001.jrs",
                                         "DB01/E0100000001.jtx"};
    static const char *const others[] = {"W3SVC1/u_ex210303.log",
                                         "Ecp/HttpProxy_2021030304-1.LOG",
                                         "ECPServer20210303-1.LOG",
                                         "Ews_2021030304-1.LOG",
                                         "Eas_2021030304-1.LOG",
                                         "sru/SRUDB.dat",
                                         "pst",
                                         "a.pst.aspx",
                                         "E.log",
                                         "ExchangeSetup.log",
                                         "EdgeSync/EdgeSync20210303-1.log"};

    (void)state;
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
        assert_true(is_mailbox_store(stores[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(is_mailbox_store(others[i]));
}

/* RFC 4122's own example of a namespace: www.example.com in that of DNS names. */
static void names_make_uuids(void **state)
{
    char text[UUID_TEXT_SIZE];

    (void)state;
    assert_string_equal(uuid_of_name("6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                                     slice_of_text("www.example.com"), text),
                        "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_that_grows_breaks_the_seal),
        cmocka_unit_test(a_folder_is_sealed_with_all_below),
        cmocka_unit_test(what_is_not_there_cannot_be_sealed),
        cmocka_unit_test(signing_wants_a_key),
        cmocka_unit_test(stores_of_mail_are_known_by_name),
        cmocka_unit_test(names_make_uuids),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
