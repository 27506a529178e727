/* SPDX-License-Identifier: MIT */
/* What we say: packets, and the queue of those that may not leave yet. */
#include "mqtt/engine-internal.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/ping.h"
#include "mqtt/subscribe.h"
#include "mqtt/subscription.h"
#include "mqtt/topic.h"

/* No more of the queue is encoded while this much output waits, so that little is held twice. */
#define OUTPUT_ENOUGH 65536

/* An alias takes three bytes, so it saves nothing for a topic of fewer than this many. */
#define ALIAS_TOPIC_MIN 4

static int version_of(const struct mqtt_engine *engine)
{
	return engine->options.version;
}

/* ---- Single packets ---- */

/* The end of a packet that began when the output had `before` bytes: all of it or nothing. */
static bool written(struct mqtt_engine *engine, size_t before)
{
	if (!engine->output.failed)
		return true;
	buf_writer_truncate(&engine->output, before);
	return false;
}

static void view_will(struct mqtt_connect *connect, const struct mqtt_options *options)
{
	struct mqtt_publish will;

	connect->has_will = options->will != NULL;
	if (!connect->has_will)
		return;
	mqtt_message_view(options->will, &will);
	connect->will_qos = will.qos;
	connect->will_retain = will.retain;
	connect->will_topic = will.topic;
	connect->will_payload = will.payload;
	connect->will_properties = will.properties;
	mqtt_properties_set_ids(&connect->will_properties, NULL, 0);
	if (options->will_delay_s > 0)
		mqtt_properties_set_number(&connect->will_properties, MQTT_WILL_DELAY,
					   options->will_delay_s);
}

/* Values that are MQTT's defaults are not sent. */
static void set_unless(struct mqtt_properties *properties, enum mqtt_property id, uint32_t value,
		       uint32_t usual)
{
	if (value != usual)
		mqtt_properties_set_number(properties, id, value);
}

static void view_connect_properties(struct mqtt_properties *properties,
				    const struct mqtt_options *options)
{
	mqtt_properties_init(properties);
	set_unless(properties, MQTT_SESSION_EXPIRY, options->expiry_s, 0);
	set_unless(properties, MQTT_RECEIVE_MAXIMUM, options->receive_maximum, UINT16_MAX);
	set_unless(properties, MQTT_MAXIMUM_PACKET_SIZE, options->maximum_packet_size,
		   MQTT_PACKET_MAX);
	set_unless(properties, MQTT_TOPIC_ALIAS_MAXIMUM, options->topic_alias_maximum, 0);
	mqtt_properties_set_pairs(properties, options->user_properties.items,
				  options->user_properties.count);
	if (options->auth_method.data != NULL)
		mqtt_properties_set_text(
			properties, MQTT_AUTH_METHOD,
			bytes_of(options->auth_method.data, options->auth_method.len));
	if (options->auth_data.data != NULL)
		mqtt_properties_set_text(properties, MQTT_AUTH_DATA,
					 bytes_of(options->auth_data.data, options->auth_data.len));
}

bool engine_write_connect(struct mqtt_engine *engine)
{
	const struct mqtt_options *options = &engine->options;
	size_t before = engine->output.len;
	struct mqtt_connect connect;
	const char *id;
	size_t id_len;

	memset(&connect, 0, sizeof(connect));
	connect.version = options->version;
	connect.clean_start = options->clean_start;
	connect.keep_alive_s = options->keep_alive_s;
	/* A session that the server named is found again under that name only. */
	id = mqtt_engine_client_id(engine, &id_len);
	connect.client_id = bytes_of(id, options->clean_start ? options->client_id.len : id_len);
	connect.username = bytes_of(options->username.data, options->username.len);
	connect.password = bytes_of(options->password.data, options->password.len);
	view_connect_properties(&connect.properties, options);
	view_will(&connect, options);
	mqtt_connect_write(&engine->output, &connect);
	return written(engine, before);
}

bool engine_write_ack(struct mqtt_engine *engine, enum mqtt_type type, uint16_t packet_id,
		      uint8_t reason)
{
	size_t before = engine->output.len;
	struct mqtt_ack ack;

	ack.type = type;
	ack.packet_id = packet_id;
	ack.reason = reason;
	mqtt_properties_init(&ack.properties);
	mqtt_ack_write(&engine->output, &ack, version_of(engine));
	if (!written(engine, before))
		return false;
	engine->answers += engine->output.len - before;
	return true;
}

