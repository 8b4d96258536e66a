#include "triage/formats/columns.h"

#include <string.h>

/* What is known of columns by their names; all others are text that never holds stray separators.
 */
static const struct {
    const char *name;
    enum column_type type;
    unsigned greed;
} known[] = {
    {"date", COLUMN_DATE, 0},
    {"date-local", COLUMN_DATE, 0},
    {"time", COLUMN_CLOCK, 0},
    {"time-local", COLUMN_CLOCK, 0},
    {"c-ip", COLUMN_ADDRESS, 0},
    {"s-ip", COLUMN_ADDRESS, 0},
    {"c-port", COLUMN_NUMBER, 0},
    {"s-port", COLUMN_NUMBER, 0},
    {"cs-method", COLUMN_TOKEN, 0},
    {"sc-status", COLUMN_STATUS, 0},
    {"sc-substatus", COLUMN_NUMBER, 0},
    {"sc-win32-status", COLUMN_NUMBER, 0},
    {"sc-bytes", COLUMN_NUMBER, 0},
    {"cs-bytes", COLUMN_NUMBER, 0},
    {"time-taken", COLUMN_NUMBER, 0},
    {"cs-user-agent", COLUMN_TEXT, 1},
    {"cs-referer", COLUMN_TEXT, 2},
    {"cs-cookie", COLUMN_TEXT, 3},
    {"cs-username", COLUMN_TEXT, 4},
    {"cs-uri-query", COLUMN_TEXT, 5},
    {"cs-uri-stem", COLUMN_TEXT, 6},
    {"cs-uri", COLUMN_TEXT, 7},
    {"cs-host", COLUMN_TEXT, 8},
    {"X-Forwarded-For", COLUMN_TEXT, 9},
    {"DateTime", COLUMN_STAMP, 0},
    {"date-time", COLUMN_STAMP, 0},
    {"TimeStamp", COLUMN_STAMP, 0},
    {"HttpStatus", COLUMN_STATUS, 0},
    {"BackEndStatus", COLUMN_STATUS, 0},
    {"ClientIpAddress", COLUMN_ADDRESS, 0},
    {"client-ip", COLUMN_ADDRESS, 0},
    {"Method", COLUMN_TOKEN, 0},
    {"MajorVersion", COLUMN_NUMBER, 0},
    {"MinorVersion", COLUMN_NUMBER, 0},
    {"BuildVersion", COLUMN_NUMBER, 0},
    {"RevisionVersion", COLUMN_NUMBER, 0},
    {"IsAuthenticated", COLUMN_TOKEN, 0},
    {"RequestBytes", COLUMN_NUMBER, 0},
    {"ResponseBytes", COLUMN_NUMBER, 0},
    {"TotalRequestTime", COLUMN_NUMBER, 0},
    {"total-bytes", COLUMN_NUMBER, 0},
    {"recipient-count", COLUMN_NUMBER, 0},
    {"event-id", COLUMN_TOKEN, 0},
    {"EventData", COLUMN_TEXT, 1},
    {"Message", COLUMN_TEXT, 1},
    {"UserAgent", COLUMN_TEXT, 2},
    {"ClientInfo", COLUMN_TEXT, 2},
    {"UrlQuery", COLUMN_TEXT, 3},
    {"Parameters", COLUMN_TEXT, 3},
    {"GenericErrors", COLUMN_TEXT, 4},
    {"GenericInfo", COLUMN_TEXT, 5},
    {"UrlStem", COLUMN_TEXT, 6},
    {"AnchorMailbox", COLUMN_TEXT, 7},
    {"AuthenticatedUser", COLUMN_TEXT, 8},
    {"message-subject", COLUMN_TEXT, 1},
    {"source-context", COLUMN_TEXT, 2},
    {"custom-data", COLUMN_TEXT, 3},
    {"recipient-status", COLUMN_TEXT, 4},
};

enum { GREED_CEILING = 9, STATUS_DIGITS = 3 };

void columns_clear(struct columns *columns)
{
    columns->count = columns->text_size = 0;
    columns->overflow = columns->assumed = false;
}

static const char *text_keep(struct columns *columns, struct slice name)
{
    if (name.size >= sizeof columns->text - columns->text_size)
        return NULL;
    char *text = columns->text + columns->text_size;
    if (name.size)
        memcpy(text, name.data, name.size);
    text[name.size] = 0;
    columns->text_size += name.size + 1;
    return text;
}

/* Most names differ in their first letter already. */
static bool same_letter(struct slice name, char first)
{
    return name.size && ((name.data[0] ^ (uint8_t)first) & ~0x20) == 0;
}

void columns_add(struct columns *columns, struct slice name)
{
    const enum field field = field_from_name(name);
    const char *kept = field != FIELD_OTHER ? field_name(field) : text_keep(columns, name);

    if (!kept || columns->count == COLUMNS_CEILING) {
        columns->overflow = true;
        return;
    }
    struct column *column = &columns->column[columns->count++];
    *column = (struct column){.name = kept, .field = field};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!same_letter(name, known[i].name[0]) || !slice_is_nocase(name, known[i].name))
            continue;
        column->type = known[i].type;
        column->greed = known[i].greed;
    }
}

size_t columns_find(const struct columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (slice_is_nocase(slice_of_text(columns->column[i].name), name))
            return i;
    return COLUMN_MISSING;
}

