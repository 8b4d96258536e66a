#include "triage/helpers/ese_pages.h"

#include "triage/base/error.h"

#include <string.h>

enum {
    FILE_HEADER = 240,
    PAGE_HEADER = 40,
    LARGE_PAGE = 16384, /* from here on headers are longer and flags lie in the value */
    LARGE_REVISION = 0x11,
    CATALOG_ROOT = 4,
    TYPE_TABLE = 1,
    TYPE_LONG_VALUES = 4,
    LEVELS_MOST = 16,
    PAGES_MOST = 20000, /* that one walk reads */
    KEY_MOST = 256,
};

#define SIGNATURE UINT32_C(0x89ABCDEF)

enum page_flag { PAGE_ROOT = 1, PAGE_LEAF = 2 };
enum tag_flag { TAG_DELETED = 2, TAG_COMMON_KEY = 4 };

/* The page at hand. */
struct page {
    struct slice body; /* behind the header, without the tags */
    struct slice tags; /* four bytes each, the first one last */
    uint32_t next, flags;
    unsigned count;
    uint64_t offset; /* in the file */
};

struct cell {
    uint8_t key[KEY_MOST];
    size_t key_size;
    struct slice data;
    uint64_t place; /* of the data, in the file */
    bool deleted;
};

int ese_pages_open(struct ese_pages *pages)
{
    uint8_t head[FILE_HEADER];
    const ssize_t got = pages->read(pages->context, 0, head, sizeof head);
    struct cursor c = cursor_over(slice_of(head, got > 0 ? (size_t)got : 0), 0);

    cursor_skip(&c, 4);
    const uint32_t signature = cursor_u32le(&c);
    cursor_seek(&c, 232);
    pages->revision = cursor_u32le(&c);
    pages->page_size = cursor_u32le(&c);
    const uint32_t size = pages->page_size;
    if (cursor_failed(&c) || signature != SIGNATURE)
        return error_set("the header is damaged");
    if (size < 2048 || size > ESE_PAGE_MOST || (size & (size - 1)))
        return error_set("pages of %u bytes are not known", size);
    return 0;
}

static bool is_large(const struct ese_pages *pages)
{
    return pages->page_size >= LARGE_PAGE && pages->revision >= LARGE_REVISION;
}

static int read_page(struct ese_pages *pages, uint32_t number, struct page *out)
{
    const uint64_t offset = ((uint64_t)number + 1) * pages->page_size; /* two headers in front */
    const size_t header = is_large(pages) ? 2 * PAGE_HEADER : PAGE_HEADER;
    const ssize_t got = pages->read(pages->context, offset, pages->page, pages->page_size);

    if (number == 0 || got < 0 || (size_t)got < pages->page_size)
        return error_set("page %u is not there", number);
    out->offset = offset;
    struct cursor c = cursor_over(slice_of(pages->page, (size_t)got), offset);
    cursor_seek(&c, 20);
    out->next = cursor_u32le(&c);
    cursor_seek(&c, 34);
    out->count = cursor_u16le(&c) & 0xFFF;
    out->flags = cursor_u32le(&c);
    const size_t tags = (size_t)out->count * 4;
    if (cursor_failed(&c) || tags > pages->page_size - header)
        return error_set("page %u is damaged", number);
    out->body = slice_of(pages->page + header, pages->page_size - header - tags);
    out->tags = slice_of(pages->page + pages->page_size - tags, tags);
    return 0;
}

/* Value `at`; 0 is what all cells of the page share. */
static struct slice tag_value(const struct ese_pages *pages, const struct page *page, unsigned at,
                              unsigned *flags)
{
    const uint16_t mask = is_large(pages) ? 0x7FFF : 0x1FFF;
    struct cursor c = cursor_over(page->tags, 0);

    cursor_seek(&c, page->tags.size - ((size_t)at + 1) * 4);
    const uint16_t size = cursor_u16le(&c) & mask, offset = cursor_u16le(&c);
    const size_t start = offset & mask;
    *flags = offset >> 13;
    if (cursor_failed(&c) || start > page->body.size || size > page->body.size - start)
        return slice_of(NULL, 0);
    const struct slice value = slice_part(page->body, start, size);
    if (is_large(pages))
        *flags = value.size >= 2 ? value.data[1] >> 5 : 0;
    return value;
}

