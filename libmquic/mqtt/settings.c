/* SPDX-License-Identifier: MIT */
#include "mqtt/settings.h"

#include <string.h>

#include "mqtt/message.h"
#include "mqtt/packet.h"

#define KEEP_ALIVE_DEFAULT_S 60
#define PACKET_SIZE_MIN      1024
#define PROPERTIES_DEFAULT   1000
#define PROPERTIES_MAX       1000000

/*
 * A packet is held twice while it becomes a message. Twice 16 MiB is what a device that runs Linux
 * can bear, and 16 MiB are eight times what Mosquitto 2.1 takes unless it is told otherwise.
 */
#define PACKET_SIZE_DEFAULT 16777216

void mqtt_settings_init(struct mqtt_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->version = MQTT_5;
	settings->keep_alive_s = KEEP_ALIVE_DEFAULT_S;
	settings->clean_start = true;
	settings->receive_maximum = UINT16_MAX;
	settings->maximum_packet_size = PACKET_SIZE_DEFAULT;
	settings->maximum_properties = PROPERTIES_DEFAULT;
}

void mqtt_settings_clear(struct mqtt_settings *settings)
{
	text_clear(&settings->client_id);
	text_clear(&settings->username);
	text_clear(&settings->password);
	text_clear(&settings->auth_method);
	text_clear(&settings->auth_data);
	mqtt_pairs_clear(&settings->user_properties);
	text_clear(&settings->disconnect_text);
	mqtt_pairs_clear(&settings->disconnect_pairs);
	mquic_message_free(settings->will);
	mqtt_settings_init(settings);
}

enum mquic_status mqtt_settings_check(const struct mqtt_settings *settings, struct error *error)
{
	if (settings->version == MQTT_5)
		return MQUIC_OK;
	if (settings->password.data != NULL && settings->username.data == NULL)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 allows no password without a user name: set one, or "
				 "use MQTT 5.0");
	if (settings->client_id.len == 0 && !settings->clean_start)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 needs a client identifier to keep a session: set one, "
				 "or ask for a clean start");
	if (settings->client_id.len == 0 && settings->version == MQTT_3_1)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1 needs a client identifier: set one");
	if (settings->auth_method.data != NULL)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 knows no authentication method: use MQTT 5.0");
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_protocol(struct mqtt_settings *settings,
					     enum mquic_protocol protocol, struct error *error)
{
	if (protocol < MQUIC_PROTOCOL_MQTT_3_1 || protocol > MQUIC_PROTOCOL_MQTT_5)
		return error_set(error, MQUIC_ERR_INVALID,
				 "protocol %d is none of 3 (MQTT 3.1), 4 (MQTT 3.1.1) and 5 "
				 "(MQTT 5.0)",
				 (int)protocol);
	settings->version = (int)protocol;
	return MQUIC_OK;
}

/* Copies a text of at most 65535 bytes of UTF-8; `what` names it in the sentence. */
static enum mquic_status set_text(struct text *text, const char *data, size_t len, const char *what,
				  struct error *error)
{
	len = text_length(data, len);
	if (len > UINT16_MAX)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the %s has %zu bytes, more than the 65535 that MQTT allows", what,
				 len);
	if (!text_is_utf8(data, len))
		return error_set(error, MQUIC_ERR_INVALID,
				 "the %s must be UTF-8 text without NUL characters", what);
	if (!text_set(text, data, len))
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	return MQUIC_OK;
}

/* Copies at most 65535 bytes of any kind. */
static enum mquic_status set_data(struct text *text, const uint8_t *data, size_t len,
				  const char *what, struct error *error)
{
	if (data == NULL && len > 0)
		return error_set(error, MQUIC_ERR_INVALID, "the %s is NULL but not empty", what);
	if (len > UINT16_MAX)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the %s has %zu bytes, more than the 65535 that MQTT allows", what,
				 len);
	if (!text_set(text, (const char *)data, len))
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_client_id(struct mqtt_settings *settings, const char *id,
					      size_t len, struct error *error)
{
	return set_text(&settings->client_id, id, len, "client identifier", error);
}

enum mquic_status mqtt_settings_set_username(struct mqtt_settings *settings, const char *name,
					     size_t len, struct error *error)
{
	return set_text(&settings->username, name, len, "user name", error);
}

enum mquic_status mqtt_settings_set_password(struct mqtt_settings *settings, const uint8_t *data,
					     size_t len, struct error *error)
{
	return set_data(&settings->password, data, len, "password", error);
}

enum mquic_status mqtt_settings_set_keep_alive_s(struct mqtt_settings *settings, uint16_t seconds,
						 struct error *error)
{
	(void)error;
	settings->keep_alive_s = seconds;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_clean_start(struct mqtt_settings *settings, bool clean,
						struct error *error)
{
	(void)error;
	settings->clean_start = clean;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_expiry_s(struct mqtt_settings *settings, uint32_t seconds,
					     struct error *error)
{
	(void)error;
	settings->expiry_s = seconds;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_will(struct mqtt_settings *settings,
					 const struct mquic_message *will, uint32_t delay_s,
					 struct error *error)
{
	struct mquic_message *copy = NULL;

