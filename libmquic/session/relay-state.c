/* SPDX-License-Identifier: MIT */
/* What may be done with a relay as it stands, and what the program hears of it. See relay.h. */
#include "session/relay.h"

enum mquic_status relay_demand(struct mquic_relay *relay, enum relay_state state, const char *what)
{
	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (relay->state == RELAY_CLOSED || relay->endpoint == NULL)
		return error_set(&relay->error, MQUIC_ERR_CLOSED, "the client is gone");
	if (endpoint_check_fork(relay->endpoint, &relay->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (relay->state != state)
		return error_set(&relay->error, MQUIC_ERR_STATE, "%s", what);
	return MQUIC_OK;
}

void relay_push(struct mquic_relay *relay, enum mquic_event_type type, bool *queued)
{
	struct mquic_event *event;

	if (queued != NULL && *queued)
		return;
	event = event_new(type);
	if (event == NULL) {
		/* Without its event the relay would hang for ever. */
		(void)mquic_connection_close(relay->connection, CLOSE_CONTROL_GONE, NULL);
		return;
	}
	event->relay = relay;
	event->connection = relay->connection;
	event->owner = relay;
	event->queued = queued;
	endpoint_push(relay->endpoint, event);
}
