/* SPDX-License-Identifier: MIT */
#include "loads.h"

#include <stdio.h>
#include <stdlib.h>

void samples_init(struct samples *samples, size_t room)
{
	samples->ns = malloc((room + 1) * sizeof(*samples->ns));
	if (samples->ns == NULL)
		fail("out of memory");
	samples->count = 0;
	samples->room = room;
}

void samples_add(struct samples *samples, uint64_t ns)
{
	if (samples->count < samples->room)
		samples->ns[samples->count++] = ns;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double quantile_us(const struct samples *samples, double share)
{
	if (samples->count == 0)
		return 0;
	return (double)samples->ns[(size_t)(share * (double)(samples->count - 1) + 0.5)] / 1e3;
}

void samples_print(struct samples *samples, const char *name)
{
	qsort(samples->ns, samples->count, sizeof(*samples->ns), by_size);
	printf("\"%s\":{\"count\":%zu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
	       "\"max_us\":%.1f}",
	       name, samples->count, quantile_us(samples, 0.5), quantile_us(samples, 0.9),
	       quantile_us(samples, 0.99), quantile_us(samples, 1));
}

void samples_free(struct samples *samples)
{
	free(samples->ns);
}
