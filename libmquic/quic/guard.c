/* SPDX-License-Identifier: MIT */
/*
 * Looks at the frames of 1-RTT packets before ngtcp2 does, for what it does not check and what
 * would have it end the program. A packet that breaks a rule here is not handed on, and the
 * connection is closed with the code that the RFC demands.
 *
 *  - NEW_CONNECTION_ID to a server, from number 16 on (RFC 9000 section 5.1.2). ngtcp2 keeps 16
 *    identifiers whose retirement the client has not acknowledged. One more is an error, which it
 *    does not expect of a packet from another address: an assertion ends the program, up to 1.24 at
 *    least. There are not more than 16 of them if there never were more identifiers. An honest
 *    client needs one for each move to another network; after a dozen moves it connects anew.
 *  - PATH_CHALLENGE: see challenge.c.
 *  - RESET_STREAM of a stream that we alone send on (section 19.4): ngtcp2 has another code for it.
 *
 * Nothing is wrong with STOP_SENDING; see stopped.h for what it is looked at.
 *
 * ngtcp2's callback knows no attempt, so the thread's reader is kept while ngtcp2 reads.
 */
#include "quic/attempt.h"
#include "quic/body.h"
#include "quic/token.h"
#include "quic/guard.h"
#include "quic/stopped.h"

#define LONG_HEADER 0x80

#define IDENTIFIERS_MAX 16

/* Bytes that are read; beyond the end, `failed`. */
struct view {
	const uint8_t *data;
	size_t left;
	bool failed;
	bool challenges; /* a path */
};

static _Thread_local struct attempt *reader;

static void skip(struct view *view, uint64_t len)
{
	if (len > view->left) {
		view->failed = true;
		view->left = 0;
		return;
	}
	view->data += len;
	view->left -= (size_t)len;
}

/* RFC 9000 section 16. */
static uint64_t take_number(struct view *view)
{
	const uint8_t *from = view->data;
	size_t len = view->left == 0 ? 1 : (size_t)1 << (*from >> 6);
	uint64_t value;
	size_t i;

	if (view->left > 0 && len == 1) { /* most are */
		view->data++;
		view->left--;
		return *from;
	}
	skip(view, len);
	if (view->failed)
		return 0;
	value = *from & 0x3f;
	for (i = 1; i < len; i++)
		value = value << 8 | from[i];
	return value;
}

static void skip_numbers(struct view *view, unsigned int count)
{
	for (; count > 0; count--)
		(void)take_number(view);
}

static void skip_ack(struct view *view, bool ecn)
{
	uint64_t ranges;

	skip_numbers(view, 2);
	ranges = take_number(view);
	skip_numbers(view, 1);
	for (; ranges > 0 && !view->failed; ranges--)
		skip_numbers(view, 2);
	if (ecn)
		skip_numbers(view, 3);
}

static void skip_stream(struct view *view, uint64_t type)
{
	skip_numbers(view, type & 4 ? 2 : 1);
	skip(view, type & 2 ? take_number(view) : view->left);
}

/* What the frame is closed for, 0: nothing. */
static uint64_t look_at_reset(const struct attempt *attempt, struct view *view)
{
	uint64_t id = take_number(view);
	uint64_t ours = attempt->connection->listener != NULL ? 3 : 2;

	skip_numbers(view, 2);
	return !view->failed && (id & 3) == ours ? NGTCP2_STREAM_STATE_ERROR : NGTCP2_NO_ERROR;
}

static uint64_t look_at_stop(const struct attempt *attempt, struct view *view)
{
	uint64_t id = take_number(view);
	uint64_t code = take_number(view);

	if (!view->failed)
		stream_note_stop(attempt->connection, (int64_t)id, code);
	return NGTCP2_NO_ERROR;
}

static uint64_t look_at_identifier(const struct attempt *attempt, struct view *view)
{
	uint64_t number = take_number(view);

	skip_numbers(view, 1);
	skip(view, view->left > 0 ? 1U + *view->data + RESET_TOKEN_LEN : 1);
	return !view->failed && attempt->connection->listener != NULL && number >= IDENTIFIERS_MAX
		       ? NGTCP2_CONNECTION_ID_LIMIT_ERROR
		       : NGTCP2_NO_ERROR;
}

