/* SPDX-License-Identifier: MIT */
/* The endpoint on real sockets and the real clock; everything else is simulated in tests/sim. */
#include "tls-kit.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mquic.h"

static struct mquic_endpoint *server;
static struct mquic_endpoint *client;
static struct mquic_settings *server_settings;
static struct mquic_settings *client_settings;

static void set_up(void)
{
	kit_open();
	ck_assert_int_eq(mquic_endpoint_new(&server), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_new(&client), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&server_settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&client_settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_certificate(server_settings, kit_path("server.crt"),
							kit_path("server.key")),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_ca_file(client_settings, kit_path("ca.crt")), MQUIC_OK);
}

static void tear_down(void)
{
	mquic_endpoint_free(client);
	mquic_endpoint_free(server);
	mquic_settings_free(client_settings);
	mquic_settings_free(server_settings);
	kit_close();
}

static uint16_t listen_on(const char *address)
{
	uint16_t port = 0;

	ck_assert_msg(mquic_endpoint_listen(server, server_settings, address, 0, &port) == MQUIC_OK,
		      "%s", mquic_endpoint_error(server));
	ck_assert_uint_gt(port, 0);
	return port;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- A whole connection --------------------------------------------------------------- */

struct transfer {
	struct mquic_connection *dialed;
	struct mquic_connection *accepted;
	struct mquic_stream *from;
	struct mquic_stream *to;
	size_t total;
	size_t sent;
	size_t received;
	bool fin;
	bool over;
};

static void on_event(struct transfer *transfer, struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		ck_assert_int_eq(mquic_endpoint_accept(server, &transfer->accepted), MQUIC_OK);
		break;
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		ck_assert_int_eq(mquic_connection_accept_stream(transfer->accepted, &transfer->to),
				 MQUIC_OK);
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		transfer->over = true;
		ck_assert_msg(transfer->fin, "%s", mquic_event_text(event));
		break;
	default:
		break;
	}
}

static void push(struct transfer *transfer)
{
	static const uint8_t bytes[16384] = "0123456789";
	size_t taken;

	while (transfer->sent < transfer->total) {
		size_t len = transfer->total - transfer->sent;

		if (len > sizeof(bytes))
			len = sizeof(bytes);
		if (mquic_stream_send(transfer->from, bytes, len, &taken) != MQUIC_OK)
			return;
		transfer->sent += taken;
	}
	(void)mquic_stream_finish(transfer->from);
}

static void pull(struct transfer *transfer)
{
	uint8_t buffer[16384];
	size_t len;

	while (mquic_stream_recv(transfer->to, buffer, sizeof(buffer), &len) == MQUIC_OK) {
		transfer->received += len;
		transfer->fin = transfer->fin || len == 0;
		if (len == 0)
			return;
	}
}

/* As a program with a loop of its own does it: two descriptors and nothing else. */
static void pump(struct transfer *transfer)
{
	struct pollfd fds[] = {
		{.fd = mquic_endpoint_get_fd(server), .events = POLLIN},
		{.fd = mquic_endpoint_get_fd(client), .events = POLLIN},
	};
	struct mquic_event *event;
	struct mquic_endpoint *endpoints[] = {server, client};
	size_t i;

	ck_assert_int_gt(poll(fds, 2, 30000), 0);
	for (i = 0; i < 2; i++) {
		if (fds[i].revents != 0)
			ck_assert_int_eq(mquic_endpoint_process(endpoints[i]), MQUIC_OK);
		while ((event = mquic_endpoint_next_event(endpoints[i])) != NULL) {
			on_event(transfer, event);
			mquic_event_free(event);
		}
	}
	push(transfer);
	if (transfer->to != NULL)
		pull(transfer);
}

