/* SPDX-License-Identifier: MIT */
/* A child of fork() has copies of everything and may use none: the parent must not notice it. */
#include "tls-kit.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fork.h"
#include "core/loop.h"
#include "mquic.h"

static struct mquic_endpoint *server;
static struct mquic_endpoint *client;
static struct mquic_settings *server_settings;
static struct mquic_settings *client_settings;
static struct mquic_connection *dialed;
static struct mquic_connection *accepted;
static struct mquic_stream *from;
static struct mquic_stream *to;
static struct mquic_session *session;
static struct mquic_relay *relay;
static uint16_t port;
static bool over;

static void on_event(struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		if (accepted == NULL)
			ck_assert_int_eq(mquic_endpoint_accept(server, &accepted), MQUIC_OK);
		break;
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		ck_assert_int_eq(mquic_connection_accept_stream(accepted, &to), MQUIC_OK);
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		over = true;
		break;
	default:
		break;
	}
}

static void pump(int timeout_ms)
{
	struct mquic_endpoint *endpoints[] = {server, client};
	struct pollfd fds[] = {
		{.fd = mquic_endpoint_get_fd(server), .events = POLLIN},
		{.fd = mquic_endpoint_get_fd(client), .events = POLLIN},
	};
	struct mquic_event *event;
	size_t i;

	(void)poll(fds, 2, timeout_ms);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(mquic_endpoint_process(endpoints[i]), MQUIC_OK);
		while ((event = mquic_endpoint_next_event(endpoints[i])) != NULL) {
			on_event(event);
			mquic_event_free(event);
		}
	}
}

/* Sends one byte over and waits for it. */
static void one_byte_travels(void)
{
	uint8_t byte = 'x';
	size_t len = 0;

	ck_assert_int_eq(mquic_stream_send(from, &byte, 1, &len), MQUIC_OK);
	for (len = 0; len == 0 && !over;) {
		pump(30000);
		if (to != NULL)
			(void)mquic_stream_recv(to, &byte, 1, &len);
	}
	ck_assert(!over);
	ck_assert_uint_eq(len, 1);
}

static void set_up(void)
{
	dialed = accepted = NULL;
	from = to = NULL;
	relay = NULL;
	over = false;
	kit_open();
	ck_assert_int_eq(mquic_endpoint_new(&server), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_new(&client), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&server_settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&client_settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_certificate(server_settings, kit_path("server.crt"),
							kit_path("server.key")),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_ca_file(client_settings, kit_path("ca.crt")), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_listen(server, server_settings, "127.0.0.1", 0, &port),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_connection_dial(&dialed, client, client_settings, "127.0.0.1", port),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_stream_open(&from, dialed), MQUIC_OK);
	ck_assert_int_eq(mquic_session_new(&session, client, client_settings), MQUIC_OK);
	one_byte_travels();
}

static void free_all(void)
{
	mquic_stream_free(from);
	mquic_stream_free(to);
	mquic_relay_free(relay);
	if (relay == NULL)
		mquic_connection_free(accepted);
	mquic_connection_free(dialed);
	mquic_session_free(session);
	mquic_endpoint_free(client);
	mquic_endpoint_free(server);
	mquic_settings_free(client_settings);
	mquic_settings_free(server_settings);
}

static void tear_down(void)
{
	free_all();
	kit_close();
}

/* What a child finds wrong is its exit status, as its checks are not the test's. */
#define CHILD_CHECK(condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit(__LINE__ % 200 + 1);                                                 \
	} while (0)

static void in_child(void (*body)(void))
{
	pid_t child = fork();
	int status = -1;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		body();
		_exit(0);
	}
	/* The server goes on meanwhile: the child may want it. */
	while (waitpid(child, &status, WNOHANG) == 0)
		pump(5);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child: %#x",
		      (unsigned int)status);
}

static uint64_t packets(enum mquic_statistic which)
{
	return mquic_connection_statistic(dialed, which) +
	       mquic_connection_statistic(accepted, which);
}

/* ---- In the child ------------------------------------------------------------------------ */

