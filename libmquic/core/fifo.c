/* SPDX-License-Identifier: MIT */
#include "core/fifo.h"

#include <stdlib.h>
#include <string.h>

/* Small first, so that an idle connection that once sent a little holds little. */
#define SMALL_CHUNK 1024
#define LARGE_CHUNK 16384

struct fifo_chunk {
	struct fifo_chunk *next;
	size_t len;
	size_t size;
	uint8_t bytes[];
};

static struct fifo_chunk *chunk_new(size_t size)
{
	struct fifo_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (chunk != NULL) {
		chunk->next = NULL;
		chunk->len = 0;
		chunk->size = size;
	}
	return chunk;
}

static void free_chain(struct fifo_chunk *chunk)
{
	while (chunk != NULL) {
		struct fifo_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void fifo_clear(struct fifo *fifo)
{
	free_chain(fifo->first);
	*fifo = (struct fifo){0};
}

/* Enough chunks for `len` bytes, or NULL. */
static struct fifo_chunk *chain_new(const struct fifo *fifo, size_t len)
{
	struct fifo_chunk *first = NULL;
	struct fifo_chunk **tail = &first;

	while (len > 0) {
		size_t size = fifo->first == NULL && len <= SMALL_CHUNK ? SMALL_CHUNK : LARGE_CHUNK;

		*tail = chunk_new(size);
		if (*tail == NULL) {
			free_chain(first);
			return NULL;
		}
		tail = &(*tail)->next;
		len -= len < size ? len : size;
	}
	return first;
}

static size_t fill(struct fifo_chunk *chunk, const uint8_t *data, size_t len)
{
	size_t room = chunk->size - chunk->len;
	size_t part = len < room ? len : room;

	memcpy(chunk->bytes + chunk->len, data, part);
	chunk->len += part;
	return part;
}

bool fifo_append(struct fifo *fifo, const uint8_t *data, size_t len)
{
	size_t room = fifo->last == NULL ? 0 : fifo->last->size - fifo->last->len;
	struct fifo_chunk *chain = NULL;

	if (len == 0)
		return true;
	if (len > room) {
		chain = chain_new(fifo, len - room);
		if (chain == NULL)
			return false;
	}
	fifo->len += len;
	if (room > 0) {
		size_t part = fill(fifo->last, data, len);

		data += part;
		len -= part;
	}
	if (chain == NULL)
		return true;
	if (fifo->last == NULL)
		fifo->first = chain;
	else
		fifo->last->next = chain;
	for (; chain != NULL; chain = chain->next) {
		size_t part = fill(chain, data, len);

		data += part;
		len -= part;
		fifo->last = chain;
	}
	return true;
}

struct fifo_span fifo_front(const struct fifo *fifo)
{
	if (fifo->len == 0)
		return (struct fifo_span){NULL, 0};
	return (struct fifo_span){fifo->first->bytes + fifo->head, fifo->first->len - fifo->head};
}

void fifo_drop(struct fifo *fifo, size_t len)
{
	if (len >= fifo->len) {
		fifo_clear(fifo);
		return;
	}
	fifo->len -= len;
	len += fifo->head;
	while (len >= fifo->first->len) {
		struct fifo_chunk *gone = fifo->first;

		len -= gone->len;
		fifo->first = gone->next;
		if (fifo->mark == gone)
			fifo->mark = NULL;
		free(gone);
	}
	fifo->head = len;
}

size_t fifo_spans(const struct fifo *fifo, struct fifo_span *spans, size_t most)
{
	const struct fifo_chunk *chunk = fifo->mark == NULL ? fifo->first : fifo->mark;
	size_t offset = fifo->mark == NULL ? fifo->head : fifo->mark_offset;
	size_t count = 0;

	for (; chunk != NULL && count < most; chunk = chunk->next, offset = 0) {
		if (chunk->len == offset)
			continue;
		spans[count].data = chunk->bytes + offset;
		spans[count].len = chunk->len - offset;
		count++;
	}
	return count;
}

void fifo_advance(struct fifo *fifo, size_t len)
{
	if (len == 0)
		return;
	if (fifo->mark == NULL) {
		fifo->mark = fifo->first;
		fifo->mark_offset = fifo->head;
	}
	while (len > fifo->mark->len - fifo->mark_offset) {
		len -= fifo->mark->len - fifo->mark_offset;
		fifo->mark = fifo->mark->next;
		fifo->mark_offset = 0;
	}
	fifo->mark_offset += len;
}
