/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "status/table.h"

/* The time that a client has been here, in two units at most: "3d04h", "5h07m", "2m09s". */
static void age_text(uint64_t ms, char text[16])
{
	uint64_t s = ms / 1000;

	if (s >= 86400 * UINT64_C(10000))
		snprintf(text, 16, "long");
	else if (s >= 86400)
		snprintf(text, 16, "%ud%02uh", (unsigned int)(s / 86400),
			 (unsigned int)(s % 86400 / 3600));
	else if (s >= 3600)
		snprintf(text, 16, "%uh%02um", (unsigned int)(s / 3600),
			 (unsigned int)(s % 3600 / 60));
	else
		snprintf(text, 16, "%um%02us", (unsigned int)(s / 60), (unsigned int)(s % 60));
}

static const char *or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

/* Of what was sent, in percent. */
static double loss(const struct client_facts *facts)
{
	return facts->sent == 0 ? 0 : 100.0 * (double)facts->lost / (double)facts->sent;
}

static void print_client(FILE *out, const struct found_client *client)
{
	const struct client_facts *facts = &client->facts;
	char number[32], age[16];

	snprintf(number, sizeof(number), "%u.%" PRIu64, client->worker, facts->number);
	age_text(facts->age_ms, age);
	fprintf(out, "%-8s %-22s %7s %8.1f %6.1f %9" PRIu64 " %9" PRIu64 " %-22s %-16s %s\n",
		number, facts->address, age, (double)facts->rtt_us / 1000, loss(facts),
		facts->queued, facts->memory, or_dash(facts->cipher), or_dash(facts->user),
		or_dash(facts->id));
}

void table_print(FILE *out, const struct found *found)
{
	size_t i;

	fprintf(out, "%-8s %-22s %7s %8s %6s %9s %9s %-22s %-16s %s\n", "CLIENT", "ADDRESS", "AGE",
		"RTT/MS", "LOSS/%", "QUEUED", "MEMORY", "CIPHER", "USER", "ID");
	for (i = 0; i < found->count; i++)
		print_client(out, &found->clients[i]);
	fprintf(out, "%zu client%s\n", found->count, found->count == 1 ? "" : "s");
}
