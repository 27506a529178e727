/* SPDX-License-Identifier: MIT */
/*
 * What ngtcp2 calls. Nothing here writes packets, tells observers or frees a connection: it is
 * recorded, and the task of the connection acts on it later. What only one side needs is in
 * client.c and server.c.
 */
#include <string.h>

#include "quic/callbacks.h"
#include "quic/guard.h"
#include "quic/random.h"
#include "quic/resume.h"
#include "quic/stopped.h"
#include "quic/stream-send.h"

static struct mquic_stream *stream_of(void *stream_user_data)
{
	return stream_user_data;
}

/*
 * TLS bytes of the peer. Those of 1-RTT packets are session tickets. Once a client has one the
 * others are looked at and go no further.
 */
static int crypto_data(ngtcp2_conn *conn, ngtcp2_encryption_level level, uint64_t offset,
		       const uint8_t *data, size_t len, void *user_data)
{
	static const enum tls_level levels[] = {
		[NGTCP2_ENCRYPTION_LEVEL_INITIAL] = TLS_LEVEL_INITIAL,
		[NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE] = TLS_LEVEL_HANDSHAKE,
		[NGTCP2_ENCRYPTION_LEVEL_1RTT] = TLS_LEVEL_1RTT,
	};
	struct attempt *attempt = user_data;
	uint8_t alert = tls_order_check(&attempt->order, levels[level], data, len);

	if (alert != 0) {
		ngtcp2_conn_set_tls_alert(conn, alert);
		return NGTCP2_ERR_CRYPTO;
	}
	if (level == NGTCP2_ENCRYPTION_LEVEL_1RTT && !resume_wants(attempt, len))
		return 0;
	/* A client that has the keys has received our answer (RFC 9000 section 8.1). */
	if (level == NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE)
		admission_proven(attempt->connection);
	return ngtcp2_crypto_recv_crypto_data_cb(conn, level, offset, data, len, user_data);
}

static int handshake_completed(ngtcp2_conn *conn, void *user_data)
{
	struct attempt *attempt = user_data;

	(void)conn;
	attempt->record.handshake_done = true;
	admission_handshake_over(attempt->connection);
	return 0;
}

static int stream_open_by_peer(ngtcp2_conn *conn, int64_t id, void *user_data)
{
	struct attempt *attempt = user_data;
	struct mquic_stream *stream = stream_new(attempt->connection);

	if (stream == NULL)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	stream->id = id;
	stream->remote = true;
	(void)stream_live(stream, STREAM_OPEN);
	list_append(&attempt->connection->streams.acceptable, &stream->place_link);
	attempt->connection->streams.fresh = true;
	return ngtcp2_conn_set_stream_user_data(conn, id, stream) == 0
		       ? 0
		       : NGTCP2_ERR_CALLBACK_FAILURE;
}

/* Its eight parameters are what ngtcp2 calls. */
static int stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset,
		       const uint8_t *data, size_t len, void *user_data, void *stream_user_data)
{
	struct mquic_stream *stream = stream_of(stream_user_data);

	(void)id;
	(void)offset;
	(void)user_data;
	if (stream == NULL || stream->receiving == RECEIVING_GIVEN_UP) {
		/* Nobody reads it, but the connection's credit must come back. */
		ngtcp2_conn_extend_max_offset(conn, len);
		return 0;
	}
	if (!fifo_append(&stream->input, data, len))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	if (flags & NGTCP2_STREAM_DATA_FLAG_FIN)
		(void)stream_step_receiving(stream, RECEIVING_DATA_RECVD);
	stream->news.readable = true;
	stream_touch(stream);
	return 0;
}

static int stream_data_acked(ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t len,
			     void *user_data, void *stream_user_data)
{
	struct attempt *attempt = user_data;
	struct mquic_stream *stream = stream_of(stream_user_data);

	(void)conn;
	(void)id;
	if (stream == NULL)
		return 0;
	stream->output_acked = offset + len;
	stream->moved_ns = endpoint_now(attempt->connection->endpoint);
	mtu_acknowledged(attempt, stream);
	fifo_drop(&stream->output, (size_t)len);
	if (stream->output.len == 0)
		stream->news.flushed = true;
	stream_touch(stream);
	return 0;
}

static int stream_closed(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code,
			 void *user_data, void *stream_user_data)
{
	struct attempt *attempt = user_data;
	struct mquic_stream *stream = stream_of(stream_user_data);

	attempt->connection->facts.counters.packets_lost +=
		ngtcp2_conn_get_stream_loss_count(conn, id);
	if (stream == NULL)
		return 0;
	if (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET)
		stream->code = code;
	(void)stream_live(stream, STREAM_CLOSED);
	/* After a reset the rest will never be acknowledged, and ngtcp2 has forgotten it. */
	fifo_clear(&stream->output);
	list_remove(&stream->send_link);
	stream_touch(stream);
	return 0;
}

static int stream_reset_by_peer(ngtcp2_conn *conn, int64_t id, uint64_t final_size, uint64_t code,
				void *user_data, void *stream_user_data)
{
	struct mquic_stream *stream = stream_of(stream_user_data);

	(void)conn;
	(void)id;
	(void)final_size;
	(void)user_data;
	if (stream == NULL)
		return 0;
	stream->code = code;
	(void)stream_step_receiving(stream, RECEIVING_RESET_RECVD);
	stream->news.readable = true;
	stream_touch(stream);
	return 0;
}

static int more_stream_credit(ngtcp2_conn *conn, int64_t id, uint64_t max_data, void *user_data,
			      void *stream_user_data)
{
	struct mquic_stream *stream = stream_of(stream_user_data);

	(void)conn;
	(void)id;
	(void)max_data;
	(void)user_data;
	if (stream != NULL && stream_has_output(stream))
		stream_mark_sendable(stream);
	return 0;
}

static int path_validated(ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path,
			  const ngtcp2_path *old_path, ngtcp2_path_validation_result result,
			  void *user_data)
{
	(void)conn;
	(void)flags;
	(void)old_path;
	migrate_path_answered(user_data, path, result);
	return 0;
}

static int stateless_reset(ngtcp2_conn *conn, const ngtcp2_pkt_stateless_reset *reset,
			   void *user_data)
{
	struct attempt *attempt = user_data;

	(void)conn;
	(void)reset;
	attempt->record.reset_by_peer = true;
	host_count(attempt->connection->host, MQUIC_TOTAL_RESETS_RECEIVED);
	return 0;
}

static void random_bytes(uint8_t *bytes, size_t len, const ngtcp2_rand_ctx *context)
{
	(void)context;
	random_fill(bytes, len);
}

const ngtcp2_callbacks transport_callbacks = {
	.recv_crypto_data = crypto_data,
	.handshake_completed = handshake_completed,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = guard_decrypt,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.recv_stream_data = stream_data,
	.acked_stream_data_offset = stream_data_acked,
	.stream_open = stream_open_by_peer,
	.stream_close = stream_closed,
	.stream_reset = stream_reset_by_peer,
#ifdef STREAM_TELLS_STOP
	.recv_stop_sending = stream_stop_received,
#endif
	.extend_max_stream_data = more_stream_credit,
	.rand = random_bytes,
	.path_validation = path_validated,
	.recv_stateless_reset = stateless_reset,
	.update_key = ngtcp2_crypto_update_key_cb,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
};
