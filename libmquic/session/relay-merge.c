/* SPDX-License-Identifier: MIT */
/*
 * Several streams of one client. As long as there is one, its bytes go past the merge, which only
 * watches; with the second one they go through it. See relay.h and mqtt/merge.h.
 */
#include "session/relay.h"

#include <stdlib.h>

#include "mqtt/merge.h"
#include "quic/random.h"

/*
 * The broker has so many deliveries out to a client and no more (Mosquitto 20, see
 * max_inflight_messages): a data stream that holds on to half of them, and acknowledges none for
 * this long, would stop all others.
 */
#define HOARD_MAX 10
#define HOARD_NS  (10000 * (uint64_t)NS_PER_MS)

/* ---- Streams that come and go ------------------------------------------------------------- */

static void turn_away(struct mquic_stream *stream, uint64_t code)
{
	(void)mquic_stream_stop(stream, code);
	(void)mquic_stream_reset(stream, code);
	mquic_stream_free(stream);
}

/* The slot of a stream; 0: it is the control stream, or none of ours. */
static size_t slot_of(const struct mquic_relay *relay, const struct mquic_stream *stream)
{
	size_t slot;

	for (slot = 1; relay->streams != NULL && slot < MERGE_SLOTS; slot++)
		if (relay->streams[slot] == stream)
			return slot;
	return 0;
}

static void give_up(struct mquic_relay *relay, size_t slot, enum mqtt_reason reason)
{
	struct mquic_stream *stream = relay->streams[slot];
	/* The client's own end of it is answered with its own code, as EMQX does. */
	uint64_t code = reason == MQTT_SUCCESS ? stream_code(stream) : (uint64_t)reason;

	log_info(endpoint_log(relay->endpoint),
		 "relay %llu: stream %lld is given up: %s, code %llu; messages of QoS 0 it did not "
		 "take: %llu",
		 (unsigned long long)relay->number, (long long)mquic_stream_id(stream),
		 reason == MQTT_SUCCESS ? "by the client" : mquic_reason_text((uint8_t)reason),
		 (unsigned long long)code, (unsigned long long)merge_dropped(relay->merge, slot));
	relay->streams[slot] = NULL;
	turn_away(stream, code);
	merge_close(relay->merge, slot);
}

/* All is said and acknowledged: FIN goes alone, for some clients lose what comes with it. */
static void end_if_finished(struct mquic_relay *relay, size_t slot)
{
	struct mquic_stream *stream = relay->streams[slot];

	if (!merge_is_finished(relay->merge, slot) || mquic_stream_bytes_pending(stream) > 0)
		return;
	relay->streams[slot] = NULL;
	(void)mquic_stream_finish(stream);
	mquic_stream_free(stream);
	merge_close(relay->merge, slot);
}

/* ---- Moving bytes ---------------------------------------------------------------------------- */

/* MQUIC_ERR_CLOSED: the client reads no more of this stream. */
static enum mquic_status flush(struct mquic_relay *relay, size_t slot)
{
	struct mquic_stream *stream = slot == 0 ? relay->stream : relay->streams[slot];
	enum mquic_status status = MQUIC_OK;
	size_t sent = 1;

	while (status == MQUIC_OK && sent > 0) {
		struct bytes bytes = merge_output(relay->merge, slot);

		status = mquic_stream_send(stream, bytes.data, bytes.len, &sent);
		merge_consume_output(relay->merge, slot, sent);
	}
	return status;
}

static void settle_slot(struct mquic_relay *relay, size_t slot)
{
	enum mqtt_reason fault = merge_fault(relay->merge, slot);

	if (fault == MQTT_SUCCESS && flush(relay, slot) != MQUIC_ERR_CLOSED)
		end_if_finished(relay, slot);
	else
		give_up(relay, slot, fault);
}

static bool is_hoarding(const struct mquic_relay *relay, size_t slot, uint64_t *acknowledged)
{
	return relay->streams[slot] != NULL &&
	       merge_unacknowledged(relay->merge, slot, acknowledged) >= HOARD_MAX;
}

/* Looks again later whether those that hold on to much have let some of it go. */
static void watch_hoards(struct mquic_relay *relay)
{
	uint64_t acknowledged;
	bool any = false;
	size_t slot;

	for (slot = 1; slot < MERGE_SLOTS && !relay->watching; slot++) {
		if (!is_hoarding(relay, slot, &acknowledged))
			continue;
		any = true;
		relay->acknowledged[slot] = acknowledged;
	}
	if (!any)
		return;
	relay->watching = true;
	timer_set(endpoint_timers(relay->endpoint), &relay->timer,
		  endpoint_now(relay->endpoint) + HOARD_NS);
}

