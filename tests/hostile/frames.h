/* SPDX-License-Identifier: MIT */
/* QUIC frames (RFC 9000 section 19), written with whatever fields. */
#ifndef MQUIC_TESTS_FRAMES_H
#define MQUIC_TESTS_FRAMES_H

#include "octets.h"

enum frame_type {
	FRAME_PADDING = 0x00,
	FRAME_PING = 0x01,
	FRAME_ACK = 0x02,
	FRAME_ACK_ECN = 0x03,
	FRAME_RESET_STREAM = 0x04,
	FRAME_STOP_SENDING = 0x05,
	FRAME_CRYPTO = 0x06,
	FRAME_NEW_TOKEN = 0x07,
	FRAME_STREAM = 0x08, /* with 1: FIN, 2: length, 4: offset */
	FRAME_MAX_DATA = 0x10,
	FRAME_MAX_STREAM_DATA = 0x11,
	FRAME_MAX_STREAMS_BIDI = 0x12,
	FRAME_MAX_STREAMS_UNI = 0x13,
	FRAME_DATA_BLOCKED = 0x14,
	FRAME_STREAM_DATA_BLOCKED = 0x15,
	FRAME_STREAMS_BLOCKED_BIDI = 0x16,
	FRAME_STREAMS_BLOCKED_UNI = 0x17,
	FRAME_NEW_CONNECTION_ID = 0x18,
	FRAME_RETIRE_CONNECTION_ID = 0x19,
	FRAME_PATH_CHALLENGE = 0x1a,
	FRAME_PATH_RESPONSE = 0x1b,
	FRAME_CLOSE = 0x1c,
	FRAME_CLOSE_APPLICATION = 0x1d,
	FRAME_HANDSHAKE_DONE = 0x1e,
	FRAME_DATAGRAM = 0x30
};

/* Variable-length integers one after the other: the type, and the fields of most frames. */
void frame_numbers(struct octets *to, const uint64_t *numbers, size_t count);
#define FRAME(to, ...)                                                                             \
	frame_numbers(to, (const uint64_t[]){__VA_ARGS__},                                         \
		      sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

void frame_crypto(struct octets *to, uint64_t offset, const void *data, size_t len);
void frame_stream(struct octets *to, uint64_t id, uint64_t offset, const void *data, size_t len,
		  bool fin);
void frame_new_cid(struct octets *to, uint64_t number, uint64_t retire_prior_to, const void *cid,
		   size_t len);
void frame_path(struct octets *to, enum frame_type type, const uint8_t data[8]);
void frame_close(struct octets *to, enum frame_type type, uint64_t code);

#endif
