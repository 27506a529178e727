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

static bool tell_sockets(const struct orders *orders, unsigned int listener,
			 const struct process *process)
{
	const struct listener_options *options = &orders->common->options->listeners[listener];
	bool good = true;
	size_t i;

	for (i = 0; good && i < options->listen_count; i++) {
		const struct channel_message message = {
			.type = CHANNEL_SOCKET,
			.listener = listener,
			.number = (uint32_t)i,
			.fd = orders->sockets->fds[listener][i][process->number - 1],
		};

		good = channel_send(process->channel, &message);
	}
	return good;
}

static bool tell_places(const struct orders *orders, unsigned int listener,
			const struct process *process)
{
	const struct channel_message message = {
		.type = CHANNEL_PLACES,
		.listener = listener,
		.limit = orders->common->options->listeners[listener].max_connections,
		.fd = -1,
	};

	return channel_send(process->channel, &message);
}

static bool tell_listeners(const struct orders *orders, const struct process *process)
{
	bool good = true;
	unsigned int i;

	for (i = 0; good && i < orders->common->options->listener_count; i++)
		good = tell_places(orders, i, process) &&
		       ((orders->shut & UINT32_C(1) << i) != 0 || tell_sockets(orders, i, process));
	return good;
}

/* Those that are on their way out are on it, too. */
#define SPARE_PLACES 64

static size_t count_places(const struct options *options)
{
	size_t places = 0;
	size_t i;

	for (i = 0; i < options->listener_count; i++)
		places += options->listeners[i].max_connections;
	return places;
}

/* Without one its clients notice its death with their next packet, as those of old kernels. */
static bool tell_roll(const struct orders *orders, struct process *process)
{
	const struct options *options = orders->common->options;
	struct channel_message message = {.type = CHANNEL_ROLL};

	if (process->roll < 0)
		process->roll = roll_make(count_places(options) / options->workers + SPARE_PLACES);
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
		.fd = -1,
	};

	return greeting_send(process->channel) && tell_options(orders, process) &&
	       tell_listeners(orders, process) && tell_roll(orders, process) &&
	       tell_share(orders, process) && channel_send(process->channel, &message);
}

int orders_start(const struct orders *orders, struct process *process)
{
	int code = process_start(process, orders->common->options->worker);

	if (code == 0 && !configure(orders, process))
		process_kill(process);
	return code;
}

/* ---- Later --------------------------------------------------------------------------- */

static bool tell_start(const struct orders *orders, const struct process *process,
		       unsigned int listener)
{
	const struct handoff_terms *terms = &orders->terms[listener];
	bool unproven = terms->unproven && !identities_were_taken(orders->identities, listener);
	const struct channel_message message = {
		.type = CHANNEL_START,
		.flags = (terms->names_are_ids ? CHANNEL_NAMES_ARE_IDS : 0) |
			 (unproven ? CHANNEL_UNPROVEN : 0),
		.listener = listener,
		.limit = (uint32_t)terms->connect_max,
		.fd = -1,
	};

	return channel_send(process->channel, &message);
}

static bool tell_of(const struct process *process, enum channel_type type, unsigned int listener)
{
	const struct channel_message message = {.type = type, .listener = listener, .fd = -1};

	return channel_send(process->channel, &message);
}

/* What it is to do with each listener, as far as it does not know. */
void orders_tell_listeners(const struct orders *orders, struct process *process)
{
	uint32_t starts = orders->serving & ~orders->shut & ~process->started;
	uint32_t ends = orders->shut & ~process->shut;
	unsigned int i;

	for (i = 0; (starts | ends) >> i != 0; i++) {
		uint32_t bit = UINT32_C(1) << i;

		if ((starts & bit) != 0 && tell_start(orders, process, i))
			process->started |= bit;
		if ((ends & bit) != 0 && tell_of(process, CHANNEL_SHUT, i))
			process->shut |= bit;
	}
}

void orders_tell_taken(unsigned int listener, struct process *process)
{
	uint32_t bit = UINT32_C(1) << listener;

	if ((process->taken_told & bit) == 0 && tell_of(process, CHANNEL_TAKEN, listener))
		process->taken_told |= bit;
}
