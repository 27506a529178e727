/* SPDX-License-Identifier: MIT */
/* The table of what a server counts, and the texts that are made of it. */
#include <string.h>

#include "server/counters.h"
#include "server/openmetrics.h"
#include "server/resident.h"
#include "unit.h"

/* Every row has another number. */
static struct counters numbered(uint64_t first)
{
	struct counters counters;
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		counters.at[i] = first + i;
	return counters;
}

static size_t row_of(const char *topic)
{
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		if (strcmp(counter_rows[i].topic, topic) == 0)
			return i;
	ck_abort_msg("no row %s", topic);
	return 0;
}

/* ---- The table --------------------------------------------------------------------- */

START_TEST(rows_are_complete_and_differ)
{
	size_t i, j;

	for (i = 0; i < COUNTERS; i++) {
		const struct counter_row *row = &counter_rows[i];

		ck_assert_ptr_nonnull(row->topic);
		ck_assert((row->total != 0) == (i >= COUNTERS_OWN));
		for (j = 0; j < i; j++) {
			ck_assert_str_ne(row->topic, counter_rows[j].topic);
			ck_assert(row->total == 0 || row->total != counter_rows[j].total);
		}
	}
}
END_TEST

/* What stands apart would be two families of one name, which no reader takes. */
START_TEST(rows_of_a_family_stand_together_and_the_first_explains_it)
{
	const char *before = "";
	size_t i, j;

	for (i = 0; i < COUNTERS; i++) {
		const struct counter_row *row = &counter_rows[i];

		if (row->family == NULL)
			continue;
		ck_assert((row->help != NULL) == (strcmp(row->family, before) != 0));
		for (j = 0; row->help != NULL && j < i; j++)
			ck_assert(counter_rows[j].family == NULL ||
				  strcmp(counter_rows[j].family, row->family) != 0);
		ck_assert(row->help != NULL || row->label != NULL);
		before = row->family;
	}
}
END_TEST

/* ---- Numbers --------------------------------------------------------------------------- */

START_TEST(snapshot_tells_what_the_endpoint_has_counted)
{
	struct mquic_endpoint *endpoint;
	struct counters counters = numbered(100);
	size_t i;

	ck_assert_int_eq(mquic_endpoint_new(&endpoint), MQUIC_OK);
	counters_take(&counters, endpoint);
	/* An endpoint adds to those before it, and this one has nothing to add. */
	for (i = 0; i < COUNTERS; i++)
		ck_assert_uint_eq(counters.at[i], 100 + i);
	mquic_endpoint_free(endpoint);
}
END_TEST

START_TEST(memory_of_the_process_is_seen)
{
	ck_assert_uint_gt(resident_bytes(), 100000);
}
END_TEST

START_TEST(workers_add_up)
{
	struct counters sum = numbered(1);
	struct counters other = numbered(1000);
	size_t i;

	counters_add(&sum, &other);
	for (i = 0; i < COUNTERS; i++)
		ck_assert_uint_eq(sum.at[i], i == COUNTER_UPTIME ? 1 + i : 1001 + 2 * i);
}
END_TEST

START_TEST(worker_that_is_gone_has_no_clients_but_had_some)
{
	struct counters sum = {{0}};
	struct counters gone = numbered(5);

	counters_keep(&sum, &gone);
	ck_assert_uint_eq(sum.at[COUNTER_WORKERS], 0);
	ck_assert_uint_eq(sum.at[COUNTER_CLIENTS], 0);
	ck_assert_uint_eq(sum.at[row_of("memory")], 0);
	ck_assert_uint_eq(sum.at[row_of("connections")], 0);
	ck_assert_uint_eq(sum.at[COUNTER_ACCEPTED], 5 + COUNTER_ACCEPTED);
	ck_assert_uint_eq(sum.at[row_of("migrations")], 5 + row_of("migrations"));
}
END_TEST

