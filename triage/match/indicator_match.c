#include "triage/match/indicator_match.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/match/ascii.h"
#include "triage/match/indicator_scan.h"

#include <stdlib.h>
#include <strings.h>

enum {
    FOUND_MOST = 64,
    VALUE_MOST = 1 << 20, /* of a value, this many bytes are looked at */
    PIECE_MOST = 4096,    /* a longer piece is no path and no name */
    LABEL_MOST = 32,
};

/* Where in an event an indicator was found. */
struct sighting {
    uint32_t number;
    const char *field;
};

struct indicator_matcher {
    const struct indicator_table *table;
    struct regex_scratch *scratch;
    unsigned scanned;                           /* scan_kind bits */
    bool has[INDICATOR_KINDS], paths, requests; /* the event at work is a request */
    bool any_text;                              /* any indicator is a text */
    bool scans, texts; /* what the event at work could hold, by its clues */
    uint32_t *regexes; /* numbers of those that it could match */
    size_t regex_count;
    struct buffer lower, how, joined;
    struct sighting found[FOUND_MOST];
    size_t found_count;
    const char *field; /* at work */
    struct slice piece, raw;
    size_t piece_at; /* where the key that is asked for begins in the piece */
};

static unsigned scanned_kinds(const struct indicator_matcher *matcher)
{
    const bool *has = matcher->has;
    unsigned kinds = 0;

    if (has[INDICATOR_MD5] || has[INDICATOR_SHA1] || has[INDICATOR_SHA256])
        kinds |= SCAN_DIGEST;
    for (size_t i = 0; has[INDICATOR_ADDRESS] && i < indicator_table_total(matcher->table); i++) {
        const struct indicator *indicator = indicator_at(matcher->table, i);
        static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
        if (indicator->kind == INDICATOR_ADDRESS)
            kinds |=
                memcmp(indicator->key.data, mapped, sizeof mapped) == 0 ? SCAN_IPV4 : SCAN_IPV6;
        if ((kinds & SCAN_IPV4) && (kinds & SCAN_IPV6))
            break;
    }
    return kinds;
}

int indicator_matcher_new(const struct indicator_table *table, struct indicator_matcher **out)
{
    struct indicator_matcher *matcher = calloc(1, sizeof *matcher);
    size_t regexes;

    if (!matcher)
        return error_set("out of memory");
    matcher->table = table;
    for (unsigned i = 0; i < INDICATOR_KINDS; i++)
        matcher->has[i] = indicator_table_count(table, (enum indicator_kind)i) > 0;
    matcher->scanned = scanned_kinds(matcher);
    matcher->any_text = indicator_literal_count(table) > 0 || indicator_wide(table, false);
    matcher->paths = matcher->has[INDICATOR_FILE_NAME] || matcher->has[INDICATOR_PATH] ||
                     matcher->has[INDICATOR_FILE_EXTENSION];
    indicator_regexes(table, &regexes);
    matcher->regexes = calloc(regexes + 1, sizeof *matcher->regexes);
    if (!matcher->regexes || regex_scratch_new(&matcher->scratch) < 0) {
        indicator_matcher_free(matcher);
        return error_prefix("indicators");
    }
    *out = matcher;
    return 0;
}

void indicator_matcher_free(struct indicator_matcher *matcher)
{
    if (!matcher)
        return;
    regex_scratch_free(matcher->scratch);
    free(matcher->regexes);
    buffer_release(&matcher->lower);
    buffer_release(&matcher->how);
    buffer_release(&matcher->joined);
    free(matcher);
}

/* --- addresses and digests --- */

static enum indicator_kind digest_kind(size_t digits)
{
    return digits == 32 ? INDICATOR_MD5 : digits == 40 ? INDICATOR_SHA1 : INDICATOR_SHA256;
}

static bool is_listed(const struct indicator_matcher *matcher, const struct scanned_text *text)
{
    if (text->kind != SCAN_DIGEST)
        return indicator_has_address(matcher->table, text->key);
    const struct slice key = slice_of(text->key, text->size / 2);
    return indicator_has(matcher->table, digest_kind(text->size), key, indicator_hash(key));
}

