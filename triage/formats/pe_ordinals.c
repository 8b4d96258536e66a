/* Names for imports by number. */
#include "triage/formats/pe_tables.h"

enum library { ws2_32, oleaut32, NONE };

static const struct {
    enum library library;
    uint16_t number;
    const char *name;
} ordinals[] = {
#define ORDINAL(library, number, name) {library, number, name},
#include "triage/formats/pe_ordinals.def"
#undef ORDINAL
};

static enum library library_of(struct slice name)
{
    if (slice_is_nocase(name, "ws2_32.dll") || slice_is_nocase(name, "wsock32.dll"))
        return ws2_32;
    return slice_is_nocase(name, "oleaut32.dll") ? oleaut32 : NONE;
}

const char *pe_ordinal_name(struct slice library, uint16_t ordinal)
{
    const enum library wanted = library_of(library);

    if (wanted == NONE)
        return NULL;
    for (size_t i = 0; i < sizeof ordinals / sizeof *ordinals; i++)
        if (ordinals[i].library == wanted && ordinals[i].number == ordinal)
            return ordinals[i].name;
    return NULL;
}
