/* SPDX-License-Identifier: MIT */
/*
 * The client side of an MQTT session: bytes and the time go in, bytes and events come out. It
 * knows no socket, clock or thread.
 *
 *     IDLE ──connect──▶ CONNECTING ──CONNACK 0──▶ CONNECTED ──disconnect──▶ CLOSING
 *      ▲                    │                         │                        │ all queued
 *      │                    │ refused, violation,     │                        │ packets and
 *      │                    │ timeout, DISCONNECT     │                        │ DISCONNECT are
 *      │                    ▼                         ▼                        ▼ in the output
 *      └────lost──────── OVER: the output still has to leave, whatever comes in is ignored
 *
 * disconnect() is also possible while CONNECTING: the engine remembers it, and CLOSING follows
 * CONNACK, or OVER at once if nothing is queued. lost() leads from every state to IDLE.
 *
 * How to drive it:
 *   - mqtt_engine_connect() when (or just before) the network is up.
 *   - Received bytes go to mqtt_engine_receive() while mqtt_lane_wants_input(), with the lane on
 *     which they came; then pull the events until there is none.
 *   - After every call that may make output (connect, receive, tick, publish, ..., ack), send what
 *     mqtt_lane_output() shows and report it with mqtt_engine_output_consume(), in a loop: more
 *     may follow what was consumed, and events (WRITABLE, DELIVERED) too.
 *   - Call mqtt_engine_tick() at mqtt_engine_deadline_ms(), which every call may move.
 *   - When mqtt_engine_state() is MQTT_ENGINE_OVER and the output is empty, end the connection,
 *     then call mqtt_engine_lost().
 *   - When the network is gone for whatever reason, call mqtt_engine_lost().
 *
 * Events. CONNECTED, MESSAGE, DELIVERED, SUBSCRIBED, UNSUBSCRIBED, WRITABLE and AUTH. A
 * DISCONNECTED event comes from the engine only if MQTT itself ended the connection: CONNACK
 * refused it, the server sent DISCONNECT, a peer broke a rule, or time ran out; its origin is
 * MQUIC_ORIGIN_MQTT, its code the reason code (sent or received), its text a sentence. At most
 * one comes per connect(); the state is OVER by then. After disconnect() and lost() the caller
 * makes the event. The caller also fills in session and owner of each event.
 * DELIVERED with an error code is also how a message accepted before CONNACK ends that the server
 * turns out not to take: 0x95 too large, 0x9A no retained messages, 0x9B no such QoS; then for
 * QoS 0 as well, with packet id 0. SUBSCRIBED answers likewise (0x95, 0x9E, 0xA1, 0xA2).
 *
 * What survives lost(): QoS 1 and 2 messages of ours that are not settled, with their packet
 * identifiers; messages queued and not yet written, QoS 0 too; identifiers of received QoS 2
 * messages. QoS 0 messages already in the output are gone, and so are SUBSCRIBE and UNSUBSCRIBE
 * packets without answer: after DISCONNECTED the application subscribes again, unless CONNECTED
 * says that the session is present. If the server has lost the session, messages that it had not
 * taken over yet are sent anew under the same identifier; a QoS 2 message between PUBREC and
 * PUBCOMP is settled with 0x92 (DELIVERED), because only the server knows what became of it.
 *
 * All functions with an `error` parameter leave a sentence there when they fail.
 */
#ifndef MQUIC_MQTT_ENGINE_H
#define MQUIC_MQTT_ENGINE_H

#include "core/error.h"
#include "core/event.h"
#include "mqtt/lane.h"
#include "mqtt/settings.h"
#include "mquic.h"

struct mqtt_engine;

enum mqtt_engine_state {
	MQTT_ENGINE_IDLE,
	MQTT_ENGINE_CONNECTING,
	MQTT_ENGINE_CONNECTED,
	MQTT_ENGINE_CLOSING,
	MQTT_ENGINE_OVER
};

/*
 * An idle engine with default settings. `buffer_bytes` bounds what publishing may pile up
 * (messages waiting or unsettled, packets queued); one message may overshoot it.
 */
enum mquic_status mqtt_engine_new(struct mqtt_engine **engine, size_t buffer_bytes);

/* Frees the engine, its queued events included. NULL is fine. */
void mqtt_engine_free(struct mqtt_engine *engine);

/* The settings of the engine; to be changed only while it is IDLE. */
struct mqtt_settings *mqtt_engine_settings(struct mqtt_engine *engine);

/* The lane of CONNECT, DISCONNECT and AUTH, which is also the only one. */
struct mqtt_lane *mqtt_engine_control(struct mqtt_engine *engine);

/*
 * Queues CONNECT; CONNACK (or AUTH) must come within `connack_timeout_ms` (0: no limit), else the
 * engine is over with MQUIC_ERR_TIMEOUT. MQUIC_ERR_STATE: not IDLE. MQUIC_ERR_INVALID: settings
 * contradict each other or the protocol.
 */
enum mquic_status mqtt_engine_connect(struct mqtt_engine *engine, uint64_t now_ms,
				      uint64_t connack_timeout_ms, struct error *error);

/*
 * The server has ended the connection, of its own accord and without a word of MQTT: to be called
 * before lost(). What MQTT says itself the engine knows. Not for connections that time out, are
 * reset by a server that has restarted, or are refused for want of room: their end says nothing of
 * what was sent.
 */
void mqtt_engine_hung_up(struct mqtt_engine *engine);

/*
 * The network connection is gone: drops output and half a packet, keeps the session, becomes
 * IDLE. A QoS 1 or 2 message at which the server has hung up three times (see suspect.h) is given
 * up: DELIVERED with 0x80 is then the one event that this makes.
 */
