/* SPDX-License-Identifier: MIT */
#ifndef SERVER_RESIDENT_H
#define SERVER_RESIDENT_H

#include <stdint.h>

/* Memory that this process has of the system at the moment; 0: there is no telling. */
uint64_t resident_bytes(void);

#endif
