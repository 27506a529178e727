/* SPDX-License-Identifier: MIT */
/* Every kind of packet, with every property it may carry: what is written is what is read. */
#include "unit.h"

#include <string.h>

#include "mqtt-kit.h"
#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"

static struct mqtt_pairs pairs;
static const uint32_t ids[] = {1, 128, MQTT_VARINT_MAX};
static struct buf_writer writer;
static struct mqtt_packet packet;

static struct bytes text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static void setup(void)
{
	memset(&pairs, 0, sizeof(pairs));
	ck_assert_int_eq(mqtt_pairs_add(&pairs, text("name"), text("value")), MQTT_SUCCESS);
	ck_assert_int_eq(mqtt_pairs_add(&pairs, text(""), text("")), MQTT_SUCCESS);
	ck_assert_int_eq(mqtt_pairs_add(&pairs, text("name"), text("again")), MQTT_SUCCESS);
	buf_writer_init(&writer, MQTT_PACKET_MAX);
}

static void teardown(void)
{
	mqtt_pairs_clear(&pairs);
	buf_writer_clear(&writer);
}

enum kind {
	NUMBER,
	TEXT
};

/* Table 2-4: where each property may stand. 0 in the list is the will. */
static const struct {
	enum mqtt_property id;
	enum kind kind;
	uint32_t value;
	uint32_t where;
} properties[] = {
#define IN(type) (1u << (type))
#define EVERY_ACK                                                                                  \
	(IN(MQTT_CONNACK) | IN(MQTT_PUBACK) | IN(MQTT_PUBREC) | IN(MQTT_PUBREL) |                  \
	 IN(MQTT_PUBCOMP) | IN(MQTT_SUBACK) | IN(MQTT_UNSUBACK) | IN(MQTT_DISCONNECT) |            \
	 IN(MQTT_AUTH))
	{MQTT_PAYLOAD_FORMAT, NUMBER, 1, IN(MQTT_PUBLISH) | IN(0)},
	{MQTT_MESSAGE_EXPIRY, NUMBER, 0xfedcba98, IN(MQTT_PUBLISH) | IN(0)},
	{MQTT_CONTENT_TYPE, TEXT, 0, IN(MQTT_PUBLISH) | IN(0)},
	{MQTT_RESPONSE_TOPIC, TEXT, 0, IN(MQTT_PUBLISH) | IN(0)},
	{MQTT_CORRELATION_DATA, TEXT, 0, IN(MQTT_PUBLISH) | IN(0)},
	{MQTT_SESSION_EXPIRY, NUMBER, 0xffffffff,
	 IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT)},
	{MQTT_ASSIGNED_CLIENT_ID, TEXT, 0, IN(MQTT_CONNACK)},
	{MQTT_SERVER_KEEP_ALIVE, NUMBER, 0xffff, IN(MQTT_CONNACK)},
	{MQTT_AUTH_METHOD, TEXT, 0, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_AUTH)},
	{MQTT_AUTH_DATA, TEXT, 0, IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_AUTH)},
	{MQTT_REQUEST_PROBLEM_INFO, NUMBER, 1, IN(MQTT_CONNECT)},
	{MQTT_WILL_DELAY, NUMBER, 7, IN(0)},
	{MQTT_REQUEST_RESPONSE_INFO, NUMBER, 1, IN(MQTT_CONNECT)},
	{MQTT_RESPONSE_INFO, TEXT, 0, IN(MQTT_CONNACK)},
	{MQTT_SERVER_REFERENCE, TEXT, 0, IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT)},
	{MQTT_REASON_STRING, TEXT, 0, EVERY_ACK},
	{MQTT_RECEIVE_MAXIMUM, NUMBER, 0xfffe, IN(MQTT_CONNECT) | IN(MQTT_CONNACK)},
	{MQTT_TOPIC_ALIAS_MAXIMUM, NUMBER, 17, IN(MQTT_CONNECT) | IN(MQTT_CONNACK)},
	{MQTT_TOPIC_ALIAS, NUMBER, 3, IN(MQTT_PUBLISH)},
	{MQTT_MAXIMUM_QOS, NUMBER, 1, IN(MQTT_CONNACK)},
	{MQTT_RETAIN_AVAILABLE, NUMBER, 0, IN(MQTT_CONNACK)},
	{MQTT_MAXIMUM_PACKET_SIZE, NUMBER, 0x10203040, IN(MQTT_CONNECT) | IN(MQTT_CONNACK)},
	{MQTT_WILDCARDS_AVAILABLE, NUMBER, 0, IN(MQTT_CONNACK)},
	{MQTT_SUBSCRIPTION_IDS_AVAILABLE, NUMBER, 1, IN(MQTT_CONNACK)},
	{MQTT_SHARED_AVAILABLE, NUMBER, 0, IN(MQTT_CONNACK)},
};

