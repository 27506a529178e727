/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <mquic.h>

#include "client.h"
#include "worker.h"

/* Sockets served in one turn; more are ready in the next one. */
#define TURN_EVENTS 64

/* Ending: how long connections may take, and how long the main thread waits in all. */
#define FAREWELL_MS 500
#define JOIN_S      2

/* A certificate of 90 days should have been renewed by then: most tools do so at 30. */
#define EXPIRY_NOTICE_DAYS 21

struct worker {
	struct mquic_endpoint *endpoint;
	struct clients clients;
	struct log_ring *log;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_bool reload;
	atomic_bool tell;
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- The loop ------------------------------------------------------------ */

static void accept_all(struct worker *worker)
{
	struct mquic_connection *connection;

	while (mquic_endpoint_accept(worker->endpoint, &connection) == MQUIC_OK)
		client_accept(&worker->clients, connection);
}

/* Handles all events; what the clients were sent leaves with the call that returns NULL. */
static void drain_events(struct worker *worker)
{
	struct mquic_event *event;

	while ((event = mquic_endpoint_next_event(worker->endpoint)) != NULL) {
		struct mquic_relay *relay = mquic_event_relay(event);

		if (mquic_event_type(event) == MQUIC_EVENT_ACCEPTABLE)
			accept_all(worker);
		else if (relay != NULL && mquic_relay_get_userdata(relay) != NULL)
			client_event(mquic_relay_get_userdata(relay), mquic_event_type(event));
		mquic_event_free(event);
	}
}

/* Clients would be the first to notice otherwise, and none of them can mend it. */
static void tell_expiring(struct worker *worker)
{
	const char *text;
	size_t i;

	for (i = 0;
	     (text = mquic_endpoint_expiring(worker->endpoint, EXPIRY_NOTICE_DAYS, i)) != NULL; i++)
		log_push(worker->log, MQUIC_LOG_WARNING, "mquic: %s", text);
}

static void reload(struct worker *worker)
{
	if (mquic_endpoint_reload(worker->endpoint) == MQUIC_OK)
		log_push(worker->log, MQUIC_LOG_INFO,
			 "mquic: certificates and keys were read again");
	else
		log_push(worker->log, MQUIC_LOG_ERROR,
			 "mquic: certificates and keys stay as they were: %s",
			 mquic_endpoint_error(worker->endpoint));
	tell_expiring(worker);
}

/*
 * One round: unix sockets first, then QUIC, so that what the broker wrote leaves in the same
 * round. False: epoll is unusable.
 */
static bool turn(struct worker *worker, int timeout_ms)
{
	struct epoll_event ready[TURN_EVENTS];
	bool endpoint_ready = false;
	int count = epoll_wait(worker->clients.epoll_fd, ready, TURN_EVENTS, timeout_ms);
	int i;

	if (count < 0 && errno != EINTR)
		return false;
	worker->clients.now_ms = clock_ms();
	for (i = 0; i < count; i++) {
		if (ready[i].data.ptr == NULL)
			endpoint_ready = true;
		else
			client_ready(ready[i].data.ptr, ready[i].events);
	}
	if (atomic_exchange(&worker->reload, false))
		reload(worker);
	if (atomic_exchange(&worker->tell, false))
		tell_expiring(worker);
	if (endpoint_ready && mquic_endpoint_process(worker->endpoint) != MQUIC_OK)
		return false;
	drain_events(worker);
	clients_dial(&worker->clients);
	clients_limit_memory(&worker->clients, count > 0);
	drain_events(worker);
	return true;
}

/* The broker has closed its ends by now, so clients only need time to take their last bytes. */
static void farewell(struct worker *worker)
{
	uint64_t until_ms = clock_ms() + FAREWELL_MS;

	clients_turn_away(&worker->clients);
	drain_events(worker);
	while (!queue_is_empty(&worker->clients.all) && clock_ms() < until_ms && turn(worker, 20))
		;
	clients_free(&worker->clients);
	mquic_endpoint_free(worker->endpoint);
	worker->endpoint = NULL;
}

static void *run(void *argument)
{
	struct worker *worker = argument;

	while (!atomic_load(&worker->stop))
		if (!turn(worker, clients_timeout_ms(&worker->clients))) {
			log_push(worker->log, MQUIC_LOG_ERROR,
				 "mquic: QUIC stops, the system refuses: %s", strerror(errno));
			break;
		}
	farewell(worker);
	return NULL;
}

/* ---- Life ---------------------------------------------------------------- */

/* Names the option that libmquic's sentence is about: that of a file, or else this address. */
static void name_option(const struct options *options, const char *listen, const char *sentence,
			char *error)
{
	const char *file = options_find_file(options, sentence);

	if (file != NULL)
		snprintf(error, OPTIONS_ERROR_SIZE, "plugin_opt_%s: %s", file, sentence);
	else
		snprintf(error, OPTIONS_ERROR_SIZE, "plugin_opt_listen %s: %s", listen, sentence);
}

static bool listen_on(struct worker *worker, const struct listen_address *listen,
		      const struct mquic_settings *settings, char *error)
{
	const char *format = strchr(listen->address, ':') != NULL ? "[%s]:%u" : "%s:%u";
	char text[80];
	uint16_t port;

	snprintf(text, sizeof(text), format, listen->address, listen->port);
	if (mquic_endpoint_listen(worker->endpoint, settings, listen->address, listen->port,
				  &port) != MQUIC_OK) {
		name_option(worker->clients.options, text, mquic_endpoint_error(worker->endpoint),
			    error);
		return false;
	}
	snprintf(text, sizeof(text), format, listen->address, port);
	log_push(worker->log, MQUIC_LOG_INFO, "mquic: QUIC listener on UDP %s", text);
	return true;
}

static bool listen_on_all(struct worker *worker, const struct options *options, char *error)
{
	struct mquic_settings *settings = NULL;
	bool good;
	size_t i;

	snprintf(error, OPTIONS_ERROR_SIZE, "out of memory");
	if (options->reset_key_file == NULL)
		log_push(worker->log, MQUIC_LOG_WARNING,
			 "mquic: the broker's user may not read " OPTIONS_RESET_KEY
			 ": after a restart clients will not be told that their connections are "
			 "gone; change its owner, or name another with plugin_opt_reset_key_file");
	good = mquic_settings_new(&settings) == MQUIC_OK && options_apply(options, settings, error);
	for (i = 0; good && i < options->listen_count; i++)
		good = listen_on(worker, &options->listen[i], settings, error);
	mquic_settings_free(settings);
	return good;
}

/* The set that the thread waits on; NULL in an event stands for the endpoint. */
static bool open_epoll(struct worker *worker, char *error)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	worker->clients.epoll_fd = fd;
	if (fd >= 0 &&
	    epoll_ctl(fd, EPOLL_CTL_ADD, mquic_endpoint_get_fd(worker->endpoint), &event) == 0)
		return true;
	snprintf(error, OPTIONS_ERROR_SIZE, "the system has no descriptor to wait on: %s",
		 strerror(errno));
	return false;
}

