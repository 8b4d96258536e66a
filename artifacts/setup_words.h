/*
 * What the logs of setups and updates share: tables of the words that tell something, the facts
 * that they become, and dates in the order of an unknown country.
 */
#ifndef ARTIFACTS_SETUP_WORDS_H
#define ARTIFACTS_SETUP_WORDS_H

#include "artifacts/text_file.h"

enum { SETUP_VALUES = 5, SETUP_FACTS_MOST = 1000 /* of one file; the rest are events only */ };

/* A value of the line: what stands between two pieces of text; `after` "" means to its end. */
struct setup_value {
    const char *name, *before, *after;
};

struct setup_words {
    const char *words; /* that the line holds, or begins with when `front` */
    bool front;
    const char *step; /* what it means */
    struct setup_value values[SETUP_VALUES];
};

struct setup_facts {
    unsigned count;
    bool told;
};

/* The first row of the table (ended by an empty one) whose words the line holds; NULL: none. */
const struct setup_words *setup_words_find(const struct setup_words *table, struct slice line);
/* Adds Step and the row's values, and makes the event a fact. */
void setup_words_tell(struct entry *entry, const struct setup_words *row, struct slice line,
                      struct setup_facts *facts);

/* Last row's value of that name, without the dot that ends a sentence; kept in `text`. */
void setup_keep(struct entry *entry, const char *name, char *text, size_t size);

/* How a date's three numbers were understood. */
enum setup_date { SETUP_DATE_NONE, SETUP_DATE_CLEAR, SETUP_DATE_BY_FILE, SETUP_DATE_AMBIGUOUS };

/*
 * A short date of any country at the start of the text ("3/2/2021", "02.03.2021", "2021-03-02").
 * Where day and month could be either, the file's own times decide: the reading that lies within a
 * day and a half of one of them. `day` is set unless NONE or AMBIGUOUS; `size` are the bytes read.
 */
enum setup_date setup_date_read(struct slice text, const struct file *file, struct instant *day,
                                size_t *size);
/* "8:35:17 PM" or "20:35:17" at the start of the text, as ticks of the day; false when it is none.
 */
bool setup_clock_read(struct slice text, int64_t *ticks);

#endif
