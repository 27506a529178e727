/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_STATUS_TABLE_H
#define TOOLS_STATUS_TABLE_H

#include <stdio.h>

#include "status/inquiry.h"

/* For people: a line for each client. */
void table_print(FILE *out, const struct found *found);

#endif
