/* SPDX-License-Identifier: MIT */
#include "quic/ticket-key.h"

#include "quic/host.h"
#include "quic/listener.h"
#include "quic/random.h"
#include "tls/tls.h"

/* Whoever has the key can take a client's place, as far as that has shown no certificate. */
static void complain_of_exposed(struct quic_host *host, const char *path)
{
	if (tls_secret_is_exposed(path))
		log_warning(endpoint_log(host->endpoint),
			    "any user of this machine can get at the ticket key file %s and go on "
			    "with the sessions of others: chmod o= %s",
			    path, path);
}

static enum mquic_status keep_file(struct quic_host *host, struct quic_listener *listener,
				   const char *path)
{
	struct error error = {""};
	enum mquic_status status =
		tls_secret_keep(listener->ticket_key, "ticket key file", path, &error);

	if (status == MQUIC_OK) {
		complain_of_exposed(host, path);
		return MQUIC_OK;
	}
	if (status != MQUIC_ERR_SYSTEM)
		return error_set(endpoint_error(host->endpoint), status, "%s", error.text);
	log_warning(endpoint_log(host->endpoint),
		    "%s: after a restart clients begin with full handshakes", error.text);
	return MQUIC_OK;
}

/* The first time; later the file has it, or it stays. */
static void choose(struct quic_listener *listener)
{
	const struct mquic_settings *settings = listener->settings;

	if (!settings->has_server_secret ||
	    tls_secret_derive(listener->ticket_key, settings->server_secret, "mquic ticket key") !=
		    MQUIC_OK)
		random_fill(listener->ticket_key, sizeof(listener->ticket_key));
	listener->has_ticket_key = true;
}

enum mquic_status ticket_key_keep(struct quic_host *host, struct quic_listener *listener)
{
	const char *path = listener->settings->ticket_key_file;

	if (!listener->settings->resumption)
		return MQUIC_OK;
	if (!listener->has_ticket_key)
		choose(listener);
	return path == NULL ? MQUIC_OK : keep_file(host, listener, path);
}
