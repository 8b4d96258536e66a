/* The nominator against a plain search for each literal of each rule. */
#include "triage/match/gram_groups.h"
#include "triage/match/nominator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RULES = 150, LITERALS = 4, WORD = 12, TEXT = 700, ROUNDS = 3000 };

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

/* Few different bytes, so that literals and near misses abound. */
static void random_text(uint8_t *text, size_t size)
{
    static const char bytes[] = "aAbB/.%0\x80\xC1[{";

    for (size_t i = 0; i < size; i++)
        text[i] = (uint8_t)bytes[random_below(sizeof bytes - 1)];
}

struct made_rule {
    struct literal_demands demands;
    struct literal_set sets[LITERAL_DEMANDS_MOST];
    struct literal literals[LITERAL_DEMANDS_MOST][LITERALS];
    uint8_t words[LITERAL_DEMANDS_MOST][LITERALS][WORD];
};

static struct made_rule rules[RULES];
static const struct literal_demands *demands[RULES];

/* Rule 0 demands nothing. */
static void make_rules(void)
{
    for (size_t i = 0; i < RULES; i++) {
        struct made_rule *rule = &rules[i];
        rule->demands =
            (struct literal_demands){rule->sets, i ? 1 + random_below(LITERAL_DEMANDS_MOST) : 0};
        for (size_t j = 0; j < rule->demands.count; j++) {
            rule->sets[j] = (struct literal_set){rule->literals[j], 1 + random_below(LITERALS), 0};
            for (size_t k = 0; k < rule->sets[j].count; k++) {
                const size_t size = LITERAL_SHORTEST + random_below(3);
                random_text(rule->words[j][k], size);
                rule->literals[j][k].text = slice_of(rule->words[j][k], size);
            }
        }
        demands[i] = &rule->demands;
    }
}

static bool meets(const struct literal_set *set, struct slice first, struct slice second)
{
    for (size_t i = 0; i < set->count; i++)
        if (slice_find_nocase(first, 0, set->list[i].text) != SIZE_MAX ||
            slice_find_nocase(second, 0, set->list[i].text) != SIZE_MAX)
            return true;
    return false;
}

static bool meets_all(size_t rule, struct slice first, struct slice second)
{
    for (size_t i = 0; i < demands[rule]->count; i++)
        if (!meets(&demands[rule]->sets[i], first, second))
            return false;
    return true;
}

static size_t compare(const struct nominator *nominator, size_t first_rule, struct slice first,
                      struct slice second)
{
    uint64_t marks[64], bits[8];
    size_t nominated = 0;

    assert_true(nominator_mark_words(nominator) <= 64);
    assert_true(nominator_rule_words(nominator) <= 8);
    nominator_start(nominator, marks);
    nominator_add(nominator, first, marks);
    nominator_add(nominator, second, marks);
    nominator_rules(nominator, marks, bits);
    for (size_t i = first_rule; i < RULES; i++) {
        const size_t bit = i - first_rule;
        const bool expected = meets_all(i, first, second);
        assert_int_equal(bits[bit / 64] >> bit % 64 & 1, expected);
        nominated += expected;
    }
    assert_int_equal(nominator_any(nominator, marks), nominated > 0);
    return nominated;
}

/* The texts end where their memory ends, so that reading behind them shows. */
static void all_rules_whose_demands_are_met_are_nominated(void **context)
{
    size_t nominated = 0;

    (void)context;
    make_rules();
    for (size_t first_rule = 0; first_rule < 2; first_rule++) {
        struct nominator *nominator = NULL;
        assert_int_equal(nominator_new(demands + first_rule, RULES - first_rule, &nominator), 0);
        for (size_t round = 0; round < ROUNDS; round++) {
            const size_t sizes[] = {random_below(TEXT), random_below(round % 2 ? TEXT : 40)};
            uint8_t *texts[] = {malloc(sizes[0] + 1), malloc(sizes[1] + 1)};
            random_text(texts[0] + 1, sizes[0]);
            random_text(texts[1] + 1, sizes[1]);
            nominated += compare(nominator, first_rule, slice_of(texts[0] + 1, sizes[0]),
                                 slice_of(texts[1] + 1, sizes[1]));
            free(texts[0]);
            free(texts[1]);
        }
        nominator_free(nominator);
    }
    assert_true(nominated > ROUNDS);
}

