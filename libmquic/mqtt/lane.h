/* SPDX-License-Identifier: MIT */
/*
 * One stream of bytes to the server and back, with all that counts on it alone: what came of a
 * packet, what waits to leave, aliases, packet identifiers, and what is in flight under them. Two
 * lanes know nothing of each other; lanes.h says what an engine does that has more than one.
 *
 *     init ──▶ stopped ──start, the stream is there──▶ started ──stop, it is gone──▶ stopped
 *
 * What is in flight stays over a stop, for mqtt_inflight_lost() to sort.
 */
#ifndef MQUIC_MQTT_LANE_H
#define MQUIC_MQTT_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_lane;

void mqtt_lane_init(struct mqtt_lane *lane);
/* Frees what it holds. */
void mqtt_lane_clear(struct mqtt_lane *lane);

/* What the other side may send: packets of that size, and so many aliases. */
void mqtt_lane_start(struct mqtt_lane *lane, uint32_t maximum_packet_size, uint16_t aliases);
void mqtt_lane_stop(struct mqtt_lane *lane);

/*
 * False while so much output waits that answers to input would pile up without bound. Consuming
 * makes it true again.
 */
bool mqtt_lane_wants_input(const struct mqtt_lane *lane);

/* Shows the bytes to send next, `*len` 0 if none. Valid until the next call on lane or engine. */
void mqtt_lane_output(const struct mqtt_lane *lane, const uint8_t **data, size_t *len);

/* The first `len` of those have left. */
void mqtt_lane_consume(struct mqtt_lane *lane, size_t len);

#endif
