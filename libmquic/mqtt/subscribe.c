/* SPDX-License-Identifier: MIT */
#include "mqtt/subscribe.h"

#include "mqtt/topic.h"

static enum mqtt_reason check_options(const struct mqtt_filter *filter, int version)
{
	uint8_t options = filter->options;

	if ((options & MQTT_OPTION_QOS) == 3 || (options & MQTT_OPTION_RESERVED) != 0)
		return MQTT_MALFORMED_PACKET;
	if (version != MQTT_5)
		return options > 2 ? MQTT_MALFORMED_PACKET : MQTT_SUCCESS;
	if ((options & MQTT_OPTION_RETAIN_HANDLING) == MQTT_OPTION_RETAIN_HANDLING)
		return MQTT_PROTOCOL_ERROR;
	if ((options & MQTT_OPTION_NO_LOCAL) != 0 && mqtt_topic_is_shared(filter->filter))
		return MQTT_PROTOCOL_ERROR; /* [MQTT-3.8.3-4] */
	return MQTT_SUCCESS;
}

bool mqtt_subscribe_next(const struct mqtt_subscribe *subscribe, struct buf_reader *walk,
			 struct mqtt_filter *filter)
{
	if (walk->left == 0)
		return false;
	filter->filter = mqtt_read_text(walk);
	filter->options = subscribe->type == MQTT_SUBSCRIBE ? buf_read_u8(walk) : 0;
	return !walk->failed;
}

/* A filter list must hold at least one (sections 3.8.3 and 3.10.3). */
static enum mqtt_reason check_filters(struct mqtt_subscribe *subscribe, int version)
{
	struct buf_reader walk = buf_reader_of(subscribe->section);
	struct mqtt_filter filter;

	subscribe->filter_count = 0;
	while (mqtt_subscribe_next(subscribe, &walk, &filter)) {
		enum mqtt_reason reason = check_options(&filter, version);

		if (reason != MQTT_SUCCESS)
			return reason;
		if (!mqtt_topic_is_filter(filter.filter))
			return MQTT_TOPIC_FILTER_INVALID;
		subscribe->filter_count++;
	}
	if (walk.failed)
		return MQTT_MALFORMED_PACKET;
	return subscribe->filter_count == 0 ? MQTT_PROTOCOL_ERROR : MQTT_SUCCESS;
}

enum mqtt_reason mqtt_subscribe_read(struct mqtt_subscribe *subscribe,
				     const struct mqtt_packet *packet, int version)
{
	struct buf_reader reader = buf_reader_of(packet->body);
	enum mqtt_reason reason = MQTT_SUCCESS;

	subscribe->type = packet->type;
	subscribe->filters = NULL;
	if (!mqtt_packet_flags_valid(packet))
		return MQTT_MALFORMED_PACKET;
	subscribe->packet_id = buf_read_u16(&reader);
	mqtt_properties_init(&subscribe->properties);
	if (version == MQTT_5)
		reason = mqtt_properties_read(&subscribe->properties, &reader, (int)packet->type);
	if (reader.failed)
		return MQTT_MALFORMED_PACKET;
	if (reason != MQTT_SUCCESS)
		return reason;
	if (subscribe->packet_id == 0)
		return MQTT_PROTOCOL_ERROR;
	subscribe->section = buf_read_rest(&reader);
	return check_filters(subscribe, version);
}

static void write_subscribe(struct buf_writer *writer, const struct mqtt_subscribe *subscribe,
			    int version)
{
	size_t i;

	buf_write_u16(writer, subscribe->packet_id);
	if (version == MQTT_5)
		mqtt_properties_write(writer, &subscribe->properties);
	for (i = 0; i < subscribe->filter_count; i++) {
		mqtt_write_binary(writer, subscribe->filters[i].filter);
		if (subscribe->type == MQTT_SUBSCRIBE)
			buf_write_u8(writer, subscribe->filters[i].options);
	}
}

void mqtt_subscribe_write(struct buf_writer *writer, const struct mqtt_subscribe *subscribe,
			  int version)
{
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	write_subscribe(&counter, subscribe, version);
	mqtt_header_write(writer, subscribe->type, 2, counter.failed ? SIZE_MAX : counter.len);
	write_subscribe(writer, subscribe, version);
}

static enum mqtt_reason check_reasons(const struct mqtt_suback *suback, int version)
{
	struct buf_reader walk = buf_reader_of(suback->reasons);

	if (version != MQTT_5 && suback->type == MQTT_UNSUBACK)
		return walk.left > 0 ? MQTT_MALFORMED_PACKET : MQTT_SUCCESS;
	if (walk.left == 0)
		return MQTT_MALFORMED_PACKET;
	while (walk.left > 0) {
		uint8_t code = buf_read_u8(&walk);

		if (!mqtt_reason_readable((int)suback->type, code))
			return MQTT_PROTOCOL_ERROR;
	}
	return MQTT_SUCCESS;
}

enum mqtt_reason mqtt_suback_read(struct mqtt_suback *suback, const struct mqtt_packet *packet,
				  int version)
{
	struct buf_reader reader = buf_reader_of(packet->body);
	enum mqtt_reason reason = MQTT_SUCCESS;

	suback->type = packet->type;
	if (!mqtt_packet_flags_valid(packet))
		return MQTT_MALFORMED_PACKET;
	suback->packet_id = buf_read_u16(&reader);
	mqtt_properties_init(&suback->properties);
	if (version == MQTT_5)
		reason = mqtt_properties_read(&suback->properties, &reader, (int)packet->type);
	if (reader.failed)
		return MQTT_MALFORMED_PACKET;
	if (reason != MQTT_SUCCESS)
		return reason;
	if (suback->packet_id == 0)
		return MQTT_PROTOCOL_ERROR;
	suback->reasons = buf_read_rest(&reader);
	return check_reasons(suback, version);
}

static void write_suback(struct buf_writer *writer, const struct mqtt_suback *suback, int version)
{
	buf_write_u16(writer, suback->packet_id);
	if (version == MQTT_5)
		mqtt_properties_write(writer, &suback->properties);
	if (version == MQTT_5 || suback->type == MQTT_SUBACK)
		buf_write_bytes(writer, suback->reasons);
}

void mqtt_suback_write(struct buf_writer *writer, const struct mqtt_suback *suback, int version)
{
	struct buf_writer counter;

	buf_writer_init_counter(&counter);
	write_suback(&counter, suback, version);
	mqtt_header_write(writer, suback->type, 0, counter.len);
	write_suback(writer, suback, version);
}
