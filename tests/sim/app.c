/* SPDX-License-Identifier: MIT */
#include "app.h"

#include <stdio.h>
#include <string.h>

struct app app;

static void on_message(const struct mquic_message *message)
{
	const uint8_t *payload;
	uint32_t number;
	size_t len;

	payload = mquic_message_payload(message, &len);
	ck_assert_uint_eq(len, sizeof(number));
	memcpy(&number, payload, sizeof(number));
	ck_assert_uint_lt(number, BROKER_NUMBERS);
	app.got[number]++;
}

/* The connection has come, and may have gone already: nobody was told yet. */
static void call_in_between(void)
{
	ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 2, NULL), MQUIC_OK);
	ck_assert_int_eq(mquic_session_unsubscribe(app.session, "t", 1, NULL), MQUIC_OK);
	app_publish(app.connected, 1);
}

void app_on_event(struct sim_host *host, struct mquic_event *event)
{
	(void)host;
	ck_assert_ptr_eq(mquic_event_session(event), app.session);
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_CONNECTED:
		app.connected++;
		app.present = mquic_event_session_present(event);
		if (broker.goodbye)
			call_in_between();
		break;
	case MQUIC_EVENT_MESSAGE:
		on_message(mquic_event_message(event));
		break;
	case MQUIC_EVENT_DELIVERED:
		app.delivered++;
		app.last_reason = mquic_event_reason(event, 0);
		break;
	case MQUIC_EVENT_SUBSCRIBED:
		app.subscribed++;
		break;
	case MQUIC_EVENT_DISCONNECTED:
		app.disconnected++;
		if (broker.goodbye)
			ck_assert_int_eq(mquic_session_subscribe(app.session, "t", 1, 2, NULL),
					 MQUIC_ERR_STATE);
		app.end.told = 1;
		app.end.status = mquic_event_status(event);
		app.end.origin = mquic_event_origin(event);
		app.end.code = mquic_event_code(event);
		(void)snprintf(app.end.text, sizeof(app.end.text), "%s", mquic_event_text(event));
		break;
	default:
		break;
	}
}

static void open_session(void)
{
	app.connected = app.disconnected = app.delivered = app.subscribed = 0;
	memset(app.got, 0, sizeof(app.got));
	memset(&app.end, 0, sizeof(app.end));
	pair.client->on_event = app_on_event;
	broker_start();
	ck_assert_int_eq(
		mquic_session_new(&app.session, pair.client->endpoint, pair.client_settings),
		MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_client_id(app.session, "c", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_clean_start(app.session, false), MQUIC_OK);
	ck_assert_int_eq(mquic_session_set_expiry_s(app.session, 3600), MQUIC_OK);
}

void app_set_up(void)
{
	pair_open();
	open_session();
}

void app_tear_down(void)
{
	mquic_session_free(app.session);
	app.session = NULL;
	broker_stop();
	pair_close();
}

bool app_is_connected(void *count)
{
	return app.connected >= (unsigned int)(uintptr_t)count;
}

bool app_is_disconnected(void *count)
{
	return app.disconnected >= (unsigned int)(uintptr_t)count;
}

bool app_is_settled(void *unused)
{
	(void)unused;
	return mquic_session_inflight(app.session) == 0;
}

void app_wait(bool (*done)(void *), unsigned int count, unsigned int seconds)
{
	ck_assert_msg(sim_until(pair.sim, done, (void *)(uintptr_t)count, seconds * SIM_SECOND),
		      "not within %u s: \"%s\"", seconds, app.end.text);
}

void app_dial(void)
{
	ck_assert_msg(mquic_session_connect(app.session, PAIR_HOST, PAIR_PORT) == MQUIC_OK, "%s",
		      mquic_session_error(app.session));
}

void app_publish(uint32_t number, int qos)
{
	struct mquic_message *message;
	uint8_t payload[4];

	memcpy(payload, &number, sizeof(payload));
	ck_assert_int_eq(mquic_message_new(&message), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_topic(message, "t", 1), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_payload(message, payload, sizeof(payload)), MQUIC_OK);
	ck_assert_int_eq(mquic_message_set_qos(message, qos), MQUIC_OK);
	ck_assert_msg(mquic_session_publish(app.session, message, NULL) == MQUIC_OK, "%s",
		      mquic_session_error(app.session));
	mquic_message_free(message);
}

void app_expect_each_once(const unsigned int *counts, uint32_t first, uint32_t last)
{
	uint32_t number;

	for (number = first; number < last; number++)
		ck_assert_msg(counts[number] == 1, "message %u came %u times", number,
			      counts[number]);
}
