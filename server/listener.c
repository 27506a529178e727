/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sys/epoll.h>

#include <mquic.h>

#include "listener.h"

/* A certificate of 90 days should have been renewed by then: most tools do so at 30. */
#define EXPIRY_NOTICE_DAYS 21

/* "listener NAME: ", or nothing where there is but one. */
#define PREFIX_SIZE 64

static const char *prefix_of(const struct listener *listener, char prefix[PREFIX_SIZE])
{
	prefix[0] = '\0';
	if (listener->settings.name != NULL)
		snprintf(prefix, PREFIX_SIZE, "listener %s: ", listener->settings.name);
	return prefix;
}

/* ---- Steps -------------------------------------------------------------------------- */

static const char *state_name(enum listener_state state)
{
	static const char *const names[] = {
		[LISTENER_CLOSED] = "CLOSED",
		[LISTENER_OPEN] = "OPEN",
		[LISTENER_SHUT] = "SHUT",
	};

	return names[state];
}

/* All changes of state. */
static void step(struct listener *listener, enum listener_state to)
{
	speaker_say(&listener->clients->speaker, MQUIC_LOG_DEBUG, "listener %u: %s → %s",
		    listener->settings.listener + 1, state_name(listener->state), state_name(to));
	listener->state = to;
}

/* ---- Life ---------------------------------------------------------------------------- */

static void sink(void *argument, enum mquic_log_level level, const char *line)
{
	struct listener *listener = argument;

	speaker_repeat(&listener->clients->speaker, listener->settings.name, level, line);
}

bool listener_init(struct listener *listener, struct clients *clients,
		   const struct client_settings *settings)
{
	*listener = (struct listener){.clients = clients, .settings = *settings};
	if (mquic_endpoint_new(&listener->endpoint) != MQUIC_OK)
		return false;
	mquic_endpoint_set_log(listener->endpoint, sink, clients->door->level, listener);
	return true;
}

bool listener_listen(struct listener *listener, const struct mquic_settings *settings,
		     const struct hostport *listen, int fd)
{
	struct hostport bound = *listen;
	char text[HOSTPORT_TEXT_SIZE], prefix[PREFIX_SIZE];

	if (mquic_endpoint_listen_fd(listener->endpoint, settings, fd, &bound.port) != MQUIC_OK)
		return false;
	hostport_text(&bound, text);
	speaker_say(&listener->clients->speaker, MQUIC_LOG_INFO, "%sQUIC listener on UDP %s",
		    prefix_of(listener, prefix), text);
	return true;
}

void listener_open(struct listener *listener)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};

	if (listener->state != LISTENER_CLOSED)
		return;
	if (epoll_ctl(listener->clients->epoll_fd, EPOLL_CTL_ADD,
		      mquic_endpoint_get_fd(listener->endpoint), &event) == 0)
		step(listener, LISTENER_OPEN);
}

void listener_shut(struct listener *listener, struct counters *gone)
{
	struct counters last = {{0}};

	if (listener->state == LISTENER_SHUT)
		return;
	clients_turn_away_from(listener->clients, listener->settings.listener,
			       "this listener does not serve clients any more");
	if (listener->state == LISTENER_OPEN) {
		listener_drain(listener);
		epoll_ctl(listener->clients->epoll_fd, EPOLL_CTL_DEL,
			  mquic_endpoint_get_fd(listener->endpoint), NULL);
	}
	counters_take(&last, listener->endpoint);
	counters_keep(gone, &last);
	step(listener, LISTENER_SHUT);
	mquic_endpoint_free(listener->endpoint);
	listener->endpoint = NULL;
}

/* ---- Work ---------------------------------------------------------------------------- */

bool listener_process(struct listener *listener)
{
	bool is_due = listener->is_ready && listener->state == LISTENER_OPEN;

	listener->is_ready = false;
	return !is_due || mquic_endpoint_process(listener->endpoint) == MQUIC_OK;
}

static void accept_all(struct listener *listener)
{
	struct mquic_connection *connection;

	while (!listener->clients->leaving &&
	       mquic_endpoint_accept(listener->endpoint, &connection) == MQUIC_OK)
		client_accept(listener->clients, &listener->settings, connection);
}

static void tell_client(struct client *client, const struct mquic_event *event)
{
	if (mquic_event_type(event) == MQUIC_EVENT_RELAY_CLOSED)
		client_hears_end(client, mquic_event_text(event));
	client_event(client, mquic_event_type(event));
}

void listener_drain(struct listener *listener)
{
	struct mquic_event *event;

	if (listener->state != LISTENER_OPEN)
		return;
	while ((event = mquic_endpoint_next_event(listener->endpoint)) != NULL) {
		struct mquic_relay *relay = mquic_event_relay(event);

		if (mquic_event_type(event) == MQUIC_EVENT_ACCEPTABLE)
			accept_all(listener);
		else if (relay != NULL && mquic_relay_get_userdata(relay) != NULL)
			tell_client(mquic_relay_get_userdata(relay), event);
		mquic_event_free(event);
	}
}

void listener_say_expiring(struct listener *listener)
{
	char prefix[PREFIX_SIZE];
	const char *text;
	size_t i;

	for (i = 0;
	     listener->state != LISTENER_SHUT &&
	     (text = mquic_endpoint_expiring(listener->endpoint, EXPIRY_NOTICE_DAYS, i)) != NULL;
	     i++)
		speaker_say(&listener->clients->speaker, MQUIC_LOG_WARNING, "%s%s",
			    prefix_of(listener, prefix), text);
}

void listener_reload(struct listener *listener)
{
	struct speaker *speaker = &listener->clients->speaker;
	char prefix[PREFIX_SIZE];

	if (listener->state == LISTENER_SHUT)
		return;
	prefix_of(listener, prefix);
	if (mquic_endpoint_reload(listener->endpoint) == MQUIC_OK)
		speaker_say(speaker, MQUIC_LOG_INFO, "%scertificates and keys were read again",
			    prefix);
	else
		speaker_say(speaker, MQUIC_LOG_ERROR,
			    "%scertificates and keys stay as they were: %s", prefix,
			    mquic_endpoint_error(listener->endpoint));
	listener_say_expiring(listener);
}
