/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <mquic.h>

#include "clients.h"
#include "clock.h"
#include "orphans.h"
#include "worker.h"

/* Sockets served in one turn; more are ready in the next one. */
#define TURN_EVENTS 64

/* Ending: how long connections may take. */
#define FAREWELL_MS 500

/* The longest sleep when there is something left to say. */
#define CATCH_UP_MS 1000

/* The same when the door has something left to do. */
#define ATTEND_MS 20

/* A certificate of 90 days should have been renewed by then: most tools do so at 30. */
#define EXPIRY_NOTICE_DAYS 21

struct worker {
	struct mquic_endpoint *endpoint;
	struct clients clients;
	struct orphans orphans;
	atomic_bool stop;
	atomic_bool leave; /* and another one takes its place */
	atomic_bool reload;
	atomic_bool tell;
};

/* ---- The loop ------------------------------------------------------------ */

static void accept_all(struct worker *worker)
{
	struct mquic_connection *connection;

	/* Who comes now is told with the others that wait, at the end. */
	if (atomic_load(&worker->leave))
		return;
	while (mquic_endpoint_accept(worker->endpoint, &connection) == MQUIC_OK)
		client_accept(&worker->clients, connection);
}

static void tell_client(struct client *client, const struct mquic_event *event)
{
	if (mquic_event_type(event) == MQUIC_EVENT_RELAY_CLOSED)
		client_hears_end(client, mquic_event_text(event));
	client_event(client, mquic_event_type(event));
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
			tell_client(mquic_relay_get_userdata(relay), event);
		mquic_event_free(event);
	}
}

/* Clients would be the first to notice otherwise, and none of them can mend it. */
void worker_say_expiring(struct worker *worker)
{
	const char *text;
	size_t i;

	for (i = 0;
	     (text = mquic_endpoint_expiring(worker->endpoint, EXPIRY_NOTICE_DAYS, i)) != NULL; i++)
		speaker_say(&worker->clients.speaker, MQUIC_LOG_WARNING, "%s", text);
}

static void reload(struct worker *worker)
{
	if (mquic_endpoint_reload(worker->endpoint) == MQUIC_OK)
		speaker_say(&worker->clients.speaker, MQUIC_LOG_INFO,
			    "certificates and keys were read again");
	else
		speaker_say(&worker->clients.speaker, MQUIC_LOG_ERROR,
			    "certificates and keys stay as they were: %s",
			    mquic_endpoint_error(worker->endpoint));
	worker_say_expiring(worker);
}

static bool attend(const struct worker *worker, bool readable)
{
	const struct door *door = worker->clients.door;

	return door->attend == NULL || door->attend(door->keeper, readable);
}

/*
 * One round: unix sockets first, then QUIC, so that what the broker wrote leaves in the same
 * round. False: epoll is unusable.
 */
static bool turn(struct worker *worker, int timeout_ms)
{
	struct epoll_event ready[TURN_EVENTS];
	bool endpoint_ready = false;
	bool door_ready = false;
	int count = epoll_wait(worker->clients.epoll_fd, ready, TURN_EVENTS, timeout_ms);
	int i;

	if (count < 0 && errno != EINTR)
		return false;
	worker->clients.now_ms = clock_ms();
	for (i = 0; i < count; i++) {
		if (ready[i].data.ptr == NULL)
			endpoint_ready = true;
		else if (ready[i].data.ptr == worker)
			door_ready = true;
		else
			client_ready(ready[i].data.ptr, ready[i].events);
	}
	if (door_ready)
		attend(worker, true);
	if (atomic_exchange(&worker->reload, false))
		reload(worker);
	if (atomic_exchange(&worker->tell, false))
		worker_say_expiring(worker);
	if (endpoint_ready && mquic_endpoint_process(worker->endpoint) != MQUIC_OK)
		return false;
	drain_events(worker);
	clients_dial(&worker->clients);
	clients_limit_memory(&worker->clients, count > 0);
	if (count > 0)
		clients_renew_roll(&worker->clients);
	drain_events(worker);
	return true;
}

/*
 * The broker has closed its ends by now, so clients only need time to take their last bytes. Where
 * it goes on, clients are sent to the next worker.
 */
static void farewell(struct worker *worker)
{
	uint64_t until_ms = clock_ms() + FAREWELL_MS;

	if (atomic_load(&worker->leave))
		clients_send_away(&worker->clients);
	else
		clients_turn_away(&worker->clients);
	drain_events(worker);
	while (!queue_is_empty(&worker->clients.all) && clock_ms() < until_ms && turn(worker, 20))
		;
	clients_free(&worker->clients);
	/* The endpoint stays for worker_free(): until then other threads may wake it. */
}

