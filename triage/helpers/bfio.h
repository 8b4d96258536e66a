/* libyal's view of a request's bytes: a read-only libbfio handle. Compiled into each helper program
 * that needs it, never into the main program. */
#ifndef TRIAGE_HELPERS_BFIO_H
#define TRIAGE_HELPERS_BFIO_H

#include "triage/helpers/server.h"

typedef intptr_t bfio_handle; /* as libbfio.h has it: libbfio_handle_t */

/* A handle over server_read; the caller frees it with bfio_free. NULL with error_text. */
bfio_handle *bfio_over(struct server *server);
/* A handle over bytes in memory, which have to outlive it. NULL with error_text. */
bfio_handle *bfio_over_bytes(struct slice bytes);
void bfio_free(bfio_handle *handle);

#endif
