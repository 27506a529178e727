/* SPDX-License-Identifier: MIT */
#include "mqtt-kit.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/ping.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

uint8_t *kit_bytes(const char *hex, size_t *len)
{
	uint8_t *bytes = malloc(strlen(hex) + 1);
	bool quoted = false;

	*len = 0;
	if (bytes == NULL)
		abort();
	for (; *hex != '\0'; hex++) {
		if (*hex == '\'') {
			quoted = !quoted;
		} else if (quoted) {
			bytes[(*len)++] = (uint8_t)*hex;
		} else if (*hex != ' ') {
			if (digit(hex[0]) < 0 || digit(hex[1]) < 0)
				abort();
			bytes[(*len)++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
			hex++;
		}
	}
	return bytes;
}

bool kit_packet(struct bytes bytes, struct mqtt_packet *packet)
{
	uint32_t body_len = 0;
	int header = mqtt_header_read(bytes, &body_len);

	if (header <= 0 || bytes.len - (size_t)header != body_len)
		return false;
	packet->type = (enum mqtt_type)(bytes.data[0] >> 4);
	packet->flags = bytes.data[0] & 0x0f;
	packet->body = bytes_of(bytes.data + header, body_len);
	return true;
}

/*
 * What repeats in a set of properties, turned from the form it is read in to that it is written
 * from.
 */
struct lists {
	struct mqtt_pairs pairs;
	uint32_t *ids;
};

static void to_lists(struct lists *lists, struct mqtt_properties *properties)
{
	struct buf_reader walk = buf_reader_of(properties->section);
	struct bytes name;
	struct bytes value;
	size_t count = 0;

	memset(lists, 0, sizeof(*lists));
	while (mqtt_properties_next_pair(&walk, &name, &value))
		if (mqtt_pairs_add(&lists->pairs, name, value) != MQTT_SUCCESS)
			abort();
	if (lists->pairs.count != properties->pair_count)
		abort();
	lists->ids = calloc(properties->subscription_id_count + 1, sizeof(*lists->ids));
	walk = buf_reader_of(properties->section);
	while (lists->ids != NULL && mqtt_properties_next_id(&walk, &lists->ids[count]))
		count++;
	if (count != properties->subscription_id_count)
		abort();
	mqtt_properties_set_pairs(properties, lists->pairs.items, lists->pairs.count);
	mqtt_properties_set_ids(properties, lists->ids, count);
}

static void clear_lists(struct lists *lists)
{
	mqtt_pairs_clear(&lists->pairs);
	free(lists->ids);
}

static enum mqtt_reason connect_again(struct buf_writer *writer, const struct mqtt_packet *packet)
{
	struct mqtt_connect connect;
	enum mqtt_reason reason = mqtt_connect_read(&connect, packet);
	struct lists lists;
	struct lists will;

	if (reason != MQTT_SUCCESS)
		return reason;
	to_lists(&lists, &connect.properties);
	to_lists(&will, &connect.will_properties);
	mqtt_connect_write(writer, &connect);
	clear_lists(&lists);
	clear_lists(&will);
	return MQTT_SUCCESS;
}

static enum mqtt_reason connack_again(struct buf_writer *writer, const struct mqtt_packet *packet,
				      int version)
{
	struct mqtt_connack connack;
	enum mqtt_reason reason = mqtt_connack_read(&connack, packet, version);
	struct lists lists;

	if (reason != MQTT_SUCCESS)
		return reason;
	to_lists(&lists, &connack.properties);
	mqtt_connack_write(writer, &connack, version);
	clear_lists(&lists);
	return MQTT_SUCCESS;
}

static enum mqtt_reason publish_again(struct buf_writer *writer, const struct mqtt_packet *packet,
				      int version)
{
	struct mqtt_publish publish;
	enum mqtt_reason reason = mqtt_publish_read(&publish, packet, version);
	struct lists lists;

	if (reason != MQTT_SUCCESS)
		return reason;
	to_lists(&lists, &publish.properties);
	mqtt_publish_write(writer, &publish, version);
	clear_lists(&lists);
	return MQTT_SUCCESS;
}

static enum mqtt_reason ack_again(struct buf_writer *writer, const struct mqtt_packet *packet,
				  int version)
{
	struct mqtt_ack ack;
	enum mqtt_reason reason = mqtt_ack_read(&ack, packet, version);
	struct lists lists;

	if (reason != MQTT_SUCCESS)
		return reason;
	to_lists(&lists, &ack.properties);
	mqtt_ack_write(writer, &ack, version);
	clear_lists(&lists);
	return MQTT_SUCCESS;
}

static enum mqtt_reason subscribe_again(struct buf_writer *writer, const struct mqtt_packet *packet,
					int version)
{
	struct mqtt_subscribe subscribe;
	enum mqtt_reason reason = mqtt_subscribe_read(&subscribe, packet, version);
	struct mqtt_filter *filters;
	struct buf_reader walk;
	struct lists lists;
	size_t i = 0;

	if (reason != MQTT_SUCCESS)
		return reason;
	to_lists(&lists, &subscribe.properties);
	filters = calloc(subscribe.filter_count, sizeof(*filters));
	walk = buf_reader_of(subscribe.section);
	while (filters != NULL && mqtt_subscribe_next(&subscribe, &walk, &filters[i]))
		if (++i == subscribe.filter_count)
			break;
	if (i != subscribe.filter_count)
		abort();
	subscribe.filters = filters;
	mqtt_subscribe_write(writer, &subscribe, version);
	free(filters);
	clear_lists(&lists);
	return MQTT_SUCCESS;
}

static enum mqtt_reason suback_again(struct buf_writer *writer, const struct mqtt_packet *packet,
				     int version)
{
	struct mqtt_suback suback;
	enum mqtt_reason reason = mqtt_suback_read(&suback, packet, version);
	struct lists lists;

	if (reason != MQTT_SUCCESS)
		return reason;
	to_lists(&lists, &suback.properties);
	mqtt_suback_write(writer, &suback, version);
	clear_lists(&lists);
	return MQTT_SUCCESS;
}

static enum mqtt_reason disconnect_again(struct buf_writer *writer,
					 const struct mqtt_packet *packet, int version)
{
	struct mqtt_disconnect disconnect;
	enum mqtt_reason reason = mqtt_disconnect_read(&disconnect, packet, version);
	struct lists lists;

	if (reason != MQTT_SUCCESS)
		return reason;
	to_lists(&lists, &disconnect.properties);
	mqtt_disconnect_write(writer, &disconnect, version);
	clear_lists(&lists);
	return MQTT_SUCCESS;
}

static enum mqtt_reason ping_again(struct buf_writer *writer, const struct mqtt_packet *packet)
{
	enum mqtt_reason reason = mqtt_ping_read(packet);

	if (reason == MQTT_SUCCESS)
		mqtt_ping_write(writer, packet->type);
	return reason;
}

enum mqtt_reason kit_again(struct buf_writer *writer, const struct mqtt_packet *packet, int version)
{
	switch (packet->type) {
	case MQTT_CONNECT:
		return connect_again(writer, packet);
	case MQTT_CONNACK:
		return connack_again(writer, packet, version);
	case MQTT_PUBLISH:
		return publish_again(writer, packet, version);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		return ack_again(writer, packet, version);
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		return subscribe_again(writer, packet, version);
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		return suback_again(writer, packet, version);
	case MQTT_PINGREQ:
	case MQTT_PINGRESP:
		return ping_again(writer, packet);
	case MQTT_DISCONNECT:
	case MQTT_AUTH:
		return disconnect_again(writer, packet, version);
	}
	return MQTT_MALFORMED_PACKET;
}
