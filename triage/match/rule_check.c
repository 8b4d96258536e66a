#include "triage/match/rule_check.h"

#include "triage/match/correlation_window.h"
#include "triage/match/rule_set.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NODES_MOST = 100000, NAMES_MOST = 256, VALUES_MOST = 1000 };

/* One rule being looked at. */
struct check {
    const struct rule_set *set;
    const struct rule_entry *entry;
    void (*tell)(void *context, const char *text);
    void *context;
    size_t count, nodes;
    const char *told[NAMES_MOST]; /* fields that were told already */
    size_t told_count;
};

static void warn(struct check *check, const char *text)
{
    check->count++;
    check->tell(check->context, text);
}

/* --- fields that no record has --- */

static bool was_told(struct check *check, const char *name)
{
    for (size_t i = 0; i < check->told_count; i++)
        if (strcasecmp(check->told[i], name) == 0)
            return true;
    if (check->told_count < NAMES_MOST)
        check->told[check->told_count++] = name;
    return false;
}

static void check_name(struct check *check, const struct field_use *field)
{
    const struct logsources *sources = check->set->sources;
    char text[300];

    for (const struct field_use *name = field; name; name = name->other) {
        const char *common = logsources_common_name(sources, name->name);
        if (logsources_gives_field(sources, &check->entry->rule.source, common))
            return;
    }
    if (was_told(check, field->name))
        return;
    snprintf(text, sizeof text, "no record of its log source has a field '%.200s'", field->name);
    warn(check, text);
}

static void check_fields(struct check *check, const struct expression *expression)
{
    if (++check->nodes > NODES_MOST)
        return;
    for (size_t i = 0; i < expression->count; i++)
        check_fields(check, expression->parts[i]);
    if (expression->kind != EXPRESSION_CLAUSE || expression->clause->keyword)
        return;
    check_name(check, &expression->clause->field);
    if (expression->clause->kind == CLAUSE_FIELD)
        check_name(check, &expression->clause->other);
}

/* --- what nothing can meet --- */

/* A clause that only one text meets: its field and that text. */
static bool is_exact(const struct clause *clause, struct slice *text)
{
    if (clause->keyword)
        return false;
    if (clause->kind == CLAUSE_NUMBER) {
        *text = clause->text;
        return true;
    }
    return clause->kind == CLAUSE_PATTERN && pattern_exact(clause->pattern, text);
}

/* The texts that one field may have: a clause, or one of several about the same field. */
struct allowed {
    size_t slot;
    const struct expression *expression;
};

static bool allows_texts(const struct expression *expression, struct allowed *out)
{
    struct slice text;
    const bool is_clause = expression->kind == EXPRESSION_CLAUSE;

    if (expression->kind == EXPRESSION_NOT || (!is_clause && expression->need != 1) ||
        expression->count > VALUES_MOST)
        return false;
    if (is_clause) {
        *out = (struct allowed){expression->clause->field.slot, expression};
        return is_exact(expression->clause, &text);
    }
    for (size_t i = 0; i < expression->count; i++) {
        const struct expression *part = expression->parts[i];
        if (part->kind != EXPRESSION_CLAUSE || !is_exact(part->clause, &text) ||
            part->clause->field.slot != expression->parts[0]->clause->field.slot)
            return false;
    }
    *out = (struct allowed){expression->count ? expression->parts[0]->clause->field.slot : 0,
                            expression};
    return expression->count > 0;
}

static const struct clause *clause_at(const struct expression *expression, size_t i)
{
    if (expression->kind == EXPRESSION_CLAUSE)
        return i == 0 ? expression->clause : NULL;
    return i < expression->count ? expression->parts[i]->clause : NULL;
}

static bool same_value(const struct clause *a, const struct clause *b)
{
    struct slice x = slice_of(NULL, 0), y = slice_of(NULL, 0);
    long double n, m;

    is_exact(a, &x);
    is_exact(b, &y);
    return slice_equal_nocase(x, y) || (number_parse(x, &n) && number_parse(y, &m) && n == m);
}

static bool share_a_value(const struct expression *a, const struct expression *b)
{
    for (size_t i = 0; clause_at(a, i); i++)
        for (size_t j = 0; clause_at(b, j); j++)
            if (same_value(clause_at(a, i), clause_at(b, j)))
                return true;
    return false;
}

static bool can_hold(struct check *check, const struct expression *expression);

/* All parts must hold: two of them may ask one field for different texts, or one be the other's
 * opposite. Fields that stand in a record several times are the exception: data without names. */
static bool parts_agree(struct check *check, const struct expression *expression)
{
    for (size_t i = 0; i < expression->count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct expression *a = expression->parts[i], *b = expression->parts[j];
            struct allowed x, y;
            if (++check->nodes > NODES_MOST)
                return true;
            if ((a->kind == EXPRESSION_NOT && a->parts[0] == b) ||
                (b->kind == EXPRESSION_NOT && b->parts[0] == a))
                return false;
            if (allows_texts(a, &x) && allows_texts(b, &y) && x.slot == y.slot &&
                strcasecmp(clause_at(a, 0)->field.name, "Data") != 0 && !share_a_value(a, b))
                return false;
        }
    return true;
}