/* After each move: what was recorded is done, what was made is sent. */
static void settle(struct mquic_relay *relay)
{
	size_t slot;

	connection_set_held(relay->connection, relay->head_len + merge_memory(relay->merge));
	if (connection_is_over(relay->connection))
		return;
	if (merge_has_failed(relay->merge)) {
		relay_hang_up(relay, MQUIC_ERR_MEMORY, "out of memory");
		return;
	}
	for (slot = 1; slot < MERGE_SLOTS; slot++)
		if (relay->streams[slot] != NULL)
			settle_slot(relay, slot);
	if (flush(relay, 0) == MQUIC_ERR_CLOSED)
		relay_lose_stream(relay);
	else if (relay->state == RELAY_OPEN)
		watch_hoards(relay);
}

void relay_watch_hoards(struct mquic_relay *relay)
{
	size_t slot;

	relay->watching = false;
	for (slot = 1; slot < MERGE_SLOTS; slot++) {
		uint64_t acknowledged;

		if (relay->acknowledged[slot] != UINT64_MAX &&
		    is_hoarding(relay, slot, &acknowledged) &&
		    relay->acknowledged[slot] == acknowledged)
			give_up(relay, slot, MQTT_RECEIVE_MAXIMUM_EXCEEDED);
		relay->acknowledged[slot] = UINT64_MAX;
	}
	relay_merge_moved(relay);
}

/* Takes what a stream has. True: some of it. */
static bool pump_stream(struct mquic_relay *relay, size_t slot)
{
	struct mquic_stream *stream = slot == 0 ? relay->stream : relay->streams[slot];
	const uint8_t *data;
	size_t len;
	bool moved = false;
	enum mquic_status status;

	while ((status = mquic_stream_peek(stream, &data, &len)) == MQUIC_OK && len > 0) {
		struct bytes input = bytes_of(data, len);

		merge_take(relay->merge, slot, &input);
		moved |= input.len < len;
		(void)mquic_stream_consume(stream, len - input.len);
		if (input.len > 0)
			return moved;
	}
	if (slot > 0 && status == MQUIC_OK)
		merge_finish(relay->merge, slot);
	else if (slot > 0 && status == MQUIC_ERR_CLOSED && !connection_is_over(relay->connection))
		give_up(relay, slot, MQTT_SUCCESS);
	return moved;
}

/*
 * What the broker takes at a time may be less than what one stream has: the one behind the first
 * that got something has the next turn. DISCONNECT waits for all, since what is behind it is lost.
 */
static bool pump_all(struct mquic_relay *relay)
{
	size_t first = MERGE_SLOTS;
	size_t i;

	merge_let_leave(relay->merge, false);
	for (i = 0; i < MERGE_SLOTS; i++) {
		size_t slot = (relay->turn + i) % MERGE_SLOTS;

		if ((slot == 0 || relay->streams[slot] != NULL) && pump_stream(relay, slot) &&
		    first == MERGE_SLOTS)
			first = slot;
	}
	merge_let_leave(relay->merge, true);
	if (first < MERGE_SLOTS)
		relay->turn = (first + 1) % MERGE_SLOTS;
	return pump_stream(relay, 0) || first < MERGE_SLOTS;
}

static void pump(struct mquic_relay *relay)
{
	while (merge_up(relay->merge).len == 0 && pump_all(relay))
		;
	settle(relay);
}

enum mquic_status relay_merge_peek(struct mquic_relay *relay, const uint8_t **data, size_t *len)
{
	enum mquic_status status;
	struct bytes up;

	if (merge_up(relay->merge).len == 0)
		pump(relay);
	up = merge_up(relay->merge);
	*data = up.data;
	*len = up.len;
	if (up.len > 0)
		return MQUIC_OK;
	status = relay_of_stream(relay, mquic_stream_peek(relay->stream, data, len));
	if (status == MQUIC_ERR_CLOSED)
		relay_lose_stream(relay);
	if (status != MQUIC_OK || *len == 0)
		return status;
	*data = NULL;
	*len = 0;
	return error_say(
		&relay->error, MQUIC_ERR_AGAIN,
		"what has come must wait for the broker; an event tells when it may go on");
}

enum mquic_status relay_merge_consume(struct mquic_relay *relay, size_t len)
{
	if (len > merge_up(relay->merge).len)
		return error_say(&relay->error, MQUIC_ERR_INVALID,
				 "more than was shown cannot be consumed");
	merge_consume_up(relay->merge, len);
	return MQUIC_OK;
}

bool relay_merge_has_unread(struct mquic_relay *relay)
{
	if (merge_up(relay->merge).len == 0)
		pump(relay);
	return merge_up(relay->merge).len > 0;
}