size_t indicator_next(const struct indicator_matcher *matcher, struct slice window, size_t from)
{
    struct scan scan;
    struct scanned_text text;

    if (!matcher->scanned)
        return SIZE_MAX;
    scan_start(&scan, window, from, matcher->scanned);
    while (scan_next(&scan, &text))
        if (is_listed(matcher, &text))
            return text.at > from ? text.at : from;
    return SIZE_MAX;
}

static bool of_requests(const struct log_source *sources)
{
    for (; sources && (sources->category || sources->product || sources->service); sources++)
        if (sources->category && strcmp(sources->category, "webserver") == 0)
            return true;
    return false;
}

/* --- what was found --- */

static void note(void *context, size_t number)
{
    struct indicator_matcher *matcher = context;

    for (size_t i = 0; i < matcher->found_count; i++)
        if (matcher->found[i].number == number)
            return;
    if (matcher->found_count < FOUND_MOST)
        matcher->found[matcher->found_count++] =
            (struct sighting){(uint32_t)number, matcher->field};
}

/* A path that a list gives from the drive on must stand so in the value. */
static void note_path(void *context, size_t number)
{
    struct indicator_matcher *matcher = context;
    const size_t at = matcher->piece_at;

    if (!indicator_at(matcher->table, number)->rooted || at == 0 ||
        matcher->piece.data[at - 1] == ':')
        note(matcher, number);
}

static void find(struct indicator_matcher *matcher, enum indicator_kind kind, struct slice key,
                 uint64_t hash)
{
    if (matcher->has[kind])
        indicator_find(matcher->table, kind, key, hash, kind == INDICATOR_PATH ? note_path : note,
                       matcher);
}

static void find_whole(struct indicator_matcher *matcher, enum indicator_kind kind,
                       struct slice key)
{
    if (matcher->has[kind] && key.size)
        find(matcher, kind, key, indicator_hash(key));
}

static void scan_value(struct indicator_matcher *matcher, struct slice text, unsigned kinds)
{
    struct scan scan;
    struct scanned_text found;

    scan_start(&scan, text, 0, kinds);
    while (scan_next(&scan, &found)) {
        if (found.kind == SCAN_DIGEST)
            find_whole(matcher, digest_kind(found.size), slice_of(found.key, found.size / 2));
        else
            indicator_find_address(matcher->table, found.key, note, matcher);
    }
}

/* --- texts --- */

/* One path or name: all its ends that begin with a separator, its last part, its extension. */
static void look_at_path(struct indicator_matcher *matcher, struct slice piece)
{
    uint64_t hash = 0;
    bool named = false, extended = false;

    piece = slice_trim(piece);
    if (piece.size == 0 || piece.size > PIECE_MOST)
        return;
    matcher->piece = piece;
    for (size_t at = piece.size; at > 0; at--) {
        const uint8_t byte = piece.data[at - 1];
        if (byte == '\\' && !named) {
            find(matcher, INDICATOR_FILE_NAME, slice_from(piece, at), hash);
            named = true;
        }
        hash = indicator_hash_step(hash, byte);
        matcher->piece_at = at - 1;
        if (byte == '.' && !named && !extended) {
            find(matcher, INDICATOR_FILE_EXTENSION, slice_from(piece, at - 1), hash);
            extended = true;
        }
        if (byte == '\\')
            find(matcher, INDICATOR_PATH, slice_from(piece, at - 1), hash);
    }
    if (!named)
        find(matcher, INDICATOR_FILE_NAME, piece, hash);
}

static bool ends_piece(uint8_t c, bool quotes_only)
{
    return c == '"' || (!quotes_only && (c <= ' ' || strchr("',;|<>()=&*", c)));
}

static void look_at_pieces(struct indicator_matcher *matcher, struct slice text, bool quotes_only)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = at;
        while (end < text.size && !ends_piece(text.data[end], quotes_only))
            end++;
        if (end - at < text.size)
            look_at_path(matcher, slice_part(text, at, end - at));
        at = end + 1;
    }
}

static void look_at_paths(struct indicator_matcher *matcher, struct slice lower)
{
    look_at_path(matcher, lower);
    look_at_pieces(matcher, lower, true);
    look_at_pieces(matcher, lower, false);
}

