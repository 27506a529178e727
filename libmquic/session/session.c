/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "session/url.h"

/* Whatever a call put into the engine leaves with the pump's next turn. */
static void schedule(struct mquic_session *session)
{
	endpoint_schedule(session->endpoint, &session->task);
}

/* ---- Life --------------------------------------------------------------- */

static void forget_carrier(struct mquic_session *session)
{
	carrier_close_lane(session->lane);
	session->lane = NULL;
	carrier_free(session->carrier);
	session->carrier = NULL;
}

static void forget_endpoint(struct mquic_session *session)
{
	struct mquic_endpoint *endpoint = session->endpoint;

	forget_carrier(session);
	event_queue_purge(endpoint_events(endpoint), session);
	timer_set(endpoint_timers(endpoint), &session->timer, TIMER_NEVER);
	timers_release(endpoint_timers(endpoint));
	list_remove(&session->task.link);
	list_remove(&session->child.link);
	session->endpoint = NULL;
}

static void orphan(struct endpoint_child *child)
{
	forget_endpoint(list_entry(child, struct mquic_session, child));
}

enum mquic_status mquic_session_new(struct mquic_session **session, struct mquic_endpoint *endpoint,
				    const struct mquic_settings *settings)
{
	struct mquic_session *made;

	if (endpoint == NULL)
		return MQUIC_ERR_INVALID;
	if (session == NULL)
		return error_say(endpoint_error(endpoint), MQUIC_ERR_INVALID,
				 "a place for the session is needed");
	if (endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return error_say(endpoint_error(endpoint), MQUIC_ERR_MEMORY, "out of memory");
	made->settings = settings_copy(settings);
	if (made->settings == NULL ||
	    mqtt_engine_new(&made->engine, (size_t)made->settings->send_buffer) != MQUIC_OK ||
	    !timers_reserve(endpoint_timers(endpoint))) {
		mqtt_engine_free(made->engine);
		mquic_settings_free(made->settings);
		free(made);
		return error_say(endpoint_error(endpoint), MQUIC_ERR_MEMORY, "out of memory");
	}
	made->endpoint = endpoint;
	made->number = log_number(endpoint_log(endpoint), LOG_SESSION);
	made->child.orphan = orphan;
	made->kind = carrier_usual();
	pump_init(made);
	endpoint_adopt(endpoint, ENDPOINT_SESSIONS, &made->child);
	*session = made;
	return MQUIC_OK;
}

void mquic_session_free(struct mquic_session *session)
{
	if (session == NULL || (session->endpoint != NULL && endpoint_is_torn(session->endpoint)))
		return;
	if (session->endpoint != NULL)
		forget_endpoint(session);
	mqtt_engine_free(session->engine);
	mquic_event_free(session->farewell);
	mquic_event_free(session->verdict);
	mquic_settings_free(session->settings);
	free(session);
}

/* ---- Connecting --------------------------------------------------------- */

static enum mquic_status dial(struct mquic_session *session, const char *host, uint16_t port)
{
	struct carrier_plan plan = {
		.endpoint = session->endpoint,
		.settings = session->settings,
		.host = host,
		.port = port,
		.quiet_ms = 1500 * (uint64_t)mqtt_engine_keep_alive_s(session->engine),
		.user = &pump_user,
		.self = session,
	};
	enum mquic_status status = session->kind->dial(&session->carrier, &plan, &session->error);

	if (status != MQUIC_OK)
		return status;
	status = carrier_open(&session->lane, session->carrier);
	if (status != MQUIC_OK)
		return error_set(&session->error, status, "no stream could be opened");
	/* CONNECT waits on the lane and leaves with the first packet that can carry it. */
	return mqtt_engine_connect(session->engine, pump_now_ms(session),
				   2 * session->settings->handshake_timeout_ms, &session->error);
}

enum mquic_status mquic_session_connect(struct mquic_session *session, const char *host,
					uint16_t port)
{
	enum mquic_status status;

	if (session == NULL)
		return MQUIC_ERR_INVALID;
	if (session->endpoint == NULL)
		return error_set(&session->error, MQUIC_ERR_CLOSED,
				 "the endpoint of this session is gone");
	if (endpoint_check_fork(session->endpoint, &session->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	if (session_is_active(session))
		return error_set(&session->error, MQUIC_ERR_STATE,
				 "the session is connecting or connected already");
	status = mqtt_settings_check(mqtt_engine_settings(session->engine), &session->error);
	if (status != MQUIC_OK)
		return status;
	forget_carrier(session);
	mquic_event_free(session->farewell);
	session->farewell = event_new(MQUIC_EVENT_DISCONNECTED);
	if (session->farewell == NULL)
		return error_set(&session->error, MQUIC_ERR_MEMORY, "out of memory");
	session->goodbye = GOODBYE_NONE;
	session->acknowledged = 0;
	status = dial(session, host, port);
	if (status != MQUIC_OK) {
		forget_carrier(session);
		return status;
	}
	session_settle(session);
	session_step(session, SESSION_DIALING);
	schedule(session);
	return MQUIC_OK;
}

static enum mquic_status use_login(struct mquic_session *session, const struct url *url)
{
	enum mquic_status status = MQUIC_OK;

	if (url->username.data != NULL)
		status = mquic_session_set_username(session, url->username.data, url->username.len);
	if (status == MQUIC_OK && url->password.data != NULL)
		status = mquic_session_set_password(session, (const uint8_t *)url->password.data,
						    url->password.len);
	return status;
}

enum mquic_status mquic_session_connect_url(struct mquic_session *session, const char *url)
{
	struct url parts;
	enum mquic_status status;

	if (session == NULL)
		return MQUIC_ERR_INVALID;
	if (url == NULL)
		return error_say(&session->error, MQUIC_ERR_INVALID, "no URL was given");
	status = url_parse(&parts, url, &session->error);
	if (status != MQUIC_OK)
		return status;
	status = use_login(session, &parts);
	if (status == MQUIC_OK)
		status = mquic_session_connect(session, parts.host.data, parts.port);
	url_clear(&parts);
	return status;
}

/* ---- While connected ---------------------------------------------------- */

/* The program has called disconnect itself. */
static bool has_left(const struct mquic_session *session)
{
	return session->goodbye == GOODBYE_ASKED || session->goodbye == GOODBYE_CUT_SHORT;
}

static enum mquic_status begin(struct mquic_session *session)
{
	if (session == NULL)
		return MQUIC_ERR_INVALID;
	if (session->endpoint == NULL)
		return error_set(&session->error, MQUIC_ERR_CLOSED,
				 "the endpoint of this session is gone");
	if (endpoint_check_fork(session->endpoint, &session->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	session_settle(session);
	if (session_is_active(session))
		return MQUIC_OK;
	/* Who has not been told yet cannot know; the engine knows what to make of it. */
	if (session->state == SESSION_OVER && !has_left(session))
		return MQUIC_OK;
	return error_set(&session->error, MQUIC_ERR_STATE,
			 "the session is not connected: call connect first");
}

static enum mquic_status end(struct mquic_session *session, enum mquic_status status)
{
	if (status == MQUIC_OK)
		schedule(session);
	return status;
}

enum mquic_status mquic_session_publish(struct mquic_session *session,
					const struct mquic_message *message, uint16_t *packet_id)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session,
		   mqtt_engine_publish(session->engine, message, packet_id, &session->error));
}

enum mquic_status mquic_session_subscribe_all(struct mquic_session *session,
					      const struct mquic_subscription *subscription,
					      uint16_t *packet_id)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_subscribe(session->engine, subscription, packet_id,
						  &session->error));
}

enum mquic_status mquic_session_unsubscribe_all(struct mquic_session *session,
						const struct mquic_subscription *subscription,
						uint16_t *packet_id)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_unsubscribe(session->engine, subscription, packet_id,
						    &session->error));
}

