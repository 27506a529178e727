/* SPDX-License-Identifier: MIT */
/*
 * Floods of first packets that nobody goes on with: from one address, from many that are forged,
 * from one that answers Retry. A newcomer gets in all the same, and who is half in stays.
 */
#include <string.h>

#include "pair.h"
#include "quic/listener.h"

#define INITIALS   400
#define HANDSHAKES 40 /* allowed in flight */

struct initial {
	uint8_t data[1500];
	size_t len;
};

static struct initial initials[INITIALS];
static size_t initial_count;
static size_t injected;

static void collect(void *unused, const struct sim_host *from, const struct datagram *datagram)
{
	struct initial *initial = &initials[initial_count];

	(void)unused;
	if (from != pair.client || datagram->len < 1200 || initial_count == INITIALS ||
	    initial->len > 0)
		return;
	ck_assert_uint_le(datagram->len, sizeof(initial->data));
	memcpy(initial->data, datagram->data, datagram->len);
	initial->len = datagram->len;
}

/* First packets of real clients, which were never sent. */
static void make_initials(size_t count)
{
	sim_set_tap(pair.sim, collect, NULL);
	pair.client->up.loss = 1000;
	for (initial_count = 0; initial_count < count; initial_count++) {
		mquic_connection_free(pair.dialed); /* says CONNECTION_CLOSE, as large */
		pair.dialed = NULL;
		initials[initial_count].len = 0;
		pair_dial();
		sim_settle(pair.sim);
		ck_assert_uint_gt(initials[initial_count].len, 0);
	}
	sim_set_tap(pair.sim, NULL, NULL);
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	pair.client->up.loss = 0;
	injected = 0;
}

/* The next of them arrives, from a port of this address. */
static void inject(struct address from)
{
	struct address to = sim_address(2, PAIR_PORT);
	const struct initial *initial = &initials[injected++];

	ck_assert_uint_le(injected, initial_count);
	sim_inject(pair.sim, &from, &to, initial->data, initial->len);
}

static void inject_from_one(void)
{
	inject(sim_address(9, (uint16_t)(1024 + injected)));
}

/* 10.0.x.y, another one each time. */
static void inject_from_anywhere(void)
{
	struct address from = sim_address(9, 999);

	from.of.in.sin_addr.s_addr = htonl(0x0a000100u + (uint32_t)injected);
	inject(from);
}

static void flood(void (*once)(void), size_t count, uint64_t interval_ns)
{
	while (count-- > 0) {
		once();
		sim_run(pair.sim, interval_ns);
	}
}

/* Goes on with the flood until the client is in, at most for a second. */
static void expect_to_get_in(void (*once)(void), uint64_t interval_ns)
{
	uint64_t until = sim_now(pair.sim) + SIM_SECOND;

	memset(&pair.client_end, 0, sizeof(pair.client_end));
	pair.ready = 0;
	pair_dial();
	while (!pair_is_connected(NULL)) {
		ck_assert_msg(sim_now(pair.sim) < until && pair.client_end.told == 0,
			      "not in: \"%s\"", pair.client_end.text);
		once();
		sim_run(pair.sim, interval_ns);
	}
}

static void listen_with(enum mquic_retry retry)
{
	mquic_settings_set_max_handshakes(pair.server_settings, HANDSHAKES);
	mquic_settings_set_retry(pair.server_settings, retry);
	pair_listen();
}

START_TEST(flood_from_one_address_keeps_nobody_out)
{
	make_initials(200);
	listen_with(_i);
	flood(inject_from_one, 100, 20 * SIM_MS);
	ck_assert_uint_le(pair.server->quic->places.handshakes, HANDSHAKES);
	expect_to_get_in(inject_from_one, 20 * SIM_MS);
}
END_TEST

START_TEST(flood_from_everywhere_keeps_nobody_out)
{
	make_initials(300);
	listen_with(MQUIC_RETRY_ADAPTIVE);
	flood(inject_from_anywhere, 200, SIM_MS);
	/* An eighth, and Retry for the rest. */
	ck_assert_uint_le(pair.server->quic->places.handshakes, HANDSHAKES / 8);
	expect_to_get_in(inject_from_anywhere, SIM_MS);
}
END_TEST

/* As long as each handshake has its quarter of the time limit there is room. */
START_TEST(slow_flood_from_everywhere_keeps_nobody_out_without_retry)
{
	make_initials(200);
	listen_with(MQUIC_RETRY_NEVER);
	flood(inject_from_anywhere, 120, 70 * SIM_MS);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, HANDSHAKES);
	expect_to_get_in(inject_from_anywhere, 70 * SIM_MS);
}
END_TEST

/* A host that answers Retry and then says no more. */
static struct mquic_connection *half_open[INITIALS];
static size_t half_open_count;

