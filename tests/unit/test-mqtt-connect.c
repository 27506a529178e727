/* SPDX-License-Identifier: MIT */
/* CONNECT as a relay sees it: recognised, measured, given another user name. */
#include "unit.h"

#include <string.h>

#include "core/buf.h"
#include "mqtt-kit.h"
#include "mqtt/connect.h"

static struct bytes text(const char *s)
{
	return bytes_of(s, strlen(s));
}

START_TEST(scan_knows_the_length_before_the_packet_is_there)
{
	size_t len;
	uint8_t *packet = kit_bytes("10 0e 0004'MQTT' 04 02 003c 0002'id'", &len);
	size_t total;
	size_t n;

	ck_assert_int_eq(mqtt_connect_scan(packet, 0, &total), MQTT_SCAN_MORE);
	ck_assert_int_eq(mqtt_connect_scan(packet, 1, &total), MQTT_SCAN_MORE);
	ck_assert_uint_eq(total, 0);
	for (n = 2; n < len; n++) {
		ck_assert_int_eq(mqtt_connect_scan(packet, n, &total), MQTT_SCAN_MORE);
		ck_assert_uint_eq(total, len);
	}
	ck_assert_int_eq(mqtt_connect_scan(packet, len, &total), MQTT_SCAN_COMPLETE);
	ck_assert_uint_eq(total, len);
	free(packet);
}
END_TEST

START_TEST(scan_leaves_what_follows_the_packet_alone)
{
	size_t len;
	uint8_t *packet = kit_bytes("10 0c 0004'MQTT' 04 02 003c 0000 c000 c000", &len);
	size_t total;

	ck_assert_int_eq(mqtt_connect_scan(packet, len, &total), MQTT_SCAN_COMPLETE);
	ck_assert_uint_eq(total, 14);
	free(packet);
}
END_TEST

START_TEST(scan_refuses_what_cannot_become_a_connect)
{
	static const char *const streams[] = {
		"'GET / HTTP/1.1'", "c0 00", "10 80 80 80 80 01", "10 8c 00", "00",
	};
	size_t total;
	size_t i;

	for (i = 0; i < COUNT(streams); i++) {
		size_t len;
		uint8_t *stream = kit_bytes(streams[i], &len);

		ck_assert_msg(mqtt_connect_scan(stream, len, &total) == MQTT_SCAN_MALFORMED, "%s",
			      streams[i]);
		free(stream);
	}
}
END_TEST

START_TEST(parse_wants_exactly_one_packet)
{
	size_t len;
	uint8_t *packet = kit_bytes("10 0c 0004'MQTT' 04 02 003c 0000 00", &len);
	struct mqtt_connect connect;

	ck_assert_int_eq(mqtt_connect_parse(&connect, packet, len - 1), MQTT_SUCCESS);
	ck_assert_int_eq(connect.version, MQTT_3_1_1);
	ck_assert_uint_eq(connect.keep_alive_s, 60);
	ck_assert_int_eq(mqtt_connect_parse(&connect, packet, len), MQTT_MALFORMED_PACKET);
	ck_assert_int_eq(mqtt_connect_parse(&connect, packet, len - 2), MQTT_MALFORMED_PACKET);
	ck_assert_int_eq(mqtt_connect_parse(&connect, packet, 0), MQTT_MALFORMED_PACKET);
	free(packet);
}
END_TEST

struct rewrite {
	const char *what;
	const char *before;
	const char *name;
	const char *after;
};

