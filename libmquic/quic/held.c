/* SPDX-License-Identifier: MIT */
/*
 * A client's 1-RTT packets that come before ngtcp2 is past the handshake, which it is when it
 * writes next. It would read them at once, and what they may carry (HANDSHAKE_DONE,
 * NEW_CONNECTION_ID) throws away state that this writing dereferences or asserts. They wait here, a
 * few of them; what is more is lost as on any network (RFC 9001 section 5.7).
 */
#include <stdlib.h>
#include <string.h>

#include <ngtcp2/ngtcp2.h>

#include "quic/held.h"

#define HELD_MAX 16

/* Less than a packet with a tag and what header protection samples (RFC 9001 section 5.4.2). */
#define SHORT_PACKET_MIN 21

#define LONG_HEADER 0x80

struct held_packet {
	struct list link;
	struct datagram datagram;
	uint8_t data[];
};

/* How much of a datagram are packets with long headers, as ngtcp2 is going to count. */
static size_t long_packets(const struct datagram *datagram)
{
	size_t used = 0;

	while (used < datagram->len && (datagram->data[used] & LONG_HEADER)) {
		size_t left = datagram->len - used;
		ngtcp2_pkt_hd hd;
		ngtcp2_ssize header = ngtcp2_pkt_decode_hd_long(&hd, datagram->data + used, left);

		/* Retry and Version Negotiation have no length: they are all there is. */
		if (header < 0 || hd.type == NGTCP2_PKT_RETRY ||
		    hd.type == NGTCP2_PKT_VERSION_NEGOTIATION || hd.len > left - (size_t)header)
			return datagram->len;
		used += (size_t)header + hd.len;
	}
	return used;
}

static void keep(struct quic_held *held, const struct datagram *datagram, size_t from)
{
	size_t len = datagram->len - from;
	struct held_packet *packet;

	if (len < SHORT_PACKET_MIN || held->count >= HELD_MAX)
		return;
	packet = malloc(sizeof(*packet) + len);
	if (packet == NULL)
		return;
	memset(&packet->link, 0, sizeof(packet->link));
	packet->datagram = *datagram;
	packet->datagram.data = packet->data;
	packet->datagram.len = len;
	memcpy(packet->data, datagram->data + from, len);
	list_append(&held->packets, &packet->link);
	held->count++;
}

void held_init(struct quic_held *held)
{
	list_init(&held->packets);
	held->count = 0;
	held->open = false;
}

size_t held_split(struct quic_held *held, const struct datagram *datagram)
{
	size_t now;

	if (held->open && list_is_empty(&held->packets))
		return datagram->len;
	now = long_packets(datagram);
	if (now < datagram->len)
		keep(held, datagram, now);
	return now;
}

bool held_take(struct quic_held *held, struct datagram *datagram, void **memory)
{
	struct list *node = held->open ? list_take_first(&held->packets) : NULL;
	struct held_packet *packet;

	if (node == NULL)
		return false;
	packet = list_entry(node, struct held_packet, link);
	held->count--;
	*datagram = packet->datagram;
	*memory = packet;
	return true;
}

void held_clear(struct quic_held *held)
{
	struct list *node;

	while ((node = list_take_first(&held->packets)) != NULL)
		free(list_entry(node, struct held_packet, link));
	held_init(held);
}
