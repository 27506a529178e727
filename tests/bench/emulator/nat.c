/* SPDX-License-Identifier: MIT */
#include "nat.h"

#include <netinet/in.h>

#define FIRST_PORT 1024
#define PORTS      (65536 - FIRST_PORT)
#define SHIFT      7919

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* Start of the UDP or TCP header; NULL if the packet has none (ICMP, a fragment). */
static uint8_t *ports(uint8_t *packet, size_t len, uint8_t *protocol)
{
	size_t header = (size_t)(packet[0] & 15) * 4;

	*protocol = packet[9];
	if (packet[0] >> 4 != 4 || (get16(packet + 6) & 0x1fff) != 0)
		return NULL;
	if (*protocol == IPPROTO_UDP && len >= header + 8)
		return packet + header;
	if (*protocol == IPPROTO_TCP && len >= header + 20)
		return packet + header;
	return NULL;
}

/* RFC 1624: the checksum after a 16-bit field has changed. */
static void change_port(uint8_t *transport, uint8_t protocol, size_t at, uint16_t port)
{
	uint8_t *check = transport + (protocol == IPPROTO_UDP ? 6 : 16);
	uint32_t sum = (uint16_t)~get16(check) + (uint32_t)(uint16_t)~get16(transport + at) + port;

	if (protocol != IPPROTO_UDP || get16(check) != 0) {
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		put16(check, (uint16_t)~sum);
	}
	put16(transport + at, port);
}

void nat_reset(struct nat *nat)
{
	nat->shift = SHIFT;
	nat->count = 0;
}

void nat_rebind(struct nat *nat)
{
	nat->shift = (uint16_t)((nat->shift + SHIFT) % PORTS);
	nat->count = 0;
}

static const struct nat_mapping *map(struct nat *nat, uint8_t protocol, uint16_t inside)
{
	struct nat_mapping *mapping;

	for (int i = 0; i < nat->count; i++)
		if (nat->mappings[i].protocol == protocol && nat->mappings[i].inside == inside)
			return &nat->mappings[i];
	if (nat->count == NAT_MAPPINGS || inside < FIRST_PORT)
		return NULL;
	mapping = &nat->mappings[nat->count++];
	mapping->protocol = protocol;
	mapping->inside = inside;
	mapping->outside = (uint16_t)((inside - FIRST_PORT + nat->shift) % PORTS + FIRST_PORT);
	return mapping;
}

bool nat_outward(struct nat *nat, uint8_t *packet, size_t len)
{
	const struct nat_mapping *mapping;
	uint8_t protocol;
	uint8_t *transport = ports(packet, len, &protocol);

	if (transport == NULL)
		return true;
	mapping = map(nat, protocol, get16(transport));
	if (mapping == NULL)
		return false;
	change_port(transport, protocol, 0, mapping->outside);
	return true;
}

bool nat_inward(const struct nat *nat, uint8_t *packet, size_t len)
{
	uint8_t protocol;
	uint8_t *transport = ports(packet, len, &protocol);

	if (transport == NULL)
		return true;
	for (int i = 0; i < nat->count; i++) {
		const struct nat_mapping *mapping = &nat->mappings[i];

		if (mapping->protocol == protocol && mapping->outside == get16(transport + 2)) {
			change_port(transport, protocol, 2, mapping->inside);
			return true;
		}
	}
	return false;
}
