/* SPDX-License-Identifier: MIT */
/* Every datagram's first step: whose is it? */
#include <errno.h>
#include <string.h>

#include "quic/body.h"
#include "quic/closing.h"
#include "quic/demux.h"
#include "quic/dial.h"
#include "quic/ending.h"
#include "quic/listener.h"
#include "quic/mtu.h"
#include "quic/udp.h"

void demux_receive(struct quic_host *host, struct wire *wire, const struct datagram *datagram)
{
	if (datagram->len == 0)
		return;
	/* A client's socket has one peer and one connection: whatever comes is for that, also a
	 * stateless reset, whose identifier means nothing. */
	if (wire->connection != NULL)
		connection_read(wire->connection, wire, datagram);
	else if (wire->closing != NULL)
		closing_read(wire->closing, datagram);
	else if (wire->listener != NULL)
		listener_receive(host, wire, datagram);
}

void demux_unreachable(struct mquic_connection *connection, int code)
{
	/* Later on it proves nothing: the idle timeout and stateless resets decide. */
	if (connection->state != CONNECTION_HANDSHAKE || connection->listener != NULL)
		return;
	if (dial_next(connection))
		return;
	if (code == EMSGSIZE)
		connection_set_end_narrow(connection, MQUIC_ERR_SYSTEM);
	else if (code == ECONNREFUSED)
		connection_set_end(connection, MQUIC_ERR_REFUSED, MQUIC_ORIGIN_SYSTEM,
				   (uint64_t)code,
				   "nothing listens on UDP %s; is the server's QUIC listener "
				   "running, and is the port right?",
				   connection->peer_text);
	else
		connection_set_end(connection, MQUIC_ERR_SYSTEM, MQUIC_ORIGIN_SYSTEM,
				   (uint64_t)code, "UDP %s cannot be reached: %s",
				   connection->peer_text, strerror(code));
	log_debug(endpoint_log(connection->endpoint), "%s: unreachable", connection->peer_text);
	connection_drop(connection);
}

static void failed(struct quic_host *host, struct wire *wire, int code)
{
	(void)host;
	if (wire->connection == NULL)
		return;
	/* Anybody can forge a router's word: it may make packets smaller, but end nothing (RFC 9000
	 * section 14.2.1). */
	if (code == EMSGSIZE)
		mtu_told(wire->connection);
	else
		demux_unreachable(wire->connection, code);
}

const struct udp_reader demux_reader = {
	.receive = demux_receive,
	.failed = failed,
};