static const struct rewrite rewrites[] = {
	{"inserts into 3.1.1", "10 0d 0004'MQTT' 04 02 003c 0001'c'", "bob",
	 "10 12 0004'MQTT' 04 82 003c 0001'c' 0003'bob'"},
	{"replaces in 3.1.1", "10 12 0004'MQTT' 04 82 003c 0001'c' 0003'eve'", "robert",
	 "10 15 0004'MQTT' 04 82 003c 0001'c' 0006'robert'"},
	{"replaces by the empty name", "10 12 0004'MQTT' 04 82 003c 0001'c' 0003'eve'", "",
	 "10 0f 0004'MQTT' 04 82 003c 0001'c' 0000"},
	{"keeps the password", "10 15 0004'MQTT' 04 c0 003c 0001'c' 0001'u' 0003 00ff80", "name",
	 "10 18 0004'MQTT' 04 c0 003c 0001'c' 0004'name' 0003 00ff80"},
	{"keeps the will", "10 18 0004'MQTT' 04 36 003c 0001'c' 0002'wt' 0005'hello'", "n",
	 "10 1b 0004'MQTT' 04 b6 003c 0001'c' 0002'wt' 0005'hello' 0001'n'"},
	{"inserts into level 3", "10 0f 0006'MQIsdp' 03 00 0000 0001'c'", "n",
	 "10 12 0006'MQIsdp' 03 80 0000 0001'c' 0001'n'"},
	{"fills in a missing name of level 3", "10 0f 0006'MQIsdp' 03 80 0000 0001'c'", "n",
	 "10 12 0006'MQIsdp' 03 80 0000 0001'c' 0001'n'"},
	{"keeps what 3.1 has no use for", "14 0f 0006'MQIsdp' 03 01 0000 0001'c'", "n",
	 "14 12 0006'MQIsdp' 03 81 0000 0001'c' 0001'n'"},
	{"keeps the bridge bit", "10 0c 0004'MQTT' 84 02 0000 0000", "n",
	 "10 0f 0004'MQTT' 84 82 0000 0000 0001'n'"},
	{"inserts before a lone password of 5.0", "10 10 0004'MQTT' 05 42 0000 00 0000 0001'p'",
	 "n", "10 13 0004'MQTT' 05 c2 0000 00 0000 0001'n' 0001'p'"},
	{"keeps properties and those of the will",
	 "10 25 0004'MQTT' 05 c6 003c 05 1100000e10 0001'c' 05 1800000005 0001'w' 0001'm' 0001'u' "
	 "0001'p'",
	 "user",
	 "10 28 0004'MQTT' 05 c6 003c 05 1100000e10 0001'c' 05 1800000005 0001'w' 0001'm' "
	 "0004'user' 0001'p'"},
	{"keeps user properties byte for byte",
	 "10 14 0004'MQTT' 05 02 0000 07 26 000161 000162 0000", "\xc3\xbc",
	 "10 18 0004'MQTT' 05 82 0000 07 26 000161 000162 0000 0002 c3bc"},
};

START_TEST(rewrite_changes_the_user_name_and_nothing_else)
{
	size_t i;

	for (i = 0; i < COUNT(rewrites); i++) {
		const struct rewrite *rewrite = &rewrites[i];
		size_t before_len;
		size_t after_len;
		uint8_t *before = kit_bytes(rewrite->before, &before_len);
		uint8_t *after = kit_bytes(rewrite->after, &after_len);
		uint8_t *out = NULL;
		size_t out_len = 0;

		ck_assert_msg(mqtt_connect_replace_username(before, before_len, rewrite->name,
							    strlen(rewrite->name), &out,
							    &out_len) == MQUIC_OK,
			      "%s", rewrite->what);
		ck_assert_msg(bytes_equal(bytes_of(out, out_len), bytes_of(after, after_len)), "%s",
			      rewrite->what);
		free(out);
		free(before);
		free(after);
	}
}
END_TEST

/* The remaining length grows from one byte to two, and to three. */
START_TEST(rewrite_recomputes_the_remaining_length)
{
	static const size_t lengths[] = {1, 113, 114, 16369, 16370, 65535};
	size_t len;
	uint8_t *packet = kit_bytes("10 0c 0004'MQTT' 04 02 003c 0000", &len);
	static char name[65536];
	size_t i;

	memset(name, 'n', sizeof(name));
	for (i = 0; i < COUNT(lengths); i++) {
		struct mqtt_connect connect;
		uint8_t *out;
		size_t out_len;

		ck_assert_int_eq(mqtt_connect_replace_username(packet, len, name, lengths[i], &out,
							       &out_len),
				 MQUIC_OK);
		ck_assert_uint_eq(out_len, mqtt_packet_size(14 + lengths[i]));
		ck_assert_int_eq(mqtt_connect_parse(&connect, out, out_len), MQTT_SUCCESS);
		ck_assert(bytes_equal(connect.username, bytes_of(name, lengths[i])));
		free(out);
	}
	free(packet);
}
END_TEST

