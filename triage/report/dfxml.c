/*
 * Digital Forensics XML: which program made what of which image, and the files with their hashes
 * and times. What differs from run to run (command line, times) is in run.json. Source:
 * github.com/dfxml-working-group/dfxml_schema, version 1.
 */
#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/report/sharing.h"
#include "triage/report/writer.h"

#include <string.h>

/* Text for XML 1.0: the characters that it cannot hold become U+FFFD. */
static void add_escaped(struct buffer *out, const char *text)
{
    struct buffer valid = BUFFER_EMPTY;

    utf8_append_tame(&valid, slice_of_text(text));
    for (size_t i = 0; i < valid.size; i++) {
        const uint8_t c = valid.data[i];
        const bool is_outside = c == 0xEF && i + 2 < valid.size && valid.data[i + 1] == 0xBF &&
                                valid.data[i + 2] >= 0xBE; /* U+FFFE, U+FFFF */
        if (c == '<')
            buffer_add_text(out, "&lt;");
        else if (c == '>')
            buffer_add_text(out, "&gt;");
        else if (c == '&')
            buffer_add_text(out, "&amp;");
        else if (c == '"')
            buffer_add_text(out, "&quot;");
        else if (is_outside)
            buffer_add_text(out, "\xEF\xBF\xBD");
        else
            buffer_add_byte(out, c);
        if (is_outside)
            i += 2;
    }
    buffer_release(&valid);
}

static void element(struct buffer *out, const char *indent, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    buffer_format(out, "%s<%s>", indent, name);
    add_escaped(out, text);
    buffer_format(out, "</%s>\n", name);
}

static void put_time(struct buffer *out, const char *name, const char *time)
{
    char text[32];

    snprintf(text, sizeof text, "%.26sZ", time ? time : "");
    if (time && strlen(time) > 26)
        element(out, "    ", name, text);
}

static void put_digest(struct buffer *out, const char *indent, const char *type, const char *hex)
{
    if (!hex || !*hex)
        return;
    buffer_format(out, "%s<hashdigest type=\"%s\">", indent, type);
    add_escaped(out, hex);
    buffer_add_text(out, "</hashdigest>\n");
}

static int add_source(void *context, const char *const *cells)
{
    struct sharing *sharing = context;
    struct buffer *out = &sharing->text;

    buffer_add_text(out, "  <source>\n");
    element(out, "    ", "image_filename", cells[0]);
    element(out, "    ", "image_size", cells[1]);
    element(out, "    ", "sectorsize", cells[2]);
    put_digest(out, "    ", "md5", cells[3]);
    put_digest(out, "    ", "sha1", cells[4]);
    element(out, "    ", "acquisition_date", cells[5]);
    buffer_add_text(out, "  </source>\n");
    return sharing_flush(sharing);
}

static int add_file(void *context, const struct case_stored *row)
{
    struct sharing *sharing = context;
    struct buffer *out = &sharing->text;
    char inode[24];

    buffer_add_text(out, "  <fileobject>\n");
    element(out, "    ", "filename", row->path);
    buffer_format(out, "    <filesize>%lld</filesize>\n    <alloc>%d</alloc>\n",
                  (long long)row->size, !row->deleted);
    buffer_format(out, "    <partition>%lld</partition>\n", (long long)row->volume);
    if (row->snapshot)
        buffer_format(out, "    <!-- shadow copy %lld -->\n", (long long)row->snapshot);
    snprintf(inode, sizeof inode, "%.*s", (int)strcspn(row->mft_entry, "-"), row->mft_entry);
    element(out, "    ", "inode", inode);
    put_time(out, "mtime", row->si[0]);
    put_time(out, "atime", row->si[1]);
    put_time(out, "ctime", row->si[2]);
    put_time(out, "crtime", row->si[3]);
    put_digest(out, "    ", "md5", row->md5);
    put_digest(out, "    ", "sha1", row->sha1);
    put_digest(out, "    ", "sha256", row->sha256);
    buffer_add_text(out, "  </fileobject>\n");
    return sharing_flush(sharing);
}

static void put_head(struct sharing *sharing)
{
    struct buffer *out = &sharing->text;

    buffer_add_text(
        out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<dfxml xmlns=\"http://www.forensicswg.org/wiki/Category:Digital_Forensics_XML\" "
             "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" version=\"1.2.0\">\n"
             "  <metadata>\n    <dc:type>Disk Image</dc:type>\n");
    element(out, "    ", "dc:description", sharing->summary);
    buffer_add_text(out, "  </metadata>\n  <creator>\n    <program>extriage</program>\n"
                         "    <version>" PACKAGE_VERSION "</version>\n"
                         "    <build_environment>\n      <compiler>");
    add_escaped(out, __VERSION__);
    buffer_add_text(out, "</compiler>\n    </build_environment>\n  </creator>\n");
}

static int write_all(struct case_file *file, FILE *out)
{
    struct sharing sharing;
    int result = sharing_begin(&sharing, file, out);

    if (result == 0)
        put_head(&sharing);
    if (result == 0)
        result = case_query(
            file,
            "SELECT json_extract(e.value, '$.name'), json_extract(e.value, '$.size'), "
            "json_extract(e.value, '$.sector_size'), json_extract(e.value, '$.stored_md5'), "
            "json_extract(e.value, '$.stored_sha1'), "
            "json_extract(e.value, '$.metadata.acquiry_date') FROM document d, "
            "json_each(d.body, '$.evidence') e WHERE d.name = 'host' ORDER BY e.id",
            add_source, &sharing);
    if (result == 0)
        result = case_each_stored(file, add_file, &sharing);
    if (result == 0) {
        buffer_add_text(&sharing.text, "</dfxml>\n");
        result = sharing_flush(&sharing);
    }
    sharing_release(&sharing);
    return result;
}

const struct writer writer_dfxml = {
    .name = "dfxml",
    .file = "dfxml.xml",
    .title = "Digital Forensics XML: images and files with hashes and times",
    .optional = true,
    .write = write_all,
};
