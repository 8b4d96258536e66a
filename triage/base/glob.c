#include "triage/base/glob.h"

#include <stddef.h>
#include <string.h>

static char fold(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter | 0x20) : letter;
}

static size_t component_size(const char *path)
{
    return strcspn(path, "/");
}

/* One component against its pattern, with one point to come back to: linear but for the last '*'.
 */
static bool component_match(const char *pattern, size_t pattern_size, const char *name,
                            size_t name_size)
{
    size_t p = 0, n = 0, star = pattern_size, resume = 0;

    while (n < name_size) {
        if (p < pattern_size && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern_size && (pattern[p] == '?' || fold(pattern[p]) == fold(name[n]))) {
            p++;
            n++;
        } else if (star < pattern_size) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern_size && pattern[p] == '*')
        p++;
    return p == pattern_size;
}

static const char *next_component(const char *path)
{
    path += component_size(path);
    return *path == '/' ? path + 1 : path;
}

bool glob_match(const char *pattern, const char *path)
{
    const char *deep_pattern = NULL, *deep_path = NULL;

    for (;;) {
        const size_t pattern_size = component_size(pattern), name_size = component_size(path);
        if (pattern_size == 2 && memcmp(pattern, "**", 2) == 0) {
            deep_pattern = pattern = next_component(pattern);
            deep_path = path;
            if (!*pattern)
                return true;
        } else if (*path && *pattern && component_match(pattern, pattern_size, path, name_size)) {
            pattern = next_component(pattern);
            path = next_component(path);
        } else if (!*path && !*pattern) {
            return true;
        } else if (deep_path && *deep_path) {
            pattern = deep_pattern;
            path = deep_path = next_component(deep_path);
        } else {
            return false;
        }
    }
}
