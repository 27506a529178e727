/* SPDX-License-Identifier: MIT */
/*
 * The states of one client of the server, behind a door of the test's own: another case than the
 * plugin's. The relay is played; the broker is the other end of a pair of sockets.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "relay-kit.h"
#include "server/clients.h"
#include "unit.h"

/* ---- The door -------------------------------------------------------------------- */

#define LINES 16

static struct {
	bool announces;
	struct door_pass pass;
	enum door_dial dials;
	bool presents;
	bool answers;
	struct door_refusal refusal; /* for whatever is refused */
	unsigned int asked;          /* dial() was called so often */
	unsigned int presented;
	unsigned int answered;
	unsigned int forgotten;
	const char *farewell;
	bool socket_was_open; /* when it was forgotten */
	char lines[LINES][200];
	unsigned int count;
	char report[300]; /* the last line about a client that has left */
	unsigned int reports;
} keeper;

static char guest;
static int ends[2]; /* the server's, the broker's; -1: none */

static bool announce(void *argument, const struct mquic_relay *relay, struct door_pass *pass,
		     struct door_refusal *refusal)
{
	ck_assert_ptr_eq(argument, &keeper);
	ck_assert_ptr_nonnull(relay);
	*pass = keeper.pass;
	*refusal = keeper.refusal;
	return keeper.announces;
}

static enum door_dial dial(void *argument, const struct door_pass *pass, int *fd,
			   struct door_refusal *refusal)
{
	(void)argument;
	ck_assert_ptr_eq(pass->guest, keeper.pass.guest);
	keeper.asked++;
	*refusal = keeper.refusal;
	if (keeper.dials == DOOR_CONNECTED) {
		ck_assert_int_eq(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
			0);
		*fd = ends[0];
	}
	return keeper.dials;
}

