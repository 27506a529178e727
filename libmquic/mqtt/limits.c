/* SPDX-License-Identifier: MIT */
#include "mqtt/limits.h"

#include "mqtt/packet.h"

struct limit_row {
	enum mqtt_property id;
	uint32_t usual; /* unless CONNACK says otherwise */
};

static const struct limit_row rows[] = {
	[MQUIC_LIMIT_RECEIVE_MAXIMUM] = {MQTT_RECEIVE_MAXIMUM, UINT16_MAX},
	[MQUIC_LIMIT_MAXIMUM_QOS] = {MQTT_MAXIMUM_QOS, 2},
	[MQUIC_LIMIT_RETAIN] = {MQTT_RETAIN_AVAILABLE, 1},
	[MQUIC_LIMIT_MAXIMUM_PACKET_SIZE] = {MQTT_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX},
	[MQUIC_LIMIT_TOPIC_ALIAS_MAXIMUM] = {MQTT_TOPIC_ALIAS_MAXIMUM, 0},
	[MQUIC_LIMIT_WILDCARDS] = {MQTT_WILDCARDS_AVAILABLE, 1},
	[MQUIC_LIMIT_SUBSCRIPTION_IDS] = {MQTT_SUBSCRIPTION_IDS_AVAILABLE, 1},
	[MQUIC_LIMIT_SHARED] = {MQTT_SHARED_AVAILABLE, 1},
	[MQUIC_LIMIT_KEEP_ALIVE_S] = {MQTT_SERVER_KEEP_ALIVE, 0},
	[MQUIC_LIMIT_SESSION_EXPIRY_S] = {MQTT_SESSION_EXPIRY, 0},
};

/* What our CONNECT asked for holds where the server says nothing. */
static uint32_t usual(enum mquic_limit limit, const struct mqtt_settings *settings)
{
	if (limit == MQUIC_LIMIT_KEEP_ALIVE_S)
		return settings->keep_alive_s;
	if (limit == MQUIC_LIMIT_SESSION_EXPIRY_S)
		return settings->expiry_s;
	return rows[limit].usual;
}

void mqtt_limits_read(struct mqtt_limits *limits, const struct mqtt_properties *properties,
		      const struct mqtt_settings *settings)
{
	int i;

	limits->said = 0;
	for (i = MQUIC_LIMIT_RECEIVE_MAXIMUM; i <= MQUIC_LIMIT_SESSION_EXPIRY_S; i++) {
		enum mquic_limit limit = (enum mquic_limit)i;

		if (mqtt_properties_has(properties, rows[i].id))
			limits->said |= 1U << i;
		limits->values[i] =
			mqtt_properties_number(properties, rows[i].id, usual(limit, settings));
	}
}

bool mqtt_limits_get(const struct mqtt_limits *limits, enum mquic_limit limit, uint32_t *value)
{
	bool known = limit >= MQUIC_LIMIT_RECEIVE_MAXIMUM && limit <= MQUIC_LIMIT_SESSION_EXPIRY_S;

	if (value != NULL)
		*value = known ? limits->values[limit] : 0;
	return known && (limits->said & 1U << limit) != 0;
}
