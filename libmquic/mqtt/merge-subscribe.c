/* SPDX-License-Identifier: MIT */
/* SUBSCRIBE as the broker gets it. See merge-body.h. */
#include "mqtt/merge-body.h"

uint32_t merge_next_route(struct merge *merge)
{
	if (merge->version != MQTT_5 || !merge->limits.subscription_ids)
		return 0;
	return MERGE_SUBSCRIPTION_ID + (merge->first_route + merge->routes++) % MERGE_ROUTES;
}

/* The properties but for the identifier, which becomes ours. */
static void write_section(struct buf_writer *to, const struct mqtt_subscribe *asked, uint32_t route)
{
	struct buf_reader walk = buf_reader_of(asked->properties.section);
	struct bytes name;
	struct bytes value;

	buf_write_u8(to, MQTT_SUBSCRIPTION_ID);
	mqtt_write_varint(to, route);
	while (mqtt_properties_next_pair(&walk, &name, &value)) {
		buf_write_u8(to, MQTT_USER_PROPERTY);
		mqtt_write_binary(to, name);
		mqtt_write_binary(to, value);
	}
}

static void write_with_route(struct buf_writer *to, const struct mqtt_subscribe *asked, uint16_t id,
			     uint32_t route)
{
	struct buf_writer section;
	size_t size;

	buf_writer_init_counter(&section);
	write_section(&section, asked, route);
	size = mqtt_packet_size(section.len) - 1; /* its length is written as that of a packet */
	mqtt_header_write(to, MQTT_SUBSCRIBE, 2, 2 + size + asked->section.len);
	buf_write_u16(to, id);
	mqtt_write_varint(to, (uint32_t)section.len);
	write_section(to, asked, route);
	buf_write_bytes(to, asked->section);
}

/* The last bytes written. */
static uint8_t *tail(const struct buf_writer *writer, size_t len)
{
	return writer->data + writer->start + writer->len - len;
}

/*
 * The broker has one subscription for a filter, whoever asks: without this a stream would lower
 * what another was granted. The options are what a filter ends with.
 */
static bool raise_qos(struct merge *merge, const struct mqtt_subscribe *asked, size_t slot)
{
	uint8_t *written = tail(&merge->up, asked->section.len);
	struct buf_reader walk = buf_reader_of(asked->section);
	struct mqtt_filter filter;
	bool raised = false;

	while (mqtt_subscribe_next(asked, &walk, &filter)) {
		uint8_t others = merge_filters_qos_of_others(&merge->filters, filter.filter, slot);

		if (others <= (filter.options & MQTT_OPTION_QOS))
			continue;
		raised = true;
		written[walk.next - asked->section.data - 1] =
			(uint8_t)((filter.options & ~MQTT_OPTION_QOS) | others);
	}
	return raised;
}

bool merge_write_subscribe(struct merge *merge, const struct mqtt_packet *packet,
			   const struct mqtt_subscribe *asked, const struct merge_filter *facts)
{
	if (facts->route != 0)
		write_with_route(&merge->up, asked, facts->request, facts->route);
	else
		merge_write_with_id(merge, &merge->up, packet, 0, facts->request);
	merge->failed |= merge->up.failed;
	return !merge->up.failed && raise_qos(merge, asked, facts->slot);
}

void merge_lower_codes(struct buf_writer *written, struct bytes section, size_t count)
{
	struct mqtt_subscribe asked = {.type = MQTT_SUBSCRIBE};
	struct buf_reader walk = buf_reader_of(section);
	struct mqtt_filter filter;
	uint8_t *code;

	if (written->failed || written->len < count)
		return;
	for (code = tail(written, count); mqtt_subscribe_next(&asked, &walk, &filter); code++)
		if (*code<MQTT_FIRST_ERROR && * code>(filter.options & MQTT_OPTION_QOS))
			*code = filter.options & MQTT_OPTION_QOS;
}
