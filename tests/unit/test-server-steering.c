/* SPDX-License-Identifier: MIT */
/* One address, several sockets: the kernel reads the worker's number in each datagram. */
#include "tls-kit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mquic.h"
#include "server/steering.h"
#include "unit.h"

#define PATIENCE_MS 30000

/* ---- Sockets --------------------------------------------------------------------------- */

union place {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t place_len(const union place *place)
{
	return place->any.sa_family == AF_INET6 ? sizeof(place->in6) : sizeof(place->in);
}

static union place loopback(int family)
{
	union place place = {.in6 = {.sin6_family = (sa_family_t)family}};

	if (family == AF_INET6)
		place.in6.sin6_addr = in6addr_loopback;
	else
		place.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return place;
}

/* On a port that the system chooses, and stores; -1: there is no such family here. */
static int open_at(union place *place)
{
	int fd = socket(place->any.sa_family, SOCK_DGRAM, 0);
	socklen_t len = sizeof(*place);

	if (fd < 0)
		return -1;
	if (bind(fd, &place->any, place_len(place)) != 0) {
		(void)close(fd);
		return -1;
	}
	ck_assert_int_eq(getsockname(fd, &place->any, &len), 0);
	return fd;
}

static void close_all(const int *fds, unsigned int count)
{
	while (count > 0)
		(void)close(fds[--count]);
}

/* Sends from a port of its own. */
static void send_to(const union place *place, const uint8_t *data, size_t len)
{
	union place from = loopback(place->any.sa_family);
	int fd = open_at(&from);

	ck_assert_int_eq(sendto(fd, data, len, 0, &place->any, place_len(place)), (ssize_t)len);
	(void)close(fd);
}

/* Whose socket the only datagram is in; it is read. */
static unsigned int whose(const int *fds, unsigned int count)
{
	struct pollfd polled[STEERING_MAX];
	uint8_t data[64];
	unsigned int i;

	for (i = 0; i < count; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	ck_assert_int_eq(poll(polled, count, PATIENCE_MS), 1);
	for (i = 0; polled[i].revents == 0; i++)
		;
	ck_assert_int_gt(recv(fds[i], data, sizeof(data), MSG_DONTWAIT), 0);
	return i;
}

/* ---- Whose a datagram is ----------------------------------------------------------------- */

static const int families[] = {AF_INET, AF_INET6};

static void expect_each_at_its_worker(int family, unsigned int count)
{
	union place place = loopback(family);
	uint8_t datagram[] = "?vers8........scid";
	int fds[STEERING_MAX];
	unsigned int octet;

	fds[0] = open_at(&place);
	if (fds[0] < 0)
		return; /* this machine has no IPv6 */
	ck_assert_msg(steering_split(fds, count), "%s", strerror(errno));
	for (octet = 0; octet < 256; octet++) {
		datagram[0] = 0x40;
		datagram[2] = (uint8_t)octet;
		datagram[7] = (uint8_t)(octet + 1);
		send_to(&place, datagram, sizeof(datagram));
		ck_assert_uint_eq(whose(fds, count), octet % count);
		datagram[0] = 0xc0;
		send_to(&place, datagram, sizeof(datagram));
		ck_assert_uint_eq(whose(fds, count), (octet + 1) % 256 % count);
	}
	close_all(fds, count);
}

/* From whichever port it comes, as after a router has forgotten a client. */
START_TEST(datagram_is_at_the_worker_that_it_names)
{
	expect_each_at_its_worker(families[_i], 2);
	expect_each_at_its_worker(families[_i], 3);
}
END_TEST

START_TEST(all_workers_that_an_octet_can_name_have_a_socket)
{
	expect_each_at_its_worker(AF_INET, STEERING_MAX);
}
END_TEST

START_TEST(datagram_without_an_identifier_goes_to_the_first)
{
	union place place = loopback(AF_INET);
	int fds[2];
	size_t len;

	fds[0] = open_at(&place);
	ck_assert(steering_split(fds, 2));
	for (len = 1; len <= 7; len++) {
		send_to(&place, (const uint8_t *)(len == 1 ? "\x40" : "\xc0\1\1\1\1\1\1"), len);
		ck_assert_uint_eq(whose(fds, 2), 0);
	}
	close_all(fds, 2);
}
END_TEST

/* Whoever made the sockets holds them: a worker has copies, and its end changes nothing. */
START_TEST(datagrams_wait_for_the_successor_of_a_worker)
{
	union place place = loopback(AF_INET);
	const uint8_t second[] = {0x40, 0, 1, 0, 0, 0, 0, 0, 0};
	const uint8_t third[] = {0x40, 0, 2, 0, 0, 0, 0, 0, 0};
	int fds[3];
	int worker;
	int successors[1];

	fds[0] = open_at(&place);
	ck_assert(steering_split(fds, 3));
	worker = dup(fds[1]);
	send_to(&place, second, sizeof(second));
	(void)close(worker);
	send_to(&place, third, sizeof(third));
	ck_assert_uint_eq(whose(fds + 2, 1), 0);
	successors[0] = dup(fds[1]);
	ck_assert_uint_eq(whose(successors, 1), 0);
	(void)close(successors[0]);
	close_all(fds, 3);
}
END_TEST

/* ---- What can go wrong -------------------------------------------------------------------- */

START_TEST(one_worker_has_the_socket_as_it_was)
{
	union place place = loopback(AF_INET);
	int fds[2] = {open_at(&place), -2};

	ck_assert(steering_split(fds, 1));
	ck_assert_int_eq(fds[1], -2);
	close_all(fds, 1);
}
END_TEST

START_TEST(address_is_refused_to_another_server)
{
	union place place = loopback(AF_INET);
	union place same;
	int fds[2];

	fds[0] = open_at(&place);
	ck_assert(steering_split(fds, 2));
	same = place;
	ck_assert_int_eq(open_at(&same), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close_all(fds, 2);
}
END_TEST

START_TEST(failure_leaves_the_first_socket_and_no_other)
{
	union place place = loopback(AF_INET);
	const uint8_t datagram[] = {0x40, 0, 1};
	struct rlimit limit;
	struct rlimit low;
	int fds[8];
	int next;

	fds[0] = open_at(&place);
	next = dup(fds[0]);
	(void)close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){(rlim_t)next + 3, limit.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	ck_assert(!steering_split(fds, 8));
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	send_to(&place, datagram, sizeof(datagram));
	ck_assert_uint_eq(whose(fds, 1), 0);
	ck_assert_int_eq(dup(fds[0]), next); /* all others are closed */
	fds[1] = next;
	close_all(fds, 2);
}
END_TEST

START_TEST(what_is_no_socket_is_refused)
{
	int fds[2] = {-1, -1};

	ck_assert(!steering_split(fds, 2));
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* ---- Servers --------------------------------------------------------------------------- */

#define WORKERS     2
#define CONNECTIONS 200

struct client {
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	size_t echoed;
};

static struct {
	struct mquic_endpoint *workers[WORKERS];
	unsigned int accepted[WORKERS];
	struct mquic_endpoint *dialing;
	struct client clients[CONNECTIONS];
	struct mquic_connection *connections[CONNECTIONS]; /* the servers' ends, in no order */
	struct mquic_stream *echoes[CONNECTIONS];
	unsigned int streams;
} all;

static struct mquic_settings *of_servers(void)
{
	struct mquic_settings *settings;

	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_certificate(settings, kit_path("server.crt"),
							kit_path("server.key")),
			 MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_workers(settings, WORKERS), MQUIC_OK);
	return settings;
}

static struct mquic_settings *of_clients(void)
{
	struct mquic_settings *settings;

	ck_assert_int_eq(mquic_settings_new(&settings), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_ca_file(settings, kit_path("ca.crt")), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_server_name(settings, "broker.example"), MQUIC_OK);
	return settings;
}

static void start_workers(const int *fds)
{
	struct mquic_settings *settings = of_servers();
	uint32_t i;

	for (i = 0; i < WORKERS; i++) {
		ck_assert_int_eq(mquic_settings_set_worker(settings, i), MQUIC_OK);
		ck_assert_int_eq(mquic_endpoint_new(&all.workers[i]), MQUIC_OK);
		ck_assert_int_eq(mquic_endpoint_listen_fd(all.workers[i], settings, fds[i], NULL),
				 MQUIC_OK);
	}
	mquic_settings_free(settings);
}

static void echo(struct mquic_stream *stream)
{
	uint8_t data[64];
	size_t len;
	size_t sent;

	while (mquic_stream_recv(stream, data, sizeof(data), &len) == MQUIC_OK && len > 0)
		ck_assert_int_eq(mquic_stream_send(stream, data, len, &sent), MQUIC_OK);
}

static unsigned int total_accepted(void)
{
	return all.accepted[0] + all.accepted[1];
}

static void serve(unsigned int worker)
{
	struct mquic_event *event;

	(void)mquic_endpoint_wait(all.workers[worker], 0);
	while ((event = mquic_endpoint_next_event(all.workers[worker])) != NULL) {
		ck_assert_int_ne(mquic_event_type(event), MQUIC_EVENT_CONNECTION_CLOSED);
		if (mquic_event_type(event) == MQUIC_EVENT_STREAM_ACCEPTABLE)
			ck_assert_int_eq(
				mquic_connection_accept_stream(mquic_event_connection(event),
							       &all.echoes[all.streams++]),
				MQUIC_OK);
		mquic_event_free(event);
	}
	while (mquic_endpoint_accept(all.workers[worker], &all.connections[total_accepted()]) ==
	       MQUIC_OK)
		all.accepted[worker]++;
}

/* Whether each client has got so many bytes back. */
static bool all_have(size_t bytes)
{
	uint8_t data[64];
	bool done = true;
	size_t len;
	unsigned int i;

	for (i = 0; i < CONNECTIONS; i++) {
		struct client *client = &all.clients[i];

		while (mquic_stream_recv(client->stream, data, sizeof(data), &len) == MQUIC_OK)
			client->echoed += len;
		done = done && client->echoed == bytes;
	}
	return done;
}

static void turn(void)
{
	struct mquic_event *event;
	unsigned int i;

	(void)mquic_endpoint_wait(all.dialing, 1);
	while ((event = mquic_endpoint_next_event(all.dialing)) != NULL) {
		ck_assert_msg(mquic_event_type(event) != MQUIC_EVENT_CONNECTION_CLOSED, "%s",
			      mquic_event_text(event));
		mquic_event_free(event);
	}
	for (i = 0; i < WORKERS; i++)
		serve(i);
	for (i = 0; i < all.streams; i++)
		echo(all.echoes[i]);
}

/* Every client sends five bytes, and gets them back. */
static void talk(size_t so_far)
{
	unsigned int i;
	size_t sent;

	for (i = 0; i < CONNECTIONS; i++)
		ck_assert_int_eq(mquic_stream_send(all.clients[i].stream, (const uint8_t *)"hello",
						   5, &sent),
				 MQUIC_OK);
	while (!all_have(so_far + 5))
		turn();
}

static void dial_all(const char *host, uint16_t port)
{
	struct mquic_settings *settings = of_clients();
	unsigned int i;

	ck_assert_int_eq(mquic_endpoint_new(&all.dialing), MQUIC_OK);
	for (i = 0; i < CONNECTIONS; i++) {
		struct client *client = &all.clients[i];

		ck_assert_int_eq(mquic_connection_dial(&client->connection, all.dialing, settings,
						       host, port),
				 MQUIC_OK);
		ck_assert_int_eq(mquic_stream_open(&client->stream, client->connection), MQUIC_OK);
	}
	mquic_settings_free(settings);
}

static void free_all(void)
{
	unsigned int i;

	for (i = 0; i < CONNECTIONS; i++) {
		mquic_stream_free(all.clients[i].stream);
		mquic_connection_free(all.clients[i].connection);
		mquic_stream_free(all.echoes[i]);
		mquic_connection_free(all.connections[i]);
	}
	mquic_endpoint_free(all.dialing);
	for (i = 0; i < WORKERS; i++)
		mquic_endpoint_free(all.workers[i]);
}

/* What has come to another worker would be lost, and the client stay where it was. */
static void change_ports(void)
{
	static char before[CONNECTIONS][64];
	unsigned int i;

	for (i = 0; i < CONNECTIONS; i++) {
		(void)snprintf(before[i], sizeof(before[i]), "%s",
			       mquic_connection_peer_address(all.connections[i]));
		ck_assert_int_eq(mquic_connection_migrate(all.clients[i].connection), MQUIC_OK);
	}
	for (i = 0; i < CONNECTIONS; i++)
		while (strcmp(before[i], mquic_connection_peer_address(all.connections[i])) == 0)
			turn();
}

START_TEST(connections_stay_at_their_worker_when_ports_change)
{
	union place place = loopback(families[_i]);
	int fds[WORKERS];

	memset(&all, 0, sizeof(all));
	fds[0] = open_at(&place);
	if (fds[0] < 0)
		return; /* this machine has no IPv6 */
	ck_assert(steering_split(fds, WORKERS));
	start_workers(fds);
	dial_all(families[_i] == AF_INET ? "127.0.0.1" : "::1", ntohs(place.in.sin_port));
	talk(0);
	ck_assert_uint_eq(total_accepted(), CONNECTIONS);
	/* Of 200 as good as never fewer than 50 are at one, by chance: once in 10^12. */
	ck_assert_uint_ge(all.accepted[0], 50);
	ck_assert_uint_ge(all.accepted[1], 50);
	change_ports();
	talk(5);
	ck_assert_uint_eq(total_accepted(), CONNECTIONS);
	free_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("server-steering");
	TCase *group = tcase_create("steering");
	TCase *servers = tcase_create("servers");

	tcase_set_timeout(group, 0);
	tcase_add_loop_test(group, datagram_is_at_the_worker_that_it_names, 0, 2);
	tcase_add_test(group, all_workers_that_an_octet_can_name_have_a_socket);
	tcase_add_test(group, datagram_without_an_identifier_goes_to_the_first);
	tcase_add_test(group, datagrams_wait_for_the_successor_of_a_worker);
	tcase_add_test(group, one_worker_has_the_socket_as_it_was);
	tcase_add_test(group, address_is_refused_to_another_server);
	tcase_add_test(group, failure_leaves_the_first_socket_and_no_other);
	tcase_add_test(group, what_is_no_socket_is_refused);
	tcase_set_timeout(servers, 0);
	tcase_add_unchecked_fixture(servers, kit_open, kit_close);
	tcase_add_loop_test(servers, connections_stay_at_their_worker_when_ports_change, 0, 2);
	suite_add_tcase(suite, group);
	suite_add_tcase(suite, servers);
	return kit_main(suite);
}
