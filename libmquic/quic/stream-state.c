/* SPDX-License-Identifier: MIT */
#include "quic/stream-state.h"

#include "quic/stream.h"

#define BIT(state) (1U << (state))

/* One machine: the names of its states, and for each those that may follow. */
struct machine {
	const char *const *names;
	const unsigned int *following;
};

static const char *const life_names[] = {
	[STREAM_WAITING] = "WAITING",
	[STREAM_OPEN] = "OPEN",
	[STREAM_CLOSED] = "CLOSED",
	[STREAM_TOLD] = "TOLD",
};

static const unsigned int life_following[] = {
	[STREAM_WAITING] = BIT(STREAM_OPEN) | BIT(STREAM_CLOSED),
	[STREAM_OPEN] = BIT(STREAM_CLOSED),
	[STREAM_CLOSED] = BIT(STREAM_TOLD),
	[STREAM_TOLD] = 0,
};

static const char *const sending_names[] = {
	[SENDING_SEND] = "SEND",           [SENDING_FINISHING] = "FINISHING",
	[SENDING_DATA_SENT] = "DATA_SENT", [SENDING_RESET_SENT] = "RESET_SENT",
	[SENDING_STOPPED] = "STOPPED",
};

static const unsigned int sending_following[] = {
	[SENDING_SEND] = BIT(SENDING_FINISHING) | BIT(SENDING_RESET_SENT) | BIT(SENDING_STOPPED),
	[SENDING_FINISHING] =
		BIT(SENDING_DATA_SENT) | BIT(SENDING_RESET_SENT) | BIT(SENDING_STOPPED),
	[SENDING_DATA_SENT] = BIT(SENDING_RESET_SENT),
	[SENDING_RESET_SENT] = 0,
	[SENDING_STOPPED] = 0,
};

static const char *const receiving_names[] = {
	[RECEIVING_RECV] = "RECV",           [RECEIVING_DATA_RECVD] = "DATA_RECVD",
	[RECEIVING_DATA_READ] = "DATA_READ", [RECEIVING_RESET_RECVD] = "RESET_RECVD",
	[RECEIVING_GIVEN_UP] = "GIVEN_UP",
};

static const unsigned int receiving_following[] = {
	[RECEIVING_RECV] =
		BIT(RECEIVING_DATA_RECVD) | BIT(RECEIVING_RESET_RECVD) | BIT(RECEIVING_GIVEN_UP),
	[RECEIVING_DATA_RECVD] = BIT(RECEIVING_DATA_READ) | BIT(RECEIVING_GIVEN_UP),
	[RECEIVING_DATA_READ] = BIT(RECEIVING_GIVEN_UP),
	[RECEIVING_RESET_RECVD] = 0,
	[RECEIVING_GIVEN_UP] = 0,
};

static const struct machine life = {life_names, life_following};
static const struct machine sending = {sending_names, sending_following};
static const struct machine receiving = {receiving_names, receiving_following};

/* Whether the machine goes from there to there; then it is logged. */
static bool goes(const struct mquic_stream *stream, const struct machine *machine,
		 unsigned int from, unsigned int to)
{
	const struct mquic_connection *connection = stream->connection;

	if ((machine->following[from] & BIT(to)) == 0)
		return false;
	if (connection != NULL && connection->endpoint != NULL)
		log_part_step(endpoint_log(connection->endpoint), "connection", connection->number,
			      "stream", stream->id, machine->names[from], machine->names[to]);
	return true;
}

bool stream_live(struct mquic_stream *stream, enum stream_life to)
{
	if (!goes(stream, &life, stream->life, to))
		return false;
	stream->life = to;
	return true;
}

bool stream_step_sending(struct mquic_stream *stream, enum stream_sending to)
{
	if (!goes(stream, &sending, stream->sending, to))
		return false;
	stream->sending = to;
	return true;
}

bool stream_step_receiving(struct mquic_stream *stream, enum stream_receiving to)
{
	if (!goes(stream, &receiving, stream->receiving, to))
		return false;
	stream->receiving = to;
	return true;
}