static void carry(const char *listen, const char *host, size_t total)
{
	struct transfer transfer = {.total = total};
	uint16_t port = listen_on(listen);

	ck_assert_msg(mquic_connection_dial(&transfer.dialed, client, client_settings, host,
					    port) == MQUIC_OK,
		      "%s", mquic_endpoint_error(client));
	ck_assert_int_eq(mquic_stream_open(&transfer.from, transfer.dialed), MQUIC_OK);
	while (!transfer.fin)
		pump(&transfer);
	ck_assert_uint_eq(transfer.received, total);
	ck_assert_int_eq(mquic_connection_close(transfer.dialed, 0, NULL), MQUIC_OK);
	while (!transfer.over)
		pump(&transfer);
	mquic_stream_free(transfer.from);
	mquic_stream_free(transfer.to);
	mquic_connection_free(transfer.dialed);
	mquic_connection_free(transfer.accepted);
}

START_TEST(bytes_travel_over_ipv4)
{
	carry("127.0.0.1", "127.0.0.1", 10000000);
}
END_TEST

static bool has_ipv6(void)
{
	const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
					      .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&loopback, sizeof(loopback)) == 0;

	if (fd >= 0)
		(void)close(fd);
	return bound;
}

START_TEST(bytes_travel_over_ipv6)
{
	if (!has_ipv6())
		return; /* a machine without it */
	carry("::1", "::1", 1000000);
}
END_TEST

START_TEST(wildcard_answers_from_the_address_that_was_called)
{
	/* A second address of the loopback: the kernel would answer from another. */
	ck_assert_int_eq(mquic_settings_set_server_name(client_settings, "broker.example"),
			 MQUIC_OK);
	carry("0.0.0.0", "127.0.0.2", 100000);
}
END_TEST

START_TEST(name_of_the_host_is_resolved)
{
	ck_assert_int_eq(mquic_settings_set_server_name(client_settings, "broker.example"),
			 MQUIC_OK);
	carry("127.0.0.1", "localhost", 1000);
}
END_TEST

/* ---- Refusals ---------------------------------------------------------------------------- */

/* Full-width letters, which IDNA maps to "localhost" (RFC 5895). */
START_TEST(name_in_another_script_is_resolved_by_its_ascii_form)
{
	ck_assert_int_eq(mquic_settings_set_server_name(client_settings, "broker.example"),
			 MQUIC_OK);
	carry("127.0.0.1",
	      "\xef\xbd\x8c\xef\xbd\x8f\xef\xbd\x83\xef\xbd\x81\xef\xbd\x8c"
	      "\xef\xbd\x88\xef\xbd\x8f\xef\xbd\x93\xef\xbd\x94",
	      1000);
}
END_TEST

START_TEST(listen_says_what_is_wrong)
{
	struct mquic_endpoint *other;
	uint16_t port = listen_on("127.0.0.1");

	ck_assert_int_eq(mquic_endpoint_listen(server, server_settings, "localhost", 0, NULL),
			 MQUIC_ERR_INVALID);
	kit_says(mquic_endpoint_error(server), "'localhost'");
	ck_assert_int_eq(mquic_endpoint_listen(server, NULL, "127.0.0.1", 0, NULL),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_endpoint_listen(server, client_settings, "127.0.0.1", 0, NULL),
			 MQUIC_ERR_TLS);
	ck_assert_int_eq(mquic_endpoint_new(&other), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_listen(other, server_settings, "127.0.0.1", port, NULL),
			 MQUIC_ERR_SYSTEM);
	kit_says(mquic_endpoint_error(other), "127.0.0.1");
	ck_assert_int_eq(mquic_endpoint_listen(other, server_settings, "192.0.2.1", 0, NULL),
			 MQUIC_ERR_SYSTEM);
	mquic_endpoint_free(other);
}
END_TEST

