/* SPDX-License-Identifier: MIT */
/* The program of a client: a session on the simulated network, and what it has been told. */
#ifndef MQUIC_TESTS_APP_H
#define MQUIC_TESTS_APP_H

#include "broker.h"

extern struct app {
	struct mquic_session *session;
	unsigned int connected;
	unsigned int disconnected;
	bool present;
	struct pair_end end;
	unsigned int delivered;
	unsigned int subscribed;
	uint8_t last_reason;
	unsigned int got[BROKER_NUMBERS];
} app;

/* For each test: a broker, and a session that outlives its connections. */
void app_set_up(void);
void app_tear_down(void);

/* An event has come; the simulator calls it, or a test that takes events by hand. */
void app_on_event(struct sim_host *host, struct mquic_event *event);

void app_dial(void);
void app_publish(uint32_t number, int qos);

/* For app_wait(): so many times, or all that was published is settled. */
bool app_is_connected(void *count);
bool app_is_disconnected(void *count);
bool app_is_settled(void *unused);
/* It becomes true within this time. */
void app_wait(bool (*done)(void *), unsigned int count, unsigned int seconds);

void app_expect_each_once(const unsigned int *counts, uint32_t first, uint32_t last);

#endif
