/* SPDX-License-Identifier: MIT */
/*
 * A handshake costs what a hundred messages cost, and an answer to a stranger as much as some. After
 * a power cut thousands come at once, in a flood as many as the line takes, and all that clients
 * send meanwhile stands behind them. So a turn has room for some of either, and goes on to what is
 * for clients; the others wait for the next turns.
 */
#include <stdlib.h>
#include <string.h>

#include "quic/body.h"
#include "quic/newcomers.h"

/* Each in one turn: half a millisecond or less. */
#define ANSWERS_MOST    32
#define HANDSHAKES_MOST 1
/* Datagrams, some 6 MB: what is lost comes again after a second, then two, four, and so on. */
#define WAITING_MOST 4096

struct newcomer {
	struct list link;
	struct wire *wire;
	struct datagram datagram;
	uint8_t data[];
};

void newcomers_fini(struct quic_newcomers *newcomers)
{
	struct list *node;

	list_remove(&newcomers->task.link);
	while ((node = list_take_first(&newcomers->waiting)) != NULL)
		free(list_entry(node, struct newcomer, link));
}

static bool is_new_turn(const struct quic_host *host)
{
	return host->newcomers.turn != endpoint_turn_number(host->endpoint) ||
	       host->newcomers.now_ns != endpoint_now(host->endpoint);
}

static bool take(struct quic_host *host, unsigned int *taken, unsigned int most)
{
	struct quic_newcomers *newcomers = &host->newcomers;

	if (is_new_turn(host)) {
		newcomers->turn = endpoint_turn_number(host->endpoint);
		newcomers->now_ns = endpoint_now(host->endpoint);
		newcomers->answers = 0;
		newcomers->handshakes = 0;
	}
	if (*taken >= most)
		return false;
	(*taken)++;
	return true;
}

bool newcomers_may_answer(struct quic_host *host)
{
	return take(host, &host->newcomers.answers, ANSWERS_MOST);
}

bool newcomers_may_begin(struct quic_host *host)
{
	return take(host, &host->newcomers.handshakes, HANDSHAKES_MOST);
}

static struct newcomer *copy(struct wire *wire, const struct datagram *datagram)
{
	struct newcomer *made = malloc(sizeof(*made) + datagram->len);

	if (made == NULL)
		return NULL;
	memset(&made->link, 0, sizeof(made->link));
	made->wire = wire;
	made->datagram = *datagram;
	made->datagram.data = made->data;
	memcpy(made->data, datagram->data, datagram->len);
	return made;
}

void newcomers_keep(struct quic_host *host, struct wire *wire, const struct datagram *datagram)
{
	struct quic_newcomers *newcomers = &host->newcomers;
	struct newcomer *made =
		newcomers->waiting_count < WAITING_MOST ? copy(wire, datagram) : NULL;

	if (made == NULL) {
		host_count(host, MQUIC_TOTAL_DROPPED_BUSY);
		return;
	}
	list_append(&newcomers->waiting, &made->link);
	newcomers->waiting_count++;
	endpoint_schedule(host->endpoint, &newcomers->task);
}

/* Whatever it is that waits. */
static bool has_room(const struct quic_host *host)
{
	return is_new_turn(host) || (host->newcomers.handshakes < HANDSHAKES_MOST &&
				     host->newcomers.answers < ANSWERS_MOST);
}

bool newcomers_take(struct quic_host *host, struct wire **wire, struct datagram *datagram,
		    void **memory)
{
	struct newcomer *newcomer;
	struct list *node = has_room(host) ? list_take_first(&host->newcomers.waiting) : NULL;

	if (node == NULL)
		return false;
	newcomer = list_entry(node, struct newcomer, link);
	host->newcomers.waiting_count--;
	*wire = newcomer->wire;
	*datagram = newcomer->datagram;
	*memory = newcomer;
	return true;
}
