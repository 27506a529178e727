/* SPDX-License-Identifier: MIT */
#include "orders.h"
#include "../gateway/greeting.h"
#include "../server/roll.h"

static bool tell_options(const struct orders *orders, const struct process *process)
{
	bool good = true;
	int i;

	for (i = 0; good && i < orders->common->line_count; i++) {
		const struct channel_message message = {
			.type = CHANNEL_OPTION,
			.text = channel_text(orders->common->lines[i].name),
			.more = channel_text(orders->common->lines[i].value),
			.fd = -1,
		};

		good = channel_send(process->channel, &message);
	}
	return good;
}

static bool tell_sockets(const struct orders *orders, const struct process *process)
{
	bool good = true;
	size_t i;

	for (i = 0; good && i < orders->common->options->listeners[0].listen_count; i++) {
		const struct channel_message message = {
			.type = CHANNEL_SOCKET,
			.number = (uint32_t)i,
			.fd = orders->sockets->fds[i][process->number - 1],
		};

		good = channel_send(process->channel, &message);
	}
	return good;
}

/* Those that are on their way out are on it, too. */
#define SPARE_PLACES 64

/* Without one its clients notice its death with their next packet, as those of old kernels. */
static bool tell_roll(const struct orders *orders, struct process *process)
{
	const struct options *options = orders->common->options;
	struct channel_message message = {.type = CHANNEL_ROLL};

	if (process->roll < 0)
		process->roll = roll_make(options->listeners[0].max_connections / options->workers +
					  SPARE_PLACES);
	message.fd = process->roll;
	return process->roll < 0 || channel_send(process->channel, &message);
}

/* Which of them it is, and what they have in common. */
static bool tell_share(const struct orders *orders, const struct process *process)
{
	const struct channel_message message = {
		.type = CHANNEL_SHARE,
		.number = process->number - 1,
		.limit = orders->common->options->workers,
		.text = {orders->secret, CHANNEL_SECRET_LEN},
		.fd = -1,
	};

	return channel_send(process->channel, &message);
}

/* The channel has room for all of it. */
static bool configure(const struct orders *orders, struct process *process)
{
	const struct channel_message message = {
		.type = CHANNEL_CONFIGURE,
		.flags = orders->common->broker_2_1 ? CHANNEL_BROKER_2_1 : 0,
		.number = process->number,
		.limit = orders->common->options->listeners[0].max_connections,
		.fd = -1,
	};

	return greeting_send(process->channel) && tell_options(orders, process) &&
	       tell_sockets(orders, process) && tell_roll(orders, process) &&
	       tell_share(orders, process) && channel_send(process->channel, &message);
}

int orders_start(const struct orders *orders, struct process *process)
{
	int code = process_start(process, orders->common->options->worker);

	if (code == 0 && !configure(orders, process))
		process_kill(process);
	return code;
}
