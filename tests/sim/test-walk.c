/* SPDX-License-Identifier: MIT */
/*
 * Walks through the API at random: calls in any order, at any moment, on objects in any state,
 * handles freed parents first or children first. Nothing may crash, leak, spin, or stay behind.
 */
#include <stdio.h>

#include "pair.h"
#include "quic/conductor.h"

#define SLOTS 24
#define HOSTS 3
#define STEPS 400
#define SEEDS 30

static struct sim *sim;
static struct sim_host *hosts[HOSTS]; /* all listen, all dial */
static struct mquic_connection *connections[SLOTS];
static struct mquic_stream *streams[SLOTS];
static uint64_t moved; /* bytes that found a stream */
static struct mquic_settings *client_settings;
static struct mquic_settings *server_settings;

static size_t any(size_t count)
{
	return (size_t)sim_below(sim, count);
}

/* Mostly a place with a handle, now and then any. */
static size_t some_connection(void)
{
	size_t slot = any(SLOTS);
	size_t tries;

	for (tries = 0; tries < 8 && connections[slot] == NULL; tries++)
		slot = any(SLOTS);
	return slot;
}

static size_t some_stream(void)
{
	size_t slot = any(SLOTS);
	size_t tries;

	for (tries = 0; tries < 8 && streams[slot] == NULL; tries++)
		slot = any(SLOTS);
	return slot;
}

/* Puts a handle into a free place; without one it is freed. */
static void keep_connection(struct mquic_connection *connection)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (connections[i] == NULL) {
			connections[i] = connection;
			return;
		}
	mquic_connection_free(connection);
}

static void keep_stream(struct mquic_stream *stream)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (streams[i] == NULL) {
			streams[i] = stream;
			return;
		}
	mquic_stream_free(stream);
}

static void on_event(struct sim_host *host, struct mquic_event *event)
{
	struct mquic_connection *connection;
	struct mquic_stream *stream;

	/* Some are slow to take what is there. */
	if (any(4) == 0)
		return;
	if (mquic_event_type(event) == MQUIC_EVENT_ACCEPTABLE) {
		while (mquic_endpoint_accept(host->endpoint, &connection) == MQUIC_OK)
			keep_connection(connection);
	} else if (mquic_event_type(event) == MQUIC_EVENT_STREAM_ACCEPTABLE) {
		connection = mquic_event_connection(event);
		while (mquic_connection_accept_stream(connection, &stream) == MQUIC_OK)
			keep_stream(stream);
	}
}

static void dial(void)
{
	struct sim_host *from = hosts[any(HOSTS)];
	struct mquic_connection *connection;
	char to[24];

	(void)snprintf(to, sizeof(to), "10.0.0.%zu", 1 + any(HOSTS));
	if (from->endpoint != NULL &&
	    mquic_connection_dial(&connection, from->endpoint, client_settings, to, PAIR_PORT) ==
		    MQUIC_OK)
		keep_connection(connection);
}

static void use_connection(struct mquic_connection **slot)
{
	struct mquic_stream *stream;

	switch (any(16)) {
	case 0:
		mquic_connection_free(*slot);
		*slot = NULL;
		break;
	case 1:
		(void)mquic_connection_close(*slot, any(100), any(2) == 0 ? NULL : "enough");
		break;
	case 2:
		if (*slot != NULL && mquic_connection_accept_stream(*slot, &stream) == MQUIC_OK)
			keep_stream(stream);
		break;
	case 3:
		(void)mquic_connection_migrate(*slot);
		break;
	default:
		if (*slot != NULL && mquic_stream_open(&stream, *slot) == MQUIC_OK)
			keep_stream(stream);
		break;
	}
}

static void receive(struct mquic_stream *stream)
{
	uint8_t buffer[4096];
	const uint8_t *data;
	size_t len;

	if (any(2) == 0)
		(void)mquic_stream_recv(stream, buffer, 1 + any(sizeof(buffer)), &len);
	else if (mquic_stream_peek(stream, &data, &len) == MQUIC_OK && len > 0)
		(void)mquic_stream_consume(stream, 1 + any(len));
}

static void use_stream(struct mquic_stream **slot)
{
	static const uint8_t bytes[30000];
	size_t sent;

	switch (any(20)) {
	case 0:
		mquic_stream_free(*slot);
		*slot = NULL;
		break;
	case 1:
		(void)mquic_stream_finish(*slot);
		break;
	case 2:
		(void)mquic_stream_reset(*slot, any(100));
		break;
	case 3:
		(void)mquic_stream_stop(*slot, any(100));
		break;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		receive(*slot);
		break;
	default:
		if (mquic_stream_send(*slot, bytes, any(sizeof(bytes)), &sent) == MQUIC_OK)
			moved += sent;
		break;
	}
}

