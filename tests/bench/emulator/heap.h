/* SPDX-License-Identifier: MIT */
/* Packets under way, the next due first; packets due at once keep their order. */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_BYTES 1600

struct packet {
	uint64_t due_ns;
	uint64_t order;
	int link;
	int way;  /* 0: from ends[0] to ends[1] */
	int host; /* the node it goes to */
	size_t len;
	uint8_t data[PACKET_BYTES];
};

struct heap {
	struct packet **items;
	size_t count;
	size_t room;
	uint64_t order;
	struct packet *spare; /* one freed packet, kept for the next */
};

struct packet *heap_packet(struct heap *heap);
void heap_recycle(struct heap *heap, struct packet *packet);
/* Takes the packet; false if out of memory. */
bool heap_push(struct heap *heap, struct packet *packet);
/* The first, NULL if none; it stays in the heap. */
const struct packet *heap_first(const struct heap *heap);
struct packet *heap_pop(struct heap *heap);
void heap_clear(struct heap *heap);

#endif
