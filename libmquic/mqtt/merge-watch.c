/* SPDX-License-Identifier: MIT */
/*
 * One stream, whose packets pass by: noted is what must be known when there are several. What
 * merge-pass.c cannot tell at a glance is read here. See merge-body.h.
 */
#include "mqtt/ack.h"
#include "mqtt/merge-body.h"

static void watch_publish(struct merge *merge, const struct mqtt_packet *packet)
{
	struct merge_request_id request = {.slot = 0, .kind = MERGE_QOS1};
	struct buf_reader reader = buf_reader_of(packet->body);

	if ((packet->flags & 0x06) == 0)
		return;
	request.kind = (packet->flags & 0x04) != 0 ? MERGE_QOS2 : MERGE_QOS1;
	(void)mqtt_read_binary(&reader);
	request.client_id = buf_read_u16(&reader);
	if (request.client_id != 0)
		merge_note_id(merge, request.client_id, &request);
}

void merge_watch_client_packet(struct merge *merge, const struct mqtt_packet *packet)
{
	if (packet->type == MQTT_PUBLISH)
		watch_publish(merge, packet);
	else if (packet->type == MQTT_SUBSCRIBE || packet->type == MQTT_UNSUBSCRIBE)
		merge_watch_subscribe(merge, packet);
}

/* PUBACK, PUBREC, PUBCOMP: whether the identifier is free again. */
static void watch_ack(struct merge *merge, const struct mqtt_packet *packet)
{
	struct mqtt_ack ack;

	if (mqtt_ack_read(&ack, packet, merge->version) == MQTT_SUCCESS &&
	    (packet->type != MQTT_PUBREC || ack.reason >= MQTT_FIRST_ERROR))
		merge_drop_id(merge, ack.packet_id);
}

void merge_watch_broker_packet(struct merge *merge, const struct mqtt_packet *packet)
{
	switch (packet->type) {
	case MQTT_CONNACK:
		merge_read_connack(merge, packet);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBCOMP:
		watch_ack(merge, packet);
		break;
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		merge_answer_request(merge, packet);
		break;
	default:
		break;
	}
}

struct bytes merge_watch_client_closely(struct merge *merge, struct bytes bytes)
{
	struct mqtt_packet packet;

	if (merge_scan_next(&merge->client, &bytes, &packet))
		merge_watch_client_packet(merge, &packet);
	merge->failed |= merge->client.head.failed;
	return bytes;
}

struct bytes merge_watch_broker_closely(struct merge *merge, struct bytes bytes)
{
	struct mqtt_packet packet;

	if (merge_scan_next(&merge->broker, &bytes, &packet))
		merge_watch_broker_packet(merge, &packet);
	merge->failed |= merge->broker.head.failed;
	return bytes;
}

bool merge_is_accepted(const struct merge *merge)
{
	return merge->accepted;
}
