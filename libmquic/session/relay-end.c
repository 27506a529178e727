/* SPDX-License-Identifier: MIT */
/* How a relay ends: the last bytes, the last event. See relay.h. */
#include "session/relay.h"

#include <string.h>

/* How long the client may acknowledge nothing of the last bytes. */
#define FINISH_NS (5000 * (uint64_t)NS_PER_MS)

void relay_tell_closed(struct mquic_relay *relay)
{
	struct mquic_event *event = relay->last_event;

	if (event == NULL)
		return;
	relay->last_event = NULL;
	relay_step_closed(relay);
	event->type = MQUIC_EVENT_RELAY_CLOSED;
	event->relay = relay;
	event->connection = relay->connection;
	event->owner = relay;
	event->status = relay->end.status;
	event->origin = relay->end.origin;
	event->code = relay->end.code;
	event_set_text(event, relay->end.text, strlen(relay->end.text));
	endpoint_push(relay->endpoint, event);
}

void relay_hang_up(struct mquic_relay *relay, enum mquic_status fault, const char *reason)
{
	if (connection_is_over(relay->connection))
		return;
	relay->fault = fault;
	(void)mquic_connection_close(relay->connection, MQUIC_CLOSE_CONTROL_GONE, reason);
}

void relay_lose_stream(struct mquic_relay *relay)
{
	relay_hang_up(relay, MQUIC_ERR_CLOSED, "the control stream is gone");
}

enum mquic_status relay_say_good_bye(struct mquic_relay *relay)
{
	return mquic_connection_close(relay->connection, MQUIC_CLOSE_NORMAL, relay->farewell);
}

void relay_await_flush(struct mquic_relay *relay, uint64_t pending, uint64_t now_ns)
{
	relay->pending = pending;
	timer_set(endpoint_timers(relay->endpoint), &relay->timer, now_ns + FINISH_NS);
}

enum mquic_status mquic_relay_close(struct mquic_relay *relay, uint64_t code, const char *reason)
{
	enum mquic_status status = relay_demand_client(relay);

	if (status != MQUIC_OK)
		return status;
	if (relay->state == RELAY_LEFT) {
		relay_tell_closed(relay);
		return MQUIC_OK;
	}
	if (mquic_connection_close(relay->connection, code, reason) != MQUIC_OK)
		return error_set(&relay->error, MQUIC_ERR_INVALID, "%s",
				 mquic_connection_error(relay->connection));
	return MQUIC_OK;
}