static void open_halves(struct sim_host *host, size_t count)
{
	host->up.delay_ns = 5 * SIM_MS;
	host->down.delay_ns = 5 * SIM_MS;
	for (half_open_count = 0; half_open_count < count; half_open_count++) {
		sim_run(pair.sim, 1000); /* so that none is too much for one turn */
		ck_assert_int_eq(mquic_connection_dial(&half_open[half_open_count], host->endpoint,
						       pair.client_settings, PAIR_HOST, PAIR_PORT),
				 MQUIC_OK);
	}
	sim_run(pair.sim, 12 * SIM_MS); /* Retry has come, and the answer to it is on its way */
	host->down.loss = 1000;
	sim_run(pair.sim, 5 * SIM_MS);
	host->up.loss = 1000;
}

static void free_halves(void)
{
	while (half_open_count > 0)
		mquic_connection_free(half_open[--half_open_count]);
}

static void nothing_more(void)
{
}

START_TEST(flood_of_proven_handshakes_keeps_nobody_out)
{
	struct sim_host *greedy = sim_host_new(pair.sim, 3);

	listen_with(MQUIC_RETRY_ALWAYS);
	open_halves(greedy, 2 * HANDSHAKES);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, HANDSHAKES);
	expect_to_get_in(nothing_more, SIM_MS);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  20000 /* Retry and handshake, nothing waits */);
	free_halves();
}
END_TEST

/* The honest client is half in when the flood begins, and is let finish when it is over. */
START_TEST(forged_flood_does_not_throw_out_who_is_proven)
{
	struct sim_link slow = {.delay_ns = 300 * SIM_MS};

	make_initials(INITIALS);
	pair_set_link(&slow);
	listen_with(MQUIC_RETRY_ADAPTIVE);
	flood(inject_from_anywhere, HANDSHAKES / 8, 0);
	pair_dial();
	sim_run(pair.sim, 1000 * SIM_MS); /* Retry, and the second Initial has arrived */
	ck_assert_uint_eq(pair.server->quic->places.handshakes, HANDSHAKES / 8 + 1);
	flood(inject_from_anywhere, INITIALS - HANDSHAKES / 8, SIM_MS / 2);
	pair_wait(pair_is_connected, 2);
	ck_assert_uint_eq(mquic_connection_statistic(pair.dialed, MQUIC_STATISTIC_HANDSHAKE_US),
			  1200000 /* two round trips */);
}
END_TEST

/* Its certificate needs two packets, and the line is slow: the first is there, and proves it. */
START_TEST(client_that_answers_without_retry_counts_as_proven)
{
	static const struct kit_spec bulky = {
		.name = "bulky",
		.common_name = "bulky",
		.purpose = GNUTLS_KP_TLS_WWW_CLIENT,
		.issuer = "ca",
		.rsa_bits = 3072,
	};
	struct sim_link slow = {.delay_ns = 5 * SIM_MS, .rate = 12000, .queue = 100000};
	struct list *proven = &pair.server->quic->places.crowds[ADDRESS_PROVEN][0];
	struct list *unproven = &pair.server->quic->places.crowds[ADDRESS_UNPROVEN][0];

	kit_make(&bulky);
	mquic_settings_set_certificate(pair.client_settings, kit_path("bulky.crt"),
				       kit_path("bulky.key"));
	mquic_settings_set_ca_file(pair.server_settings, kit_path("ca.crt"));
	mquic_settings_set_require_certificate(pair.server_settings, true);
	pair.client->up = slow;
	listen_with(MQUIC_RETRY_NEVER);
	pair_dial();
	while (pair.server->quic->places.handshakes == 0)
		sim_run(pair.sim, SIM_MS);
	ck_assert(!list_is_empty(unproven));
	while (list_is_empty(proven) && pair.server->quic->places.handshakes > 0)
		sim_run(pair.sim, SIM_MS);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, 1);
	ck_assert(!list_is_empty(proven));
	ck_assert(list_is_empty(unproven));
	pair_wait(pair_is_connected, 5);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, 0);
}
END_TEST

START_TEST(client_that_gives_way_is_told)
{
	struct sim_link slow = {.delay_ns = 200 * SIM_MS};
	struct mquic_connection *others[3];
	struct mquic_connection *stranger;
	struct sim_host *other = sim_host_new(pair.sim, 3);
	size_t i;

	pair_set_link(&slow);
	mquic_settings_set_max_handshakes(pair.server_settings, 4);
	mquic_settings_set_retry(pair.server_settings, MQUIC_RETRY_NEVER);
	pair_listen();
	pair_dial();
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(mquic_connection_dial(&others[i], pair.client->endpoint,
						       pair.client_settings, PAIR_HOST, PAIR_PORT),
				 MQUIC_OK);
	sim_run(pair.sim, 201 * SIM_MS);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, 4);
	ck_assert_int_eq(mquic_connection_dial(&stranger, other->endpoint, pair.client_settings,
					       PAIR_HOST, PAIR_PORT),
			 MQUIC_OK);
	sim_run(pair.sim, SIM_MS);
	pair_wait(pair_client_is_over, 1);
	pair_expect_end(&pair.client_end, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_TRANSPORT,
			NGTCP2_CONNECTION_REFUSED, "too many handshakes");
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(pair.accepted_count, 4);
	for (i = 0; i < 3; i++)
		mquic_connection_free(others[i]);
	mquic_connection_free(stranger);
}
END_TEST