static void look_at_regexes(struct indicator_matcher *matcher, struct slice text)
{
    const char *why;

    for (size_t i = 0; i < matcher->regex_count; i++)
        if (regex_search(indicator_at(matcher->table, matcher->regexes[i])->regex, matcher->scratch,
                         text, &why) == REGEX_YES)
            note(matcher, matcher->regexes[i]);
}

static bool is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* A host name and the domains it lies in. */
static void look_at_host(struct indicator_matcher *matcher, struct slice host)
{
    uint64_t hash = 0;
    unsigned labels = 0;

    while (host.size && host.data[host.size - 1] == '.')
        host.size--;
    for (size_t at = host.size; at > 0 && labels < LABEL_MOST; at--) {
        hash = indicator_hash_step(hash, host.data[at - 1]);
        if (at > 1 && host.data[at - 2] != '.')
            continue;
        if (labels++ > 0)
            find(matcher, INDICATOR_DOMAIN, slice_from(host, at - 1), hash);
    }
}

static void look_at_hosts(struct indicator_matcher *matcher, struct slice lower)
{
    for (size_t at = 0; at < lower.size;) {
        size_t end = at;
        while (end < lower.size && is_host_byte(lower.data[end]))
            end++;
        if (end - at > 3 && end - at < 256)
            look_at_host(matcher, slice_part(lower, at, end - at));
        at = end + 1;
    }
}

/* "http://host/path?query#part": the whole, and without what stands behind '?' or '#'. */
static void look_at_urls(struct indicator_matcher *matcher, struct slice lower)
{
    for (size_t at = 0; (at = slice_find_nocase(lower, at, SLICE_LITERAL("://"))) != SIZE_MAX;) {
        size_t end = at += 3, cut = SIZE_MAX;
        while (end < lower.size && end - at < PIECE_MOST && lower.data[end] > ' ' &&
               !strchr("\"'<>", lower.data[end])) {
            if (cut == SIZE_MAX && (lower.data[end] == '?' || lower.data[end] == '#'))
                cut = end;
            end++;
        }
        for (int i = 0; i < 2; i++, end = cut) {
            if (end == SIZE_MAX)
                break;
            while (end > at && lower.data[end - 1] == '/')
                end--;
            find_whole(matcher, INDICATOR_URL, slice_part(lower, at, end - at));
        }
    }
}

static void look_at_mail(struct indicator_matcher *matcher, struct slice lower)
{
    for (size_t at = 0; at < lower.size;) {
        size_t end = at;
        while (end < lower.size && lower.data[end] > ' ' &&
               !strchr(",;<>\"'()[]:=&", lower.data[end]))
            end++;
        if (end - at < PIECE_MOST)
            find_whole(matcher, INDICATOR_EMAIL, slice_part(lower, at, end - at));
        at = end + 1;
    }
}

/* A key and the keys that it lies in; those of a user's hive also from behind his SID on. */
static void look_at_key(struct indicator_matcher *matcher, struct slice lower)
{
    for (size_t at = 0; at < lower.size && at < PIECE_MOST; at++)
        if (lower.data[at] == '\\')
            find_whole(matcher, INDICATOR_REGISTRY_KEY, slice_part(lower, 0, at));
    find_whole(matcher, INDICATOR_REGISTRY_KEY, slice_part(lower, 0, PIECE_MOST));
    if (!slice_starts(lower, "hku\\"))
        return;
    const size_t sid_end = slice_find(lower, 4, '\\');
    if (sid_end != SIZE_MAX)
        look_at_key(matcher, slice_from(lower, sid_end));
}

/* --- fields --- */

static bool name_holds(const char *name, const char *part)
{
    return slice_find_nocase(slice_of_text(name), 0, slice_of_text(part)) != SIZE_MAX;
}

static bool is_agent(const struct value *value)
{
    return value->field == FIELD_cs_user_agent || value->field == FIELD_UserAgent ||
           (value->field == FIELD_OTHER &&
            (name_holds(value->name, "user-agent") || name_holds(value->name, "useragent")));
}

/* Numbers that look like addresses. */
static bool is_version(const struct value *value)
{
    return name_holds(value->name, "version");
}

static bool is_post(const struct event *event)
{
    return slice_is_nocase(event_value(event, "cs-method"), "POST") ||
           slice_is_nocase(event_value(event, "Method"), "POST");
}

