/*
 * A configuration file in XML, with the place of each start tag in the file's bytes: so that an
 * event can name the byte where its element starts. UTF-8 and UTF-16LE.
 */
#ifndef ARTIFACTS_XML_FILE_H
#define ARTIFACTS_XML_FILE_H

#include "artifacts/entry.h"
#include "triage/formats/xml.h"

struct xml_tag {
    uint32_t offset, size;
};

struct xml_file {
    struct slice content;
    struct xml_document document;
    bool wide, replaced;  /* UTF-16LE; with damaged units */
    struct xml_tag *tags; /* start tags in document order */
    size_t tag_count;
};

/* The file at hand. 1 when it is no XML at all: it has then been rejected as one record of `kind`;
 * -1 with error_text when it cannot be read. Damage within it is told. */
int xml_file_read(struct job *job, enum kind kind, struct xml_file *out);
/* The same for bytes of another file, without a word; -1 with error_text when there is no XML. */
int xml_file_parse(struct arena *arena, struct slice content, struct xml_file *out);
/* Sets offset, number (line) and raw text of the event from an element, which is the `index`-th of
 * the document from 0, and marks it repaired when it stands behind the file's first damage. */
void xml_file_place(const struct xml_file *file, const struct xml_element *element, size_t index,
                    struct entry *entry);
/* The number of an element in document order. */
size_t xml_file_index(const struct xml_file *file, const struct xml_element *element);

#endif