bool engine_write_disconnect(struct mqtt_engine *engine, uint8_t reason)
{
	size_t before = engine->output.len;
	struct mqtt_disconnect disconnect;

	disconnect.type = MQTT_DISCONNECT;
	disconnect.reason = reason;
	mqtt_properties_init(&disconnect.properties);
	mqtt_disconnect_write(&engine->output, &disconnect, version_of(engine));
	return written(engine, before);
}

bool engine_write_ping(struct mqtt_engine *engine)
{
	size_t before = engine->output.len;

	mqtt_ping_write(&engine->output, MQTT_PINGREQ);
	return written(engine, before);
}

/* ---- PUBLISH ---- */

/* What goes out: nothing that only the server may say. */
static void view_outgoing(const struct mquic_message *message, uint16_t packet_id,
			  struct mqtt_publish *publish)
{
	mqtt_message_view(message, publish);
	publish->packet_id = packet_id;
	mqtt_properties_set_ids(&publish->properties, NULL, 0);
}

/* Puts an alias in place of the topic, or beside it; returns whether it is a new one. */
static bool apply_alias(struct mqtt_engine *engine, struct mqtt_publish *publish)
{
	bool known;
	uint16_t alias;

	if (engine->alias_out.maximum == 0 || publish->topic.len < ALIAS_TOPIC_MIN)
		return false;
	alias = mqtt_alias_out_find(&engine->alias_out, publish->topic, &known);
	if (alias == 0)
		return false;
	mqtt_properties_set_number(&publish->properties, MQTT_TOPIC_ALIAS, alias);
	if (known) {
		publish->topic = bytes_of("", 0);
		return false;
	}
	if (mqtt_publish_size(publish, MQTT_5) > engine->server.maximum_packet_size) {
		mqtt_properties_unset(&publish->properties, MQTT_TOPIC_ALIAS);
		return false;
	}
	return true;
}

static bool write_publish(struct mqtt_engine *engine, const struct mqtt_publish *publish)
{
	size_t before = engine->output.len;
	struct mqtt_publish sent = *publish;
	bool new_alias = apply_alias(engine, &sent);

	mqtt_publish_write(&engine->output, &sent, version_of(engine));
	if (!written(engine, before))
		return false;
	if (new_alias)
		mqtt_alias_out_define(&engine->alias_out, publish->topic);
	return true;
}

/* Why the server would not take it, MQTT_SUCCESS if it would. */
static enum mqtt_reason publish_refusal(const struct mqtt_engine *engine,
					const struct mqtt_publish *publish)
{
	if (publish->qos > engine->server.maximum_qos)
		return MQTT_QOS_NOT_SUPPORTED;
	if (publish->retain && !engine->server.retain)
		return MQTT_RETAIN_NOT_SUPPORTED;
	if (mqtt_publish_size(publish, version_of(engine)) > engine->server.maximum_packet_size)
		return MQTT_PACKET_TOO_LARGE;
	return MQTT_SUCCESS;
}

/* ---- The queue ---- */

static bool is_up(const struct mqtt_engine *engine)
{
	return engine->state == MQTT_ENGINE_CONNECTED || engine->state == MQTT_ENGINE_CLOSING;
}

static enum mqtt_reason subscribe_refusal(const struct mqtt_engine *engine, unsigned int needs,
					  size_t size)
{
	unsigned int missing = needs & engine->server.lacks;

	if ((missing & MQTT_NEEDS_WILDCARDS) != 0)
		return MQTT_WILDCARDS_NOT_SUPPORTED;
	if ((missing & MQTT_NEEDS_SHARED) != 0)
		return MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
	if ((missing & MQTT_NEEDS_IDS) != 0)
		return MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED;
	return size > engine->server.maximum_packet_size ? MQTT_PACKET_TOO_LARGE : MQTT_SUCCESS;
}

