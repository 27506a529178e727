/* SPDX-License-Identifier: MIT */
/* Listening on UDP sockets that somebody else has made and bound. */
#include "tls-kit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mquic.h"
#include "unit.h"

static struct mquic_endpoint *server;
static struct mquic_settings *settings;

static void set_up(void)
{
	kit_open();
	ck_assert_int_eq(mquic_endpoint_new(&server), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_certificate(settings, kit_path("server.crt"),
							kit_path("server.key")),
			 MQUIC_OK);
}

static void tear_down(void)
{
	mquic_endpoint_free(server);
	mquic_settings_free(settings);
	kit_close();
}

/* ---- Sockets ---------------------------------------------------------------------------- */

static int make(int family, int type)
{
	int fd = socket(family, type, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Bound to the loopback, or to all; the port is chosen. -1: this machine has no IPv6. */
static int bound(int family, bool all)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, SOCK_DGRAM, 0);

	v4.sin_addr.s_addr = htonl(all ? INADDR_ANY : INADDR_LOOPBACK);
	if (all)
		v6.sin6_addr = in6addr_any;
	if (family == AF_INET)
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	else if (fd >= 0 && bind(fd, (struct sockaddr *)&v6, sizeof(v6)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 local = {0};
	socklen_t len = sizeof(local);

	/* The port is at the same place in both kinds of addresses. */
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&local, &len), 0);
	return ntohs(local.sin6_port);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* ---- Serving ------------------------------------------------------------------------------ */

/* A client of `host` is accepted on the port. */
static void serves(const char *host, uint16_t port)
{
	struct mquic_endpoint *client;
	struct mquic_settings *trust;
	struct mquic_connection *dialed;
	struct mquic_connection *accepted = NULL;

	ck_assert_int_eq(mquic_endpoint_new(&client), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&trust), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_ca_file(trust, kit_path("ca.crt")), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_server_name(trust, "broker.example"), MQUIC_OK);
	ck_assert_int_eq(mquic_connection_dial(&dialed, client, trust, host, port), MQUIC_OK);
	while (mquic_endpoint_accept(server, &accepted) != MQUIC_OK) {
		struct mquic_event *event;

		(void)mquic_endpoint_wait(client, 1);
		(void)mquic_endpoint_wait(server, 1);
		while ((event = mquic_endpoint_next_event(client)) != NULL) {
			ck_assert_msg(mquic_event_type(event) != MQUIC_EVENT_CONNECTION_CLOSED,
				      "%s", mquic_event_text(event));
			mquic_event_free(event);
		}
		mquic_event_free(mquic_endpoint_next_event(server));
	}
	mquic_connection_free(accepted);
	mquic_connection_free(dialed);
	mquic_endpoint_free(client);
	mquic_settings_free(trust);
}

static void listens(int fd, const char *host)
{
	uint16_t port = port_of(fd);
	uint16_t told = 0;

	ck_assert_msg(mquic_endpoint_listen_fd(server, settings, fd, &told) == MQUIC_OK, "%s",
		      mquic_endpoint_error(server));
	ck_assert_uint_eq(told, port);
	serves(host, port);
}

START_TEST(socket_serves_as_if_it_were_ours)
{
	int fd = bound(AF_INET, false);

	listens(fd, "127.0.0.1");
	ck_assert_msg(!is_open(fd), "it was not taken over");
}
END_TEST

START_TEST(socket_of_ipv6_serves_too)
{
	int fd = bound(AF_INET6, false);

	if (fd >= 0) /* else this machine has none */
		listens(fd, "::1");
}
END_TEST

START_TEST(wildcard_answers_from_the_address_that_was_called)
{
	listens(bound(AF_INET, true), "127.0.0.2");
}
END_TEST

