/* SPDX-License-Identifier: MIT */
/*
 * When a session may be told what: its setters look at its state and process, and then have the
 * engine's settings check and keep the value. They are two because neither room can do the other's
 * half: mqtt/ knows no session, and what a text or number may be in CONNECT is MQTT's to know.
 */
#include "session/session.h"

/* DISCONNECT is far away when a session is connected, so what is said in it may still change. */
static enum mquic_status begin_any_time(struct mquic_session *session,
					struct mqtt_settings **settings)
{
	if (session == NULL)
		return MQUIC_ERR_INVALID;
	if (session->endpoint != NULL &&
	    endpoint_check_fork(session->endpoint, &session->error) != MQUIC_OK)
		return MQUIC_ERR_FORKED;
	*settings = mqtt_engine_settings(session->engine);
	return MQUIC_OK;
}

static enum mquic_status begin(struct mquic_session *session, struct mqtt_settings **settings)
{
	enum mquic_status status = begin_any_time(session, settings);

	if (status == MQUIC_OK && session_is_active(session))
		return error_set(&session->error, MQUIC_ERR_STATE,
				 "this is set before connecting, or after DISCONNECTED");
	return status;
}

/* Defines the setter `name` with its parameters, forwarding `...` of them, behind `start`. */
#define FORWARD_IF(start, name, parameters, ...)                                                   \
	enum mquic_status mquic_session_##name parameters                                          \
	{                                                                                          \
		struct mqtt_settings *settings = NULL;                                             \
		enum mquic_status status = start(session, &settings);                              \
                                                                                                   \
		if (status != MQUIC_OK)                                                            \
			return status;                                                             \
		return mqtt_settings_##name(settings, __VA_ARGS__, &session->error);               \
	}

#define FORWARD(name, parameters, ...) FORWARD_IF(begin, name, parameters, __VA_ARGS__)
#define FORWARD_ANY_TIME(name, parameters, ...)                                                    \
	FORWARD_IF(begin_any_time, name, parameters, __VA_ARGS__)

FORWARD(set_protocol, (struct mquic_session * session, enum mquic_protocol protocol), protocol)
FORWARD(set_client_id, (struct mquic_session * session, const char *id, size_t len), id, len)
FORWARD(set_username, (struct mquic_session * session, const char *name, size_t len), name, len)
FORWARD(set_password, (struct mquic_session * session, const uint8_t *data, size_t len), data, len)
FORWARD(set_keep_alive_s, (struct mquic_session * session, uint16_t seconds), seconds)
FORWARD(set_clean_start, (struct mquic_session * session, bool clean), clean)
FORWARD(set_expiry_s, (struct mquic_session * session, uint32_t seconds), seconds)
FORWARD(set_will,
	(struct mquic_session * session, const struct mquic_message *will, uint32_t delay_s), will,
	delay_s)
FORWARD(set_receive_maximum, (struct mquic_session * session, uint16_t maximum), maximum)
FORWARD(set_maximum_packet_size, (struct mquic_session * session, uint32_t bytes), bytes)
FORWARD(set_maximum_properties, (struct mquic_session * session, uint32_t count), count)
FORWARD(set_topic_alias_maximum, (struct mquic_session * session, uint16_t maximum), maximum)
FORWARD(set_topic_aliases, (struct mquic_session * session, uint16_t aliases), aliases)
FORWARD(add_user_property,
	(struct mquic_session * session, const char *name, size_t name_len, const char *value,
	 size_t value_len),
	name, name_len, value, value_len)
FORWARD(set_authentication,
	(struct mquic_session * session, const char *method, size_t method_len, const uint8_t *data,
	 size_t len),
	method, method_len, data, len)
FORWARD(set_manual_ack, (struct mquic_session * session, bool manual), manual)
FORWARD(set_problem_information, (struct mquic_session * session, bool wanted), wanted)
FORWARD(set_response_information, (struct mquic_session * session, bool wanted), wanted)
FORWARD_ANY_TIME(set_disconnect_expiry_s, (struct mquic_session * session, uint32_t seconds),
		 seconds)
FORWARD_ANY_TIME(set_disconnect_text,
		 (struct mquic_session * session, const char *text, size_t len), text, len)
FORWARD_ANY_TIME(add_disconnect_user_property,
		 (struct mquic_session * session, const char *name, size_t name_len,
		  const char *value, size_t value_len),
		 name, name_len, value, value_len)

enum mquic_status mquic_session_clear_user_properties(struct mquic_session *session)
{
	struct mqtt_settings *settings = NULL;
	enum mquic_status status = begin(session, &settings);

	if (status == MQUIC_OK)
		mqtt_settings_clear_user_properties(settings);
	return status;
}

enum mquic_status mquic_session_clear_disconnect_properties(struct mquic_session *session)
{
	struct mqtt_settings *settings = NULL;
	enum mquic_status status = begin_any_time(session, &settings);

	if (status == MQUIC_OK)
		mqtt_settings_clear_disconnect_properties(settings);
	return status;
}
