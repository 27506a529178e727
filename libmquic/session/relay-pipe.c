/* SPDX-License-Identifier: MIT */
/* An open relay: bytes both ways. On the way of every message. See relay.h. */
#include "session/relay.h"

#include <stdlib.h>

#include "mqtt/merge.h"

bool relay_has_unread(struct mquic_relay *relay)
{
	const uint8_t *data;
	size_t len;

	if (relay->merged && relay->head_read == relay->head_len)
		return relay_merge_has_unread(relay);
	return relay->head_read < relay->head_len ||
	       (mquic_stream_peek(relay->stream, &data, &len) == MQUIC_OK && len > 0);
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
	if (relay->head_read == relay->head_len && relay->merged)
		return relay_merge_peek(relay, data, len);
	if (relay->head_read == relay->head_len) {
		status = relay_of_stream(relay, mquic_stream_peek(relay->stream, data, len));
		if (status == MQUIC_ERR_CLOSED)
			relay_lose_stream(relay); /* reset, and all before it is read */
		return status;
	}
	*data = relay->head + relay->head_read;
	*len = relay->head_len - relay->head_read;
	return MQUIC_OK;
}

static void count_held(const struct mquic_relay *relay)
{
	size_t merge = relay->merge == NULL ? 0 : merge_memory(relay->merge);

	connection_set_held(relay->connection, relay->head_len + merge);
}

static void watch_client(struct mquic_relay *relay, const uint8_t *data, size_t len)
{
	if (relay->merge != NULL)
		merge_watch_client(relay->merge, bytes_of(data, len));
}

/* Once for each client. */
__attribute__((cold)) static enum mquic_status consume_head(struct mquic_relay *relay, size_t len)
{
	if (len > relay->head_len - relay->head_read)
		return error_set(&relay->error, MQUIC_ERR_INVALID,
				 "more than was shown cannot be consumed");
	watch_client(relay, relay->head + relay->head_read, len);
	relay->head_read += len;
	if (relay->head_read == relay->head_len) {
		free(relay->head);
		relay->head = NULL;
		relay->head_len = 0;
		relay->head_read = 0;
	}
	count_held(relay);
	return MQUIC_OK;
}

static enum mquic_status consume_stream(struct mquic_relay *relay, size_t len)
{
	const uint8_t *data;
	size_t shown;

	if (mquic_stream_peek(relay->stream, &data, &shown) == MQUIC_OK && len <= shown)
		watch_client(relay, data, len);
	count_held(relay);
	return relay_of_stream(relay, mquic_stream_consume(relay->stream, len));
}

enum mquic_status mquic_relay_consume(struct mquic_relay *relay, size_t len)
{
	enum mquic_status status = relay_demand(
		relay, RELAY_OPEN, "there is nothing to read before the relay is open");

	if (status != MQUIC_OK)
		return status;
	if (relay->head_read < relay->head_len)
		status = consume_head(relay, len);
	else if (relay->merged)
		status = relay_merge_consume(relay, len);
	else
		status = consume_stream(relay, len);
	if (relay->state == RELAY_LEFT && !relay_has_unread(relay))
		relay_tell_closed(relay);
	return status;
}

static enum mquic_status write_stream(struct mquic_relay *relay, const uint8_t *data, size_t len,
				      size_t *written)
{
	enum mquic_status status =
		relay_of_stream(relay, mquic_stream_send(relay->stream, data, len, written));

	if (*written > 0 && relay->merge != NULL) {
		merge_watch_broker(relay->merge, bytes_of(data, *written));
		relay_merge_start(relay);
	}
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
	if (relay->merged)
		return relay_merge_write(relay, data, len, written);
	return write_stream(relay, data, len, written);
}
