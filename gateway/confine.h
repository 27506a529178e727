/* SPDX-License-Identifier: MIT */
/* The last step before a worker is ready: it gives away what these options do not need. */
#ifndef GATEWAY_CONFINE_H
#define GATEWAY_CONFINE_H

#include <stdbool.h>

#include "configure.h"
#include "keeper.h"

/* After this no file can be made, and few opened. False: `error` has a sentence. */
bool confine(const struct configuration *given, struct keeper *keeper,
	     char error[OPTIONS_ERROR_SIZE]);

#endif
