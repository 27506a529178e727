/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <stdio.h>
#include <string.h>

#include "quic/attempt.h"

struct pair pair;

static const char *ca_path;
static const char *certificate_path;
static const char *key_path;
static const char *reset_key_path;

void pair_certificates_make(void)
{
	kit_open();
	ca_path = kit_path("ca.crt");
	certificate_path = kit_path("server.crt");
	key_path = kit_path("server.key");
	reset_key_path = kit_path("reset.key");
}

void pair_certificates_remove(void)
{
	kit_close();
}

static void record(struct pair_end *end, const struct mquic_event *event)
{
	end->told++;
	end->status = mquic_event_status(event);
	end->origin = mquic_event_origin(event);
	end->code = mquic_event_code(event);
	(void)snprintf(end->text, sizeof(end->text), "%s", mquic_event_text(event));
}

static void accept_all(struct sim_host *host)
{
	struct mquic_connection *connection;

	while (mquic_endpoint_accept(host->endpoint, &connection) == MQUIC_OK) {
		ck_assert_uint_lt(pair.accepted_count, PAIR_ACCEPTED);
		pair.accepted[pair.accepted_count++] = connection;
	}
}

static void on_event(struct sim_host *host, struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		accept_all(host);
		break;
	case MQUIC_EVENT_CONNECTION_READY:
		pair.ready++;
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		if (host == pair.client)
			record(&pair.client_end, event);
		else if (mquic_event_connection(event) == pair.accepted[0])
			record(&pair.server_end, event);
		break;
	default:
		break;
	}
	if (pair.on_event != NULL)
		pair.on_event(&pair, host, event);
}

static void make_settings(void)
{
	ck_assert_int_eq(mquic_settings_new(&pair.client_settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&pair.server_settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_ca_file(pair.client_settings, ca_path), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_server_name(pair.client_settings, PAIR_NAME), MQUIC_OK);
	ck_assert_int_eq(
		mquic_settings_set_certificate(pair.server_settings, certificate_path, key_path),
		MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_reset_key_file(pair.server_settings, reset_key_path),
			 MQUIC_OK);
}

static void open_seed(uint64_t seed)
{
	static const struct sim_link line = {.delay_ns = 5 * SIM_MS};

	memset(&pair, 0, sizeof(pair));
	make_settings();
	pair.sim = sim_new(seed);
	pair.client = sim_host_new(pair.sim, 1);
	pair.server = sim_host_new(pair.sim, 2);
	pair.client->on_event = on_event;
	pair.server->on_event = on_event;
	pair_set_link(&line);
}

void pair_open(void)
{
	open_seed(1);
}

void pair_close(void)
{
	size_t i;

	sim_set_tap(pair.sim, NULL, NULL); /* the test's variables are gone */
	mquic_connection_free(pair.dialed);
	for (i = 0; i < pair.accepted_count; i++)
		mquic_connection_free(pair.accepted[i]);
	sim_free(pair.sim);
	mquic_settings_free(pair.client_settings);
	mquic_settings_free(pair.server_settings);
}

void pair_reopen(uint64_t seed)
{
	pair_close();
	open_seed(seed);
}

void pair_set_link(const struct sim_link *line)
{
	pair.client->up = *line;
	pair.client->down = *line;
}

void pair_listen(void)
{
	ck_assert_msg(sim_listen(pair.server, pair.server_settings, PAIR_PORT) == MQUIC_OK, "%s",
		      mquic_endpoint_error(pair.server->endpoint));
}

void pair_dial_name(const char *name)
{
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	ck_assert_msg(mquic_connection_dial(&pair.dialed, pair.client->endpoint,
					    pair.client_settings, name, PAIR_PORT) == MQUIC_OK,
		      "%s", mquic_endpoint_error(pair.client->endpoint));
}

void pair_dial(void)
{
	pair_dial_name(PAIR_HOST);
}

size_t pair_attempts(void)
{
	const struct list *node;
	size_t count = 0;

	for (node = pair.dialed->attempts.next; node != &pair.dialed->attempts; node = node->next)
		count++;
	return count;
}

struct attempt *pair_first_attempt(void)
{
	return list_entry(pair.dialed->attempts.next, struct attempt, link);
}

void pair_expect_winner(const char *address)
{
	ck_assert_uint_eq(pair.ready, 1);
	ck_assert_uint_eq(pair.client_end.told, 0);
	ck_assert_str_eq(mquic_connection_peer_address(pair.dialed), address);
	ck_assert_uint_eq(pair_attempts(), 1);
	ck_assert_ptr_eq(pair_first_attempt(), pair.dialed->attempt);
}

bool pair_is_connected(void *unused)
{
	(void)unused;
	return pair.ready > 0 && pair.accepted_count > 0;
}

bool pair_client_is_over(void *unused)
{
	(void)unused;
	return pair.client_end.told > 0;
}

bool pair_both_are_over(void *unused)
{
	(void)unused;
	return pair.client_end.told > 0 && pair.server_end.told > 0;
}

void pair_wait(bool (*done)(void *unused), unsigned int seconds)
{
	ck_assert_msg(sim_until(pair.sim, done, NULL, seconds * SIM_SECOND),
		      "not within %u s; client: \"%s\", server: \"%s\"", seconds,
		      pair.client_end.text, pair.server_end.text);
}

void pair_connect(void)
{
	pair_listen();
	pair_dial();
	pair_wait(pair_is_connected, 10);
}

void pair_expect_end(const struct pair_end *end, enum mquic_status status, enum mquic_origin origin,
		     uint64_t code, const char *part)
{
	ck_assert_uint_eq(end->told, 1);
	ck_assert_msg(end->status == status && end->origin == origin && end->code == code,
		      "status %d, origin %d, code %llu: %s", end->status, end->origin,
		      (unsigned long long)end->code, end->text);
	kit_says(end->text, part);
}

void pair_expect_empty(const struct sim_host *host)
{
	struct mquic_endpoint *endpoint = host->endpoint;
	const struct quic_host *quic = host->quic;

	ck_assert(list_is_empty(&quic->connections));
	ck_assert(list_is_empty(&quic->closings));
	ck_assert_uint_eq(quic->closing_count, 0);
	ck_assert_uint_eq(quic->routes.count, 0);
	ck_assert_uint_eq(quic->places.addresses.count, 0);
	ck_assert_uint_eq(quic->places.connections, 0);
	ck_assert_uint_eq(quic->places.handshakes, 0);
	ck_assert_uint_eq(endpoint_timers(endpoint)->count, 0);
	ck_assert_uint_eq(endpoint_timers(endpoint)->reserved, 0);
}