/* A list of one filter. */
static enum mquic_status one_filter(struct mquic_session *session, const char *filter, size_t len,
				    int qos, struct mquic_subscription **subscription)
{
	enum mquic_status status = mquic_subscription_new(subscription);

	if (status != MQUIC_OK)
		return error_set(&session->error, status, "out of memory");
	status = mquic_subscription_add(*subscription, filter, len, qos, 0);
	if (status == MQUIC_OK)
		return MQUIC_OK;
	(void)error_set(&session->error, status, "%s", mquic_subscription_error(*subscription));
	mquic_subscription_free(*subscription);
	return status;
}

enum mquic_status mquic_session_subscribe(struct mquic_session *session, const char *filter,
					  size_t len, int qos, uint16_t *packet_id)
{
	struct mquic_subscription *subscription;
	enum mquic_status status = begin(session);

	if (status == MQUIC_OK)
		status = one_filter(session, filter, len, qos, &subscription);
	if (status != MQUIC_OK)
		return status;
	status = mquic_session_subscribe_all(session, subscription, packet_id);
	mquic_subscription_free(subscription);
	return status;
}

enum mquic_status mquic_session_unsubscribe(struct mquic_session *session, const char *filter,
					    size_t len, uint16_t *packet_id)
{
	struct mquic_subscription *subscription;
	enum mquic_status status = begin(session);

	if (status == MQUIC_OK)
		status = one_filter(session, filter, len, 0, &subscription);
	if (status != MQUIC_OK)
		return status;
	status = mquic_session_unsubscribe_all(session, subscription, packet_id);
	mquic_subscription_free(subscription);
	return status;
}

