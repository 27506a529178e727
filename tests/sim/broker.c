/* SPDX-License-Identifier: MIT */
#include "broker.h"

#include <string.h>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/ping.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"

struct broker broker;

/* ---- Out ----------------------------------------------------------------------- */

static void flush(struct broker_client *client)
{
	struct bytes bytes;
	size_t written;

	while ((bytes = buf_writer_content(&client->output)).len > 0) {
		if (mquic_relay_write(client->relay, bytes.data, bytes.len, &written) != MQUIC_OK)
			return;
		buf_writer_consume(&client->output, written);
	}
	if (client->finishing)
		(void)mquic_relay_finish(client->relay, NULL);
}

static void write_delivery(struct broker_client *client, const struct broker_delivery *delivery,
			   bool duplicate)
{
	uint8_t payload[4];
	struct mqtt_publish publish = {
		.duplicate = duplicate,
		.qos = delivery->qos,
		.packet_id = delivery->packet_id,
		.topic = bytes_of("t", 1),
		.payload = {payload, sizeof(payload)},
	};

	memcpy(payload, &delivery->number, sizeof(payload));
	mqtt_properties_init(&publish.properties);
	mqtt_publish_write(&client->output, &publish, MQTT_5);
}

static void write_ack(struct broker_client *client, enum mqtt_type type, uint16_t packet_id)
{
	struct mqtt_ack ack = {.type = type, .packet_id = packet_id};

	mqtt_properties_init(&ack.properties);
	mqtt_ack_write(&client->output, &ack, MQTT_5);
}

static struct broker_client *client_of_session(const struct broker_session *session)
{
	size_t i;

	for (i = 0; i < BROKER_CLIENTS; i++)
		if (broker.clients[i].relay != NULL && broker.clients[i].session == session)
			return &broker.clients[i];
	return NULL;
}

void broker_publish(uint32_t number, int qos)
{
	size_t i;

	for (i = 0; i < BROKER_SESSIONS; i++) {
		struct broker_session *session = &broker.sessions[i];
		struct broker_client *client = client_of_session(session);
		struct broker_delivery delivery = {.number = number, .qos = (uint8_t)qos};

		if (!session->subscribed)
			continue;
		if (qos > 0) {
			delivery.packet_id = ++session->next_id;
			session->deliveries[session->delivery_count++] = delivery;
		}
		if (client == NULL)
			continue;
		write_delivery(client, &delivery, false);
		flush(client);
	}
}

/* MQTT 5.0 section 4.4: what is not settled is sent again. */
static void resume(struct broker_client *client)
{
	struct broker_session *session = client->session;
	size_t i;

	for (i = 0; i < session->delivery_count; i++)
		if (session->deliveries[i].released)
			write_ack(client, MQTT_PUBREL, session->deliveries[i].packet_id);
		else
			write_delivery(client, &session->deliveries[i], true);
}

/* ---- In ------------------------------------------------------------------------ */

static struct broker_session *session_of(const char *client_id, size_t len, bool *present)
{
	size_t i;

	for (i = 0; i < BROKER_SESSIONS; i++) {
		struct broker_session *session = &broker.sessions[i];

		*present = strlen(session->client_id) == len &&
			   memcmp(session->client_id, client_id, len) == 0;
		if (*present || session->client_id[0] == '\0')
			break;
	}
	ck_assert_uint_lt(i, BROKER_SESSIONS);
	ck_assert_uint_lt(len, sizeof(broker.sessions[i].client_id));
	memcpy(broker.sessions[i].client_id, client_id, len);
	return &broker.sessions[i];
}

static void on_connect(struct broker_client *client, const struct mqtt_packet *packet)
{
	struct mqtt_connect connect;
	struct mqtt_connack connack = {.reason = broker.refusal};

	ck_assert_int_eq(mqtt_connect_read(&connect, packet), MQTT_SUCCESS);
	broker.connects++;
	memset(broker.username, 0, sizeof(broker.username));
	if (connect.username.len > 0)
		memcpy(broker.username, connect.username.data, connect.username.len);
	client->session = session_of((const char *)connect.client_id.data, connect.client_id.len,
				     &connack.session_present);
	if (connect.clean_start) {
		connack.session_present = false;
		client->session->delivery_count = 0;
		client->session->subscribed = false;
		memset(client->session->taken, 0, sizeof(client->session->taken));
	}
	if (broker.refusal != 0)
		connack.session_present = false;
	mqtt_properties_init(&connack.properties);
	if (connect.client_id.len == 0 && broker.refusal == 0)
		mqtt_properties_set_text(&connack.properties, MQTT_ASSIGNED_CLIENT_ID,
					 bytes_of("named", 5));
	mqtt_connack_write(&client->output, &connack, MQTT_5);
	if (broker.refusal != 0 || broker.goodbye)
		client->finishing = true;
	else
		resume(client);
}

static void on_publish(struct broker_client *client, const struct mqtt_packet *packet)
{
	struct broker_session *session = client->session;
	struct mqtt_publish publish;
	uint32_t number = 0;

	ck_assert_int_eq(mqtt_publish_read(&publish, packet, MQTT_5), MQTT_SUCCESS);
	ck_assert_uint_ge(publish.payload.len, sizeof(number));
	memcpy(&number, publish.payload.data, sizeof(number));
	ck_assert_uint_lt(number, BROKER_NUMBERS);
	if (publish.qos < 2 || !session->taken[publish.packet_id])
		broker.counts[number]++;
	if (publish.qos == 2)
		session->taken[publish.packet_id] = true;
	if (broker.hang_up > 0 && --broker.hang_up == 0) {
		ck_assert_int_eq(mquic_relay_close(client->relay, broker.hang_up_code, "hung up"),
				 MQUIC_OK);
		return;
	}
	if (publish.qos > 0)
		write_ack(client, publish.qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, publish.packet_id);
}

