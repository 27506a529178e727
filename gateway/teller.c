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

void teller_list(struct teller *teller, const struct channel_message *message)
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
		.until_ms = clock_ms() + PATIENCE_MS,
	};
}

void teller_close(struct worker *worker, const struct channel_message *message)
{
	bool closed = worker_close_client(worker, message->limit);
	const struct control_answer answer = {
		.version = CONTROL_VERSION,
		.kind = closed ? CONTROL_CLOSED : CONTROL_UNKNOWN,
		.worker = message->number,
	};

	(void)send(message->fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(message->fd);
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

bool teller_go_on(struct teller *teller, const struct worker *worker)
{
	bool all = true;
	size_t i;

	for (i = 0; i < TELLER_READERS; i++) {
		struct teller_reader *reader = &teller->readers[i];

		if (reader->fd < 0)
			continue;
		if (tell_more(&teller->packet, reader, worker)) {
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
