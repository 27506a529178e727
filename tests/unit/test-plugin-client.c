/* SPDX-License-Identifier: MIT */
/*
 * One client of a worker between a relay that is played here and a broker's end of the unix
 * socket: what is sent when, what the client is told at the end, and what the plugin at the other
 * end of the channel makes of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker.h"
#include "inbox.h"
#include "keeper.h"
#include "server/clients.h"
#include "relay-kit.h"
#include "unit.h"

/* The broker's log. */
static unsigned int log_lines;

void mosquitto_log_printf(int level, const char *format, ...)
{
	(void)level;
	(void)format;
	log_lines++;
}

/* What the keeper asks of a worker's loop, which there is none of here. */
static unsigned int stopped, reloaded, expiring, orphans, left;

void worker_stop(struct worker *worker)
{
	(void)worker;
	stopped++;
}

void worker_leave(struct worker *worker)
{
	(void)worker;
	left++;
}

void worker_reload(struct worker *worker)
{
	(void)worker;
	reloaded++;
}

void worker_tell_expiring(struct worker *worker)
{
	(void)worker;
	expiring++;
}

void worker_take_orphans(struct worker *worker, int fd)
{
	(void)worker;
	close(fd);
	orphans++;
}

size_t worker_list(const struct worker *worker, uint64_t after, struct client_facts *facts,
		   size_t most)
{
	(void)worker;
	(void)after;
	(void)facts;
	(void)most;
	return 0;
}

static unsigned int opened, shut; /* a bit for each listener */

void worker_open(struct worker *worker, unsigned int listener_number)
{
	(void)worker;
	opened |= 1U << listener_number;
}

void worker_shut(struct worker *worker, unsigned int listener_number)
{
	(void)worker;
	shut |= 1U << listener_number;
}

bool worker_close_client(struct worker *worker, uint64_t number)
{
	(void)worker;
	return number == 7;
}

void worker_count(const struct worker *worker, struct counters *counters)
{
	size_t i;

	(void)worker;
	for (i = 0; i < COUNTERS; i++)
		counters->at[i] = 1000 + i;
}

/* ---- The broker's side ------------------------------------------------------- */

static struct clients clients;
static struct client_settings settings;
static struct keeper keeper;
static struct options options;
static struct inbox inbox; /* the plugin's side */
static struct process process;
static char directory[] = "/tmp/mquic-client-XXXXXX";
static char path[64];
static int listener;
static int broker;     /* its end of the client's socket */
static char mosquitto; /* stands for its client */

static void open_channel(void)
{
	int ends[2];

	ck_assert(channel_open(ends));
	process_init(&process, 1);
	process.channel = ends[0];
	process.met = true;
	inbox.identities = identities_new(100, 2);
	inbox.by_certificate = false;
	keeper.channel = ends[1];
	keeper.broker = getpid();
	keeper.highest_fd = 1000;
	stopped = reloaded = expiring = log_lines = 0;
}

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
	options = (struct options){.listeners = {{.handoff = path}}, .listener_count = 1};
	open_channel();
	keeper_init(&keeper);
	keeper_know(&keeper, &options);
	keeper.listeners[0].terms = (struct handoff_terms){.connect_max = HANDOFF_CONNECT_MAX};
	clients.door = &keeper.door;
	clients.limits = (struct client_limits){
		.memory = 1 << 30,
	};
	settings = (struct client_settings){
		.connect_timeout_ms = 10000,
		.connect_max = HANDOFF_CONNECT_MAX,
	};
	clients.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	clients_init(&clients);
}