static bool append_key(struct cell *cell, struct slice part)
{
    if (part.size > KEY_MOST - cell->key_size)
        return false;
    if (part.size)
        memcpy(cell->key + cell->key_size, part.data, part.size);
    cell->key_size += part.size;
    return true;
}

/* False when the cell makes no sense: it is passed over. */
static bool read_cell(const struct ese_pages *pages, const struct page *page, unsigned at,
                      struct cell *cell)
{
    unsigned flags, unused;
    struct cursor c = cursor_over(tag_value(pages, page, at, &flags), 0);
    size_t common = 0;

    cell->key_size = 0;
    cell->deleted = (flags & TAG_DELETED) != 0;
    if (flags & TAG_COMMON_KEY)
        common = cursor_u16le(&c) & 0x1FFF;
    const size_t local = cursor_u16le(&c) & 0x1FFF;
    const struct slice key = cursor_take(&c, local);
    cell->data = cursor_take(&c, cursor_left(&c));
    if (cursor_failed(&c))
        return false;
    cell->place = page->offset + (uint64_t)(cell->data.data - pages->page);
    const struct slice shared = common ? tag_value(pages, page, 0, &unused) : slice_of(NULL, 0);
    return common <= shared.size && append_key(cell, slice_part(shared, 0, common)) &&
           append_key(cell, key);
}

/* Order of a cell's key and a wanted one, as far as both go. */
static int compare(const struct cell *cell, struct slice key)
{
    const size_t size = cell->key_size < key.size ? cell->key_size : key.size;

    return size ? memcmp(cell->key, key.data, size) : 0;
}

/* The leaf that a key's cells begin in, or the one in front of it. */
static int find_leaf(struct ese_pages *pages, uint32_t number, struct slice key, struct page *page)
{
    struct cell cell;

    for (int level = 0; level < LEVELS_MOST; level++) {
        uint32_t child = 0;
        if (read_page(pages, number, page) < 0)
            return -1;
        if (page->flags & PAGE_LEAF)
            return 0;
        for (unsigned at = 1; at < page->count; at++) {
            if (!read_cell(pages, page, at, &cell) || cell.data.size < 4)
                continue;
            struct cursor c = cursor_over(cell.data, 0);
            child = cursor_u32le(&c);
            if (cell.key_size == 0 || compare(&cell, key) >= 0)
                break;
        }
        number = child;
    }
    return error_set("the tree of pages is too deep");
}

/* Cells of all leaves from the one that `key` begins in on; `take` stops by anything but 0. */
static int walk(struct ese_pages *pages, uint32_t root, struct slice key,
                int (*take)(void *context, const struct cell *cell), void *context)
{
    struct page page;
    struct cell cell;

    if (find_leaf(pages, root, key, &page) < 0)
        return -1;
    for (unsigned count = 0; count < PAGES_MOST; count++) {
        for (unsigned at = 1; at < page.count; at++) {
            if (!read_cell(pages, &page, at, &cell) || cell.deleted)
                continue;
            const int result = take(context, &cell);
            if (result != 0)
                return result;
        }
        if (page.next == 0)
            return 0;
        if (read_page(pages, page.next, &page) < 0)
            return -1;
    }
    return error_set("the tree of pages has no end");
}

/* --- catalog --- */

struct catalog_search {
    uint32_t table_id, root;
    uint16_t type;
};

