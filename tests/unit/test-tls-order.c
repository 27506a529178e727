/* SPDX-License-Identifier: MIT */
/* TLS messages of a peer, before TLS sees them. */
#include "tls/order.h"

#include <string.h>

#include "unit.h"

#define UNEXPECTED 10

static struct tls_order order;

/* A message of `type` with `len` bytes of body, behind what is in `to`. */
static size_t put(uint8_t *to, uint8_t type, size_t len)
{
	to[0] = type;
	to[1] = 0;
	to[2] = (uint8_t)(len >> 8);
	to[3] = (uint8_t)len;
	memset(to + 4, type, len);
	return 4 + len;
}

static uint8_t send_one(enum tls_level level, uint8_t type, size_t len)
{
	uint8_t bytes[600];

	return tls_order_check(&order, level, bytes, put(bytes, type, len));
}

/* What a server sends, up to its Finished. */
static void server_finishes(void)
{
	uint8_t bytes[600];
	size_t len = 0;

	tls_order_init(&order, TLS_CLIENT);
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 2, 86), 0);
	len += put(bytes + len, 8, 20);
	len += put(bytes + len, 13, 0);
	len += put(bytes + len, 11, 300);
	len += put(bytes + len, 15, 70);
	len += put(bytes + len, 20, 32);
	ck_assert_uint_eq(tls_order_check(&order, TLS_LEVEL_HANDSHAKE, bytes, len), 0);
}

static void client_finishes(void)
{
	tls_order_init(&order, TLS_SERVER);
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 1, 270), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_HANDSHAKE, 20, 32), 0);
}

START_TEST(order_takes_whole_handshakes_and_tickets)
{
	server_finishes();
	ck_assert_uint_eq(send_one(TLS_LEVEL_1RTT, 4, 200), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_1RTT, 4, 0), 0);
	client_finishes();
	/* A second hello, and a certificate. */
	tls_order_init(&order, TLS_SERVER);
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 1, 270), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 1, 270), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_HANDSHAKE, 11, 500), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_HANDSHAKE, 15, 70), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_HANDSHAKE, 20, 32), 0);
}
END_TEST

START_TEST(order_takes_messages_byte_by_byte)
{
	uint8_t bytes[600];
	size_t len = put(bytes, 8, 300);
	size_t i;

	len += put(bytes + len, 20, 48);
	tls_order_init(&order, TLS_CLIENT);
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 2, 86), 0);
	for (i = 0; i < len; i++)
		ck_assert_uint_eq(tls_order_check(&order, TLS_LEVEL_HANDSHAKE, bytes + i, 1), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_HANDSHAKE, 20, 48), UNEXPECTED);
}
END_TEST

/* Every type but those named, at the level, is refused. */
static void only(void (*before)(void), enum tls_level level, const char *types)
{
	unsigned int type;

	for (type = 0; type < 256; type++) {
		uint8_t expected = type != 0 && strchr(types, (int)type) ? 0 : UNEXPECTED;

		before();
		ck_assert_msg(send_one(level, (uint8_t)type, 10) == expected, "type %u", type);
	}
}

static void server_begins(void)
{
	tls_order_init(&order, TLS_CLIENT);
}

static void server_has_said_hello(void)
{
	server_begins();
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 2, 86), 0);
}

static void client_begins(void)
{
	tls_order_init(&order, TLS_SERVER);
}

static void client_has_said_hello(void)
{
	client_begins();
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 1, 270), 0);
}

START_TEST(order_refuses_what_is_not_for_the_level)
{
	only(server_begins, TLS_LEVEL_INITIAL, "\2");
	only(server_has_said_hello, TLS_LEVEL_HANDSHAKE, "\10\13\15\17\24");
	only(server_finishes, TLS_LEVEL_1RTT, "\4");
	only(client_begins, TLS_LEVEL_INITIAL, "\1");
	only(client_has_said_hello, TLS_LEVEL_HANDSHAKE, "\13\17\24");
	only(client_finishes, TLS_LEVEL_1RTT, "");
	/* Behind Finished, and 1-RTT before it. */
	only(server_finishes, TLS_LEVEL_HANDSHAKE, "");
	only(client_finishes, TLS_LEVEL_HANDSHAKE, "");
	only(server_has_said_hello, TLS_LEVEL_1RTT, "");
	only(client_has_said_hello, TLS_LEVEL_1RTT, "");
}
END_TEST

START_TEST(order_refuses_what_rides_behind_the_last_message)
{
	uint8_t bytes[100];
	size_t len = put(bytes, 20, 32);

	client_has_said_hello();
	/* KeyUpdate behind Finished. */
	len += put(bytes + len, 24, 1);
	ck_assert_uint_eq(tls_order_check(&order, TLS_LEVEL_HANDSHAKE, bytes, len), UNEXPECTED);
	client_begins();
	len = put(bytes, 1, 40);
	bytes[len] = 1;
	ck_assert_uint_eq(tls_order_check(&order, TLS_LEVEL_INITIAL, bytes, len + 1), UNEXPECTED);
}
END_TEST

START_TEST(order_refuses_the_way_back_and_messages_across_levels)
{
	static const uint8_t half[] = {2, 0, 0, 80, 1};

	server_finishes();
	ck_assert_uint_eq(send_one(TLS_LEVEL_INITIAL, 2, 86), UNEXPECTED);
	server_begins();
	ck_assert_uint_eq(tls_order_check(&order, TLS_LEVEL_INITIAL, half, sizeof(half)), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_HANDSHAKE, 8, 10), UNEXPECTED);
	server_begins();
	ck_assert_uint_eq(tls_order_check(&order, TLS_LEVEL_INITIAL, half, 1), 0);
	ck_assert_uint_eq(send_one(TLS_LEVEL_HANDSHAKE, 8, 10), UNEXPECTED);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&order_takes_whole_handshakes_and_tickets,
		&order_takes_messages_byte_by_byte,
		&order_refuses_what_is_not_for_the_level,
		&order_refuses_what_rides_behind_the_last_message,
		&order_refuses_the_way_back_and_messages_across_levels,
	};

	return unit_run("tls-order", NULL, NULL, tests, COUNT(tests));
}