/* What brokers refuse must not be taken because another user name makes it right. */
START_TEST(parse_refuses_a_password_without_a_name_before_5_0)
{
	static const char *const packets[] = {
		"10 10 0006'MQIsdp' 03 42 0000 0001'c' 0001'p'",
		"10 0e 0004'MQTT' 04 42 0000 0001'c' 0001'p'",
		"14 0d 0004'MQTT' 04 02 003c 0001'c'",
		"10 0d 0004'MQTT' 06 02 003c 0001'c'",
		"10 00",
		"10 05 0004'MQT'",
	};
	struct mqtt_connect connect;
	size_t i;

	for (i = 0; i < COUNT(packets); i++) {
		size_t len;
		uint8_t *packet = kit_bytes(packets[i], &len);

		ck_assert_msg(mqtt_connect_parse(&connect, packet, len) != MQTT_SUCCESS, "%s",
			      packets[i]);
		free(packet);
	}
}
END_TEST

START_TEST(rewrite_refuses_bad_names_and_bad_packets)
{
	size_t len;
	uint8_t *packet = kit_bytes("10 0c 0004'MQTT' 04 02 003c 0000", &len);
	static char name[65536];
	uint8_t *out = NULL;
	size_t out_len;

	memset(name, 'n', sizeof(name));
	ck_assert_int_eq(mqtt_connect_replace_username(packet, len, name, 65536, &out, &out_len),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_connect_replace_username(packet, len, "\xff", 1, &out, &out_len),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_connect_replace_username(packet, len, "a\0b", 3, &out, &out_len),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_connect_replace_username(packet, len, NULL, 0, &out, &out_len),
			 MQUIC_ERR_INVALID);
	ck_assert_int_eq(mqtt_connect_replace_username(packet, len - 1, "n", 1, &out, &out_len),
			 MQUIC_ERR_PROTOCOL);
	packet[9] |= 0x01; /* the reserved flag */
	ck_assert_int_eq(mqtt_connect_replace_username(packet, len, "n", 1, &out, &out_len),
			 MQUIC_ERR_PROTOCOL);
	ck_assert_ptr_null(out);
	free(packet);
}
END_TEST

/* A written CONNECT, with all there can be, differs after rewriting in the user name alone. */
START_TEST(rewrite_agrees_with_the_codec)
{
	struct mqtt_connect connect;
	struct mqtt_connect got;
	struct buf_writer writer;
	struct bytes packet;
	uint8_t *out;
	size_t out_len;

	memset(&connect, 0, sizeof(connect));
	connect.version = MQTT_5;
	connect.client_id = text("client");
	connect.has_will = true;
	connect.will_topic = text("w");
	connect.will_payload = text("payload");
	connect.username = text("before");
	connect.password = text("secret");
	mqtt_properties_init(&connect.properties);
	mqtt_properties_init(&connect.will_properties);
	mqtt_properties_set_number(&connect.properties, MQTT_RECEIVE_MAXIMUM, 10);
	mqtt_properties_set_number(&connect.will_properties, MQTT_WILL_DELAY, 10);
	buf_writer_init(&writer, MQTT_PACKET_MAX);
	mqtt_connect_write(&writer, &connect);
	packet = buf_writer_content(&writer);
	ck_assert_int_eq(mqtt_connect_replace_username(packet.data, packet.len, "after that", 10,
						       &out, &out_len),
			 MQUIC_OK);
	ck_assert_int_eq(mqtt_connect_parse(&got, out, out_len), MQTT_SUCCESS);
	ck_assert(bytes_equal(got.username, text("after that")));
	ck_assert(bytes_equal(got.password, text("secret")));
	ck_assert(bytes_equal(got.will_payload, text("payload")));
	ck_assert_uint_eq(mqtt_properties_number(&got.properties, MQTT_RECEIVE_MAXIMUM, 0), 10);
	buf_writer_clear(&writer);
	free(out);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&scan_knows_the_length_before_the_packet_is_there,
		&scan_leaves_what_follows_the_packet_alone,
		&scan_refuses_what_cannot_become_a_connect,
		&parse_wants_exactly_one_packet,
		&rewrite_changes_the_user_name_and_nothing_else,
		&rewrite_recomputes_the_remaining_length,
		&parse_refuses_a_password_without_a_name_before_5_0,
		&rewrite_refuses_bad_names_and_bad_packets,
		&rewrite_agrees_with_the_codec,
	};

	return unit_run("mqtt-connect", NULL, NULL, tests, COUNT(tests));
}