static void endpoint_is_dead(void)
{
	struct mquic_connection *connection = NULL;

	CHILD_CHECK(mquic_endpoint_process(client) == MQUIC_ERR_FORKED);
	CHILD_CHECK(strstr(mquic_endpoint_error(client), "fork()") != NULL);
	CHILD_CHECK(mquic_endpoint_wait(client, -1) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_endpoint_next_event(server) == NULL);
	CHILD_CHECK(mquic_endpoint_get_fd(client) == -1);
	CHILD_CHECK(mquic_endpoint_reload(server) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_endpoint_accept(server, &connection) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_endpoint_listen(client, server_settings, "127.0.0.1", 0, NULL) ==
		    MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_connection_dial(&connection, client, client_settings, "127.0.0.1",
					  port) == MQUIC_ERR_FORKED);
	mquic_endpoint_wakeup(client);
	mquic_endpoint_wakeup(server);
}

static void connection_is_dead(void)
{
	struct mquic_stream *stream = NULL;
	const uint8_t *data;
	size_t len;

	CHILD_CHECK(mquic_stream_open(&stream, dialed) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_connection_accept_stream(accepted, &stream) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_connection_migrate(dialed) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_connection_close(dialed, 7, "no") == MQUIC_ERR_FORKED);
	CHILD_CHECK(strstr(mquic_connection_error(dialed), "parent process") != NULL);
	CHILD_CHECK(mquic_stream_send(from, (const uint8_t *)"y", 1, &len) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_stream_peek(to, &data, &len) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_stream_consume(to, 0) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_stream_finish(from) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_stream_reset(from, 1) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_stream_stop(from, 1) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_connection_peer_address(dialed)[0] != '\0'); /* looking is free */
}

static void session_is_dead(void)
{
	struct mquic_session *another = NULL;

	CHILD_CHECK(mquic_session_connect(session, "127.0.0.1", port) == MQUIC_ERR_FORKED);
	CHILD_CHECK(strstr(mquic_session_error(session), "fork()") != NULL);
	CHILD_CHECK(mquic_session_set_keep_alive_s(session, 9) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_session_set_disconnect_expiry_s(session, 9) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_session_publish(session, NULL, NULL) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_session_disconnect(session, 0) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_session_new(&another, client, NULL) == MQUIC_ERR_FORKED);
}

static void relay_is_dead(void)
{
	struct mquic_relay *another = NULL;
	size_t len;

	CHILD_CHECK(mquic_relay_new(&another, dialed, 1000, 1000) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_relay_open(relay) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_relay_write(relay, (const uint8_t *)"y", 1, &len) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_relay_finish(relay, NULL) == MQUIC_ERR_FORKED);
	CHILD_CHECK(mquic_relay_close(relay, 1, NULL) == MQUIC_ERR_FORKED);
	CHILD_CHECK(strstr(mquic_relay_error(relay), "fork()") != NULL);
}

static void everything_is_dead(void)
{
	endpoint_is_dead();
	connection_is_dead();
	session_is_dead();
}

static void everything_is_freed(void)
{
	free_all();
}

static void endpoints_go_first(void)
{
	mquic_endpoint_free(client);
	mquic_endpoint_free(server);
	CHILD_CHECK(mquic_stream_finish(from) == MQUIC_ERR_CLOSED);
	client = server = NULL;
	free_all();
}

static void new_endpoint_dials(void)
{
	struct mquic_endpoint *own;
	struct mquic_connection *connection;
	struct mquic_event *event = NULL;

	CHILD_CHECK(mquic_endpoint_new(&own) == MQUIC_OK);
	CHILD_CHECK(mquic_connection_dial(&connection, own, client_settings, "127.0.0.1", port) ==
		    MQUIC_OK);
	while (event == NULL) {
		CHILD_CHECK(mquic_endpoint_wait(own, 30000) == MQUIC_OK);
		event = mquic_endpoint_next_event(own);
	}
	CHILD_CHECK(mquic_event_type(event) == MQUIC_EVENT_CONNECTION_READY);
	mquic_event_free(event);
	mquic_connection_free(connection);
	mquic_endpoint_free(own);
}

