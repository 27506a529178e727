/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mquic.h>

#include "clients.h"
#include "clock.h"
#include "listener.h"
#include "orphans.h"
#include "resident.h"
#include "worker.h"

/* Sockets served in one turn; more are ready in the next one. */
#define TURN_EVENTS 64

/* Ending: how long connections may take. */
#define FAREWELL_MS 500

/* The longest sleep when there is something left to say. */
#define CATCH_UP_MS 1000

/* The same when the door has something left to do. */
#define ATTEND_MS 20

struct worker {
	struct listener listeners[WORKER_LISTENERS_MAX];
	size_t listener_count;
	struct counters gone; /* what those had counted that are shut */
	struct clients clients;
	struct orphans orphans;
	int wake_fd; /* whatever others want is in the next three */
	atomic_bool stop;
	atomic_bool leave; /* and another one takes its place */
	atomic_bool reload;
	atomic_bool tell;
	atomic_uint shut; /* a bit for each that is to be */
};

_Static_assert(WORKER_LISTENERS_MAX <= 32, "a bit stands for each");

/* ---- The loop ------------------------------------------------------------ */

/* Handles all events; what the clients were sent leaves with that. */
static void drain_events(struct worker *worker)
{
	size_t i;

	for (i = 0; i < worker->listener_count; i++)
		listener_drain(&worker->listeners[i]);
}

void worker_say_expiring(struct worker *worker)
{
	size_t i;

	for (i = 0; i < worker->listener_count; i++)
		listener_say_expiring(&worker->listeners[i]);
}

static void reload_all(struct worker *worker)
{
	size_t i;

	for (i = 0; i < worker->listener_count; i++)
		listener_reload(&worker->listeners[i]);
}

static void shut_due(struct worker *worker)
{
	unsigned int due = atomic_exchange(&worker->shut, 0);
	size_t i;

	for (i = 0; due != 0 && i < worker->listener_count; i++)
		if ((due & 1U << i) != 0)
			listener_shut(&worker->listeners[i], &worker->gone);
}

/* What others want. */
static void obey(struct worker *worker)
{
	worker->clients.leaving = atomic_load(&worker->leave);
	if (atomic_load(&worker->shut) != 0)
		shut_due(worker);
	if (atomic_exchange(&worker->reload, false))
		reload_all(worker);
	if (atomic_exchange(&worker->tell, false))
		worker_say_expiring(worker);
}

/* False: the system refuses. */
static bool process_all(struct worker *worker)
{
	size_t i;

	for (i = 0; i < worker->listener_count; i++)
		if (!listener_process(&worker->listeners[i]))
			return false;
	return true;
}

static bool attend(const struct worker *worker, bool readable)
{
	const struct door *door = worker->clients.door;

	return door->attend == NULL || door->attend(door->keeper, readable);
}

static bool is_listener(const struct worker *worker, const void *mark)
{
	uintptr_t at = (uintptr_t)mark;

	return at >= (uintptr_t)worker->listeners &&
	       at < (uintptr_t)(worker->listeners + worker->listener_count);
}

static void rouse(const struct worker *worker)
{
	uint64_t count;

	(void)!read(worker->wake_fd, &count, sizeof(count));
}

/* Unix sockets; what listeners have is noted. True: the door has something, too. */
static bool look_at(struct worker *worker, const struct epoll_event *ready, int count)
{
	bool door_ready = false;
	int i;

	for (i = 0; i < count; i++) {
		void *mark = ready[i].data.ptr;

		if (is_listener(worker, mark))
			((struct listener *)mark)->is_ready = true;
		else if (mark == &worker->clients)
			door_ready = true;
		else if (mark == &worker->wake_fd)
			rouse(worker);
		else
			client_ready(mark, ready[i].events);
	}
	return door_ready;
}

/*
 * One round: unix sockets first, then QUIC, so that what the broker wrote leaves in the same
 * round. False: epoll is unusable.
 */
static bool turn(struct worker *worker, int timeout_ms)
{
	struct epoll_event ready[TURN_EVENTS];
	int count = epoll_wait(worker->clients.epoll_fd, ready, TURN_EVENTS, timeout_ms);

	if (count < 0 && errno != EINTR)
		return false;
	worker->clients.now_ms = clock_ms();
	if (look_at(worker, ready, count))
		attend(worker, true);
	obey(worker);
	if (!process_all(worker))
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
}