/* The value in lower case; with '\' for '/', or for user agents ' ' for '+'. */
static struct slice lowered(struct indicator_matcher *matcher, struct slice text, uint8_t from,
                            uint8_t to)
{
    buffer_clear(&matcher->lower);
    uint8_t *room = buffer_reserve(&matcher->lower, text.size);
    if (!room)
        abort(); /* a worker's end is noticed, an indicator that was not looked for is not */
    for (size_t i = 0; i < text.size; i++)
        room[i] = text.data[i] == from ? to : ascii_lower(text.data[i]);
    return slice_of(room, text.size);
}

static void look_at_request(struct indicator_matcher *matcher, const struct value *value,
                            struct slice text)
{
    if (is_agent(value))
        find_whole(matcher, INDICATOR_USER_AGENT, lowered(matcher, text, '+', ' '));
    else if (value->field == FIELD_cs_uri_stem || value->field == FIELD_UrlStem)
        find_whole(matcher, INDICATOR_POST_URI, lowered(matcher, text, 0, 0));
}

static void look_at_text(struct indicator_matcher *matcher, const struct value *value,
                         struct slice text)
{
    if (matcher->texts && !matcher->requests && matcher->paths)
        look_at_paths(matcher, lowered(matcher, text, '/', '\\'));
    look_at_regexes(matcher, text);
    if (!matcher->texts)
        return;
    if (value->field == FIELD_TargetObject && matcher->has[INDICATOR_REGISTRY_KEY])
        look_at_key(matcher, lowered(matcher, text, 0, 0));
    if (!matcher->has[INDICATOR_DOMAIN] && !matcher->has[INDICATOR_URL] &&
        !matcher->has[INDICATOR_EMAIL] && !matcher->has[INDICATOR_SERVICE])
        return;
    const struct slice lower = lowered(matcher, text, 0, 0);
    if (matcher->has[INDICATOR_DOMAIN])
        look_at_hosts(matcher, lower);
    if (matcher->has[INDICATOR_URL])
        look_at_urls(matcher, lower);
    if (matcher->has[INDICATOR_EMAIL])
        look_at_mail(matcher, lower);
    if (value->field == FIELD_ServiceName)
        find_whole(matcher, INDICATOR_SERVICE, lower);
}

static void look_at_value(struct indicator_matcher *matcher, const struct value *value, bool post)
{
    const struct slice text = slice_part(value->text, 0, VALUE_MOST);
    const bool agent = is_agent(value);

    matcher->field = value->name;
    if (matcher->scans && text.size >= 3 && !agent && !is_version(value))
        scan_value(matcher, text, matcher->scanned);
    if (post && matcher->texts)
        look_at_request(matcher, value, text);
    if (!agent && text.size >= 3)
        look_at_text(matcher, value, text);
}

/* --- telling --- */

/* A name says nothing against a file whose content is known to be good. */
static void drop_names(struct indicator_matcher *matcher)
{
    size_t kept = 0;

    for (size_t i = 0; i < matcher->found_count; i++) {
        const unsigned kind = indicator_at(matcher->table, matcher->found[i].number)->kind;
        if (kind < INDICATOR_FILE_NAME || kind > INDICATOR_PATH_REGEX)
            matcher->found[kept++] = matcher->found[i];
    }
    matcher->found_count = kept;
}

static bool is_known_good(const struct event *event)
{
    const struct slice word = event_value(event, "Baseline");

    return slice_is(word, "trusted") || slice_is(word, "shipped");
}

static bool set_is_met(const struct indicator_matcher *matcher, uint32_t set)
{
    unsigned met = 0;

    for (size_t i = 0; i < matcher->found_count; i++)
        met += indicator_at(matcher->table, matcher->found[i].number)->set == set;
    return set == 0 || met >= indicator_set_members(matcher->table, set);
}

static int by_rule(const void *a, const void *b)
{
    const uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

    return (first > second) - (first < second);
}

static void describe(struct indicator_matcher *matcher, const struct sighting *sighting)
{
    const struct indicator *indicator = indicator_at(matcher->table, sighting->number);

    buffer_format(&matcher->how, "%s%s of line %u%s%s", matcher->how.size ? "; " : "",
                  indicator_kind_name((enum indicator_kind)indicator->kind), indicator->line,
                  *sighting->field ? " in " : "", sighting->field);
}