/* Everything that may stand in packet type `where`. */
static void fill(struct mqtt_properties *set, int where)
{
	size_t i;

	mqtt_properties_init(set);
	for (i = 0; i < COUNT(properties); i++) {
		if ((properties[i].where & IN(where)) == 0)
			continue;
		if (properties[i].kind == NUMBER)
			mqtt_properties_set_number(set, properties[i].id, properties[i].value);
		else
			mqtt_properties_set_text(set, properties[i].id, text("some text"));
	}
	mqtt_properties_set_pairs(set, pairs.items, pairs.count);
	if (where == MQTT_PUBLISH)
		mqtt_properties_set_ids(set, ids, COUNT(ids));
	if (where == MQTT_SUBSCRIBE)
		mqtt_properties_set_ids(set, ids, 1);
}

static void expect_full(const struct mqtt_properties *set, int where)
{
	struct buf_reader walk = buf_reader_of(set->section);
	struct bytes name;
	struct bytes value;
	uint32_t id = 0;
	size_t i;

	for (i = 0; i < COUNT(properties); i++) {
		bool there = (properties[i].where & IN(where)) != 0;

		ck_assert_int_eq(mqtt_properties_has(set, properties[i].id), there);
		if (there && properties[i].kind == NUMBER)
			ck_assert_uint_eq(mqtt_properties_number(set, properties[i].id, 99),
					  properties[i].value);
		if (there && properties[i].kind == TEXT)
			ck_assert(bytes_equal(mqtt_properties_text(set, properties[i].id),
					      text("some text")));
		if (!there)
			ck_assert_uint_eq(mqtt_properties_number(set, properties[i].id, 99), 99);
	}
	ck_assert_uint_eq(set->pair_count, 3);
	for (i = 0; i < 3; i++) {
		ck_assert(mqtt_properties_next_pair(&walk, &name, &value));
		ck_assert(
			bytes_equal(name, bytes_of(pairs.items[i].name, pairs.items[i].name_len)));
		ck_assert(bytes_equal(value, text(mqtt_pair_value(&pairs.items[i]))));
	}
	ck_assert(!mqtt_properties_next_pair(&walk, &name, &value));
	walk = buf_reader_of(set->section);
	for (i = 0; mqtt_properties_next_id(&walk, &id); i++)
		ck_assert_uint_eq(id, ids[i]);
	ck_assert_uint_eq(i, where == MQTT_PUBLISH ? 3 : where == MQTT_SUBSCRIBE ? 1 : 0);
}

/* Takes the packet out of the writer, and checks that writing what is read gives the same. */
static void expect_same_again(int version)
{
	struct buf_writer again;

	ck_assert(!writer.failed);
	ck_assert(kit_packet(buf_writer_content(&writer), &packet));
	buf_writer_init(&again, MQTT_PACKET_MAX);
	ck_assert_int_eq(kit_again(&again, &packet, version), MQTT_SUCCESS);
	ck_assert(bytes_equal(buf_writer_content(&again), buf_writer_content(&writer)));
	buf_writer_clear(&again);
}

static void next(void)
{
	buf_writer_consume(&writer, SIZE_MAX);
}

/* A will and both names, or neither, in every version. */
static void connect_fill(struct mqtt_connect *connect, int version, bool all)
{
	memset(connect, 0, sizeof(*connect));
	connect->version = version;
	connect->clean_start = all;
	connect->bridge = all;
	connect->keep_alive_s = all ? 65535 : 0;
	connect->client_id = text(all ? "client" : "");
	connect->has_will = all;
	connect->will_qos = all ? 2 : 0;
	connect->will_retain = all;
	connect->will_topic = text(all ? "a/will" : "");
	connect->will_payload = all ? bytes_of("\0\xff", 2) : bytes_of(NULL, 0);
	connect->username = all ? text("user") : bytes_of(NULL, 0);
	connect->password = all ? bytes_of("\0\x80pass", 6) : bytes_of(NULL, 0);
	mqtt_properties_init(&connect->properties);
	mqtt_properties_init(&connect->will_properties);
	if (all && version == MQTT_5) {
		fill(&connect->properties, MQTT_CONNECT);
		fill(&connect->will_properties, MQTT_IN_WILL);
	}
}