/* Of the other frames; of what ngtcp2 refuses anyway, nothing behind it. */
static void skip_frame(struct view *view, uint64_t type)
{
	switch (type) {
	case 0x01: /* PING */
	case 0x1e: /* HANDSHAKE_DONE */
		break;
	case 0x02: /* ACK */
	case 0x03:
		skip_ack(view, type == 0x03);
		break;
	case 0x06: /* CRYPTO */
		skip_numbers(view, 1);
		skip(view, take_number(view));
		break;
	case 0x07: /* NEW_TOKEN */
		skip(view, take_number(view));
		break;
	case 0x10: /* MAX_DATA */
	case 0x12: /* MAX_STREAMS */
	case 0x13:
	case 0x14: /* DATA_BLOCKED */
	case 0x16: /* STREAMS_BLOCKED */
	case 0x17:
	case 0x19: /* RETIRE_CONNECTION_ID */
		skip_numbers(view, 1);
		break;
	case 0x11: /* MAX_STREAM_DATA */
	case 0x15: /* STREAM_DATA_BLOCKED */
		skip_numbers(view, 2);
		break;
	case 0x1c: /* CONNECTION_CLOSE */
	case 0x1d:
		skip_numbers(view, type == 0x1c ? 2 : 1);
		skip(view, take_number(view));
		break;
	case 0x1a: /* PATH_CHALLENGE */
	case 0x1b: /* PATH_RESPONSE */
		skip(view, 8);
		break;
	default:
		skip(view, view->left);
		break;
	}
}

static uint64_t look_at_frame(const struct attempt *attempt, struct view *view)
{
	uint64_t type = take_number(view);

	if (type == 0x04) /* RESET_STREAM */
		return look_at_reset(attempt, view);
	if (type == 0x05) /* STOP_SENDING */
		return look_at_stop(attempt, view);
	if (type == 0x18) /* NEW_CONNECTION_ID */
		return look_at_identifier(attempt, view);
	view->challenges = view->challenges || type == 0x1a; /* PATH_CHALLENGE */
	if (type >= 0x08 && type <= 0x0f)                    /* STREAM */
		skip_stream(view, type);
	else
		skip_frame(view, type);
	return NGTCP2_NO_ERROR;
}

static void skip_padding(struct view *view)
{
	while (view->left > 0 && *view->data == 0)
		skip(view, 1);
}

/* What ngtcp2 is to be told of the packet. */
static int look_at(struct attempt *attempt, const uint8_t *data, size_t len)
{
	struct view view = {.data = data, .left = len};
	uint64_t code = NGTCP2_NO_ERROR;
	size_t frames = 0;

	while (skip_padding(&view), view.left > 0 && code == NGTCP2_NO_ERROR) {
		code = look_at_frame(attempt, &view);
		frames++;
	}
	burden_add(attempt, frames);
	attempt->record.refused = code;
	if (code != NGTCP2_NO_ERROR)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	/* For ngtcp2, a packet that is damaged; it will come again. */
	return view.challenges && !challenge_take(attempt) ? NGTCP2_ERR_DECRYPT : 0;
}

/* Its nine parameters are what ngtcp2 calls. */
int guard_decrypt(uint8_t *to, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *keys,
		  const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len,
		  const uint8_t *header, size_t header_len)
{
	int code = ngtcp2_crypto_decrypt_cb(to, aead, keys, data, len, nonce, nonce_len, header,
					    header_len);

	if (code != 0 || reader == NULL || (header[0] & LONG_HEADER) != 0)
		return code;
	return look_at(reader, to, len - aead->max_overhead);
}

int guard_read(struct attempt *attempt, const ngtcp2_path *path, const ngtcp2_pkt_info *info,
	       const struct datagram *datagram)
{
	int code;

	reader = attempt;
	code = ngtcp2_conn_read_pkt(attempt->conn, path, info, datagram->data, datagram->len,
				    endpoint_now(attempt->connection->endpoint));
	reader = NULL;
	return code;
}
