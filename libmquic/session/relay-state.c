/* SPDX-License-Identifier: MIT */
/* What may be done with a relay as it stands, and what the program hears of it. See relay.h. */
#include "session/relay.h"

static const char names[][12] = {
	[RELAY_WAITING] = "WAITING", [RELAY_SHOWN] = "SHOWN",         [RELAY_OPEN] = "OPEN",
	[RELAY_LEFT] = "LEFT",       [RELAY_FINISHING] = "FINISHING", [RELAY_CLOSED] = "CLOSED",
};

void relay_step(struct mquic_relay *relay, enum relay_state to)
{
	const struct log *log = endpoint_log(relay->endpoint);

	log_step(log, "relay", relay->number, names[relay->state], names[to]);
	relay->state = to;
}

/* Whose fault it is that the relay is over; false: nobody's. */
static bool find_culprit(const struct mquic_relay *relay, enum log_culprit *culprit)
{
	if (relay->fault != MQUIC_OK)
		*culprit = log_culprit_of(MQUIC_ORIGIN_PEER, relay->fault);
	else
		*culprit = log_culprit_of(relay->end.origin, relay->end.status);
	return relay->fault != MQUIC_OK || relay->end.status != MQUIC_OK;
}

void relay_step_closed(struct mquic_relay *relay)
{
	const struct log *log = endpoint_log(relay->endpoint);
	const char *from = names[relay->state];
	enum log_culprit culprit;

	relay->state = RELAY_CLOSED;
	if (find_culprit(relay, &culprit))
		log_step_fault(log, "relay", relay->number, from, names[RELAY_CLOSED], culprit,
			       relay->end.text);
	else
		log_step(log, "relay", relay->number, from, names[RELAY_CLOSED]);
}

enum mquic_status relay_demand_client(struct mquic_relay *relay)
{
	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (relay->state == RELAY_CLOSED || relay->endpoint == NULL)
		return error_set(&relay->error, MQUIC_ERR_CLOSED, "the client is gone");
	return endpoint_check_fork(relay->endpoint, &relay->error);
}

enum mquic_status relay_demand(struct mquic_relay *relay, enum relay_state state, const char *what)
{
	enum mquic_status status = relay_demand_client(relay);

	if (status != MQUIC_OK)
		return status;
	/* A client that has left is read to its end as if it had not. */
	if ((relay->state == RELAY_LEFT ? RELAY_OPEN : relay->state) != state)
		return error_set(&relay->error, MQUIC_ERR_STATE, "%s", what);
	return MQUIC_OK;
}

bool relay_push(struct mquic_relay *relay, enum mquic_event_type type, bool *queued)
{
	struct mquic_event *event;

	if (queued != NULL && *queued)
		return true;
	event = event_new(type);
	if (event == NULL) {
		/* Without its event the relay would hang for ever. */
		relay->fault = MQUIC_ERR_MEMORY;
		(void)mquic_connection_close(relay->connection, MQUIC_CLOSE_CONTROL_GONE, NULL);
		return false;
	}
	event->relay = relay;
	event->connection = relay->connection;
	event->owner = relay;
	event->queued = queued;
	endpoint_push(relay->endpoint, event);
	return true;
}
