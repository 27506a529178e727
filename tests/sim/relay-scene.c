/* SPDX-License-Identifier: MIT */
#include "relay-scene.h"

#include <string.h>

struct scene scene;

static void on_event(struct pair *unused, struct sim_host *host, struct mquic_event *event)
{
	(void)unused;
	if (host == pair.server && mquic_event_type(event) == MQUIC_EVENT_ACCEPTABLE) {
		ck_assert_int_eq(mquic_relay_new(&scene.relay, pair.accepted[0], SCENE_CONNECT_MS,
						 SCENE_CONNECT_MAX),
				 MQUIC_OK);
		pair.accepted_count = 0; /* it is the relay's */
		return;
	}
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_RELAY_CONNECT:
		scene.shown++;
		if (scene.opens)
			ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_OK);
		break;
	case MQUIC_EVENT_RELAY_READABLE:
		scene.readable++;
		break;
	case MQUIC_EVENT_RELAY_WRITABLE:
		scene.writable++;
		break;
	case MQUIC_EVENT_RELAY_CLOSED:
		scene.end.told++;
		scene.end.status = mquic_event_status(event);
		scene.end.origin = mquic_event_origin(event);
		scene.end.code = mquic_event_code(event);
		strncpy(scene.end.text, mquic_event_text(event), sizeof(scene.end.text) - 1);
		break;
	default:
		break;
	}
}

void scene_make_connect(size_t client_id_len)
{
	static char id[2000];
	struct mqtt_connect connect = {
		.version = MQTT_5,
		.keep_alive_s = 77,
		.clean_start = true,
		.client_id = {(const uint8_t *)id, client_id_len},
		.username = {(const uint8_t *)"ann", 3},
	};

	memset(id, 'i', sizeof(id));
	mqtt_properties_init(&connect.properties);
	mqtt_properties_init(&connect.will_properties);
	buf_writer_clear(&scene.connect);
	buf_writer_init(&scene.connect, SIZE_MAX);
	mqtt_connect_write(&scene.connect, &connect);
	ck_assert(!scene.connect.failed);
}

void scene_begin(void)
{
	pair_open();
	memset(&scene, 0, sizeof(scene));
	pair.on_event = on_event;
}

void scene_dial(void)
{
	pair_listen();
	pair_dial();
	ck_assert_int_eq(mquic_stream_open(&scene.stream, pair.dialed), MQUIC_OK);
	scene_make_connect(5);
}

void scene_end(void)
{
	mquic_relay_free(scene.relay);
	mquic_stream_free(scene.stream);
	buf_writer_clear(&scene.connect);
	pair_close();
}

void scene_say(const void *data, size_t len)
{
	size_t sent;

	ck_assert_int_eq(mquic_stream_send(scene.stream, data, len, &sent), MQUIC_OK);
	ck_assert_uint_eq(sent, len);
}

void scene_pass(unsigned int ms)
{
	sim_run(pair.sim, ms * SIM_MS);
}

void scene_show_connect(void)
{
	struct bytes bytes = buf_writer_content(&scene.connect);

	scene_say(bytes.data, bytes.len);
	scene_pass(200);
	ck_assert_uint_eq(scene.shown, 1);
}

void scene_open_relay(void)
{
	scene_show_connect();
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_OK);
	scene_pass(10);
}

size_t scene_read(uint8_t *buffer, size_t size)
{
	const uint8_t *data;
	size_t len;
	size_t got = 0;

	while (got < size && mquic_relay_peek(scene.relay, &data, &len) == MQUIC_OK && len > 0) {
		if (len > size - got)
			len = size - got;
		memcpy(buffer + got, data, len);
		got += len;
		ck_assert_int_eq(mquic_relay_consume(scene.relay, len), MQUIC_OK);
	}
	return got;
}

void scene_expect_rejection(const char *part)
{
	scene_pass(200);
	ck_assert_uint_eq(scene.shown, 0);
	pair_expect_end(&scene.end, MQUIC_OK, MQUIC_ORIGIN_LOCAL, 1, part);
	pair_expect_end(&pair.client_end, MQUIC_ERR_CLOSED, MQUIC_ORIGIN_PEER, 1, part);
	ck_assert_int_eq(mquic_relay_open(scene.relay), MQUIC_ERR_CLOSED);
}
