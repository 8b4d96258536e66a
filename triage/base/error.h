/* The reason of the last failure, one text per thread. Library code sets it and returns -1; only
 * main prints it. */
#ifndef TRIAGE_BASE_ERROR_H
#define TRIAGE_BASE_ERROR_H

/* Sets the reason, printf-like, and returns -1, so that `return error_set(...)` reads well. */
int error_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Like error_set, with ": " and strerror(errno) behind the text. */
int error_set_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Puts context in front of the reason that is already set ("hive 'SAM': block 4 is cut short");
 * returns -1. */
int error_prefix(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The reason of this thread's last failure; never NULL, valid until the next error_ call of the
 * thread. */
const char *error_text(void);

#endif
