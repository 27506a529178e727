/* SPDX-License-Identifier: MIT */
/* What can be asked of a connection. */
#include "quic/stream.h"

uint64_t connection_idle_timeout_ms(const struct mquic_connection *connection)
{
	const ngtcp2_transport_params *remote;
	uint64_t ours;
	uint64_t theirs;

	if (connection_conn(connection) == NULL)
		return 0;
	ours = connection->settings->idle_timeout_ms;
	remote = ngtcp2_conn_get_remote_transport_params(connection_conn(connection));
	if (remote == NULL || remote->max_idle_timeout == 0)
		return ours;
	theirs = remote->max_idle_timeout / NGTCP2_MILLISECONDS;
	return ours == 0 || theirs < ours ? theirs : ours;
}

const char *mquic_connection_error(const struct mquic_connection *connection)
{
	return connection == NULL ? "no connection was given" : connection->error.text;
}

const char *mquic_connection_peer_address(const struct mquic_connection *connection)
{
	return connection == NULL || connection->attempt == NULL
		       ? ""
		       : connection->attempt->path.peer_text;
}

const char *mquic_connection_local_address(const struct mquic_connection *connection)
{
	return connection == NULL || connection->attempt == NULL
		       ? ""
		       : connection->attempt->path.local_text;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

const char *mquic_connection_tls_version(const struct mquic_connection *connection)
{
	return connection == NULL ? "" : or_empty(connection->facts.tls.version);
}

const char *mquic_connection_cipher(const struct mquic_connection *connection)
{
	return connection == NULL ? "" : or_empty(connection->facts.tls.cipher);
}

const char *mquic_connection_alpn(const struct mquic_connection *connection)
{
	return connection == NULL ? "" : or_empty(connection->facts.tls.alpn);
}

bool mquic_connection_resumed(const struct mquic_connection *connection)
{
	return connection != NULL && connection->facts.tls.resumed;
}

const char *mquic_connection_peer_common_name(const struct mquic_connection *connection)
{
	return connection == NULL ? NULL : connection->facts.tls.common_name;
}

const char *mquic_connection_peer_subject(const struct mquic_connection *connection)
{
	return connection == NULL ? NULL : connection->facts.tls.subject;
}

const uint8_t *mquic_connection_peer_subject_der(const struct mquic_connection *connection,
						 size_t *len)
{
	if (len != NULL)
		*len = connection == NULL ? 0 : connection->facts.tls.subject_der_len;
	return connection == NULL ? NULL : connection->facts.tls.subject_der;
}

const char *mquic_connection_peer_alt_name(const struct mquic_connection *connection, size_t index)
{
	if (connection == NULL || index >= connection->facts.tls.alt_name_count)
		return NULL;
	return connection->facts.tls.alt_names[index];
}

uint64_t facts_lost(const struct mquic_connection *connection)
{
	uint64_t lost = connection->facts.counters.packets_lost;
	const struct list *node;

	if (connection_conn(connection) == NULL)
		return lost;
	for (node = connection->streams.all.next; node != &connection->streams.all;
	     node = node->next) {
		const struct mquic_stream *stream = list_entry(node, struct mquic_stream, link);

		if (stream_is_open(stream))
			lost += ngtcp2_conn_get_stream_loss_count(connection_conn(connection),
								  stream->id);
	}
	return lost;
}

/* Of streams that are over, nothing is sent again. */
static uint64_t bytes_queued(const struct mquic_connection *connection)
{
	const struct list *node;
	uint64_t bytes = 0;

	for (node = connection->streams.all.next; node != &connection->streams.all;
	     node = node->next)
		bytes += list_entry(node, struct mquic_stream, link)->output.len;
	return bytes;
}

static uint64_t streams_open(const struct mquic_connection *connection)
{
	const struct list *node;
	uint64_t count = 0;

	for (node = connection->streams.all.next; node != &connection->streams.all;
	     node = node->next)
		count += stream_is_open(list_entry(node, struct mquic_stream, link));
	return count;
}

void facts_keep(struct mquic_connection *connection)
{
	connection->facts.counters.packets_lost = facts_lost(connection);
	ngtcp2_conn_get_conn_info(connection_conn(connection), &connection->facts.last_info);
}

uint64_t mquic_connection_statistic(const struct mquic_connection *connection,
				    enum mquic_statistic statistic)
{
	ngtcp2_conn_info info;

	if (connection == NULL)
		return 0;
	info = connection->facts.last_info;
	if (connection_conn(connection) != NULL)
		ngtcp2_conn_get_conn_info(connection_conn(connection), &info);
	switch (statistic) {
	case MQUIC_STATISTIC_SMOOTHED_RTT_US:
		return info.smoothed_rtt / NGTCP2_MICROSECONDS;
	case MQUIC_STATISTIC_MIN_RTT_US:
		return info.min_rtt == UINT64_MAX ? 0 : info.min_rtt / NGTCP2_MICROSECONDS;
	case MQUIC_STATISTIC_RTT_VARIATION_US:
		return info.rttvar / NGTCP2_MICROSECONDS;
	case MQUIC_STATISTIC_CONGESTION_WINDOW:
		return info.cwnd;
	case MQUIC_STATISTIC_BYTES_IN_FLIGHT:
		return info.bytes_in_flight;
	case MQUIC_STATISTIC_BYTES_SENT:
		return connection->facts.counters.bytes_sent;
	case MQUIC_STATISTIC_BYTES_RECEIVED:
		return connection->facts.counters.bytes_received;
	case MQUIC_STATISTIC_PACKETS_SENT:
		return connection->facts.counters.packets_sent;
	case MQUIC_STATISTIC_PACKETS_RECEIVED:
		return connection->facts.counters.packets_received;
	case MQUIC_STATISTIC_PACKETS_LOST:
		return facts_lost(connection);
	case MQUIC_STATISTIC_HANDSHAKE_US:
		return connection->facts.counters.handshake_us;
	case MQUIC_STATISTIC_MEMORY:
		return memory_of(connection);
	case MQUIC_STATISTIC_STREAMS:
		return streams_open(connection);
	case MQUIC_STATISTIC_BYTES_QUEUED:
		return bytes_queued(connection);
	}
	return 0;
}

void mquic_connection_set_userdata(struct mquic_connection *connection, void *userdata)
{
	if (connection != NULL)
		connection->userdata = userdata;
}

void *mquic_connection_get_userdata(const struct mquic_connection *connection)
{
	return connection == NULL ? NULL : connection->userdata;
}
