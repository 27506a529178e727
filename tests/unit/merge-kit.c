/* SPDX-License-Identifier: MIT */
#include "merge-kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/ping.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"

struct merge *kit_merge;
uint32_t kit_route;
uint16_t kit_receive_maximum;
bool kit_no_subscription_ids;

static int version;
static struct buf_writer packet;
static char text[65536];

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	size_t len = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text + len, sizeof(text) - len, format, arguments);
	va_end(arguments);
}

/* ---- Packets to text ------------------------------------------------------------- */

static void add_ids(const struct mqtt_properties *properties)
{
	struct buf_reader walk = buf_reader_of(properties->section);
	uint32_t id;

	while (mqtt_properties_next_id(&walk, &id)) {
		if (id < MERGE_SUBSCRIPTION_ID) {
			add("/%u", id);
			continue;
		}
		kit_route = id;
		add("/ours");
	}
}

static void add_publish(const struct mqtt_packet *shown)
{
	struct mqtt_publish publish;

	ck_assert_int_eq(mqtt_publish_read(&publish, shown, version), MQTT_SUCCESS);
	add(":%sq%u,%u,%.*s,%.*s", publish.retain ? "R" : "", publish.qos, publish.packet_id,
	    (int)publish.topic.len, (const char *)publish.topic.data, (int)publish.payload.len,
	    (const char *)publish.payload.data);
	add_ids(&publish.properties);
	if (mqtt_properties_has(&publish.properties, MQTT_TOPIC_ALIAS))
		add("=%u", mqtt_properties_number(&publish.properties, MQTT_TOPIC_ALIAS, 0));
}

static void add_filter(const struct mqtt_filter *filter)
{
	add(",%.*s", (int)filter->filter.len, (const char *)filter->filter.data);
	if (filter->options != 0)
		add("@%u", filter->options);
}

static void add_subscribe(const struct mqtt_packet *shown)
{
	struct mqtt_subscribe asked;
	struct buf_reader walk;
	struct mqtt_filter filter;

	ck_assert_int_eq(mqtt_subscribe_read(&asked, shown, version), MQTT_SUCCESS);
	add(":%u", asked.packet_id);
	walk = buf_reader_of(asked.section);
	while (mqtt_subscribe_next(&asked, &walk, &filter))
		add_filter(&filter);
	if (asked.type == MQTT_SUBSCRIBE)
		add_ids(&asked.properties);
}

static void add_suback(const struct mqtt_packet *shown)
{
	struct mqtt_suback answer;
	size_t i;

	ck_assert_int_eq(mqtt_suback_read(&answer, shown, version), MQTT_SUCCESS);
	add(":%u", answer.packet_id);
	for (i = 0; i < answer.reasons.len; i++)
		add(",%02x", answer.reasons.data[i]);
}

static void add_ack(const struct mqtt_packet *shown)
{
	struct mqtt_ack ack;

	ck_assert_int_eq(mqtt_ack_read(&ack, shown, version), MQTT_SUCCESS);
	add(":%u", ack.packet_id);
	if (ack.reason != 0)
		add(",%02x", ack.reason);
}

static void add_packet(const struct mqtt_packet *shown)
{
	add("%s%s", text[0] == '\0' ? "" : " ", mqtt_type_text(shown->type));
	switch (shown->type) {
	case MQTT_PUBLISH:
		add_publish(shown);
		break;
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		add_subscribe(shown);
		break;
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		add_suback(shown);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		add_ack(shown);
		break;
	default:
		break;
	}
}

static void describe(struct bytes bytes)
{
	struct mqtt_framing framing;
	struct mqtt_packet shown;
	enum mqtt_framing_result result;

	text[0] = '\0';
	mqtt_framing_init(&framing, MQTT_PACKET_MAX);
	while ((result = mqtt_framing_next(&framing, &bytes, &shown)) == MQTT_FRAMING_PACKET)
		add_packet(&shown);
	ck_assert_int_eq(result, MQTT_FRAMING_MORE);
	ck_assert_uint_eq(framing.assembly.len, 0); /* whole packets only */
	mqtt_framing_clear(&framing);
}

void kit_expect_up(const char *expected)
{
	struct bytes up = merge_up(kit_merge);

	describe(up);
	ck_assert_str_eq(text, expected);
	merge_consume_up(kit_merge, up.len);
}

