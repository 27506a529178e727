/* SPDX-License-Identifier: MIT */
/* A connection of QUIC carries a session; its streams are the lanes. See carrier.h. */
#include <stdio.h>
#include <stdlib.h>

#include "core/list.h"
#include "core/settings.h"
#include "quic/connection.h"
#include "session/carrier.h"

/* Routers forget silent UDP flows after 30 s, and MQTT's PINGREQ comes too late to notice soon that
 * a server was restarted. */
#define PING_MS 20000

struct quic_carrier {
	struct carrier carrier;
	struct mquic_connection *connection;
	uint64_t ping_ms; /* when to send PINGs, if the peer does not want them sooner */
	const struct carrier_user *user;
	void *self;
};

struct quic_lane {
	struct carrier_lane lane;
	struct mquic_stream *stream;
};

static struct quic_carrier *carrier_of(const struct carrier *carrier)
{
	return list_entry(carrier, struct quic_carrier, carrier);
}

static struct mquic_stream *stream_of(const struct carrier_lane *lane)
{
	return list_entry(lane, struct quic_lane, lane)->stream;
}

static struct carrier_lane *lane_of(const struct mquic_stream *stream)
{
	return mquic_stream_get_userdata(stream);
}

/* ---- What the connection tells ------------------------------------------ */

static void ready(void *self)
{
	struct quic_carrier *carrier = self;
	uint64_t idle_ms = connection_idle_timeout_ms(carrier->connection);
	uint64_t ping_ms = carrier->ping_ms;

	/* Either side may drop us between two of MQTT's own pings: QUIC's fill the gap. */
	if (idle_ms > 0 && ping_ms > idle_ms / 2)
		ping_ms = idle_ms / 2;
	connection_set_keep_alive_ms(carrier->connection, ping_ms);
	carrier->user->ready(carrier->self);
}

static void stream_acceptable(void *self)
{
	struct quic_carrier *carrier = self;
	struct mquic_stream *stream = NULL;

	/* A server opens no stream in MQTT over QUIC. */
	while (mquic_connection_accept_stream(carrier->connection, &stream) == MQUIC_OK)
		mquic_stream_free(stream);
}

static void stream_readable(void *self, struct mquic_stream *stream)
{
	struct quic_carrier *carrier = self;

	carrier->user->readable(carrier->self, lane_of(stream));
}

static void stream_writable(void *self, struct mquic_stream *stream)
{
	struct quic_carrier *carrier = self;

	carrier->user->writable(carrier->self, lane_of(stream));
}

static void stream_flushed(void *self, struct mquic_stream *stream)
{
	struct quic_carrier *carrier = self;

	carrier->user->flushed(carrier->self, lane_of(stream));
}

static void ended(void *self, const struct quic_end *end)
{
	struct quic_carrier *carrier = self;
	struct carrier_end told = {
		.status = end->status,
		.origin = end->origin,
		.code = end->code,
		.hung_up = end->origin == MQUIC_ORIGIN_PEER && end->code != MQUIC_CLOSE_OVERLOADED,
	};

	(void)snprintf(told.text, sizeof(told.text), "%s", end->text);
	carrier->user->ended(carrier->self, &told);
}

static const struct connection_observer observer = {
	.ready = ready,
	.stream_acceptable = stream_acceptable,
	.stream_readable = stream_readable,
	.stream_writable = stream_writable,
	.stream_flushed = stream_flushed,
	.stream_closed = stream_readable, /* looking at it says how */
	.ended = ended,
};

/* ---- The connection ----------------------------------------------------- */

/* It should not end by itself while its user has nothing to say. */
static void stretch_idle_timeout(struct mquic_settings *settings, uint64_t quiet_ms)
{
	if (settings->idle_timeout_ms != 0 && settings->idle_timeout_ms < quiet_ms)
		settings->idle_timeout_ms = quiet_ms;
}

static enum mquic_status dial(struct carrier **carrier, const struct carrier_plan *plan,
			      struct error *error)
{
	struct quic_carrier *made = calloc(1, sizeof(*made));
	enum mquic_status status;

	if (made == NULL)
		return error_set(error, MQUIC_ERR_MEMORY, "out of memory");
	stretch_idle_timeout(plan->settings, plan->quiet_ms);
	status = mquic_connection_dial(&made->connection, plan->endpoint, plan->settings,
				       plan->host, plan->port == 0 ? MQUIC_PORT : plan->port);
	if (status != MQUIC_OK) {
		free(made);
		return error_set(error, status, "%s", mquic_endpoint_error(plan->endpoint));
	}
	made->carrier.kind = &carrier_quic;
	made->ping_ms =
		plan->settings->keep_alive_ms_told ? plan->settings->keep_alive_ms : PING_MS;
	made->user = plan->user;
	made->self = plan->self;
	connection_observe(made->connection, &observer, made);
	*carrier = &made->carrier;
	return MQUIC_OK;
}

static void close_carrier(struct carrier *carrier, const char *reason)
{
	(void)mquic_connection_close(carrier_of(carrier)->connection, 0, reason);
}

static void free_carrier(struct carrier *carrier)
{
	mquic_connection_free(carrier_of(carrier)->connection);
	free(carrier_of(carrier));
}

static struct mquic_connection *connection_of(const struct carrier *carrier)
{
	return carrier_of(carrier)->connection;
}

/* ---- Its streams -------------------------------------------------------- */

static enum mquic_status open_lane(struct carrier_lane **lane, struct carrier *carrier)
{
	struct quic_lane *made = calloc(1, sizeof(*made));
	enum mquic_status status;

	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	status = mquic_stream_open(&made->stream, carrier_of(carrier)->connection);
	if (status != MQUIC_OK) {
		free(made);
		return status;
	}
	made->lane.kind = &carrier_quic;
	mquic_stream_set_userdata(made->stream, &made->lane);
	*lane = &made->lane;
	return MQUIC_OK;
}

static void close_lane(struct carrier_lane *lane)
{
	mquic_stream_free(stream_of(lane));
	free(list_entry(lane, struct quic_lane, lane));
}

static enum mquic_status peek(struct carrier_lane *lane, const uint8_t **data, size_t *len)
{
	return mquic_stream_peek(stream_of(lane), data, len);
}

static void consume(struct carrier_lane *lane, size_t len)
{
	(void)mquic_stream_consume(stream_of(lane), len);
}

static enum mquic_status send_bytes(struct carrier_lane *lane, const uint8_t *data, size_t len,
				    size_t *sent)
{
	return mquic_stream_send(stream_of(lane), data, len, sent);
}

static struct carrier_progress progress(const struct carrier_lane *lane)
{
	const struct mquic_stream *stream = stream_of(lane);
	uint64_t taken = mquic_stream_bytes_sent(stream);

	return (struct carrier_progress){
		.taken = taken,
		.acknowledged = taken - mquic_stream_bytes_pending(stream),
	};
}

const struct carrier_kind carrier_quic = {
	.dial = dial,
	.close = close_carrier,
	.free = free_carrier,
	.connection = connection_of,
	.open = open_lane,
	.close_lane = close_lane,
	.peek = peek,
	.consume = consume,
	.send = send_bytes,
	.progress = progress,
};