/* ---- What a turn has room for ------------------------------------------------------ */

/* As in newcomers.c: handshakes and answers of a turn, first packets that wait. */
#define TURN_HANDSHAKES 1
#define TURN_ANSWERS    32
#define WAITING         4096

static void listen_for_crowd(enum mquic_retry retry)
{
	mquic_settings_set_max_handshakes(pair.server_settings, INITIALS);
	mquic_settings_set_retry(pair.server_settings, retry);
	pair_listen();
}

/* A first packet comes from a port of one address, in the turn that is. */
static void receive(size_t which)
{
	struct quic_host *host = pair.server->quic;
	struct wire *wire = list_entry(host->listeners.next, struct quic_listener, link)->wire;
	struct datagram datagram = {
		.local = wire->local,
		.remote = sim_address(9, (uint16_t)(1024 + which)),
		.data = initials[which].data,
		.len = initials[which].len,
		.segment = initials[which].len,
	};

	listener_receive(host, wire, &datagram);
}

static void receive_all(size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		receive(i);
}

static uint64_t total(enum mquic_total which)
{
	return mquic_endpoint_statistic(pair.server->endpoint, which);
}

START_TEST(handshakes_that_a_turn_has_no_room_for_begin_in_later_ones)
{
	size_t turn;

	make_initials(5 * TURN_HANDSHAKES);
	listen_for_crowd(MQUIC_RETRY_NEVER);
	receive_all(5 * TURN_HANDSHAKES);
	for (turn = 1; turn <= 5; turn++) {
		ck_assert_uint_eq(pair.server->quic->places.handshakes, turn * TURN_HANDSHAKES);
		ck_assert_uint_eq(pair.server->quic->newcomers.waiting_count,
				  (5 - turn) * TURN_HANDSHAKES);
		endpoint_turn(pair.server->endpoint);
	}
	ck_assert_uint_eq(total(MQUIC_TOTAL_HANDSHAKES_BEGUN), 5 * TURN_HANDSHAKES);
	ck_assert_uint_eq(total(MQUIC_TOTAL_DROPPED_BUSY), 0);
}
END_TEST

/* Who says it again while it waits has one connection. */
START_TEST(newcomers_that_wait_are_known_by_what_they_say_again)
{
	make_initials(6 * TURN_HANDSHAKES);
	listen_for_crowd(MQUIC_RETRY_NEVER);
	receive_all(6 * TURN_HANDSHAKES);
	receive_all(6 * TURN_HANDSHAKES);
	sim_settle(pair.sim);
	ck_assert_uint_eq(pair.server->quic->newcomers.waiting_count, 0);
	ck_assert_uint_eq(total(MQUIC_TOTAL_HANDSHAKES_BEGUN), 6 * TURN_HANDSHAKES);
}
END_TEST

START_TEST(so_many_newcomers_wait_and_no_more)
{
	size_t i;

	make_initials(TURN_HANDSHAKES + 1);
	listen_for_crowd(MQUIC_RETRY_NEVER);
	for (i = 0; i < TURN_HANDSHAKES; i++)
		receive(i);
	for (i = 0; i < WAITING + 40; i++)
		receive(TURN_HANDSHAKES);
	ck_assert_uint_eq(pair.server->quic->places.handshakes, TURN_HANDSHAKES);
	ck_assert_uint_eq(pair.server->quic->newcomers.waiting_count, WAITING);
	ck_assert_uint_eq(total(MQUIC_TOTAL_DROPPED_BUSY), 40);
}
END_TEST

START_TEST(answers_that_a_turn_has_no_room_for_are_given_in_later_ones)
{
	size_t turn;

	make_initials(3 * TURN_ANSWERS);
	listen_for_crowd(MQUIC_RETRY_ALWAYS);
	receive_all(3 * TURN_ANSWERS);
	for (turn = 1; turn <= 3; turn++) {
		ck_assert_uint_eq(total(MQUIC_TOTAL_RETRIES_SENT), turn * TURN_ANSWERS);
		endpoint_turn(pair.server->endpoint);
	}
	ck_assert_uint_eq(total(MQUIC_TOTAL_DROPPED_BUSY), 0);
}
END_TEST

