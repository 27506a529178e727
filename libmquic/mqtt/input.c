/* SPDX-License-Identifier: MIT */
#include "mqtt/input.h"

#include <stdio.h>

#include "mqtt/ping.h"
#include "mqtt/verdict.h"

static enum mquic_status handle_pingresp(struct mqtt_engine *engine,
					 const struct mqtt_packet *packet)
{
	enum mqtt_reason reason = mqtt_ping_read(packet);

	return reason == MQTT_SUCCESS ? MQUIC_OK : engine_malformed(engine, reason, MQTT_PINGRESP);
}

enum mquic_status engine_handle_packet(struct mqtt_engine *engine, struct mqtt_lane *lane,
				       const struct mqtt_packet *packet, uint64_t now_ms)
{
	char what[64];

	if (engine->state == MQTT_ENGINE_CONNECTING && packet->type != MQTT_CONNACK &&
	    packet->type != MQTT_AUTH && packet->type != MQTT_DISCONNECT) {
		(void)snprintf(what, sizeof(what), "it sent %s before CONNACK",
			       mqtt_type_text(packet->type));
		return engine_violation(engine, MQTT_PROTOCOL_ERROR, what);
	}
	switch (packet->type) {
	case MQTT_CONNACK:
		return engine_handle_connack(engine, packet);
	case MQTT_PUBLISH:
		return engine_handle_publish(engine, lane, packet);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBCOMP:
		return engine_handle_ack(engine, lane, packet);
	case MQTT_PUBREL:
		return engine_handle_pubrel(engine, lane, packet);
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		return engine_handle_suback(engine, lane, packet);
	case MQTT_PINGRESP:
		return handle_pingresp(engine, packet);
	case MQTT_DISCONNECT:
		return engine_handle_disconnect(engine, packet);
	case MQTT_AUTH:
		return engine_handle_auth(engine, packet, now_ms);
	default:
		(void)snprintf(what, sizeof(what), "it sent %s, which only clients send",
			       mqtt_type_text(packet->type));
		return engine_violation(engine, MQTT_PROTOCOL_ERROR, what);
	}
}