enum mquic_status relay_merge_write(struct mquic_relay *relay, const uint8_t *data, size_t len,
				    size_t *written)
{
	enum mquic_status status =
		relay_of_stream(relay, mquic_stream_send(relay->stream, NULL, 0, written));

	if (status != MQUIC_OK)
		return status;
	if (merge_is_full(relay->merge)) {
		relay->writable_wanted = true;
		return error_say(&relay->error, MQUIC_ERR_AGAIN,
				 "the send buffer is full; an event tells when there is room");
	}
	merge_give(relay->merge, bytes_of(data, len));
	*written = len;
	relay_merge_moved(relay);
	return MQUIC_OK;
}

uint64_t relay_pending(const struct mquic_relay *relay)
{
	uint64_t pending = mquic_stream_bytes_pending(relay->stream);
	size_t slot;

	if (!relay->merged)
		return pending;
	pending += merge_output(relay->merge, 0).len;
	for (slot = 1; slot < MERGE_SLOTS; slot++)
		if (relay->streams[slot] != NULL)
			pending += mquic_stream_bytes_pending(relay->streams[slot]) +
				   merge_output(relay->merge, slot).len;
	return pending;
}

/* ---- What happens ---------------------------------------------------------------------------- */

void relay_merge_moved(struct mquic_relay *relay)
{
	settle(relay);
	if (relay->state != RELAY_OPEN)
		return;
	if (merge_up(relay->merge).len > 0)
		(void)relay_push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
	if (!relay->writable_wanted || merge_is_full(relay->merge))
		return;
	relay->writable_wanted = false;
	(void)relay_push(relay, MQUIC_EVENT_RELAY_WRITABLE, &relay->writable_queued);
}

static void start(struct mquic_relay *relay)
{
	uint8_t chance[4] = {0};
	struct buf_reader reader = buf_reader_of(bytes_of(chance, sizeof(chance)));
	bool started;
	size_t slot;

	random_fill(chance, sizeof(chance));
	started = merge_start(relay->merge, buf_read_u32(&reader));
	relay->merged = merge_is_started(relay->merge);
	if (!started) {
		relay_hang_up(relay, MQUIC_ERR_MEMORY, "out of memory");
		return;
	}
	for (slot = 1; slot < MERGE_SLOTS; slot++)
		if (relay->streams[slot] != NULL)
			merge_open(relay->merge, slot);
	(void)relay_push(relay, MQUIC_EVENT_RELAY_READABLE, &relay->readable_queued);
}

void relay_merge_start(struct mquic_relay *relay)
{
	if (relay->streams != NULL && relay->merge != NULL && relay->state == RELAY_OPEN &&
	    !relay->merged && merge_is_accepted(relay->merge))
		start(relay);
}

/* A place for a stream; 0: there is none. */
static size_t find_place(struct mquic_relay *relay)
{
	size_t slot = 1;

	if (relay->streams == NULL) {
		relay->streams = calloc(MERGE_SLOTS, sizeof(*relay->streams));
		relay->acknowledged = calloc(MERGE_SLOTS, sizeof(*relay->acknowledged));
	}
	if (relay->streams == NULL || relay->acknowledged == NULL)
		return 0;
	while (slot < MERGE_SLOTS && relay->streams[slot] != NULL)
		slot++;
	return slot < MERGE_SLOTS ? slot : 0;
}

void relay_add_stream(struct mquic_relay *relay, struct mquic_stream *stream)
{
	bool late =
		relay->state > RELAY_OPEN || (relay->state > RELAY_WAITING && relay->protocol == 0);
	size_t slot = late ? 0 : find_place(relay);

	if (slot == 0) {
		turn_away(stream, late ? MQTT_IMPLEMENTATION_ERROR : MQTT_QUOTA_EXCEEDED);
		return;
	}
	relay->streams[slot] = stream;
	relay->acknowledged[slot] = UINT64_MAX; /* not that of who had the place before */
	if (relay->merged)
		merge_open(relay->merge, slot);
	else
		relay_merge_start(relay);
}

void relay_stream_over(struct mquic_relay *relay, struct mquic_stream *stream)
{
	size_t slot = slot_of(relay, stream);

	if (slot == 0 || connection_is_over(relay->connection))
		return;
	if (relay->merged) {
		give_up(relay, slot, MQTT_SUCCESS);
		relay_merge_moved(relay);
		return;
	}
	relay->streams[slot] = NULL;
	mquic_stream_free(stream);
}

void relay_merge_free(struct mquic_relay *relay)
{
	size_t slot;

	for (slot = 1; relay->streams != NULL && slot < MERGE_SLOTS; slot++)
		mquic_stream_free(relay->streams[slot]);
	free(relay->streams);
	free(relay->acknowledged);
	relay->streams = NULL;
	relay->acknowledged = NULL;
}
