/* SPDX-License-Identifier: MIT */
/*
 * What a server can make a client hold: every byte that waits in events is counted, whatever it
 * is made of, and the counts are what sessions stop reading by.
 */
#include "engine-kit.h"

#include <malloc.h>
#include <string.h>

#include "mqtt-kit.h"
#include "mqtt/body.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *block);

/* What the allocator keeps beside a block. */
#define BOOKKEEPING 8

static size_t held;
static size_t most;

static size_t size_of(void *block)
{
	return block == NULL ? 0 : malloc_usable_size(block) + BOOKKEEPING;
}

static void *taken(void *block)
{
	held += size_of(block);
	if (held > most)
		most = held;
	return block;
}

void *__wrap_malloc(size_t size)
{
	return taken(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return taken(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	held -= size_of(old);
	return taken(__real_realloc(old, size));
}

void __wrap_free(void *block)
{
	held -= size_of(block);
	__real_free(block);
}

/* A packet of the server: head, a section of `count` copies of a property, tail. */
static struct buf_writer with_properties(const char *first, const char *before,
					 const char *property, size_t count, const char *after)
{
	struct buf_writer section;
	struct buf_writer body;
	struct buf_writer packet;
	size_t len;
	uint8_t *bytes;
	size_t i;

	buf_writer_init(&section, SIZE_MAX);
	buf_writer_init(&body, SIZE_MAX);
	buf_writer_init(&packet, SIZE_MAX);
	bytes = kit_bytes(property, &len);
	for (i = 0; i < count; i++)
		buf_write_bytes(&section, bytes_of(bytes, len));
	free(bytes);
	bytes = kit_bytes(before, &len);
	buf_write_bytes(&body, bytes_of(bytes, len));
	free(bytes);
	mqtt_write_varint(&body, (uint32_t)section.len);
	buf_write_bytes(&body, buf_writer_content(&section));
	buf_writer_clear(&section);
	bytes = kit_bytes(after, &len);
	buf_write_bytes(&body, bytes_of(bytes, len));
	free(bytes);
	bytes = kit_bytes(first, &len);
	buf_write_bytes(&packet, bytes_of(bytes, len));
	free(bytes);
	mqtt_write_varint(&packet, (uint32_t)body.len);
	buf_write_bytes(&packet, buf_writer_content(&body));
	buf_writer_clear(&body);
	return packet;
}

static void discard_output(void)
{
	const uint8_t *data;
	size_t len;

	mqtt_lane_output(kit.lane, &data, &len);
	mqtt_engine_output_consume(kit.engine, kit.lane, len, kit.now_ms);
}

/* What is held more than before; less, when older blocks have gone, is nothing. */
static size_t grown(size_t before)
{
	return held > before ? held - before : 0;
}

/* Feeds it in pieces, as from a network, and returns what the engine holds of it. */
static size_t held_of(struct buf_writer *packet, size_t times)
{
	struct bytes content = buf_writer_content(packet);
	size_t before = held;
	size_t i;

	for (i = 0; i < times; i++) {
		size_t at;

		for (at = 0; at < content.len; at += 16384) {
			size_t len = content.len - at < 16384 ? content.len - at : 16384;

			ck_assert_int_eq(mqtt_engine_receive(kit.engine, kit.lane,
							     content.data + at, len, kit.now_ms),
					 MQUIC_OK);
		}
		discard_output();
	}
	return grown(before);
}

/* What is held is what is counted; `amount` bytes are kept beside events, at most. */
static void check_counted(struct buf_writer packet, size_t times, size_t amount)
{
	size_t cost = kit.engine->events.cost;
	size_t really = held_of(&packet, times);
	struct mquic_event *event;

	cost = kit.engine->events.cost - cost;
	ck_assert_uint_gt(cost, 0);
	ck_assert_msg(really <= cost + amount, "%zu bytes are held, %zu are counted", really, cost);
	buf_writer_clear(&packet);
	while ((event = mqtt_engine_next_event(kit.engine)) != NULL)
		mquic_event_free(event);
}

static void take_many_properties(void)
{
	ck_assert_int_eq(mqtt_settings_set_maximum_properties(kit.settings, 1000000, &kit.error),
			 MQUIC_OK);
}

START_TEST(tiny_messages_are_counted_with_all_they_take)
{
	kit_up();
	check_counted(with_properties("30", "0001't'", "", 0, ""), 10000, 4096);
	check_counted(with_properties("30", "0001't'", "260000 0000", 1, ""), 10000, 4096);
}
END_TEST

START_TEST(properties_of_messages_are_counted)
{
	take_many_properties();
	kit_up();
	check_counted(with_properties("30", "0001't'", "260000 0000", 200000, ""), 3, 70000);
	check_counted(with_properties("30", "0001't'", "0b01", 200000, ""), 3, 70000);
	check_counted(with_properties("30", "0001't'", "260001'n' 0010'0123456789abcdef'", 9, "00"),
		      1000, 70000);
}
END_TEST

START_TEST(properties_of_acknowledgements_are_counted)
{
	char head[32];
	int i;

	take_many_properties();
	kit_up();
	for (i = 0; i < 60; i++) {
		uint16_t id = kit_publish("m", 1);
		struct buf_writer packet;
		size_t really;
		size_t cost = kit.engine->events.cost;

		discard_output();
		(void)snprintf(head, sizeof(head), "%04x 00", id);
		packet = with_properties("40", head, "260000 0000", 200000, "");
		really = held_of(&packet, 1);
		cost = kit.engine->events.cost - cost;
		buf_writer_clear(&packet);
		ck_assert_uint_ge(cost + 70000, really);
		/* Five bytes on the wire are no more than five here. */
		ck_assert_uint_lt(cost, 1010000);
		mquic_event_free(kit_event(MQUIC_EVENT_DELIVERED));
	}
}
END_TEST

START_TEST(other_packets_are_counted)
{
	static char text[4 * 65535 + 64];

	take_many_properties();
	ck_assert_int_eq(mqtt_settings_set_client_id(kit.settings, "id", 2, &kit.error), MQUIC_OK);
	kit_connect();
	strcpy(text, "1fffff'");
	memset(text + strlen(text), 'x', 65535);
	strcat(text, "'");
	check_counted(with_properties("20", "00 00", text, 1, ""), 1, 70000);
}
END_TEST

START_TEST(large_message_is_held_twice_at_most)
{
	size_t size = 16 * 1024 * 1024 - 16;
	char *payload = malloc(size + 1);
	struct buf_writer packet;
	size_t before;

	ck_assert_ptr_nonnull(payload);
	memset(payload, 'x', size);
	payload[size] = '\0';
	kit_up();
	buf_writer_init(&packet, SIZE_MAX);
	mqtt_header_write(&packet, MQTT_PUBLISH, 0, size + 4);
	buf_write_bytes(&packet, bytes_of("\0\1t\0", 4));
	buf_write_bytes(&packet, bytes_of(payload, size));
	free(payload);
	before = most = held;
	(void)held_of(&packet, 1);
	ck_assert_uint_lt(most - before, 2 * size + 70000);
	/* Nothing but the event is left of it. */
	ck_assert_uint_lt(grown(before), size + 70000);
	mquic_event_free(kit_event(MQUIC_EVENT_MESSAGE));
	ck_assert_uint_lt(grown(before), 70000);
	buf_writer_clear(&packet);
}
END_TEST

START_TEST(length_alone_takes_no_memory)
{
	size_t before;

	kit_up();
	before = most = held;
	ck_assert_int_eq(kit_feed("30 fb ff ff 03 0001't'"), MQUIC_OK);
	ck_assert_uint_lt(most - before, 4096);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&tiny_messages_are_counted_with_all_they_take, &properties_of_messages_are_counted,
		&properties_of_acknowledgements_are_counted,   &other_packets_are_counted,
		&large_message_is_held_twice_at_most,          &length_alone_takes_no_memory,
	};

	return unit_run("mqtt-held", kit_open, kit_close, tests, COUNT(tests));
}