/* Ends an entry that was queued before CONNACK and that the server does not take. */
static bool refuse(struct mqtt_engine *engine, struct mqtt_outgoing *outgoing, uint8_t reason)
{
	struct mqtt_suback suback;
	uint8_t *codes;
	bool done;

	if (outgoing->type == MQTT_PUBLISH) {
		done = engine_delivered(engine, outgoing->packet_id, reason, NULL);
	} else {
		codes = malloc(outgoing->filter_count);
		if (codes == NULL)
			return false;
		memset(codes, reason, outgoing->filter_count);
		suback.type = outgoing->type == MQTT_SUBSCRIBE ? MQTT_SUBACK : MQTT_UNSUBACK;
		suback.packet_id = outgoing->packet_id;
		suback.reasons = bytes_of(codes, outgoing->filter_count);
		mqtt_properties_init(&suback.properties);
		done = engine_subscribed(engine, &suback);
		free(codes);
	}
	if (done)
		mqtt_inflight_settle(&engine->inflight, outgoing);
	return done;
}

static bool send_message(struct mqtt_engine *engine, struct mqtt_outgoing *outgoing)
{
	struct mqtt_publish publish;
	enum mqtt_reason reason;

	view_outgoing(outgoing->message, outgoing->packet_id, &publish);
	reason = publish_refusal(engine, &publish);
	if (reason != MQTT_SUCCESS)
		return refuse(engine, outgoing, (uint8_t)reason);
	if (!write_publish(engine, &publish))
		return false;
	mqtt_inflight_sent(&engine->inflight, outgoing);
	return true;
}

static bool send_subscribe(struct mqtt_engine *engine, struct mqtt_outgoing *outgoing)
{
	size_t before = engine->output.len;
	enum mqtt_reason reason = subscribe_refusal(engine, outgoing->needs, outgoing->packet_len);

	if (reason != MQTT_SUCCESS)
		return refuse(engine, outgoing, (uint8_t)reason);
	buf_write_bytes(&engine->output, bytes_of(outgoing->packet, outgoing->packet_len));
	if (!written(engine, before))
		return false;
	mqtt_inflight_sent(&engine->inflight, outgoing);
	return true;
}

/* Whether the entry must wait for the server to settle others (section 4.9). */
static bool must_wait(const struct mqtt_engine *engine, const struct mqtt_outgoing *outgoing)
{
	return outgoing->type == MQTT_PUBLISH && outgoing->packet_id != 0 &&
	       engine->inflight.window >= engine->server.receive_maximum;
}

/* Sends of the queue what may leave; false if out of memory. */
static bool drain_queue(struct mqtt_engine *engine)
{
	struct mqtt_outgoing *outgoing;

	while (engine->output.len < OUTPUT_ENOUGH) {
		outgoing = mqtt_inflight_next(&engine->inflight);
		if (outgoing == NULL || must_wait(engine, outgoing))
			return true;
		if (outgoing->type == MQTT_PUBLISH ? !send_message(engine, outgoing)
						   : !send_subscribe(engine, outgoing))
			return false;
	}
	return true;
}

static size_t buffered(const struct mqtt_engine *engine)
{
	return engine->inflight.cost + engine->output.len;
}

/* Half of the buffer must be free, so that WRITABLE is worth waking up for. */
static void tell_writable(struct mqtt_engine *engine)
{
	struct mquic_event *event;

	if (!engine->wants_writable || buffered(engine) > engine->buffer_bytes / 2 ||
	    mqtt_inflight_free_id(&engine->inflight) == 0)
		return;
	event = event_new(MQUIC_EVENT_WRITABLE);
	if (event == NULL)
		return;
	engine->wants_writable = false;
	event_queue_push(&engine->events, event);
}

/* All that was queued has left: say good-bye. */
static void finish(struct mqtt_engine *engine)
{
	if (version_of(engine) == MQTT_5 || engine->closing_reason == MQTT_SUCCESS)
		(void)engine_write_disconnect(engine, engine->closing_reason);
	engine->state = MQTT_ENGINE_OVER;
}

void engine_pump(struct mqtt_engine *engine)
{
	if (!is_up(engine))
		return;
	if (!drain_queue(engine)) {
		(void)engine_out_of_memory(engine);
		return;
	}
	if (engine->state == MQTT_ENGINE_CLOSING && mqtt_inflight_next(&engine->inflight) == NULL)
		finish(engine);
	else
		tell_writable(engine);
}

/* ---- Calls ---- */

