/* SPDX-License-Identifier: MIT */
/* A server's end of a connection. */
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/callbacks.h"
#include "quic/listener.h"
#include "quic/server.h"
#include "quic/steer.h"
#include "quic/transport.h"

static int new_connection_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t len,
			     void *user_data)
{
	struct attempt *attempt = user_data;

	(void)conn;
	steer_choose(cid, attempt->connection->settings); /* of the one length that we have */
	if (!token_reset(token, &attempt->connection->listener->secrets, cid) ||
	    !route_add(attempt->connection->host, &attempt->connection->target, cid->data, len))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int remove_connection_id(ngtcp2_conn *conn, const ngtcp2_cid *cid, void *user_data)
{
	struct attempt *attempt = user_data;

	(void)conn;
	route_remove(attempt->connection->host, &attempt->connection->target, cid);
	return 0;
}

/* An identifier of ours, and where packets to it and to the client's choice go. */
static bool choose_identifier(struct attempt *attempt, const ngtcp2_cid *theirs, ngtcp2_cid *ours,
			      uint8_t *token)
{
	steer_choose(ours, attempt->connection->settings);
	return token_reset(token, &attempt->connection->listener->secrets, ours) &&
	       route_add(attempt->connection->host, &attempt->connection->target, ours->data,
			 ours->datalen) &&
	       route_add(attempt->connection->host, &attempt->connection->target, theirs->data,
			 theirs->datalen);
}

enum mquic_status server_begin(struct attempt *attempt, const ngtcp2_pkt_hd *hd,
			       const struct datagram *datagram, const ngtcp2_cid *original)
{
	ngtcp2_path path = path_of(attempt->wire, datagram);
	ngtcp2_settings quic_settings;
	ngtcp2_transport_params params;
	ngtcp2_callbacks callbacks = transport_callbacks;
	ngtcp2_cid scid;
	enum mquic_status status = transport_new_tls(attempt, NULL);

	if (status != MQUIC_OK)
		return status;
	transport_fill_settings(&quic_settings, attempt);
	transport_fill_params(&params, attempt->connection->settings);
	params.original_dcid_present = 1;
	params.original_dcid = hd->dcid;
	if (original != NULL) {
		/* The client came back with our Retry token (RFC 9000 section 7.3). */
		quic_settings.token = hd->token;
		quic_settings.tokenlen = hd->tokenlen;
		quic_settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
		params.original_dcid = *original;
		params.retry_scid = hd->dcid;
		params.retry_scid_present = 1;
	}
	if (!choose_identifier(attempt, &hd->dcid, &scid, params.stateless_reset_token))
		return MQUIC_ERR_MEMORY;
	params.stateless_reset_token_present = 1;
	callbacks.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
	callbacks.get_new_connection_id = new_connection_id;
	callbacks.remove_connection_id = remove_connection_id;
	if (ngtcp2_conn_server_new(&attempt->conn, &hd->scid, &scid, &path, hd->version, &callbacks,
				   &quic_settings, &params, &attempt->connection->memory.allocator,
				   attempt) != 0) {
		attempt->conn = NULL; /* ngtcp2 leaves what it has freed */
		return MQUIC_ERR_MEMORY;
	}
	path_set(&attempt->path, &path);
	if (ngtcp2_crypto_gnutls_configure_server_session(tls_session_native(attempt->tls)) != 0)
		return MQUIC_ERR_MEMORY;
	transport_attach_tls(attempt);
	return MQUIC_OK;
}
