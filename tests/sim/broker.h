/* SPDX-License-Identifier: MIT */
/*
 * A small MQTT 5.0 server on relays, for simulated sessions. It keeps sessions by client
 * identifier, counts what is published to it, and publishes to whoever has subscribed. The
 * payload of a message is its number, 32 bits.
 */
#ifndef MQUIC_TESTS_BROKER_H
#define MQUIC_TESTS_BROKER_H

#include "core/buf.h"
#include "mqtt/packet.h"
#include "pair.h"

#define BROKER_CLIENTS  8
#define BROKER_SESSIONS 4
#define BROKER_NUMBERS  2000

/* A message on its way to a client. */
struct broker_delivery {
	uint32_t number;
	uint16_t packet_id;
	uint8_t qos;
	bool released; /* PUBREC has come */
};

struct broker_session {
	char client_id[32];
	bool subscribed;
	bool taken[65536]; /* QoS 2 identifiers between PUBLISH and PUBREL */
	struct broker_delivery deliveries[BROKER_NUMBERS];
	size_t delivery_count;
	uint16_t next_id;
};

struct broker_client {
	struct mquic_relay *relay;
	struct broker_session *session;
	struct mqtt_framing framing;
	struct buf_writer output;
	bool finishing;
};

struct broker {
	struct broker_client clients[BROKER_CLIENTS];
	struct broker_session sessions[BROKER_SESSIONS];
	unsigned int counts[BROKER_NUMBERS]; /* how often each number was published to us */
	unsigned int connects;
	unsigned int pings;
	unsigned int disconnects;
	unsigned int closed;
	uint64_t closed_code;
	char username[64];     /* of the last CONNECT as the broker reads it */
	char old_username[64]; /* as the client sent it */
	const char *new_username;
	uint8_t refusal;       /* reason code for CONNACK; 0: none */
	unsigned int hang_up;  /* cuts the client off after this many PUBLISH; 0: never */
	uint64_t hang_up_code; /* with this, 2 by default */
	bool goodbye;          /* accepts, and closes in the same breath */
	bool mute;             /* answers nothing but CONNECT */
};

extern struct broker broker;

/* Makes the pair's server one; call after the pair is open. */
void broker_start(void);
void broker_stop(void);

/* To every session that has subscribed. */
void broker_publish(uint32_t number, int qos);

#endif
