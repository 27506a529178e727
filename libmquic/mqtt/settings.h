/* SPDX-License-Identifier: MIT */
/*
 * What a client asks for in CONNECT, and how its engine behaves. One setter for each
 * mquic_session_set_...(): it checks, copies, and on refusal keeps the old value and leaves a
 * sentence in `error`. Texts and buffers with NULL data mean "none"; a length may be
 * MQUIC_NUL_TERMINATED for text.
 *
 * Options are read by mqtt_engine_connect() and must not change while the engine is connected;
 * the caller sees to that.
 */
#ifndef MQUIC_MQTT_SETTINGS_H
#define MQUIC_MQTT_SETTINGS_H

#include "core/error.h"
#include "core/text.h"
#include "mqtt/property.h"
#include "mquic.h"

struct mqtt_settings {
	int version; /* 3: MQTT 3.1, 4: MQTT 3.1.1, 5: MQTT 5.0 */
	struct text client_id;
	struct text username; /* data NULL: none, as for all below */
	struct text password;
	uint16_t keep_alive_s;
	bool clean_start;
	uint32_t expiry_s;
	struct mquic_message *will; /* NULL: none */
	uint32_t will_delay_s;
	uint16_t receive_maximum;
	uint32_t maximum_packet_size;
	uint32_t maximum_properties;  /* of those that may come more than once */
	uint16_t topic_alias_maximum; /* the server towards us */
	uint16_t topic_aliases;       /* us towards the server */
	struct mqtt_pairs user_properties;
	struct text auth_method;
	struct text auth_data;
	bool no_problem_information;
	bool response_information;
	bool manual_ack;
	/* Of DISCONNECT, which may change while the engine is connected. */
	bool has_disconnect_expiry;
	uint32_t disconnect_expiry_s;
	struct text disconnect_text;
	struct mqtt_pairs disconnect_pairs;
};

void mqtt_settings_init(struct mqtt_settings *settings);
void mqtt_settings_clear(struct mqtt_settings *settings);

/* Whether the settings agree with each other and with the protocol; else MQUIC_ERR_INVALID. */
enum mquic_status mqtt_settings_check(const struct mqtt_settings *settings, struct error *error);

enum mquic_status mqtt_settings_set_protocol(struct mqtt_settings *settings,
					     enum mquic_protocol protocol, struct error *error);
enum mquic_status mqtt_settings_set_client_id(struct mqtt_settings *settings, const char *id,
					      size_t len, struct error *error);
enum mquic_status mqtt_settings_set_username(struct mqtt_settings *settings, const char *name,
					     size_t len, struct error *error);
enum mquic_status mqtt_settings_set_password(struct mqtt_settings *settings, const uint8_t *data,
					     size_t len, struct error *error);
enum mquic_status mqtt_settings_set_keep_alive_s(struct mqtt_settings *settings, uint16_t seconds,
						 struct error *error);
enum mquic_status mqtt_settings_set_clean_start(struct mqtt_settings *settings, bool clean,
						struct error *error);
enum mquic_status mqtt_settings_set_expiry_s(struct mqtt_settings *settings, uint32_t seconds,
					     struct error *error);
enum mquic_status mqtt_settings_set_will(struct mqtt_settings *settings,
					 const struct mquic_message *will, uint32_t delay_s,
					 struct error *error);
enum mquic_status mqtt_settings_set_receive_maximum(struct mqtt_settings *settings,
						    uint16_t maximum, struct error *error);
enum mquic_status mqtt_settings_set_maximum_packet_size(struct mqtt_settings *settings,
							uint32_t bytes, struct error *error);
enum mquic_status mqtt_settings_set_maximum_properties(struct mqtt_settings *settings,
						       uint32_t count, struct error *error);
enum mquic_status mqtt_settings_set_topic_alias_maximum(struct mqtt_settings *settings,
							uint16_t maximum, struct error *error);
enum mquic_status mqtt_settings_set_topic_aliases(struct mqtt_settings *settings, uint16_t aliases,
						  struct error *error);
enum mquic_status mqtt_settings_add_user_property(struct mqtt_settings *settings, const char *name,
						  size_t name_len, const char *value,
						  size_t value_len, struct error *error);
void mqtt_settings_clear_user_properties(struct mqtt_settings *settings);
enum mquic_status mqtt_settings_set_authentication(struct mqtt_settings *settings,
						   const char *method, size_t method_len,
						   const uint8_t *data, size_t len,
						   struct error *error);
enum mquic_status mqtt_settings_set_problem_information(struct mqtt_settings *settings, bool wanted,
							struct error *error);
enum mquic_status mqtt_settings_set_response_information(struct mqtt_settings *settings,
							 bool wanted, struct error *error);
enum mquic_status mqtt_settings_set_disconnect_expiry_s(struct mqtt_settings *settings,
							uint32_t seconds, struct error *error);
enum mquic_status mqtt_settings_set_disconnect_text(struct mqtt_settings *settings,
						    const char *text, size_t len,
						    struct error *error);
enum mquic_status mqtt_settings_add_disconnect_user_property(struct mqtt_settings *settings,
							     const char *name, size_t name_len,
							     const char *value, size_t value_len,
							     struct error *error);
void mqtt_settings_clear_disconnect_properties(struct mqtt_settings *settings);
enum mquic_status mqtt_settings_set_manual_ack(struct mqtt_settings *settings, bool manual,
					       struct error *error);

#endif
