/* SPDX-License-Identifier: MIT */
/*
 * One client of the plugin between a relay that is played here and a broker's end of the unix
 * socket: what is sent when, and what the client is told at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker.h"
#include "server/clients.h"
#include "keeper.h"
#include "relay-kit.h"
#include "unit.h"

/* The broker's log: nobody reads it here. */
void mosquitto_log_printf(int level, const char *format, ...)
{
	(void)level;
	(void)format;
}

/* ---- The broker's side ------------------------------------------------------- */

static struct clients clients;
static struct keeper keeper;
static struct options options;
static struct log_ring ring;
static char directory[] = "/tmp/mquic-client-XXXXXX";
static char path[64];
static int listener;
static int broker;     /* its end of the client's socket */
static char mosquitto; /* stands for its client */

static void setup(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/s", directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	broker = -1;
	fake_reset();
	options = (struct options){.handoff = path};
	keeper.options = &options;
	keeper.identities = identities_new();
	keeper.log = &ring;
	keeper.highest_fd = 1000;
	keeper.terms = (struct handoff_terms){.connect_max = HANDOFF_CONNECT_MAX};
	keeper_init(&keeper);
	clients.door = &keeper.door;
	clients.settings = (struct client_settings){
		.connect_timeout_ms = 10000,
		.connect_max = HANDOFF_CONNECT_MAX,
		.memory_limit = 1 << 30,
	};
	clients.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	clients_init(&clients);
}

static void teardown(void)
{
	clients_free(&clients);
	identities_free(keeper.identities);
	close(clients.epoll_fd);
	close(listener);
	if (broker >= 0)
		close(broker);
	unlink(path);
	rmdir(directory);
}

/* The client's CONNECT has come, and it has been handed over. */
static void come_in(void)
{
	client_accept(&clients, CONNECTION);
	ck_assert_uint_eq(fake.connect_timeout_ms, 10000);
	ck_assert_uint_eq(fake.connect_max, HANDOFF_CONNECT_MAX);
	client_event(fake.client, MQUIC_EVENT_RELAY_CONNECT);
	clients_dial(&clients);
	broker = accept(listener, NULL, NULL);
	ck_assert_int_ge(broker, 0);
}

static void broker_reads(const char *expected)
{
	char buffer[128] = "";

	ck_assert_int_eq(recv(broker, buffer, sizeof(buffer) - 1, MSG_DONTWAIT),
			 *expected == '\0' ? -1 : (ssize_t)strlen(expected));
	ck_assert_str_eq(buffer, expected);
}

static void broker_writes(const void *data, size_t len)
{
	ck_assert_int_eq(write(broker, data, len), (ssize_t)len);
	client_ready(fake.client, EPOLLIN);
}

static void broker_hangs_up(void)
{
	close(broker);
	broker = -1;
	client_ready(fake.client, EPOLLIN | EPOLLHUP);
}

static void expect_end(uint64_t code, const char *part)
{
	ck_assert(fake.closed);
	ck_assert_uint_eq(fake.code, code);
	ck_assert_msg(strstr(fake.reason, part) != NULL, "%s", fake.reason);
}

/* ---- Bytes --------------------------------------------------------------------- */

START_TEST(bytes_go_both_ways)
{
	come_in();
	broker_reads(CONNECT REST);
	broker_writes("CONNACK", 7);
	ck_assert_str_eq(fake.written, "CONNACK");
	ck_assert(!fake.closed);
	broker_hangs_up();
	ck_assert(fake.finished);
	ck_assert(!fake.closed);
}
END_TEST

START_TEST(what_the_relay_does_not_take_waits)
{
	come_in();
	fake.write_max = 3;
	broker_writes("CONNACK", 7);
	client_event(fake.client, MQUIC_EVENT_RELAY_WRITABLE);
	fake.write_status = MQUIC_ERR_AGAIN;
	client_event(fake.client, MQUIC_EVENT_RELAY_WRITABLE);
	fake.write_status = MQUIC_OK;
	client_event(fake.client, MQUIC_EVENT_RELAY_WRITABLE);
	ck_assert_str_eq(fake.written, "CONNACK");
	ck_assert(!fake.closed);
}
END_TEST

/* A client with a hole in its bytes would be worse off than one that comes again. */
START_TEST(no_memory_for_bytes_ends_the_client)
{
	come_in();
	fake.write_status = MQUIC_ERR_MEMORY;
	broker_writes("CONNACK", 7);
	expect_end(2, "out of memory");
	ck_assert_uint_eq(fake.writes, 1);
	ck_assert(queue_is_empty(&clients.all));
}
END_TEST

START_TEST(no_memory_for_bytes_that_waited_ends_the_client)
{
	come_in();
	fake.write_max = 3;
	broker_writes("CONNACK", 7);
	fake.write_status = MQUIC_ERR_MEMORY;
	client_event(fake.client, MQUIC_EVENT_RELAY_WRITABLE);
	expect_end(2, "out of memory");
	ck_assert_uint_eq(fake.written_len, 3);
}
END_TEST

