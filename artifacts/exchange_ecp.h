/* What the server log and the activity log of the control panel have in common: their columns. */
#ifndef ARTIFACTS_EXCHANGE_ECP_H
#define ARTIFACTS_EXCHANGE_ECP_H

#include "artifacts/log_file.h"

extern const struct log_format exchange_ecp_format;

#endif
