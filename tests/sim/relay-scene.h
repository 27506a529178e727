/* SPDX-License-Identifier: MIT */
/* The pair's server as the relay of its client: what the relay tells, reads and shows. */
#ifndef MQUIC_TESTS_RELAY_SCENE_H
#define MQUIC_TESTS_RELAY_SCENE_H

#include "mqtt/connect.h"
#include "pair.h"

#define SCENE_CONNECT_MS  2000
#define SCENE_CONNECT_MAX 1024

extern struct scene {
	struct mquic_relay *relay;
	bool opens;         /* the relay, as soon as CONNECT is shown */
	unsigned int shown; /* events */
	unsigned int readable;
	unsigned int writable;
	struct pair_end end;
	struct mquic_stream *stream; /* of the client, by scene_dial() */
	struct buf_writer connect;   /* its first packet, of MQTT 5.0 */
} scene;

/* A fresh pair, whose server makes a relay of the client. */
void scene_begin(void);
/* The client dials and opens a stream; it says nothing yet. */
void scene_dial(void);
void scene_end(void);

/* Another CONNECT, with so long a client identifier. */
void scene_make_connect(size_t client_id_len);
/* The client says so much. */
void scene_say(const void *data, size_t len);
void scene_pass(unsigned int ms);
/* The client says CONNECT, and it is shown; the relay is open. */
void scene_show_connect(void);
void scene_open_relay(void);
/* Reads what is there for the broker, at most `size` bytes, and returns how much. */
size_t scene_read(uint8_t *buffer, size_t size);
/* The relay has closed the client, before there was a CONNECT to show, for this reason. */
void scene_expect_rejection(const char *part);

#endif
