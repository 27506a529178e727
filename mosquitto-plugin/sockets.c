/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sockets.h"
#include "../server/bind.h"
#include "../server/steering.h"

_Static_assert(OPTIONS_WORKERS_MAX <= STEERING_MAX, "an octet names each");

void sockets_init(struct sockets *sockets)
{
	int *all = &sockets->fds[0][0][0];
	size_t i;

	for (i = 0; i < sizeof(sockets->fds) / sizeof(*all); i++)
		all[i] = -1;
}

static bool open_at(int *fds, const struct options *options, const struct hostport *listen,
		    char *error)
{
	char text[HOSTPORT_TEXT_SIZE];
	int all[OPTIONS_WORKERS_MAX] = {bind_udp(listen)};

	hostport_text(listen, text);
	if (all[0] < 0) {
		snprintf(error, OPTIONS_ERROR_SIZE, "plugin_opt_listen %s: binding UDP %s: %s",
			 text, text, strerror(errno));
		return false;
	}
	fds[0] = all[0];
	if (steering_split(all, options->workers)) {
		memcpy(fds, all, options->workers * sizeof(*fds));
		return true;
	}
	snprintf(error, OPTIONS_ERROR_SIZE,
		 "plugin_opt_workers: the system does not share UDP %s among %u workers: %s. One "
		 "worker needs no such thing: plugin_opt_workers 1",
		 text, options->workers, strerror(errno));
	return false;
}

static bool open_listener(struct sockets *sockets, const struct options *options, size_t number,
			  char *error)
{
	const struct listener_options *listener = &options->listeners[number];
	size_t i;

	for (i = 0; i < listener->listen_count; i++)
		if (!open_at(sockets->fds[number][i], options, &listener->listen[i], error))
			return false;
	return true;
}

bool sockets_open(struct sockets *sockets, const struct options *options,
		  char error[OPTIONS_ERROR_SIZE])
{
	size_t i;

	for (i = 0; i < options->listener_count; i++)
		if (!open_listener(sockets, options, i, error))
			return false;
	return true;
}

void sockets_shut(struct sockets *sockets, unsigned int listener)
{
	int *all = &sockets->fds[listener][0][0];
	size_t i;

	for (i = 0; i < OPTIONS_LISTEN_MAX * OPTIONS_WORKERS_MAX; i++) {
		if (all[i] >= 0)
			close(all[i]);
		all[i] = -1;
	}
}

void sockets_close(struct sockets *sockets)
{
	unsigned int i;

	for (i = 0; i < OPTIONS_LISTENERS_MAX; i++)
		sockets_shut(sockets, i);
}