struct worker *worker_new(const struct options *options, struct identities *identities,
			  struct log_ring *log, int highest_fd, char error[OPTIONS_ERROR_SIZE])
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL || mquic_endpoint_new(&worker->endpoint) != MQUIC_OK) {
		snprintf(error, OPTIONS_ERROR_SIZE, "no memory or descriptor for the endpoint");
		free(worker);
		return NULL;
	}
	worker->log = log;
	worker->clients.options = options;
	worker->clients.identities = identities;
	worker->clients.log = log;
	worker->clients.highest_fd = highest_fd;
	clients_init(&worker->clients);
	mquic_endpoint_set_log(worker->endpoint, log_sink, MQUIC_LOG_INFO, log);
	if (!open_epoll(worker, error) || !listen_on_all(worker, options, error)) {
		worker_free(worker);
		return NULL;
	}
	tell_expiring(worker);
	return worker;
}

bool worker_start(struct worker *worker, const struct handoff_terms *terms)
{
	sigset_t all, before;

	worker->clients.terms = *terms;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	worker->started = pthread_create(&worker->thread, NULL, run, worker) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (worker->started)
		pthread_setname_np(worker->thread, "mquic");
	return worker->started;
}

bool worker_was_bypassed(struct worker *worker)
{
	return atomic_load_explicit(&worker->clients.unasked, memory_order_relaxed);
}

void worker_reload(struct worker *worker)
{
	atomic_store(&worker->reload, true);
	mquic_endpoint_wakeup(worker->endpoint);
}

void worker_tell_expiring(struct worker *worker)
{
	atomic_store(&worker->tell, true);
	mquic_endpoint_wakeup(worker->endpoint);
}

bool worker_stop(struct worker *worker)
{
	struct timespec until;

	if (!worker->started)
		return true;
	atomic_store(&worker->stop, true);
	mquic_endpoint_wakeup(worker->endpoint);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_S;
	if (pthread_timedjoin_np(worker->thread, NULL, &until) != 0)
		return false;
	worker->started = false;
	return true;
}

void worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	clients_free(&worker->clients);
	mquic_endpoint_free(worker->endpoint);
	if (worker->clients.epoll_fd >= 0)
		close(worker->clients.epoll_fd);
	free(worker);
}
