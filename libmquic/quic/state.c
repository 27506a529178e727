/* SPDX-License-Identifier: MIT */
#include "quic/state.h"

#include "quic/body.h"

static const char names[][12] = {
	[CONNECTION_NEW] = "NEW",
	[CONNECTION_RESOLVING] = "RESOLVING",
	[CONNECTION_HANDSHAKE] = "HANDSHAKE",
	[CONNECTION_READY] = "READY",
	[CONNECTION_ENDED] = "ENDED",
};

void state_step(struct mquic_connection *connection, enum connection_state to)
{
	const struct log *log = endpoint_log(connection->endpoint);
	const char *from = names[connection->state];
	const struct quic_end *end = &connection->end;

	connection->state = to;
	if (to != CONNECTION_ENDED || end->status == MQUIC_OK)
		log_step(log, "connection", connection->number, from, names[to]);
	else
		log_step_fault(log, "connection", connection->number, from, names[to], end->culprit,
			       end->text);
}
