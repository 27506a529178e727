/* SPDX-License-Identifier: MIT */
#include "quic/transport.h"

#include <string.h>

#include <ngtcp2/ngtcp2_crypto_gnutls.h>

/* Identifiers the peer may keep ready for us: one in use, spares for migration. */
#define SPARE_CONNECTION_IDS 4

static ngtcp2_conn *conn_of_reference(ngtcp2_crypto_conn_ref *reference)
{
	struct mquic_connection *connection = reference->user_data;

	return connection->conn;
}

ngtcp2_path transport_path(struct wire *wire, const struct datagram *datagram)
{
	return (ngtcp2_path){
		.local = {(ngtcp2_sockaddr *)(uintptr_t)&datagram->local.of, datagram->local.len},
		.remote = {(ngtcp2_sockaddr *)(uintptr_t)&datagram->remote.of,
			   datagram->remote.len},
		.user_data = wire,
	};
}

static ngtcp2_cc_algo algorithm(enum mquic_congestion_control choice)
{
	switch (choice) {
	case MQUIC_CONGESTION_RENO:
		return NGTCP2_CC_ALGO_RENO;
	case MQUIC_CONGESTION_BBR:
		return NGTCP2_CC_ALGO_BBR;
	case MQUIC_CONGESTION_CUBIC:
		break;
	}
	return NGTCP2_CC_ALGO_CUBIC;
}

static void fill_settings(ngtcp2_settings *to, struct mquic_connection *connection)
{
	const struct mquic_settings *from = connection->settings;

	ngtcp2_settings_default(to);
	to->initial_ts = connection->started_ns;
	to->cc_algo = algorithm(from->congestion_control);
	to->initial_rtt = from->initial_rtt_ms * NGTCP2_MILLISECONDS;
	to->handshake_timeout = from->handshake_timeout_ms * NGTCP2_MILLISECONDS;
	/* ngtcp2 puts an ACK only into packets that go when one is due: with 1 a request's reply
	 * carries it, which halves the packets of request and response. */
	to->ack_thresh = 1;
	to->max_window = 4 * from->receive_window;
	to->max_stream_window = from->receive_window;
}

static void fill_params(ngtcp2_transport_params *to, const struct mquic_settings *from)
{
	ngtcp2_transport_params_default(to);
	to->initial_max_stream_data_bidi_local = from->receive_window;
	to->initial_max_stream_data_bidi_remote = from->receive_window;
	to->initial_max_data = 4 * from->receive_window;
	to->initial_max_streams_bidi = from->max_streams;
	to->initial_max_streams_uni = 0;
	to->max_idle_timeout = from->idle_timeout_ms * NGTCP2_MILLISECONDS;
	to->active_connection_id_limit = SPARE_CONNECTION_IDS;
	to->grease_quic_bit = 1;
}

/* Joins TLS and QUIC, the last step of making either side. */
static enum mquic_status attach_tls(struct mquic_connection *connection, bool server)
{
	void *native = tls_session_native(connection->tls);
	int code = server ? ngtcp2_crypto_gnutls_configure_server_session(native)
			  : ngtcp2_crypto_gnutls_configure_client_session(native);

	if (code != 0)
		return MQUIC_ERR_MEMORY;
	ngtcp2_conn_set_tls_native_handle(connection->conn, native);
	if (connection->settings->keep_alive_ms > 0)
		ngtcp2_conn_set_keep_alive_timeout(
			connection->conn, connection->settings->keep_alive_ms * NGTCP2_MILLISECONDS);
	return MQUIC_OK;
}

static void random_cid(ngtcp2_cid *cid, size_t len)
{
	cid->datalen = len;
	token_random(cid->data, len);
}

static enum mquic_status new_tls(struct mquic_connection *connection, const char *server_name)
{
	connection->reference.get_conn = conn_of_reference;
	connection->reference.user_data = connection;
	return tls_session_new(&connection->tls, connection->credentials, server_name,
			       &connection->reference);
}

enum mquic_status transport_client(struct mquic_connection *connection,
				   const struct address *remote)
{
	const struct mquic_settings *settings = connection->settings;
	struct datagram addresses = {.local = connection->wire->local, .remote = *remote};
	ngtcp2_path path = transport_path(connection->wire, &addresses);
	ngtcp2_settings quic_settings;
	ngtcp2_transport_params params;
	ngtcp2_cid scid;
	ngtcp2_cid dcid;
	enum mquic_status status;

	status = new_tls(connection, settings->server_name != NULL ? settings->server_name
								     : connection->dial->host);
	if (status != MQUIC_OK)
		return status;
	fill_settings(&quic_settings, connection);
	fill_params(&params, settings);
	random_cid(&scid, QUIC_CID_LEN);
	random_cid(&dcid, NGTCP2_MIN_INITIAL_DCIDLEN + QUIC_CID_LEN);
	if (ngtcp2_conn_client_new(&connection->conn, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
				   &transport_client_callbacks, &quic_settings, &params, NULL,
				   connection) != 0)
		return MQUIC_ERR_MEMORY;
	connection_set_peer(connection, &path);
	return attach_tls(connection, false);
}

enum mquic_status transport_server(struct mquic_connection *connection, const ngtcp2_pkt_hd *hd,
				   const struct datagram *datagram, const ngtcp2_cid *original)
{
	ngtcp2_path path = transport_path(connection->wire, datagram);
	ngtcp2_settings quic_settings;
	ngtcp2_transport_params params;
	ngtcp2_cid scid;
	enum mquic_status status = new_tls(connection, NULL);

	if (status != MQUIC_OK)
		return status;
	fill_settings(&quic_settings, connection);
	fill_params(&params, connection->settings);
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
	random_cid(&scid, QUIC_CID_LEN);
	if (!token_reset(params.stateless_reset_token, &connection->listener->secrets, &scid))
		return MQUIC_ERR_MEMORY;
	params.stateless_reset_token_present = 1;
	if (!route_add(connection->endpoint, &connection->target, scid.data, scid.datalen) ||
	    !route_add(connection->endpoint, &connection->target, hd->dcid.data, hd->dcid.datalen))
		return MQUIC_ERR_MEMORY;
	if (ngtcp2_conn_server_new(&connection->conn, &hd->scid, &scid, &path, hd->version,
				   &transport_server_callbacks, &quic_settings, &params, NULL,
				   connection) != 0)
		return MQUIC_ERR_MEMORY;
	connection_set_peer(connection, &path);
	return attach_tls(connection, true);
}
