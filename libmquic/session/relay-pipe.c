/* SPDX-License-Identifier: MIT */
/* An open relay: bytes both ways, and the end that the broker wants. See relay.h. */
#include "session/relay.h"

#include <stdlib.h>
#include <string.h>

bool relay_has_unread(const struct mquic_relay *relay)
{
	const uint8_t *data;
	size_t len;

	return relay->head_read < relay->head_len ||
	       (mquic_stream_peek(relay->stream, &data, &len) == MQUIC_OK && len > 0);
}

enum mquic_status mquic_relay_open(struct mquic_relay *relay)
{
	enum mquic_status status =
		relay_demand(relay, RELAY_SHOWN, "a relay is opened once, after RELAY_CONNECT");

	if (status != MQUIC_OK)
		return status;
	relay_step(relay, RELAY_OPEN);
	(void)relay_push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	return MQUIC_OK;
}

/* The stream knows why, the program asks the relay. */
static enum mquic_status of_stream(struct mquic_relay *relay, enum mquic_status status)
{
	if (status == MQUIC_OK)
		return MQUIC_OK;
	return error_say(&relay->error, status, mquic_stream_error(relay->stream));
}

enum mquic_status mquic_relay_peek(struct mquic_relay *relay, const uint8_t **data, size_t *len)
{
	enum mquic_status status;

	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (data == NULL || len == NULL)
		return error_say(&relay->error, MQUIC_ERR_INVALID,
				 "looking needs a place for the bytes and for their number");
	*data = NULL;
	*len = 0;
	status = relay_demand(relay, RELAY_OPEN,
			      "there is nothing to read before the relay is open");
	if (status != MQUIC_OK)
		return status;
	if (relay->head_read == relay->head_len) {
		status = of_stream(relay, mquic_stream_peek(relay->stream, data, len));
		if (status == MQUIC_ERR_CLOSED)
			relay_lose_stream(relay); /* reset, and all before it is read */
		return status;
	}
	*data = relay->head + relay->head_read;
	*len = relay->head_len - relay->head_read;
	return MQUIC_OK;
}

enum mquic_status mquic_relay_consume(struct mquic_relay *relay, size_t len)
{
	enum mquic_status status = relay_demand(
		relay, RELAY_OPEN, "there is nothing to read before the relay is open");

	if (status != MQUIC_OK)
		return status;
	if (relay->head_read < relay->head_len) {
		if (len > relay->head_len - relay->head_read)
			return error_set(&relay->error, MQUIC_ERR_INVALID,
					 "more than was shown cannot be consumed");
		relay->head_read += len;
		if (relay->head_read == relay->head_len) {
			free(relay->head);
			relay->head = NULL;
			relay->head_len = 0;
			relay->head_read = 0;
			connection_set_held(relay->connection, 0);
		}
	} else {
		status = of_stream(relay, mquic_stream_consume(relay->stream, len));
	}
	if (relay->state == RELAY_LEFT && !relay_has_unread(relay))
		relay_tell_closed(relay);
	return status;
}

enum mquic_status mquic_relay_write(struct mquic_relay *relay, const uint8_t *data, size_t len,
				    size_t *written)
{
	enum mquic_status status;

	if (relay == NULL)
		return MQUIC_ERR_INVALID;
	if (written == NULL)
		return error_say(&relay->error, MQUIC_ERR_INVALID,
				 "writing needs a place for how many bytes were taken");
	*written = 0;
	status = relay_demand(relay, RELAY_OPEN, "bytes can be written while the relay is open");
	if (status != MQUIC_OK)
		return status;
	return of_stream(relay, mquic_stream_send(relay->stream, data, len, written));
}

static enum mquic_status keep_farewell(struct mquic_relay *relay, const char *reason)
{
	if (reason == NULL)
		return MQUIC_OK;
	if (strlen(reason) > 256)
		return error_set(&relay->error, MQUIC_ERR_INVALID,
				 "a reason has at most 256 bytes");
	relay->farewell = strdup(reason);
	return relay->farewell != NULL
		       ? MQUIC_OK
		       : error_set(&relay->error, MQUIC_ERR_MEMORY, "out of memory");
}

enum mquic_status mquic_relay_finish(struct mquic_relay *relay, const char *reason)
{
	enum mquic_status status = relay_demand(
		relay, RELAY_OPEN, "only an open relay can be finished; close it instead");

	if (status == MQUIC_OK)
		status = keep_farewell(relay, reason);
	if (status != MQUIC_OK)
		return status;
	if (relay->state == RELAY_LEFT) {
		/* The broker will not take the rest of what the client sent. */
		relay_tell_closed(relay);
		return MQUIC_OK;
	}
	relay_step(relay, RELAY_FINISHING);
	if (mquic_stream_bytes_pending(relay->stream) == 0)
		return relay_say_good_bye(relay);
	relay_await_flush(relay, endpoint_now(relay->endpoint));
	return MQUIC_OK;
}