/* Whether the application may queue one more packet. */
static enum mquic_status check_open(struct mqtt_engine *engine, struct error *error)
{
	if (engine->closing)
		return error_set(error, MQUIC_ERR_STATE, "the session is disconnecting");
	if (engine->state != MQTT_ENGINE_CONNECTING && engine->state != MQTT_ENGINE_CONNECTED)
		return error_set(error, MQUIC_ERR_STATE,
				 "the session is not connected: connect it first");
	if (buffered(engine) >= engine->buffer_bytes) {
		engine->wants_writable = true;
		return error_set(error, MQUIC_ERR_AGAIN,
				 "%zu bytes wait to be sent or acknowledged already: go on after "
				 "the WRITABLE event",
				 buffered(engine));
	}
	return MQUIC_OK;
}

static enum mquic_status refusal_status(enum mqtt_reason reason, struct error *error)
{
	if (reason == MQTT_SUCCESS)
		return MQUIC_OK;
	if (reason == MQTT_PACKET_TOO_LARGE)
		return error_set(error, MQUIC_ERR_TOO_LARGE,
				 "the packet is larger than the server takes");
	return error_set(error, MQUIC_ERR_REFUSED, "the server announced in CONNACK: %s",
			 mqtt_reason_text((uint8_t)reason));
}

/* The next packet identifier; MQUIC_ERR_AGAIN if all are in use. */
static enum mquic_status take_id(struct mqtt_engine *engine, uint16_t *id, struct error *error)
{
	*id = mqtt_inflight_free_id(&engine->inflight);
	if (*id != 0)
		return MQUIC_OK;
	engine->wants_writable = true;
	return error_set(error, MQUIC_ERR_AGAIN,
			 "all 65535 packet identifiers are in use: go on after the WRITABLE event");
}

/* Gives the entry to the queue and sends what may leave. */
static enum mquic_status enqueue(struct mqtt_engine *engine, struct mqtt_outgoing *outgoing,
				 uint16_t *packet_id, struct error *error)
{
	uint16_t id = outgoing->packet_id;

	if (!mqtt_inflight_enqueue(&engine->inflight, outgoing)) {
		mqtt_outgoing_free(outgoing);
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	}
	if (packet_id != NULL)
		*packet_id = id;
	engine_pump(engine);
	return MQUIC_OK;
}

static enum mquic_status enqueue_message(struct mqtt_engine *engine,
					 const struct mquic_message *message, uint16_t *packet_id,
					 struct error *error)
{
	struct mqtt_outgoing *outgoing;
	struct mquic_message *copy;
	enum mquic_status status;
	uint16_t id = 0;

	if (message->qos > 0) {
		status = take_id(engine, &id, error);
		if (status != MQUIC_OK)
			return status;
	}
	if (mquic_message_copy(&copy, message) != MQUIC_OK)
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	copy->packet_id = id;
	copy->duplicate = false;
	outgoing = mqtt_outgoing_for_message(copy);
	if (outgoing == NULL) {
		mquic_message_free(copy);
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	}
	return enqueue(engine, outgoing, packet_id, error);
}

enum mquic_status mqtt_engine_publish(struct mqtt_engine *engine,
				      const struct mquic_message *message, uint16_t *packet_id,
				      struct error *error)
{
	struct mqtt_publish publish;
	enum mquic_status status;

	if (message == NULL || message->topic.len == 0)
		return error_set(error, MQUIC_ERR_INVALID, "the message has no topic: set one");
	status = check_open(engine, error);
	if (status != MQUIC_OK)
		return status;
	view_outgoing(message, message->qos > 0 ? 1 : 0, &publish);
	publish.duplicate = false;
	if (mqtt_publish_size(&publish, version_of(engine)) > MQTT_PACKET_MAX)
		return error_set(error, MQUIC_ERR_TOO_LARGE,
				 "the message does not fit into a packet of MQTT");
	if (engine->state == MQTT_ENGINE_CONNECTED)
		status = refusal_status(publish_refusal(engine, &publish), error);
	if (status != MQUIC_OK)
		return status;
	if (message->qos > 0 || engine->state != MQTT_ENGINE_CONNECTED ||
	    mqtt_inflight_next(&engine->inflight) != NULL || engine->output.len >= OUTPUT_ENOUGH)
		return enqueue_message(engine, message, packet_id, error);
	if (!write_publish(engine, &publish))
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	if (packet_id != NULL)
		*packet_id = 0;
	return MQUIC_OK;
}

