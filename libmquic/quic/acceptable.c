/* SPDX-License-Identifier: MIT */
#include "quic/acceptable.h"

#include "quic/body.h"

void acceptable_add(struct mquic_connection *connection)
{
	struct quic_host *host = connection->host;
	struct mquic_event *event;

	list_append(&host->acceptable, &connection->accept_link);
	if (host->acceptable_queued)
		return;
	event = event_new(MQUIC_EVENT_ACCEPTABLE);
	if (event == NULL) {
		connection_out_of_memory(connection);
		return;
	}
	event->owner = host;
	event->queued = &host->acceptable_queued;
	endpoint_push(host->endpoint, event);
}
