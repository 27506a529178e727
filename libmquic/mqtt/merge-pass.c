/* SPDX-License-Identifier: MIT */
/*
 * One stream, whose packets pass by: those that tell at a glance what must be noted of them, as
 * nearly all do. On the way of every message. See merge-body.h.
 */
#include "mqtt/merge-body.h"

static uint16_t read_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The size of the packet that starts here, if its header is a short one; else 0. */
static inline size_t size_of(struct bytes bytes)
{
	if (bytes.len < 3)
		return 0;
	if (bytes.data[1] < 0x80)
		return (size_t)2 + bytes.data[1];
	if (bytes.data[2] == 0 || bytes.data[2] >= 0x80)
		return 0;
	return 3 + (size_t)(bytes.data[1] & 0x7f) + ((size_t)bytes.data[2] << 7);
}

/* PUBLISH: no more than the identifier of it matters, as far as it has come. */
static inline size_t pass_publish(struct merge *merge, struct bytes bytes, size_t size)
{
	struct merge_request_id request = {.slot = 0, .kind = MERGE_QOS1};
	uint8_t qos = bytes.data[0] & 0x06;
	size_t end = size < bytes.len ? size : bytes.len;
	size_t at = (size_t)(bytes.data[1] < 0x80 ? 4 : 5); /* behind the length of the topic */

	if (qos == 0)
		return size;
	if (at > end)
		return 0;
	at += read_u16(bytes.data + at - 2) + (size_t)2;
	if (at > end)
		return 0;
	request.kind = (qos & 0x04) != 0 ? MERGE_QOS2 : MERGE_QOS1;
	request.client_id = read_u16(bytes.data + at - 2);
	if (request.client_id != 0 &&
	    !merge_ids_put(&merge->taken, request.client_id, merge_id_value(&request)))
		merge->failed = true;
	return size;
}

/* The size of the packet that starts here, if it has been seen to, else 0. */
static inline size_t pass_of_client(struct merge *merge, struct bytes bytes)
{
	size_t size = size_of(bytes);

	if (size == 0)
		return 0;
	switch (bytes.data[0] >> 4) {
	case MQTT_PUBLISH:
		return pass_publish(merge, bytes, size);
	case 0:
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		return 0;
	default:
		return size;
	}
}

/* PUBACK, PUBREC or PUBCOMP that says nothing but yes; whatever else needs reading. */
static inline size_t pass_ack(struct merge *merge, struct bytes bytes)
{
	uint16_t id;

	if (bytes.len < 4 || bytes.data[1] != 2 || (bytes.data[0] & 0x0f) != 0)
		return 0;
	id = read_u16(bytes.data + 2);
	if (id != 0 && bytes.data[0] >> 4 != MQTT_PUBREC)
		merge_ids_remove(&merge->taken, id);
	return 4;
}

static inline size_t pass_of_broker(struct merge *merge, struct bytes bytes)
{
	size_t size = size_of(bytes);

	if (size == 0)
		return 0;
	switch (bytes.data[0] >> 4) {
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBCOMP:
		return pass_ack(merge, bytes);
	case 0:
	case MQTT_CONNACK:
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		return 0;
	default:
		return size;
	}
}

/* True: that was all, the last packet perhaps but for a part that may come unseen. */
static inline bool is_all(struct merge_scan *scan, struct bytes *bytes, size_t size)
{
	if (size < bytes->len) {
		bytes->data += size;
		bytes->len -= size;
		return false;
	}
	scan->skip = size - bytes->len;
	return true;
}

void merge_watch_client(struct merge *merge, struct bytes bytes)
{
	struct merge_scan *scan = &merge->client;

	while (bytes.len > 0 && !scan->head.failed) {
		size_t size = merge_scan_is_clear(scan) ? pass_of_client(merge, bytes) : 0;

		if (size == 0)
			bytes = merge_watch_client_closely(merge, bytes);
		else if (is_all(scan, &bytes, size))
			return;
	}
}

void merge_watch_broker(struct merge *merge, struct bytes bytes)
{
	struct merge_scan *scan = &merge->broker;

	while (bytes.len > 0 && !scan->head.failed) {
		size_t size = merge_scan_is_clear(scan) ? pass_of_broker(merge, bytes) : 0;

		if (size == 0)
			bytes = merge_watch_broker_closely(merge, bytes);
		else if (is_all(scan, &bytes, size))
			return;
	}
}
