/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "openmetrics.h"

#define UNIT "_bytes"

/* The end of the name of a counter's sample; in the older format its family is called the same. */
static const char *suffix(const struct counter_row *row)
{
	return row->is_gauge ? "" : "_total";
}

static bool is_in_bytes(const char *family)
{
	size_t len = strlen(family);

	return len > sizeof(UNIT) && strcmp(family + len - (sizeof(UNIT) - 1), UNIT) == 0;
}

static void write_family(FILE *out, enum metrics_format format, const struct counter_row *row)
{
	const char *end = format == METRICS_OPEN ? "" : suffix(row);

	fprintf(out, "# TYPE %s%s %s\n", row->family, end, row->is_gauge ? "gauge" : "counter");
	if (format == METRICS_OPEN && is_in_bytes(row->family))
		fprintf(out, "# UNIT %s bytes\n", row->family);
	fprintf(out, "# HELP %s%s %s.\n", row->family, end, row->help);
}

static void write_labels(FILE *out, const char *label, const char *worker)
{
	if (label == NULL && worker[0] == '\0')
		return;
	fputc('{', out);
	if (label != NULL)
		fputs(label, out);
	if (worker[0] != '\0')
		fprintf(out, "%sworker=\"%s\"", label != NULL ? "," : "", worker);
	fputc('}', out);
}

static void write_sample(FILE *out, size_t row, const struct metrics_part *part)
{
	const struct counter_row *of = &counter_rows[row];

	fprintf(out, "%s%s", of->family, suffix(of));
	write_labels(out, of->label, part->worker);
	fprintf(out, " %" PRIu64 "\n", part->counters->at[row]);
}

void openmetrics_write(FILE *out, enum metrics_format format, const struct metrics_part *parts,
		       size_t count)
{
	size_t row, part;

	for (row = 0; row < COUNTERS; row++) {
		if (counter_rows[row].family == NULL)
			continue;
		if (counter_rows[row].help != NULL)
			write_family(out, format, &counter_rows[row]);
		for (part = 0; part < count; part++)
			write_sample(out, row, &parts[part]);
	}
	if (format == METRICS_OPEN)
		fputs("# EOF\n", out);
}
