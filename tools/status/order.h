/* SPDX-License-Identifier: MIT */
/* In which order clients are shown. */
#ifndef TOOLS_STATUS_ORDER_H
#define TOOLS_STATUS_ORDER_H

#include <stdbool.h>

#include "status/inquiry.h"

struct order;

/* By the name of a column, in small letters. NULL: there is none of this name. */
const struct order *order_find(const char *name);

/* The names of all, with commas. Static. */
const char *order_names(void);

/* Numbers: the largest first. Those that are equal stay as they are. */
void order_sort(const struct order *order, struct found *found);

#endif
