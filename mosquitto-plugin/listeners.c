/* SPDX-License-Identifier: MIT */
#include "listeners.h"
#include "log.h"
#include "workers.h"

/* ---- Steps -------------------------------------------------------------------------- */

static const char *state_name(enum listener_state state)
{
	static const char *const names[] = {
		[LISTENER_TESTING] = "TESTING",
		[LISTENER_SERVING] = "SERVING",
		[LISTENER_REFUSED] = "REFUSED",
	};

	return names[state];
}

/* All changes of state. */
static void step(struct listeners *listeners, size_t number, enum listener_state to)
{
	struct listener_entry *entry = &listeners->all[number];

	log_now(MQUIC_LOG_DEBUG, "mquic: listener %u: %s → %s", (unsigned int)number + 1,
		state_name(entry->state), state_name(to));
	entry->state = to;
}

static void say_refusal(const struct listener_options *options, const char *why)
{
	if (options->name[0] == '\0')
		log_now(MQUIC_LOG_ERROR, "mquic: no QUIC client is served. Hand-off socket %s: %s",
			options->handoff, why);
	else
		log_now(MQUIC_LOG_ERROR,
			"mquic: listener %s serves no QUIC client. Hand-off socket %s: %s",
			options->name, options->handoff, why);
}

static void say_ready(const struct listener_options *options)
{
	if (options->name[0] == '\0')
		log_now(MQUIC_LOG_INFO, "mquic: ready for QUIC clients");
	else
		log_now(MQUIC_LOG_INFO, "mquic: listener %s is ready for QUIC clients",
			options->name);
}

/* Gives up for good, but not the broker: its other listeners go on, and our own. */
static void refuse(struct listeners *listeners, size_t number, const char *why)
{
	say_refusal(&listeners->options->listeners[number], why);
	selftest_end(&listeners->all[number].selftest);
	step(listeners, number, LISTENER_REFUSED);
}

/* ---- Time ------------------------------------------------------------------------------ */

static enum selftest_state test(struct listeners *listeners, size_t number)
{
	const struct listener_options *options = &listeners->options->listeners[number];

	return selftest_tick(&listeners->all[number].selftest, options->handoff,
			     options->proxy_protocol);
}

static void try_to_serve(struct listeners *listeners, size_t number, struct workers *workers)
{
	struct selftest *selftest = &listeners->all[number].selftest;

	switch (test(listeners, number)) {
	case SELFTEST_FAILED:
		refuse(listeners, number, selftest->failure);
		workers_shut(workers, (unsigned int)number);
		break;
	case SELFTEST_PASSED:
		workers_serve(workers, (unsigned int)number, &selftest->terms);
		say_ready(&listeners->options->listeners[number]);
		step(listeners, number, LISTENER_SERVING);
		break;
	default:
		break;
	}
}

void listeners_tick(struct listeners *listeners, struct workers *workers)
{
	size_t i;

	for (i = 0; i < listeners->options->listener_count; i++) {
		if (listeners->all[i].state == LISTENER_TESTING) {
			try_to_serve(listeners, i, workers);
		} else if (listeners->all[i].state == LISTENER_SERVING &&
			   workers_were_bypassed(workers, (unsigned int)i)) {
			refuse(listeners, i, selftest_logins_elsewhere);
			workers_shut(workers, (unsigned int)i);
		}
	}
}

void listeners_refuse_all(struct listeners *listeners, const char *why)
{
	size_t i;

	for (i = 0; i < listeners->options->listener_count; i++)
		if (listeners->all[i].state != LISTENER_REFUSED)
			refuse(listeners, i, why);
}

static bool any_is(const struct listeners *listeners, enum listener_state state)
{
	size_t i;

	for (i = 0; i < listeners->options->listener_count; i++)
		if (listeners->all[i].state == state)
			return true;
	return false;
}

bool listeners_serve(const struct listeners *listeners)
{
	return any_is(listeners, LISTENER_SERVING);
}

bool listeners_are_over(const struct listeners *listeners)
{
	return !any_is(listeners, LISTENER_SERVING) && !any_is(listeners, LISTENER_TESTING);
}

/* ---- After RELOAD ------------------------------------------------------------------------ */

void listeners_reload(struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < listeners->options->listener_count; i++)
		listeners->all[i].may_differ = true;
}

static bool has_closed(struct listeners *listeners, size_t number)
{
	struct listener_entry *entry = &listeners->all[number];
	struct selftest *selftest = &entry->selftest;
	bool due = entry->may_differ || selftest_is_unanswered(selftest);

	if (due && selftest->state == SELFTEST_PASSED) {
		entry->may_differ = false;
		entry->was_open = selftest->terms.is_open;
		selftest_ask_again(selftest);
	}
	return selftest->state != SELFTEST_PASSED && test(listeners, number) == SELFTEST_PASSED &&
	       entry->was_open && !selftest->terms.is_open;
}

bool listeners_ask_again(struct listeners *listeners)
{
	bool closed = false;
	size_t i;

	for (i = 0; i < listeners->options->listener_count; i++)
		if (listeners->all[i].state == LISTENER_SERVING)
			closed |= has_closed(listeners, i);
	return closed;
}

/* The answer of all that have one: without per_listener_settings they have the same. */
bool listeners_are_open(const struct listeners *listeners)
{
	bool open = false;
	size_t i;

	for (i = 0; i < listeners->options->listener_count; i++) {
		if (listeners->all[i].state == LISTENER_REFUSED)
			continue;
		if (!listeners->all[i].selftest.terms.is_open)
			return false;
		open = true;
	}
	return open;
}

/* ---- Life ------------------------------------------------------------------------------- */

void listeners_init(struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < OPTIONS_LISTENERS_MAX; i++)
		listeners->all[i].selftest.fd = -1;
}

void listeners_may_be_open(struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < OPTIONS_LISTENERS_MAX; i++)
		listeners->all[i].selftest.may_ask_anonymous = true;
}

void listeners_end(struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < OPTIONS_LISTENERS_MAX; i++)
		selftest_end(&listeners->all[i].selftest);
}
