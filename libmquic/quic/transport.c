/* SPDX-License-Identifier: MIT */
/* What making a client's connection (client.c) and a server's (server.c) have in common. */
#include <string.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/random.h"
#include "quic/transport.h"

/* ACKs go at once, see ack_thresh; what a loaded machine adds. Probes for a lost last packet go
 * that much earlier than with the 25 ms of RFC 9000 section 18.2. */
#define MAX_ACK_DELAY (5 * NGTCP2_MILLISECONDS)

/* Identifiers the peer may keep ready for us: one in use, spares for migration. */
#define SPARE_CONNECTION_IDS 4

static ngtcp2_conn *conn_of_reference(ngtcp2_crypto_conn_ref *reference)
{
	struct attempt *attempt = reference->user_data;

	return attempt->conn;
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

void transport_fill_settings(ngtcp2_settings *to, struct attempt *attempt)
{
	const struct mquic_settings *from = attempt->connection->settings;

	ngtcp2_settings_default(to);
	to->initial_ts = endpoint_now(attempt->connection->endpoint);
	to->cc_algo = algorithm(from->congestion_control);
	to->initial_rtt = from->initial_rtt_ms * NGTCP2_MILLISECONDS;
	to->handshake_timeout = from->handshake_timeout_ms * NGTCP2_MILLISECONDS;
	/* ngtcp2 puts an ACK only into packets that go when one is due: with 1 a request's reply
	 * carries it, which halves the packets of request and response. */
	to->ack_thresh = 1;
	to->max_window = 4 * from->receive_window;
	to->max_stream_window = from->receive_window;
}

void transport_fill_params(ngtcp2_transport_params *to, const struct mquic_settings *from)
{
	ngtcp2_transport_params_default(to);
	to->initial_max_stream_data_bidi_local = from->receive_window;
	to->initial_max_stream_data_bidi_remote = from->receive_window;
	to->initial_max_data = 4 * from->receive_window;
	to->initial_max_streams_bidi = from->max_streams;
	to->initial_max_streams_uni = 0;
	to->max_idle_timeout = from->idle_timeout_ms * NGTCP2_MILLISECONDS;
	to->active_connection_id_limit = SPARE_CONNECTION_IDS;
	to->max_ack_delay = MAX_ACK_DELAY;
	to->grease_quic_bit = 1;
}

void transport_attach_tls(struct attempt *attempt)
{
	ngtcp2_conn_set_tls_native_handle(attempt->conn, tls_session_native(attempt->tls));
	challenge_keep_alive(attempt,
			     attempt->connection->settings->keep_alive_ms * NGTCP2_MILLISECONDS);
}

void transport_random_cid(ngtcp2_cid *cid, size_t len)
{
	cid->datalen = len;
	random_fill(cid->data, len);
}

/* An ngtcp2 older than its headers here would abort the program at the first connection. */
enum mquic_status transport_credentials(struct tls_credentials **credentials,
					const struct mquic_settings *settings, enum tls_role role,
					struct error *error)
{
	*credentials = NULL;
	if (ngtcp2_version(NGTCP2_VERSION_NUM) == NULL)
		return error_set(error, MQUIC_ERR_SYSTEM,
				 "libngtcp2 is version %s, and libmquic was built with %s: install "
				 "that or a newer one",
				 ngtcp2_version(0)->version_str, NGTCP2_VERSION);
	return tls_credentials_load(credentials, settings, role, error);
}

enum mquic_status transport_new_tls(struct attempt *attempt, const char *server_name)
{
	attempt->reference.get_conn = conn_of_reference;
	attempt->reference.user_data = attempt;
	tls_order_init(&attempt->order,
		       attempt->connection->listener == NULL ? TLS_CLIENT : TLS_SERVER);
	return tls_session_new(&attempt->tls, attempt->connection->credentials, server_name,
			       &attempt->reference);
}
