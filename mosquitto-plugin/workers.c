/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inbox.h"
#include "log.h"
#include "orders.h"
#include "process.h"
#include "replace.h"
#include "sockets.h"
#include "workers.h"
#include "../server/clock.h"

/* How long the first start may take, and the end. A debugger such as valgrind takes its time. */
#define START_MS 30000
#define STOP_MS  2000

/* How many messages of one worker are read in one round, and when the broker waits for one. */
#define ROUND_MESSAGES 256
#define LOGIN_MESSAGES 4096

/* How often it is looked whether it is there, and how long it may be silent. */
#define LOOK_MS   10
#define PING_MS   10000
#define SILENT_MS 30000

/* How long a process may take to end whose channel has ended. */
#define LINGER_MS 1000

struct workers {
	struct workers_order order;
	struct inbox inbox;
	struct sockets sockets;
	struct orders orders;
	uint64_t read_ms;
	uint64_t looked_ms;
	struct process all[OPTIONS_WORKERS_MAX];
	size_t count;
	struct replacement replacement;
	char secret[2 * TOKEN_TEXT_LEN + 1]; /* all of them have it */
};

/* ---- Its life ------------------------------------------------------------------------ */

static int start(const struct workers *workers, struct process *process)
{
	return orders_start(&workers->orders, process);
}

/* What it has said decides about the next step. */
static void step(const struct workers *workers, struct process *process)
{
	if (process->state == PROCESS_STARTING && process->ready)
		process_step(process, PROCESS_IDLE);
	if (process->state == PROCESS_IDLE || process->state == PROCESS_SERVING)
		orders_tell_listeners(&workers->orders, process);
	if (process->state == PROCESS_IDLE && process->started != 0)
		process_step(process, PROCESS_SERVING);
}

/* It is gone: its clients are, too, and their sockets are closed by the system. */
static void bury(struct workers *workers, struct process *process, const char *end)
{
	identities_drop(workers->inbox.identities, process->number);
	counters_keep(&process->gone, &process->counters);
	memset(&process->counters, 0, sizeof(process->counters));
	process_keep_orphans(process);
	if (process->state == PROCESS_OVER)
		return;
	if (replacement_take_over(&workers->replacement, process, process->number - 1)) {
		step(workers, process);
		return;
	}
	process_rest(process);
	process_say_pause(process, end);
}

static void start_again(const struct workers *workers, struct process *process)
{
	int code = start(workers, process);

	if (code == 0)
		return;
	process_rest(process);
	log_now(MQUIC_LOG_ERROR, "mquic: worker %u cannot be started again: %s: %s",
		process->number, workers->order.options->worker, strerror(code));
}

/* The channel has ended: the process does so right after, or is made to. */
static void linger(struct process *process, uint64_t now_ms)
{
	if (process->ended_ms == 0)
		process->ended_ms = now_ms;
	if (process->broken) {
		log_now(MQUIC_LOG_ERROR,
			"mquic: worker %u says what no worker says; it is taken for one that was "
			"taken over, and ended",
			process->number);
		process->broken = false;
		process_kill(process);
	} else if (now_ms - process->ended_ms > LINGER_MS) {
		process_kill(process);
	}
}

static void ping(struct process *process, uint64_t now_ms)
{
	if (!process->pinged && now_ms - process->pinged_ms >= PING_MS) {
		process->pinged = process_tell(process, CHANNEL_PING);
		process->pinged_ms = now_ms;
	} else if (process->pinged && now_ms - process->pinged_ms >= SILENT_MS) {
		log_now(MQUIC_LOG_ERROR, "mquic: worker %u does not answer any more; it is ended",
			process->number);
		process->pinged = false;
		process->pinged_ms = now_ms;
		process_kill(process);
	}
}

static void look(struct workers *workers, struct process *process, uint64_t now_ms)
{
	char end[64];

	if (process->pid == 0) {
		if (process->state == PROCESS_RESTING && now_ms >= process->again_ms)
			start_again(workers, process);
		return;
	}
	if (process_has_ended(process, end, sizeof(end))) {
		bury(workers, process, end);
		return;
	}
	process_tell_due(process);
	ping(process, now_ms);
}

static void listen_to(struct workers *workers, struct process *process, unsigned int most)
{
	if (process->channel < 0)
		return;
	if (process->ended_ms != 0 || !inbox_read(&workers->inbox, process, most))
		linger(process, clock_ms());
	else
		step(workers, process);
}

static void tick_replacement(struct workers *workers)
{
	const struct replacement_scene scene = {
		.all = workers->all,
		.count = workers->count,
		.orders = &workers->orders,
		.inbox = &workers->inbox,
	};

	replacement_tick(&workers->replacement, &scene);
}

