/* SPDX-License-Identifier: MIT */
/* A client engine on a virtual clock, and the server it talks to, played by the test. */
#ifndef MQUIC_TESTS_ENGINE_KIT_H
#define MQUIC_TESTS_ENGINE_KIT_H

#include "unit.h"

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/engine.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"

#define KIT_BUFFER 100000

struct kit {
	struct mqtt_engine *engine;
	struct mqtt_settings *settings;
	struct mqtt_lane *lane;
	struct error error;
	uint64_t now_ms;
	struct buf_writer wire; /* what the client sent and the test has not looked at */
	uint8_t shown[65536];   /* the packet the test looks at */
	struct mqtt_properties
		properties; /* for the next packet from the server; none again after it */
};

extern struct kit kit;

void kit_open(void);
/* With a buffer of another size than KIT_BUFFER. */
void kit_open_with(size_t buffer_bytes);
void kit_close(void);

/* The next step of the engine, which the picture of its states must have; false: there is none. */
bool kit_step(enum mqtt_engine_state *to);

/* Connects; answers CONNECT with CONNACK; takes the CONNECTED event. */
void kit_connect(void);
void kit_accept(bool session_present);
void kit_connected(bool session_present);
/* All three: a session that is new to the server. */
void kit_up(void);
/* With a property in CONNACK. */
void kit_up_with(enum mqtt_property id, uint32_t value);

/* The network breaks, and the engine is connected again up to CONNECT. */
void kit_reconnect(void);

/* From the server; each returns what mqtt_engine_receive() says. */
enum mquic_status kit_feed(const char *hex);
enum mquic_status kit_connack(uint8_t reason, bool session_present);
enum mquic_status kit_deliver(const char *topic, const char *payload, uint8_t qos, uint16_t id,
			      bool duplicate);
enum mquic_status kit_ack(enum mqtt_type type, uint16_t id, uint8_t reason);

/* What the client sends next. */
void kit_sends(enum mqtt_type type, struct mqtt_packet *packet);
void kit_sends_connect(struct mqtt_connect *connect);
void kit_sends_publish(const char *payload, uint8_t qos, uint16_t id, bool duplicate);
void kit_sends_ack(enum mqtt_type type, uint16_t id, uint8_t reason);
void kit_sends_disconnect(uint8_t reason);
void kit_sends_nothing(void);

/* Events; one with something to look at is to be freed. */
struct mquic_event *kit_event(enum mquic_event_type type);
void kit_delivered(uint16_t id, uint8_t reason);
void kit_message(const char *topic, const char *payload);
void kit_no_event(void);

/* DISCONNECTED, with this outcome and a sentence that has the word in it; the engine is over. */
void kit_over(enum mquic_status status, uint8_t code, const char *word);

/* Calls of the application. */
uint16_t kit_publish(const char *payload, int qos);
enum mquic_status kit_try_publish(const char *topic, const char *payload, int qos, bool retain);
uint16_t kit_subscribe(const char *filter, int qos);

#endif