static bool nominates(const struct nominator *nominator, const char *text, bool loose)
{
    uint64_t marks[1] = {0};

    assert_int_equal(nominator_mark_words(nominator), 1);
    (loose ? nominator_add_loose : nominator_add)(nominator, slice_of_text(text), marks);
    return nominator_any(nominator, marks);
}

static void a_value_does_not_end_amid_a_name(void **context)
{
    const struct literal literal = {SLICE_LITERAL("/owa/"), true};
    const struct literal_set set = {.list = &literal, .count = 1};
    const struct literal_demands wanted = {&set, 1}, *rule = &wanted;
    struct nominator *nominator = NULL;

    (void)context;
    assert_int_equal(nominator_new(&rule, 1, &nominator), 0);
    assert_true(nominates(nominator, "GET /OWA/ - 200", false));
    assert_true(nominates(nominator, "/owa/", false));
    assert_false(nominates(nominator, "GET /owa/auth - 200", false));
    assert_true(nominates(nominator, "GET /owa/auth - 200", true));
    nominator_free(nominator);
}

static bool gram_stands_at(struct slice text, size_t at, uint32_t gram, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        if (at + i >= text.size || (text.data[at + i] | 0x20) != (gram >> 8 * i & 0xFF))
            return false;
    return true;
}

/* Gives the places that pass though no gram stands there. */
static size_t count_others(const struct gram_groups *groups, struct slice text,
                           const uint32_t *grams, size_t count)
{
    uint64_t masks[TEXT / GRAM_GROUPS_BLOCK + 1];
    size_t others = 0;

    gram_groups_scan(groups, text, sizeof masks / sizeof *masks, masks);
    for (size_t at = 0; at < text.size; at++) {
        const bool passes = masks[at / GRAM_GROUPS_BLOCK] >> at % GRAM_GROUPS_BLOCK & 1;
        bool stands = false;
        for (size_t i = 0; i < count; i++)
            stands |= gram_stands_at(text, at, grams[i], i ? 4 : 3);
        assert_true(passes || !stands);
        others += passes && !stands;
    }
    return others;
}

/* The first is a short one. */
static void random_grams(uint32_t *grams, size_t count, struct gram_groups *groups)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t text[4];
        random_text(text, sizeof text);
        grams[i] = (text[0] | (uint32_t)text[1] << 8 | (uint32_t)text[2] << 16 |
                    (i ? (uint32_t)text[3] << 24 : 0)) |
                   (i ? 0x20202020u : 0x202020u);
        gram_groups_add(groups, grams[i], i ? 4 : 3);
    }
}

static void whatever_the_processor_has_every_gram_passes(void **context)
{
    (void)context;
    for (unsigned unit = GRAM_GROUPS_NONE; unit <= gram_groups_best(); unit++) {
        size_t others = 0, places = 0;
        for (size_t round = 0; round < 300; round++) {
            struct gram_groups groups;
            uint32_t grams[12];
            const size_t size = random_below(round % 2 ? TEXT : 140);
            uint8_t *text = malloc(size + 1);
            gram_groups_init(&groups, (enum gram_groups_unit)unit);
            random_grams(grams, 12, &groups);
            random_text(text + 1, size);
            others += count_others(&groups, slice_of(text + 1, size), grams, 12);
            places += size;
            free(text);
        }
        assert_true(unit == GRAM_GROUPS_NONE || others < places / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rules_whose_demands_are_met_are_nominated),
        cmocka_unit_test(a_value_does_not_end_amid_a_name),
        cmocka_unit_test(whatever_the_processor_has_every_gram_passes),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
