/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inbox.h"
#include "log.h"
#include "../gateway/greeting.h"
#include "../server/clock.h"

/*
 * At most so many in the log per second, whoever speaks; the others are counted. Debug lines are for
 * those who have asked for all of them.
 */
static void log_line(struct process *process, const struct channel_message *message)
{
	if (message->number < MQUIC_LOG_DEBUG && !limiter_spend(&process->lines, clock_ms())) {
		process->unsaid++;
		return;
	}
	if (process->unsaid > 0)
		log_now(MQUIC_LOG_WARNING, "mquic: %u log lines were dropped", process->unsaid);
	process->unsaid = 0;
	log_now((enum mquic_log_level)message->number, "mquic: %s", message->text.data);
}

/* A name that needs no password is there for certificates alone. */
static bool may_be_of_kind(const struct inbox *inbox, const struct identity_facts *facts)
{
	bool by_certificate = (inbox->by_certificate & UINT32_C(1) << facts->listener) != 0;

	if (facts->kind == CHANNEL_KIND_CERTIFICATE)
		return by_certificate && facts->name != NULL;
	return facts->kind == CHANNEL_KIND_CLIENT ? !by_certificate : by_certificate;
}

/* One that is not taken for what it says it is will be refused by the broker. */
static void announce(struct inbox *inbox, struct process *process,
		     const struct channel_message *message)
{
	struct identity_facts facts = {
		.listener = message->listener,
		.kind = (enum channel_kind)message->number,
		.name = (char *)(uintptr_t)message->text.data,
	};

	if (!may_be_of_kind(inbox, &facts)) {
		process->broken = true;
		return;
	}
	snprintf(facts.peer, sizeof(facts.peer), "%s", message->more.data);
	identity_add(inbox->identities, process->number, &message->token, &facts);
}

static void hear_of_bypass(const struct inbox *inbox, struct process *process,
			   const struct channel_message *message)
{
	if (!identities_were_taken(inbox->identities, message->listener) &&
	    identity_is_waiting(inbox->identities, process->number, message->listener,
				&message->token))
		process->bypassed |= UINT32_C(1) << message->listener;
}

/* They are numbers to look at, and nothing else comes of them. */
static void take_counters(struct process *process, const struct channel_message *message)
{
	struct counters counters;

	process->count_due = false;
	if (counters_unpack(&counters, message->more.data, message->more.len))
		process->counters = counters;
}

static void record(struct inbox *inbox, struct process *process,
		   const struct channel_message *message)
{
	switch (message->type) {
	case CHANNEL_LINE:
		log_line(process, message);
		break;
	case CHANNEL_ANNOUNCE:
		announce(inbox, process, message);
		break;
	case CHANNEL_PRESENT:
		identity_show(inbox->identities, process->number, message);
		break;
	case CHANNEL_GONE:
		identity_remove(inbox->identities, process->number, &message->token);
		break;
	case CHANNEL_BYPASSED:
		hear_of_bypass(inbox, process, message);
		break;
	case CHANNEL_COUNTERS:
		take_counters(process, message);
		break;
	case CHANNEL_READY:
		process->ready = true;
		break;
	case CHANNEL_FAILED:
		snprintf(process->failure, sizeof(process->failure), "%s", message->text.data);
		break;
	default: /* CHANNEL_PONG */
		break;
	}
}

/* The first packet. One of another version ends by itself. */
static enum channel_status meet(struct process *process)
{
	struct greeting greeting;
	enum channel_status status = greeting_receive(process->channel, &greeting);

	process->broken = status == CHANNEL_BROKEN;
	if (status != CHANNEL_RECEIVED)
		return status;
	process->met = greeting_is_ours(&greeting);
	process->foreign = !process->met;
	if (process->met)
		return status;
	snprintf(process->failure, sizeof(process->failure),
		 "it is of mquic %s and speaks version %u of the channel, the plugin is of mquic "
		 "%s and speaks version %u",
		 greeting.program, greeting.version, MQUIC_VERSION_STRING, GREETING_VERSION);
	return CHANNEL_ENDED;
}

bool inbox_read(struct inbox *inbox, struct process *process, unsigned int most)
{
	struct channel_message message;

	if (!process->met) {
		enum channel_status status = meet(process);

		if (status != CHANNEL_RECEIVED)
			return status == CHANNEL_EMPTY;
	}
	for (; most > 0 && !process->broken; most--) {
		switch (channel_receive(process->channel, true, inbox->packet,
					sizeof(inbox->packet), &message)) {
		case CHANNEL_RECEIVED:
			process->pinged = false; /* whatever it says, it lives */
			record(inbox, process, &message);
			break;
		case CHANNEL_EMPTY:
			return true;
		case CHANNEL_ENDED:
			return false;
		default:
			process->broken = true;
			break;
		}
	}
	return !process->broken;
}
