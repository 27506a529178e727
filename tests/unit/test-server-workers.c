/* SPDX-License-Identifier: MIT */
/* Two processes that serve one address, and one of them dies. */
#include "tls-kit.h"

#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mquic.h"
#include "server/steering.h"

#define WORKERS 2
#define CLIENTS 40

static int sockets[WORKERS];
static pid_t workers[WORKERS];
static uint16_t port;

/* ---- A worker ------------------------------------------------------------------------------ */

/* It has nobody to complain to but its parent, which notices that it is gone. */
static void must(bool so)
{
	if (!so)
		_exit(1);
}

static struct mquic_settings *settings_of(unsigned int worker, enum mquic_retry retry)
{
	static const uint8_t secret[32] = "both have it";
	struct mquic_settings *settings;

	must(mquic_settings_new(&settings) == MQUIC_OK &&
	     mquic_settings_set_certificate(settings, kit_path("server.crt"),
					    kit_path("server.key")) == MQUIC_OK &&
	     mquic_settings_set_server_secret(settings, secret, sizeof(secret)) == MQUIC_OK &&
	     mquic_settings_set_retry(settings, retry) == MQUIC_OK &&
	     mquic_settings_set_workers(settings, WORKERS) == MQUIC_OK &&
	     mquic_settings_set_worker(settings, worker) == MQUIC_OK);
	return settings;
}

/* Each octet that comes is answered with the worker's number. */
static void answer(struct mquic_stream *stream, unsigned int worker)
{
	uint8_t number = (uint8_t)worker;
	uint8_t octet;
	size_t len;

	while (mquic_stream_recv(stream, &octet, 1, &len) == MQUIC_OK && len > 0)
		must(mquic_stream_send(stream, &number, 1, &len) == MQUIC_OK);
}

static void serve(struct mquic_endpoint *endpoint, unsigned int worker)
{
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	struct mquic_event *event;

	while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
		if (mquic_event_type(event) == MQUIC_EVENT_STREAM_ACCEPTABLE)
			must(mquic_connection_accept_stream(mquic_event_connection(event),
							    &stream) == MQUIC_OK);
		if (mquic_event_type(event) == MQUIC_EVENT_STREAM_ACCEPTABLE)
			answer(stream, worker);
		if (mquic_event_type(event) == MQUIC_EVENT_STREAM_READABLE)
			answer(mquic_event_stream(event), worker);
		mquic_event_free(event);
		while (mquic_endpoint_accept(endpoint, &connection) == MQUIC_OK)
			;
	}
}

/* Until it is killed. */
static void be_worker(unsigned int worker, enum mquic_retry retry)
{
	struct mquic_endpoint *endpoint = NULL;

	must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && mquic_endpoint_new(&endpoint) == MQUIC_OK &&
	     mquic_endpoint_listen_fd(endpoint, settings_of(worker, retry), sockets[worker],
				      NULL) == MQUIC_OK);
	while (mquic_endpoint_wait(endpoint, -1) != MQUIC_ERR_SYSTEM)
		serve(endpoint, worker);
	_exit(1);
}

static void start(unsigned int worker, enum mquic_retry retry)
{
	workers[worker] = fork();
	ck_assert_int_ge(workers[worker], 0);
	if (workers[worker] == 0)
		be_worker(worker, retry);
}

static void kill_worker(unsigned int worker)
{
	int status;

	if (workers[worker] == 0)
		return;
	ck_assert_int_eq(kill(workers[worker], SIGKILL), 0);
	ck_assert_int_eq(waitpid(workers[worker], &status, 0), workers[worker]);
	ck_assert_msg(WIFSIGNALED(status), "worker %u had ended by itself", worker);
	workers[worker] = 0;
}

/* ---- Their clients ------------------------------------------------------------------------- */

struct client {
	struct mquic_connection *connection;
	struct mquic_stream *stream;
	unsigned int worker;
	unsigned int answers;
	bool over;
	enum mquic_origin origin;
};

static struct mquic_endpoint *endpoint;
static struct mquic_settings *trust;