void kit_expect(size_t slot, const char *expected)
{
	struct bytes output = merge_output(kit_merge, slot);

	describe(output);
	ck_assert_str_eq(text, expected);
	merge_consume_output(kit_merge, slot, output.len);
}

void kit_expect_silence(void)
{
	size_t slot;

	kit_expect_up("");
	for (slot = 0; slot < MERGE_SLOTS; slot++)
		kit_expect(slot, "");
}

/* ---- Packets ------------------------------------------------------------------------ */

static void begin(void)
{
	buf_writer_clear(&packet);
	buf_writer_init(&packet, SIZE_MAX);
}

static struct bytes done(void)
{
	ck_assert(!packet.failed);
	return buf_writer_content(&packet);
}

struct bytes kit_publish(const struct kit_message *message)
{
	struct mqtt_publish publish = {
		.qos = (uint8_t)message->qos,
		.retain = message->retain,
		.packet_id = message->id,
		.topic = bytes_of(message->topic, strlen(message->topic)),
		.payload = bytes_of(message->payload, strlen(message->payload)),
	};

	begin();
	mqtt_properties_init(&publish.properties);
	if (message->alias != 0)
		mqtt_properties_set_number(&publish.properties, MQTT_TOPIC_ALIAS, message->alias);
	if (message->subscription_id != 0)
		mqtt_properties_set_ids(&publish.properties, &message->subscription_id, 1);
	mqtt_publish_write(&packet, &publish, version);
	return done();
}

struct bytes kit_ack(enum mqtt_type type, uint16_t id, uint8_t reason)
{
	struct mqtt_ack ack = {.type = type, .packet_id = id, .reason = reason};

	begin();
	mqtt_properties_init(&ack.properties);
	mqtt_ack_write(&packet, &ack, version);
	return done();
}

static struct bytes make_request(struct mqtt_subscribe *asked, const char *filters)
{
	static struct mqtt_filter all[1000];

	begin();
	while (*filters != '\0') {
		size_t len = strcspn(filters, " @");
		struct mqtt_filter *filter = &all[asked->filter_count++];

		*filter = (struct mqtt_filter){.filter = bytes_of(filters, len)};
		filters += len;
		if (*filters == '@') {
			filter->options = (uint8_t)(filters[1] - '0');
			filters += 2;
		}
		filters += *filters == ' ';
	}
	asked->filters = all;
	mqtt_subscribe_write(&packet, asked, version);
	return done();
}

struct bytes kit_subscribe(uint16_t id, const char *filters, uint32_t subscription_id)
{
	struct mqtt_subscribe asked = {.type = MQTT_SUBSCRIBE, .packet_id = id};

	mqtt_properties_init(&asked.properties);
	if (subscription_id != 0)
		mqtt_properties_set_ids(&asked.properties, &subscription_id, 1);
	return make_request(&asked, filters);
}

struct bytes kit_unsubscribe(uint16_t id, const char *filters)
{
	struct mqtt_subscribe asked = {.type = MQTT_UNSUBSCRIBE, .packet_id = id};

	mqtt_properties_init(&asked.properties);
	return make_request(&asked, filters);
}

struct bytes kit_suback(enum mqtt_type type, uint16_t id, const char *codes)
{
	uint8_t bytes[100];
	struct mqtt_suback answer = {.type = type, .packet_id = id, .reasons = {bytes, 0}};

	begin();
	mqtt_properties_init(&answer.properties);
	for (; *codes != '\0'; codes += 2 + (codes[2] == ' ')) {
		char code[3] = {codes[0], codes[1], '\0'};

		bytes[answer.reasons.len++] = (uint8_t)strtoul(code, NULL, 16);
	}
	mqtt_suback_write(&packet, &answer, version);
	return done();
}

struct bytes kit_plain(enum mqtt_type type)
{
	begin();
	mqtt_header_write(&packet, type, 0, 0);
	return done();
}

/* ---- The scene ------------------------------------------------------------------------ */

static void pass_connect(void)
{
	struct mqtt_connect connect = {.version = version, .client_id = bytes_of("me", 2)};

	begin();
	mqtt_properties_init(&connect.properties);
	mqtt_properties_init(&connect.will_properties);
	mqtt_connect_write(&packet, &connect);
	merge_watch_client(kit_merge, done());
}

