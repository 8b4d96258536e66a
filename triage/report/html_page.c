#include "triage/report/html_page.h"

#include "triage/base/error.h"
#include "triage/base/instant.h"
#include "triage/base/utf16.h"
#include "triage/report/coverage_sums.h"

#include <stdarg.h>

enum { HELD_BACK = 64 << 10 }; /* bytes that are written at once */

/* --- reading the trees --- */

const char *value_text(const struct json_value *parent, const char *name)
{
    const struct json_value *value = json_member(parent, name);

    return value && value->type == JSON_STRING ? (const char *)value->text.data : NULL;
}

static bool parse_number(struct slice text, int64_t *number)
{
    const bool negative = slice_starts(text, "-");
    uint64_t magnitude;

    if (!slice_to_u64(slice_from(text, negative), &magnitude) || magnitude > INT64_MAX)
        return false;
    *number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

int64_t value_integer(const struct json_value *value, int64_t otherwise)
{
    int64_t number;

    return value && value->type == JSON_NUMBER && parse_number(value->text, &number) ? number
                                                                                     : otherwise;
}

int64_t value_number(const struct json_value *parent, const char *name, int64_t otherwise)
{
    return value_integer(json_member(parent, name), otherwise);
}

bool value_is(const struct json_value *parent, const char *name, const char *text)
{
    const char *value = value_text(parent, name);

    return value && strcmp(value, text) == 0;
}

bool value_true(const struct json_value *parent, const char *name)
{
    const struct json_value *value = json_member(parent, name);

    return value && value->type == JSON_BOOL && slice_is(value->text, "true");
}

const struct json_value *value_list(const struct json_value *parent, const char *name)
{
    const struct json_value *value = json_member(parent, name);

    return value && value->type == JSON_ARRAY ? value->first : NULL;
}

size_t value_count(const struct json_value *first)
{
    size_t count = 0;

    for (; first; first = first->next)
        count++;
    return count;
}

bool value_time(const struct json_value *parent, const char *name, int64_t *time)
{
    struct instant instant;

    if (!instant_parse(slice_of_text(value_text(parent, name)), &instant, NULL))
        return false;
    *time = instant_to_unix_us(instant);
    return true;
}

/* --- escaping --- */

static uint32_t decode(struct slice sequence)
{
    static const uint8_t first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = sequence.data[0] & first_bits[sequence.size];

    for (size_t i = 1; i < sequence.size; i++)
        point = point << 6 | (sequence.data[i] & 0x3F);
    return point;
}

/* Controls, marks of direction and what has no width: a reader must not be led astray by them. */
static bool is_unseen(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},   {0x115F, 0x1160},
        {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
        {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

uint32_t html_unseen(struct slice sequence)
{
    const uint32_t point = decode(sequence);

    return is_unseen(point) ? point : 0;
}

static void escape_sequence(struct buffer *out, struct slice sequence)
{
    const uint32_t point = decode(sequence);

    switch (point) {
    case '<':
        buffer_add_text(out, "&lt;");
        break;
    case '>':
        buffer_add_text(out, "&gt;");
        break;
    case '&':
        buffer_add_text(out, "&amp;");
        break;
    case '"':
        buffer_add_text(out, "&quot;");
        break;
    case '\'':
        buffer_add_text(out, "&#39;");
        break;
    default:
        if (is_unseen(point))
            buffer_format(out, "\\u{%x}", point);
        else
            buffer_add(out, sequence);
    }
}

void html_escape(struct buffer *out, struct slice text)
{
    while (text.size) {
        const size_t size = utf8_sequence(text);
        if (size)
            escape_sequence(out, slice_part(text, 0, size));
        else
            buffer_add_text(out, "\xEF\xBF\xBD");
        text = slice_from(text, size ? size : 1);
    }
}

/* --- values in words --- */

static void grouped(struct buffer *out, int64_t number)
{
    char digits[24];
    const int size = snprintf(digits, sizeof digits, "%lld", (long long)number);

    for (int i = 0; i < size; i++) {
        buffer_add_byte(out, (uint8_t)digits[i]);
        if (digits[i] != '-' && i + 1 < size && (size - 1 - i) % 3 == 0)
            buffer_add_text(out, "\xC2\xA0");
    }
}

void html_duration(struct buffer *out, int64_t seconds)
{
    const long long days = seconds / 86400, hours = seconds / 3600 % 24,
                    minutes = seconds / 60 % 60;

    if (days)
        buffer_format(out, "%lld day%s ", days, days == 1 ? "" : "s");
    if (days || hours)
        buffer_format(out, "%lld h ", hours);
    if (days || hours || minutes)
        buffer_format(out, "%lld min", minutes);
    else
        buffer_format(out, "%lld s", (long long)seconds);
}

/* "2021-03-03T04:37:12.118000+00:00" as "2021-03-03 04:37:12.118", or without the day. */
static void put_time(struct buffer *out, const struct json_value *value, bool with_day)
{
    enum { DATE = 10, SECONDS = 19, FRACTION = 26 };
    const struct slice text = value && value->type == JSON_STRING ? value->text : slice_of(NULL, 0);
    size_t end = text.size < FRACTION ? text.size : FRACTION;

    if (text.size < SECONDS) {
        buffer_add_text(out, "not known");
        return;
    }
    while (end > SECONDS && (text.data[end - 1] == '0' || text.data[end - 1] == '.'))
        end--;
    buffer_add_text(out, "<time datetime=\"");
    html_escape(out, text);
    buffer_add_text(out, "\">");
    if (with_day) {
        html_escape(out, slice_part(text, 0, DATE));
        buffer_add_text(out, " ");
    }
    html_escape(out, slice_part(text, DATE + 1, end - DATE - 1));
    buffer_add_text(out, "</time>");
}

static void put_value(struct buffer *out, const struct json_value *value)
{
    if (!value || value->type == JSON_NULL || value->type >= JSON_ARRAY)
        buffer_add_text(out, "\xE2\x80\x93");
    else
        html_escape(out, value->text);
}

static void put_text(struct buffer *out, const char *text)
{
    html_escape(out, slice_of_text(text ? text : "\xE2\x80\x93"));
}

void page_markup(struct page *page, const char *markup)
{
    buffer_add_text(&page->out, markup);
    if (page->out.size > HELD_BACK)
        page_flush(page);
}

void page_fold(struct page *page, bool open)
{
    page_markup(page, open || page->unfolded ? "<details open>\n" : "<details>\n");
}

static void put_directive(struct page *page, char directive, va_list *values)
{
    struct buffer *out = &page->out;

    switch (directive) {
    case 't':
        put_text(out, va_arg(*values, const char *));
        break;
    case 'v':
        put_value(out, va_arg(*values, const struct json_value *));
        break;
    case 'w':
    case 'h':
        put_time(out, va_arg(*values, const struct json_value *), directive == 'w');
        break;
    case 'n':
        grouped(out, va_arg(*values, int64_t));
        break;
    case 'r':
        buffer_format(out, "%lld", (long long)va_arg(*values, int64_t));
        break;
    default:
        buffer_add_byte(out, (uint8_t)directive);
    }
}

void page_put(struct page *page, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    for (const char *percent; (percent = strchr(format, '%')); format = percent + 2) {
        buffer_add(&page->out, slice_of(format, (size_t)(percent - format)));
        put_directive(page, percent[1], &values);
    }
    va_end(values);
    page_markup(page, format);
}

void page_flush(struct page *page)
{
    if (buffer_failed(&page->out))
        page->failure = error_set("out of memory");
    else if (page->out.size &&
             fwrite(page->out.data, 1, page->out.size, page->file) != page->out.size)
        page->failure = error_set_errno("cannot write the report");
    buffer_clear(&page->out);
}

/* --- the case --- */

static int read_tree(struct page *page, const struct buffer *body, const struct json_value **tree)
{
    struct json_value *root;
    const struct slice kept = arena_copy(page->arena, buffer_slice(body));

    if (buffer_failed(body) || (body->size && !kept.data) ||
        json_read(kept, page->arena, &root) < 0)
        return -1;
    *tree = root;
    return 0;
}

static int read_document(struct page *page, const char *name, const struct json_value **tree)
{
    struct buffer body = BUFFER_EMPTY;
    int result = 0;

    if (case_document(page->source, name, &body) && read_tree(page, &body, tree) < 0)
        result = error_prefix("document '%s' of the case", name);
    buffer_release(&body);
    return result;
}

static int read_coverage(struct page *page)
{
    struct buffer body = BUFFER_EMPTY;
    struct json json = json_over(&body, false);
    int result = coverage_sums_json(page->source, &json);

    if (result == 0)
        result = read_tree(page, &body, &page->artifacts);
    buffer_release(&body);
    return result;
}

int page_open(struct page *page, struct case_file *source, FILE *file)
{
    *page = (struct page){.file = file, .source = source, .arena = arena_new(0)};
    if (!page->arena)
        return error_set("out of memory");
    if (read_document(page, "findings", &page->findings) < 0 ||
        read_document(page, "host", &page->host) < 0 ||
        read_document(page, "totals", &page->totals) < 0 ||
        read_document(page, "damage", &page->damage) < 0 ||
        read_document(page, "run", &page->run) < 0 || read_coverage(page) < 0)
        return -1;
    if (rows_load(source, page->arena, &page->rows) < 0)
        return -1;
    return found_files_load(source, page->findings, page->arena, &page->files);
}

void page_close(struct page *page)
{
    buffer_release(&page->out);
    rows_release(&page->rows);
    found_files_release(&page->files);
    arena_free(page->arena);
}

int page_write(struct case_file *source, FILE *file, int (*put)(struct page *page))
{
    struct page page;
    int result = page_open(&page, source, file);

    if (result == 0)
        result = put(&page);
    page_close(&page);
    return result;
}
