/* SPDX-License-Identifier: MIT */
/*
 * What a hostile peer (tests/hostile) does to an endpoint of the library, as a program: records of
 * eight bytes, an action and its arguments a to g. Every input is a program. Frames are gathered
 * on a heap until they are sent. The handshake begins with the first action that is not marked
 * with a star.
 */
#ifndef MQUIC_TESTS_HOSTILE_PROGRAM_H
#define MQUIC_TESTS_HOSTILE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_SIZE 8
#define RECORDS_MAX 64

enum hostile_action {
	ACTION_FRAME,   /* * onto the heap: kind a, numbers b c, b d, e f, length g */
	ACTION_QUEUE,   /* the heap goes with the next packet at level a */
	ACTION_PACKET,  /* the heap as a packet at level a in the datagram; b to g: its lies */
	ACTION_SEND,    /* the datagram goes */
	ACTION_FLUSH,   /* what is due goes */
	ACTION_TIME,    /* a times b ms pass */
	ACTION_HABIT,   /* * number a is on or off, as b says: mute, no ACK, ... */
	ACTION_LIE,     /* * what goes by itself at level a lies as b to g say */
	ACTION_MESSAGE, /* * changes TLS messages of type a in way b, by c to e, or the heap */
	ACTION_PARAM,   /* * a transport parameter: way a, identifier b c, value d e */
	ACTION_TLS,     /* a TLS message of type b and c bytes at level a, out of turn */
	ACTION_KEYS,    /* the next key phase */
	ACTION_MOVE,    /* another address for the peer or the endpoint, or an identifier */
	ACTION_PROGRAM, /* the endpoint's program speaks, resets, stops, closes */
	ACTION_RESEND,  /* the TLS messages of level a once more */
	ACTION_SPECIAL, /* Retry, version negotiation, a stateless reset */
	ACTION_REPLAY,  /* an earlier datagram once more, changed if a is odd */
	ACTION_CONNECT, /* the handshake is run to its end */
	ACTION_BEGIN,   /* nothing else */
	ACTION_SETTING, /* * Retry, HelloRetryRequest, client certificates, limits */
	ACTION_LINE,    /* loses what the endpoint sends, or no longer */
	ACTIONS
};

/* Runs it, against a server of the library or against a client. */
void hostile_program_run(bool attacks_server, const uint8_t *data, size_t size);

#endif