START_TEST(options_are_those_of_a_socket_of_ours)
{
	int fd = bound(AF_INET, true);
	int other = dup(fd);

	ck_assert_int_eq(mquic_endpoint_listen_fd(server, settings, fd, NULL), MQUIC_OK);
	ck_assert_int_eq(option(other, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
	ck_assert_int_eq(option(other, IPPROTO_IP, IP_RECVTOS), 1);
	ck_assert_int_eq(option(other, IPPROTO_IP, IP_PKTINFO), 1);
	(void)close(other);
}
END_TEST

/* What a parent holds is not closed by a child of it that listens. */
START_TEST(others_may_hold_the_socket)
{
	int fd = bound(AF_INET, false);
	int held = dup(fd);
	uint16_t port = port_of(fd);

	listens(fd, "127.0.0.1");
	mquic_endpoint_free(server);
	ck_assert_int_eq(mquic_endpoint_new(&server), MQUIC_OK);
	ck_assert_uint_eq(port_of(held), port);
	listens(held, "127.0.0.1");
}
END_TEST

/* ---- Refusals ---------------------------------------------------------------------------- */

static void refuses(int fd, enum mquic_status status, const char *part)
{
	ck_assert_int_eq(mquic_endpoint_listen_fd(server, settings, fd, NULL), status);
	kit_says(mquic_endpoint_error(server), part);
	if (fd >= 0)
		ck_assert_int_eq(close(fd), 0); /* it is still ours */
}

START_TEST(what_is_no_socket_of_a_server_is_refused)
{
	int pipes[2];
	int connected = bound(AF_INET, false);
	const struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};

	ck_assert_int_eq(pipe(pipes), 0);
	(void)close(pipes[1]);
	ck_assert_int_eq(connect(connected, (const struct sockaddr *)&peer, sizeof(peer)), 0);
	refuses(-1, MQUIC_ERR_INVALID, "descriptor -1 is no UDP socket");
	refuses(pipes[0], MQUIC_ERR_INVALID, "is no UDP socket");
	refuses(make(AF_UNIX, SOCK_DGRAM), MQUIC_ERR_INVALID, "is no UDP socket");
	refuses(make(AF_INET, SOCK_STREAM), MQUIC_ERR_INVALID, "is no UDP socket");
	refuses(make(AF_INET, SOCK_DGRAM), MQUIC_ERR_INVALID, "is not bound");
	refuses(connected, MQUIC_ERR_INVALID, "is connected");
}
END_TEST

/* As systemd makes it unless told otherwise. */
START_TEST(socket_for_both_families_is_refused)
{
	const int no = 0;
	const int yes = 1;
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0)
		return; /* this machine has no IPv6 */
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	refuses(fd, MQUIC_ERR_INVALID, "IPV6_V6ONLY");
	fd = make(AF_INET6, SOCK_DGRAM);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(mquic_endpoint_listen_fd(server, settings, fd, NULL), MQUIC_OK);
}
END_TEST

START_TEST(settings_are_asked_for_a_certificate)
{
	struct mquic_settings *none;
	int fd = bound(AF_INET, false);

	ck_assert_int_eq(mquic_endpoint_listen_fd(NULL, settings, fd, NULL), MQUIC_ERR_INVALID);
	ck_assert_int_eq(mquic_endpoint_listen_fd(server, NULL, fd, NULL), MQUIC_ERR_INVALID);
	kit_says(mquic_endpoint_error(server), "certificate");
	ck_assert_int_eq(mquic_settings_new(&none), MQUIC_OK);
	ck_assert_int_eq(mquic_endpoint_listen_fd(server, none, fd, NULL), MQUIC_ERR_TLS);
	mquic_settings_free(none);
	listens(fd, "127.0.0.1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handed");
	TCase *group = tcase_create("handed");

	tcase_set_timeout(group, 0);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_test(group, socket_serves_as_if_it_were_ours);
	tcase_add_test(group, socket_of_ipv6_serves_too);
	tcase_add_test(group, wildcard_answers_from_the_address_that_was_called);
	tcase_add_test(group, options_are_those_of_a_socket_of_ours);
	tcase_add_test(group, others_may_hold_the_socket);
	tcase_add_test(group, what_is_no_socket_of_a_server_is_refused);
	tcase_add_test(group, socket_for_both_families_is_refused);
	tcase_add_test(group, settings_are_asked_for_a_certificate);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
