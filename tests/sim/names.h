/* SPDX-License-Identifier: MIT */
/*
 * Where names lead on the simulated network. The lookups are the library's own, but for the helper
 * thread and the system that it asks: an answer comes when the simulated clock says so.
 */
#ifndef MQUIC_TESTS_NAMES_H
#define MQUIC_TESTS_NAMES_H

#include "core/endpoint.h"
#include "core/resolve.h"

/* One more address of the name, 10.0.0.number. */
void names_add(const char *name, unsigned int number);
/* How long an answer takes; UINT64_MAX: it never comes. */
void names_set_delay(uint64_t delay_ns);
/* What getaddrinfo() says in place of addresses, with errno; 0: nothing else. */
void names_set_failure(int code, int system);
/* How many lookups have begun. */
unsigned int names_asked(void);

/* ---- For sim.c ---- */

/* From now on the endpoint asks here, by the clock; to be detached before it is freed. */
void names_attach(struct mquic_endpoint *endpoint, const uint64_t *now_ns);
void names_detach(const struct mquic_endpoint *endpoint);
/* When the next answer is due. */
uint64_t names_next(void);
/* Answers what is due; false if that is nothing. */
bool names_run(uint64_t now_ns);
/* Forgets all, for the next test. */
void names_clear(void);

#endif