/* ---- Tests ------------------------------------------------------------------------------- */

START_TEST(every_call_in_a_child_says_why_it_cannot)
{
	in_child(everything_is_dead);
	one_byte_travels();
}
END_TEST

START_TEST(a_child_that_frees_everything_says_goodbye_to_nobody)
{
	uint64_t sent;
	uint64_t received;

	/* Acknowledgements may still be under way: until all is quiet. */
	do {
		sent = packets(MQUIC_STATISTIC_PACKETS_SENT);
		pump(300);
	} while (packets(MQUIC_STATISTIC_PACKETS_SENT) != sent);
	received = packets(MQUIC_STATISTIC_PACKETS_RECEIVED);
	in_child(everything_is_freed);
	in_child(endpoints_go_first);
	pump(100);
	ck_assert_uint_eq(packets(MQUIC_STATISTIC_PACKETS_RECEIVED), received);
	one_byte_travels();
	one_byte_travels();
}
END_TEST

START_TEST(a_child_can_have_an_endpoint_of_its_own)
{
	in_child(new_endpoint_dials);
	one_byte_travels();
}
END_TEST

START_TEST(a_relay_is_dead_in_a_child_too)
{
	ck_assert_int_eq(mquic_relay_new(&relay, accepted, 600000, 1000), MQUIC_OK);
	in_child(relay_is_dead);
	in_child(everything_is_freed);
	pump(0);
	ck_assert(!over);
}
END_TEST

static void fork_in_the_middle(void *unused, enum mquic_log_level level, const char *line)
{
	pid_t child = fork();
	int status = -1;

	(void)unused;
	(void)level;
	(void)line;
	if (child == 0) {
		free_all();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	over = true;
}

START_TEST(a_child_forked_in_the_middle_of_a_turn_frees_nothing)
{
	/* The log sink is the one place where a single thread can do that. */
	mquic_endpoint_set_log(client, fork_in_the_middle, MQUIC_LOG_DEBUG, NULL);
	ck_assert_int_eq(mquic_connection_close(accepted, 0, NULL), MQUIC_OK);
	while (!over)
		pump(30000);
	mquic_endpoint_set_log(client, NULL, MQUIC_LOG_ERROR, NULL);
}
END_TEST

static struct loop loop;

static void loop_is_left_alone(void)
{
	static struct loop_source source;
	int pipes[2];

	CHILD_CHECK(pipe(pipes) == 0);
	CHILD_CHECK(loop_add(&loop, pipes[0], &source) != 0);
	loop_arm(&loop, 0);
	loop_wakeup(&loop);
	CHILD_CHECK(loop_dispatch(&loop) != 0);
	loop_fini(&loop);
}

START_TEST(a_child_cannot_make_the_loop_of_its_parent_readable)
{
	struct pollfd fd;

	ck_assert_int_eq(loop_init(&loop), 0);
	in_child(loop_is_left_alone);
	fd = (struct pollfd){.fd = loop.epoll_fd, .events = POLLIN};
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	loop_wakeup(&loop);
	ck_assert_int_eq(poll(&fd, 1, 0), 1);
	loop_fini(&loop);
}
END_TEST

static unsigned int count;

static void count_differs(void)
{
	CHILD_CHECK(fork_count() == count + 1);
}

START_TEST(forks_are_counted_in_the_child_alone)
{
	count = fork_count();
	in_child(count_differs);
	ck_assert_uint_eq(fork_count(), count);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork");
	TCase *group = tcase_create("fork");

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_set_timeout(group, 60);
	tcase_add_test(group, every_call_in_a_child_says_why_it_cannot);
	tcase_add_test(group, a_child_that_frees_everything_says_goodbye_to_nobody);
	tcase_add_test(group, a_child_can_have_an_endpoint_of_its_own);
	tcase_add_test(group, a_relay_is_dead_in_a_child_too);
	tcase_add_test(group, a_child_forked_in_the_middle_of_a_turn_frees_nothing);
	tcase_add_test(group, a_child_cannot_make_the_loop_of_its_parent_readable);
	tcase_add_test(group, forks_are_counted_in_the_child_alone);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
