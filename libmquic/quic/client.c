/* SPDX-License-Identifier: MIT */
/* A client's end of a connection. */
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/callbacks.h"
#include "quic/client.h"
#include "quic/random.h"
#include "quic/resume.h"
#include "quic/token.h"
#include "quic/transport.h"

/* A client's socket leads to one connection: no route, and never a reset. */
static int new_connection_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t len,
			     void *user_data)
{
	(void)conn;
	(void)user_data;
	transport_random_cid(cid, len);
	random_fill(token, RESET_TOKEN_LEN);
	return 0;
}

/* The server's first identifier is in use for good: ngtcp2 is past the handshake. */
static int identifier_status(ngtcp2_conn *conn, ngtcp2_connection_id_status_type type,
			     uint64_t number, const ngtcp2_cid *cid, const uint8_t *token,
			     void *user_data)
{
	struct attempt *attempt = user_data;

	(void)conn;
	(void)number;
	(void)cid;
	(void)token;
	if (type == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE)
		attempt->held.open = true;
	return 0;
}

/* A server does not speak the version we came with (RFC 9000 section 6.2). */
static int version_negotiation(ngtcp2_conn *conn, const ngtcp2_pkt_hd *hd, const uint32_t *versions,
			       size_t count, void *user_data)
{
	struct attempt *attempt = user_data;
	size_t i;

	(void)conn;
	(void)hd;
	for (i = 0; i < count; i++)
		if (versions[i] == NGTCP2_PROTO_VER_V2)
			attempt->record.offered = versions[i];
	return 0;
}

/* The first of ours, unless the server has offered the other: then ngtcp2 makes sure that nobody on
 * the path has made us take the worse of two that it speaks (RFC 9368 section 4). */
static uint32_t choose_version(uint32_t offered, ngtcp2_settings *settings)
{
	static const uint32_t ours[] = {NGTCP2_PROTO_VER_V1, NGTCP2_PROTO_VER_V2};

	if (offered == 0)
		return ours[0];
	settings->original_version = ours[0];
	settings->preferred_versions = ours;
	settings->preferred_versionslen = sizeof(ours) / sizeof(ours[0]);
	return offered;
}

const char *client_server_name(const struct mquic_connection *connection)
{
	const char *name = connection->settings->server_name;

	return name != NULL ? name : connection->candidates->host;
}

/* Of the time for the handshake; next to nothing when it is up. */
static ngtcp2_duration time_left(uint64_t until_ns, uint64_t now_ns)
{
	return until_ns > now_ns ? until_ns - now_ns : 1;
}

enum mquic_status client_begin(struct attempt *attempt, const struct address *remote,
			       uint32_t offered)
{
	const struct mquic_settings *settings = attempt->connection->settings;
	struct datagram addresses = {.local = attempt->wire->local, .remote = *remote};
	ngtcp2_path path = path_of(attempt->wire, &addresses);
	ngtcp2_settings quic_settings;
	ngtcp2_transport_params params;
	ngtcp2_cid scid;
	ngtcp2_cid dcid;
	ngtcp2_callbacks callbacks = transport_callbacks;
	enum mquic_status status;

	status = transport_new_tls(attempt, client_server_name(attempt->connection));
	if (status != MQUIC_OK)
		return status;
	transport_fill_settings(&quic_settings, attempt);
	quic_settings.handshake_timeout =
		time_left(attempt->connection->candidates->until_ns, quic_settings.initial_ts);
	if (offered == 0) /* a ticket is good for the version it came with (RFC 9369 section 5) */
		resume_offer(attempt, remote, &quic_settings);
	transport_fill_params(&params, settings);
	transport_random_cid(&scid, QUIC_CID_LEN);
	transport_random_cid(&dcid, NGTCP2_MIN_INITIAL_DCIDLEN + QUIC_CID_LEN);
	callbacks.client_initial = ngtcp2_crypto_client_initial_cb;
	callbacks.recv_retry = ngtcp2_crypto_recv_retry_cb;
	callbacks.recv_version_negotiation = version_negotiation;
	callbacks.get_new_connection_id = new_connection_id;
	callbacks.dcid_status = identifier_status;
	if (ngtcp2_conn_client_new(&attempt->conn, &dcid, &scid, &path,
				   choose_version(offered, &quic_settings), &callbacks,
				   &quic_settings, &params, &attempt->connection->memory.allocator,
				   attempt) != 0) {
		attempt->conn = NULL; /* ngtcp2 leaves what it has freed */
		return MQUIC_ERR_MEMORY;
	}
	path_set(&attempt->path, &path);
	if (ngtcp2_crypto_gnutls_configure_client_session(tls_session_native(attempt->tls)) != 0)
		return MQUIC_ERR_MEMORY;
	transport_attach_tls(attempt);
	return MQUIC_OK;
}
