/* SPDX-License-Identifier: MIT */
/* What the application asks for: checked, then queued or written at once. */
#include "mqtt/body.h"

#include "mqtt/lanes.h"
#include "mqtt/outgoing.h"
#include "mqtt/queue.h"
#include "mqtt/state.h"
#include "mqtt/subscription.h"
#include "mqtt/suspect.h"
#include "mqtt/topic.h"
#include "mqtt/verdict.h"

/* Whether the connection has ended, and the application cannot know. */
static bool is_over_unheard(const struct mqtt_engine *engine)
{
	return engine->parting == PARTING_UNHEARD;
}

/* Whether the application may queue one more packet. */
static enum mquic_status check_open(struct mqtt_engine *engine, struct error *error)
{
	if (engine->parting == PARTING_ASKED)
		return error_set(error, MQUIC_ERR_STATE, "the session is disconnecting");
	if (engine->state != MQTT_ENGINE_CONNECTING && engine->state != MQTT_ENGINE_CONNECTED &&
	    !is_over_unheard(engine))
		return error_set(error, MQUIC_ERR_STATE,
				 "the session is not connected: connect it first");
	if (engine_buffered(engine) >= engine->buffer_bytes) {
		engine->wants_writable = true;
		return error_set(error, MQUIC_ERR_AGAIN,
				 "%zu bytes wait to be sent or acknowledged already: go on after "
				 "the WRITABLE event",
				 engine_buffered(engine));
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
			 mquic_reason_text((uint8_t)reason));
}

/* The next packet identifier; MQUIC_ERR_AGAIN if all are in use. */
static enum mquic_status take_id(struct mqtt_engine *engine, struct mqtt_lane *lane, uint16_t *id,
				 struct error *error)
{
	*id = mqtt_inflight_free_id(&lane->inflight);
	if (*id != 0)
		return MQUIC_OK;
	engine->wants_writable = true;
	return error_set(error, MQUIC_ERR_AGAIN,
			 "all 65535 packet identifiers are in use: go on after the WRITABLE event");
}

/* Gives the entry to the queue and sends what may leave. */
static enum mquic_status enqueue(struct mqtt_engine *engine, struct mqtt_lane *lane,
				 struct mqtt_outgoing *outgoing, uint16_t *packet_id,
				 struct error *error)
{
	uint16_t id = outgoing->packet_id;

	if (!mqtt_inflight_enqueue(&lane->inflight, outgoing)) {
		mqtt_outgoing_free(outgoing);
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	}
	if (packet_id != NULL)
		*packet_id = engine_number_sent(lane, id);
	engine_pump(engine, lane);
	return MQUIC_OK;
}

static enum mquic_status enqueue_message(struct mqtt_engine *engine, struct mqtt_lane *lane,
					 const struct mquic_message *message, uint16_t *packet_id,
					 struct error *error)
{
	struct mqtt_outgoing *outgoing;
	struct mquic_message *copy;
	enum mquic_status status;
	uint16_t id = 0;

	if (message->qos > 0) {
		status = take_id(engine, lane, &id, error);
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
	return enqueue(engine, lane, outgoing, packet_id, error);
}

enum mquic_status mqtt_engine_publish(struct mqtt_engine *engine,
				      const struct mquic_message *message, uint16_t *packet_id,
				      struct error *error)
{
	struct mqtt_publish publish;
	struct mqtt_lane *lane;
	enum mquic_status status;

	if (message == NULL || message->topic.len == 0)
		return error_set(error, MQUIC_ERR_INVALID, "the message has no topic: set one");
	status = check_open(engine, error);
	if (status != MQUIC_OK)
		return status;
	engine_view_outgoing(message, message->qos > 0 ? 1 : 0, &publish);
	publish.duplicate = false;
	if (mqtt_publish_size(&publish, engine_version(engine)) > MQTT_PACKET_MAX)
		return error_set(error, MQUIC_ERR_TOO_LARGE,
				 "the message does not fit into a packet of MQTT");
	if (engine->state == MQTT_ENGINE_CONNECTED)
		status = refusal_status(engine_publish_refusal(engine, &publish), error);
	if (status != MQUIC_OK)
		return status;
	lane = engine_lane_for(engine, message);
	if (message->qos > 0 || engine->state != MQTT_ENGINE_CONNECTED ||
	    mqtt_inflight_next(&lane->inflight) != NULL ||
	    mqtt_suspect_holds(&lane->inflight, NULL) || lane->output.len >= ENGINE_OUTPUT_ENOUGH)
		return enqueue_message(engine, lane, message, packet_id, error);
	if (!engine_write_publish(engine, lane, &publish))
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
	bool plain = engine_version(engine) != MQTT_5 && type == MQTT_SUBSCRIBE;
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
	mqtt_subscribe_write(&writer, &subscribe, engine_version(engine));
	*too_large = writer.failed;
	buf_writer_init(&writer, MQTT_PACKET_MAX);
	if (!*too_large)
		mqtt_subscribe_write(&writer, &subscribe, engine_version(engine));
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
	struct mqtt_lane *lane;
	struct mqtt_outgoing *outgoing;
	enum mquic_status status;
	unsigned int needs;
	bool too_large;
	uint16_t id;

