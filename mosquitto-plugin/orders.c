/* SPDX-License-Identifier: MIT */
#include "orders.h"
#include "../gateway/greeting.h"

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

	for (i = 0; good && i < orders->common->options->listen_count; i++) {
		const struct channel_message message = {
			.type = CHANNEL_SOCKET,
			.number = (uint32_t)i,
			.fd = orders->sockets->fds[i][process->number - 1],
		};

		good = channel_send(process->channel, &message);
	}
	return good;
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
bool orders_configure(const struct orders *orders, const struct process *process)
{
	const struct channel_message message = {
		.type = CHANNEL_CONFIGURE,
		.flags = orders->common->broker_2_1 ? CHANNEL_BROKER_2_1 : 0,
		.number = process->number,
		.limit = orders->common->options->max_connections,
		.fd = -1,
	};

	return greeting_send(process->channel) && tell_options(orders, process) &&
	       tell_sockets(orders, process) && tell_share(orders, process) &&
	       channel_send(process->channel, &message);
}