START_TEST(packet_is_read_as_it_was_written_or_not_at_all)
{
	struct counters counters = numbered(9);
	struct counters read = {{0}};
	struct counters_packet packet;

	counters_pack(&packet, &counters);
	ck_assert(counters_unpack(&read, &packet, sizeof(packet)));
	ck_assert_mem_eq(&read, &counters, sizeof(read));
	ck_assert(!counters_unpack(&read, &packet, sizeof(packet) - 1));
	ck_assert(!counters_unpack(&read, &packet, 0));
	packet.version++;
	ck_assert(!counters_unpack(&read, &packet, sizeof(packet)));
}
END_TEST

/* ---- Texts ------------------------------------------------------------------------------ */

static char *written(enum metrics_format format, const struct metrics_part *parts, size_t count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	openmetrics_write(out, format, parts, count);
	ck_assert_int_eq(ferror(out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void has_lines(const char *text, const char *lines)
{
	ck_assert_msg(strstr(text, lines) != NULL, "not in it: %s", lines);
}

START_TEST(openmetrics_has_types_units_and_an_end)
{
	struct counters counters = {{0}};
	const struct metrics_part all = {"", &counters};
	char *text;

	counters.at[COUNTER_CLIENTS] = 12;
	counters.at[row_of("memory")] = UINT64_MAX;
	counters.at[row_of("bytes/sent")] = 34;
	counters.at[row_of("handshakes/failed/alpn")] = 5;
	text = written(METRICS_OPEN, &all, 1);
	has_lines(text, "# TYPE mquic_clients gauge\n"
			"# HELP mquic_clients Clients that are connected over QUIC.\n"
			"mquic_clients 12\n");
	has_lines(text, "# UNIT mquic_memory_bytes bytes\n");
	has_lines(text, "\nmquic_memory_bytes 18446744073709551615\n");
	has_lines(text, "# TYPE mquic_payload_bytes counter\n# UNIT mquic_payload_bytes bytes\n"
			"# HELP mquic_payload_bytes Payload of UDP datagrams.\n"
			"mquic_payload_bytes_total{direction=\"sent\"} 34\n"
			"mquic_payload_bytes_total{direction=\"received\"} 0\n");
	has_lines(text, "\nmquic_handshakes_failed_total{reason=\"alpn\"} 5\n");
	ck_assert_str_eq(text + strlen(text) - 7, "\n# EOF\n");
	free(text);
}
END_TEST

START_TEST(older_format_names_families_as_their_samples)
{
	struct counters counters = {{0}};
	const struct metrics_part all = {"", &counters};
	char *text = written(METRICS_PROMETHEUS, &all, 1);

	has_lines(text, "# TYPE mquic_migrations_total counter\n# HELP mquic_migrations_total ");
	has_lines(text, "# TYPE mquic_clients gauge\n");
	ck_assert_ptr_null(strstr(text, "# UNIT"));
	ck_assert_ptr_null(strstr(text, "# EOF"));
	free(text);
}
END_TEST

START_TEST(workers_are_told_apart)
{
	struct counters one = numbered(0);
	struct counters two = numbered(100);
	const struct metrics_part both[] = {{"1", &one}, {"2", &two}};
	char *text = written(METRICS_OPEN, both, 2);

	has_lines(text, "\nmquic_clients{worker=\"1\"} 3\nmquic_clients{worker=\"2\"} 103\n");
	has_lines(text, "_total{reason=\"timeout\",worker=\"2\"} ");
	free(text);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&rows_are_complete_and_differ,
		&rows_of_a_family_stand_together_and_the_first_explains_it,
		&snapshot_tells_what_the_endpoint_has_counted,
		&memory_of_the_process_is_seen,
		&workers_add_up,
		&worker_that_is_gone_has_no_clients_but_had_some,
		&packet_is_read_as_it_was_written_or_not_at_all,
		&openmetrics_has_types_units_and_an_end,
		&older_format_names_families_as_their_samples,
		&workers_are_told_apart,
	};

	return unit_run("server-counters", NULL, NULL, tests, COUNT(tests));
}
