/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "status/table.h"

#define CELL 192

struct column {
	const char *head;
	bool is_number; /* stands at the right */
	void (*write)(const struct found_client *client, char text[CELL]);
};

/* ---- Cells ------------------------------------------------------------------------------ */

static void write_client(const struct found_client *client, char text[CELL])
{
	snprintf(text, CELL, "%u.%" PRIu64, client->worker, client->facts.number);
}

static void write_address(const struct found_client *client, char text[CELL])
{
	snprintf(text, CELL, "%s", client->facts.address);
}

/* The time that a client has been here, in two units at most: "3d04h", "5h07m", "2m09s". */
static void write_age(const struct found_client *client, char text[CELL])
{
	uint64_t s = client->facts.age_ms / 1000;

	if (s >= 86400 * UINT64_C(10000))
		snprintf(text, CELL, "long");
	else if (s >= 86400)
		snprintf(text, CELL, "%ud%02uh", (unsigned int)(s / 86400),
			 (unsigned int)(s % 86400 / 3600));
	else if (s >= 3600)
		snprintf(text, CELL, "%uh%02um", (unsigned int)(s / 3600),
			 (unsigned int)(s % 3600 / 60));
	else
		snprintf(text, CELL, "%um%02us", (unsigned int)(s / 60), (unsigned int)(s % 60));
}

static void write_rtt(const struct found_client *client, char text[CELL])
{
	snprintf(text, CELL, "%.1f", (double)client->facts.rtt_us / 1000);
}

/* Of what was sent, in percent. */
static void write_loss(const struct found_client *client, char text[CELL])
{
	const struct client_facts *facts = &client->facts;

	snprintf(text, CELL, "%.1f",
		 facts->sent == 0 ? 0 : 100.0 * (double)facts->lost / (double)facts->sent);
}

static void write_streams(const struct found_client *client, char text[CELL])
{
	snprintf(text, CELL, "%" PRIu32, client->facts.streams);
}

static void write_queued(const struct found_client *client, char text[CELL])
{
	snprintf(text, CELL, "%" PRIu64, client->facts.queued);
}

static void write_memory(const struct found_client *client, char text[CELL])
{
	snprintf(text, CELL, "%" PRIu64, client->facts.memory);
}

static void write_or_dash(const char *value, char text[CELL])
{
	snprintf(text, CELL, "%s", value[0] != '\0' ? value : "-");
}

static void write_cipher(const struct found_client *client, char text[CELL])
{
	write_or_dash(client->facts.cipher, text);
}

static void write_early(const struct found_client *client, char text[CELL])
{
	snprintf(text, CELL, "%s", client->facts.early_data != 0 ? "yes" : "no");
}

static void write_user(const struct found_client *client, char text[CELL])
{
	write_or_dash(client->facts.user, text);
}

static void write_id(const struct found_client *client, char text[CELL])
{
	write_or_dash(client->facts.id, text);
}

static const struct column columns[] = {
	{"CLIENT", false, write_client}, {"ADDRESS", false, write_address},
	{"AGE", true, write_age},        {"RTT/MS", true, write_rtt},
	{"LOSS/%", true, write_loss},    {"STREAMS", true, write_streams},
	{"QUEUED", true, write_queued},  {"MEMORY", true, write_memory},
	{"CIPHER", false, write_cipher}, {"EARLY", false, write_early},
	{"USER", false, write_user},     {"ID", false, write_id},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* ---- Lines ------------------------------------------------------------------------------ */

/* Characters of UTF-8: what begins one. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(FILE *out, const char *text, int width, const struct column *column)
{
	int blanks = width - width_of(text);

	if (column->is_number)
		fprintf(out, "%*s%s", blanks, "", text);
	else if (column == &columns[COLUMNS - 1])
		fputs(text, out);
	else
		fprintf(out, "%s%*s", text, blanks, "");
	fputc(column == &columns[COLUMNS - 1] ? '\n' : ' ', out);
}

static void measure(const struct found *found, int widths[COLUMNS])
{
	char text[CELL];
	size_t i, row;

	for (i = 0; i < COLUMNS; i++) {
		widths[i] = width_of(columns[i].head);
		for (row = 0; row < found->count; row++) {
			int width;

			columns[i].write(&found->clients[row], text);
			width = width_of(text);
			if (width > widths[i])
				widths[i] = width;
		}
	}
}

void table_print(FILE *out, const struct found *found)
{
	int widths[COLUMNS];
	char text[CELL];
	size_t i, row;

	measure(found, widths);
	for (i = 0; i < COLUMNS; i++)
		print_cell(out, columns[i].head, widths[i], &columns[i]);
	for (row = 0; row < found->count; row++)
		for (i = 0; i < COLUMNS; i++) {
			columns[i].write(&found->clients[row], text);
			print_cell(out, text, widths[i], &columns[i]);
		}
	fprintf(out, "%zu client%s\n", found->count, found->count == 1 ? "" : "s");
}