enum mquic_status mquic_session_ack(struct mquic_session *session, uint16_t packet_id,
				    uint8_t reason)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_ack(session->engine, packet_id, reason, &session->error));
}

enum mquic_status mquic_session_auth(struct mquic_session *session, uint8_t reason,
				     const uint8_t *data, size_t len)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	return end(session, mqtt_engine_auth(session->engine, reason, data, len, &session->error));
}

enum mquic_status mquic_session_disconnect(struct mquic_session *session, uint8_t reason)
{
	enum mquic_status status = begin(session);

	if (status != MQUIC_OK)
		return status;
	status = mqtt_engine_disconnect(session->engine, reason, &session->error);
	if (status == MQUIC_OK) {
		session->goodbye = GOODBYE_ASKED;
		if (session->state != SESSION_ENDED)
			session_step(session, SESSION_LEAVING);
	}
	return end(session, status);
}

/* ---- Looking ------------------------------------------------------------ */

const char *mquic_session_error(const struct mquic_session *session)
{
	return session == NULL ? "no session was given" : session->error.text;
}

const char *mquic_session_client_id(const struct mquic_session *session, size_t *len)
{
	if (session != NULL)
		return mqtt_engine_client_id(session->engine, len);
	if (len != NULL)
		*len = 0;
	return "";
}

size_t mquic_session_inflight(const struct mquic_session *session)
{
	return session == NULL ? 0 : mqtt_engine_inflight(session->engine);
}

uint16_t mquic_session_keep_alive_s(const struct mquic_session *session)
{
	return session == NULL ? 0 : mqtt_engine_keep_alive_s(session->engine);
}

bool mquic_session_limit(const struct mquic_session *session, enum mquic_limit limit,
			 uint32_t *value)
{
	if (session != NULL)
		return mqtt_engine_limit(session->engine, limit, value);
	if (value != NULL)
		*value = 0;
	return false;
}

struct mquic_connection *mquic_session_connection(const struct mquic_session *session)
{
	return session == NULL || session->carrier == NULL ? NULL
							   : carrier_connection(session->carrier);
}

void mquic_session_set_userdata(struct mquic_session *session, void *userdata)
{
	if (session != NULL)
		session->userdata = userdata;
}

void *mquic_session_get_userdata(const struct mquic_session *session)
{
	return session == NULL ? NULL : session->userdata;
}
