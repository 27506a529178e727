/* SPDX-License-Identifier: MIT */
/* For the simulations: a client and a server that know each other's certificates. */
#ifndef MQUIC_TESTS_PAIR_H
#define MQUIC_TESTS_PAIR_H

#include "../unit/tls-kit.h"
#include "sim.h"

#define PAIR_PORT     14567
#define PAIR_NAME     "broker.example"
#define PAIR_HOST     "10.0.0.2"
#define PAIR_ACCEPTED 64

/* How a connection ended, as its event told. */
struct pair_end {
	unsigned int told; /* how often; once is right */
	enum mquic_status status;
	enum mquic_origin origin;
	uint64_t code;
	char text[300];
};

struct pair {
	struct sim *sim;
	struct sim_host *client;
	struct sim_host *server;
	struct mquic_settings *client_settings;
	struct mquic_settings *server_settings;
	struct mquic_connection *dialed;
	struct mquic_connection *accepted[PAIR_ACCEPTED]; /* in order */
	size_t accepted_count;
	unsigned int ready;
	struct pair_end client_end; /* of whatever the client dialed */
	struct pair_end server_end; /* of accepted[0] */
	/* What is not about connections; NULL: dropped. */
	void (*on_event)(struct pair *pair, struct sim_host *host, struct mquic_event *event);
	void *user;
};

/* The pair of the running test: both hosts, 10 ms apart. The server does not listen yet. */
extern struct pair pair;

/* Fixtures: certificates for all tests of a case, a pair for each. */
void pair_certificates_make(void);
void pair_certificates_remove(void);
void pair_open(void);
void pair_close(void);
/* A fresh pair within a test, of another seed. */
void pair_reopen(uint64_t seed);

/* The same line for both directions of the client. */
void pair_set_link(const struct sim_link *line);

void pair_listen(void);
void pair_dial(void);
/* The same, to a name that names.h knows or does not. */
void pair_dial_name(const char *name);
/* Listens, dials, and waits for both sides. */
void pair_connect(void);

/* The attempts of the dialed connection: how many, and the oldest. */
size_t pair_attempts(void);
struct attempt *pair_first_attempt(void);
/* It is connected to that address, and no other attempt is left. */
void pair_expect_winner(const char *address);

/* Conditions for sim_until(). */
bool pair_is_connected(void *unused);
bool pair_client_is_over(void *unused);
bool pair_both_are_over(void *unused);

/* Time passes until the condition holds, or the test fails after `seconds`. */
void pair_wait(bool (*done)(void *unused), unsigned int seconds);

/* The only event is an end with these facts, whose sentence has this part. */
void pair_expect_end(const struct pair_end *end, enum mquic_status status, enum mquic_origin origin,
		     uint64_t code, const char *part);

/* No connection, route, count or memory of one is left at the endpoint of the host. */
void pair_expect_empty(const struct sim_host *host);

#endif
