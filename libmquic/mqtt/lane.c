/* SPDX-License-Identifier: MIT */
#include "mqtt/lane-body.h"

#include <string.h>

/* Answers to input that may wait for the network before we take no more input. */
#define ANSWERS_MAX 262144

void mqtt_lane_init(struct mqtt_lane *lane)
{
	memset(lane, 0, sizeof(*lane));
	mqtt_framing_init(&lane->framing, MQTT_PACKET_MAX);
	buf_writer_init(&lane->output, SIZE_MAX);
	mqtt_inflight_init(&lane->inflight);
}

void mqtt_lane_clear(struct mqtt_lane *lane)
{
	mqtt_lane_stop(lane);
	mqtt_inflight_clear(&lane->inflight);
}

void mqtt_lane_start(struct mqtt_lane *lane, uint32_t maximum_packet_size, uint16_t aliases)
{
	mqtt_framing_init(&lane->framing, maximum_packet_size);
	mqtt_alias_in_init(&lane->alias_in, aliases);
}

void mqtt_lane_stop(struct mqtt_lane *lane)
{
	buf_writer_clear(&lane->output);
	mqtt_framing_clear(&lane->framing);
	mqtt_alias_in_clear(&lane->alias_in);
	mqtt_alias_out_clear(&lane->alias_out);
	lane->answers = 0;
}

void mqtt_lane_output(const struct mqtt_lane *lane, const uint8_t **data, size_t *len)
{
	struct bytes content = buf_writer_content(&lane->output);

	*data = content.data;
	*len = content.len;
}

bool mqtt_lane_wants_input(const struct mqtt_lane *lane)
{
	return lane->answers < ANSWERS_MAX;
}

void mqtt_lane_consume(struct mqtt_lane *lane, size_t len)
{
	buf_writer_consume(&lane->output, len);
	if (lane->answers > lane->output.len)
		lane->answers = lane->output.len;
}
