/* SPDX-License-Identifier: MIT */
#ifndef MQUIC_TOOLS_COMPLAIN_H
#define MQUIC_TOOLS_COMPLAIN_H

#include <stdbool.h>

/* Says "mquic-keygen: ..." on standard error; always false, so that callers can return it. */
__attribute__((format(printf, 1, 2))) bool complain(const char *format, ...);

#endif
