/* SPDX-License-Identifier: MIT */
/*
 * Shows what the workers count: as topics below $SYS/broker/mquic/, and as a file. On the broker's
 * thread. They are asked at every interval, and their answers shown a moment later:
 *
 *     RESTING ──interval over──▶ ASKED ──PATIENCE_MS over──▶ RESTING
 *
 * Who has not answered by then is shown as it was.
 */
#ifndef MOSQUITTO_PLUGIN_METRICS_H
#define MOSQUITTO_PLUGIN_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "workers.h"
#include "../gateway/options.h"
#include "../server/counters.h"

struct metrics {
	const struct options *options;
	bool asked;
	uint64_t next_ms; /* when the next step is due */
	size_t workers;
	struct counters now[1 + OPTIONS_WORKERS_MAX];  /* of all together, and of each */
	bool shown;                                    /* topics have been published ... */
	struct counters last[1 + OPTIONS_WORKERS_MAX]; /* ... with these values */
	bool file_failed;                              /* and that was said */
};

/* In each round of the broker's loop, while clients are served. */
void metrics_tick(struct metrics *metrics, struct workers *workers);

#endif
