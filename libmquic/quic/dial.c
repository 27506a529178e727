/* SPDX-License-Identifier: MIT */
/* The client side's way out: a name, what it leads to, and trust in who is there. */
#include "quic/body.h"
#include "quic/conductor.h"
#include "quic/race.h"
#include "quic/totals.h"
#include "quic/transport.h"

/*
 * Loading the system's trust store takes milliseconds and megabytes, so connections that are
 * alive share it with new ones of the same settings.
 */
static struct tls_credentials *shared_credentials(struct quic_host *host,
						  const struct mquic_settings *settings)
{
	struct list *node;

	for (node = host->connections.prev; node != &host->connections; node = node->prev) {
		struct mquic_connection *other = list_entry(node, struct mquic_connection, link);

		if (other->listener == NULL && other->state != CONNECTION_ENDED &&
		    other->credentials != NULL &&
		    settings_same_credentials(other->settings, settings))
			return tls_credentials_ref(other->credentials);
	}
	return NULL;
}

/* A connection with everything but an address. */
static enum mquic_status prepare(struct mquic_connection **connection, struct quic_host *quic,
				 const struct mquic_settings *settings, const char *host)
{
	struct mquic_connection *made = conductor_new(quic);
	enum mquic_status status = MQUIC_OK;

	if (made == NULL)
		return error_set(endpoint_error(quic->endpoint), MQUIC_ERR_MEMORY, "out of memory");
	made->settings = settings_copy(settings);
	if (made->settings == NULL || !candidates_new(made, host)) {
		conductor_destroy(made);
		return error_set(endpoint_error(quic->endpoint), MQUIC_ERR_MEMORY, "out of memory");
	}
	made->credentials = shared_credentials(quic, made->settings);
	if (made->credentials == NULL)
		status = transport_credentials(&made->credentials, made->settings, TLS_CLIENT,
					       endpoint_error(quic->endpoint));
	if (status != MQUIC_OK) {
		conductor_destroy(made);
		return status;
	}
	*connection = made;
	return MQUIC_OK;
}

/* What an attempt would find wrong, while who dials can be told. */
static enum mquic_status check(struct mquic_connection *connection)
{
	const char *local_address = connection->settings->local_address;
	struct address ignored;
	enum mquic_status status = attempt_check(connection);

	if (status != MQUIC_OK || local_address == NULL)
		return status;
	return address_parse(&ignored, local_address, 0, endpoint_error(connection->endpoint));
}

/* A numeric address is no name, and waits for nobody. */
static enum mquic_status begin(struct mquic_connection *connection, uint16_t port)
{
	enum mquic_status status;

	if (candidates_are_numeric(connection, port)) {
		state_step(connection, CONNECTION_HANDSHAKE);
		return race_next(connection);
	}
	status = check(connection);
	if (status != MQUIC_OK)
		return status;
	if (!candidates_look_up(connection, port))
		return error_set(endpoint_error(connection->endpoint), MQUIC_ERR_MEMORY,
				 "out of memory");
	state_step(connection, CONNECTION_RESOLVING);
	return MQUIC_OK;
}

enum mquic_status mquic_connection_dial(struct mquic_connection **connection,
					struct mquic_endpoint *endpoint,
					const struct mquic_settings *settings, const char *host,
					uint16_t port)
{
	struct mquic_connection *made = NULL;
	struct quic_host *quic;
	enum mquic_status status;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (connection == NULL)
		return error_say(endpoint_error(endpoint), MQUIC_ERR_INVALID,
				 "dialing needs a place for the connection");
	if (endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (host == NULL || host[0] == '\0' || port == 0)
		return error_set(endpoint_error(endpoint), MQUIC_ERR_INVALID,
				 "a host and a port from 1 to 65535 are needed to dial");
	quic = host_get(endpoint);
	if (quic == NULL)
		return MQUIC_ERR_MEMORY;
	status = prepare(&made, quic, settings, host);
	if (status != MQUIC_OK)
		return status;
	status = begin(made, port);
	if (status != MQUIC_OK) {
		conductor_destroy(made);
		return status;
	}
	made->owned = true;
	totals_begun(made);
	*connection = made;
	return MQUIC_OK;
}
