/* SPDX-License-Identifier: MIT */
/* In place of messages, subscriptions and sessions, in a library built with -Dmqtt=false. */
#include "core/endpoint.h"
#include "session/refusal.h"

const char *mquic_reason_text(uint8_t reason)
{
	return "unknown reason";
}

enum mquic_status mquic_message_new(struct mquic_message **message)
{
	return message == NULL ? MQUIC_ERR_INVALID : MQUIC_ERR_UNSUPPORTED;
}

enum mquic_status mquic_subscription_new(struct mquic_subscription **subscription)
{
	return subscription == NULL ? MQUIC_ERR_INVALID : MQUIC_ERR_UNSUPPORTED;
}

enum mquic_status mquic_session_new(struct mquic_session **session, struct mquic_endpoint *endpoint,
				    const struct mquic_settings *settings)
{
	if (session == NULL || endpoint == NULL)
		return MQUIC_ERR_INVALID;
	return error_set(endpoint_error(endpoint), MQUIC_ERR_UNSUPPORTED,
			 "this libmquic was built without MQTT: rebuild it with -Dmqtt=true, or "
			 "use the packaged one");
}

REFUSE(mquic_message_copy, struct mquic_message **copy, const struct mquic_message *message)
IGNORE(mquic_message_free, struct mquic_message *message)
NOTHING(const char *, "no message was given", mquic_message_error,
	const struct mquic_message *message)
REFUSE(mquic_message_clear_expiry, struct mquic_message *message)
REFUSE(mquic_message_clear_user_properties, struct mquic_message *message)
REFUSE(mquic_message_set_topic, struct mquic_message *message, const char *topic, size_t len)
NO_BYTES(const char *, "", mquic_message_topic, const struct mquic_message *message)
REFUSE(mquic_message_set_payload, struct mquic_message *message, const uint8_t *data, size_t len)
NO_BYTES(const uint8_t *, (const uint8_t *)"", mquic_message_payload,
	 const struct mquic_message *message)
REFUSE(mquic_message_set_qos, struct mquic_message *message, int qos)
NOTHING(int, 0, mquic_message_qos, const struct mquic_message *message)
REFUSE(mquic_message_set_retain, struct mquic_message *message, bool retain)
NOTHING(bool, false, mquic_message_retain, const struct mquic_message *message)
NOTHING(bool, false, mquic_message_duplicate, const struct mquic_message *message)
NOTHING(uint16_t, 0, mquic_message_packet_id, const struct mquic_message *message)
REFUSE(mquic_message_set_utf8_payload, struct mquic_message *message, bool utf8)
NOTHING(bool, false, mquic_message_utf8_payload, const struct mquic_message *message)
REFUSE(mquic_message_set_expiry_s, struct mquic_message *message, uint32_t seconds)
NOTHING(bool, false, mquic_message_expiry_s, const struct mquic_message *message, uint32_t *seconds)
REFUSE(mquic_message_set_content_type, struct mquic_message *message, const char *text, size_t len)
NO_BYTES(const char *, NULL, mquic_message_content_type, const struct mquic_message *message)
REFUSE(mquic_message_set_response_topic, struct mquic_message *message, const char *topic,
       size_t len)
NO_BYTES(const char *, NULL, mquic_message_response_topic, const struct mquic_message *message)
REFUSE(mquic_message_set_correlation_data, struct mquic_message *message, const uint8_t *data,
       size_t len)
NO_BYTES(const uint8_t *, NULL, mquic_message_correlation_data, const struct mquic_message *message)
REFUSE(mquic_message_add_user_property, struct mquic_message *message, const char *name,
       size_t name_len, const char *value, size_t value_len)
NOTHING(bool, false, mquic_message_user_property, const struct mquic_message *message, size_t index,
	const char **name, size_t *name_len, const char **value, size_t *value_len)
NOTHING(uint16_t, 0, mquic_message_topic_alias, const struct mquic_message *message)
NOTHING(uint32_t, 0, mquic_message_subscription_id, const struct mquic_message *message,
	size_t index)
NOTHING(bool, false, mquic_topic_is_name, const char *topic, size_t len)
NOTHING(bool, false, mquic_topic_is_filter, const char *filter, size_t len)
NOTHING(bool, false, mquic_topic_matches, const char *filter, size_t filter_len, const char *topic,
	size_t topic_len)
IGNORE(mquic_subscription_free, struct mquic_subscription *subscription)
NOTHING(const char *, "no subscription was given", mquic_subscription_error,
	const struct mquic_subscription *subscription)
REFUSE(mquic_subscription_clear_user_properties, struct mquic_subscription *subscription)
REFUSE(mquic_subscription_add, struct mquic_subscription *subscription, const char *filter,
       size_t len, int qos, unsigned int options)
REFUSE(mquic_subscription_set_id, struct mquic_subscription *subscription, uint32_t id)
REFUSE(mquic_subscription_add_user_property, struct mquic_subscription *subscription,
       const char *name, size_t name_len, const char *value, size_t value_len)
IGNORE(mquic_session_free, struct mquic_session *session)
NOTHING(const char *, "no session was given", mquic_session_error,
	const struct mquic_session *session)
