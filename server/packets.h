/* SPDX-License-Identifier: MIT */
/*
 * What one end has said of the session, found in the flow of its bytes: MQTT packets are stepped
 * over by their lengths, however they are cut, and only CONNACK and DISCONNECT are looked into.
 *
 *     FIRST ──first byte──▶ LENGTH ──last of its digits──▶ BODY ──all of it──▶ FIRST
 *                              │ five digits
 *                              ▼
 *                             LOST
 */
#ifndef SERVER_PACKETS_H
#define SERVER_PACKETS_H

#include <stddef.h>
#include <stdint.h>

enum packets_state {
	PACKETS_FIRST,
	PACKETS_LENGTH,
	PACKETS_BODY,
	PACKETS_LOST /* what comes is not MQTT */
};

#define PACKETS_NONE (-1)

struct packets {
	enum packets_state state;
	uint8_t first;  /* of the present packet: its type */
	uint8_t shift;  /* LENGTH: of the next digit */
	uint32_t size;  /* of its body */
	uint32_t left;  /* BODY: to come */
	int connack;    /* return or reason code of the last one, or PACKETS_NONE */
	int disconnect; /* the same; 0 of one without */
};

void packets_init(struct packets *packets);
/* The next bytes of the flow. */
void packets_follow(struct packets *packets, const uint8_t *data, size_t len);

#endif
