/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "replace.h"
#include "../server/clock.h"

/* How long a new one may take to start, and an old one to leave. */
#define START_MS 30000
#define LEAVE_MS 2000

/* The clients of one should be back before those of the next one have to. */
#define PAUSE_MS 1000

#define ROUND_MESSAGES 256

static void step(struct replacement *replacement, enum replacement_state to, uint64_t for_ms)
{
	static const char *const names[] = {
		[REPLACE_NONE] = "NONE",
		[REPLACE_DUE] = "DUE",
		[REPLACE_STARTING] = "STARTING",
		[REPLACE_LEAVING] = "LEAVING",
	};

	log_now(MQUIC_LOG_DEBUG, "mquic: replacement: %s → %s", names[replacement->state],
		names[to]);
	replacement->state = to;
	replacement->until_ms = clock_ms() + for_ms;
}

bool replacement_begin(struct replacement *replacement)
{
	if (replacement->state != REPLACE_NONE)
		return false;
	replacement->at = 0;
	step(replacement, REPLACE_DUE, 0);
	return true;
}

bool replacement_has_next(const struct replacement *replacement)
{
	return replacement->state == REPLACE_STARTING || replacement->state == REPLACE_LEAVING;
}

/* The new one is no good. */
static void give_up(struct replacement *replacement, const char *why, const char *more)
{
	log_now(MQUIC_LOG_ERROR,
		"mquic: worker %u is not replaced, nor are those behind it: %s%s%s; they go on",
		replacement->next.number, why, *more != '\0' ? ": " : "", more);
	process_close_rolls(&replacement->next);
	step(replacement, REPLACE_NONE, 0);
}

static void start_next(struct replacement *replacement, const struct replacement_scene *scene)
{
	const struct process *old = &scene->all[replacement->at];
	int code;

	/* One that is not there will be a new one anyway. */
	if (old->state != PROCESS_SERVING) {
		replacement->at++;
		return;
	}
	process_init(&replacement->next, old->number);
	code = orders_start(scene->orders, &replacement->next);
	if (code != 0)
		give_up(replacement, scene->orders->common->options->worker, strerror(code));
	else
		step(replacement, REPLACE_STARTING, START_MS);
}

static void go_on(struct replacement *replacement, const struct replacement_scene *scene)
{
	if (clock_ms() < replacement->until_ms)
		return;
	if (replacement->at < scene->count) {
		start_next(replacement, scene);
		return;
	}
	log_now(MQUIC_LOG_INFO, "mquic: all workers were replaced");
	step(replacement, REPLACE_NONE, 0);
}

static void send_away(struct replacement *replacement, const struct process *old)
{
	const struct channel_message message = {
		.type = CHANNEL_STOP,
		.flags = CHANNEL_REPLACED,
		.fd = -1,
	};

	process_step(&replacement->next, PROCESS_IDLE);
	/* One that has read nothing for so long will not do so now. */
	if (!channel_send(old->channel, &message))
		process_kill(old);
	step(replacement, REPLACE_LEAVING, LEAVE_MS);
}

static void await_start(struct replacement *replacement, const struct replacement_scene *scene)
{
	struct process *next = &replacement->next;
	char end[64];

	if (next->ended_ms == 0 && !inbox_read(scene->inbox, next, ROUND_MESSAGES))
		next->ended_ms = clock_ms();
	if (next->broken || clock_ms() >= replacement->until_ms)
		process_kill(next);
	if (process_has_ended(next, end, sizeof(end)))
		give_up(replacement, next->failure[0] != '\0' ? next->failure : end,
			next->foreign ? "restart the broker" : "");
	else if (next->ready)
		send_away(replacement, &scene->all[replacement->at]);
}

void replacement_tick(struct replacement *replacement, const struct replacement_scene *scene)
{
	switch (replacement->state) {
	case REPLACE_DUE:
		go_on(replacement, scene);
		break;
	case REPLACE_STARTING:
		await_start(replacement, scene);
		break;
	case REPLACE_LEAVING:
		if (clock_ms() >= replacement->until_ms)
			process_kill(&scene->all[replacement->at]);
		break;
	default:
		break;
	}
}

bool replacement_take_over(struct replacement *replacement, struct process *process, size_t at)
{
	struct process *next = &replacement->next;

	if (!replacement_has_next(replacement) || replacement->at != at)
		return false;
	/* Those of its clients that have not heard are told by the new one. */
	next->orphans = process->orphans;
	next->pause_ms = process->pause_ms;
	next->reload_due |= process->reload_due;
	*process = *next;
	log_now(MQUIC_LOG_INFO, "mquic: worker %u was replaced; its clients connect anew",
		process->number);
	replacement->at++;
	step(replacement, REPLACE_DUE, PAUSE_MS);
	return true;
}
