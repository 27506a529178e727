/* SPDX-License-Identifier: MIT */
/* The addresses an endpoint listens on, and what to say to a datagram that is nobody's. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quic/accept.h"
#include "quic/answer.h"
#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/closing.h"
#include "quic/demux.h"
#include "quic/handed.h"
#include "quic/listener.h"
#include "quic/newcomers.h"
#include "quic/random.h"
#include "quic/ticket-key.h"
#include "quic/transport.h"
#include "quic/udp.h"

static void free_listener(struct quic_listener *listener)
{
	if (listener->wire != NULL)
		listener->wire->free(listener->wire);
	tls_credentials_unref(listener->credentials);
	mquic_settings_free(listener->settings);
	explicit_bzero(listener->reset_key, sizeof(listener->reset_key));
	explicit_bzero(listener->ticket_key, sizeof(listener->ticket_key));
	explicit_bzero(&listener->secrets, sizeof(listener->secrets));
	free(listener);
}

void listener_free_all(struct quic_host *host)
{
	struct list *node;

	newcomers_fini(&host->newcomers);
	while ((node = list_take_first(&host->listeners)) != NULL)
		free_listener(list_entry(node, struct quic_listener, link));
}

/* An earlier listener that goes by the same file. */
static const struct quic_listener *find_twin(const struct quic_host *host,
					     const struct quic_listener *listener)
{
	const struct list *node;

	for (node = host->listeners.next; node != &host->listeners; node = node->next) {
		const struct quic_listener *other = list_entry(node, struct quic_listener, link);
		const char *path = other->settings->reset_key_file;

		if (other == listener)
			break;
		if (path != NULL && strcmp(path, listener->settings->reset_key_file) == 0)
			return other;
	}
	return NULL;
}

/* Whoever has the key and sees packets of a connection can end it (RFC 9000 section 21.11). */
static void complain_of_exposed(struct quic_host *host, const char *path)
{
	if (tls_secret_is_exposed(path))
		log_warning(endpoint_log(host->endpoint),
			    "any user of this machine can get at the reset key file %s and cut "
			    "off clients with it: chmod o= %s",
			    path, path);
}

_Static_assert(SERVER_SECRET_LEN == TOKEN_SECRET_LEN, "secrets are made of it");

/* What all workers of the server derive the same secrets from; NULL: it has but one. */
static const uint8_t *shared_secret(const struct quic_listener *listener)
{
	const struct mquic_settings *settings = listener->settings;

	return settings->has_server_secret ? settings->server_secret : NULL;
}

/* The first time; later a file has it, or it stays. */
static void choose_reset_key(struct quic_listener *listener)
{
	const uint8_t *shared = shared_secret(listener);

	if (shared == NULL ||
	    tls_secret_derive(listener->reset_key, shared, "mquic reset key") != MQUIC_OK)
		random_fill(listener->reset_key, sizeof(listener->reset_key));
}

/*
 * Makes the secret for resets and its file agree. Without a file that can be written clients are
 * served all the same: it is said once what that costs.
 */
static enum mquic_status keep_reset_key(struct quic_host *host, struct quic_listener *listener)
{
	const char *path = listener->settings->reset_key_file;
	const struct quic_listener *twin = path == NULL ? NULL : find_twin(host, listener);
	struct error error = {""};
	enum mquic_status status;

	if (path == NULL)
		return MQUIC_OK;
	if (twin != NULL)
		memcpy(listener->reset_key, twin->reset_key, sizeof(listener->reset_key));
	status = tls_secret_keep(listener->reset_key, "reset key file", path, &error);
	if (status == MQUIC_ERR_SYSTEM) {
		if (twin == NULL)
			log_warning(endpoint_log(host->endpoint),
				    "%s: after a restart clients will not be told that their "
				    "connections are gone, and wait for their time-outs",
				    error.text);
		return MQUIC_OK;
	}
	if (status == MQUIC_OK && twin == NULL)
		complain_of_exposed(host, path);
	return status == MQUIC_OK
		       ? MQUIC_OK
		       : error_set(endpoint_error(host->endpoint), status, "%s", error.text);
}

static enum mquic_status check_worker(struct quic_host *host, const struct mquic_settings *settings)
{
	if (settings == NULL || settings->worker < settings->workers)
		return MQUIC_OK;
	return error_set(endpoint_error(host->endpoint), MQUIC_ERR_INVALID,
			 "there is no worker %u among %u: they are counted from 0",
			 settings->worker, settings->workers);
}

