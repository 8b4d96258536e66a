/* A set of segments in a folder of its own, opened as an image: what the tests of E01 share. */
#ifndef TESTS_UNIT_EWF_SET_H
#define TESTS_UNIT_EWF_SET_H

#include "tests/unit/ewf_writer.h"
#include "triage/evidence/ewf.h"

enum { CHUNKS = 40, CHUNK = WRITER_CHUNK_SIZE, SHORT = 1024, MEDIUM = CHUNKS * CHUNK + SHORT };

/* Made anew for each test: CMocka's set-up and tear-down. */
extern char folder[64];
extern uint8_t medium[MEDIUM], got[MEDIUM];
extern struct writer writer; /* of the medium, eight chunks a segment */
extern struct image *image;  /* NULL until it is opened */

int set_up(void **context);
int tear_down(void **context);

void write_set(void);
void open_segment(size_t index);
/* The whole medium into `got`. */
void read_all(void);
/* Chunks [from, to) are damage and zeroes, the rest is the medium. */
void assert_damaged(size_t from, size_t to);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
