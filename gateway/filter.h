/* SPDX-License-Identifier: MIT */
/* Which system calls a worker may make. */
#ifndef GATEWAY_FILTER_H
#define GATEWAY_FILTER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * From here on this process, `self`, makes the calls of a list and no others. False: errno says
 * why; true with nothing done where filter_is_built() is false. `writes_files`: files may be
 * written, too.
 */
bool filter_load(pid_t self, bool writes_files);

/* Whether there is a filter in this build. */
bool filter_is_built(void);

#endif
