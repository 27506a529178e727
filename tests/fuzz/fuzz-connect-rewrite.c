/* SPDX-License-Identifier: MIT */
/*
 * What a relay does with the first bytes of a client. The first byte of the input is the length of
 * the new user name, which follows; the rest is what the client sent.
 */
#include "fuzz.h"

#include "mqtt/connect.h"

/* Everything but the user name must be what it was. */
static void check_same(const struct mqtt_connect *before, const struct mqtt_connect *after,
		       struct bytes name)
{
	MUST(bytes_equal(after->username, name) && after->username.data != NULL);
	MUST(before->version == after->version && before->bridge == after->bridge);
	MUST(before->clean_start == after->clean_start);
	MUST(before->keep_alive_s == after->keep_alive_s);
	MUST(bytes_equal(before->client_id, after->client_id));
	MUST(before->has_will == after->has_will && before->will_qos == after->will_qos);
	MUST(before->will_retain == after->will_retain);
	MUST(bytes_equal(before->will_topic, after->will_topic));
	MUST(bytes_equal(before->will_payload, after->will_payload));
	MUST((before->password.data == NULL) == (after->password.data == NULL));
	MUST(bytes_equal(before->password, after->password));
	MUST(bytes_equal(before->properties.section, after->properties.section));
	MUST(bytes_equal(before->will_properties.section, after->will_properties.section));
}

static void check_rewrite(struct bytes packet, struct bytes name)
{
	struct mqtt_connect before;
	struct mqtt_connect after;
	enum mquic_status status;
	uint8_t *out = NULL;
	size_t out_len = 0;
	bool valid = mqtt_connect_parse(&before, packet.data, packet.len) == MQTT_SUCCESS;

	status = mqtt_connect_replace_username(packet.data, packet.len, (const char *)name.data,
					       name.len, &out, &out_len);
	MUST(valid || status != MQUIC_OK);
	if (status != MQUIC_OK) {
		MUST(out == NULL);
		return;
	}
	MUST(mqtt_connect_parse(&after, out, out_len) == MQTT_SUCCESS);
	check_same(&before, &after, name);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf_reader reader = buf_reader_of(bytes_of(data, size));
	size_t name_len = buf_read_u8(&reader);
	struct bytes name = buf_read_bytes(&reader, name_len);
	struct bytes stream = buf_read_rest(&reader);
	size_t total;
	size_t known;
	size_t len;

	if (reader.failed)
		return 0;
	switch (mqtt_connect_scan(stream.data, stream.len, &total)) {
	case MQTT_SCAN_COMPLETE:
		MUST(total <= stream.len);
		/* The verdict must not depend on how much has come. */
		for (len = 0; len < total && len < 16; len++)
			MUST(mqtt_connect_scan(stream.data, len, &known) == MQTT_SCAN_MORE &&
			     (known == 0 || known == total));
		check_rewrite(bytes_of(stream.data, total), name);
		break;
	case MQTT_SCAN_MORE:
		MUST(total == 0 || total > stream.len);
		break;
	case MQTT_SCAN_MALFORMED:
		break;
	}
	return 0;
}