/* "a and (b and c)" asks the same as "a and b and c": nested parts are looked at in one row. */
static size_t flatten(const struct expression *expression, const struct expression **list,
                      size_t count, size_t most)
{
    for (size_t i = 0; i < expression->count && count < most; i++) {
        const struct expression *part = expression->parts[i];
        const bool is_row = part->kind == EXPRESSION_AT_LEAST && part->need == part->count;
        if (is_row)
            count = flatten(part, list, count, most);
        else if (count < most)
            list[count++] = part;
    }
    return count;
}

static bool row_can_hold(struct check *check, const struct expression *expression)
{
    enum { PARTS_MOST = 512 };
    const struct expression *list[PARTS_MOST];
    struct expression row = *expression;

    row.parts = list;
    row.count = flatten(expression, list, 0, PARTS_MOST);
    for (size_t i = 0; i < row.count; i++)
        if (!can_hold(check, list[i]))
            return false;
    return parts_agree(check, &row);
}

/* A text that is no number, where the field has nothing else. */
static bool is_out_of_range(const struct clause *clause)
{
    static const char *const numbers[] = {"EventID",      "EventRecordID",   "sc-status",
                                          "sc-substatus", "sc-win32-status", "sc-bytes",
                                          "cs-bytes",     "time-taken",      "s-port"};
    struct slice text;
    long double number;

    if (clause->keyword || !is_exact(clause, &text) || number_parse(text, &number))
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcasecmp(clause->field.name, numbers[i]) == 0)
            return true;
    return false;
}

/* Bounded by EXPRESSION_DEPTH. */
static bool can_hold(struct check *check, const struct expression *expression)
{
    size_t possible = 0;

    if (expression->kind == EXPRESSION_CLAUSE)
        return !is_out_of_range(expression->clause);
    if (expression->kind != EXPRESSION_AT_LEAST || ++check->nodes > NODES_MOST)
        return true;
    if (expression->need == expression->count)
        return row_can_hold(check, expression);
    for (size_t i = 0; i < expression->count && possible < expression->need; i++)
        possible += can_hold(check, expression->parts[i]);
    return possible >= expression->need;
}

/* --- correlations --- */

/* Whether some number meets all of the limits: if any does, then one beside a limit or at the ends.
 */
static bool limits_can_hold(const struct correlation *c, long double least, long double most)
{
    if (correlation_holds(c, least) || correlation_holds(c, most))
        return true;
    for (size_t i = 0; i < c->limit_count; i++)
        for (int step = -1; step <= 1; step++) {
            const long double number = c->limits[i].number + step;
            if (number >= least && number <= most && correlation_holds(c, number))
                return true;
        }
    return false;
}

static void check_limits(struct check *check, const struct correlation *c)
{
    const bool counts = c->type == CORRELATION_EVENT_COUNT || c->type == CORRELATION_VALUE_COUNT;

    if (counts && !limits_can_hold(c, 1, CORRELATION_WINDOW_MOST))
        warn(check, "its condition can never hold: at most 100000 events are held of a window");
    if (c->type == CORRELATION_TEMPORAL && !c->presence &&
        !limits_can_hold(c, 1, (long double)c->rule_count))
        warn(check, "its condition can never hold: it has fewer rules than it asks for");
}

/* Events without such a field are left out when the rule is evaluated. */
static void check_joined_field(struct check *check, size_t rule, size_t position, const char *field)
{
    const struct correlation *c = check->entry->sigma.correlation;
    const struct rule *base = &check->set->entries[c->rules[position]]->rule;
    const char *name = rule_set_correlated_field(check->set, rule, position, field);
    char text[400];

    if (base->kind == RULE_CORRELATION ||
        logsources_gives_field(check->set->sources, &base->source,
                               logsources_common_name(check->set->sources, name)) ||
        was_told(check, name))
        return;
    snprintf(text, sizeof text, "no event of its rule '%.100s' has the field '%.100s'",
             c->names[position], name);
    warn(check, text);
}

static void check_correlation(struct check *check, size_t rule)
{
    const struct correlation *c = check->entry->sigma.correlation;

    check_limits(check, c);
    for (size_t i = 0; i < c->rule_count; i++) {
        for (size_t j = 0; j < c->group_count; j++)
            check_joined_field(check, rule, i, c->group_by[j]);
        for (size_t j = 0; j < c->field_count; j++)
            check_joined_field(check, rule, i, c->fields[j]);
    }
}

size_t rule_check(const struct rule_set *set, size_t rule,
                  void (*tell)(void *context, const char *text), void *context)
{
    struct check check = {
        .set = set, .entry = set->entries[rule], .tell = tell, .context = context};
    const struct rule *r = &check.entry->rule;

    if (r->state == RULE_ACTIVE && check.entry->sigma.correlation)
        check_correlation(&check, rule);
    if (!check.entry->sigma.expression || r->state != RULE_ACTIVE)
        return check.count;
    check_fields(&check, check.entry->sigma.expression);
    check.nodes = 0;
    if (!can_hold(&check, check.entry->sigma.expression))
        warn(&check, "its condition can never hold: parts of it exclude each other, or a number is "
                     "compared with a word");
    return check.count;
}
