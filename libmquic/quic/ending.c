/* SPDX-License-Identifier: MIT */
/* Why a connection ends: ngtcp2's errors and the peer's codes in words, and what the peer hears. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "quic/body.h"
#include "quic/closing.h"
#include "quic/dial.h"
#include "quic/ending.h"

#define CRYPTO_ERROR_FIRST 0x0100
#define CRYPTO_ERROR_LAST  0x01ff

void connection_set_end(struct mquic_connection *connection, enum mquic_status status,
			enum mquic_origin origin, uint64_t code, const char *format, ...)
{
	struct quic_end *end = &connection->end;
	va_list args;

	if (end->text[0] != '\0')
		return;
	end->status = status;
	end->origin = origin;
	end->code = code;
	va_start(args, format);
	(void)vsnprintf(end->text, sizeof(end->text), format, args);
	va_end(args);
}

/* RFC 9000 section 20.1, for people. */
static const char *transport_code_text(uint64_t code)
{
	static const char *const names[] = {
		"no error",
		"internal error",
		"connection refused",
		"flow control error",
		"stream limit error",
		"stream state error",
		"final size error",
		"frame encoding error",
		"transport parameter error",
		"connection id limit error",
		"protocol violation",
		"invalid token",
		"application error",
		"crypto buffer exceeded",
		"key update error",
		"AEAD limit reached",
		"no viable path",
	};

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : "unknown error";
}

/* The TLS session is gone once the handshake is complete; a server may refuse us even then. */
static void tls_end(struct mquic_connection *connection, uint8_t alert, bool sent)
{
	struct error why = {""};
	enum mquic_status status =
		connection->tls != NULL
			? tls_session_explain(connection->tls, alert, sent, &why)
			: tls_credentials_explain(connection->credentials, alert, sent, &why);

	connection_set_end(connection, status, MQUIC_ORIGIN_TLS, alert, "%s", why.text);
}

static enum mquic_status status_of_transport(uint64_t code)
{
	if (code == NGTCP2_NO_ERROR)
		return MQUIC_OK;
	return code == NGTCP2_CONNECTION_REFUSED ? MQUIC_ERR_REFUSED : MQUIC_ERR_PROTOCOL;
}

/* The peer has sent CONNECTION_CLOSE. */
static void closed_by_peer(struct mquic_connection *connection)
{
	const ngtcp2_ccerr *error = ngtcp2_conn_get_ccerr(connection->conn);
	bool application = error->type == NGTCP2_CCERR_TYPE_APPLICATION;
	char reason[160];

	text_printable(reason, sizeof(reason), (const char *)error->reason, error->reasonlen);
	if (!application && error->error_code >= CRYPTO_ERROR_FIRST &&
	    error->error_code <= CRYPTO_ERROR_LAST) {
		tls_end(connection, (uint8_t)(error->error_code - CRYPTO_ERROR_FIRST), false);
		return;
	}
	if (application)
		connection_set_end(connection, error->error_code == 0 ? MQUIC_OK : MQUIC_ERR_CLOSED,
				   MQUIC_ORIGIN_PEER, error->error_code,
				   "the peer closed the connection with code %llu%s%s",
				   (unsigned long long)error->error_code,
				   reason[0] != '\0' ? ": " : "", reason);
	else
		connection_set_end(connection, status_of_transport(error->error_code),
				   MQUIC_ORIGIN_TRANSPORT, error->error_code,
				   "the peer closed the connection: %s%s%s",
				   transport_code_text(error->error_code),
				   reason[0] != '\0' ? ": " : "", reason);
}

static void drained(struct mquic_connection *connection)
{
	if (connection->reset_by_peer)
		connection_set_end(connection, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_TRANSPORT, 0,
				   "%s no longer knows this connection; it was probably restarted "
				   "(stateless reset)",
				   connection->peer_text);
	else
		closed_by_peer(connection);
	closing_drain(connection);
}

/* Bytes of the largest datagram to the peer, if it is known and too few for QUIC; else 0. */
static size_t narrow_path(const struct mquic_connection *connection)
{
	size_t largest = 0;

	if (connection->listener == NULL && connection->wire != NULL)
		largest = connection->wire->largest(connection->wire);
	return largest < NGTCP2_MAX_UDP_PAYLOAD_SIZE ? largest : 0;
}