static bool all_of(struct slice cell, bool (*allowed)(uint8_t byte))
{
    for (size_t i = 0; i < cell.size; i++)
        if (!allowed(cell.data[i]))
            return false;
    return cell.size > 0;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(uint8_t byte)
{
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

static bool is_token(uint8_t byte)
{
    return is_digit(byte) || is_letter(byte) || (byte && strchr("-_.[]:", byte));
}

static bool is_address_byte(uint8_t byte)
{
    return is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') ||
           (byte && strchr(".:%[]", byte));
}

static bool is_address(struct slice cell)
{
    const bool shaped =
        slice_find(cell, 0, '.') != SIZE_MAX || slice_find(cell, 0, ':') != SIZE_MAX;

    return shaped && all_of(cell, is_address_byte);
}

static bool is_clock(struct slice cell)
{
    struct instant unused;

    return instant_parse_columns(SLICE_LITERAL("2000-01-01"), cell, &unused);
}

static bool is_stamp(struct slice cell)
{
    struct instant unused;

    return cell.size > 10 && instant_parse(cell, &unused, NULL);
}

bool column_fits(enum column_type type, struct slice cell)
{
    struct instant unused;
    const bool blank = cell.size == 0 || slice_is(cell, "-");

    switch (type) {
    case COLUMN_DATE:
        return cell.size == 10 && instant_parse(cell, &unused, NULL);
    case COLUMN_CLOCK:
        return is_clock(cell);
    case COLUMN_STAMP:
        return is_stamp(cell);
    case COLUMN_NUMBER:
        return blank || all_of(cell, is_digit);
    case COLUMN_STATUS:
        return blank || (cell.size == STATUS_DIGITS && all_of(cell, is_digit));
    case COLUMN_ADDRESS:
        return blank || is_address(cell);
    case COLUMN_TOKEN:
        return blank || all_of(cell, is_token);
    default:
        return true;
    }
}

void cells_reset(struct cells *cells, size_t size)
{
    cells->count = 0;
    cells->repair = NULL;
    buffer_clear(&cells->scratch);
    buffer_reserve(&cells->scratch, size);
}

void cells_release(struct cells *cells)
{
    buffer_release(&cells->scratch);
}

void cells_add(struct cells *cells, struct slice raw)
{
    if (cells->count < CELLS_CEILING)
        cells->raw[cells->count] = cells->text[cells->count] = raw;
    cells->count++;
}

/* How many cells prove by their looks that they stand in the right column when column `greedy`
 * takes `surplus` more than its own; 0 when one does not fit. */
static size_t proofs_with(const struct cells *cells, const struct columns *columns, size_t greedy,
                          size_t surplus)
{
    size_t proofs = 1;

    for (size_t i = 0; i < columns->count; i++) {
        const struct slice cell = cells->text[i > greedy ? i + surplus : i];
        const enum column_type type = columns->column[i].type;
        if (i == greedy || type == COLUMN_TEXT)
            continue;
        if (!column_fits(type, cell))
            return 0;
        proofs += cell.size > 0 && !slice_is(cell, "-");
    }
    return proofs;
}

static void merge(struct cells *cells, size_t at, size_t surplus)
{
    const struct slice last = cells->raw[at + surplus];
    const size_t size = (size_t)(last.data + last.size - cells->raw[at].data);
    const size_t behind = cells->count - at - surplus - 1;

    cells->raw[at] = cells->text[at] = slice_of(cells->raw[at].data, size);
    memmove(cells->raw + at + 1, cells->raw + at + 1 + surplus, behind * sizeof *cells->raw);
    memmove(cells->text + at + 1, cells->text + at + 1 + surplus, behind * sizeof *cells->text);
    cells->count -= surplus;
}

bool cells_absorb(struct cells *cells, const struct columns *columns)
{
    if (cells->count <= columns->count || cells->count > CELLS_CEILING)
        return false;
    const size_t surplus = cells->count - columns->count;
    size_t best = 0, best_proofs = 0;
    for (unsigned greed = 1; greed <= GREED_CEILING; greed++) {
        for (size_t i = 0; i < columns->count; i++) {
            if (columns->column[i].greed != greed)
                continue;
            const size_t proofs = proofs_with(cells, columns, i, surplus);
            best = proofs > best_proofs ? i : best;
            best_proofs = proofs > best_proofs ? proofs : best_proofs;
        }
    }
    if (!best_proofs)
        return false;
    merge(cells, best, surplus);
    cells->repair = "separators within one cell";
    return true;
}

bool cells_cut_short(struct cells *cells, const struct columns *columns, size_t needed)
{
    if (cells->count == 0 || cells->count >= columns->count || cells->count <= needed)
        return false;
    for (size_t i = 0; i + 1 < cells->count || i == 0; i++)
        if (!column_fits(columns->column[i].type, cells->text[i]))
            return false;
    while (cells->count < columns->count)
        cells_add(cells, slice_of("", 0));
    cells->repair = "a line that is cut short";
    return true;
}

bool cells_drop_empty(struct cells *cells, const struct columns *columns)
{
    size_t kept = 0;

    if (cells->count <= columns->count || cells->count > CELLS_CEILING)
        return false;
    for (size_t i = 0; i < cells->count; i++)
        kept += cells->text[i].size > 0;
    if (kept != columns->count)
        return false;
    kept = 0;
    for (size_t i = 0; i < cells->count; i++) {
        if (!cells->text[i].size)
            continue;
        cells->raw[kept] = cells->raw[i];
        cells->text[kept++] = cells->text[i];
    }
    cells->count = kept;
    cells->repair = "doubled separators";
    return true;
}