static bool present(void *argument, const struct door_pass *pass, const struct mquic_relay *relay,
		    int fd, const struct msghdr *connect)
{
	(void)argument;
	ck_assert_ptr_eq(pass->guest, &guest);
	ck_assert_ptr_nonnull(relay);
	ck_assert_int_eq(fd, ends[0]);
	keeper.presented++;
	return keeper.presents && sendmsg(fd, connect, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

static bool answered(void *argument, const struct door_pass *pass, const uint8_t *data, size_t len,
		     struct door_refusal *refusal)
{
	(void)argument;
	(void)pass;
	ck_assert_uint_gt(len, 0);
	ck_assert_ptr_nonnull(data);
	keeper.answered++;
	*refusal = keeper.refusal;
	return keeper.answers;
}

static const char *hung_up(void *argument, const struct door_pass *pass)
{
	(void)argument;
	ck_assert_ptr_eq(pass->guest, &guest);
	return keeper.farewell;
}

static void gone(void *argument, const struct door_pass *pass)
{
	(void)argument;
	ck_assert_ptr_eq(pass->guest, &guest);
	keeper.forgotten++;
	keeper.socket_was_open = ends[0] >= 0 && fcntl(ends[0], F_GETFD) >= 0;
}

static void say(void *argument, enum mquic_log_level level, const char *line)
{
	(void)argument;
	if (strstr(line, " has left: ") != NULL) {
		ck_assert_int_eq(level, MQUIC_LOG_INFO);
		snprintf(keeper.report, sizeof(keeper.report), "%s", line);
		keeper.reports++;
		return;
	}
	if (keeper.count < LINES)
		snprintf(keeper.lines[keeper.count++], sizeof(keeper.lines[0]), "%s", line);
}

static struct door door = {
	.keeper = &keeper,
	.announce = announce,
	.dial = dial,
	.present = present,
	.answered = answered,
	.hung_up = hung_up,
	.gone = gone,
	.say = say,
};

static struct clients clients;
static struct client_settings settings;

static void setup(void)
{
	fake_reset();
	memset(&keeper, 0, sizeof(keeper));
	keeper.announces = true;
	keeper.answers = true;
	keeper.presents = true;
	keeper.pass.guest = &guest;
	keeper.refusal = (struct door_refusal){42, "the door says no"};
	ends[0] = ends[1] = -1;
	door.level = MQUIC_LOG_DEBUG;
	memset(&clients, 0, sizeof(clients));
	clients.door = &door;
	clients.limits = (struct client_limits){
		.memory = 1 << 20,
		.memory_reached = "the limit is reached",
	};
	settings = (struct client_settings){
		.connect_timeout_ms = 10000,
		.connect_max = 1000,
	};
	clients.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	clients_init(&clients);
}

static void teardown(void)
{
	clients_free(&clients);
	close(clients.epoll_fd);
	if (ends[1] >= 0)
		close(ends[1]);
}

/* ---- What happens ------------------------------------------------------------------ */

static void come(void)
{
	client_accept(&clients, &settings, CONNECTION);
	client_event(fake.client, MQUIC_EVENT_RELAY_CONNECT);
}

static void come_in(void)
{
	come();
	clients_dial(&clients);
	ck_assert_int_ge(ends[1], 0);
}

/* As a turn of the worker does. */
static void turn(void)
{
	struct epoll_event ready;

	while (epoll_wait(clients.epoll_fd, &ready, 1, 0) == 1)
		client_ready(ready.data.ptr, ready.events);
}

static void broker_reads(const char *expected)
{
	char buffer[128] = "";

	ck_assert_int_eq(recv(ends[1], buffer, sizeof(buffer) - 1, MSG_DONTWAIT),
			 *expected == '\0' ? -1 : (ssize_t)strlen(expected));
	ck_assert_str_eq(buffer, expected);
}

static void broker_writes(const char *text)
{
	ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	turn();
}

static void broker_hangs_up(void)
{
	close(ends[1]);
	ends[1] = -1;
	turn();
}

static void expect_over(void)
{
	ck_assert(queue_is_empty(&clients.all));
	ck_assert_uint_eq(fake.freed, 1);
}

static void expect_refused(uint64_t code, const char *reason)
{
	ck_assert(fake.closed);
	ck_assert_uint_eq(fake.code, code);
	ck_assert_str_eq(fake.reason, reason);
	expect_over();
}

static void expect_line(unsigned int number, const char *line)
{
	ck_assert_uint_gt(keeper.count, number);
	ck_assert_str_eq(keeper.lines[number], line);
}

/* ---- Steps ---------------------------------------------------------------------- */

START_TEST(each_step_is_a_line)
{
	come_in();
	broker_writes("CONNACK");
	broker_hangs_up();
	ck_assert(fake.finished);
	client_event(fake.client, MQUIC_EVENT_RELAY_CLOSED);
	expect_over();
	expect_line(0, "client 1: WAITING, from 192.0.2.1:4433");
	expect_line(1, "client 1: WAITING → DIALING");
	expect_line(2, "client 1: DIALING → PIPING");
	expect_line(3, "client 1: PIPING → FINISHING");
	expect_line(4, "client 1: FINISHING → OVER");
	ck_assert_uint_eq(keeper.count, 5);
}
END_TEST

START_TEST(no_step_is_a_line_that_nobody_wants)
{
	door.level = MQUIC_LOG_INFO;
	come_in();
	client_event(fake.client, MQUIC_EVENT_RELAY_CLOSED);
	broker_hangs_up();
	expect_over();
	ck_assert_uint_eq(keeper.count, 0);
}
END_TEST

START_TEST(a_client_that_leaves_is_read_to_its_end)
{
	come_in();
	client_event(fake.client, MQUIC_EVENT_RELAY_CLOSED);
	ck_assert_uint_eq(fake.freed, 1);
	ck_assert_uint_eq(keeper.forgotten, 0);
	broker_reads(CONNECT REST);
	broker_writes("too late");
	ck_assert(!queue_is_empty(&clients.all));
	broker_hangs_up();
	expect_over();
	ck_assert_uint_eq(keeper.forgotten, 1);
	expect_line(3, "client 1: PIPING → LEAVING");
	expect_line(4, "client 1: LEAVING → OVER");
	ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

START_TEST(a_client_that_never_sends_connect_is_forgotten)
{
	client_accept(&clients, &settings, CONNECTION);
	client_event(fake.client, MQUIC_EVENT_RELAY_CLOSED);
	expect_over();
	expect_line(1, "client 1: WAITING → OVER");
	ck_assert_uint_eq(keeper.forgotten, 0);
}
END_TEST

START_TEST(a_client_that_leaves_while_it_waits_is_not_dialed_for)
{
	come();
	client_event(fake.client, MQUIC_EVENT_RELAY_CLOSED);
	expect_over();
	clients_dial(&clients);
	ck_assert_uint_eq(keeper.asked, 0);
	ck_assert_uint_eq(keeper.forgotten, 1);
	expect_line(2, "client 1: DIALING → OVER");
}
END_TEST

/* What belongs to another state does nothing. */
START_TEST(events_of_other_states_are_ignored)
{
	client_accept(&clients, &settings, CONNECTION);
	client_event(fake.client, MQUIC_EVENT_RELAY_READABLE);
	client_event(fake.client, MQUIC_EVENT_RELAY_WRITABLE);
	client_event(fake.client, MQUIC_EVENT_RELAY_CONNECT);
	client_event(fake.client, MQUIC_EVENT_RELAY_CONNECT);
	client_event(fake.client, MQUIC_EVENT_ACCEPTABLE);
	ck_assert_uint_eq(keeper.count, 2);
	ck_assert_uint_eq(keeper.asked, 0);
}
END_TEST

/* ---- An operator ------------------------------------------------------------------- */

#define WORD_OF_OPERATOR "an operator has closed the connection"
#define CONNACK_5        "\x20\x03\0\0"

/* The broker has let it in, with these bytes. */
static void be_let_in(int protocol, const char *bytes, size_t len)
{
	fake.protocol = protocol;
	come_in();
	ck_assert_int_eq(write(ends[1], bytes, len), (ssize_t)len);
	turn();
}

START_TEST(a_client_of_mqtt_5_is_sent_away_in_its_words)
{
	static const uint8_t disconnect[] = {0xe0, 2, 0x98, 0};

	be_let_in(5, CONNACK_5, 5);
	ck_assert(clients_close(&clients, 1));
	ck_assert_uint_eq(fake.written_len, 5 + sizeof(disconnect));
	ck_assert_mem_eq(fake.written + 5, disconnect, sizeof(disconnect));
	ck_assert(fake.finished);
	ck_assert_str_eq(fake.reason, WORD_OF_OPERATOR);
	ck_assert_uint_eq(keeper.forgotten, 1);
	ck_assert_ptr_nonnull(strstr(keeper.report, ": " WORD_OF_OPERATOR));
	ck_assert(!clients_close(&clients, 1));
	client_event(fake.client, MQUIC_EVENT_RELAY_CLOSED);
	expect_over();
	ck_assert_uint_eq(keeper.reports, 1);
}
END_TEST

START_TEST(others_are_cut_off)
{
	be_let_in(4, "\x20\x02\0\0", 4);
	ck_assert(clients_close(&clients, 1));
	ck_assert_uint_eq(fake.written_len, 4);
	expect_refused(MQUIC_CLOSE_OVERLOADED, WORD_OF_OPERATOR);
}
END_TEST

START_TEST(one_that_has_half_a_packet_is_cut_off)
{
	be_let_in(5, CONNACK_5 "\x00\x30\x05x", 8);
	ck_assert(clients_close(&clients, 1));
	expect_refused(MQUIC_CLOSE_OVERLOADED, WORD_OF_OPERATOR);
}
END_TEST

START_TEST(one_that_takes_no_more_is_cut_off)
{
	be_let_in(5, CONNACK_5, 5);
	fake.write_max = 2;
	ck_assert(clients_close(&clients, 1));
	expect_refused(MQUIC_CLOSE_OVERLOADED, WORD_OF_OPERATOR);
}
END_TEST

START_TEST(one_that_is_not_let_in_yet_is_cut_off)
{
	fake.protocol = 5;
	come();
	ck_assert(clients_close(&clients, 1));
	expect_refused(MQUIC_CLOSE_OVERLOADED, WORD_OF_OPERATOR);
	ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

/* ---- The door ---------------------------------------------------------------------- */

START_TEST(the_door_names_the_user)
{
	keeper.pass.username = "alice";
	come_in();
	ck_assert_str_eq(fake.new_username, "alice");
}
END_TEST

START_TEST(without_a_name_connect_stays_as_it_is)
{
	come_in();
	ck_assert_str_eq(fake.new_username, "");
	broker_reads(CONNECT REST);
}
END_TEST

START_TEST(the_door_may_refuse)
{
	keeper.announces = false;
	keeper.pass.guest = NULL;
	come();
	expect_refused(42, "the door says no");
	ck_assert_uint_eq(keeper.forgotten, 0);
	expect_line(1, "QUIC client 192.0.2.1:4433 is turned away: the door says no");
	expect_line(2, "client 1: WAITING → OVER (caller: the door says no)");
}
END_TEST

START_TEST(a_busy_broker_is_dialed_again_and_not_for_ever)
{
	keeper.dials = DOOR_BUSY;
	come();
	clients_dial(&clients);
	ck_assert_int_eq(clients_timeout_ms(&clients), 1);
	clients.now_ms += 9999;
	clients_dial(&clients);
	ck_assert_uint_eq(keeper.asked, 2);
	ck_assert(!fake.closed);
	clients.now_ms += 1;
	clients_dial(&clients);
	expect_refused(42, "the door says no");
	ck_assert_uint_eq(keeper.forgotten, 1);
	expect_line(3, "client 1: DIALING → OVER (broker: the door says no)");
}
END_TEST

START_TEST(a_dial_that_fails_turns_away_at_once)
{
	keeper.dials = DOOR_CLOSED;
	come();
	clients_dial(&clients);
	expect_refused(42, "the door says no");
	ck_assert_uint_eq(keeper.asked, 1);
}
END_TEST

START_TEST(connect_by_hand_goes_alone_until_the_answer)
{
	keeper.pass.by_hand = true;
	come_in();
	ck_assert_uint_eq(keeper.presented, 1);
	broker_reads(CONNECT);
	client_event(fake.client, MQUIC_EVENT_RELAY_READABLE);
	broker_reads("");
	broker_writes("CONNACK");
	broker_reads(REST);
	ck_assert_str_eq(fake.written, "CONNACK");
}
END_TEST

START_TEST(connect_that_cannot_be_presented_is_read_and_dropped)
{
	keeper.pass.by_hand = true;
	keeper.presents = false;
	come_in();
	broker_reads("");
	ck_assert(!fake.closed);
	broker_hangs_up();
	ck_assert(fake.closed);
	expect_over();
}
END_TEST

START_TEST(an_answer_that_is_refused_does_not_reach_the_client)
{
	keeper.answers = false;
	keeper.pass.alone = true;
	come_in();
	broker_reads(CONNECT);
	broker_writes("CONNACK");
	expect_refused(42, "the door says no");
	ck_assert_uint_eq(fake.writes, 0);
	ck_assert_uint_eq(keeper.answered, 1);
	ck_assert_str_eq(fake.sent, REST);
}
END_TEST

START_TEST(only_the_first_words_are_shown_to_the_door)
{
	come_in();
	broker_writes("CONNACK");
	broker_writes("and more");
	ck_assert_uint_eq(keeper.answered, 1);
	ck_assert_str_eq(fake.written, "CONNACKand more");
}
END_TEST

/* Its descriptor may be somebody else's at once, and the door may still look at it. */
START_TEST(the_door_forgets_a_client_before_its_socket_is_closed)
{
	come_in();
	broker_writes("CONNACK");
	broker_hangs_up();
	ck_assert_uint_eq(keeper.forgotten, 1);
	ck_assert(keeper.socket_was_open);
	ck_assert_int_lt(fcntl(ends[0], F_GETFD), 0);
}
END_TEST

/* ---- Bytes ---------------------------------------------------------------------------- */

START_TEST(a_slow_broker_gets_the_rest_when_it_reads)
{
	char filling[4096];

	memset(filling, 'x', sizeof(filling));
	fake.sent[0] = '\0';
	fake.connect_left = 0;
	come_in();
	while (send(ends[0], filling, sizeof(filling), MSG_DONTWAIT) > 0)
		;
	while (send(ends[0], filling, 1, MSG_DONTWAIT) > 0)
		;
	strcpy(fake.sent, REST);
	client_event(fake.client, MQUIC_EVENT_RELAY_READABLE);
	turn();
	ck_assert_str_eq(fake.sent, REST);
	while (recv(ends[1], filling, sizeof(filling), MSG_DONTWAIT) > 0)
		;
	turn();
	ck_assert_str_eq(fake.sent, "");
	broker_reads(REST);
}
END_TEST

START_TEST(a_slow_client_is_not_read_for)
{
	come_in();
	fake.write_max = 2;
	broker_writes("CONNACK");
	ck_assert_str_eq(fake.written, "CO");
	broker_writes("more");
	ck_assert_str_eq(fake.written, "CO");
	fake.write_max = 64;
	client_event(fake.client, MQUIC_EVENT_RELAY_WRITABLE);
	turn();
	ck_assert_str_eq(fake.written, "CONNACKmore");
}
END_TEST

/* The end of the broker waits behind what the client has not taken. */
START_TEST(what_waits_is_delivered_before_the_end)
{
	come_in();
	fake.write_max = 2;
	broker_writes("CONNACK");
	broker_hangs_up();
	ck_assert(!fake.finished);
	fake.write_max = 64;
	client_event(fake.client, MQUIC_EVENT_RELAY_WRITABLE);
	turn();
	ck_assert_str_eq(fake.written, "CONNACK");
	ck_assert(fake.finished);
}
END_TEST

START_TEST(the_door_says_why_the_broker_is_done)
{
	keeper.farewell = "it goes to bed";
	come_in();
	broker_writes("CONNACK");
	broker_hangs_up();
	ck_assert(fake.finished);
	ck_assert_str_eq(fake.reason, "it goes to bed");
}
END_TEST

START_TEST(silence_is_explained_without_the_door)
{
	come_in();
	broker_hangs_up();
	ck_assert_uint_eq(fake.code, 2);
	ck_assert_str_eq(fake.reason, "the broker hung up before it read CONNECT");
	expect_line(keeper.count - 1,
		    "client 1: PIPING → OVER (broker: the broker hung up before it read CONNECT)");
}
END_TEST

/* ---- All of them ------------------------------------------------------------------------ */

START_TEST(a_newcomer_beyond_the_memory_limit_is_turned_away)
{
	clients.limits.memory = 1;
	client_accept(&clients, &settings, CONNECTION);
	expect_refused(2, "the limit is reached");
	expect_line(2, "client 1: WAITING → OVER (caller: the limit is reached)");
}
END_TEST

START_TEST(whom_the_broker_has_not_seen_is_turned_away_at_the_end)
{
	come();
	clients_turn_away(&clients);
	expect_refused(2, "the broker is shutting down");
}
END_TEST

START_TEST(whom_the_broker_has_seen_is_not)
{
	come_in();
	clients_turn_away(&clients);
	ck_assert(!fake.closed);
	ck_assert(!queue_is_empty(&clients.all));
}
END_TEST

/* ---- The line about one that has left ---------------------------------------------------- */

static void expect_report(const char *line)
{
	ck_assert_uint_eq(keeper.reports, 1);
	ck_assert_str_eq(keeper.report, line);
}

static void connection_ends(const char *text)
{
	client_hears_end(fake.client, text);
	client_event(fake.client, MQUIC_EVENT_RELAY_CLOSED);
}

static void broker_sends(const char *data, size_t len)
{
	ck_assert_int_eq(write(ends[1], data, len), (ssize_t)len);
	turn();
}

/* What the fake client sends: CONNECT, DISCONNECT. */
static void send_packets(const char *text)
{
	strcpy(fake.sent, text);
	fake.connect_left = 4;
}

#define BROKER_SENDS(text) broker_sends(text, sizeof(text) - 1)
#define LEFT               "QUIC client 192.0.2.1:4433 has left: "

START_TEST(one_that_never_logged_in_is_reported)
{
	client_accept(&clients, &settings, CONNECTION);
	connection_ends("no CONNECT in time");
	expect_report(LEFT "login none, no CONNECT in time");
	expect_over();
}
END_TEST

START_TEST(a_refused_login_is_reported)
{
	fake.username = "al'ice";
	clients.now_ms = 1000;
	come_in();
	clients.now_ms = 4500;
	BROKER_SENDS("\x20\x02\x00\x05");
	broker_hangs_up();
	connection_ends("the peer closed the connection with code 0");
	expect_report(LEFT "login refused (0x05, not authorized), 3 s, id 'phone', "
			   "user 'al?ice': the broker hung up");
}
END_TEST

START_TEST(the_name_of_the_door_is_reported)
{
	fake.username = "mallory";
	keeper.pass.known_as = "alice";
	come_in();
	BROKER_SENDS("\x20\x03\x00\x86\x00");
	connection_ends("idle timeout");
	expect_report(LEFT "login refused (0x86, bad user name or password), 0 s, id 'phone', "
			   "user 'alice': idle timeout");
}
END_TEST

START_TEST(who_said_good_bye_is_reported)
{
	send_packets("\x10\x02"
		     "ab\xe0\x01\x04");
	come_in();
	BROKER_SENDS("\x20\x02\x00\x00");
	broker_hangs_up();
	expect_report(LEFT "login accepted, 0 s, id 'phone', no user: the client sent DISCONNECT "
			   "(0x04, disconnected, will to be published)");
}
END_TEST

/* CONNACK behind AUTH, and cut into bytes. */
START_TEST(a_broker_that_says_good_bye_is_reported)
{
	static const char words[] = "\xf0\x02\x18\x00\x20\x03\x00\x00\x00\x30\x02xx\xe0\x01\x8e";
	size_t i;

	send_packets("\x10\x02"
		     "ab");
	come_in();
	for (i = 0; i < sizeof(words) - 1; i++)
		broker_sends(words + i, 1);
	connection_ends("the peer closed the connection with code 0");
	expect_report(LEFT "login accepted, 0 s, id 'phone', no user: the broker sent DISCONNECT "
			   "(0x8e, session taken over)");
}
END_TEST

START_TEST(one_that_is_turned_away_is_reported)
{
	keeper.dials = DOOR_CLOSED;
	come();
	clients_dial(&clients);
	expect_report(LEFT "login unanswered, 0 s, id 'phone', no user: the door says no");
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&each_step_is_a_line,
		&no_step_is_a_line_that_nobody_wants,
		&a_client_that_leaves_is_read_to_its_end,
		&a_client_that_never_sends_connect_is_forgotten,
		&a_client_that_leaves_while_it_waits_is_not_dialed_for,
		&events_of_other_states_are_ignored,
		&a_client_of_mqtt_5_is_sent_away_in_its_words,
		&others_are_cut_off,
		&one_that_has_half_a_packet_is_cut_off,
		&one_that_takes_no_more_is_cut_off,
		&one_that_is_not_let_in_yet_is_cut_off,
		&the_door_names_the_user,
		&without_a_name_connect_stays_as_it_is,
		&the_door_may_refuse,
		&a_busy_broker_is_dialed_again_and_not_for_ever,
		&a_dial_that_fails_turns_away_at_once,
		&connect_by_hand_goes_alone_until_the_answer,
		&connect_that_cannot_be_presented_is_read_and_dropped,
		&an_answer_that_is_refused_does_not_reach_the_client,
		&only_the_first_words_are_shown_to_the_door,
		&the_door_forgets_a_client_before_its_socket_is_closed,
		&a_slow_broker_gets_the_rest_when_it_reads,
		&a_slow_client_is_not_read_for,
		&what_waits_is_delivered_before_the_end,
		&the_door_says_why_the_broker_is_done,
		&silence_is_explained_without_the_door,
		&a_newcomer_beyond_the_memory_limit_is_turned_away,
		&whom_the_broker_has_not_seen_is_turned_away_at_the_end,
		&whom_the_broker_has_seen_is_not,
		&one_that_never_logged_in_is_reported,
		&a_refused_login_is_reported,
		&the_name_of_the_door_is_reported,
		&who_said_good_bye_is_reported,
		&a_broker_that_says_good_bye_is_reported,
		&one_that_is_turned_away_is_reported,
	};

	return unit_run("server-client", setup, teardown, tests, COUNT(tests));
}
