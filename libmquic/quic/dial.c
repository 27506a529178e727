/* SPDX-License-Identifier: MIT */
/* The client side's way out: names, sockets, and one address after the other. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "core/resolve.h"
#include "quic/body.h"
#include "quic/client.h"
#include "quic/dial.h"
#include "quic/ending.h"
#include "quic/transport.h"

/* How long an address may keep silent while others wait to be tried. */
#define PATIENCE_NS (500 * NGTCP2_MILLISECONDS)

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

static void patience_is_over(struct timer *timer, uint64_t now_ns)
{
	struct quic_dial *dial = list_entry(timer, struct quic_dial, timer);
	struct mquic_connection *connection = dial->connection;

	(void)now_ns;
	if (connection->heard || dial_next(connection) || connection->conn != NULL)
		return; /* it goes on, there or, if nothing else can be tried, here */
	connection_set_end(connection, MQUIC_ERR_MEMORY, MQUIC_ORIGIN_LOCAL, 0, "%s",
			   endpoint_error(connection->endpoint)->text);
	connection_drop(connection);
}

void dial_free(struct mquic_connection *connection)
{
	struct quic_dial *dial = connection->dial;

	if (dial == NULL)
		return;
	connection->dial = NULL;
	timer_set(endpoint_timers(connection->endpoint), &dial->timer, TIMER_NEVER);
	timers_release(endpoint_timers(connection->endpoint));
	free(dial->host);
	free(dial);
}

static enum mquic_status explain(struct mquic_connection *connection, enum mquic_status status)
{
	struct error *error = endpoint_error(connection->endpoint);
	const char *name = connection->settings->server_name != NULL
				   ? connection->settings->server_name
				   : connection->dial->host;

	if (status == MQUIC_ERR_INVALID)
		return error_set(error, status,
				 "'%s' cannot be the name of a server; set one that can", name);
	if (status == MQUIC_ERR_MEMORY)
		return error_set(error, status, "out of memory for a connection");
	return error_set(error, status, "no TLS session can be made for '%s'", name);
}

static enum mquic_status start(struct mquic_connection *connection, struct wire *wire,
			       const struct address *remote)
{
	enum mquic_status status;

	/* What an attempt before has left. */
	connection_strip(connection);
	connection->failure = 0;
	connection->mtu = (struct quic_mtu){.lost = 0};
	connection->pace = (struct quic_pace){.untold = 0};
	connection->wire = wire;
	wire->connection = connection;
	status = transport_client(connection, remote);
	if (status != MQUIC_OK) {
		connection_strip(connection);
		return explain(connection, status);
	}
	endpoint_schedule(connection->endpoint, &connection->task);
	return MQUIC_OK;
}

enum mquic_status dial_open_wire(struct mquic_connection *connection, struct wire **wire,
				 const struct address *remote)
{
	struct quic_host *host = connection->host;
	const char *text = connection->settings->local_address;
	struct address local;
	enum mquic_status status;

	if (text == NULL)
		return host->open_wire(host, wire, NULL, remote);
	status = address_parse(&local, text, 0, endpoint_error(host->endpoint));
	if (status != MQUIC_OK)
		return status;
	if (local.of.any.sa_family != remote->of.any.sa_family)
		return error_set(endpoint_error(host->endpoint), MQUIC_ERR_SYSTEM,
				 "the server's address is not of the kind of %s, which is to be "
				 "dialed from",
				 text);
	return host->open_wire(host, wire, &local, remote);
}

static enum mquic_status try_address(struct mquic_connection *connection,
				     const struct address *remote)
{
	struct wire *wire;
	enum mquic_status status = dial_open_wire(connection, &wire, remote);

	return status == MQUIC_OK ? start(connection, wire, remote) : status;
}

static enum mquic_status try_next(struct mquic_connection *connection)
{
	struct quic_dial *dial = connection->dial;

	dial->offered = 0;
	return try_address(connection, &dial->candidates.list[dial->next++]);
}

/* The next address that a socket can be opened to. MQUIC_ERR_AGAIN: none is left. */
static enum mquic_status try_rest(struct mquic_connection *connection)
{
	struct mquic_endpoint *endpoint = connection->endpoint;
	struct quic_dial *dial = connection->dial;
	enum mquic_status status = MQUIC_ERR_AGAIN;