static void set_up(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(any);

	memset(workers, 0, sizeof(workers));
	sockets[0] = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(sockets[0], (struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(getsockname(sockets[0], (struct sockaddr *)&any, &len), 0);
	ck_assert(steering_split(sockets, WORKERS));
	port = ntohs(any.sin_port);
	ck_assert_int_eq(mquic_endpoint_new(&endpoint), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_new(&trust), MQUIC_OK);
	ck_assert_int_eq(mquic_settings_set_ca_file(trust, kit_path("ca.crt")), MQUIC_OK);
}

static void tear_down(void)
{
	unsigned int i;

	mquic_endpoint_free(endpoint);
	mquic_settings_free(trust);
	for (i = 0; i < WORKERS; i++) {
		kill_worker(i);
		(void)close(sockets[i]);
	}
}

static void dial(struct client *clients)
{
	unsigned int i;

	memset(clients, 0, CLIENTS * sizeof(*clients));
	for (i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(mquic_connection_dial(&clients[i].connection, endpoint, trust,
						       "127.0.0.1", port),
				 MQUIC_OK);
		ck_assert_int_eq(mquic_stream_open(&clients[i].stream, clients[i].connection),
				 MQUIC_OK);
		mquic_connection_set_userdata(clients[i].connection, &clients[i]);
	}
}

static void hang_up(struct client *clients)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		mquic_stream_free(clients[i].stream);
		mquic_connection_free(clients[i].connection);
	}
}

static void turn(void)
{
	struct mquic_event *event;

	(void)mquic_endpoint_wait(endpoint, 1000);
	while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
		if (mquic_event_type(event) == MQUIC_EVENT_CONNECTION_CLOSED) {
			struct client *client =
				mquic_connection_get_userdata(mquic_event_connection(event));

			client->over = true;
			client->origin = mquic_event_origin(event);
		}
		mquic_event_free(event);
	}
}

static void ask(struct client *client)
{
	size_t sent;

	ck_assert_int_eq(mquic_stream_send(client->stream, (const uint8_t *)"?", 1, &sent),
			 MQUIC_OK);
}

static bool has_answer(struct client *client, unsigned int count)
{
	uint8_t number;
	size_t len;

	ck_assert_msg(!client->over, "a client of worker %u has ended", client->worker);
	while (mquic_stream_recv(client->stream, &number, 1, &len) == MQUIC_OK && len > 0) {
		/* It is the first that tells which one it is. */
		ck_assert(client->answers == 0 || client->worker == number);
		client->worker = number;
		client->answers++;
	}
	return client->answers >= count;
}

static void all_are_served(struct client *clients)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		ask(&clients[i]);
	for (i = 0; i < CLIENTS; i++)
		while (!has_answer(&clients[i], 1))
			turn();
}

static unsigned int count_of(const struct client *clients, unsigned int worker)
{
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		count += clients[i].worker == worker;
	return count;
}

/* Clients of the other worker ask, and are answered; those of this one only ask. */
static void others_are_served(struct client *clients, unsigned int dead)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		ask(&clients[i]);
	for (i = 0; i < CLIENTS; i++)
		while (clients[i].worker != dead && !has_answer(&clients[i], 2))
			turn();
}

static void are_told(struct client *clients, unsigned int dead)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		while (clients[i].worker == dead && !clients[i].over)
			turn();
		ck_assert(clients[i].over == (clients[i].worker == dead));
		if (clients[i].over)
			ck_assert_int_eq(clients[i].origin, MQUIC_ORIGIN_TRANSPORT);
	}
}

/*
 * The clients of a worker that is killed learn it from its successor, by a reset, and all others
 * notice nothing. Without Retry and with it.
 */
START_TEST(death_of_a_worker_is_felt_by_its_clients_alone)
{
	static struct client before[CLIENTS];
	static struct client after[CLIENTS];
	enum mquic_retry retry = _i == 0 ? MQUIC_RETRY_NEVER : MQUIC_RETRY_ALWAYS;

	start(0, retry);
	start(1, retry);
	dial(before);
	all_are_served(before);
	/* By chance one has none of 40 once in 10^12. */
	ck_assert_uint_gt(count_of(before, 0), 0);
	ck_assert_uint_gt(count_of(before, 1), 0);
	kill_worker(1);
	others_are_served(before, 1);
	start(1, retry);
	are_told(before, 1);
	dial(after);
	all_are_served(after);
	ck_assert_uint_gt(count_of(after, 1), 0);
	hang_up(before);
	hang_up(after);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("server-workers");
	TCase *group = tcase_create("workers");

	tcase_set_timeout(group, 0);
	tcase_add_unchecked_fixture(group, kit_open, kit_close);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_add_loop_test(group, death_of_a_worker_is_felt_by_its_clients_alone, 0, 2);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