void mqtt_engine_lost(struct mqtt_engine *engine);

/*
 * The application has learned that the connection is over. Until then publishing, subscribing and
 * acknowledging go on to answer as if it had been lost just behind: what survives a loss is kept
 * for the next connection, the rest is gone.
 */
void mqtt_engine_told(struct mqtt_engine *engine);

/*
 * Takes all `len` bytes of a lane. Events of one call are not bounded but by its bytes, so the
 * caller bounds `len`. On failure the engine is OVER, has queued DISCONNECTED and, in MQTT 5.0, a
 * DISCONNECT packet with the reason code. MQUIC_ERR_PROTOCOL, MQUIC_ERR_TOO_LARGE,
 * MQUIC_ERR_MEMORY; MQUIC_ERR_REFUSED: CONNACK refuses; MQUIC_ERR_CLOSED: the server sent
 * DISCONNECT. In IDLE and OVER the bytes are ignored with MQUIC_OK. With `len` 0 it only notes a
 * sign of life: for a caller that has bytes of the server but may not feed them yet.
 */
enum mquic_status mqtt_engine_receive(struct mqtt_engine *engine, struct mqtt_lane *lane,
				      const uint8_t *data, size_t len, uint64_t now_ms);

/* The first `len` bytes of a lane's output are sent, or safely queued to be; more may follow. */
void mqtt_engine_output_consume(struct mqtt_engine *engine, struct mqtt_lane *lane, size_t len,
				uint64_t now_ms);

/* When to call tick(), UINT64_MAX: never. */
uint64_t mqtt_engine_deadline_ms(const struct mqtt_engine *engine);

/* Does what is due: PINGREQ, or the end by timeout. Harmless when nothing is. */
void mqtt_engine_tick(struct mqtt_engine *engine, uint64_t now_ms);

/* The oldest event, the caller's to free, or NULL. */
struct mquic_event *mqtt_engine_next_event(struct mqtt_engine *engine);

/*
 * A sentence for the log about the last message that was refused, told once; NULL: none. Valid
 * until the next call on the engine.
 */
const char *mqtt_engine_take_notice(struct mqtt_engine *engine);

/*
 * Publishing and subscribing: from connect() on until disconnect() or told(). What may not leave
 * yet (no CONNACK, receive maximum of the server) is queued in order. `packet_id` may be NULL.
 * Errors as in mquic.h; MQUIC_ERR_AGAIN is followed by a WRITABLE event.
 */
enum mquic_status mqtt_engine_publish(struct mqtt_engine *engine,
				      const struct mquic_message *message, uint16_t *packet_id,
				      struct error *error);
enum mquic_status mqtt_engine_subscribe(struct mqtt_engine *engine,
					const struct mquic_subscription *subscription,
					uint16_t *packet_id, struct error *error);
enum mquic_status mqtt_engine_unsubscribe(struct mqtt_engine *engine,
					  const struct mquic_subscription *subscription,
					  uint16_t *packet_id, struct error *error);

/*
 * Manual acknowledgement of the received message with this identifier; see mquic_session_ack().
 * They leave in the order in which the messages came (MQTT 5.0 section 4.6), so an early one
 * waits. MQUIC_ERR_STATE: not connected. MQUIC_ERR_INVALID: no such message, or a reason code
 * that MQTT does not know here (in 3.1.1: any but 0).
 */
enum mquic_status mqtt_engine_ack(struct mqtt_engine *engine, uint16_t packet_id, uint8_t reason,
				  struct error *error);

/*
 * Sends AUTH. 0x18: answers the server's; 0x19: starts again while CONNECTED. MQUIC_ERR_STATE if it
 * is not our turn, or no authentication method is set.
 */
enum mquic_status mqtt_engine_auth(struct mqtt_engine *engine, uint8_t reason, const uint8_t *data,
				   size_t len, struct error *error);

/*
 * Lets what is queued leave, then DISCONNECT, then the engine is OVER. 3.1.1 has no reason codes:
 * with one, no DISCONNECT is sent, and the server publishes the will. MQUIC_ERR_STATE: idle,
 * closing or over. MQUIC_ERR_INVALID: not a reason code for a client's DISCONNECT.
 */
enum mquic_status mqtt_engine_disconnect(struct mqtt_engine *engine, uint8_t reason,
					 struct error *error);

enum mqtt_engine_state mqtt_engine_state(const struct mqtt_engine *engine);

/* "CONNECTED" and so on; static. */
const char *mqtt_engine_state_name(enum mqtt_engine_state state);

/*
 * The oldest step that has not been taken yet, for the caller's log, as the engine has none; false
 * if there is none. Whose fault a step to OVER was, DISCONNECTED says. Of those that nobody takes
 * the last few are kept.
 */
bool mqtt_engine_take_step(struct mqtt_engine *engine, enum mqtt_engine_state *from,
			   enum mqtt_engine_state *to);

/* QoS 1 and 2 messages of ours that are not settled, queued ones included. */
size_t mqtt_engine_inflight(const struct mqtt_engine *engine);

/* Keep-alive in seconds: ours, or the server's while it has set one. */
uint16_t mqtt_engine_keep_alive_s(const struct mqtt_engine *engine);

/* What holds for the server, by its last CONNACK; see mquic_session_limit(). */
bool mqtt_engine_limit(const struct mqtt_engine *engine, enum mquic_limit limit, uint32_t *value);

/* The client identifier: ours, or the one the server assigned. NUL terminated. */
const char *mqtt_engine_client_id(const struct mqtt_engine *engine, size_t *len);

#endif