static void tell_rule(struct indicator_matcher *matcher, uint32_t rule,
                      void (*hit)(void *context, const struct indicator_hit *hit), void *context)
{
    buffer_clear(&matcher->how);
    for (size_t i = 0; i < matcher->found_count; i++) {
        const struct indicator *found = indicator_at(matcher->table, matcher->found[i].number);
        if (found->rule == rule && set_is_met(matcher, found->set))
            describe(matcher, &matcher->found[i]);
    }
    if (matcher->how.size == 0)
        return;
    const struct indicator_hit told = {rule, buffer_text(&matcher->how)};
    hit(context, &told);
}

static void tell(struct indicator_matcher *matcher,
                 void (*hit)(void *context, const struct indicator_hit *hit), void *context)
{
    uint32_t rules[FOUND_MOST];

    for (size_t i = 0; i < matcher->found_count; i++)
        rules[i] = indicator_at(matcher->table, matcher->found[i].number)->rule;
    qsort(rules, matcher->found_count, sizeof *rules, by_rule);
    for (size_t i = 0; i < matcher->found_count; i++)
        if (i == 0 || rules[i] != rules[i - 1])
            tell_rule(matcher, rules[i], hit, context);
}

/* All values in one text, a line each, so that one search does for them. */
static struct slice join(struct indicator_matcher *matcher, const struct event *event)
{
    struct buffer *joined = &matcher->joined;

    buffer_clear(joined);
    for (size_t i = 0; i < event->value_count; i++) {
        if (event->values[i].alias)
            continue;
        buffer_add(joined, slice_part(event->values[i].text, 0, VALUE_MOST));
        buffer_add_byte(joined, '\n');
    }
    if (event->marks & EVENT_REJECTED)
        buffer_add(joined, slice_part(event->raw, 0, VALUE_MOST));
    if (buffer_failed(joined))
        abort(); /* as in lowered() */
    return buffer_slice(joined);
}

/* Whether the event could hold what the demand with that number asks for; `otherwise`, when there
 * is no such demand. */
static bool is_nominated(const struct indicator_clues *clues, size_t number, bool otherwise)
{
    const size_t bit = clues->first + number;

    if (!clues->nominated)
        return true;
    return number < clues->count ? clues->nominated[bit / 64] >> bit % 64 & 1 : otherwise;
}

/* Whether anything that the clues leave could stand in the event. */
static bool follow_clues(struct indicator_matcher *matcher, const struct event *event,
                         const struct indicator_clues *clues)
{
    size_t count;
    const uint32_t *regexes = indicator_regexes(matcher->table, &count);
    const struct indicator_grams *wide = indicator_wide(matcher->table, matcher->requests);

    matcher->scans = matcher->scanned && clues->scanned;
    count = matcher->requests ? 0 : count;
    matcher->texts =
        matcher->any_text &&
        (is_nominated(clues, count, !wide) ||
         (clues->nominated && wide && indicator_grams_any(wide, join(matcher, event))));
    matcher->regex_count = 0;
    for (size_t i = 0; i < count; i++)
        if (is_nominated(clues, i, true))
            matcher->regexes[matcher->regex_count++] = regexes[i];
    return matcher->regex_count || matcher->scans || matcher->texts;
}

void indicator_event(struct indicator_matcher *matcher, const struct event *event,
                     const struct indicator_clues *clues,
                     void (*hit)(void *context, const struct indicator_hit *hit), void *context)
{
    const bool requests = matcher->has[INDICATOR_USER_AGENT] || matcher->has[INDICATOR_POST_URI];

    matcher->found_count = 0;
    matcher->requests = of_requests(event->sources);
    if (!follow_clues(matcher, event, clues))
        return;
    const bool post = requests && is_post(event);
    for (size_t i = 0; i < event->value_count; i++)
        if (!event->values[i].alias)
            look_at_value(matcher, &event->values[i], post);
    if (event->marks & EVENT_REJECTED) {
        const struct value whole = {.name = "", .field = FIELD_OTHER, .text = event->raw};
        look_at_value(matcher, &whole, false);
    }
    if (matcher->found_count && is_known_good(event))
        drop_names(matcher);
    if (matcher->found_count)
        tell(matcher, hit, context);
}
