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
	size_t i, j;

	for (i = 0; i < OPTIONS_LISTEN_MAX; i++)
		for (j = 0; j < OPTIONS_WORKERS_MAX; j++)
			sockets->fds[i][j] = -1;
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

bool sockets_open(struct sockets *sockets, const struct options *options,
		  char error[OPTIONS_ERROR_SIZE])
{
	size_t i;

	for (i = 0; i < options->listeners[0].listen_count; i++)
		if (!open_at(sockets->fds[i], options, &options->listeners[0].listen[i], error))
			return false;
	return true;
}

void sockets_close(struct sockets *sockets)
{
	size_t i, j;

	for (i = 0; i < OPTIONS_LISTEN_MAX; i++)
		for (j = 0; j < OPTIONS_WORKERS_MAX; j++)
			if (sockets->fds[i][j] >= 0)
				close(sockets->fds[i][j]);
	sockets_init(sockets);
}