/* With a key for tickets. */
static enum mquic_status load_credentials(struct quic_host *host, struct quic_listener *listener,
					  struct tls_credentials **credentials)
{
	struct error *error = endpoint_error(host->endpoint);
	enum mquic_status status;

	status = transport_credentials(credentials, listener->settings, TLS_SERVER, error);
	if (status == MQUIC_OK)
		status = ticket_key_keep(host, listener);
	if (status == MQUIC_OK &&
	    tls_credentials_enable_tickets(*credentials, listener->ticket_key) != MQUIC_OK)
		status = error_set(error, MQUIC_ERR_TLS, "no key can be derived for tickets");
	if (status != MQUIC_OK) {
		tls_credentials_unref(*credentials);
		*credentials = NULL;
	}
	return status;
}

static enum mquic_status add_listener(struct quic_host *host, const struct mquic_settings *settings,
				      struct quic_listener **listener)
{
	struct quic_listener *made;
	enum mquic_status status = check_worker(host, settings);

	*listener = NULL;
	if (status != MQUIC_OK)
		return status;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return error_set(endpoint_error(host->endpoint), MQUIC_ERR_MEMORY, "out of memory");
	made->settings = settings_copy(settings);
	if (made->settings == NULL) {
		free_listener(made);
		return error_set(endpoint_error(host->endpoint), MQUIC_ERR_MEMORY, "out of memory");
	}
	choose_reset_key(made);
	status = keep_reset_key(host, made);
	if (status == MQUIC_OK)
		status = load_credentials(host, made, &made->credentials);
	if (status != MQUIC_OK) {
		free_listener(made);
		return status;
	}
	*listener = made;
	return MQUIC_OK;
}

static void to_target(struct table_entry *entry, struct wire *wire, const struct datagram *datagram)
{
	struct quic_route *route = list_entry(entry, struct quic_route, entry);
	struct quic_target *target = route->target;

	target->heard = route;
	if (target->kind == TARGET_CLOSING)
		closing_read(closing_of_target(target), datagram);
	else
		attempt_read(list_entry(target, struct mquic_connection, target)->attempt, wire,
			     datagram);
}

/* Version 0 alone does not tell: version negotiation packets have it too, and get no answer. */
static bool is_short(const struct datagram *datagram)
{
	return (datagram->data[0] & 0x80) == 0;
}

void listener_receive(struct quic_host *host, struct wire *wire, const struct datagram *datagram)
{
	ngtcp2_version_cid ids;
	struct table_entry *entry;
	ngtcp2_pkt_hd hd;
	int code;

	code = ngtcp2_pkt_decode_version_cid(&ids, datagram->data, datagram->len, QUIC_CID_LEN);
	if (code == NGTCP2_ERR_VERSION_NEGOTIATION) {
		answer_version(host, wire, datagram, &ids);
		return;
	}
	entry = code != 0 ? NULL : table_find(&host->routes, ids.dcid, ids.dcidlen);
	if (entry != NULL)
		to_target(entry, wire, datagram);
	else if (code == 0 && is_short(datagram))
		answer_unknown(host, wire, datagram, &ids);
	else if (code == 0 && datagram->len >= NGTCP2_MAX_UDP_PAYLOAD_SIZE &&
		 ngtcp2_accept(&hd, datagram->data, datagram->len) == 0)
		accept_initial(host, wire, datagram, &hd);
	else
		host_count(host, MQUIC_TOTAL_DROPPED_INVALID);
}

/* Each is looked at again: it may be part of a handshake that has begun meanwhile. */
static void read_waiting(struct task *task)
{
	struct quic_host *host = list_entry(task, struct quic_host, newcomers.task);
	struct datagram datagram;
	struct wire *wire;
	void *memory;

	while (newcomers_take(host, &wire, &datagram, &memory)) {
		listener_receive(host, wire, &datagram);
		free(memory);
	}
	if (!list_is_empty(&host->newcomers.waiting))
		endpoint_schedule(host->endpoint, task);
}

