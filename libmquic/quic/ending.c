/* SPDX-License-Identifier: MIT */
/* Why a connection ends: ngtcp2's errors and the peer's codes in words, and what the peer hears. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/ending.h"

#define CRYPTO_ERROR_FIRST 0x0100
#define CRYPTO_ERROR_LAST  0x01ff

void ending_set(struct mquic_connection *connection, enum mquic_status status,
		enum mquic_origin origin, uint64_t code, const char *format, ...)
{
	struct quic_end *end = &connection->end;
	va_list args;

	if (end->text[0] != '\0')
		return;
	end->status = status;
	end->origin = origin;
	end->code = code;
	end->culprit = log_culprit_of(origin, status);
	va_start(args, format);
	(void)vsnprintf(end->text, sizeof(end->text), format, args);
	va_end(args);
}

/* RFC 9000 section 20.1, for people. */
static const char *transport_code_text(uint64_t code)
{
	static const char names[][28] = {
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
static void tls_end(struct attempt *attempt, uint8_t alert, bool sent)
{
	struct error why = {""};
	enum mquic_status status =
		attempt->tls != NULL ? tls_session_explain(attempt->tls, alert, sent, &why)
				     : tls_credentials_explain(attempt->connection->credentials,
							       alert, sent, &why);

	ending_set(attempt->connection, status, MQUIC_ORIGIN_TLS, alert, "%s", why.text);
}

static enum mquic_status status_of_transport(uint64_t code)
{
	if (code == NGTCP2_NO_ERROR)
		return MQUIC_OK;
	return code == NGTCP2_CONNECTION_REFUSED ? MQUIC_ERR_REFUSED : MQUIC_ERR_PROTOCOL;
}

/* Whether a peer that closes with this code says that we broke the protocol. */
static bool is_about_us(uint64_t code)
{
	return code >= NGTCP2_FLOW_CONTROL_ERROR && code <= NGTCP2_PROTOCOL_VIOLATION;
}

/* The peer has sent CONNECTION_CLOSE. */
static void closed_by_peer(struct attempt *attempt)
{
	const ngtcp2_ccerr *error = ngtcp2_conn_get_ccerr(attempt->conn);
	bool application = error->type == NGTCP2_CCERR_TYPE_APPLICATION;
	bool news = attempt->connection->end.text[0] == '\0';
	char reason[160];

	text_printable(reason, sizeof(reason), (const char *)error->reason, error->reasonlen);
	if (!application && error->error_code >= CRYPTO_ERROR_FIRST &&
	    error->error_code <= CRYPTO_ERROR_LAST) {
		tls_end(attempt, (uint8_t)(error->error_code - CRYPTO_ERROR_FIRST), false);
		return;
	}
	if (application)
		ending_set(attempt->connection,
			   error->error_code == 0 ? MQUIC_OK : MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER,
			   error->error_code, "the peer closed the connection with code %llu%s%s",
			   (unsigned long long)error->error_code, reason[0] != '\0' ? ": " : "",
			   reason);
	else
		ending_set(attempt->connection, status_of_transport(error->error_code),
			   MQUIC_ORIGIN_TRANSPORT, error->error_code,
			   "the peer closed the connection: %s%s%s",
			   transport_code_text(error->error_code), reason[0] != '\0' ? ": " : "",
			   reason);
	if (news && !application && is_about_us(error->error_code))
		attempt->connection->end.culprit = LOG_MQUIC;
}

static void drained(struct attempt *attempt)
{
	if (attempt->record.reset_by_peer)
		ending_set(attempt->connection, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_TRANSPORT, 0,
			   "%s no longer knows this connection; it was probably restarted "
			   "(stateless reset)",
			   attempt->path.peer_text);
	else
		closed_by_peer(attempt);
}

/* Bytes of the largest datagram to the peer, if it is known and too few for QUIC; else 0. */
static size_t narrow_path(const struct attempt *attempt)
{
	size_t largest = 0;

	if (attempt->connection->listener == NULL && attempt->wire != NULL)
		largest = attempt->wire->largest(attempt->wire);
	return largest < NGTCP2_MAX_UDP_PAYLOAD_SIZE ? largest : 0;
}

void ending_set_narrow(struct attempt *attempt, enum mquic_status status)
{
	size_t largest = narrow_path(attempt);

	if (largest > 0)
		ending_set(attempt->connection, status, MQUIC_ORIGIN_SYSTEM, EMSGSIZE,
			   "the path to UDP %s carries only %zu bytes in a datagram, and "
			   "QUIC needs %d: the MTU of that link or VPN is too small by %zu",
			   attempt->path.peer_text, largest, NGTCP2_MAX_UDP_PAYLOAD_SIZE,
			   NGTCP2_MAX_UDP_PAYLOAD_SIZE - largest);
	else
		ending_set(attempt->connection, status, MQUIC_ORIGIN_SYSTEM, EMSGSIZE,
			   "the path to UDP %s does not carry the datagrams of %d bytes "
			   "that QUIC needs: the MTU of that link or VPN is too small",
			   attempt->path.peer_text, NGTCP2_MAX_UDP_PAYLOAD_SIZE);
}

/* Whether silence is explained by a path that cannot carry QUIC; then that is why it ends. */
static bool is_too_narrow(struct attempt *attempt)
{
	if (!attempt->mtu.narrow && narrow_path(attempt) == 0)
		return false;
	ending_set_narrow(attempt, MQUIC_ERR_TIMEOUT);
	return true;
}

static void handshake_timeout(struct attempt *attempt)
{
	unsigned long long ms = attempt->connection->settings->handshake_timeout_ms;

	if (is_too_narrow(attempt))
		return;
	if (attempt->record.heard)
		ending_set(attempt->connection, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
			   "the handshake with %s was not complete within %llu ms",
			   attempt->path.peer_text, ms);
	else
		ending_set(attempt->connection, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
			   "no answer from UDP %s within %llu ms; check the address, that "
			   "no firewall drops UDP, and that the MTU on the way is 1280 or more",
			   attempt->path.peer_text, ms);
}

static void idle_timeout(struct attempt *attempt)
{
	if (!is_too_narrow(attempt))
		ending_set(attempt->connection, MQUIC_ERR_TIMEOUT, MQUIC_ORIGIN_TRANSPORT, 0,
			   "nothing was heard from %s for %llu ms (idle timeout)",
			   attempt->path.peer_text,
			   (unsigned long long)connection_idle_timeout_ms(attempt->connection));
}

/* Something is wrong that the peer should hear of. */
static void say(struct attempt *attempt, int code, ngtcp2_ccerr *error)
{
	uint64_t refused = attempt->record.refused;

	ngtcp2_ccerr_default(error);
	if (code == NGTCP2_ERR_CRYPTO) {
		uint8_t alert = ngtcp2_conn_get_tls_alert(attempt->conn);

		if (attempt->tls != NULL)
			alert = tls_session_alert(attempt->tls, alert);
		tls_end(attempt, alert, true);
		ngtcp2_ccerr_set_tls_alert(error, alert, NULL, 0);
	} else if (refused != NGTCP2_NO_ERROR) {
		ending_set(attempt->connection, MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT, refused,
			   "the peer %s broke the QUIC protocol: %s", attempt->path.peer_text,
			   transport_code_text(refused));
		ngtcp2_ccerr_set_transport_error(error, refused, NULL, 0);
	} else {
		bool ours = code == NGTCP2_ERR_NOMEM || code == NGTCP2_ERR_CALLBACK_FAILURE;

		ending_set(attempt->connection, ours ? MQUIC_ERR_MEMORY : MQUIC_ERR_PROTOCOL,
			   ours ? MQUIC_ORIGIN_LOCAL : MQUIC_ORIGIN_TRANSPORT,
			   ngtcp2_err_infer_quic_transport_error_code(code),
			   ours ? "out of memory for the connection with %s"
				: "the peer %s broke the QUIC protocol",
			   attempt->path.peer_text);
		ngtcp2_ccerr_set_liberr(error, code, NULL, 0);
	}
}

enum ending ending_of(struct attempt *attempt, int ngtcp2_error, ngtcp2_ccerr *error)
{
	switch (ngtcp2_error) {
	case NGTCP2_ERR_DRAINING:
		drained(attempt);
		return ENDING_DRAINS;
	case NGTCP2_ERR_IDLE_CLOSE:
		idle_timeout(attempt);
		return ENDING_SILENT;
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		handshake_timeout(attempt);
		return ENDING_SILENT;
	case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
		ending_set(attempt->connection, MQUIC_ERR_PROTOCOL, MQUIC_ORIGIN_TRANSPORT, 0,
			   "%s speaks no QUIC version that we do (1 and 2)",
			   attempt->path.peer_text);
		return ENDING_SILENT;
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_CLOSING:
		ending_set(attempt->connection, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_TRANSPORT, 0,
			   "the handshake with %s was dropped", attempt->path.peer_text);
		return ENDING_SILENT;
	default:
		say(attempt, ngtcp2_error, error);
		return ENDING_IS_SAID;
	}
}

void ending_set_unreachable(struct attempt *attempt, int code)
{
	struct mquic_connection *connection = attempt->connection;

	if (code == EMSGSIZE)
		ending_set_narrow(attempt, MQUIC_ERR_SYSTEM);
	else if (code == ECONNREFUSED)
		ending_set(connection, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM, (uint64_t)code,
			   "nothing listens on UDP %s; is the server's QUIC listener running, and "
			   "is the port right?",
			   attempt->path.peer_text);
	else
		ending_set(connection, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM, (uint64_t)code,
			   "UDP %s cannot be reached: %s", attempt->path.peer_text, strerror(code));
}
