/* SPDX-License-Identifier: MIT */
/* The body of mquic_subscription: the list of filters for SUBSCRIBE and UNSUBSCRIBE. */
#ifndef MQUIC_MQTT_SUBSCRIPTION_H
#define MQUIC_MQTT_SUBSCRIPTION_H

#include "mqtt/subscribe.h"
#include "mquic.h"

struct mquic_subscription {
	struct mqtt_filter *filters; /* their bytes are owned */
	size_t count;
	size_t capacity;
	uint32_t id; /* 0: none */
	struct mqtt_pairs pairs;
	const char *note; /* about the last call that failed; NULL: none has */
};

#endif
