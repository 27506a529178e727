/* SPDX-License-Identifier: MIT */
/* What waits to be sent: what may leave when, and the good-bye behind the last of it. */
#ifndef MQUIC_MQTT_QUEUE_H
#define MQUIC_MQTT_QUEUE_H

#include "mqtt/body.h"

/* All that was queued has left: DISCONNECT, and the engine is OVER. */
void engine_finish(struct mqtt_engine *engine);

/* Sends of the lane's queue what may leave, then DISCONNECT if we are closing; tells WRITABLE. */
void engine_pump(struct mqtt_engine *engine, struct mqtt_lane *lane);

#endif
