#include "triage/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERROR_SIZE = 1024 };

static _Thread_local char text[ERROR_SIZE];

/* Puts as much of `more` behind the text as fits. */
static void append(const char *more)
{
    const size_t used = strlen(text);

    snprintf(text + used, sizeof text - used, "%s", more);
}

int error_set(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return -1;
}

int error_set_errno(const char *format, ...)
{
    const int reason = errno;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(": ");
    append(strerror(reason));
    return -1;
}

int error_prefix(const char *format, ...)
{
    char before[ERROR_SIZE];
    va_list arguments;

    memcpy(before, text, sizeof before);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(": ");
    append(before);
    return -1;
}

const char *error_text(void)
{
    return text;
}
