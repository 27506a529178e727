/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "configure.h"

void configuration_init(struct configuration *given)
{
	size_t i;

	*given = (struct configuration){.line_count = 0};
	for (i = 0; i < OPTIONS_LISTEN_MAX; i++)
		given->sockets[i] = -1;
}

static bool wait_message(int channel, uint8_t *packet, size_t size, struct channel_message *message)
{
	struct pollfd watched = {.fd = channel, .events = POLLIN};
	enum channel_status status;

	do {
		if (poll(&watched, 1, -1) < 0 && errno != EINTR)
			return false;
		status = channel_receive(channel, false, packet, size, message);
	} while (status == CHANNEL_EMPTY);
	return status == CHANNEL_RECEIVED;
}

static bool keep_line(struct configuration *given, const struct channel_message *message)
{
	struct option_line *line = &given->lines[given->line_count];

	if (given->line_count == CONFIGURATION_LINES)
		return false;
	given->line_count++;
	line->name = strdup(message->text.data);
	line->value = strdup(message->more.data != NULL ? message->more.data : "");
	return line->name != NULL && line->value != NULL;
}

static bool keep_socket(struct configuration *given, const struct channel_message *message)
{
	int *place = &given->sockets[message->number];

	if (*place >= 0)
		close(*place);
	*place = message->fd;
	return true;
}

static bool keep(struct configuration *given, const struct channel_message *message)
{
	switch (message->type) {
	case CHANNEL_OPTION:
		return keep_line(given, message);
	case CHANNEL_SOCKET:
		return keep_socket(given, message);
	default:
		return false;
	}
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
	given->options.max_connections = message.limit;
	return true;
}

void configuration_clear(struct configuration *given)
{
	size_t i;

	options_clear(&given->options);
	for (i = 0; i < given->line_count; i++) {
		free((char *)(uintptr_t)given->lines[i].name);
		free((char *)(uintptr_t)given->lines[i].value);
	}
	for (i = 0; i < OPTIONS_LISTEN_MAX; i++)
		if (given->sockets[i] >= 0)
			close(given->sockets[i]);
	configuration_init(given);
}
