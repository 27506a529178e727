/* SPDX-License-Identifier: MIT */
/*
 * Signals that end a program wake its endpoint and are counted, so that it can say goodbye:
 * over QUIC no kernel does that in its place, and the server would take an hour's silence for a
 * client that has nothing to say. SIGPIPE is ignored.
 */
#ifndef TOOLS_SIGNALS_H
#define TOOLS_SIGNALS_H

#include <mquic.h>

/* Those that were ignored when the program started stay so, but for SIGINT and SIGQUIT. */
void signals_catch(struct mquic_endpoint *endpoint);
/* To be called before the endpoint is freed. */
void signals_release(void);
/* How many came. */
unsigned int signals_count(void);

#endif