/* Frees the listener, and not the wire, if it fails. */
static enum mquic_status attach(struct quic_host *host, struct quic_listener *listener,
				struct wire *wire)
{
	if (!token_reset_secret(&listener->secrets, listener->reset_key, &wire->local) ||
	    !token_retry_secret(&listener->secrets, shared_secret(listener),
				listener->credentials)) {
		free_listener(listener);
		return error_set(endpoint_error(host->endpoint), MQUIC_ERR_TLS,
				 "no secrets can be derived from the private key");
	}
	listener->wire = wire;
	wire->listener = listener;
	host->newcomers.task.run = read_waiting;
	list_append(&host->listeners, &listener->link);
	return MQUIC_OK;
}

enum mquic_status listener_add(struct quic_host *host, const struct mquic_settings *settings,
			       struct wire *wire)
{
	struct quic_listener *listener;
	enum mquic_status status = add_listener(host, settings, &listener);

	return status == MQUIC_OK ? attach(host, listener, wire) : status;
}

/* At the address, or, where it is NULL, on the socket that is handed over. */
static enum mquic_status open_listener(struct quic_host *host,
				       const struct mquic_settings *settings,
				       const struct address *local, int fd, uint16_t *bound_port)
{
	struct error *error = endpoint_error(host->endpoint);
	struct quic_listener *listener;
	struct wire *wire;
	enum mquic_status status = add_listener(host, settings, &listener);

	if (status != MQUIC_OK)
		return status;
	status = local != NULL ? udp_open(&wire, host, &demux_reader, local, NULL, error)
			       : udp_adopt(&wire, host, &demux_reader, fd, error);
	if (status != MQUIC_OK) {
		free_listener(listener);
		return status;
	}
	status = attach(host, listener, wire);
	if (status != MQUIC_OK)
		wire->free(wire);
	else if (bound_port != NULL)
		*bound_port = address_port(&wire->local);
	return status;
}

static enum mquic_status check_call(struct mquic_endpoint *endpoint,
				    const struct mquic_settings *settings)
{
	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (settings == NULL)
		return error_set(endpoint_error(endpoint), MQUIC_ERR_INVALID,
				 "listening needs settings with a certificate");
	return MQUIC_OK;
}

enum mquic_status mquic_endpoint_listen(struct mquic_endpoint *endpoint,
					const struct mquic_settings *settings, const char *address,
					uint16_t port, uint16_t *bound_port)
{
	struct quic_host *host;
	struct address local;
	enum mquic_status status = check_call(endpoint, settings);

	if (status != MQUIC_OK)
		return status;
	if (address == NULL)
		return error_set(endpoint_error(endpoint), MQUIC_ERR_INVALID,
				 "listening needs an address");
	status = address_parse(&local, address, port, endpoint_error(endpoint));
	if (status != MQUIC_OK)
		return status;
	host = host_get(endpoint);
	return host == NULL ? MQUIC_ERR_MEMORY
			    : open_listener(host, settings, &local, -1, bound_port);
}

enum mquic_status mquic_endpoint_listen_fd(struct mquic_endpoint *endpoint,
					   const struct mquic_settings *settings, int fd,
					   uint16_t *bound_port)
{
	struct quic_host *host;
	enum mquic_status status = check_call(endpoint, settings);

	if (status == MQUIC_OK)
		status = handed_check(fd, endpoint_error(endpoint));
	if (status != MQUIC_OK)
		return status;
	host = host_get(endpoint);
	if (host == NULL)
		return MQUIC_ERR_MEMORY;
	status = open_listener(host, settings, NULL, fd, bound_port);
	if (status == MQUIC_OK)
		(void)close(fd); /* the endpoint has its own */
	return status;
}

static enum mquic_status reload(struct quic_host *host, struct quic_listener *listener)
{
	struct tls_credentials *credentials;
	enum mquic_status status = keep_reset_key(host, listener);

	if (status == MQUIC_OK)
		status = load_credentials(host, listener, &credentials);
	if (status != MQUIC_OK)
		return status;
	tls_credentials_unref(listener->credentials);
	listener->credentials = credentials;
	(void)token_reset_secret(&listener->secrets, listener->reset_key, &listener->wire->local);
	return MQUIC_OK;
}

enum mquic_status mquic_endpoint_reload(struct mquic_endpoint *endpoint)
{
	struct quic_host *host;
	struct list *node;
	struct list *following;
	enum mquic_status result = MQUIC_OK;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	host = host_of(endpoint);
	if (host == NULL)
		return MQUIC_OK;
	list_for_each (node, following, &host->listeners) {
		enum mquic_status status =
			reload(host, list_entry(node, struct quic_listener, link));

		if (status != MQUIC_OK)
			result = status;
	}
	return result;
}
