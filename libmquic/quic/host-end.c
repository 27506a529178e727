/* SPDX-License-Identifier: MIT */
/* The endpoint is freed: what becomes of the connections and listeners on it. */
#include "quic/body.h"
#include "quic/closing.h"
#include "quic/conductor.h"
#include "quic/listener.h"

/* Handles that are out live on without an endpoint. */
static void let_connections_go(struct quic_host *host)
{
	struct list *node;

	while (!list_is_empty(&host->connections)) {
		struct mquic_connection *connection =
			list_entry(host->connections.next, struct mquic_connection, link);

		(void)mquic_connection_close(connection, 0, NULL);
		conductor_drop(connection); /* in a child of fork() nothing was said */
		if (!connection->owned) {
			conductor_destroy(connection);
			continue;
		}
		list_remove(&connection->link);
		list_remove(&connection->task.link);
		connection->endpoint = NULL;
		connection->host = NULL;
		if (connection->listener != NULL)
			connection->settings = NULL; /* the listener's */
		connection->listener = NULL;
	}
	while ((node = list_take_first(&host->closings)) != NULL)
		closing_free(closing_of_link(node));
}

void host_orphan(struct endpoint_child *child)
{
	struct quic_host *host = list_entry(child, struct quic_host, child);

	let_connections_go(host);
	listener_free_all(host);
	event_queue_purge(endpoint_events(host->endpoint), host);
	host_free(host);
}
