/* SPDX-License-Identifier: MIT */
/*
 * A NAT box in front of one host: the host's UDP and TCP ports appear outside as others.
 * Rebinding forgets every mapping and gives new ports, as a box does that has lost power.
 */
#ifndef NAT_H
#define NAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAT_MAPPINGS 64

struct nat_mapping {
	uint8_t protocol;
	uint16_t inside;
	uint16_t outside;
};

struct nat {
	bool active;
	uint16_t shift;
	int count;
	struct nat_mapping mappings[NAT_MAPPINGS];
};

void nat_reset(struct nat *nat);
void nat_rebind(struct nat *nat);
/* Rewrites the source port of an IPv4 packet that leaves; false: drop it. */
bool nat_outward(struct nat *nat, uint8_t *packet, size_t len);
/* Rewrites the destination port of one that comes; false: no mapping, drop it. */
bool nat_inward(const struct nat *nat, uint8_t *packet, size_t len);

#endif
