/* SPDX-License-Identifier: MIT */
/* Tickets that a server makes up (RFC 8446 section 4.6.1). */
#include <malloc.h>

#include "expect.h"
#include "tls/tickets.h"

#define ALERT_DECODE_ERROR 50
#define DAY                86400

static struct scene scene;

static size_t kept(void)
{
	return scene.host->quic->tickets.count;
}

static void connect_client(void)
{
	scene_open(&scene, false, 1);
	scene_connect(&scene);
	ck_assert_uint_eq(kept(), 0);
}

/* A ticket of `len` bytes, with the lengths that belong to it. */
static void make(struct octets *message, uint32_t lifetime, size_t len)
{
	message->len = 0;
	octets_number(message, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, 1);
	octets_number(message, 4 + 4 + 1 + 4 + 2 + len + 2, 3);
	octets_number(message, lifetime, 4);
	octets_number(message, 0x01020304, 4); /* what is added to its age */
	octets_number(message, 4, 1);
	octets_number(message, 0x0a0b0c0d, 4);
	octets_number(message, len, 2);
	octets_zeros(message, len);
	octets_number(message, 0, 2); /* extensions */
}

static void say(const struct octets *message)
{
	hostile_say_tls(scene.peer, HOSTILE_APP, message->data, message->len);
	hostile_flush(scene.peer);
	sim_run(scene.sim, SIM_SECOND);
}

START_TEST(ticket_is_kept_and_costs_another_server_a_full_handshake)
{
	struct octets message;

	connect_client();
	make(&message, DAY, 200);
	say(&message);
	ck_assert_uint_eq(kept(), 1);
	ck_assert(!scene.peer->closed);
	finish(&scene);
}
END_TEST

START_TEST(ticket_that_lasts_not_at_all_or_is_long_is_dropped)
{
	struct octets message;

	connect_client();
	if (_i == 0)
		make(&message, 0, 200);
	else
		make(&message, DAY, 4000);
	say(&message);
	ck_assert_uint_eq(kept(), 0);
	ck_assert(!scene.peer->closed);
	make(&message, DAY, 200); /* and the next one is not */
	say(&message);
	ck_assert_uint_eq(kept(), 1);
	finish(&scene);
}
END_TEST

START_TEST(ticket_lasts_a_week_at_most)
{
	struct octets message;
	const struct tls_ticket *ticket;

	connect_client();
	make(&message, UINT32_MAX, 200);
	say(&message);
	ck_assert_uint_eq(kept(), 1);
	ticket = list_entry(scene.host->quic->tickets.list.next, struct tls_ticket, link);
	ck_assert_uint_le(ticket->until_s, (uint64_t)time(NULL) + 7 * DAY);
	finish(&scene);
}
END_TEST

START_TEST(one_ticket_of_many_is_kept)
{
	struct octets message;
	unsigned int i;

	connect_client();
	make(&message, DAY, 100);
	for (i = 0; i < 100; i++)
		hostile_say_tls(scene.peer, HOSTILE_APP, message.data, message.len);
	hostile_flush(scene.peer);
	sim_run(scene.sim, SIM_SECOND);
	ck_assert_uint_eq(kept(), 1);
	for (i = 0; i < 10; i++)
		say(&message);
	ck_assert_uint_eq(kept(), 1);
	ck_assert(!scene.peer->closed);
	finish(&scene);
}
END_TEST

START_TEST(ticket_in_pieces_is_put_together)
{
	struct octets message;
	size_t at;

	connect_client();
	make(&message, DAY, 200);
	for (at = 0; at < message.len; at++) {
		ck_assert_uint_eq(kept(), 0);
		hostile_say_tls(scene.peer, HOSTILE_APP, message.data + at, 1);
		hostile_flush(scene.peer);
		sim_run(scene.sim, SIM_MS);
	}
	sim_run(scene.sim, SIM_SECOND);
	ck_assert_uint_eq(kept(), 1);
	finish(&scene);
}
END_TEST

/* Each length in it that is not what it says, and each end before its time. */
START_TEST(malformed_ticket_ends_the_connection)
{
	struct octets message;

	connect_client();
	make(&message, DAY, 32);
	message.len = 4 + (size_t)_i;
	message.data[3] = (uint8_t)_i;
	say(&message);
	ck_assert(scene.peer->closed);
	ck_assert_uint_ge(scene.peer->close_code, CRYPTO_ERROR);
	ck_assert_uint_eq(kept(), 0);
	finish(&scene);
}
END_TEST

START_TEST(ticket_of_any_content_does_no_harm)
{
	struct octets message;
	size_t i;

	connect_client();
	make(&message, DAY, 60);
	for (i = 0; i < 6; i++)
		message.data[4 + sim_below(scene.sim, message.len - 4)] =
			(uint8_t)sim_random(scene.sim);
	say(&message);
	ck_assert_uint_le(kept(), 1);
	(void)scene_close(&scene);
}
END_TEST

static uint64_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* A length that is never reached: there is an end to what is kept of it. */
START_TEST(endless_ticket_costs_little)
{
	static const uint8_t begin[] = {GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, 0xff, 0xff, 0xff};
	static const uint8_t piece[1000];
	struct octets frames;
	uint64_t offset = sizeof(begin);
	uint64_t before;

	connect_client();
	before = allocated();
	hostile_say_tls(scene.peer, HOSTILE_APP, begin, sizeof(begin));
	hostile_flush(scene.peer);
	while (offset < 2000000 && !scene.peer->closed) {
		frames.len = 0;
		frame_crypto(&frames, offset, piece, sizeof(piece));
		hostile_say(scene.peer, &frames);
		offset += sizeof(piece);
		sim_run(scene.sim, SIM_MS);
	}
	ck_assert_uint_lt(allocated(), before + 100000);
	ck_assert_uint_eq(kept(), 0);
	(void)scene_close(&scene);
}
END_TEST

static Suite *suite(void)
{
	Suite *made = suite_create("hostile-tickets");
	TCase *tickets = tcase_create("tickets");

	tcase_set_timeout(tickets, 60);
	tcase_add_test(tickets, ticket_is_kept_and_costs_another_server_a_full_handshake);
	tcase_add_loop_test(tickets, ticket_that_lasts_not_at_all_or_is_long_is_dropped, 0, 2);
	tcase_add_test(tickets, ticket_lasts_a_week_at_most);
	tcase_add_test(tickets, one_ticket_of_many_is_kept);
	tcase_add_test(tickets, ticket_in_pieces_is_put_together);
	tcase_add_loop_test(tickets, malformed_ticket_ends_the_connection, 0, 47);
	tcase_add_loop_test(tickets, ticket_of_any_content_does_no_harm, 0, 64);
	tcase_add_test(tickets, endless_ticket_costs_little);
	suite_add_tcase(made, tickets);
	return made;
}

int main(void)
{
	return kit_main(suite());
}