START_TEST(dial_says_what_is_wrong)
{
	struct mquic_connection *none = NULL;

	ck_assert_int_eq(mquic_connection_dial(&none, client, client_settings, "", 1),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_connection_dial(&none, client, client_settings, "127.0.0.1", 0),
			 MQUIC_ERR_INVALID);
	kit_says(mquic_endpoint_error(client), "port");
	ck_assert_int_eq(
		mquic_connection_dial(&none, client, client_settings, "255.255.255.255", 1),
		MQUIC_ERR_SYSTEM);
	ck_assert_int_eq(mquic_settings_set_ca_file(client_settings, "/no/such/file"), MQUIC_OK);
	ck_assert_int_eq(mquic_connection_dial(&none, client, client_settings, "127.0.0.1", 1),
			 MQUIC_ERR_TLS);
	kit_says(mquic_endpoint_error(client), "/no/such/file");
	ck_assert_ptr_null(none);
}
END_TEST

static struct mquic_event *next_event(void)
{
	struct mquic_event *event = NULL;

	while (event == NULL) {
		ck_assert_int_eq(mquic_endpoint_wait(client, 30000), MQUIC_OK);
		event = mquic_endpoint_next_event(client);
	}
	return event;
}

START_TEST(unknown_name_is_told_when_the_system_has_answered)
{
	struct mquic_connection *connection;
	struct mquic_event *event;

	ck_assert_int_eq(mquic_connection_dial(&connection, client, client_settings,
					       "no.such.host.invalid", 1),
			 MQUIC_OK);
	event = next_event();
	ck_assert_int_eq(mquic_event_type(event), MQUIC_EVENT_CONNECTION_CLOSED);
	ck_assert_int_eq(mquic_event_status(event), MQUIC_ERR_RESOLVE);
	ck_assert_int_eq(mquic_event_origin(event), MQUIC_ORIGIN_SYSTEM);
	kit_says(mquic_event_text(event), "no.such.host.invalid");
	mquic_event_free(event);
	mquic_connection_free(connection);
}
END_TEST

START_TEST(port_where_nobody_listens_is_noticed_at_once)
{
	struct mquic_connection *connection;
	struct mquic_event *event;
	uint64_t start = now_ms();
	uint16_t port = listen_on("127.0.0.1");

	mquic_endpoint_free(server);
	server = NULL;
	ck_assert_int_eq(
		mquic_connection_dial(&connection, client, client_settings, "127.0.0.1", port),
		MQUIC_OK);
	event = next_event();
	ck_assert_int_eq(mquic_event_type(event), MQUIC_EVENT_CONNECTION_CLOSED);
	ck_assert_int_eq(mquic_event_status(event), MQUIC_ERR_REFUSED);
	ck_assert_uint_lt(now_ms() - start, 5000); /* by itself the handshake takes ten seconds */
	mquic_event_free(event);
	mquic_connection_free(connection);
}
END_TEST

START_TEST(reload_keeps_the_old_certificate_when_the_new_is_unusable)
{
	char *content = kit_read("server.key");

	(void)listen_on("127.0.0.1");
	ck_assert_int_eq(mquic_endpoint_reload(server), MQUIC_OK);
	kit_write("server.key", "nonsense", 0600);
	ck_assert_int_eq(mquic_endpoint_reload(server), MQUIC_ERR_TLS);
	kit_says(mquic_endpoint_error(server), "server.key");
	kit_write("server.key", content, 0600);
	free(content);
	carry("127.0.0.1", "127.0.0.1", 1000);
}
END_TEST

START_TEST(expiring_certificate_is_told_once_for_all_listeners)
{
	struct kit_spec spec = {.name = "server",
				.dns = {"localhost"},
				.issuer = "ca",
				.starts = -100 * KIT_DAY,
				.ends = 3 * KIT_DAY};

	ck_assert_ptr_null(mquic_endpoint_expiring(NULL, 21, 0));
	ck_assert_ptr_null(mquic_endpoint_expiring(server, 21, 0));
	kit_make(&spec);
	(void)listen_on("127.0.0.1");
	(void)listen_on("127.0.0.1");
	ck_assert_ptr_nonnull(mquic_endpoint_expiring(server, 21, 0));
	kit_says(mquic_endpoint_expiring(server, 21, 0), "server.crt expires on");
	ck_assert_ptr_null(mquic_endpoint_expiring(server, 21, 1));
	ck_assert_ptr_null(mquic_endpoint_expiring(server, 2, 0));
	spec.ends = 300 * KIT_DAY;
	kit_make(&spec);
	kit_says(mquic_endpoint_expiring(server, 21, 0), "server.crt expires on");
	ck_assert_int_eq(mquic_endpoint_reload(server), MQUIC_OK);
	ck_assert_ptr_null(mquic_endpoint_expiring(server, 21, 0));
}
END_TEST

