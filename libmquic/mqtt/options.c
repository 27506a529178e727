/* SPDX-License-Identifier: MIT */
#include "mqtt/options.h"

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

void mqtt_options_init(struct mqtt_options *options)
{
	memset(options, 0, sizeof(*options));
	options->version = MQTT_5;
	options->keep_alive_s = KEEP_ALIVE_DEFAULT_S;
	options->clean_start = true;
	options->receive_maximum = UINT16_MAX;
	options->maximum_packet_size = PACKET_SIZE_DEFAULT;
	options->maximum_properties = PROPERTIES_DEFAULT;
}

void mqtt_options_clear(struct mqtt_options *options)
{
	text_clear(&options->client_id);
	text_clear(&options->username);
	text_clear(&options->password);
	text_clear(&options->auth_method);
	text_clear(&options->auth_data);
	mqtt_pairs_clear(&options->user_properties);
	text_clear(&options->disconnect_text);
	mqtt_pairs_clear(&options->disconnect_pairs);
	mquic_message_free(options->will);
	mqtt_options_init(options);
}

enum mquic_status mqtt_options_check(const struct mqtt_options *options, struct error *error)
{
	if (options->version == MQTT_5)
		return MQUIC_OK;
	if (options->password.data != NULL && options->username.data == NULL)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 allows no password without a user name: set one, or "
				 "use MQTT 5.0");
	if (options->client_id.len == 0 && !options->clean_start)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 needs a client identifier to keep a session: set one, "
				 "or ask for a clean start");
	if (options->client_id.len == 0 && options->version == MQTT_3_1)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1 needs a client identifier: set one");
	if (options->auth_method.data != NULL)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 knows no authentication method: use MQTT 5.0");
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_protocol(struct mqtt_options *options,
					    enum mquic_protocol protocol, struct error *error)
{
	if (protocol < MQUIC_PROTOCOL_MQTT_3_1 || protocol > MQUIC_PROTOCOL_MQTT_5)
		return error_set(error, MQUIC_ERR_INVALID,
				 "protocol %d is none of 3 (MQTT 3.1), 4 (MQTT 3.1.1) and 5 "
				 "(MQTT 5.0)",
				 (int)protocol);
	options->version = (int)protocol;
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

enum mquic_status mqtt_options_set_client_id(struct mqtt_options *options, const char *id,
					     size_t len, struct error *error)
{
	return set_text(&options->client_id, id, len, "client identifier", error);
}

enum mquic_status mqtt_options_set_username(struct mqtt_options *options, const char *name,
					    size_t len, struct error *error)
{
	return set_text(&options->username, name, len, "user name", error);
}

enum mquic_status mqtt_options_set_password(struct mqtt_options *options, const uint8_t *data,
					    size_t len, struct error *error)
{
	return set_data(&options->password, data, len, "password", error);
}

enum mquic_status mqtt_options_set_keep_alive_s(struct mqtt_options *options, uint16_t seconds,
						struct error *error)
{
	(void)error;
	options->keep_alive_s = seconds;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_clean_start(struct mqtt_options *options, bool clean,
					       struct error *error)
{
	(void)error;
	options->clean_start = clean;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_expiry_s(struct mqtt_options *options, uint32_t seconds,
					    struct error *error)
{
	(void)error;
	options->expiry_s = seconds;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_will(struct mqtt_options *options,
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
	mquic_message_free(options->will);
	options->will = copy;
	options->will_delay_s = delay_s;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_receive_maximum(struct mqtt_options *options, uint16_t maximum,
						   struct error *error)
{
	if (maximum == 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the receive maximum must be 1 to 65535, not 0");
	options->receive_maximum = maximum;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_maximum_packet_size(struct mqtt_options *options, uint32_t bytes,
						       struct error *error)
{
	if (bytes < PACKET_SIZE_MIN || bytes > MQTT_PACKET_MAX)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the maximum packet size must be %d to %u bytes, not %u",
				 PACKET_SIZE_MIN, MQTT_PACKET_MAX, bytes);
	options->maximum_packet_size = bytes;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_maximum_properties(struct mqtt_options *options, uint32_t count,
						      struct error *error)
{
	if (count < 1 || count > PROPERTIES_MAX)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the properties of a packet must be limited to 1 to %d, not %u",
				 PROPERTIES_MAX, (unsigned int)count);
	options->maximum_properties = count;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_topic_alias_maximum(struct mqtt_options *options,
						       uint16_t maximum, struct error *error)
{
	(void)error;
	options->topic_alias_maximum = maximum;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_topic_aliases(struct mqtt_options *options, uint16_t aliases,
						 struct error *error)
{
	(void)error;
	options->topic_aliases = aliases;
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

enum mquic_status mqtt_options_add_user_property(struct mqtt_options *options, const char *name,
						 size_t name_len, const char *value,
						 size_t value_len, struct error *error)
{
	return add_pair(&options->user_properties, name, name_len, value, value_len, error);
}

void mqtt_options_clear_user_properties(struct mqtt_options *options)
{
	mqtt_pairs_clear(&options->user_properties);
}

enum mquic_status mqtt_options_set_problem_information(struct mqtt_options *options, bool wanted,
						       struct error *error)
{
	(void)error;
	options->no_problem_information = !wanted;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_response_information(struct mqtt_options *options, bool wanted,
							struct error *error)
{
	(void)error;
	options->response_information = wanted;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_disconnect_expiry_s(struct mqtt_options *options,
						       uint32_t seconds, struct error *error)
{
	(void)error;
	options->has_disconnect_expiry = true;
	options->disconnect_expiry_s = seconds;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_disconnect_text(struct mqtt_options *options, const char *text,
						   size_t len, struct error *error)
{
	return set_text(&options->disconnect_text, text, len, "reason of DISCONNECT", error);
}

enum mquic_status mqtt_options_add_disconnect_user_property(struct mqtt_options *options,
							    const char *name, size_t name_len,
							    const char *value, size_t value_len,
							    struct error *error)
{
	return add_pair(&options->disconnect_pairs, name, name_len, value, value_len, error);
}

void mqtt_options_clear_disconnect_properties(struct mqtt_options *options)
{
	options->has_disconnect_expiry = false;
	text_clear(&options->disconnect_text);
	mqtt_pairs_clear(&options->disconnect_pairs);
}

enum mquic_status mqtt_options_set_authentication(struct mqtt_options *options, const char *method,
						  size_t method_len, const uint8_t *data,
						  size_t len, struct error *error)
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
	text_clear(&options->auth_method);
	text_clear(&options->auth_data);
	options->auth_method = made_method;
	options->auth_data = made_data;
	return MQUIC_OK;
}

enum mquic_status mqtt_options_set_manual_ack(struct mqtt_options *options, bool manual,
					      struct error *error)
{
	(void)error;
	options->manual_ack = manual;
	return MQUIC_OK;
}
