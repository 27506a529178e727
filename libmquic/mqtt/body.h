/* SPDX-License-Identifier: MIT */
/*
 * The body of mqtt_engine, shared by its files: engine.c (life, time, events), input.c (what
 * the server says), engine-output.c (what we say) and calls.c (what the application asks).
 */
#ifndef MQUIC_MQTT_BODY_H
#define MQUIC_MQTT_BODY_H

#include "mqtt/ack.h"
#include "mqtt/alias.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/engine.h"
#include "mqtt/inflight.h"
#include "mqtt/subscribe.h"

/* What the server told of itself in CONNACK (section 3.2.2.3). */
struct server_limits {
	size_t receive_maximum;
	uint32_t maximum_packet_size;
	uint8_t maximum_qos;
	bool retain;
	unsigned int lacks; /* or-ed MQTT_NEEDS_... */
};

/* Whose turn it is to send AUTH (section 4.12). */
enum auth_turn {
	AUTH_NOBODY, /* no exchange is going on */
	AUTH_SERVER,
	AUTH_CLIENT
};

struct mqtt_engine {
	enum mqtt_engine_state state;
	struct mqtt_options options;
	size_t buffer_bytes;
	struct mqtt_framing framing;
	struct buf_writer output;
	size_t answers; /* bytes of the output, at most, that answer input */
	struct event_queue events;
	struct mquic_event *last_event; /* DISCONNECTED, made in advance so that it cannot fail */
	struct mqtt_inflight inflight;
	struct mqtt_alias_in alias_in;
	struct mqtt_alias_out alias_out;
	struct server_limits server;
	struct text assigned_id;
	bool named; /* CONNECT had a client identifier */
	enum auth_turn auth;
	bool closing;
	bool untold; /* lost, and the application does not know yet */
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
	return engine->options.version;
}

/* Ours, or the identifier that the server assigned. */
static inline const struct text *engine_client_id(const struct mqtt_engine *engine)
{
	return engine->options.client_id.len > 0 ? &engine->options.client_id
						 : &engine->assigned_id;
}

/* Whether CONNACK has accepted us and nothing has ended it. */
static inline bool engine_is_up(const struct mqtt_engine *engine)
{
	return engine->state == MQTT_ENGINE_CONNECTED || engine->state == MQTT_ENGINE_CLOSING;
}

/* ---- engine-output.c ---- */

/* Each writes one packet, or nothing and returns false: out of memory, or too large for the
 * server [MQTT-3.2.2-15]. */
bool engine_write_connect(struct mqtt_engine *engine);
bool engine_write_ack(struct mqtt_engine *engine, enum mqtt_type type, uint16_t packet_id,
		      uint8_t reason);
bool engine_write_disconnect(struct mqtt_engine *engine, uint8_t reason);
bool engine_write_auth(struct mqtt_engine *engine, uint8_t reason, struct bytes data);
bool engine_write_ping(struct mqtt_engine *engine);
bool engine_write_publish(struct mqtt_engine *engine, const struct mqtt_publish *publish);

/* Writes the acknowledgements of received messages whose turn it is; false if out of memory. */
bool engine_flush_acks(struct mqtt_engine *engine);

/* Fills in what a message looks like when we send it: nothing that only the server may say. */
void engine_view_outgoing(const struct mquic_message *message, uint16_t packet_id,
			  struct mqtt_publish *publish);

/* Why the server would not take it, going by CONNACK; MQTT_SUCCESS if it would. */
enum mqtt_reason engine_publish_refusal(const struct mqtt_engine *engine,
					const struct mqtt_publish *publish);
enum mqtt_reason engine_subscribe_refusal(const struct mqtt_engine *engine, unsigned int needs,
					  size_t size);

/* Bytes that count against the buffer. */
size_t engine_buffered(const struct mqtt_engine *engine);

/* All that was queued has left: DISCONNECT, and the engine is OVER. */
void engine_finish(struct mqtt_engine *engine);

/* Sends of the queue what may leave, then DISCONNECT if we are closing; tells WRITABLE. */
void engine_pump(struct mqtt_engine *engine);

/* ---- input.c ---- */

enum mquic_status engine_handle_packet(struct mqtt_engine *engine, const struct mqtt_packet *packet,
				       uint64_t now_ms);

#endif