/* ---- Waiting ------------------------------------------------------------------------------- */

START_TEST(wait_ends_with_the_timeout_when_nothing_is_due)
{
	uint64_t start = now_ms();

	ck_assert_int_eq(mquic_endpoint_wait(client, 0), MQUIC_ERR_TIMEOUT);
	ck_assert_int_eq(mquic_endpoint_wait(client, 30), MQUIC_ERR_TIMEOUT);
	ck_assert_uint_ge(now_ms() - start, 29);
	ck_assert_ptr_null(mquic_endpoint_next_event(client));
}
END_TEST

static void *wake_soon(void *unused)
{
	(void)unused;
	(void)usleep(20000);
	mquic_endpoint_wakeup(client);
	return NULL;
}

START_TEST(wakeup_from_another_thread_ends_a_wait)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, wake_soon, NULL), 0);
	ck_assert_int_eq(mquic_endpoint_wait(client, 30000), MQUIC_OK);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(mquic_endpoint_wait(client, 0), MQUIC_ERR_TIMEOUT);
}
END_TEST

START_TEST(descriptor_stays_readable_while_events_wait)
{
	struct mquic_connection *connection;
	struct mquic_event *event;
	struct pollfd fd = {.fd = mquic_endpoint_get_fd(client), .events = POLLIN};

	ck_assert_int_eq(
		mquic_connection_dial(&connection, client, client_settings, "127.0.0.1", 9),
		MQUIC_OK);
	ck_assert_int_eq(mquic_connection_close(connection, 0, NULL), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_wait(client, 1000), MQUIC_OK);
	ck_assert_int_eq(poll(&fd, 1, 0), 1);
	ck_assert_int_eq(mquic_endpoint_process(client), MQUIC_OK);
	ck_assert_int_eq(poll(&fd, 1, 0), 1); /* processing takes no events away */
	event = mquic_endpoint_next_event(client);
	ck_assert_int_eq(mquic_event_type(event), MQUIC_EVENT_CONNECTION_CLOSED);
	mquic_event_free(event);
	ck_assert_ptr_null(mquic_endpoint_next_event(client));
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	mquic_connection_free(connection);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("endpoint");
	TCase *group = tcase_create("endpoint");

	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_set_timeout(group, 60);
	tcase_add_test(group, bytes_travel_over_ipv4);
	tcase_add_test(group, bytes_travel_over_ipv6);
	tcase_add_test(group, wildcard_answers_from_the_address_that_was_called);
	tcase_add_test(group, name_of_the_host_is_resolved);
	tcase_add_test(group, name_in_another_script_is_resolved_by_its_ascii_form);
	tcase_add_test(group, listen_says_what_is_wrong);
	tcase_add_test(group, dial_says_what_is_wrong);
	tcase_add_test(group, unknown_name_is_told_when_the_system_has_answered);
	tcase_add_test(group, port_where_nobody_listens_is_noticed_at_once);
	tcase_add_test(group, reload_keeps_the_old_certificate_when_the_new_is_unusable);
	tcase_add_test(group, expiring_certificate_is_told_once_for_all_listeners);
	tcase_add_test(group, wait_ends_with_the_timeout_when_nothing_is_due);
	tcase_add_test(group, wakeup_from_another_thread_ends_a_wait);
	tcase_add_test(group, descriptor_stays_readable_while_events_wait);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