/* Of two times to wait, -1 for ever. */
static int earlier(int one, int other)
{
	return one < 0 || (other >= 0 && other < one) ? other : one;
}

/* Each is told by the listener whose client it was. Milliseconds until more are told, or -1. */
static int tell_orphans(struct worker *worker)
{
	struct mquic_endpoint *endpoints[WORKER_LISTENERS_MAX];
	size_t count = 0;
	size_t i;

	for (i = 0; i < worker->listener_count; i++)
		if (worker->listeners[i].state != LISTENER_SHUT)
			endpoints[count++] = worker->listeners[i].endpoint;
	return orphans_tell(&worker->orphans, endpoints, count);
}

/* How long the thread may sleep if nothing comes. */
static int timeout_ms(struct worker *worker)
{
	int timeout = earlier(clients_timeout_ms(&worker->clients), tell_orphans(worker));

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

static bool watch(const struct worker *worker, int fd, void *mark)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};

	return fd >= 0 && epoll_ctl(worker->clients.epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/*
 * The set that is waited on. In an event its listener stands for an endpoint, and all clients stand
 * for the door.
 */
static bool open_epoll(struct worker *worker)
{
	const struct door *door = worker->clients.door;

	worker->clients.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return watch(worker, worker->wake_fd, &worker->wake_fd) &&
	       (door->attend == NULL || watch(worker, door->fd, &worker->clients));
}

struct worker *worker_new(const struct door *door, const struct client_limits *limits)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL)
		return NULL;
	worker->clients.door = door;
	worker->clients.limits = *limits;
	clients_init(&worker->clients);
	if (open_epoll(worker))
		return worker;
	worker_free(worker);
	return NULL;
}

bool worker_add(struct worker *worker, const struct client_settings *settings)
{
	if (worker->listener_count == WORKER_LISTENERS_MAX ||
	    settings->listener != worker->listener_count ||
	    !listener_init(&worker->listeners[worker->listener_count], &worker->clients, settings))
		return false;
	worker->listener_count++;
	return true;
}

bool worker_listen(struct worker *worker, unsigned int listener,
		   const struct mquic_settings *settings, const struct hostport *listen, int fd)
{
	return listener_listen(&worker->listeners[listener], settings, listen, fd);
}

const char *worker_error(const struct worker *worker, unsigned int listener)
{
	return mquic_endpoint_error(worker->listeners[listener].endpoint);
}

void worker_open(struct worker *worker, unsigned int listener)
{
	if (listener < worker->listener_count)
		listener_open(&worker->listeners[listener]);
}

static void wake(const struct worker *worker)
{
	const uint64_t one = 1;

	(void)!write(worker->wake_fd, &one, sizeof(one));
}

void worker_shut(struct worker *worker, unsigned int listener)
{
	if (listener >= WORKER_LISTENERS_MAX)
		return;
	atomic_fetch_or(&worker->shut, 1U << listener);
	wake(worker);
}

void worker_reload(struct worker *worker)
{
	atomic_store(&worker->reload, true);
	wake(worker);
}

void worker_tell_expiring(struct worker *worker)
{
	atomic_store(&worker->tell, true);
	wake(worker);
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stop, true);
	wake(worker);
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

static uint64_t count_clients(const struct worker *worker)
{
	const struct queue *all = &worker->clients.all;
	const struct queue *link;
	uint64_t clients = 0;

	for (link = all->next; link != all; link = link->next)
		clients++;
	return clients;
}

void worker_count(const struct worker *worker, struct counters *counters)
{
	size_t i;

	*counters = worker->gone;
	for (i = 0; i < worker->listener_count; i++)
		if (worker->listeners[i].state != LISTENER_SHUT)
			counters_take(counters, worker->listeners[i].endpoint);
	counters->at[COUNTER_RESIDENT] = resident_bytes();
	counters->at[COUNTER_CLIENTS] = count_clients(worker);
	counters->at[COUNTER_ACCEPTED] = worker->clients.numbered;
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
	size_t i;

	if (worker == NULL)
		return;
	clients_free(&worker->clients);
	roll_close(worker->clients.roll);
	orphans_free(&worker->orphans);
	for (i = 0; i < worker->listener_count; i++)
		mquic_endpoint_free(worker->listeners[i].endpoint);
	if (worker->clients.epoll_fd >= 0)
		close(worker->clients.epoll_fd);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	free(worker);
}