	status = check_subscription(engine, type, subscription, &needs, error);
	if (status == MQUIC_OK)
		status = check_open(engine, error);
	if (status != MQUIC_OK)
		return status;
	lane = engine_lane_for_filters(engine, subscription);
	status = take_id(engine, lane, &id, error);
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
		status = refusal_status(
			engine_subscribe_refusal(engine, needs, outgoing->packet_len), error);
	if (status != MQUIC_OK) {
		mqtt_outgoing_free(outgoing);
		return status;
	}
	return enqueue(engine, lane, outgoing, packet_id, error);
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

/* Why a packet that the application asked for was not written. */
static enum mquic_status unwritten(struct mqtt_engine *engine, enum mquic_status status,
				   struct error *error)
{
	bool too_large = engine->oversized != 0;

	/* The connection may go on, and end for another reason. */
	engine->oversized = (enum mqtt_type)0;
	if (!too_large)
		return error_set(error, status, "out of memory");
	return error_set(error, status, "the server takes no packet of more than %u bytes",
			 (unsigned int)engine->server.maximum_packet_size);
}

enum mquic_status mqtt_engine_ack(struct mqtt_engine *engine, uint16_t packet_id, uint8_t reason,
				  struct error *error)
{
	uint16_t id;
	struct mqtt_lane *lane = engine_lane_of(engine, packet_id, &id);
	bool known;

	if (!engine_is_up(engine) && !is_over_unheard(engine))
		return error_set(error, MQUIC_ERR_STATE, "the session is not connected");
	if (engine_version(engine) != MQTT_5 && reason != MQTT_SUCCESS)
		return error_set(error, MQUIC_ERR_INVALID,
				 "MQTT 3.1.1 cannot refuse a message: the reason must be 0");
	if (!mqtt_reason_valid(MQTT_PUBACK, reason))
		return error_set(error, MQUIC_ERR_INVALID,
				 "0x%02X is no reason code for acknowledging a message", reason);
	known = mqtt_inflight_acknowledge(&lane->inflight, id, reason);
	/* QoS 1 comes again, QoS 2 is answered when it does. */
	if (!engine_is_up(engine))
		return MQUIC_OK;
	if (!known)
		return error_set(error, MQUIC_ERR_INVALID,
				 "no message with packet identifier %u waits to be acknowledged",
				 packet_id);
	if (engine_flush_acks(engine, lane))
		return MQUIC_OK;
	return unwritten(engine, engine_cannot_go_on(engine), error);
}

enum mquic_status mqtt_engine_auth(struct mqtt_engine *engine, uint8_t reason, const uint8_t *data,
				   size_t len, struct error *error)
{
	const struct text *method = &engine->settings.auth_method;

	if (reason != MQTT_CONTINUE_AUTHENTICATION && reason != MQTT_RE_AUTHENTICATE)
		return error_set(error, MQUIC_ERR_INVALID,
				 "AUTH carries reason 0x18 (continue) or 0x19 (re-authenticate), "
				 "not 0x%02X",
				 reason);
	if (len > UINT16_MAX || (data == NULL && len > 0))
		return error_set(error, MQUIC_ERR_INVALID,
				 "authentication data is NULL or longer than 65535 bytes");
	if (is_over_unheard(engine))
		return MQUIC_OK;
	if (reason == MQTT_CONTINUE_AUTHENTICATION && engine->auth != AUTH_CLIENT)
		return error_set(error, MQUIC_ERR_STATE, "the server has not asked for AUTH");
	if (reason == MQTT_RE_AUTHENTICATE && (engine->state != MQTT_ENGINE_CONNECTED ||
					       engine->auth != AUTH_NOBODY || method->data == NULL))
		return error_set(error, MQUIC_ERR_STATE,
				 "to authenticate again, the session must be connected with an "
				 "authentication method, and no exchange be going on");
	if (!engine_write_auth(engine, reason, bytes_of(data, len)))
		return unwritten(engine,
				 engine->oversized == 0 ? MQUIC_ERR_MEMORY : MQUIC_ERR_TOO_LARGE,
				 error);
	engine->auth = AUTH_SERVER;
	return MQUIC_OK;
}

enum mquic_status mqtt_engine_disconnect(struct mqtt_engine *engine, uint8_t reason,
					 struct error *error)
{
	if (engine->parting == PARTING_ASKED ||
	    (engine->state != MQTT_ENGINE_CONNECTING && engine->state != MQTT_ENGINE_CONNECTED))
		return error_set(error, MQUIC_ERR_STATE,
				 "the session is not connected, or disconnecting already");
	if (engine_version(engine) == MQTT_5 && engine->settings.disconnect_expiry_s > 0 &&
	    engine->settings.expiry_s == 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "DISCONNECT cannot make a session last whose expiry is 0 in "
				 "CONNECT: give it one there");
	if (!mqtt_reason_valid_from_client(reason))
		return error_set(error, MQUIC_ERR_INVALID,
				 "0x%02X is no reason code for a client's DISCONNECT", reason);
	engine->parting = PARTING_ASKED;
	engine->closing_reason = reason;
	if (engine->state == MQTT_ENGINE_CONNECTED) {
		engine_step(engine, MQTT_ENGINE_CLOSING);
		engine_pump(engine, &engine->control);
	} else if (engine_all_sent(engine)) {
		engine_finish(engine);
	}
	return MQUIC_OK;
}
