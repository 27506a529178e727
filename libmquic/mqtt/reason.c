/* SPDX-License-Identifier: MIT */
#include "mqtt/reason.h"

#include <stddef.h>

#include "mqtt/packet.h"
#include "mquic.h"

/* A set of codes: those below 0x20, and those from 0x80 to 0xbf. */
struct codes {
	uint32_t low;
	uint64_t high;
};

#define LOW(code)  (1u << (code))
#define HIGH(code) (1ull << ((code)-0x80))

#define HIGH_PUBLISH                                                                               \
	(HIGH(0x80) | HIGH(0x83) | HIGH(0x87) | HIGH(0x90) | HIGH(0x91) | HIGH(0x97) | HIGH(0x99))

#define HIGH_UNSUBACK (HIGH(0x80) | HIGH(0x83) | HIGH(0x87) | HIGH(0x8f) | HIGH(0x91))

#define HIGH_CONNACK                                                                               \
	(HIGH(0x80) | HIGH(0x81) | HIGH(0x82) | HIGH(0x83) | HIGH(0x84) | HIGH(0x85) |             \
	 HIGH(0x86) | HIGH(0x87) | HIGH(0x88) | HIGH(0x89) | HIGH(0x8a) | HIGH(0x8c) |             \
	 HIGH(0x90) | HIGH(0x95) | HIGH(0x97) | HIGH(0x99) | HIGH(0x9a) | HIGH(0x9b) |             \
	 HIGH(0x9c) | HIGH(0x9d) | HIGH(0x9f))

#define HIGH_DISCONNECT_BY_CLIENT                                                                  \
	(HIGH(0x80) | HIGH(0x81) | HIGH(0x82) | HIGH(0x83) | HIGH(0x90) | HIGH(0x93) |             \
	 HIGH(0x94) | HIGH(0x95) | HIGH(0x96) | HIGH(0x97) | HIGH(0x98) | HIGH(0x99))

#define HIGH_DISCONNECT                                                                            \
	(HIGH_DISCONNECT_BY_CLIENT | HIGH(0x87) | HIGH(0x89) | HIGH(0x8b) | HIGH(0x8d) |           \
	 HIGH(0x8e) | HIGH(0x8f) | HIGH(0x9a) | HIGH(0x9b) | HIGH(0x9c) | HIGH(0x9d) |             \
	 HIGH(0x9e) | HIGH(0x9f) | HIGH(0xa0) | HIGH(0xa1) | HIGH(0xa2))

/* Table 2-6 of MQTT 5.0. */
static const struct codes valid_codes[] = {
	[MQTT_CONNACK] = {LOW(0), HIGH_CONNACK},
	[MQTT_PUBACK] = {LOW(0) | LOW(0x10), HIGH_PUBLISH},
	[MQTT_PUBREC] = {LOW(0) | LOW(0x10), HIGH_PUBLISH},
	[MQTT_PUBREL] = {LOW(0), HIGH(0x92)},
	[MQTT_PUBCOMP] = {LOW(0), HIGH(0x92)},
	[MQTT_SUBACK] = {LOW(0) | LOW(1) | LOW(2),
			 HIGH_UNSUBACK | HIGH(0x97) | HIGH(0x9e) | HIGH(0xa1) | HIGH(0xa2)},
	[MQTT_UNSUBACK] = {LOW(0) | LOW(0x11), HIGH_UNSUBACK},
	[MQTT_DISCONNECT] = {LOW(0) | LOW(4), HIGH_DISCONNECT},
	[MQTT_AUTH] = {LOW(0) | LOW(0x18) | LOW(0x19), 0},
};

static bool contains(const struct codes *codes, uint8_t code)
{
	if (code < 0x20)
		return (codes->low >> code & 1) != 0;
	return code >= 0x80 && code < 0xc0 && (codes->high >> (code - 0x80) & 1) != 0;
}

bool mqtt_reason_valid(int type, uint8_t code)
{
	if (type < 0 || (size_t)type >= sizeof(valid_codes) / sizeof(valid_codes[0]))
		return false;
	return contains(&valid_codes[type], code);
}

bool mqtt_reason_readable(int type, uint8_t code)
{
	return code >= MQTT_FIRST_ERROR || mqtt_reason_valid(type, code);
}

bool mqtt_reason_valid_from_client(uint8_t code)
{
	static const struct codes codes = {LOW(0) | LOW(4), HIGH_DISCONNECT_BY_CLIENT};

	return contains(&codes, code);
}

static const char *error_text(uint8_t code)
{
	static const char texts[][40] = {
		"unspecified error",
		"malformed packet",
		"protocol error",
		"implementation specific error",
		"unsupported protocol version",
		"client identifier not valid",
		"bad user name or password",
		"not authorized",
		"server unavailable",
		"server busy",
		"banned",
		"server shutting down",
		"bad authentication method",
		"keep-alive timeout",
		"session taken over",
		"topic filter invalid",
		"topic name invalid",
		"packet identifier in use",
		"packet identifier not found",
		"receive maximum exceeded",
		"topic alias invalid",
		"packet too large",
		"message rate too high",
		"quota exceeded",
		"administrative action",
		"payload format invalid",
		"retained messages not supported",
		"QoS not supported",
		"use another server",
		"server moved",
		"shared subscriptions not supported",
		"connection rate exceeded",
		"maximum connect time reached",
		"subscription identifiers not supported",
		"wildcard subscriptions not supported",
	};
	size_t index = (size_t)code - MQTT_FIRST_ERROR;

	return index < sizeof(texts) / sizeof(texts[0]) ? texts[index] : "unknown reason";
}

const char *mquic_reason_text(uint8_t code)
{
	switch (code) {
	case MQTT_SUCCESS:
		return "success";
	case MQTT_GRANTED_QOS_1:
		return "granted QoS 1";
	case MQTT_GRANTED_QOS_2:
		return "granted QoS 2";
	case MQTT_DISCONNECT_WITH_WILL:
		return "disconnected, will to be published";
	case MQTT_NO_MATCHING_SUBSCRIBERS:
		return "no matching subscribers";
	case MQTT_NO_SUBSCRIPTION_EXISTED:
		return "no subscription existed";
	case MQTT_CONTINUE_AUTHENTICATION:
		return "continue authentication";
	case MQTT_RE_AUTHENTICATE:
		return "re-authenticate";
	default:
		return code >= MQTT_FIRST_ERROR ? error_text(code) : "unknown reason";
	}
}

enum mqtt_reason mqtt_reason_of_return_code(uint8_t code)
{
	static const enum mqtt_reason reasons[] = {
		MQTT_SUCCESS,
		MQTT_UNSUPPORTED_VERSION,
		MQTT_CLIENT_ID_NOT_VALID,
		MQTT_SERVER_UNAVAILABLE,
		MQTT_BAD_USERNAME_OR_PASSWORD,
		MQTT_NOT_AUTHORIZED,
	};

	if (code >= sizeof(reasons) / sizeof(reasons[0]))
		return MQTT_MALFORMED_PACKET;
	return reasons[code];
}

uint8_t mqtt_reason_to_return_code(uint8_t code)
{
	switch (code) {
	case MQTT_SUCCESS:
		return 0;
	case MQTT_UNSUPPORTED_VERSION:
		return 1;
	case MQTT_CLIENT_ID_NOT_VALID:
		return 2;
	case MQTT_BAD_USERNAME_OR_PASSWORD:
		return 4;
	case MQTT_NOT_AUTHORIZED:
	case MQTT_BANNED:
	case MQTT_BAD_AUTHENTICATION_METHOD:
		return 5;
	default:
		return 3;
	}
}
