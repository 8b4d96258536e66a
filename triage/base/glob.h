/*
 * Path patterns, ASCII letters without case, '/' separated: '*' and '?' stay within one component,
 * a component "**" stands for any number of components, none included; "[...]" is not special.
 */
#ifndef TRIAGE_BASE_GLOB_H
#define TRIAGE_BASE_GLOB_H

#include <stdbool.h>

bool glob_match(const char *pattern, const char *path);

#endif