static void connect_check(int version, bool all)
{
	struct mqtt_connect sent;
	struct mqtt_connect got;

	connect_fill(&sent, version, all);
	mqtt_connect_write(&writer, &sent);
	expect_same_again(version);
	ck_assert_int_eq(mqtt_connect_read(&got, &packet), MQTT_SUCCESS);
	ck_assert_int_eq(got.version, version);
	ck_assert_int_eq(got.bridge, all);
	ck_assert_int_eq(got.clean_start, all);
	ck_assert_uint_eq(got.keep_alive_s, sent.keep_alive_s);
	ck_assert(bytes_equal(got.client_id, sent.client_id));
	ck_assert_int_eq(got.has_will, all);
	ck_assert_uint_eq(got.will_qos, sent.will_qos);
	ck_assert_int_eq(got.will_retain, all);
	ck_assert(bytes_equal(got.will_topic, sent.will_topic));
	ck_assert(bytes_equal(got.will_payload, sent.will_payload));
	ck_assert_int_eq(got.username.data != NULL, all);
	ck_assert(bytes_equal(got.username, sent.username));
	ck_assert(bytes_equal(got.password, sent.password));
	if (all && version == MQTT_5) {
		expect_full(&got.properties, MQTT_CONNECT);
		expect_full(&got.will_properties, MQTT_IN_WILL);
	}
	next();
}

START_TEST(connect_survives_with_everything_and_with_nothing)
{
	int version;

	for (version = MQTT_3_1; version <= MQTT_5; version++) {
		connect_check(version, true);
		connect_check(version, false);
	}
}
END_TEST

START_TEST(connect_tells_empty_names_from_none)
{
	struct mqtt_connect connect;

	connect_fill(&connect, MQTT_5, false);
	connect.username = text("");
	connect.password = text("");
	mqtt_connect_write(&writer, &connect);
	expect_same_again(MQTT_5);
	ck_assert_int_eq(mqtt_connect_read(&connect, &packet), MQTT_SUCCESS);
	ck_assert_ptr_nonnull(connect.username.data);
	ck_assert_ptr_nonnull(connect.password.data);
	ck_assert_uint_eq(connect.username.len, 0);
}
END_TEST

