/* SPDX-License-Identifier: MIT */
/* Counters as text for Prometheus and whoever else reads what it reads. */
#ifndef SERVER_OPENMETRICS_H
#define SERVER_OPENMETRICS_H

#include <stdio.h>

#include "counters.h"

enum metrics_format {
	METRICS_OPEN,      /* OpenMetrics 1.0 */
	METRICS_PROMETHEUS /* text format 0.0.4, the only one that node_exporter reads of files */
};

/* Those of one worker, or of all together. */
struct metrics_part {
	char worker[12]; /* its number; empty: no label */
	const struct counters *counters;
};

/* Writes all rows of all parts. Whether that went well is in ferror(). */
void openmetrics_write(FILE *out, enum metrics_format format, const struct metrics_part *parts,
		       size_t count);

#endif