/* ---- Connections that say nothing ------------------------------------------------- */

#define PLACES 8

static struct mquic_relay *relays[PAIR_ACCEPTED];
static size_t relay_count;
static size_t relays_closed;
static size_t connects;

/* A server that serves whoever sends CONNECT, and waits for it as long as it may take. */
static void serve(struct pair *unused, struct sim_host *host, struct mquic_event *event)
{
	(void)unused;
	if (host != pair.server)
		return;
	if (mquic_event_type(event) == MQUIC_EVENT_RELAY_CLOSED)
		relays_closed++;
	if (mquic_event_type(event) == MQUIC_EVENT_RELAY_CONNECT)
		connects++;
	if (mquic_event_type(event) != MQUIC_EVENT_ACCEPTABLE)
		return;
	while (pair.accepted_count > 0)
		ck_assert_int_eq(mquic_relay_new(&relays[relay_count++],
						 pair.accepted[--pair.accepted_count], 600000,
						 1024),
				 MQUIC_OK);
}

static void say_connect(struct mquic_connection *connection, struct mquic_stream **stream)
{
	static const uint8_t packet[] = "\x10\x0d\0\4MQTT\4\2\0\0\0\1x";
	size_t sent;

	ck_assert_int_eq(mquic_stream_open(stream, connection), MQUIC_OK);
	ck_assert_int_eq(mquic_stream_send(*stream, packet, sizeof(packet) - 1, &sent), MQUIC_OK);
}

static void dial_from(struct sim_host *host, size_t count)
{
	while (count-- > 0)
		ck_assert_int_eq(mquic_connection_dial(&half_open[half_open_count++],
						       host->endpoint, pair.client_settings,
						       PAIR_HOST, PAIR_PORT),
				 MQUIC_OK);
	sim_run(pair.sim, SIM_SECOND);
}

START_TEST(silent_connections_keep_nobody_out)
{
	struct sim_host *greedy = sim_host_new(pair.sim, 3);
	struct mquic_stream *streams[2];
	size_t over = 0;
	size_t i;

	relay_count = relays_closed = connects = half_open_count = 0;
	pair.on_event = serve;
	mquic_settings_set_max_connections(pair.server_settings, PLACES);
	pair_listen();
	dial_from(greedy, PLACES);
	ck_assert_uint_eq(relay_count, PLACES);
	say_connect(half_open[0], &streams[0]);
	sim_run(pair.sim, SIM_SECOND);
	ck_assert_uint_eq(connects, 1);
	/* Two newcomers: each takes the place of one that has said nothing. */
	dial_from(pair.client, 1);
	say_connect(half_open[PLACES], &streams[1]);
	dial_from(pair.client, 1);
	ck_assert_uint_eq(relay_count, PLACES + 2);
	ck_assert_uint_eq(relays_closed, 2);
	ck_assert_uint_eq(connects, 2);
	ck_assert_uint_eq(pair.server->quic->places.connections, PLACES);
	/* Who has sent CONNECT is still there. */
	ck_assert_uint_eq(mquic_stream_bytes_pending(streams[0]), 0);
	ck_assert(!connection_is_over(half_open[0]));
	ck_assert(!connection_is_over(half_open[PLACES]));
	for (i = 1; i < PLACES; i++)
		over += connection_is_over(half_open[i]) ? 1 : 0;
	ck_assert_uint_eq(over, 2);
	mquic_stream_free(streams[0]);
	mquic_stream_free(streams[1]);
	free_halves();
	while (relay_count > 0)
		mquic_relay_free(relays[--relay_count]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-flood");
	TCase *group = tcase_create("flood");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 240);
	/* Adaptive, always, never. */
	tcase_add_loop_test(group, flood_from_one_address_keeps_nobody_out, 0, 3);
	tcase_add_test(group, flood_from_everywhere_keeps_nobody_out);
	tcase_add_test(group, slow_flood_from_everywhere_keeps_nobody_out_without_retry);
	tcase_add_test(group, flood_of_proven_handshakes_keeps_nobody_out);
	tcase_add_test(group, forged_flood_does_not_throw_out_who_is_proven);
	tcase_add_test(group, client_that_answers_without_retry_counts_as_proven);
	tcase_add_test(group, client_that_gives_way_is_told);
	tcase_add_test(group, handshakes_that_a_turn_has_no_room_for_begin_in_later_ones);
	tcase_add_test(group, newcomers_that_wait_are_known_by_what_they_say_again);
	tcase_add_test(group, so_many_newcomers_wait_and_no_more);
	tcase_add_test(group, answers_that_a_turn_has_no_room_for_are_given_in_later_ones);
	tcase_add_test(group, silent_connections_keep_nobody_out);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
