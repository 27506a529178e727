/* SPDX-License-Identifier: MIT */
/*
 * What of a server's limits is one worker's. Clients choose their workers by chance, and these know
 * nothing of each other: so each gets an equal part, rounded up, of what counts all clients, and
 * the server reaches a limit when one of them does, which with many clients is a few per cent
 * early. What counts the clients of one address is not divided: so few of them fall unevenly, and
 * some would be refused long before there are as many as are allowed. An address may then have as
 * many at each worker.
 */
#ifndef SERVER_SHARES_H
#define SERVER_SHARES_H

#include <stdint.h>

struct shares {
	uint32_t connections;
	uint32_t connections_per_address; /* 0: no limit */
	uint32_t handshakes;
	uint64_t memory; /* bytes */
};

/* Of the limits of all, those of one of `workers`; whatever there is, each has one of it. */
void shares_divide(struct shares *limits, unsigned int workers);

#endif