/* Fixed columns of MSysObjects: ObjidTable, Type, Id, ColtypOrPgnoFDP. */
static int take_entry(void *context, const struct cell *cell)
{
    struct catalog_search *search = context;
    struct cursor c = cursor_over(cell->data, 0);

    cursor_skip(&c, 4);
    const uint32_t table = cursor_u32le(&c);
    const uint16_t type = cursor_u16le(&c);
    cursor_skip(&c, 4);
    const uint32_t root = cursor_u32le(&c);
    if (cursor_failed(&c) || type != search->type || table != search->table_id)
        return 0;
    search->root = root;
    return 1;
}

static uint32_t find_root(struct ese_pages *pages, uint32_t table_id, uint16_t type)
{
    struct catalog_search search = {table_id, 0, type};

    return walk(pages, CATALOG_ROOT, slice_of(NULL, 0), take_entry, &search) == 1 ? search.root : 0;
}

uint32_t ese_pages_long_root(struct ese_pages *pages, uint32_t table_id)
{
    return find_root(pages, table_id, TYPE_LONG_VALUES);
}

static int take_place(void *context, const struct cell *cell)
{
    for (unsigned shift = 0; shift < 64; shift += 8)
        buffer_add_byte(context, (uint8_t)(cell->place >> shift));
    return 0;
}

int ese_pages_places(struct ese_pages *pages, uint32_t table_id, struct buffer *out)
{
    const uint32_t root = find_root(pages, table_id, TYPE_TABLE);

    if (root == 0)
        return error_set("the catalog does not tell where the table is");
    if (walk(pages, root, slice_of(NULL, 0), take_place, out) < 0)
        return -1;
    return buffer_failed(out) ? error_set("out of memory") : 0;
}

/* --- values --- */

struct value_search {
    struct slice key;
    struct buffer *out;
    size_t most;
    uint32_t size; /* of the whole value, as its first cell says */
    bool found;
};

static int take_head(struct value_search *search, const struct cell *cell)
{
    struct cursor c = cursor_over(cell->data, 0);

    cursor_skip(&c, 4); /* records that refer to it */
    search->size = cursor_u32le(&c);
    search->found = !cursor_failed(&c);
    return search->found && search->size == 0;
}

static int take_segment(struct value_search *search, const struct cell *cell)
{
    struct cursor c = cursor_over(slice_of(cell->key + search->key.size, 4), 0);
    const uint32_t offset = cursor_u32be(&c);

    if (!search->found || offset != search->out->size)
        return error_set("a part of the value is missing");
    if (cell->data.size > search->size - offset)
        return error_set("the value is longer than it says");
    buffer_add(search->out, cell->data);
    return search->out->size >= search->size || search->out->size >= search->most;
}

static int take_cell(void *context, const struct cell *cell)
{
    struct value_search *search = context;
    const int order = compare(cell, search->key);

    if (order != 0 || cell->key_size < search->key.size)
        return order > 0 ? 1 : 0;
    if (cell->key_size == search->key.size)
        return take_head(search, cell);
    return cell->key_size == search->key.size + 4 ? take_segment(search, cell) : 0;
}

int ese_pages_long_value(struct ese_pages *pages, uint32_t root, struct slice key, size_t most,
                         struct buffer *out)
{
    uint8_t reversed[8]; /* the record has it the other way round */
    struct value_search search = {slice_of(reversed, key.size), out, most, 0, false};

    buffer_clear(out);
    if (key.size != 4 && key.size != 8)
        return error_set("the key of a long value has %zu bytes", key.size);
    if (root == 0)
        return error_set("its table has no long values");
    for (size_t i = 0; i < key.size; i++)
        reversed[i] = key.data[key.size - 1 - i];
    if (walk(pages, root, search.key, take_cell, &search) < 0)
        return -1;
    if (buffer_failed(out))
        return error_set("out of memory");
    if (!search.found)
        return error_set("the long value is not there");
    return out->size < search.size
               ? error_set("%zu of its %u bytes are there", out->size, search.size)
               : 0;
}
