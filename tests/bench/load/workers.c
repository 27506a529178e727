/* SPDX-License-Identifier: MIT */
/*
 * workers WORKERS CONNECTS CLIENTS CERTFILE KEYFILE CAFILE: handshakes per second of so many
 * processes on one port, with so many processes that connect and part, eight at a time each. QUIC
 * alone: no MQTT, no broker. Prints one line of JSON; processor time is that of all processes of a
 * side.
 */
#include <mquic.h>

#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/steering.h"

#define AT_ONCE     8
#define CLIENTS_MAX 64

struct bench {
	unsigned int workers;
	unsigned int connects;
	unsigned int clients;
	const char *certificate;
	const char *key;
	const char *ca;
	uint16_t port;
	int sockets[STEERING_MAX];
	pid_t processes[STEERING_MAX];
};

static void must(bool so, const char *what, const char *why)
{
	if (so)
		return;
	fprintf(stderr, "bench-workers: %s: %s\n", what, why);
	exit(2);
}

/* ---- A worker ------------------------------------------------------------------------------ */

static void serve_event(struct mquic_endpoint *endpoint, const struct mquic_event *event)
{
	struct mquic_connection *connection;

	if (mquic_event_type(event) == MQUIC_EVENT_CONNECTION_CLOSED)
		mquic_connection_free(mquic_event_connection(event));
	while (mquic_endpoint_accept(endpoint, &connection) == MQUIC_OK)
		;
}

static void serve(const struct bench *bench, unsigned int worker)
{
	struct mquic_endpoint *endpoint = NULL;
	struct mquic_settings *settings = NULL;
	struct mquic_event *event;
	bool good = mquic_endpoint_new(&endpoint) == MQUIC_OK &&
		    mquic_settings_new(&settings) == MQUIC_OK &&
		    mquic_settings_set_certificate(settings, bench->certificate, bench->key) ==
			    MQUIC_OK &&
		    mquic_settings_set_workers(settings, bench->workers) == MQUIC_OK &&
		    mquic_settings_set_worker(settings, worker) == MQUIC_OK;

	must(good, "a worker", "out of memory or of descriptors");
	must(mquic_endpoint_listen_fd(endpoint, settings, bench->sockets[worker], NULL) == MQUIC_OK,
	     "listening", mquic_endpoint_error(endpoint));
	while (mquic_endpoint_wait(endpoint, -1) != MQUIC_ERR_SYSTEM)
		while ((event = mquic_endpoint_next_event(endpoint)) != NULL) {
			serve_event(endpoint, event);
			mquic_event_free(event);
		}
}

/* ---- Its clients --------------------------------------------------------------------------- */

struct crowd {
	const struct bench *bench;
	struct mquic_endpoint *endpoint;
	struct mquic_settings *settings;
	unsigned int left;
	unsigned int busy;
};

static void dial(struct crowd *crowd)
{
	struct mquic_connection *connection;

	if (crowd->left == 0)
		return;
	crowd->left--;
	crowd->busy++;
	must(mquic_connection_dial(&connection, crowd->endpoint, crowd->settings, "127.0.0.1",
				   crowd->bench->port) == MQUIC_OK,
	     "dialing", mquic_endpoint_error(crowd->endpoint));
}

static void on_event(struct crowd *crowd, const struct mquic_event *event)
{
	struct mquic_connection *connection = mquic_event_connection(event);

	if (mquic_event_type(event) == MQUIC_EVENT_CONNECTION_READY)
		(void)mquic_connection_close(connection, 0, NULL);
	if (mquic_event_type(event) != MQUIC_EVENT_CONNECTION_CLOSED)
		return;
	must(mquic_event_status(event) == MQUIC_OK, "a client", mquic_event_text(event));
	mquic_connection_free(connection);
	crowd->busy--;
	dial(crowd);
}

static void connect_and_part(const struct bench *bench, unsigned int number)
{
	struct crowd crowd = {.bench = bench, .left = bench->connects / bench->clients};
	struct mquic_event *event;
	unsigned int i;

	crowd.left += number < bench->connects % bench->clients;
	must(mquic_endpoint_new(&crowd.endpoint) == MQUIC_OK &&
		     mquic_settings_new(&crowd.settings) == MQUIC_OK &&
		     mquic_settings_set_ca_file(crowd.settings, bench->ca) == MQUIC_OK,
	     "a client", "out of memory or of descriptors");
	for (i = 0; i < AT_ONCE; i++)
		dial(&crowd);
	while (crowd.busy > 0) {
		(void)mquic_endpoint_wait(crowd.endpoint, -1);
		while ((event = mquic_endpoint_next_event(crowd.endpoint)) != NULL) {
			on_event(&crowd, event);
			mquic_event_free(event);
		}
	}
}

/* ---- All of them --------------------------------------------------------------------------- */

static void bind_all(struct bench *bench)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	bench->sockets[0] = fd;
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&any, &len) != 0 ||
	    !steering_split(bench->sockets, bench->workers)) {
		perror("bench-workers: the sockets");
		exit(2);
	}
	bench->port = ntohs(any.sin_port);
}

static pid_t start(const struct bench *bench, void (*run)(const struct bench *, unsigned int),
		   unsigned int number)
{
	pid_t process = fork();

	must(process >= 0, "fork", "no process can be made");
	if (process > 0)
		return process;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	run(bench, number);
	_exit(0);
}

/* Adds its processor time in µs; false: it had failed. */
static bool end(pid_t process, uint64_t *us)
{
	struct rusage usage;
	int status;

	if (wait4(process, &status, 0, &usage) != process)
		return false;
	*us += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	return WIFSIGNALED(status) ? WTERMSIG(status) == SIGTERM : WEXITSTATUS(status) == 0;
}

static double now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static bool measure(struct bench *bench)
{
	uint64_t server_us = 0;
	uint64_t client_us = 0;
	bool good = true;
	double began = now();
	double seconds;
	pid_t clients[CLIENTS_MAX];
	unsigned int i;

	for (i = 0; i < bench->clients; i++)
		clients[i] = start(bench, connect_and_part, i);
	for (i = 0; i < bench->clients; i++)
		good = end(clients[i], &client_us) && good;
	seconds = now() - began;
	for (i = 0; i < bench->workers; i++)
		(void)kill(bench->processes[i], SIGTERM);
	for (i = 0; i < bench->workers; i++)
		good = end(bench->processes[i], &server_us) && good;
	printf("{\"workers\": %u, \"clients\": %u, \"connects\": %u, \"seconds\": %.3f, "
	       "\"per_second\": %.1f, \"server_us\": %.1f, \"client_us\": %.1f}\n",
	       bench->workers, bench->clients, bench->connects, seconds, bench->connects / seconds,
	       (double)server_us / bench->connects, (double)client_us / bench->connects);
	return good;
}

static unsigned int number(const char *text, unsigned int most)
{
	unsigned long value = strtoul(text, NULL, 10);

	must(value >= 1 && value <= most, text, "is not a number in range");
	return (unsigned int)value;
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	unsigned int i;

	must(argc == 7, "usage", "WORKERS CONNECTS CLIENTS CERTFILE KEYFILE CAFILE");
	bench.workers = number(argv[1], STEERING_MAX);
	bench.connects = number(argv[2], 10000000);
	bench.clients = number(argv[3], CLIENTS_MAX);
	bench.certificate = argv[4];
	bench.key = argv[5];
	bench.ca = argv[6];
	bind_all(&bench);
	for (i = 0; i < bench.workers; i++)
		bench.processes[i] = start(&bench, serve, i);
	return measure(&bench) ? EXIT_SUCCESS : 2;
}