static void pass_connack(void)
{
	struct mqtt_connack connack = {.reason = 0};

	begin();
	mqtt_properties_init(&connack.properties);
	mqtt_properties_set_number(&connack.properties, MQTT_TOPIC_ALIAS_MAXIMUM, 10);
	if (kit_receive_maximum != 0)
		mqtt_properties_set_number(&connack.properties, MQTT_RECEIVE_MAXIMUM,
					   kit_receive_maximum);
	if (kit_no_subscription_ids)
		mqtt_properties_set_number(&connack.properties, MQTT_SUBSCRIPTION_IDS_AVAILABLE, 0);
	mqtt_connack_write(&packet, &connack, version);
	merge_watch_broker(kit_merge, done());
}

void kit_connect(int wanted)
{
	version = wanted;
	kit_merge = merge_new(version);
	ck_assert_ptr_nonnull(kit_merge);
	pass_connect();
	ck_assert(!merge_is_accepted(kit_merge));
	pass_connack();
	ck_assert(merge_is_accepted(kit_merge));
}

void kit_open_slot(size_t slot)
{
	if (!merge_is_started(kit_merge))
		ck_assert(merge_start(kit_merge, 0xfffffe)); /* its numbers wrap soon */
	merge_open(kit_merge, slot);
}

void kit_close(void)
{
	if (kit_merge != NULL)
		ck_assert(!merge_has_failed(kit_merge));
	merge_free(kit_merge);
	kit_merge = NULL;
	kit_route = 0;
	kit_receive_maximum = 0;
	kit_no_subscription_ids = false;
	buf_writer_clear(&packet);
}

void kit_take(size_t slot, struct bytes bytes)
{
	merge_take(kit_merge, slot, &bytes);
	ck_assert_uint_eq(bytes.len, 0);
}

void kit_take_not(size_t slot, struct bytes bytes)
{
	size_t len = bytes.len;

	merge_take(kit_merge, slot, &bytes);
	ck_assert_uint_eq(bytes.len, len);
}

void kit_give(struct bytes bytes)
{
	merge_give(kit_merge, bytes);
}

void kit_is_subscribed(size_t slot, uint16_t id, const char *filter, uint32_t subscription_id)
{
	struct mqtt_packet shown = {MQTT_SUBSCRIBE, 2, {NULL, 0}};
	struct mqtt_subscribe asked;
	struct bytes up;
	uint32_t body;
	int header;

	kit_take(slot, kit_subscribe(id, filter, subscription_id));
	up = merge_up(kit_merge);
	header = mqtt_header_read(up, &body);
	shown.body = bytes_of(up.data + header, body);
	ck_assert_int_eq(mqtt_subscribe_read(&asked, &shown, version), MQTT_SUCCESS);
	describe(up);
	merge_consume_up(kit_merge, up.len);
	kit_give(kit_suback(MQTT_SUBACK, asked.packet_id, "00"));
	up = merge_output(kit_merge, slot);
	merge_consume_output(kit_merge, slot, up.len);
}

struct bytes kit_message(int qos, uint16_t id)
{
	return kit_publish(
		&(struct kit_message){.qos = qos, .id = id, .topic = "t", .payload = "x"});
}

struct bytes kit_delivery(int qos, uint16_t id, const char *topic, uint32_t route)
{
	return kit_publish(&(struct kit_message){
		.qos = qos, .id = id, .topic = topic, .payload = "m", .subscription_id = route});
}

void kit_both_are_subscribed(void)
{
	kit_is_subscribed(1, 1, "a", 0);
	kit_is_subscribed(2, 1, "a", 0);
}

static void two(int wanted)
{
	kit_connect(wanted);
	kit_open_slot(1);
	kit_open_slot(2);
}

void kit_two_of_3(void)
{
	two(MQTT_3_1_1);
}

void kit_two_of_5(void)
{
	two(MQTT_5);
}

static void add_case(Suite *suite, const struct kit_case *added)
{
	TCase *group = tcase_create(added->name);
	size_t i;

	tcase_set_timeout(group, 60);
	tcase_add_checked_fixture(group, added->set_up, kit_close);
	for (i = 0; i < added->count; i++)
		tcase_add_loop_test(group, *added->tests[i], added->version, added->version + 1);
	suite_add_tcase(suite, group);
}

int kit_run(const char *name, const struct kit_case *cases, size_t count)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;
	size_t i;

	for (i = 0; i < count; i++)
		add_case(suite, &cases[i]);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
