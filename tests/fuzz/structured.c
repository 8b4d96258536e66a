/* Files with a structure of their own that are read from memory: hives, XML, programs, the master
 * file table. */
#include "tests/fuzz/target.h"

#include "triage/base/buffer.h"
#include "triage/evidence/mft.h"
#include "triage/formats/hive.h"
#include "triage/formats/page_text.h"
#include "triage/formats/pe.h"
#include "triage/formats/xml.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY = 256 << 20, MOST_KEYS = 20000, MOST_FILES = 100000 };

struct hive_visit {
    struct hive *hive;
    struct arena *arena;
    size_t keys;
};

static int visit_key(void *context, const char *path, const struct hive_key *key)
{
    struct hive_visit *visit = context;
    struct hive_value value;
    struct hive_values values = hive_values(visit->hive, key);
    uint64_t number;

    demand(path != NULL, "a key has a path");
    while (hive_next_value(&values, &value)) {
        hive_data(visit->hive, &value, visit->arena);
        hive_text(visit->hive, &value, visit->arena);
        hive_number(visit->hive, &value, &number);
    }
    hive_security(visit->hive, key);
    hive_class(visit->hive, key);
    return ++visit->keys > MOST_KEYS;
}

void fuzz_hive(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct hive_visit visit = {.arena = arena_new(MEMORY)};
    struct hive_key key;
    const char *first;
    uint64_t offset;

    (void)target, (void)file_name;
    if (hive_open(input, visit.arena, &visit.hive) == 0) {
        hive_find(visit.hive, NULL, "ControlSet001\\Control\\ComputerName", &key);
        hive_walk(visit.hive, visit_key, &visit);
        demand(hive_damage(visit.hive, &first, &offset) == 0 || first, "damage is said in words");
    }
    arena_free(visit.arena);
}

void fuzz_xml(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct arena *arena = arena_new(MEMORY);
    struct xml_document document;

    (void)target, (void)file_name;
    if (xml_parse(input, arena, &document) == 0) {
        demand(document.root != NULL, "a document has a root");
        for (const struct xml_element *at = document.root; at; at = xml_walk(document.root, at)) {
            demand(at->name && at->text, "an element has a name and a text");
            xml_attribute(at, "path");
        }
        xml_find(document.root, "system.applicationHost/sites");
        xml_descendant(document.root, "site");
    }
    arena_free(arena);
}

void fuzz_page_text(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct buffer plain = BUFFER_EMPTY;

    (void)target, (void)file_name;
    if (page_text_plain(input, &plain))
        demand(page_text_is_page(input) && plain.size, "only of a page there is a plain text");
    demand(plain.size <= 4 * input.size + (4u << 20),
           "it does not grow beyond what texts may hold");
    buffer_release(&plain);
}

void fuzz_pe(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct pe_version version;
    char text[PE_VERSION_TEXT_SIZE];

    (void)target, (void)file_name;
    if (pe_file_version(input, &version) == 0)
        demand(strlen(pe_version_format(version, text)) >= strlen("0.0.0.0"),
               "a version has a text");
}

static ssize_t read_input(void *context, uint64_t offset, void *out, size_t size)
{
    const struct slice *input = context;
    const struct slice part =
        offset < input->size ? slice_part(*input, (size_t)offset, size) : slice_of(NULL, 0);

    if (part.size)
        memcpy(out, part.data, part.size);
    return (ssize_t)part.size;
}

static int visit_file(void *context, const struct file *file)
{
    size_t *files = context;

    demand(file->path != NULL, "a file has a path");
    demand(!strstr(file->path, "//") && file->path[0] != '/', "paths are plain");
    return ++*files > MOST_FILES;
}

void fuzz_mft(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    const struct mft_input table = {
        .read = read_input, .context = &input, .size = input.size, .cluster_size = 4096};
    struct listing *listing = NULL;
    struct arena *arena = arena_new(MEMORY);
    struct file file;
    size_t files = 0;

    (void)target, (void)file_name;
    if (mft_read(&table, &listing) == 0) {
        listing_walk(listing, visit_file, &files);
        listing_find(listing, "Windows/System32/config/SYSTEM", arena, &file);
        listing_free(listing);
    }
    arena_free(arena);
}
