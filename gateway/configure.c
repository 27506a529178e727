/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "configure.h"
#include "greeting.h"
#include "../server/shares.h"

void configuration_init(struct configuration *given)
{
	size_t i, j;

	*given = (struct configuration){.workers = 1, .roll = -1};
	for (i = 0; i < OPTIONS_LISTENERS_MAX; i++)
		for (j = 0; j < OPTIONS_LISTEN_MAX; j++)
			given->sockets[i][j] = -1;
}

static bool wait_for(int channel)
{
	struct pollfd watched = {.fd = channel, .events = POLLIN};

	return poll(&watched, 1, -1) >= 0 || errno == EINTR;
}

static bool wait_message(int channel, uint8_t *packet, size_t size, struct channel_message *message)
{
	enum channel_status status;

	do {
		if (!wait_for(channel))
			return false;
		status = channel_receive(channel, false, packet, size, message);
	} while (status == CHANNEL_EMPTY);
	return status == CHANNEL_RECEIVED;
}

bool configuration_greet(int channel, char error[OPTIONS_ERROR_SIZE])
{
	enum channel_status status = CHANNEL_EMPTY;
	struct greeting greeting;

	snprintf(error, OPTIONS_ERROR_SIZE, "no plugin of mquic is at the other end");
	if (!greeting_send(channel))
		return false;
	while (status == CHANNEL_EMPTY && wait_for(channel))
		status = greeting_receive(channel, &greeting);
	if (status != CHANNEL_RECEIVED)
		return false;
	snprintf(error, OPTIONS_ERROR_SIZE,
		 "the broker has the plugin of mquic %s in its memory, which speaks version %u of "
		 "the channel and not %u: restart the broker",
		 greeting.program, greeting.version, GREETING_VERSION);
	return greeting_is_ours(&greeting);
}

static bool keep_line(struct configuration *given, const struct channel_message *message)
{
	struct option_line *line = &given->lines[given->line_count];

	if (given->line_count == OPTIONS_LINES_MAX)
		return false;
	given->line_count++;
	line->name = strdup(message->text.data);
	line->value = strdup(message->more.data != NULL ? message->more.data : "");
	return line->name != NULL && line->value != NULL;
}

/* In the place of another one that was given before. */
static bool keep_fd(int *place, const struct channel_message *message)
{
	if (*place >= 0)
		close(*place);
	*place = message->fd;
	return true;
}

static bool keep_places(struct configuration *given, const struct channel_message *message)
{
	given->places[message->listener] = message->limit;
	return true;
}

static bool keep_share(struct configuration *given, const struct channel_message *message)
{
	given->worker = message->number;
	given->workers = message->limit;
	memcpy(given->secret, message->text.data, message->text.len + 1);
	return given->worker < given->workers && given->workers <= OPTIONS_WORKERS_MAX;
}

static bool keep(struct configuration *given, const struct channel_message *message)
{
	switch (message->type) {
	case CHANNEL_OPTION:
		return keep_line(given, message);
	case CHANNEL_SOCKET:
		return keep_fd(&given->sockets[message->listener][message->number], message);
	case CHANNEL_PLACES:
		return keep_places(given, message);
	case CHANNEL_ROLL:
		return keep_fd(&given->roll, message);
	case CHANNEL_SHARE:
		return keep_share(given, message);
	default:
		return false;
	}
}

/* Of a listener's limits. */
static void take_part_of(struct configuration *given, size_t index)
{
	struct listener_options *listener = &given->options.listeners[index];
	struct shares limits = {
		.connections = given->places[index],
		.connections_per_address = listener->max_connections_per_address,
		.handshakes = listener->max_handshakes,
	};

	shares_divide(&limits, given->workers);
	listener->max_connections = limits.connections;
	listener->max_connections_per_address = limits.connections_per_address;
	listener->max_handshakes = limits.handshakes;
}

/* Of the limits of all. */
static void take_part(struct configuration *given)
{
	struct shares limits = {.memory = given->options.memory_limit};
	size_t i;

	for (i = 0; i < given->options.listener_count; i++)
		take_part_of(given, i);
	shares_divide(&limits, given->workers);
	given->options.memory_limit = limits.memory;
}

bool configuration_read(struct configuration *given, int channel, char error[OPTIONS_ERROR_SIZE])
{
	uint8_t packet[CHANNEL_OPTION_MAX * 2 + 64];
	struct channel_message message;

	snprintf(error, OPTIONS_ERROR_SIZE, "the plugin does not say what to do");
	do
		if (!wait_message(channel, packet, sizeof(packet), &message))
			return false;
	while (keep(given, &message));
	if (message.type != CHANNEL_CONFIGURE ||
	    !options_parse(&given->options, given->lines, (int)given->line_count,
			   (message.flags & CHANNEL_BROKER_2_1) != 0, error))
		return false;
	take_part(given);
	return true;
}

bool configuration_has_sockets(const struct configuration *given, size_t listener)
{
	return given->sockets[listener][0] >= 0;
}

bool configuration_apply(const struct configuration *given, struct mquic_settings *settings)
{
	const uint8_t *secret = (const uint8_t *)given->secret;

	if (mquic_settings_set_workers(settings, given->workers) != MQUIC_OK ||
	    mquic_settings_set_worker(settings, given->worker) != MQUIC_OK)
		return false;
	return given->secret[0] == '\0' ||
	       mquic_settings_set_server_secret(settings, secret, CHANNEL_SECRET_LEN) == MQUIC_OK;
}

void configuration_clear(struct configuration *given)
{
	size_t i, j;

	options_clear(&given->options);
	for (i = 0; i < given->line_count; i++) {
		free((char *)(uintptr_t)given->lines[i].name);
		free((char *)(uintptr_t)given->lines[i].value);
	}
	for (i = 0; i < OPTIONS_LISTENERS_MAX; i++)
		for (j = 0; j < OPTIONS_LISTEN_MAX; j++)
			if (given->sockets[i][j] >= 0)
				close(given->sockets[i][j]);
	if (given->roll >= 0)
		close(given->roll);
	configuration_init(given);
}
