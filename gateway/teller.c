/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "teller.h"
#include "../server/clock.h"

/* How long a reader may leave what it was told unread. */
#define PATIENCE_MS 5000

void teller_init(struct teller *teller)
{
	size_t i;

	for (i = 0; i < TELLER_READERS; i++)
		teller->readers[i].fd = -1;
}

void teller_take(struct teller *teller, const struct channel_message *message)
{
	size_t i = 0;

	while (i < TELLER_READERS && teller->readers[i].fd >= 0)
		i++;
	if (i == TELLER_READERS) {
		close(message->fd);
		return;
	}
	teller->readers[i] = (struct teller_reader){
		.fd = message->fd,
		.worker = message->number,
		.closes = message->type == CHANNEL_CLOSE,
		.told = message->type == CHANNEL_CLOSE ? message->limit : 0,
		.until_ms = clock_ms() + PATIENCE_MS,
	};
}

/* Sends the client away, and says so. */
static void close_client(const struct teller_reader *reader, struct worker *worker)
{
	bool closed = worker_close_client(worker, reader->told);
	const struct control_answer answer = {
		.version = CONTROL_VERSION,
		.kind = closed ? CONTROL_CLOSED : CONTROL_UNKNOWN,
		.worker = reader->worker,
	};

	(void)send(reader->fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* False: it is over. */
static bool tell_more(struct control_packet *packet, struct teller_reader *reader,
		      const struct worker *worker)
{
	size_t count = worker_list(worker, reader->told, packet->clients, CONTROL_CLIENTS_MAX);
	size_t len = sizeof(packet->head) + count * sizeof(packet->clients[0]);

	packet->head = (struct control_answer){
		.version = CONTROL_VERSION,
		.kind = count > 0 ? CONTROL_CLIENTS : CONTROL_DONE,
		.worker = reader->worker,
		.count = (uint32_t)count,
	};
	if (send(reader->fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == EAGAIN && clock_ms() < reader->until_ms;
	if (count == 0)
		return false;
	reader->told = packet->clients[count - 1].number;
	reader->until_ms = clock_ms() + PATIENCE_MS;
	return true;
}

/* False: it is over. */
static bool go_on(struct teller *teller, struct teller_reader *reader, struct worker *worker)
{
	if (!reader->closes)
		return tell_more(&teller->packet, reader, worker);
	close_client(reader, worker);
	return false;
}

bool teller_go_on(struct teller *teller, struct worker *worker)
{
	bool all = true;
	size_t i;

	for (i = 0; i < TELLER_READERS; i++) {
		struct teller_reader *reader = &teller->readers[i];

		if (reader->fd < 0)
			continue;
		if (go_on(teller, reader, worker)) {
			all = false;
		} else {
			close(reader->fd);
			reader->fd = -1;
		}
	}
	return all;
}

void teller_end(struct teller *teller)
{
	size_t i;

	for (i = 0; i < TELLER_READERS; i++)
		if (teller->readers[i].fd >= 0)
			close(teller->readers[i].fd);
	teller_init(teller);
}