/* 3.1.1 has neither options nor identifiers; to drop them silently would change the meaning. */
static enum mquic_status check_subscription(const struct mqtt_engine *engine, enum mqtt_type type,
					    const struct mquic_subscription *subscription,
					    unsigned int *needs, struct error *error)
{
	bool plain = version_of(engine) != MQTT_5 && type == MQTT_SUBSCRIBE;
	size_t i;

	*needs = 0;
	if (subscription == NULL || subscription->count == 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the subscription has no topic filter: add one");
	for (i = 0; i < subscription->count; i++) {
		const struct mqtt_filter *filter = &subscription->filters[i];

		if (plain && (filter->options & ~MQTT_OPTION_QOS) != 0)
			return error_set(error, MQUIC_ERR_INVALID,
					 "MQTT 3.1.1 knows no subscription options: use MQTT 5.0");
		if (mqtt_topic_has_wildcard(filter->filter))
			*needs |= MQTT_NEEDS_WILDCARDS;
		if (mqtt_topic_is_shared(filter->filter))
			*needs |= MQTT_NEEDS_SHARED;
	}
	if (plain && subscription->id != 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 knows no subscription identifiers: use MQTT 5.0");
	if (subscription->id != 0)
		*needs |= MQTT_NEEDS_IDS;
	if (type == MQTT_UNSUBSCRIBE)
		*needs = 0;
	return MQUIC_OK;
}

/* An entry with the encoded packet; NULL if out of memory or too large for MQTT. */
static struct mqtt_outgoing *encode_subscription(const struct mqtt_engine *engine,
						 enum mqtt_type type, uint16_t packet_id,
						 const struct mquic_subscription *subscription,
						 bool *too_large)
{
	struct mqtt_outgoing *outgoing = mqtt_outgoing_new(type);
	struct mqtt_subscribe subscribe;
	struct buf_writer writer;

	*too_large = false;
	if (outgoing == NULL)
		return NULL;
	subscribe.type = type;
	subscribe.packet_id = packet_id;
	subscribe.filters = subscription->filters;
	subscribe.filter_count = subscription->count;
	mqtt_properties_init(&subscribe.properties);
	mqtt_properties_set_pairs(&subscribe.properties, subscription->pairs.items,
				  subscription->pairs.count);
	if (type == MQTT_SUBSCRIBE && subscription->id != 0)
		mqtt_properties_set_ids(&subscribe.properties, &subscription->id, 1);
	buf_writer_init_counter(&writer);
	mqtt_subscribe_write(&writer, &subscribe, version_of(engine));
	*too_large = writer.failed;
	buf_writer_init(&writer, MQTT_PACKET_MAX);
	if (!*too_large)
		mqtt_subscribe_write(&writer, &subscribe, version_of(engine));
	if (*too_large || writer.failed) {
		buf_writer_clear(&writer);
		mqtt_outgoing_free(outgoing);
		return NULL;
	}
	outgoing->packet = buf_writer_take(&writer, &outgoing->packet_len);
	outgoing->packet_id = packet_id;
	outgoing->filter_count = subscription->count;
	outgoing->cost += outgoing->packet_len;
	return outgoing;
}

static enum mquic_status subscribe_or_not(struct mqtt_engine *engine, enum mqtt_type type,
					  const struct mquic_subscription *subscription,
					  uint16_t *packet_id, struct error *error)
{
	struct mqtt_outgoing *outgoing;
	enum mquic_status status;
	unsigned int needs;
	bool too_large;
	uint16_t id;

	status = check_subscription(engine, type, subscription, &needs, error);
	if (status == MQUIC_OK)
		status = check_open(engine, error);
	if (status == MQUIC_OK)
		status = take_id(engine, &id, error);
	if (status != MQUIC_OK)
		return status;
	outgoing = encode_subscription(engine, type, id, subscription, &too_large);
	if (too_large)
		return error_set(error, MQUIC_ERR_TOO_LARGE,
				 "the filters do not fit into a packet of MQTT");
	if (outgoing == NULL)
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	outgoing->needs = needs;
	if (engine->state == MQTT_ENGINE_CONNECTED)
		status = refusal_status(subscribe_refusal(engine, needs, outgoing->packet_len),
					error);
	if (status != MQUIC_OK) {
		mqtt_outgoing_free(outgoing);
		return status;
	}
	return enqueue(engine, outgoing, packet_id, error);
}

enum mquic_status mqtt_engine_subscribe(struct mqtt_engine *engine,
					const struct mquic_subscription *subscription,
					uint16_t *packet_id, struct error *error)
{
	return subscribe_or_not(engine, MQTT_SUBSCRIBE, subscription, packet_id, error);
}

enum mquic_status mqtt_engine_unsubscribe(struct mqtt_engine *engine,
					  const struct mquic_subscription *subscription,
					  uint16_t *packet_id, struct error *error)
{
	return subscribe_or_not(engine, MQTT_UNSUBSCRIBE, subscription, packet_id, error);
}

enum mquic_status mqtt_engine_ack(struct mqtt_engine *engine, uint16_t packet_id, uint8_t reason,
				  struct error *error)
{
	enum mqtt_type type;
	uint16_t id;
	uint8_t code;

	if (!is_up(engine))
		return error_set(error, MQUIC_ERR_STATE, "the session is not connected");
	if (version_of(engine) != MQTT_5 && reason != MQTT_SUCCESS)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 cannot refuse a message: the reason must be 0");
	if (!mqtt_reason_valid(MQTT_PUBACK, reason))
		return error_set(error, MQUIC_ERR_INVALID,
				 "0x%02X is no reason code for acknowledging a message", reason);
	if (!mqtt_inflight_acknowledge(&engine->inflight, packet_id, reason))
		return error_set(error, MQUIC_ERR_INVALID,
				 "no message with packet identifier %u waits to be acknowledged",
				 packet_id);
	while (mqtt_inflight_next_ack(&engine->inflight, &type, &id, &code))
		if (!engine_write_ack(engine, type, id, code)) {
			(void)engine_out_of_memory(engine);
			return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
		}
	return MQUIC_OK;
}

enum mquic_status mqtt_engine_auth(struct mqtt_engine *engine, uint8_t reason, const uint8_t *data,
				   size_t len, struct error *error)
{
	const struct text *method = &engine->options.auth_method;
	size_t before = engine->output.len;
	struct mqtt_disconnect auth;

	if (reason != MQTT_CONTINUE_AUTHENTICATION && reason != MQTT_RE_AUTHENTICATE)
		return error_set(error, MQUIC_ERR_INVALID,
				 "AUTH carries reason 0x18 (continue) or 0x19 (re-authenticate), "
				 "not 0x%02X",
				 reason);
	if (len > UINT16_MAX || (data == NULL && len > 0))
		return error_set(error, MQUIC_ERR_INVALID,
				 "authentication data is NULL or longer than 65535 bytes");
	if (reason == MQTT_CONTINUE_AUTHENTICATION && engine->auth != AUTH_CLIENT)
		return error_set(error, MQUIC_ERR_STATE, "the server has not asked for AUTH");
	if (reason == MQTT_RE_AUTHENTICATE && (engine->state != MQTT_ENGINE_CONNECTED ||
					       engine->auth != AUTH_NOBODY || method->data == NULL))
		return error_set(error, MQUIC_ERR_STATE,
				 "to authenticate again, the session must be connected with an "
				 "authentication method, and no exchange be going on");
	auth.type = MQTT_AUTH;
	auth.reason = reason;
	mqtt_properties_init(&auth.properties);
	mqtt_properties_set_text(&auth.properties, MQTT_AUTH_METHOD,
				 bytes_of(method->data, method->len));
	if (data != NULL)
		mqtt_properties_set_text(&auth.properties, MQTT_AUTH_DATA, bytes_of(data, len));
	mqtt_disconnect_write(&engine->output, &auth, MQTT_5);
	if (!written(engine, before))
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	engine->auth = AUTH_SERVER;
	return MQUIC_OK;
}

enum mquic_status mqtt_engine_disconnect(struct mqtt_engine *engine, uint8_t reason,
					 struct error *error)
{
	if (engine->closing ||
	    (engine->state != MQTT_ENGINE_CONNECTING && engine->state != MQTT_ENGINE_CONNECTED))
		return error_set(error, MQUIC_ERR_STATE,
				 "the session is not connected, or disconnecting already");
	if (!mqtt_reason_valid_from_client(reason))
		return error_set(error, MQUIC_ERR_INVALID,
				 "0x%02X is no reason code for a client's DISCONNECT", reason);
	engine->closing = true;
	engine->closing_reason = reason;
	if (engine->state == MQTT_ENGINE_CONNECTED) {
		engine->state = MQTT_ENGINE_CLOSING;
		engine_pump(engine);
	} else if (mqtt_inflight_next(&engine->inflight) == NULL) {
		finish(engine);
	}
	return MQUIC_OK;
}