	while (dial->next < dial->candidates.count) {
		status = try_next(connection);
		if (status != MQUIC_ERR_SYSTEM)
			break;
	}
	timer_set(endpoint_timers(endpoint), &dial->timer,
		  dial->next < dial->candidates.count ? endpoint_now(endpoint) + PATIENCE_NS
						      : TIMER_NEVER);
	return status;
}

bool dial_next(struct mquic_connection *connection)
{
	struct quic_dial *dial = connection->dial;

	if (dial == NULL || dial->next >= dial->candidates.count)
		return false;
	return try_rest(connection) == MQUIC_OK;
}

bool dial_offered(struct mquic_connection *connection)
{
	struct quic_dial *dial = connection->dial;

	/* ngtcp2 reports one offer of an address, and none that lists the version we came with (RFC
	 * 9000 section 6.2, RFC 9368 section 4). */
	return dial != NULL && dial->offered != 0 &&
	       try_address(connection, &dial->candidates.list[dial->next - 1]) == MQUIC_OK;
}

static struct quic_dial *new_dial(struct mquic_connection *connection, const char *host)
{
	struct mquic_endpoint *endpoint = connection->endpoint;
	struct quic_dial *dial = calloc(1, sizeof(*dial));

	if (dial == NULL)
		return NULL;
	dial->connection = connection;
	dial->timer.fire = patience_is_over;
	dial->host = strdup(host);
	if (dial->host == NULL || !timers_reserve(endpoint_timers(endpoint))) {
		free(dial->host);
		free(dial);
		return NULL;
	}
	return dial;
}

/* A connection with everything but an address. */
static enum mquic_status prepare(struct mquic_connection **connection, struct quic_host *quic,
				 const struct mquic_settings *settings, const char *host)
{
	struct mquic_connection *made = connection_new(quic);
	enum mquic_status status = MQUIC_OK;

	if (made == NULL)
		return error_set(endpoint_error(quic->endpoint), MQUIC_ERR_MEMORY, "out of memory");
	made->settings = settings_copy(settings);
	made->dial = new_dial(made, host);
	if (made->settings == NULL || made->dial == NULL) {
		connection_destroy(made);
		return error_set(endpoint_error(quic->endpoint), MQUIC_ERR_MEMORY, "out of memory");
	}
	made->credentials = shared_credentials(quic, made->settings);
	if (made->credentials == NULL)
		status = transport_credentials(&made->credentials, made->settings, TLS_CLIENT,
					       endpoint_error(quic->endpoint));
	if (status != MQUIC_OK) {
		connection_destroy(made);
		return status;
	}
	*connection = made;
	return MQUIC_OK;
}

/*
 * As it is first: /etc/hosts and mDNS know names in any script, DNS knows them in their xn-- form
 * (RFC 5891 section 4).
 */
static enum mquic_status resolve(struct quic_dial *dial, const char *host, uint16_t port,
				 struct error *error)
{
	struct resolve_answer answer = {0};
	char ascii[TLS_NAME_SIZE];

	answer.code = address_find(&answer.found, host, port);
	answer.system = errno;
	if (answer.code == EAI_NONAME && tls_ascii_name(host, ascii) &&
	    address_find(&answer.found, ascii, port) == 0)
		answer.code = 0;
	dial->candidates = answer.found;
	return answer.found.count > 0 ? MQUIC_OK : resolve_explain(&answer, host, error);
}

enum mquic_status mquic_connection_dial(struct mquic_connection **connection,
					struct mquic_endpoint *endpoint,
					const struct mquic_settings *settings, const char *host,
					uint16_t port)
{
	struct mquic_connection *made = NULL;
	struct quic_host *quic;
	enum mquic_status status;

	if (connection == NULL || endpoint == NULL)
		return MQUIC_ERR_INVALID;
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
	status = resolve(made->dial, host, port, endpoint_error(endpoint));
	if (status == MQUIC_OK)
		status = try_rest(made);
	if (status != MQUIC_OK) {
		connection_destroy(made);
		return status;
	}
	made->owned = true;
	*connection = made;
	return MQUIC_OK;
}