START_TEST(a_client_that_is_gone_takes_nothing_and_is_not_told)
{
	come_in();
	fake.write_status = MQUIC_ERR_CLOSED;
	broker_writes("CONNACK", 7);
	broker_writes("more", 4);
	ck_assert(!fake.closed);
}
END_TEST

/* ---- How it ends ----------------------------------------------------------------- */

START_TEST(a_connect_that_was_read_and_dropped_is_no_overload)
{
	come_in();
	broker_reads(CONNECT REST);
	broker_hangs_up();
	expect_end(0, "gives no reason");
}
END_TEST

START_TEST(a_connect_nobody_understands_is_said_to_be_that)
{
	fake.protocol = 0;
	come_in();
	broker_reads(CONNECT REST);
	broker_hangs_up();
	expect_end(0, "malformed");
}
END_TEST

START_TEST(a_connect_that_was_not_read_is_overload)
{
	come_in();
	broker_hangs_up();
	expect_end(2, "max_connections");
}
END_TEST

START_TEST(a_connect_without_room_for_its_token_may_have_been_too_long)
{
	keeper.terms.connect_max = 21;
	come_in();
	broker_hangs_up();
	expect_end(0, "max_packet_size");
}
END_TEST

START_TEST(a_broker_that_shuts_down_is_said_to)
{
	come_in();
	broker_writes("CONNACK", 7);
	unlink(path);
	broker_hangs_up();
	ck_assert(fake.finished);
	ck_assert_str_eq(fake.reason, "the broker is shutting down");
}
END_TEST

START_TEST(a_broker_that_goes_on_is_not)
{
	come_in();
	broker_writes("CONNACK", 7);
	broker_hangs_up();
	ck_assert(fake.finished);
	ck_assert_str_eq(fake.reason, "");
}
END_TEST

/* ---- What is held back ------------------------------------------------------------ */

START_TEST(a_shown_client_sends_connect_alone_before_the_answer)
{
	struct identity_facts facts;

	fake.username = "carol";
	keeper.terms.connect_max = 21;
	come_in();
	broker_reads(CONNECT);
	client_event(fake.client, MQUIC_EVENT_RELAY_READABLE);
	broker_reads("");
	ck_assert(
		identity_take_shown(keeper.identities, (const void *)&mosquitto, "phone", &facts));
	ck_assert_str_eq(facts.name, "carol");
	free(facts.name);
	broker_writes("\x20\x02\x00\x00", 4);
	broker_reads(REST);
	ck_assert(!fake.closed);
}
END_TEST

START_TEST(the_first_client_of_an_unproven_broker_sends_connect_alone)
{
	keeper.terms.unproven = true;
	come_in();
	broker_reads(CONNECT);
	broker_writes("\x20\x02\x00\x05", 4); /* refused, whoever was asked */
	broker_reads(REST);
	ck_assert(!fake.closed);
	ck_assert(!keeper_was_bypassed(&keeper));
}
END_TEST

START_TEST(a_client_that_is_let_in_unasked_is_cut_off)
{
	keeper.terms.unproven = true;
	come_in();
	broker_reads(CONNECT);
	broker_writes("\x20\x02\x01\x00", 4);
	expect_end(2, "not asked");
	ck_assert(keeper_was_bypassed(&keeper));
	ck_assert_uint_eq(fake.writes, 0);
	ck_assert_str_eq(fake.sent, REST);
}
END_TEST

/* CONNACK of 5.0 with properties, whose length may take two bytes. */
START_TEST(a_long_connack_lets_in_as_well)
{
	uint8_t connack[203] = {0x20, 0xc8, 0x01, 0x00, 0x00};

	keeper.terms.unproven = true;
	come_in();
	broker_reads(CONNECT);
	broker_writes(connack, sizeof(connack));
	expect_end(2, "not asked");
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&bytes_go_both_ways,
		&what_the_relay_does_not_take_waits,
		&no_memory_for_bytes_ends_the_client,
		&no_memory_for_bytes_that_waited_ends_the_client,
		&a_client_that_is_gone_takes_nothing_and_is_not_told,
		&a_connect_that_was_read_and_dropped_is_no_overload,
		&a_connect_nobody_understands_is_said_to_be_that,
		&a_connect_that_was_not_read_is_overload,
		&a_connect_without_room_for_its_token_may_have_been_too_long,
		&a_broker_that_shuts_down_is_said_to,
		&a_broker_that_goes_on_is_not,
		&a_shown_client_sends_connect_alone_before_the_answer,
		&the_first_client_of_an_unproven_broker_sends_connect_alone,
		&a_client_that_is_let_in_unasked_is_cut_off,
		&a_long_connack_lets_in_as_well,
	};

	return unit_run("plugin-client", setup, teardown, tests, COUNT(tests));
}