START_TEST(connack_survives)
{
	static const uint8_t refusals[] = {MQTT_UNSUPPORTED_VERSION, MQTT_CLIENT_ID_NOT_VALID,
					   MQTT_SERVER_UNAVAILABLE, MQTT_BAD_USERNAME_OR_PASSWORD,
					   MQTT_NOT_AUTHORIZED};
	struct mqtt_connack connack = {.session_present = true, .reason = MQTT_SUCCESS};
	struct mqtt_connack got;
	size_t i;

	fill(&connack.properties, MQTT_CONNACK);
	mqtt_connack_write(&writer, &connack, MQTT_5);
	expect_same_again(MQTT_5);
	ck_assert_int_eq(mqtt_connack_read(&got, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert(got.session_present);
	expect_full(&got.properties, MQTT_CONNACK);
	next();
	connack.session_present = false;
	for (i = 0; i < COUNT(refusals); i++) {
		connack.reason = refusals[i];
		mqtt_connack_write(&writer, &connack, MQTT_3_1_1);
		ck_assert_uint_eq(writer.len, 4);
		expect_same_again(MQTT_3_1_1);
		ck_assert_int_eq(mqtt_connack_read(&got, &packet, MQTT_3_1_1), MQTT_SUCCESS);
		ck_assert_uint_eq(got.reason, refusals[i]);
		next();
	}
}
END_TEST

static void publish_check(int version, uint8_t qos)
{
	struct mqtt_publish sent = {.duplicate = qos > 0, .qos = qos, .retain = qos != 1};
	struct mqtt_publish got;

	sent.packet_id = qos > 0 ? 0xabcd : 0;
	sent.topic = text("a/topic");
	sent.payload = bytes_of("\0pay\xff", 5);
	mqtt_properties_init(&sent.properties);
	if (version == MQTT_5)
		fill(&sent.properties, MQTT_PUBLISH);
	mqtt_publish_write(&writer, &sent, version);
	ck_assert_uint_eq(mqtt_publish_size(&sent, version), writer.len);
	expect_same_again(version);
	ck_assert_int_eq(mqtt_publish_read(&got, &packet, version), MQTT_SUCCESS);
	ck_assert_int_eq(got.duplicate, sent.duplicate);
	ck_assert_uint_eq(got.qos, qos);
	ck_assert_int_eq(got.retain, sent.retain);
	ck_assert_uint_eq(got.packet_id, sent.packet_id);
	ck_assert(bytes_equal(got.topic, sent.topic));
	ck_assert(bytes_equal(got.payload, sent.payload));
	if (version == MQTT_5)
		expect_full(&got.properties, MQTT_PUBLISH);
	next();
}

START_TEST(publish_survives_at_every_qos)
{
	uint8_t qos;

	for (qos = 0; qos <= 2; qos++) {
		publish_check(MQTT_3_1_1, qos);
		publish_check(MQTT_5, qos);
	}
}
END_TEST

START_TEST(publish_survives_empty_and_by_alias)
{
	struct mqtt_publish publish = {.qos = 0};

	mqtt_properties_init(&publish.properties);
	publish.topic = text("t");
	publish.payload = bytes_of(NULL, 0);
	mqtt_publish_write(&writer, &publish, MQTT_3_1_1);
	expect_same_again(MQTT_3_1_1);
	next();
	publish.topic = text("");
	mqtt_properties_set_number(&publish.properties, MQTT_TOPIC_ALIAS, 1);
	mqtt_publish_write(&writer, &publish, MQTT_5);
	expect_same_again(MQTT_5);
}
END_TEST

START_TEST(acknowledgements_survive_in_every_length)
{
	static const enum mqtt_type types[] = {MQTT_PUBACK, MQTT_PUBREC, MQTT_PUBREL, MQTT_PUBCOMP};
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		struct mqtt_ack ack = {.type = types[i], .packet_id = 1};
		struct mqtt_ack got;

		mqtt_properties_init(&ack.properties);
		mqtt_ack_write(&writer, &ack, MQTT_3_1_1);
		ck_assert_uint_eq(writer.len, 4);
		expect_same_again(MQTT_3_1_1);
		next();
		mqtt_ack_write(&writer, &ack, MQTT_5);
		ck_assert_uint_eq(writer.len, 4);
		expect_same_again(MQTT_5);
		next();
		ack.reason = i < 2 ? MQTT_NOT_AUTHORIZED : MQTT_PACKET_ID_NOT_FOUND;
		mqtt_ack_write(&writer, &ack, MQTT_5);
		ck_assert_uint_eq(writer.len, 5);
		expect_same_again(MQTT_5);
		next();
		fill(&ack.properties, (int)types[i]);
		mqtt_ack_write(&writer, &ack, MQTT_5);
		expect_same_again(MQTT_5);
		ck_assert_int_eq(mqtt_ack_read(&got, &packet, MQTT_5), MQTT_SUCCESS);
		ck_assert_uint_eq(got.reason, ack.reason);
		expect_full(&got.properties, (int)types[i]);
		next();
	}
}
END_TEST

START_TEST(subscribe_and_unsubscribe_survive)
{
	static const enum mqtt_type types[] = {MQTT_SUBSCRIBE, MQTT_UNSUBSCRIBE};
	struct mqtt_filter filters[3] = {
		{text("a/+/b"), 0}, {text("#"), 1}, {text("$share/g/x"), 2}};
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		struct mqtt_subscribe subscribe = {.type = types[i], .packet_id = 65535};
		struct mqtt_subscribe got;

		subscribe.filters = filters;
		subscribe.filter_count = 3;
		filters[0].options = 0;
		mqtt_properties_init(&subscribe.properties);
		mqtt_subscribe_write(&writer, &subscribe, MQTT_3_1_1);
		expect_same_again(MQTT_3_1_1);
		next();
		fill(&subscribe.properties, (int)types[i]);
		filters[0].options = 0x2e; /* QoS 2, no local, as published, never retained */
		mqtt_subscribe_write(&writer, &subscribe, MQTT_5);
		expect_same_again(MQTT_5);
		ck_assert_int_eq(mqtt_subscribe_read(&got, &packet, MQTT_5), MQTT_SUCCESS);
		ck_assert_uint_eq(got.filter_count, 3);
		ck_assert_uint_eq(got.packet_id, 65535);
		expect_full(&got.properties, (int)types[i]);
		next();
	}
}
END_TEST

