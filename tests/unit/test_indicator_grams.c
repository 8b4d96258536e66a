/* Very many literals in raw bytes: none is missed, and next to nothing is found in vain. */
#include "triage/base/buffer.h"
#include "triage/match/indicator_grams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t dice(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static struct indicator_grams *grams_of(const struct literal *list, size_t count)
{
    struct indicator_grams *grams = NULL;

    assert_int_equal(indicator_grams_new(list, count, &grams), 0);
    return grams;
}

static size_t first(const struct indicator_grams *grams, struct slice window, size_t from)
{
    size_t next = SIZE_MAX;

    for (size_t i = 0; i < INDICATOR_GRAM_PASSES; i++) {
        const size_t at = indicator_grams_next(grams, i, window, from);
        next = at < next ? at : next;
    }
    return next;
}

/* One of each class, and borders between them. */
static const char *const samples[] = {
    "abc",
    "xy.z",
    "a.b",
    "ab.cd",
    "nc.exe",
    "tool.io",
    "mail.x.de",
    "evil-shop.com",
    "seven77",
    "eight888",
    "nine99999",
    "temporaries",
    "a.very.long.name.of.a.host.example",
    "mozilla/5.0 (made up)",
    "..\\..\\x",
    "trailing.dot.",
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void a_literal_is_found_wherever_it_stands(void **context)
{
    struct literal list[SAMPLES];
    char window[128];

    (void)context;
    for (size_t i = 0; i < SAMPLES; i++)
        list[i].text = slice_of_text(samples[i]);
    struct indicator_grams *grams = grams_of(list, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        const size_t size = strlen(samples[i]);
        for (size_t at = 0; at + size <= 90; at++) {
            memset(window, '#', sizeof window);
            memcpy(window + at, samples[i], size);
            for (size_t k = 0; at % 2 && k < size; k++)
                window[at + k] =
                    (char)(window[at + k] >= 'a' && window[at + k] <= 'z' ? window[at + k] - 32
                                                                          : window[at + k]);
            for (size_t end = at + size; end < at + size + 20; end += 7) {
                const struct slice whole = slice_of(window, end);
                const size_t found = first(grams, whole, 0);
                if (found < at || found >= at + size)
                    fail_msg("'%s' at %zu: %zu", samples[i], at, found);
                assert_int_equal(first(grams, whole, at + size), SIZE_MAX);
                assert_true(indicator_grams_any(grams, whole));
            }
            assert_false(indicator_grams_any(grams, slice_of(window, at + size - 1)));
        }
    }
    indicator_grams_free(grams);
}

static void random_text(uint32_t *state, size_t size, struct buffer *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789--..._";

    while (size--)
        buffer_add_byte(out, (uint8_t)letters[dice(state) % (sizeof letters - 1)]);
}

static bool stands_in(const struct literal *list, size_t count, struct slice text)
{
    for (size_t i = 0; i < count; i++)
        if (slice_find_nocase(text, 0, list[i].text) != SIZE_MAX)
            return true;
    return false;
}

/* Against a search for each. */
static void what_is_found_stands_there(void **context)
{
    enum { LITERALS = 3000, ROUNDS = 3000 };
    struct literal *list = calloc(LITERALS, sizeof *list);
    struct buffer texts = BUFFER_EMPTY, text = BUFFER_EMPTY;
    size_t starts[LITERALS + 1], hits = 0;
    uint32_t state = 11;

    (void)context;
    for (size_t i = 0; i < LITERALS; i++) {
        starts[i] = texts.size;
        random_text(&state, 4 + dice(&state) % 24, &texts);
    }
    starts[LITERALS] = texts.size;
    for (size_t i = 0; i < LITERALS; i++)
        list[i].text = slice_of(texts.data + starts[i], starts[i + 1] - starts[i]);
    struct indicator_grams *grams = grams_of(list, LITERALS);
    for (size_t i = 0; i < ROUNDS; i++) {
        buffer_clear(&text);
        random_text(&state, dice(&state) % 60, &text);
        if (i % 3 == 0)
            buffer_add(&text, list[dice(&state) % LITERALS].text);
        random_text(&state, dice(&state) % 20, &text);
        const bool stands = stands_in(list, LITERALS, buffer_slice(&text));
        assert_int_equal(indicator_grams_any(grams, buffer_slice(&text)), stands);
        hits += stands;
    }
    assert_true(hits >= ROUNDS / 3 && hits < ROUNDS);
    indicator_grams_free(grams);
    buffer_release(&texts);
    buffer_release(&text);
    free(list);
}

/* Literals that share all that is looked for are all found, without comparing each. */
static void many_literals_of_one_gram_are_taken_for_finds(void **context)
{
    enum { MANY = 200 };
    char texts[MANY][24];
    struct literal list[MANY];

    (void)context;
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "zqzqzqzqz%03d", i);
        list[i].text = slice_of_text(texts[i]);
    }
    struct indicator_grams *grams = grams_of(list, MANY);
    for (int i = 0; i < MANY; i++)
        assert_true(indicator_grams_any(grams, list[i].text));
    assert_false(indicator_grams_any(grams, SLICE_LITERAL("aaaaaaaaaaaaaaaa")));
    indicator_grams_free(grams);
}

static void no_literals_are_no_find(void **context)
{
    struct indicator_grams *grams = grams_of(NULL, 0);

    (void)context;
    assert_false(indicator_grams_any(grams, SLICE_LITERAL("anything.at.all")));
    indicator_grams_free(grams);
    assert_true(indicator_grams_cheap(SLICE_LITERAL("evil.example")));
    assert_true(indicator_grams_cheap(SLICE_LITERAL("nc.exe")));
    assert_false(indicator_grams_cheap(SLICE_LITERAL("x.exe")));
    assert_false(indicator_grams_cheap(SLICE_LITERAL("software")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_is_found_wherever_it_stands),
        cmocka_unit_test(what_is_found_stands_there),
        cmocka_unit_test(many_literals_of_one_gram_are_taken_for_finds),
        cmocka_unit_test(no_literals_are_no_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
