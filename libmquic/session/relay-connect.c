/* SPDX-License-Identifier: MIT */
/* The CONNECT of a relay's client: gathered, shown, given another user name. See relay.h. */
#include "session/relay.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/connect.h"
#include "mqtt/reason.h"

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
 * A CONNECT that we do not understand is the broker's to answer: with CONNACK for a version it does
 * not know ([MQTT-3.1.2-2]), or by hanging up. It is shown as protocol 0, and stays as it is.
 */
static bool look(struct mquic_relay *relay)
{
	struct mqtt_connect connect;
	bool understood =
		mqtt_connect_parse(&connect, relay->head, relay->head_len) == MQTT_SUCCESS;

	return understood ? keep_facts(relay, &connect) : text_set(&relay->client_id, "", 0);
}

/* The length is known after five bytes; until then they come one by one. */
static size_t bytes_wanted(const struct mquic_relay *relay)
{
	size_t total = 0;
	enum mqtt_scan scan = mqtt_connect_scan(relay->head, relay->head_len, &total);

	return scan == MQTT_SCAN_MORE && total > 0 ? total - relay->head_len : 1;
}

static enum mquic_status object(const char **objection, enum mquic_status status, const char *text)
{
	*objection = text;
	return status;
}

/* What there is of CONNECT so far. */
static enum mquic_status judge(struct mquic_relay *relay, const char **objection)
{
	size_t total = 0;
	enum mqtt_scan scan = mqtt_connect_scan(relay->head, relay->head_len, &total);

	if (total > relay->head_max)
		return object(objection, MQUIC_ERR_TOO_LARGE, "CONNECT is too large");
	if (scan == MQTT_SCAN_MALFORMED)
		return object(objection, MQUIC_ERR_PROTOCOL, "no CONNECT");
	if (scan == MQTT_SCAN_MORE)
		return MQUIC_ERR_AGAIN;
	return look(relay) ? MQUIC_OK : object(objection, MQUIC_ERR_MEMORY, "out of memory");
}

enum mquic_status relay_gather(struct mquic_relay *relay, const char **objection)
{
	enum mquic_status gathered = MQUIC_ERR_AGAIN;
	const uint8_t *data;
	size_t len;

	while (gathered == MQUIC_ERR_AGAIN) {
		enum mquic_status status = mquic_stream_peek(relay->stream, &data, &len);
		size_t wanted = bytes_wanted(relay);

		if (status == MQUIC_ERR_CLOSED)
			return object(objection, status, "the stream was reset before CONNECT");
		if (status != MQUIC_OK)
			break;
		if (len == 0)
			return object(objection, MQUIC_ERR_CLOSED,
				      "the stream ended before CONNECT");
		if (wanted > len)
			wanted = len;
		if (!append(relay, data, wanted))
			return object(objection, MQUIC_ERR_MEMORY, "out of memory");
		(void)mquic_stream_consume(relay->stream, wanted);
		gathered = judge(relay, objection);
	}
	return gathered;
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
