/* SPDX-License-Identifier: MIT */
/*
 * What a server has counted: one number for each row of a table, taken from a worker's endpoint and
 * clients at one moment. Snapshots of several workers add up to one, and go from process to process
 * as they are.
 */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mquic.h>

/* What libmquic does not count; the other rows are its own. */
enum counter {
	/* Whoever watches the worker fills in these. */
	COUNTER_WORKERS,
	COUNTER_RESTARTS,
	COUNTER_UPTIME,
	/* A worker tells of these. */
	COUNTER_CLIENTS,
	COUNTER_ACCEPTED,
	COUNTER_RESIDENT,
	/* Nobody does any of this yet. */
	COUNTER_EARLY_ACCEPTED,
	COUNTER_EARLY_REJECTED,
	COUNTERS_OWN
};

/* Rows of the table. */
#define COUNTERS 47

struct counters {
	uint64_t at[COUNTERS];
};

/* How a row is called where people look. */
struct counter_row {
	const char *family; /* of OpenMetrics, without _total; NULL: only in topics */
	const char *label;  /* tells it from the others of its family, which stand beside it */
	const char *help;   /* of the family: the first row has it */
	const char *topic;  /* below $SYS/broker/mquic/ */
	enum mquic_total total;
	bool is_gauge;      /* may go down */
	bool is_of_workers; /* means nothing of all of them together */
};

extern const struct counter_row counter_rows[COUNTERS];

/* Adds what an endpoint has counted; what a worker tells of itself is not touched. */
void counters_take(struct counters *counters, const struct mquic_endpoint *endpoint);

/* Adds what another worker has, but for what is of each alone. */
void counters_add(struct counters *counters, const struct counters *other);

/* Adds what a worker has left that is gone: all but what is counted as of now. */
void counters_keep(struct counters *counters, const struct counters *gone);

/* As it goes to another process of the same machine. */
struct counters_packet {
	uint64_t version;
	struct counters counters;
};

void counters_pack(struct counters_packet *packet, const struct counters *counters);

/* False: these bytes are none, or of a server with another table. */
bool counters_unpack(struct counters *counters, const void *bytes, size_t len);

#endif
