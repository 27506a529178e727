/* SPDX-License-Identifier: MIT */
/* The CONNECT of a relay's client: gathered, shown, given another user name. See relay.h. */
#include "session/relay.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/connect.h"
#include "mqtt/reason.h"

static void reject(struct mquic_relay *relay, const char *text)
{
	(void)mquic_connection_close(relay->connection, CLOSE_CONTROL_GONE, text);
}

/* Copies what the caller may ask for; the packet itself stays for the broker. */
static bool keep_facts(struct mquic_relay *relay, const struct mqtt_connect *connect)
{
	relay->protocol = connect->version;
	relay->clean_start = connect->clean_start;
	relay->keep_alive_s = connect->keep_alive_s;
	return text_set(&relay->client_id,
			connect->client_id.data == NULL ? ""
							: (const char *)connect->client_id.data,
			connect->client_id.len) &&
	       text_set(&relay->username, (const char *)connect->username.data,
			connect->username.len);
}

/*
 * A CONNECT that we do not understand is the broker's to answer: with CONNACK for a version it does
 * not know ([MQTT-3.1.2-2]), or by hanging up. It is shown as protocol 0, and stays as it is.
 */
static void show(struct mquic_relay *relay)
{
	struct mqtt_connect connect;
	bool understood =
		mqtt_connect_parse(&connect, relay->head, relay->head_len) == MQTT_SUCCESS;

	if (!(understood ? keep_facts(relay, &connect) : text_set(&relay->client_id, "", 0))) {
		reject(relay, "out of memory");
		return;
	}
	relay->state = RELAY_SHOWN;
	connection_set_waiting(relay->connection, false);
	timer_set(&relay->endpoint->timers, &relay->timer, TIMER_NEVER);
	relay_push(relay, MQUIC_EVENT_RELAY_CONNECT, NULL);
}

static bool append(struct mquic_relay *relay, const uint8_t *data, size_t len)
{
	uint8_t *head = realloc(relay->head, relay->head_len + len);

	if (head == NULL)
		return false;
	memcpy(head + relay->head_len, data, len);
	relay->head = head;
	relay->head_len += len;
	connection_set_held(relay->connection, relay->head_len);
	return true;
}

/*
 * Takes the bytes of CONNECT from the stream, not one more. Returns false when there is nothing
 * to do until more bytes come.
 */
static bool take(struct mquic_relay *relay)
{
	const uint8_t *data;
	size_t len;
	size_t total = 0;
	size_t wanted;
	enum mqtt_scan scan;

	switch (mquic_stream_peek(relay->stream, &data, &len)) {
	case MQUIC_OK:
		break;
	case MQUIC_ERR_CLOSED:
		reject(relay, "the stream was reset before CONNECT");
		return false;
	default:
		return false;
	}
	if (len == 0) {
		reject(relay, "the stream ended before CONNECT");
		return false;
	}
	/* The length is known after five bytes; until then they come one by one. */
	scan = mqtt_connect_scan(relay->head, relay->head_len, &total);
	wanted = scan == MQTT_SCAN_MORE && total > 0 ? total - relay->head_len : 1;
	if (wanted > len)
		wanted = len;
	if (!append(relay, data, wanted)) {
		reject(relay, "out of memory");
		return false;
	}
	(void)mquic_stream_consume(relay->stream, wanted);
	scan = mqtt_connect_scan(relay->head, relay->head_len, &total);
	if (total > relay->head_max) {
		reject(relay, "CONNECT is too large");
		return false;
	}
	if (scan == MQTT_SCAN_COMPLETE) {
		show(relay);
		return false;
	}
	if (scan == MQTT_SCAN_MALFORMED)
		reject(relay, "no CONNECT");
	return scan == MQTT_SCAN_MORE;
}

void relay_gather(struct mquic_relay *relay)
{
	while (take(relay))
		;
}

void relay_forget_connect(struct mquic_relay *relay)
{
	text_clear(&relay->client_id);
	text_clear(&relay->username);
	free(relay->head);
	relay->head = NULL;
}

/* ---- Looking at CONNECT ------------------------------------------------- */

size_t mquic_relay_connect_size(const struct mquic_relay *relay)
{
	return relay == NULL ? 0 : relay->head_len;
}

int mquic_relay_protocol(const struct mquic_relay *relay)
{
	return relay == NULL ? 0 : relay->protocol;
}

static const char *show_text(const struct text *text, size_t *len)
{
	if (len != NULL)
		*len = text == NULL ? 0 : text->len;
	return text == NULL ? NULL : text->data;
}

const char *mquic_relay_client_id(const struct mquic_relay *relay, size_t *len)
{
	return show_text(relay == NULL ? NULL : &relay->client_id, len);
}

const char *mquic_relay_username(const struct mquic_relay *relay, size_t *len)
{
	return show_text(relay == NULL ? NULL : &relay->username, len);
}

bool mquic_relay_clean_start(const struct mquic_relay *relay)
{
	return relay != NULL && relay->clean_start;
}

uint16_t mquic_relay_keep_alive_s(const struct mquic_relay *relay)
{
	return relay == NULL ? 0 : relay->keep_alive_s;
}

enum mquic_status mquic_relay_set_username(struct mquic_relay *relay, const char *name, size_t len)
{
	uint8_t *packet;
	size_t packet_len;
	enum mquic_status status = relay_demand(
		relay, RELAY_SHOWN, "the user name is replaced between RELAY_CONNECT and open");

	if (status != MQUIC_OK)
		return status;
	if (name == NULL)
		return error_set(&relay->error, MQUIC_ERR_INVALID, "a user name is needed");
	status = mqtt_connect_replace_username(relay->head, relay->head_len, name,
					       text_length(name, len), &packet, &packet_len);
	if (status != MQUIC_OK)
		return error_set(&relay->error, status,
				 "the user name cannot be put into this CONNECT");
	free(relay->head);
	relay->head = packet;
	relay->head_len = packet_len;
	connection_set_held(relay->connection, packet_len);
	return MQUIC_OK;
}
