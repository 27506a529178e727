/* SPDX-License-Identifier: MIT */
#include "traffic.h"

#include <string.h>

#define PORTION_MAX 8192

struct traffic_end traffic_client[TRAFFIC_ENDS];
struct traffic_end traffic_server[TRAFFIC_ENDS];

static size_t opened;
static size_t first; /* the number of the first on this connection, which may not be new */
static uint64_t answer_bytes;

static uint8_t byte_at(uint64_t seed, uint64_t offset)
{
	uint64_t mixed = (offset + 1) * (seed * 2 + 1) * 0x9e3779b97f4a7c15U;

	return (uint8_t)(mixed >> 47);
}

void traffic_send(struct traffic_end *end)
{
	uint8_t bytes[PORTION_MAX];

	while (end->sent < end->to_send) {
		size_t len = 1 + sim_below(pair.sim, end->portion);
		enum mquic_status status;
		size_t taken;
		size_t i;

		if (len > end->to_send - end->sent)
			len = end->to_send - end->sent;
		for (i = 0; i < len; i++)
			bytes[i] = byte_at(end->seed, end->sent + i);
		status = mquic_stream_send(end->stream, bytes, len, &taken);
		if (status != MQUIC_OK)
			return;
		ck_assert_uint_gt(taken, 0);
		ck_assert_uint_le(taken, len);
		end->sent += taken;
		if (mquic_stream_bytes_pending(end->stream) > end->most_pending)
			end->most_pending = mquic_stream_bytes_pending(end->stream);
	}
	if (!end->finished && !end->endless)
		end->finished = mquic_stream_finish(end->stream) == MQUIC_OK;
}

void traffic_receive(struct traffic_end *end)
{
	/* What the other end sends has the other parity. */
	uint64_t seed = end->seed ^ 1;
	uint8_t bytes[PORTION_MAX];

	while (!end->paused && !end->fin_seen && end->broken == MQUIC_OK) {
		size_t len;
		size_t i;
		enum mquic_status status = mquic_stream_recv(
			end->stream, bytes, 1 + sim_below(pair.sim, end->portion), &len);

		if (status == MQUIC_ERR_AGAIN)
			return;
		if (status != MQUIC_OK) {
			end->broken = status;
			return;
		}
		end->fin_seen = len == 0;
		for (i = 0; i < len && bytes[i] == byte_at(seed, end->received + i); i++)
			;
		ck_assert_msg(i == len, "byte %llu is wrong",
			      (unsigned long long)(end->received + i));
		end->received += len;
		ck_assert_uint_eq(mquic_stream_bytes_received(end->stream), end->received);
	}
}

static void begin(struct traffic_end *end, struct mquic_stream *stream, uint64_t seed,
		  uint64_t bytes)
{
	end->stream = stream;
	end->seed = seed;
	end->to_send = bytes;
	if (end->portion == 0)
		end->portion = 1 + sim_below(pair.sim, PORTION_MAX);
	mquic_stream_set_userdata(stream, end);
	traffic_send(end);
}

static void accept_streams(struct mquic_connection *connection)
{
	struct mquic_stream *stream;

	while (mquic_connection_accept_stream(connection, &stream) == MQUIC_OK) {
		size_t number = (size_t)mquic_stream_id(stream) / 4 - first;

		ck_assert_uint_lt(number, TRAFFIC_ENDS);
		begin(&traffic_server[number], stream, 2 * number + 1, answer_bytes);
	}
}

static void on_event(struct pair *unused, struct sim_host *host, struct mquic_event *event)
{
	struct mquic_stream *stream = mquic_event_stream(event);
	struct traffic_end *end = mquic_stream_get_userdata(stream);

	(void)unused;
	(void)host;
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		accept_streams(mquic_event_connection(event));
		break;
	case MQUIC_EVENT_STREAM_READABLE:
		traffic_receive(end);
		break;
	case MQUIC_EVENT_STREAM_WRITABLE:
		end->writable++;
		traffic_send(end);
		break;
	case MQUIC_EVENT_STREAM_CLOSED:
		end->closed++;
		end->close_code = mquic_event_code(event);
		break;
	default:
		break;
	}
}

void traffic_start(uint64_t answer)
{
	memset(traffic_client, 0, sizeof(traffic_client));
	memset(traffic_server, 0, sizeof(traffic_server));
	opened = 0;
	answer_bytes = answer;
	pair.on_event = on_event;
}

void traffic_stop(void)
{
	size_t i;

	for (i = 0; i < TRAFFIC_ENDS; i++) {
		mquic_stream_free(traffic_client[i].stream);
		mquic_stream_free(traffic_server[i].stream);
		traffic_client[i].stream = NULL;
		traffic_server[i].stream = NULL;
	}
}

size_t traffic_open(uint64_t bytes)
{
	struct mquic_stream *stream;

	ck_assert_uint_lt(opened, TRAFFIC_ENDS);
	ck_assert_int_eq(mquic_stream_open(&stream, pair.dialed), MQUIC_OK);
	if (opened == 0)
		first = mquic_stream_id(stream) > 0 ? (size_t)mquic_stream_id(stream) / 4 : 0;
	begin(&traffic_client[opened], stream, 2 * opened, bytes);
	return opened++;
}

bool traffic_is_done(void *unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < opened; i++)
		if (!traffic_client[i].fin_seen || !traffic_server[i].fin_seen ||
		    traffic_client[i].received != answer_bytes ||
		    traffic_server[i].received != traffic_client[i].to_send)
			return false;
	return true;
}