REFUSE(mquic_session_set_protocol, struct mquic_session *session, enum mquic_protocol protocol)
REFUSE(mquic_session_set_client_id, struct mquic_session *session, const char *id, size_t len)
NO_BYTES(const char *, "", mquic_session_client_id, const struct mquic_session *session)
REFUSE(mquic_session_set_username, struct mquic_session *session, const char *name, size_t len)
REFUSE(mquic_session_set_password, struct mquic_session *session, const uint8_t *data, size_t len)
REFUSE(mquic_session_set_keep_alive_s, struct mquic_session *session, uint16_t seconds)
REFUSE(mquic_session_set_clean_start, struct mquic_session *session, bool clean)
REFUSE(mquic_session_set_expiry_s, struct mquic_session *session, uint32_t seconds)
REFUSE(mquic_session_set_will, struct mquic_session *session, const struct mquic_message *will,
       uint32_t delay_s)
REFUSE(mquic_session_set_receive_maximum, struct mquic_session *session, uint16_t maximum)
REFUSE(mquic_session_set_maximum_packet_size, struct mquic_session *session, uint32_t bytes)
REFUSE(mquic_session_set_maximum_properties, struct mquic_session *session, uint32_t count)
REFUSE(mquic_session_set_topic_alias_maximum, struct mquic_session *session, uint16_t maximum)
REFUSE(mquic_session_set_topic_aliases, struct mquic_session *session, uint16_t aliases)
REFUSE(mquic_session_add_user_property, struct mquic_session *session, const char *name,
       size_t name_len, const char *value, size_t value_len)
REFUSE(mquic_session_clear_user_properties, struct mquic_session *session)
REFUSE(mquic_session_clear_disconnect_properties, struct mquic_session *session)
REFUSE(mquic_session_set_authentication, struct mquic_session *session, const char *method,
       size_t method_len, const uint8_t *data, size_t len)
REFUSE(mquic_session_set_manual_ack, struct mquic_session *session, bool manual)
REFUSE(mquic_session_connect, struct mquic_session *session, const char *host, uint16_t port)
REFUSE(mquic_session_connect_url, struct mquic_session *session, const char *url)
REFUSE(mquic_session_publish, struct mquic_session *session, const struct mquic_message *message,
       uint16_t *packet_id)
REFUSE(mquic_session_subscribe, struct mquic_session *session, const char *filter, size_t len,
       int qos, uint16_t *packet_id)
REFUSE(mquic_session_subscribe_all, struct mquic_session *session,
       const struct mquic_subscription *subscription, uint16_t *packet_id)
REFUSE(mquic_session_unsubscribe, struct mquic_session *session, const char *filter, size_t len,
       uint16_t *packet_id)
REFUSE(mquic_session_unsubscribe_all, struct mquic_session *session,
       const struct mquic_subscription *subscription, uint16_t *packet_id)
REFUSE(mquic_session_ack, struct mquic_session *session, uint16_t packet_id, uint8_t reason)
REFUSE(mquic_session_auth, struct mquic_session *session, uint8_t reason, const uint8_t *data,
       size_t len)
REFUSE(mquic_session_set_problem_information, struct mquic_session *session, bool wanted)
REFUSE(mquic_session_set_response_information, struct mquic_session *session, bool wanted)
REFUSE(mquic_session_set_disconnect_expiry_s, struct mquic_session *session, uint32_t seconds)
REFUSE(mquic_session_set_disconnect_text, struct mquic_session *session, const char *text,
       size_t len)
REFUSE(mquic_session_add_disconnect_user_property, struct mquic_session *session, const char *name,
       size_t name_len, const char *value, size_t value_len)
REFUSE(mquic_session_disconnect, struct mquic_session *session, uint8_t reason)
NOTHING(size_t, 0, mquic_session_inflight, const struct mquic_session *session)
NOTHING(uint16_t, 0, mquic_session_keep_alive_s, const struct mquic_session *session)
NOTHING(bool, false, mquic_session_limit, const struct mquic_session *session,
	enum mquic_limit limit, uint32_t *value)
NOTHING(struct mquic_connection *, NULL, mquic_session_connection,
	const struct mquic_session *session)
IGNORE(mquic_session_set_userdata, struct mquic_session *session, void *userdata)
NOTHING(void *, NULL, mquic_session_get_userdata, const struct mquic_session *session)

enum mquic_status mquic_url_new(struct mquic_url **url)
{
	return url == NULL ? MQUIC_ERR_INVALID : MQUIC_ERR_UNSUPPORTED;
}

IGNORE(mquic_url_free, struct mquic_url *url)
REFUSE(mquic_url_parse, struct mquic_url *url, const char *text)
NOTHING(const char *, "no URL was given", mquic_url_error, const struct mquic_url *url)
NOTHING(const char *, NULL, mquic_url_host, const struct mquic_url *url)
NOTHING(uint16_t, 0, mquic_url_port, const struct mquic_url *url)
NOTHING(const char *, NULL, mquic_url_username, const struct mquic_url *url)
NOTHING(const char *, NULL, mquic_url_password, const struct mquic_url *url)
NOTHING(const char *, NULL, mquic_url_topic, const struct mquic_url *url)