START_TEST(suback_and_unsuback_survive)
{
	struct mqtt_suback suback = {.type = MQTT_SUBACK, .packet_id = 9};
	struct mqtt_suback got;

	suback.reasons = bytes_of("\x00\x01\x02\x80", 4);
	mqtt_properties_init(&suback.properties);
	mqtt_suback_write(&writer, &suback, MQTT_3_1_1);
	expect_same_again(MQTT_3_1_1);
	next();
	fill(&suback.properties, MQTT_SUBACK);
	suback.reasons = bytes_of("\x00\x97\xa2\x9e\xa1", 5);
	mqtt_suback_write(&writer, &suback, MQTT_5);
	expect_same_again(MQTT_5);
	ck_assert_int_eq(mqtt_suback_read(&got, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert(bytes_equal(got.reasons, suback.reasons));
	expect_full(&got.properties, MQTT_SUBACK);
	next();
	suback.type = MQTT_UNSUBACK;
	suback.reasons = bytes_of("\x00\x11\x8f", 3);
	mqtt_suback_write(&writer, &suback, MQTT_5);
	expect_same_again(MQTT_5);
	next();
	mqtt_suback_write(&writer, &suback, MQTT_3_1_1);
	ck_assert_uint_eq(writer.len, 4);
	expect_same_again(MQTT_3_1_1);
}
END_TEST

START_TEST(disconnect_and_auth_survive)
{
	struct mqtt_disconnect disconnect = {.type = MQTT_DISCONNECT};
	struct mqtt_disconnect got;

	mqtt_properties_init(&disconnect.properties);
	mqtt_disconnect_write(&writer, &disconnect, MQTT_3_1_1);
	ck_assert_uint_eq(writer.len, 2);
	expect_same_again(MQTT_3_1_1);
	next();
	mqtt_disconnect_write(&writer, &disconnect, MQTT_5);
	ck_assert_uint_eq(writer.len, 2);
	expect_same_again(MQTT_5);
	next();
	disconnect.reason = MQTT_SERVER_MOVED;
	fill(&disconnect.properties, MQTT_DISCONNECT);
	mqtt_disconnect_write(&writer, &disconnect, MQTT_5);
	expect_same_again(MQTT_5);
	ck_assert_int_eq(mqtt_disconnect_read(&got, &packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_uint_eq(got.reason, MQTT_SERVER_MOVED);
	expect_full(&got.properties, MQTT_DISCONNECT);
	next();
	disconnect.type = MQTT_AUTH;
	disconnect.reason = MQTT_CONTINUE_AUTHENTICATION;
	fill(&disconnect.properties, MQTT_AUTH);
	mqtt_disconnect_write(&writer, &disconnect, MQTT_5);
	expect_same_again(MQTT_5);
	ck_assert_int_eq(mqtt_disconnect_read(&got, &packet, MQTT_5), MQTT_SUCCESS);
	expect_full(&got.properties, MQTT_AUTH);
}
END_TEST

/* One property alone in one kind of packet, with nothing else that could be wrong. */
static enum mqtt_reason alone(int where, size_t index)
{
	struct mqtt_properties set;
	struct buf_writer section;
	struct buf_reader reader;
	enum mqtt_reason reason;

	mqtt_properties_init(&set);
	if (properties[index].kind == NUMBER)
		mqtt_properties_set_number(&set, properties[index].id, properties[index].value);
	else
		mqtt_properties_set_text(&set, properties[index].id, text("x"));
	if (properties[index].id == MQTT_AUTH_DATA)
		mqtt_properties_set_text(&set, MQTT_AUTH_METHOD, text("m"));
	buf_writer_init(&section, 100);
	mqtt_properties_write(&section, &set);
	reader = buf_reader_of(buf_writer_content(&section));
	reason = mqtt_properties_read(&set, &reader, where);
	buf_writer_clear(&section);
	return reason;
}

START_TEST(properties_stand_only_where_the_table_allows)
{
	int where;
	size_t i;

	for (where = 0; where <= MQTT_AUTH; where++)
		for (i = 0; i < COUNT(properties); i++) {
			bool allowed = (properties[i].where & IN(where)) != 0;

			ck_assert_int_eq(alone(where, i),
					 allowed ? MQTT_SUCCESS : MQTT_MALFORMED_PACKET);
		}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&connect_survives_with_everything_and_with_nothing,
		&connect_tells_empty_names_from_none,
		&connack_survives,
		&publish_survives_at_every_qos,
		&publish_survives_empty_and_by_alias,
		&acknowledgements_survive_in_every_length,
		&subscribe_and_unsubscribe_survive,
		&suback_and_unsuback_survive,
		&disconnect_and_auth_survive,
		&properties_stand_only_where_the_table_allows,
	};

	return unit_run("mqtt-roundtrip", setup, teardown, tests, COUNT(tests));
}