/* Of two times to wait, -1 for ever. */
static int earlier(int one, int other)
{
	return one < 0 || (other >= 0 && other < one) ? other : one;
}

/* How long the thread may sleep if nothing comes. */
static int timeout_ms(struct worker *worker)
{
	int timeout = earlier(clients_timeout_ms(&worker->clients),
			      orphans_tell(&worker->orphans, worker->endpoint));

	if (!attend(worker, false) && (timeout < 0 || timeout > ATTEND_MS))
		timeout = ATTEND_MS;
	if (speaker_catch_up(&worker->clients.speaker, worker->clients.now_ms))
		return timeout;
	return timeout >= 0 && timeout < CATCH_UP_MS ? timeout : CATCH_UP_MS;
}

void worker_run(struct worker *worker)
{
	while (!atomic_load(&worker->stop))
		if (!turn(worker, timeout_ms(worker))) {
			speaker_say(&worker->clients.speaker, MQUIC_LOG_ERROR,
				    "QUIC stops, the system refuses: %s", strerror(errno));
			break;
		}
	farewell(worker);
}

/* ---- Life ---------------------------------------------------------------- */

/*
 * The set that is waited on; in an event NULL stands for the endpoint, and the worker itself for
 * the door.
 */
static bool open_epoll(struct worker *worker)
{
	const struct door *door = worker->clients.door;
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	worker->clients.epoll_fd = fd;
	if (fd < 0 ||
	    epoll_ctl(fd, EPOLL_CTL_ADD, mquic_endpoint_get_fd(worker->endpoint), &event) != 0)
		return false;
	event.data.ptr = worker;
	return door->attend == NULL || epoll_ctl(fd, EPOLL_CTL_ADD, door->fd, &event) == 0;
}

struct worker *worker_new(const struct door *door, const struct client_settings *settings)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL || mquic_endpoint_new(&worker->endpoint) != MQUIC_OK) {
		free(worker);
		return NULL;
	}
	worker->clients.door = door;
	worker->clients.settings = *settings;
	clients_init(&worker->clients);
	mquic_endpoint_set_log(worker->endpoint, speaker_sink, door->level,
			       &worker->clients.speaker);
	if (open_epoll(worker))
		return worker;
	worker_free(worker);
	return NULL;
}

bool worker_listen(struct worker *worker, const struct mquic_settings *settings,
		   const struct hostport *listen, int fd)
{
	struct hostport bound = *listen;
	char text[HOSTPORT_TEXT_SIZE];

	if (mquic_endpoint_listen_fd(worker->endpoint, settings, fd, &bound.port) != MQUIC_OK)
		return false;
	hostport_text(&bound, text);
	speaker_say(&worker->clients.speaker, MQUIC_LOG_INFO, "QUIC listener on UDP %s", text);
	return true;
}

const char *worker_error(const struct worker *worker)
{
	return mquic_endpoint_error(worker->endpoint);
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

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stop, true);
	mquic_endpoint_wakeup(worker->endpoint);
}

void worker_leave(struct worker *worker)
{
	atomic_store(&worker->leave, true);
	worker_stop(worker);
}

bool worker_is_stopped(const struct worker *worker)
{
	return atomic_load(&worker->stop);
}

void worker_keep_roll(struct worker *worker, int fd)
{
	worker->clients.roll = roll_open(fd);
	(void)close(fd);
}

void worker_take_orphans(struct worker *worker, int fd)
{
	orphans_take(&worker->orphans, fd);
}

void worker_count(const struct worker *worker, struct counters *counters)
{
	const struct queue *all = &worker->clients.all;
	const struct queue *link;
	uint64_t clients = 0;

	for (link = all->next; link != all; link = link->next)
		clients++;
	counters_take(counters, worker->endpoint, clients, worker->clients.numbered);
}

size_t worker_list(const struct worker *worker, uint64_t after, struct client_facts *facts,
		   size_t most)
{
	return clients_tell(&worker->clients, after, facts, most);
}

bool worker_close_client(struct worker *worker, uint64_t number)
{
	return clients_close(&worker->clients, number);
}

void worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	clients_free(&worker->clients);
	roll_close(worker->clients.roll);
	orphans_free(&worker->orphans);
	mquic_endpoint_free(worker->endpoint);
	if (worker->clients.epoll_fd >= 0)
		close(worker->clients.epoll_fd);
	free(worker);
}
