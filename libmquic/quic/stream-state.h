/* SPDX-License-Identifier: MIT */
/*
 * The states of a stream. It has a life of its own and two parts, as in RFC 9000 section 3.
 *
 *     life        WAITING ──the peer's limit allows it──▶ OPEN
 *                    │                                     │ both parts are over
 *                    └── the connection ends ──▶ CLOSED ◀──┘ or the connection ends
 *                                                   └──the observer hears of it──▶ TOLD
 *
 *     sending     SEND ──finish──▶ FINISHING ──FIN goes──▶ DATA_SENT
 *                  │                   │                       │
 *                  ├───────────────────┼── we reset it ────────┴──▶ RESET_SENT
 *                  └───────────────────┴── STOP_SENDING comes ────▶ STOPPED
 *
 *     receiving   RECV ──FIN comes──▶ DATA_RECVD ──the end is read──▶ DATA_READ
 *                  │                      └─────────────┬────────────────┘
 *                  ├── RESET_STREAM comes ──▶ RESET_RECVD
 *                  └── we want no more, then or later ──┴──▶ GIVEN_UP
 *
 * SEND is Ready and Send of the RFC in one; RESET_SENT and STOPPED are its Reset Sent, told apart
 * by who wanted it; DATA_RECVD is reached with Size Known, since bytes come in order. What the RFC
 * calls Data Recvd and Reset Recvd of the sending part shows in the life alone: ngtcp2 says no more
 * of it. A handle stays readable in every state until it is freed.
 */
#ifndef MQUIC_QUIC_STREAM_STATE_H
#define MQUIC_QUIC_STREAM_STATE_H

#include <stdbool.h>

struct mquic_stream;

enum stream_life {
	STREAM_WAITING, /* for an identifier */
	STREAM_OPEN,
	STREAM_CLOSED, /* ngtcp2 has forgotten it, or the connection ended */
	STREAM_TOLD
};

enum stream_sending {
	SENDING_SEND,
	SENDING_FINISHING, /* FIN goes behind the last bytes */
	SENDING_DATA_SENT,
	SENDING_RESET_SENT,
	SENDING_STOPPED /* the peer wants no more, and ngtcp2 has answered with RESET_STREAM */
};

enum stream_receiving {
	RECEIVING_RECV,
	RECEIVING_DATA_RECVD,
	RECEIVING_DATA_READ,
	RECEIVING_RESET_RECVD,
	RECEIVING_GIVEN_UP /* nobody reads any more; the peer is told unless all has come */
};

/* Each makes a step that the picture has, and logs it; false, and nothing, for any other. */
bool stream_live(struct mquic_stream *stream, enum stream_life to);
bool stream_step_sending(struct mquic_stream *stream, enum stream_sending to);
bool stream_step_receiving(struct mquic_stream *stream, enum stream_receiving to);

#endif
