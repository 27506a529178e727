/* SPDX-License-Identifier: MIT */
/* What mquic-status has found, as an array of objects of JSON on one line. */
#ifndef TOOLS_JSON_CLIENTS_H
#define TOOLS_JSON_CLIENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "status/inquiry.h"

/* False: out of memory, and nothing was printed. */
bool json_print_clients(FILE *out, const struct found *found);

#endif
