#include "triage/report/pseudonyms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct pseudonyms *names, const char *text, const char *expected)
{
    struct buffer out = BUFFER_EMPTY;

    pseudonyms_replace(names, slice_of_text(text), &out);
    assert_string_equal(buffer_text(&out), expected);
    buffer_release(&out);
}

static struct pseudonyms *known(void)
{
    struct pseudonyms *names = pseudonyms_new();

    pseudonyms_learn_domain(names, slice_of_text("contoso.example"));
    pseudonyms_learn_host(names, slice_of_text("EXCH01"));
    pseudonyms_learn_user(names, slice_of_text("CONTOSO\\alice"));
    pseudonyms_learn_user(names, slice_of_text("bob.miller@contoso.example"));
    return names;
}

static void users_are_replaced_wherever_they_stand(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    expect(names, "C:\\Users\\Alice\\x.txt", "C:\\Users\\user-0001\\x.txt");
    expect(names, "CONTOSO\\ALICE and bob.miller", "domain-0001\\user-0001 and user-0002");
    expect(names, "malice alices", "malice alices");
    expect(names, "u=%2falice&", "u=%2fuser-0001&");
    pseudonyms_free(names);
}

static void mailboxes_are_known_by_their_form(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    expect(names, "Smtp:Carol@contoso.example;carol%40CONTOSO.example",
           "Smtp:mailbox-0001;mailbox-0001");
    expect(names, "eve@elsewhere.example, x@y", "mailbox-0002, x@y");
    pseudonyms_free(names);
}

static void addresses_keep_whether_they_are_private(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    expect(names, "203.0.113.7 10.1.2.3:443 203.0.113.7",
           "ip-public-0001 ip-private-0001:443 ip-public-0001");
    expect(names, "2001:DB8::7 [2001:db8:0:0::7] fe80::1",
           "ip-public-0002 [ip-public-0002] ip-private-0002");
    expect(names, "::ffff:203.0.113.7", "ip-public-0001");
    expect(names, "127.0.0.1 ::1 04:37:12 1.2.3 1.2.3.4.5 999.1.1.1",
           "127.0.0.1 ::1 04:37:12 1.2.3 1.2.3.4.5 999.1.1.1");
    pseudonyms_free(names);
}

static void versions_that_are_told_stay(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    pseudonyms_keep(names, slice_of_text("15.1.225.42"));
    expect(names, "15.1.225.42 15.1.225.43", "15.1.225.42 ip-public-0001");
    pseudonyms_free(names);
}

static void hosts_share_the_pseudonym_of_their_short_name(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    expect(names, "exch01 EXCH01.contoso.example EXCH01$ exch01.E01",
           "host-0001 host-0001 host-0001$ host-0001.E01");
    expect(names, "https://dc7.contoso.example/x", "https://host-0002/x");
    expect(names, "ServerInfo~a]@mail99:444/x?@foreign.example/y",
           "ServerInfo~a]@host-0003:444/x?@host-0004/y");
    pseudonyms_free(names);
}

static void security_identifiers_are_replaced_but_those_of_windows(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    expect(names, "S-1-5-21-1-2-3-1104 S-1-5-18", "sid-0001 S-1-5-18");
    pseudonyms_free(names);
}

static void what_base64_hides_goes(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    /* "bob.miller@contoso.example" */
    expect(names, "cat=Ym9iLm1pbGxlckBjb250b3NvLmV4YW1wbGU=&x", "cat=encoded-0001&x");
    expect(names, "AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    pseudonyms_free(names);
}

static void in_json_only_texts_change(void **state)
{
    struct pseudonyms *names = known();
    struct buffer out = BUFFER_EMPTY;

    (void)state;
    pseudonyms_replace_json(
        names,
        slice_of_text("{\"alice\": \"C:\\\\Users\\\\\\u0061lice\", \"n\": [1, \"\\\"alice\\\"\"]}"),
        &out);
    assert_string_equal(
        buffer_text(&out),
        "{\"alice\": \"C:\\\\Users\\\\user-0001\", \"n\": [1, \"\\\"user-0001\\\"\"]}");
    buffer_release(&out);
    pseudonyms_free(names);
}

static void users_are_learned_from_paths_and_domains(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    pseudonyms_learn_text(
        names, slice_of_text("C:\\\\Users\\\\dora k\\\\a D:\\Users\\Public\\b CONTOSO\\emil;"));
    pseudonyms_learn_text(names, slice_of_text("by contoso.example/Staff/Finn Olsen in 5668 w3wp"));
    expect(names, "dora k, emil, public, Finn Olsen", "user-0001, user-0002, public, user-0003");
    pseudonyms_free(names);
}

static void accounts_of_windows_stay(void **state)
{
    struct pseudonyms *names = known();

    (void)state;
    pseudonyms_learn_user(names, slice_of_text("NT AUTHORITY\\SYSTEM"));
    pseudonyms_learn_user(names, slice_of_text("IIS APPPOOL\\MSExchangeOWAAppPool"));
    expect(names, "NT AUTHORITY\\SYSTEM MSExchangeOWAAppPool",
           "NT AUTHORITY\\SYSTEM MSExchangeOWAAppPool");
    pseudonyms_free(names);
}

static void cut_and_hostile_texts_do_no_harm(void **state)
{
    static const char *const texts[] = {
        "\"\\",      "\"\\u12", "\"\\ud834\\u", "@",  "%40",     "a@",
        "S-1-5-21-", ":::::",   "\\Users\\",    "\\", "\xff\xfe"};
    struct pseudonyms *names = known();

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buffer out = BUFFER_EMPTY;
        pseudonyms_learn_text(names, slice_of_text(texts[i]));
        pseudonyms_replace(names, slice_of_text(texts[i]), &out);
        pseudonyms_replace_json(names, slice_of_text(texts[i]), &out);
        assert_false(buffer_failed(&out));
        buffer_release(&out);
    }
    assert_int_equal(pseudonyms_check(names), 0);
    pseudonyms_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_replaced_wherever_they_stand),
        cmocka_unit_test(mailboxes_are_known_by_their_form),
        cmocka_unit_test(addresses_keep_whether_they_are_private),
        cmocka_unit_test(versions_that_are_told_stay),
        cmocka_unit_test(hosts_share_the_pseudonym_of_their_short_name),
        cmocka_unit_test(security_identifiers_are_replaced_but_those_of_windows),
        cmocka_unit_test(what_base64_hides_goes),
        cmocka_unit_test(in_json_only_texts_change),
        cmocka_unit_test(users_are_learned_from_paths_and_domains),
        cmocka_unit_test(accounts_of_windows_stay),
        cmocka_unit_test(cut_and_hostile_texts_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
