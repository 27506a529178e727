/* SPDX-License-Identifier: MIT */
#include "session/reconnect.h"

#include <stdbool.h>
#include <string.h>

#include "mqtt/reason.h"
#include "mquic.h"
#include "quic/random.h"

/* ---- When --------------------------------------------------------------- */

/* All that 32 bits can be doubled without leaving 64. */
#define MOST_DOUBLINGS 32

uint64_t reconnect_pause_ms(uint32_t failures, uint32_t first_ms, uint32_t longest_ms,
			    uint32_t chance)
{
	uint32_t doublings = failures < MOST_DOUBLINGS ? failures : MOST_DOUBLINGS;
	uint64_t pause_ms = (uint64_t)first_ms << doublings;

	if (pause_ms > longest_ms)
		pause_ms = longest_ms;
	/* Up to a quarter more: of less than 2^32, times less than 2^32. */
	return pause_ms + ((pause_ms / 4 * chance) >> 32);
}

uint64_t mquic_reconnect_pause_ms(uint32_t failures, uint32_t first_ms, uint32_t longest_ms)
{
	uint8_t bytes[sizeof(uint32_t)];
	uint32_t chance;

	random_fill(bytes, sizeof(bytes));
	memcpy(&chance, bytes, sizeof(chance));
	return reconnect_pause_ms(failures, first_ms, longest_ms, chance);
}

/* ---- Whether ------------------------------------------------------------ */

static bool contains(const uint8_t *codes, size_t count, uint64_t code)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (codes[i] == code)
			return true;
	return false;
}

#define CONTAINS(codes, code) contains(codes, sizeof(codes), code)

/* MQTT 5.0 section 2.4; the return codes of 3.1.1 have become such when they came in. */
static enum mquic_reconnect judge_reason(uint64_t reason)
{
	static const uint8_t passing[] = {
		MQTT_UNSPECIFIED_ERROR,        MQTT_IMPLEMENTATION_ERROR,
		MQTT_SERVER_UNAVAILABLE,       MQTT_SERVER_BUSY,
		MQTT_SERVER_SHUTTING_DOWN,     MQTT_KEEP_ALIVE_TIMEOUT,
		MQTT_MESSAGE_RATE_TOO_HIGH,    MQTT_QUOTA_EXCEEDED,
		MQTT_CONNECTION_RATE_EXCEEDED, MQTT_MAXIMUM_CONNECT_TIME,
	};

	if (reason == MQTT_USE_ANOTHER_SERVER || reason == MQTT_SERVER_MOVED)
		return MQUIC_RECONNECT_ELSEWHERE;
	return reason < MQTT_FIRST_ERROR || CONTAINS(passing, reason) ? MQUIC_RECONNECT_LATER
								      : MQUIC_RECONNECT_NEVER;
}

/* RFC 8446 section 6: of what goes wrong in a handshake little goes right by itself. */
static enum mquic_reconnect judge_alert(uint64_t alert)
{
	static const uint8_t passing[] = {
		0,  /* close_notify: no reason was given */
		45, /* certificate_expired: renewed there, or the clock here is set right */
		80, /* internal_error */
		90, /* user_canceled */
	};

	return CONTAINS(passing, alert) ? MQUIC_RECONNECT_LATER : MQUIC_RECONNECT_NEVER;
}

/* What was wrong here, or wanted. */
static enum mquic_reconnect judge_status(enum mquic_status status)
{
	switch (status) {
	case MQUIC_OK:
	case MQUIC_ERR_INVALID:
	case MQUIC_ERR_STATE:
	case MQUIC_ERR_TLS:
	case MQUIC_ERR_UNSUPPORTED:
	case MQUIC_ERR_FORKED:
		return MQUIC_RECONNECT_NEVER;
	default:
		return MQUIC_RECONNECT_LATER;
	}
}

enum mquic_reconnect mquic_reconnect_advice(enum mquic_status status, enum mquic_origin origin,
					    uint64_t code)
{
	switch (origin) {
	case MQUIC_ORIGIN_MQTT:
		return judge_reason(code);
	case MQUIC_ORIGIN_TLS:
		return judge_alert(code);
	case MQUIC_ORIGIN_LOCAL:
		return judge_status(status);
	default:
		return MQUIC_RECONNECT_LATER;
	}
}
