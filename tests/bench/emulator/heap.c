/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include <stdlib.h>

struct packet *heap_packet(struct heap *heap)
{
	struct packet *packet = heap->spare;

	heap->spare = NULL;
	return packet != NULL ? packet : malloc(sizeof(*packet));
}

void heap_recycle(struct heap *heap, struct packet *packet)
{
	free(heap->spare);
	heap->spare = packet;
}

static bool before(const struct packet *a, const struct packet *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(struct heap *heap, size_t a, size_t b)
{
	struct packet *kept = heap->items[a];

	heap->items[a] = heap->items[b];
	heap->items[b] = kept;
}

bool heap_push(struct heap *heap, struct packet *packet)
{
	size_t at = heap->count;

	if (heap->count == heap->room) {
		size_t room = heap->room == 0 ? 256 : heap->room * 2;
		struct packet **items = realloc(heap->items, room * sizeof(struct packet *));

		if (items == NULL)
			return false;
		heap->items = items;
		heap->room = room;
	}
	packet->order = heap->order++;
	heap->items[heap->count++] = packet;
	for (; at > 0 && before(heap->items[at], heap->items[(at - 1) / 2]); at = (at - 1) / 2)
		swap(heap, at, (at - 1) / 2);
	return true;
}

const struct packet *heap_first(const struct heap *heap)
{
	return heap->count == 0 ? NULL : heap->items[0];
}

struct packet *heap_pop(struct heap *heap)
{
	struct packet *first;
	size_t at = 0;

	if (heap->count == 0)
		return NULL;
	first = heap->items[0];
	heap->items[0] = heap->items[--heap->count];
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap->count; child++)
			if (before(heap->items[child], heap->items[least]))
				least = child;
		if (least == at)
			return first;
		swap(heap, at, least);
		at = least;
	}
}

void heap_clear(struct heap *heap)
{
	while (heap->count > 0)
		free(heap->items[--heap->count]);
	free(heap->spare);
	heap->spare = NULL;
}