static void teardown(void)
{
	clients_free(&clients);
	keeper_end(&keeper);
	identities_free(inbox.identities);
	close(process.channel);
	close(keeper.channel);
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
	client_accept(&clients, &settings, CONNECTION);
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

static bool plugin_reads(void)
{
	return inbox_read(&inbox, &process, 1000);
}

static void plugin_says(enum channel_type type)
{
	ck_assert(process_tell(&process, type));
}

static bool is_taken_by_token(struct identity_facts *facts)
{
	struct token token;

	return token_parse(keeper.token, &token) &&
	       identity_take(inbox.identities, &token, (const void *)&mosquitto, facts);
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
	keeper.listeners[0].terms.connect_max = 21;
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

/* It has not refused these clients: whatever its listener takes, there is none any more. */
START_TEST(a_broker_that_shuts_down_before_it_answers_is_said_to)
{
	come_in();
	unlink(path);
	broker_hangs_up();
	expect_end(2, "the broker is shutting down");
}
END_TEST

START_TEST(a_broker_that_shuts_down_once_it_has_read_connect_is_said_to)
{
	come_in();
	broker_reads(CONNECT REST);
	unlink(path);
	broker_hangs_up();
	expect_end(2, "the broker is shutting down");
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
	keeper.listeners[0].terms.connect_max = 21;
	come_in();
	broker_reads("");
	ck_assert(plugin_reads());
	broker_reads(CONNECT);
	client_event(fake.client, MQUIC_EVENT_RELAY_READABLE);
	broker_reads("");
	ck_assert(identity_take_shown(inbox.identities, (const void *)&mosquitto, "phone", &facts));
	ck_assert_str_eq(facts.name, "carol");
	free(facts.name);
	broker_writes("\x20\x02\x00\x00", 4);
	broker_reads(REST);
	ck_assert(!fake.closed);
}
END_TEST

START_TEST(the_first_client_of_an_unproven_broker_sends_connect_alone)
{
	keeper.listeners[0].terms.unproven = true;
	come_in();
	broker_reads(CONNECT);
	broker_writes("\x20\x02\x00\x05", 4); /* refused, whoever was asked */
	broker_reads(REST);
	ck_assert(!fake.closed);
	ck_assert(plugin_reads());
	ck_assert(!process.bypassed);
}
END_TEST

START_TEST(a_client_that_is_let_in_unasked_is_cut_off)
{
	keeper.listeners[0].terms.unproven = true;
	come_in();
	broker_reads(CONNECT);
	broker_writes("\x20\x02\x01\x00", 4);
	expect_end(2, "not asked");
	ck_assert(plugin_reads());
	ck_assert(process.bypassed);
	ck_assert_uint_eq(fake.writes, 0);
	ck_assert_str_eq(fake.sent, REST);
}
END_TEST

/* CONNACK of 5.0 with properties, whose length may take two bytes. */
START_TEST(a_long_connack_lets_in_as_well)
{
	uint8_t connack[203] = {0x20, 0xc8, 0x01, 0x00, 0x00};

	keeper.listeners[0].terms.unproven = true;
	come_in();
	broker_reads(CONNECT);
	broker_writes(connack, sizeof(connack));
	expect_end(2, "not asked");
}
END_TEST

START_TEST(a_client_that_the_plugin_was_asked_about_goes_on)
{
	struct identity_facts facts;

	keeper.listeners[0].terms.unproven = true;
	come_in();
	broker_reads(CONNECT);
	ck_assert(plugin_reads());
	ck_assert(is_taken_by_token(&facts));
	plugin_says(CHANNEL_TAKEN);
	broker_writes("\x20\x02\x00\x00", 4);
	broker_reads(REST);
	ck_assert(!fake.closed);
	ck_assert(!process.bypassed);
}
END_TEST

/* ---- What plugin and worker tell each other ---------------------------------------- */

START_TEST(a_client_is_announced_before_it_is_at_the_broker)
{
	struct identity_facts facts;

	fake.username = "carol";
	client_accept(&clients, &settings, CONNECTION);
	client_event(fake.client, MQUIC_EVENT_RELAY_CONNECT);
	ck_assert(plugin_reads());
	ck_assert(!is_taken_by_token(&facts));
	clients_dial(&clients);
	broker = accept(listener, NULL, NULL);
	ck_assert(plugin_reads());
	ck_assert(is_taken_by_token(&facts));
	ck_assert_int_eq(facts.kind, CHANNEL_KIND_CLIENT);
	ck_assert_str_eq(facts.name, "carol");
	free(facts.name);
	facts.name = NULL;
	broker_hangs_up();
	ck_assert(plugin_reads());
	ck_assert(identity_add(inbox.identities, 1, &(struct token){{0}}, &facts));
}
END_TEST

static void fill_channel(void)
{
	while (channel_send(keeper.channel,
			    &(struct channel_message){.type = CHANNEL_PONG, .fd = -1}))
		;
}

START_TEST(a_full_channel_has_clients_wait)
{
	fill_channel();
	client_accept(&clients, &settings, CONNECTION);
	client_event(fake.client, MQUIC_EVENT_RELAY_CONNECT);
	clients_dial(&clients);
	ck_assert_int_eq(recv(listener, NULL, 0, MSG_DONTWAIT), -1);
	ck_assert(!fake.closed);
	ck_assert(plugin_reads());
	clients_dial(&clients);
	broker = accept(listener, NULL, NULL);
	broker_reads(CONNECT REST);
}
END_TEST

START_TEST(the_end_of_a_client_is_told_when_there_is_room)
{
	struct identity_facts facts;

	come_in();
	ck_assert(plugin_reads());
	fill_channel();
	broker_hangs_up();
	ck_assert(!keeper_attend(&keeper, false));
	ck_assert(plugin_reads());
	ck_assert(keeper_attend(&keeper, false));
	ck_assert(plugin_reads());
	ck_assert(!is_taken_by_token(&facts));
}
END_TEST

/* The plugin has the socket of a client that it was shown, for a moment longer. */
START_TEST(a_socket_that_is_shared_is_watched_no_more)
{
	struct epoll_event event;

	keeper.listeners[0].terms.connect_max = 21;
	come_in();
	ck_assert(plugin_reads());
	broker_hangs_up();
	ck_assert_int_eq(epoll_wait(clients.epoll_fd, &event, 1, 0), 0);
}
END_TEST

START_TEST(lines_that_have_no_room_are_counted)
{
	fill_channel();
	keeper.door.say(&keeper, MQUIC_LOG_INFO, "one");
	keeper.door.say(&keeper, MQUIC_LOG_INFO, "two");
	ck_assert(!keeper_attend(&keeper, false));
	ck_assert(plugin_reads());
	ck_assert_uint_eq(log_lines, 0);
	ck_assert(keeper_attend(&keeper, false));
	ck_assert(plugin_reads());
	ck_assert_uint_eq(log_lines, 1);
}
END_TEST

START_TEST(a_flood_of_lines_does_not_reach_the_log)
{
	unsigned int i;

	/* However slow this machine is, no second passes that earns another line. */
	process.lines.per_s = 0;
	process.lines.credit = 256;
	for (i = 0; i < 2000; i++) {
		keeper.door.say(&keeper, MQUIC_LOG_INFO, "flood");
		ck_assert(plugin_reads());
	}
	ck_assert_uint_eq(log_lines, 256);
	ck_assert_uint_eq(process.unsaid, 2000 - 256);
}
END_TEST

START_TEST(the_worker_does_what_the_plugin_says)
{
	plugin_says(CHANNEL_RELOAD);
	plugin_says(CHANNEL_EXPIRING);
	process.pinged = true;
	plugin_says(CHANNEL_PING);
	plugin_says(CHANNEL_COUNT);
	keeper_attend(&keeper, true);
	ck_assert_uint_eq(reloaded, 1);
	ck_assert_uint_eq(expiring, 1);
	ck_assert_uint_eq(stopped, 0);
	ck_assert(plugin_reads());
	ck_assert(!process.pinged);
	ck_assert_uint_eq(process.counters.at[COUNTERS - 1], 1000 + COUNTERS - 1);
	plugin_says(CHANNEL_STOP);
	keeper_attend(&keeper, true);
	ck_assert_uint_eq(stopped, 1);
}
END_TEST

START_TEST(a_worker_ends_with_its_plugin)
{
	close(process.channel);
	process.channel = -1;
	keeper_attend(&keeper, true);
	ck_assert_uint_eq(stopped, 1);
}
END_TEST

/* A worker that was taken over would like to be somebody without a password. */
START_TEST(names_by_certificate_are_for_brokers_that_want_them)
{
	const struct channel_message message = {
		.type = CHANNEL_ANNOUNCE,
		.number = CHANNEL_KIND_CERTIFICATE,
		.text = channel_text("admin"),
		.more = channel_text("192.0.2.1:5"),
		.fd = -1,
	};

	ck_assert(channel_send(keeper.channel, &message));
	ck_assert(!plugin_reads());
	ck_assert(process.broken);
	process.broken = false;
	inbox.by_certificate = true;
	ck_assert(channel_send(keeper.channel, &message));
	ck_assert(plugin_reads());
}
END_TEST

/* Where one listener goes by certificates another may not. */
START_TEST(each_listener_has_its_own_kind_of_names)
{
	struct channel_message message = {
		.type = CHANNEL_ANNOUNCE,
		.listener = 1,
		.number = CHANNEL_KIND_CERTIFICATE,
		.text = channel_text("alice"),
		.more = channel_text("192.0.2.1:5"),
		.fd = -1,
	};

	inbox.by_certificate = 1U << 1;
	ck_assert(channel_send(keeper.channel, &message));
	ck_assert(plugin_reads());
	message.listener = 0;
	ck_assert(channel_send(keeper.channel, &message));
	ck_assert(!plugin_reads());
	ck_assert(process.broken);
}
END_TEST

START_TEST(listeners_are_opened_and_shut_one_by_one)
{
	struct channel_message message = {.type = CHANNEL_START, .listener = 3, .fd = -1};

	opened = shut = 0;
	ck_assert(!keeper.started);
	ck_assert(channel_send(process.channel, &message));
	keeper_attend(&keeper, true);
	ck_assert(keeper.started);
	ck_assert(keeper.listeners[3].started && !keeper.listeners[0].started);
	ck_assert_uint_eq(opened, 1U << 3);
	message.type = CHANNEL_SHUT;
	message.listener = 1;
	ck_assert(channel_send(process.channel, &message));
	message.type = CHANNEL_TAKEN;
	message.listener = 2;
	ck_assert(channel_send(process.channel, &message));
	keeper_attend(&keeper, true);
	ck_assert_uint_eq(shut, 1U << 1);
	ck_assert(keeper.listeners[2].taken && !keeper.listeners[3].taken);
}
END_TEST

START_TEST(nonsense_ends_a_worker)
{
	ck_assert_int_eq(send(keeper.channel, "nonsense", 8, 0), 8);
	ck_assert(!plugin_reads());
	ck_assert(process.broken);
}
END_TEST

START_TEST(what_is_said_of_a_bypass_is_looked_at)
{
	const struct channel_message message = {.type = CHANNEL_BYPASSED, .fd = -1};

	ck_assert(channel_send(keeper.channel, &message));
	ck_assert(plugin_reads());
	ck_assert(!process.bypassed);
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
		&a_broker_that_shuts_down_before_it_answers_is_said_to,
		&a_broker_that_shuts_down_once_it_has_read_connect_is_said_to,
		&a_broker_that_goes_on_is_not,
		&a_shown_client_sends_connect_alone_before_the_answer,
		&the_first_client_of_an_unproven_broker_sends_connect_alone,
		&a_client_that_is_let_in_unasked_is_cut_off,
		&a_long_connack_lets_in_as_well,
		&a_client_that_the_plugin_was_asked_about_goes_on,
		&a_client_is_announced_before_it_is_at_the_broker,
		&a_full_channel_has_clients_wait,
		&the_end_of_a_client_is_told_when_there_is_room,
		&a_socket_that_is_shared_is_watched_no_more,
		&lines_that_have_no_room_are_counted,
		&a_flood_of_lines_does_not_reach_the_log,
		&the_worker_does_what_the_plugin_says,
		&a_worker_ends_with_its_plugin,
		&names_by_certificate_are_for_brokers_that_want_them,
		&each_listener_has_its_own_kind_of_names,
		&listeners_are_opened_and_shut_one_by_one,
		&nonsense_ends_a_worker,
		&what_is_said_of_a_bypass_is_looked_at,
	};

	return unit_run("plugin-client", setup, teardown, tests, COUNT(tests));
}
