/* SPDX-License-Identifier: MIT */
/* The body of a lane, for the files of this room alone. See lane.h. */
#ifndef MQUIC_MQTT_LANE_BODY_H
#define MQUIC_MQTT_LANE_BODY_H

#include "mqtt/alias.h"
#include "mqtt/inflight.h"
#include "mqtt/lane.h"

struct mqtt_lane {
	struct mqtt_framing framing;
	struct buf_writer output;
	size_t answers; /* bytes of the output, at most, that answer input */
	struct mqtt_alias_in alias_in;
	struct mqtt_alias_out alias_out;
	struct mqtt_inflight inflight;
};

#endif
