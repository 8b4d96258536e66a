#include "triage/record/file.h"

#include <string.h>

size_t file_attributes_write(uint32_t attributes, bool is_folder, char text[ATTRIBUTES_SIZE])
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {
        {ATTRIBUTE_READONLY, "readonly "},
        {ATTRIBUTE_HIDDEN, "hidden "},
        {ATTRIBUTE_SYSTEM, "system "},
        {ATTRIBUTE_ARCHIVE, "archive "},
    };
    char *end = text;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (attributes & words[i].bit)
            end = stpcpy(end, words[i].word);
    if (is_folder)
        end = stpcpy(end, "directory ");
    if (end > text)
        end--;
    *end = 0;
    return (size_t)(end - text);
}