	if (will != NULL && will->topic.len == 0)
		return error_set(error, MQUIC_ERR_INVALID, "the will message has no topic");
	if (will != NULL && will->payload.len > UINT16_MAX)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the payload of the will has %zu bytes, more than the 65535 that "
				 "MQTT allows",
				 will->payload.len);
	if (will != NULL && mquic_message_copy(&copy, will) != MQUIC_OK)
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	mquic_message_free(settings->will);
	settings->will = copy;
	settings->will_delay_s = delay_s;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_receive_maximum(struct mqtt_settings *settings,
						    uint16_t maximum, struct error *error)
{
	if (maximum == 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the receive maximum must be 1 to 65535, not 0");
	settings->receive_maximum = maximum;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_maximum_packet_size(struct mqtt_settings *settings,
							uint32_t bytes, struct error *error)
{
	if (bytes < PACKET_SIZE_MIN || bytes > MQTT_PACKET_MAX)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the maximum packet size must be %d to %u bytes, not %u",
				 PACKET_SIZE_MIN, MQTT_PACKET_MAX, bytes);
	settings->maximum_packet_size = bytes;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_maximum_properties(struct mqtt_settings *settings,
						       uint32_t count, struct error *error)
{
	if (count < 1 || count > PROPERTIES_MAX)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the properties of a packet must be limited to 1 to %d, not %u",
				 PROPERTIES_MAX, (unsigned int)count);
	settings->maximum_properties = count;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_topic_alias_maximum(struct mqtt_settings *settings,
							uint16_t maximum, struct error *error)
{
	(void)error;
	settings->topic_alias_maximum = maximum;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_topic_aliases(struct mqtt_settings *settings, uint16_t aliases,
						  struct error *error)
{
	(void)error;
	settings->topic_aliases = aliases;
	return MQUIC_OK;
}

static enum mquic_status add_pair(struct mqtt_pairs *pairs, const char *name, size_t name_len,
				  const char *value, size_t value_len, struct error *error)
{
	const char *note = NULL;
	enum mquic_status status =
		mqtt_pairs_add_for(pairs, name, name_len, value, value_len, &note);

	return status == MQUIC_OK ? MQUIC_OK : error_set(error, status, "%s", note);
}

enum mquic_status mqtt_settings_add_user_property(struct mqtt_settings *settings, const char *name,
						  size_t name_len, const char *value,
						  size_t value_len, struct error *error)
{
	return add_pair(&settings->user_properties, name, name_len, value, value_len, error);
}

void mqtt_settings_clear_user_properties(struct mqtt_settings *settings)
{
	mqtt_pairs_clear(&settings->user_properties);
}

enum mquic_status mqtt_settings_set_problem_information(struct mqtt_settings *settings, bool wanted,
							struct error *error)
{
	(void)error;
	settings->no_problem_information = !wanted;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_response_information(struct mqtt_settings *settings,
							 bool wanted, struct error *error)
{
	(void)error;
	settings->response_information = wanted;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_disconnect_expiry_s(struct mqtt_settings *settings,
							uint32_t seconds, struct error *error)
{
	(void)error;
	settings->has_disconnect_expiry = true;
	settings->disconnect_expiry_s = seconds;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_disconnect_text(struct mqtt_settings *settings,
						    const char *text, size_t len,
						    struct error *error)
{
	return set_text(&settings->disconnect_text, text, len, "reason of DISCONNECT", error);
}

enum mquic_status mqtt_settings_add_disconnect_user_property(struct mqtt_settings *settings,
							     const char *name, size_t name_len,
							     const char *value, size_t value_len,
							     struct error *error)
{
	return add_pair(&settings->disconnect_pairs, name, name_len, value, value_len, error);
}

void mqtt_settings_clear_disconnect_properties(struct mqtt_settings *settings)
{
	settings->has_disconnect_expiry = false;
	settings->disconnect_expiry_s = 0;
	text_clear(&settings->disconnect_text);
	mqtt_pairs_clear(&settings->disconnect_pairs);
}

enum mquic_status mqtt_settings_set_authentication(struct mqtt_settings *settings,
						   const char *method, size_t method_len,
						   const uint8_t *data, size_t len,
						   struct error *error)
{
	struct text made_method = {NULL, 0};
	struct text made_data = {NULL, 0};
	enum mquic_status status;

	if (method == NULL && data != NULL)
		return error_set(error, MQUIC_ERR_INVALID,
				 "authentication data needs an authentication method");
	status = set_text(&made_method, method, method_len, "authentication method", error);
	if (status == MQUIC_OK)
		status = set_data(&made_data, data, len, "authentication data", error);
	if (status != MQUIC_OK) {
		text_clear(&made_method);
		return status;
	}
	text_clear(&settings->auth_method);
	text_clear(&settings->auth_data);
	settings->auth_method = made_method;
	settings->auth_data = made_data;
	return MQUIC_OK;
}

enum mquic_status mqtt_settings_set_manual_ack(struct mqtt_settings *settings, bool manual,
					       struct error *error)
{
	(void)error;
	settings->manual_ack = manual;
	return MQUIC_OK;
}