static void disturb(void)
{
	struct sim_host *host = hosts[any(HOSTS)];

	switch (any(40)) {
	case 0:
		mquic_endpoint_free(host->endpoint);
		host->endpoint = NULL;
		break;
	case 1:
		sim_restart(host);
		ck_assert_int_eq(sim_listen(host, server_settings, PAIR_PORT), MQUIC_OK);
		break;
	case 2:
		host->up.loss = (unsigned int)any(500);
		host->down.loss = (unsigned int)any(500);
		break;
	case 3:
		if (host->endpoint != NULL)
			(void)mquic_endpoint_reload(host->endpoint);
		break;
	case 4:
		if (host->endpoint != NULL) {
			sim_move(host, 10 + (unsigned int)any(200), true);
			conductor_follow_moves(host->quic);
		}
		break;
	default:
		break;
	}
}

static void step(void)
{
	switch (any(10)) {
	case 0:
		dial();
		break;
	case 1:
		use_connection(&connections[some_connection()]);
		break;
	case 2:
		sim_run(sim, any(50) * SIM_MS);
		break;
	case 3:
		sim_settle(sim);
		break;
	case 4:
		disturb();
		break;
	default:
		use_stream(&streams[some_stream()]);
		break;
	}
}

static void free_rest(void)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		mquic_connection_free(connections[i]);
		mquic_stream_free(streams[i]);
		connections[i] = NULL;
		streams[i] = NULL;
	}
}

/* Streams before connections before endpoints, or the other way round, or mixed. */
static void free_handles(void)
{
	size_t i;

	for (i = 0; i < 4 * SLOTS; i++) {
		size_t slot = any(SLOTS);

		if (any(2) == 0) {
			mquic_stream_free(streams[slot]);
			streams[slot] = NULL;
		} else {
			mquic_connection_free(connections[slot]);
			connections[slot] = NULL;
		}
	}
	free_rest();
}

/* What nobody has accepted is taken and freed. */
static void drop_acceptable(struct sim_host *host)
{
	struct mquic_connection *connection;

	while (mquic_endpoint_accept(host->endpoint, &connection) == MQUIC_OK)
		mquic_connection_free(connection);
}

static void walk(uint64_t seed)
{
	size_t i;

	sim = sim_new(seed);
	for (i = 0; i < HOSTS; i++) {
		hosts[i] = sim_host_new(sim, (unsigned int)i + 1);
		hosts[i]->on_event = on_event;
		hosts[i]->up.delay_ns = 3 * SIM_MS;
		hosts[i]->down.jitter_ns = 3 * SIM_MS;
		ck_assert_int_eq(sim_listen(hosts[i], server_settings, PAIR_PORT), MQUIC_OK);
	}
	for (i = 0; i < STEPS; i++)
		step();
	if (any(3) > 0) {
		free_handles();
		sim_run(sim, 60 * SIM_SECOND);
		free_rest(); /* what came in and was accepted meanwhile */
		for (i = 0; i < HOSTS; i++) {
			if (hosts[i]->endpoint == NULL)
				continue;
			drop_acceptable(hosts[i]);
			sim_run(sim, 60 * SIM_SECOND);
			free_rest();
			sim_run(sim, 60 * SIM_SECOND);
			pair_expect_empty(hosts[i]);
		}
	}
	sim_free(sim);
	free_rest();
}

START_TEST(calls_in_any_order_do_no_harm)
{
	uint64_t seed;

	client_settings = pair.client_settings;
	server_settings = pair.server_settings;
	mquic_settings_set_max_streams(server_settings, 4);
	mquic_settings_set_receive_window(server_settings, 16384);
	mquic_settings_set_receive_window(client_settings, 16384);
	mquic_settings_set_send_buffer(client_settings, 65536);
	for (seed = 0; seed < SEEDS; seed++)
		walk(seed + SEEDS * (uint64_t)_i);
	/* A walk that meets no open stream proves little. */
	ck_assert_uint_gt(moved, 1000000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-walk");
	TCase *group = tcase_create("walk");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 240);
	tcase_add_loop_test(group, calls_in_any_order_do_no_harm, 0, 8);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
