/* SPDX-License-Identifier: MIT */
/*
 * Shows what the workers count: as topics below $SYS/broker/mquic/, as a file, and as the text of a
 * page. On the broker's thread. They are asked at every interval, or when somebody reads the page,
 * and shown when all have answered. Who has not after PATIENCE_MS is shown as it was.
 */
#ifndef MOSQUITTO_PLUGIN_METRICS_H
#define MOSQUITTO_PLUGIN_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "workers.h"
#include "../gateway/options.h"
#include "../server/counters.h"
#include "../server/openmetrics.h"

struct metrics {
	const struct options *options;
	uint64_t next_ms;  /* when the next interval is over */
	bool asked;        /* workers were ... */
	uint64_t until_ms; /* ... and have so long to answer */
	uint64_t taken_ms; /* when `now` was taken; 0: never */
	size_t workers;
	struct counters now[1 + OPTIONS_WORKERS_MAX];  /* of all together, and of each */
	bool shown;                                    /* topics have been published ... */
	struct counters last[1 + OPTIONS_WORKERS_MAX]; /* ... with these values */
	bool file_failed;                              /* and that was said */
};

/*
 * Has workers asked, unless what they have told is quite new. False: they have not answered yet;
 * call it again.
 */
bool metrics_gather(struct metrics *metrics, struct workers *workers);

/*
 * All rows of what was gathered. Readers add workers up: what were told of all as well would be
 * counted twice.
 */
void metrics_write(const struct metrics *metrics, FILE *out, enum metrics_format format);

/* In each round of the broker's loop, while clients are served. */
void metrics_tick(struct metrics *metrics, struct workers *workers);

#endif
