/* SPDX-License-Identifier: MIT */
/* What the server said of itself in CONNACK (section 3.2.2.3), for the application to read. */
#ifndef MQUIC_MQTT_LIMITS_H
#define MQUIC_MQTT_LIMITS_H

#include "mqtt/settings.h"
#include "mqtt/property.h"
#include "mquic.h"

struct mqtt_limits {
	uint32_t values[MQUIC_LIMIT_SESSION_EXPIRY_S + 1]; /* 0 before the first CONNACK */
	unsigned int said;                                 /* one bit for each of them */
};

/* Takes what is there, and what MQTT or our CONNECT has for the rest. */
void mqtt_limits_read(struct mqtt_limits *limits, const struct mqtt_properties *properties,
		      const struct mqtt_settings *settings);

/* As mquic_session_limit(). */
bool mqtt_limits_get(const struct mqtt_limits *limits, enum mquic_limit limit, uint32_t *value);

#endif