void workers_tick(struct workers *workers)
{
	uint64_t now_ms = clock_ms();
	bool due = now_ms - workers->looked_ms >= LOOK_MS;
	size_t i;

	/* There may be ten thousand rounds in a second. */
	if (now_ms == workers->read_ms)
		return;
	workers->read_ms = now_ms;
	for (i = 0; i < workers->count; i++) {
		listen_to(workers, &workers->all[i], ROUND_MESSAGES);
		if (due || workers->all[i].ended_ms != 0)
			look(workers, &workers->all[i], now_ms);
	}
	if (!due)
		return;
	workers->looked_ms = now_ms;
	tick_replacement(workers);
}

void workers_read(struct workers *workers)
{
	size_t i;

	for (i = 0; i < workers->count; i++)
		listen_to(workers, &workers->all[i], LOGIN_MESSAGES);
}

/* ---- What the plugin wants ------------------------------------------------------------- */

static void step_all(struct workers *workers)
{
	size_t i;

	for (i = 0; i < workers->count; i++)
		step(workers, &workers->all[i]);
}

void workers_serve(struct workers *workers, unsigned int listener,
		   const struct handoff_terms *terms)
{
	workers->orders.terms[listener] = *terms;
	workers->orders.serving |= UINT32_C(1) << listener;
	step_all(workers);
}

void workers_shut(struct workers *workers, unsigned int listener)
{
	workers->orders.shut |= UINT32_C(1) << listener;
	sockets_shut(&workers->sockets, listener);
	step_all(workers);
}

void workers_taken(struct workers *workers, unsigned int listener)
{
	size_t i;

	for (i = 0; workers->orders.terms[listener].unproven && i < workers->count; i++)
		if (workers->all[i].channel >= 0)
			orders_tell_taken(listener, &workers->all[i]);
}

bool workers_were_bypassed(const struct workers *workers, unsigned int listener)
{
	size_t i;

	for (i = 0; i < workers->count; i++)
		if ((workers->all[i].bypassed & UINT32_C(1) << listener) != 0)
			return true;
	return false;
}

bool workers_replace(struct workers *workers)
{
	return workers->orders.serving != 0 && replacement_begin(&workers->replacement);
}

/* One that is not there reads all of it when it starts, one that starts may have done so before. */
void workers_reload(struct workers *workers)
{
	size_t i;

	workers->replacement.next.reload_due = true;
	for (i = 0; i < workers->count; i++)
		if (workers->all[i].channel >= 0) {
			workers->all[i].reload_due = true;
			process_tell_due(&workers->all[i]);
		}
}

void workers_tell_expiring(struct workers *workers)
{
	size_t i;

	for (i = 0; i < workers->count; i++)
		if (workers->all[i].channel >= 0) {
			workers->all[i].expiring_due = true;
			process_tell_due(&workers->all[i]);
		}
}

void workers_count(struct workers *workers)
{
	size_t i;

	for (i = 0; i < workers->count; i++)
		if (workers->all[i].channel >= 0)
			workers->all[i].count_due = process_tell(&workers->all[i], CHANNEL_COUNT);
}

bool workers_have_counted(const struct workers *workers)
{
	size_t i;

	for (i = 0; i < workers->count; i++)
		if (workers->all[i].channel >= 0 && workers->all[i].count_due)
			return false;
	return true;
}

int workers_channel(const struct workers *workers, unsigned int number)
{
	return number >= 1 && number <= workers->count ? workers->all[number - 1].channel : -1;
}

size_t workers_counters(const struct workers *workers, struct counters counters[])
{
	size_t i;

	memset(&counters[0], 0, sizeof(counters[0]));
	for (i = 0; i < workers->count; i++) {
		process_count(&workers->all[i], &counters[i + 1]);
		counters_add(&counters[0], &counters[i + 1]);
	}
	return workers->count;
}

/* ---- Start and end ------------------------------------------------------------------------ */

/* Waits for something to be said on this channel; a little while, where that is -1. */
static void wait_for(int channel, uint64_t until_ms)
{
	struct pollfd watched = {.fd = channel, .events = POLLIN};
	uint64_t now_ms = clock_ms();

	/* The end of the process is noticed here, too, should somebody else have its channel. */
	if (now_ms < until_ms)
		(void)poll(&watched, 1, until_ms - now_ms < 50 ? (int)(until_ms - now_ms) : 50);
}

/* Why it does not listen; `end` is how it has ended, empty if it has not. */
static void complain(const struct process *process, const char *program, const char *end,
		     char error[OPTIONS_ERROR_SIZE])
{
	if (process->foreign)
		snprintf(error, OPTIONS_ERROR_SIZE,
			 "plugin_opt_worker: %s: %s; install both from the same version", program,
			 process->failure);
	else if (process->failure[0] != '\0')
		snprintf(error, OPTIONS_ERROR_SIZE, "%.*s", OPTIONS_ERROR_SIZE - 1,
			 process->failure);
	else if (*end != '\0')
		snprintf(error, OPTIONS_ERROR_SIZE,
			 "plugin_opt_worker: %s %s before it listened: is it the mquic-gateway of "
			 "this plugin?",
			 program, end);
	else
		snprintf(error, OPTIONS_ERROR_SIZE,
			 "plugin_opt_worker: %s does not say that it listens", program);
}

