/* SPDX-License-Identifier: MIT */
/* PINGREQ and PINGRESP (MQTT 5.0 sections 3.12 and 3.13). */
#ifndef MQUIC_MQTT_PING_H
#define MQUIC_MQTT_PING_H

#include "mqtt/packet.h"

/* Both have no body, so reading is only checking. */
enum mqtt_reason mqtt_ping_read(const struct mqtt_packet *packet);
void mqtt_ping_write(struct buf_writer *writer, enum mqtt_type type);

#endif
