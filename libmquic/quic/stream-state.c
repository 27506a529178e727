/* SPDX-License-Identifier: MIT */
#include "quic/stream-state.h"

#include "quic/stream.h"

#define BIT(state) (1U << (state))

/* One state of a machine: its name, and those that may follow. */
struct state {
	char name[12];
	uint8_t following;
};

static const struct state life[] = {
	[STREAM_WAITING] = {"WAITING", BIT(STREAM_OPEN) | BIT(STREAM_CLOSED)},
	[STREAM_OPEN] = {"OPEN", BIT(STREAM_CLOSED)},
	[STREAM_CLOSED] = {"CLOSED", BIT(STREAM_TOLD)},
	[STREAM_TOLD] = {"TOLD", 0},
};

static const struct state sending[] = {
	[SENDING_SEND] = {"SEND",
			  BIT(SENDING_FINISHING) | BIT(SENDING_RESET_SENT) | BIT(SENDING_STOPPED)},
	[SENDING_FINISHING] = {"FINISHING", BIT(SENDING_DATA_SENT) | BIT(SENDING_RESET_SENT) |
						    BIT(SENDING_STOPPED)},
	[SENDING_DATA_SENT] = {"DATA_SENT", BIT(SENDING_RESET_SENT)},
	[SENDING_RESET_SENT] = {"RESET_SENT", 0},
	[SENDING_STOPPED] = {"STOPPED", 0},
};

static const struct state receiving[] = {
	[RECEIVING_RECV] = {"RECV", BIT(RECEIVING_DATA_RECVD) | BIT(RECEIVING_RESET_RECVD) |
					    BIT(RECEIVING_GIVEN_UP)},
	[RECEIVING_DATA_RECVD] = {"DATA_RECVD", BIT(RECEIVING_DATA_READ) | BIT(RECEIVING_GIVEN_UP)},
	[RECEIVING_DATA_READ] = {"DATA_READ", BIT(RECEIVING_GIVEN_UP)},
	[RECEIVING_RESET_RECVD] = {"RESET_RECVD", 0},
	[RECEIVING_GIVEN_UP] = {"GIVEN_UP", 0},
};

/* Whether the machine goes from there to there; then it is logged. */
static bool goes(const struct mquic_stream *stream, const struct state *machine, unsigned int from,
		 unsigned int to)
{
	const struct mquic_connection *connection = stream->connection;

	if ((machine[from].following & BIT(to)) == 0)
		return false;
	if (connection != NULL && connection->endpoint != NULL)
		log_part_step(endpoint_log(connection->endpoint), "connection", connection->number,
			      "stream", stream->id, machine[from].name, machine[to].name);
	return true;
}

bool stream_live(struct mquic_stream *stream, enum stream_life to)
{
	if (!goes(stream, life, stream->life, to))
		return false;
	stream->life = to;
	return true;
}

bool stream_step_sending(struct mquic_stream *stream, enum stream_sending to)
{
	if (!goes(stream, sending, stream->sending, to))
		return false;
	stream->sending = to;
	return true;
}

bool stream_step_receiving(struct mquic_stream *stream, enum stream_receiving to)
{
	if (!goes(stream, receiving, stream->receiving, to))
		return false;
	stream->receiving = to;
	return true;
}
