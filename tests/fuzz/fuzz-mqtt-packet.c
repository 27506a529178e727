/* SPDX-License-Identifier: MIT */
/*
 * Bytes from a broker, or a client. The first byte of the input chooses: bit 0 the version, bit 1
 * the codec or a client engine, bits 2 and 3 how the engine is set up; the rest is the stream.
 */
#include "fuzz.h"

#include "mqtt-kit.h"
#include "mqtt/connect.h"
#include "mqtt/engine.h"

#define CHOOSE_5      0x01
#define CHOOSE_ENGINE 0x02
#define CHOOSE_MANUAL 0x04
#define CHOOSE_AUTH   0x08

/* What is well-formed must be so again when it is written, and then stay the same. */
static void check_packet(const struct mqtt_packet *packet, int version)
{
	struct mqtt_packet written;
	struct buf_writer once;
	struct buf_writer twice;

	buf_writer_init(&once, MQTT_PACKET_MAX);
	buf_writer_init(&twice, MQTT_PACKET_MAX);
	if (kit_again(&once, packet, version) == MQTT_SUCCESS) {
		MUST(!once.failed);
		MUST(kit_packet(buf_writer_content(&once), &written));
		MUST(kit_again(&twice, &written, version) == MQTT_SUCCESS);
		MUST(bytes_equal(buf_writer_content(&once), buf_writer_content(&twice)));
	}
	buf_writer_clear(&once);
	buf_writer_clear(&twice);
}

static void fuzz_codec(struct bytes stream, int version)
{
	struct mqtt_framing framing;
	struct mqtt_packet packet;

	mqtt_framing_init(&framing, MQTT_PACKET_MAX);
	while (mqtt_framing_next(&framing, &stream, &packet) == MQTT_FRAMING_PACKET)
		check_packet(&packet, version);
	mqtt_framing_clear(&framing);
}

/* Events are looked at the way an application looks at them; manual mode settles messages. */
static void drain_events(struct mqtt_engine *engine)
{
	struct mquic_event *event;
	struct error error;

	while ((event = mqtt_engine_next_event(engine)) != NULL) {
		const struct mquic_message *message = mquic_event_message(event);
		const char *name;
		const char *value;
		size_t len;

		MUST(mquic_event_text(event) != NULL);
		(void)mquic_event_user_property(event, 0, &name, &len, &value, &len);
		if (message != NULL) {
			size_t topic_len;
			const char *topic = mquic_message_topic(message, &topic_len);

			MUST(topic_len > 0 && topic[topic_len] == '\0');
			MUST(mquic_message_payload(message, &len)[len] == '\0');
			(void)mquic_message_user_property(message, 0, &name, &len, &value, &len);
			(void)mqtt_engine_ack(engine, mquic_message_packet_id(message), 0, &error);
		}
		mquic_event_free(event);
	}
}

/* All output must be packets that the codec can read. */
static void drain_output(struct mqtt_engine *engine, struct mqtt_framing *sent, int version)
{
	struct mqtt_packet packet;
	const uint8_t *data;
	size_t len;

	for (mqtt_lane_output(mqtt_engine_control(engine), &data, &len); len > 0;
	     mqtt_lane_output(mqtt_engine_control(engine), &data, &len)) {
		struct bytes stream = bytes_of(data, len);
		struct buf_writer again;

		while (mqtt_framing_next(sent, &stream, &packet) == MQTT_FRAMING_PACKET) {
			buf_writer_init(&again, MQTT_PACKET_MAX);
			MUST(kit_again(&again, &packet, version) == MQTT_SUCCESS);
			buf_writer_clear(&again);
		}
		MUST(stream.len == 0);
		mqtt_engine_output_consume(engine, mqtt_engine_control(engine), len, 0);
	}
}

static void publish(struct mqtt_engine *engine, int qos)
{
	struct mquic_message *message = NULL;
	struct error error;

	MUST(mquic_message_new(&message) == MQUIC_OK);
	MUST(mquic_message_set_topic(message, "a/topic", MQUIC_NUL_TERMINATED) == MQUIC_OK);
	MUST(mquic_message_set_qos(message, qos) == MQUIC_OK);
	(void)mqtt_engine_publish(engine, message, NULL, &error);
	mquic_message_free(message);
}

static void subscribe(struct mqtt_engine *engine)
{
	struct mquic_subscription *subscription = NULL;
	struct error error;

	MUST(mquic_subscription_new(&subscription) == MQUIC_OK);
	MUST(mquic_subscription_add(subscription, "#", 1, 2, 0) == MQUIC_OK);
	(void)mqtt_engine_subscribe(engine, subscription, NULL, &error);
	(void)mqtt_engine_unsubscribe(engine, subscription, NULL, &error);
	mquic_subscription_free(subscription);
}

/* One connection: the stream arrives in pieces of `step` bytes. */
static void run_connection(struct mqtt_engine *engine, struct bytes stream, size_t step,
			   int version)
{
	struct buf_reader reader = buf_reader_of(stream);
	struct mqtt_framing sent;
	struct error error;

	mqtt_framing_init(&sent, MQTT_PACKET_MAX);
	MUST(mqtt_engine_connect(engine, 0, 1000, &error) == MQUIC_OK);
	subscribe(engine);
	publish(engine, 0);
	publish(engine, 1);
	publish(engine, 2);
	while (reader.left > 0) {
		struct bytes piece =
			buf_read_bytes(&reader, step < reader.left ? step : reader.left);

		(void)mqtt_engine_receive(engine, mqtt_engine_control(engine), piece.data,
					  piece.len, 0);
		drain_output(engine, &sent, version);
		drain_events(engine);
	}
	mqtt_engine_tick(engine, mqtt_engine_deadline_ms(engine));
	drain_output(engine, &sent, version);
	drain_events(engine);
	mqtt_engine_hung_up(engine);
	mqtt_engine_lost(engine);
	drain_events(engine);
	publish(engine, 1);
	subscribe(engine);
	mqtt_engine_told(engine);
	mqtt_framing_clear(&sent);
}

static void fuzz_engine(struct bytes stream, uint8_t choice, int version)
{
	struct mqtt_engine *engine = NULL;
	struct mqtt_settings *settings;
	struct error error;

	MUST(mqtt_engine_new(&engine, 10000) == MQUIC_OK);
	settings = mqtt_engine_settings(engine);
	settings->version = version;
	MUST(mqtt_settings_set_client_id(settings, "id", 2, &error) == MQUIC_OK);
	settings->clean_start = false;
	settings->manual_ack = (choice & CHOOSE_MANUAL) != 0;
	settings->topic_alias_maximum = 10;
	settings->topic_aliases = 10;
	settings->receive_maximum = 3;
	settings->maximum_properties = 3;
	if (version == MQTT_5 && (choice & CHOOSE_AUTH) != 0)
		MUST(mqtt_settings_set_authentication(settings, "M", 1, NULL, 0, &error) ==
		     MQUIC_OK);
	run_connection(engine, stream, SIZE_MAX, version);
	run_connection(engine, stream, 1, version);
	run_connection(engine, stream, SIZE_MAX, version);
	run_connection(engine, stream, 7, version);
	mqtt_engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf_reader reader = buf_reader_of(bytes_of(data, size));
	uint8_t choice = buf_read_u8(&reader);
	int version = (choice & CHOOSE_5) != 0 ? MQTT_5 : MQTT_3_1_1;

	if ((choice & CHOOSE_ENGINE) != 0)
		fuzz_engine(buf_read_rest(&reader), choice, version);
	else
		fuzz_codec(buf_read_rest(&reader), version);
	return 0;
}