void connection_set_end_narrow(struct mquic_connection *connection, enum mquic_status status)
{
	size_t largest = narrow_path(connection);

	if (largest > 0)
		connection_set_end(connection, status, MQUIC_ORIGIN_SYSTEM, EMSGSIZE,
				   "the path to UDP %s carries only %zu bytes in a datagram, and "
				   "QUIC needs %d: the MTU of that link or VPN is too small by %zu",
				   connection->peer_text, largest, NGTCP2_MAX_UDP_PAYLOAD_SIZE,
				   NGTCP2_MAX_UDP_PAYLOAD_SIZE - largest);
	else
		connection_set_end(connection, status, MQUIC_ORIGIN_SYSTEM, EMSGSIZE,
				   "the path to UDP %s does not carry the datagrams of %d bytes "
				   "that QUIC needs: the MTU of that link or VPN is too small",
				   connection->peer_text, NGTCP2_MAX_UDP_PAYLOAD_SIZE);
}

/* Whether silence is explained by a path that cannot carry QUIC; then that is why it ends. */
static bool is_too_narrow(struct mquic_connection *connection)
{
	if (!connection->mtu.narrow && narrow_path(connection) == 0)
		return false;
	connection_set_end_narrow(connection, MQUIC_ERR_TIMEOUT);
	return true;
}

static void handshake_timeout(struct mquic_connection *connection)
{
	unsigned long long ms = connection->settings->handshake_timeout_ms;

	if (is_too_narrow(connection))
		return;
	if (connection->heard)
		connection_set_end(connection, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
				   "the handshake with %s was not complete within %llu ms",
				   connection->peer_text, ms);
	else
		connection_set_end(
			connection, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
			"no answer from UDP %s within %llu ms; check the address, that "
			"no firewall drops UDP, and that the MTU on the way is 1280 or more",
			connection->peer_text, ms);
}

static void idle_timeout(struct mquic_connection *connection)
{
	if (!is_too_narrow(connection))
		connection_set_end(connection, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
				   "nothing was heard from %s for %llu ms (idle timeout)",
				   connection->peer_text,
				   (unsigned long long)connection_idle_timeout_ms(connection));
}

/* Something is wrong that the peer should hear of. */
static void close_with(struct mquic_connection *connection, int code)
{
	ngtcp2_ccerr error;

	ngtcp2_ccerr_default(&error);
	if (code == NGTCP2_ERR_CRYPTO) {
		uint8_t alert = ngtcp2_conn_get_tls_alert(connection->conn);

		if (connection->tls != NULL)
			alert = tls_session_alert(connection->tls, alert);
		tls_end(connection, alert, true);
		ngtcp2_ccerr_set_tls_alert(&error, alert, NULL, 0);
	} else if (connection->refused != NGTCP2_NO_ERROR) {
		connection_set_end(connection, MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT,
				   connection->refused, "the peer %s broke the QUIC protocol: %s",
				   connection->peer_text, transport_code_text(connection->refused));
		ngtcp2_ccerr_set_transport_error(&error, connection->refused, NULL, 0);
	} else {
		bool ours = code == NGTCP2_ERR_NOMEM || code == NGTCP2_ERR_CALLBACK_FAILURE;

		connection_set_end(connection, ours ? MQUIC_ERR_MEMORY : MQUIC_ERR_PROTOCOL,
				   ours ? MQUIC_ORIGIN_LOCAL : MQUIC_ORIGIN_TRANSPORT,
				   ngtcp2_err_infer_quic_transport_error_code(code),
				   ours ? "out of memory for the connection with %s"
					: "the peer %s broke the QUIC protocol",
				   connection->peer_text);
		ngtcp2_ccerr_set_liberr(&error, code, NULL, 0);
	}
	closing_start(connection, &error);
}

void connection_fail(struct mquic_connection *connection, int ngtcp2_error)
{
	switch (ngtcp2_error) {
	case NGTCP2_ERR_DRAINING:
		drained(connection);
		break;
	case NGTCP2_ERR_IDLE_CLOSE:
		idle_timeout(connection);
		break;
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		handshake_timeout(connection);
		break;
	case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
		if (dial_offered(connection) || dial_next(connection))
			return;
		connection_set_end(connection, MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT, 0,
				   "%s speaks no QUIC version that we do (1 and 2)",
				   connection->peer_text);
		break;
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_CLOSING:
		connection_set_end(connection, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_TRANSPORT, 0,
				   "the handshake with %s was dropped", connection->peer_text);
		break;
	default:
		close_with(connection, ngtcp2_error);
		break;
	}
	connection_drop(connection);
}
