/* SPDX-License-Identifier: MIT */
/*
 * The body of mqtt_engine, for its files alone. Calls go down this picture:
 *
 *     engine   life, bytes, time        calls   what the application asks for
 *        │                                │
 *     input    what the server says       │     input-connection, -message, -answer
 *        └───────────┬────────────────────┘
 *     queue    what waits to be said
 *     verdict  what the application is told
 *     outgoing what we say, packet by packet
 *        │
 *     state    the step from one state to the next
 *     lanes    which lane it is about
 *     lane     what counts on one stream: framing, output, aliases, what is in flight
 */
#ifndef MQUIC_MQTT_BODY_H
#define MQUIC_MQTT_BODY_H

#include "mqtt/engine.h"
#include "mqtt/lane-body.h"
#include "mqtt/limits.h"

/* What the server told of itself in CONNACK (section 3.2.2.3). */
struct server_limits {
	size_t receive_maximum;
	uint32_t maximum_packet_size;
	uint8_t maximum_qos;
	bool retain;
	unsigned int lacks; /* or-ed MQTT_NEEDS_... */
};

/*
 * Whose turn it is to send AUTH (section 4.12).
 *
 *     NOBODY ──connect() with a method, auth(0x19)──▶ SERVER ──AUTH 0x18──▶ CLIENT
 *        ▲                                             │   ▲                  │
 *        └──CONNACK, AUTH 0x00, the connection ends────┘   └────auth(0x18)────┘
 */
enum auth_turn {
	AUTH_NOBODY, /* no exchange is going on */
	AUTH_SERVER,
	AUTH_CLIENT
};

/*
 * What the application knows of the end of a connection.
 *
 *     NONE ──disconnect()──▶ ASKED ──IDLE──▶ NONE
 *     NONE ──OVER, or IDLE because it is lost──▶ UNHEARD ──told()──▶ NONE
 */
enum engine_parting {
	PARTING_NONE,
	PARTING_ASKED,  /* it is its own wish */
	PARTING_UNHEARD /* it cannot know yet */
};

/* More than one connection makes, from IDLE to IDLE. */
#define ENGINE_STEPS_MAX 6

/* Steps that nobody has asked for yet. */
struct engine_steps {
	enum mqtt_engine_state from; /* the first of them */
	enum mqtt_engine_state to[ENGINE_STEPS_MAX];
	size_t count;
};

struct mqtt_engine {
	enum mqtt_engine_state state; /* changed by engine_step() alone */
	struct engine_steps steps;
	struct mqtt_settings settings;
	size_t buffer_bytes;
	struct mqtt_lane control;
	struct event_queue events;
	struct mquic_event *last_event; /* DISCONNECTED, made in advance so that it cannot fail */
	struct server_limits server;
	struct mqtt_limits limits;
	struct text assigned_id;
	bool named; /* CONNECT had a client identifier */
	enum auth_turn auth;
	enum engine_parting parting;
	enum mqtt_type
		oversized; /* the last packet that is larger than the server takes; 0: none */
	bool hung_up;      /* the server has ended it, or an answer of its that breaks a rule */
	uint8_t closing_reason;
	bool wants_writable;
	bool has_notice;
	char notice[320];

	uint16_t keep_alive_s;
	uint64_t connack_timeout_ms;
	uint64_t connack_deadline_ms;
	uint64_t last_sent_ms;
	uint64_t last_received_ms;
	uint64_t ping_deadline_ms;
};

/* No more of the queue is encoded while this much output waits, so that little is held twice. */
#define ENGINE_OUTPUT_ENOUGH 65536

/* MQTT_3_1, MQTT_3_1_1 or MQTT_5. */
static inline int engine_version(const struct mqtt_engine *engine)
{
	return engine->settings.version;
}

/* Ours, or the identifier that the server assigned. */
static inline const struct text *engine_client_id(const struct mqtt_engine *engine)
{
	return engine->settings.client_id.len > 0 ? &engine->settings.client_id
						  : &engine->assigned_id;
}

/* Whether CONNACK has accepted us and nothing has ended it. */
static inline bool engine_is_up(const struct mqtt_engine *engine)
{
	return engine->state == MQTT_ENGINE_CONNECTED || engine->state == MQTT_ENGINE_CLOSING;
}

#endif