static void on_ack(struct broker_client *client, const struct mqtt_packet *packet)
{
	struct broker_session *session = client->session;
	struct mqtt_ack ack;
	size_t i;

	ck_assert_int_eq(mqtt_ack_read(&ack, packet, MQTT_5), MQTT_SUCCESS);
	if (ack.type == MQTT_PUBREL) {
		session->taken[ack.packet_id] = false;
		write_ack(client, MQTT_PUBCOMP, ack.packet_id);
		return;
	}
	for (i = 0; i < session->delivery_count; i++)
		if (session->deliveries[i].packet_id == ack.packet_id)
			break;
	if (i == session->delivery_count)
		return;
	if (ack.type == MQTT_PUBREC) {
		session->deliveries[i].released = true;
		write_ack(client, MQTT_PUBREL, ack.packet_id);
		return;
	}
	session->delivery_count--;
	memmove(&session->deliveries[i], &session->deliveries[i + 1],
		(session->delivery_count - i) * sizeof(session->deliveries[0]));
}

static void on_subscribe(struct broker_client *client, const struct mqtt_packet *packet)
{
	static const uint8_t granted = 2;
	struct mqtt_subscribe subscribe;
	struct mqtt_suback suback = {.type = MQTT_SUBACK, .reasons = {&granted, 1}};

	ck_assert_int_eq(mqtt_subscribe_read(&subscribe, packet, MQTT_5), MQTT_SUCCESS);
	client->session->subscribed = true;
	suback.packet_id = subscribe.packet_id;
	mqtt_properties_init(&suback.properties);
	mqtt_suback_write(&client->output, &suback, MQTT_5);
}

static void on_packet(struct broker_client *client, const struct mqtt_packet *packet)
{
	if (broker.mute && packet->type != MQTT_CONNECT)
		return;
	switch (packet->type) {
	case MQTT_CONNECT:
		on_connect(client, packet);
		break;
	case MQTT_PUBLISH:
		on_publish(client, packet);
		break;
	case MQTT_SUBSCRIBE:
		on_subscribe(client, packet);
		break;
	case MQTT_PINGREQ:
		broker.pings++;
		mqtt_ping_write(&client->output, MQTT_PINGRESP);
		break;
	case MQTT_DISCONNECT:
		broker.disconnects++;
		client->finishing = true;
		break;
	default:
		on_ack(client, packet);
		break;
	}
}

/* ---- Relays ---------------------------------------------------------------------- */

static void read_all(struct broker_client *client)
{
	const uint8_t *data;
	size_t len;

	while (client->relay != NULL && mquic_relay_peek(client->relay, &data, &len) == MQUIC_OK &&
	       len > 0) {
		struct bytes input = {data, len};
		struct mqtt_packet packet;
		enum mqtt_framing_result result;

		while ((result = mqtt_framing_next(&client->framing, &input, &packet)) ==
		       MQTT_FRAMING_PACKET)
			on_packet(client, &packet);
		ck_assert_int_eq(result, MQTT_FRAMING_MORE);
		ck_assert_int_eq(mquic_relay_consume(client->relay, len), MQUIC_OK);
	}
	flush(client);
}

static void forget(struct broker_client *client)
{
	mquic_relay_free(client->relay);
	mqtt_framing_clear(&client->framing);
	buf_writer_clear(&client->output);
	memset(client, 0, sizeof(*client));
}

static void accept_all(struct sim_host *host)
{
	struct mquic_connection *connection;

	while (mquic_endpoint_accept(host->endpoint, &connection) == MQUIC_OK) {
		struct broker_client *client = broker.clients;

		while (client->relay != NULL)
			client++;
		ck_assert(client < broker.clients + BROKER_CLIENTS);
		ck_assert_int_eq(mquic_relay_new(&client->relay, connection, 2000, 4096), MQUIC_OK);
		mquic_relay_set_userdata(client->relay, client);
		mqtt_framing_init(&client->framing, MQTT_PACKET_MAX);
		buf_writer_init(&client->output, SIZE_MAX);
	}
}

static void show(struct broker_client *client)
{
	const char *name = mquic_relay_username(client->relay, NULL);

	memset(broker.old_username, 0, sizeof(broker.old_username));
	if (name != NULL)
		strncpy(broker.old_username, name, sizeof(broker.old_username) - 1);
	if (broker.new_username != NULL)
		ck_assert_int_eq(mquic_relay_set_username(client->relay, broker.new_username,
							  MQUIC_NUL_TERMINATED),
				 MQUIC_OK);
	ck_assert_int_eq(mquic_relay_open(client->relay), MQUIC_OK);
}

static void on_event(struct sim_host *host, struct mquic_event *event)
{
	struct broker_client *client = mquic_relay_get_userdata(mquic_event_relay(event));

	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		accept_all(host);
		break;
	case MQUIC_EVENT_RELAY_CONNECT:
		show(client);
		break;
	case MQUIC_EVENT_RELAY_READABLE:
		read_all(client);
		break;
	case MQUIC_EVENT_RELAY_WRITABLE:
		flush(client);
		break;
	case MQUIC_EVENT_RELAY_CLOSED:
		broker.closed++;
		broker.closed_code = mquic_event_code(event);
		forget(client);
		break;
	default:
		break;
	}
}

void broker_start(void)
{
	memset(&broker, 0, sizeof(broker));
	broker.hang_up_code = 2;
	pair.server->on_event = on_event;
	pair_listen();
}

void broker_stop(void)
{
	size_t i;

	for (i = 0; i < BROKER_CLIENTS; i++)
		if (broker.clients[i].relay != NULL)
			forget(&broker.clients[i]);
}