/* Whether it listens. False: `error` says why not. */
static bool wait_until_ready(struct workers *workers, struct process *process, char *error)
{
	uint64_t until_ms = clock_ms() + START_MS;
	char end[64] = "";
	bool ended = false;
	bool heard = true;

	while (!process->ready && process->failure[0] == '\0' && !ended && clock_ms() < until_ms) {
		wait_for(heard ? process->channel : -1, until_ms);
		heard = heard && inbox_read(&workers->inbox, process, ROUND_MESSAGES);
		if (process->broken)
			process_kill(process);
		ended = process_has_ended(process, end, sizeof(end));
	}
	if (process->ready && !ended) {
		process_step(process, PROCESS_IDLE);
		return true;
	}
	complain(process, workers->order.options->worker, end, error);
	return false;
}

static bool start_first(struct workers *workers, struct process *process, char *error)
{
	int code = start(workers, process);

	if (code == 0)
		return wait_until_ready(workers, process, error);
	snprintf(error, OPTIONS_ERROR_SIZE,
		 "plugin_opt_worker: the program %s cannot be run: %s. It belongs to this plugin: "
		 "install it there, or name the place where it is",
		 workers->order.options->worker, strerror(code));
	return false;
}

static bool start_all(struct workers *workers, char *error)
{
	bool good = sockets_open(&workers->sockets, workers->order.options, error);
	size_t i;

	for (i = 0; good && i < workers->count; i++)
		good = start_first(workers, &workers->all[i], error);
	return good;
}

/* Of the parts of two tokens: each has fewer random bits than a secret. */
static bool draw_secret(struct workers *workers)
{
	struct token one, two;

	if (!token_draw(&one) || !token_draw(&two))
		return false;
	token_text(&one, workers->secret);
	token_text(&two, workers->secret + TOKEN_TEXT_LEN);
	workers->secret[CHANNEL_SECRET_LEN] = '\0';
	return true;
}

struct workers *workers_new(const struct workers_order *order, struct identities *identities,
			    char error[OPTIONS_ERROR_SIZE])
{
	struct workers *workers = calloc(1, sizeof(*workers));
	size_t i;

	snprintf(error, OPTIONS_ERROR_SIZE, "out of memory");
	if (workers == NULL)
		return NULL;
	workers->order = *order;
	workers->orders = (struct orders){
		.common = &workers->order,
		.sockets = &workers->sockets,
		.identities = identities,
		.secret = workers->secret,
	};
	workers->count = order->options->workers;
	workers->inbox.identities = identities;
	for (i = 0; i < order->options->listener_count; i++)
		if (options_ask_certificate(&order->options->listeners[i]))
			workers->inbox.by_certificate |= UINT32_C(1) << i;
	sockets_init(&workers->sockets);
	for (i = 0; i < workers->count; i++)
		process_init(&workers->all[i], (unsigned int)i + 1);
	if (draw_secret(workers) && start_all(workers, error))
		return workers;
	workers_free(workers);
	return NULL;
}

/* Reads its last words until it is gone. */
static void see_end(struct workers *workers, struct process *process, uint64_t until_ms)
{
	char end[64];

	while (process->pid != 0 && !process_has_ended(process, end, sizeof(end))) {
		if (clock_ms() >= until_ms)
			process_kill(process);
		wait_for(process->ended_ms == 0 ? process->channel : -1, clock_ms() + 10);
		if (process->ended_ms == 0 && !inbox_read(&workers->inbox, process, ROUND_MESSAGES))
			process->ended_ms = clock_ms();
	}
}

/* One that would have taken another's place. */
static void drop_successor(struct workers *workers)
{
	struct process *next = &workers->replacement.next;

	if (!replacement_has_next(&workers->replacement))
		return;
	see_end(workers, next, 0);
	process_close_rolls(next);
	workers->replacement.state = REPLACE_NONE;
}

void workers_stop(struct workers *workers)
{
	uint64_t until_ms = clock_ms() + STOP_MS;
	size_t i;

	drop_successor(workers);
	for (i = 0; i < workers->count; i++) {
		if (workers->all[i].state != PROCESS_OVER)
			process_step(&workers->all[i], PROCESS_OVER);
		if (workers->all[i].channel >= 0 && !process_tell(&workers->all[i], CHANNEL_STOP))
			process_kill(&workers->all[i]);
	}
	for (i = 0; i < workers->count; i++) {
		see_end(workers, &workers->all[i], until_ms);
		identities_drop(workers->inbox.identities, workers->all[i].number);
	}
}

void workers_free(struct workers *workers)
{
	size_t i;

	if (workers == NULL)
		return;
	drop_successor(workers);
	for (i = 0; i < workers->count; i++) {
		process_kill(&workers->all[i]);
		see_end(workers, &workers->all[i], 0);
		process_close_rolls(&workers->all[i]);
	}
	sockets_close(&workers->sockets);
	free(workers);
}
