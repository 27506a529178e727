/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "quic/attempt.h"
#include "quic/body.h"

struct mquic_connection *connection_new(struct quic_host *host)
{
	struct mquic_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->telling.last_event = event_new(MQUIC_EVENT_CONNECTION_CLOSED);
	if (connection->telling.last_event == NULL) {
		free(connection);
		return NULL;
	}
	memory_init(&connection->memory);
	connection->target.kind = TARGET_CONNECTION;
	connection->state = CONNECTION_NEW;
	connection->endpoint = host->endpoint;
	connection->host = host;
	connection->number = log_number(endpoint_log(host->endpoint), LOG_CONNECTION);
	connection->started_ns = endpoint_now(host->endpoint);
	list_init(&connection->target.routes);
	list_init(&connection->attempts);
	list_init(&connection->streams.all);
	list_init(&connection->streams.sendable);
	list_init(&connection->streams.touched);
	list_init(&connection->streams.waiting);
	list_init(&connection->streams.stopping);
	list_init(&connection->streams.acceptable);
	list_append(&host->connections, &connection->link);
	return connection;
}

void connection_free(struct mquic_connection *connection)
{
	list_remove(&connection->task.link);
	list_remove(&connection->accept_link);
	list_remove(&connection->link);
	mquic_event_free(connection->telling.last_event);
	tls_facts_clear(&connection->facts.tls);
	tls_credentials_unref(connection->credentials);
	if (connection->listener == NULL)
		mquic_settings_free(connection->settings);
	free(connection);
}

void connection_schedule(struct mquic_connection *connection)
{
	endpoint_schedule(connection->endpoint, &connection->task);
}

void connection_out_of_memory(struct mquic_connection *connection)
{
	struct attempt *attempt = connection->attempt;

	if (connection->state == CONNECTION_ENDED || attempt == NULL ||
	    attempt->record.failure != 0)
		return;
	attempt->record.failure = NGTCP2_ERR_NOMEM;
	connection_schedule(connection);
}

enum mquic_status connection_check_fork(struct mquic_connection *connection)
{
	if (connection->endpoint == NULL)
		return MQUIC_OK; /* and nothing is left to be done with it */
	return endpoint_check_fork(connection->endpoint, &connection->error);
}

bool connection_is_torn(const struct mquic_connection *connection)
{
	return connection->endpoint != NULL && endpoint_is_torn(connection->endpoint);
}

bool connection_is_over(const struct mquic_connection *connection)
{
	return connection->state == CONNECTION_ENDED;
}

struct error *connection_error(struct mquic_connection *connection)
{
	return &connection->error;
}

struct mquic_endpoint *connection_endpoint(const struct mquic_connection *connection)
{
	return connection->endpoint;
}

void connection_set_keep_alive_ms(struct mquic_connection *connection, uint64_t interval_ms)
{
	if (connection_conn(connection) != NULL)
		challenge_keep_alive(connection->attempt, interval_ms * NGTCP2_MILLISECONDS);
}

void connection_set_held(struct mquic_connection *connection, size_t bytes)
{
	connection->memory.held = bytes;
}
