/* Texts of a case on their way to pseudonyms: any bytes, and JSON. */
#include "tests/fuzz/target.h"

#include "triage/base/arena.h"
#include "triage/formats/json_reader.h"
#include "triage/report/pseudonyms.h"

#include <strings.h>

enum { MEMORY = 64 << 20 };

static bool holds(struct slice text, const char *name, size_t size)
{
    for (size_t i = 0; i + size <= text.size; i++)
        if (strncasecmp((const char *)text.data + i, name, size) == 0)
            return true;
    return false;
}

static void check_json(struct pseudonyms *names, struct slice input, struct arena *arena)
{
    struct buffer out = BUFFER_EMPTY;
    struct json_value *root = NULL;
    const bool valid = json_read(input, arena, &root) == 0;

    pseudonyms_replace_json(names, input, &out);
    demand(!valid || json_read(buffer_slice(&out), arena, &root) == 0, "JSON stays JSON");
    buffer_release(&out);
}

void fuzz_pseudonyms(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct pseudonyms *names = pseudonyms_new();
    struct arena *arena = arena_new(MEMORY);
    struct buffer out = BUFFER_EMPTY;

    (void)target, (void)file_name;
    pseudonyms_learn_domain(names, slice_of_text("contoso.example"));
    pseudonyms_learn_host(names, slice_of_text("EXCH01"));
    pseudonyms_learn_user(names, slice_part(input, 0, input.size / 4));
    pseudonyms_learn_text(names, input);
    pseudonyms_replace(names, input, &out);
    demand(!holds(buffer_slice(&out), "exch01", 6), "the host is named nowhere");
    demand(!holds(buffer_slice(&out), "contoso", 7), "the domain is named nowhere");
    check_json(names, input, arena);
    demand(pseudonyms_check(names) == 0, "few names are not too many");
    buffer_release(&out);
    arena_free(arena);
    pseudonyms_free(names);
}
