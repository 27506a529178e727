/* SPDX-License-Identifier: MIT */
/* A relay that is played, for tests of who carries its bytes to a broker. */
#ifndef MQUIC_TESTS_RELAY_KIT_H
#define MQUIC_TESTS_RELAY_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mquic.h>

/* What the client sends: CONNECT, which a peek shows alone, and the rest. */
#define CONNECT "CONNECT of a client"
#define REST    "and SUBSCRIBE"

struct fake {
	int protocol;
	uint64_t connect_timeout_ms;
	size_t connect_max;
	const char *username;
	char new_username[64];
	char sent[64]; /* what is left of it */
	size_t connect_left;
	enum mquic_status write_status;
	size_t write_max;
	char written[64];
	size_t written_len;
	unsigned int writes;
	bool closed;
	bool finished;
	uint64_t code;
	char reason[160];
	unsigned int freed;
	struct client *client;
	char relay, connection; /* their addresses stand for them */
};

/* What it does and what has become of it. Its parts are to be set before each test. */
extern struct fake fake;

#define CONNECTION ((struct mquic_connection *)(void *)&fake.connection)

/* Makes it new: CONNECT of a client without user name, of MQTT 3.1.1, is there. */
void fake_reset(void);

#endif
