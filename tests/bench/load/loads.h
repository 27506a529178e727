/* SPDX-License-Identifier: MIT */
/*
 * The loads. Those that are measured from outside print "ready", wait for a line on standard
 * input, work, print one line of JSON, and wait for the next line before they part.
 */
#ifndef LOADS_H
#define LOADS_H

#include "client.h"

/* Messages from publishers to subscribers, at most `window` under way per publisher. */
int load_flow(const struct transport *transport, const struct options *options);
/* Connect, send `count` messages at QoS 1 or 2, done when all are acknowledged. */
int load_transfer(const struct transport *transport, const struct options *options);
/* `count` clients come and go, `at_once` at a time. */
int load_connects(const struct transport *transport, const struct options *options);
/* `count` clients come and stay. */
int load_idle(const struct transport *transport, const struct options *options);

/* control.c */
void control_ready(void);
/* Whether a line has come, or standard input has ended; does not wait. */
bool control_told(void);
/* Processor time of this process. */
uint64_t cpu_ns(void);

/* samples.c: times, sorted when they are printed. */
struct samples {
	uint64_t *ns;
	size_t count;
	size_t room;
};

void samples_init(struct samples *samples, size_t room);
void samples_add(struct samples *samples, uint64_t ns);
/* Prints `"NAME":{"count":…,"p50_us":…}` without a comma after it. */
void samples_print(struct samples *samples, const char *name);
void samples_free(struct samples *samples);

#endif
