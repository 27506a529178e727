/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM wake an endpoint and are counted; SIGPIPE is ignored. */
#ifndef TOOLS_SIGNALS_H
#define TOOLS_SIGNALS_H

#include <mquic.h>

void signals_catch(struct mquic_endpoint *endpoint);
/* To be called before the endpoint is freed. */
void signals_release(void);
/* How many came. */
unsigned int signals_count(void);

#endif
