/* SPDX-License-Identifier: MIT */
/*
 * Bytes in order, in chunks that never move: appended at the end, read anywhere, dropped from
 * the front. QUIC needs both: sent bytes must stay where they are until acknowledged.
 */
#ifndef MQUIC_CORE_FIFO_H
#define MQUIC_CORE_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fifo_chunk;

struct fifo {
	struct fifo_chunk *first;
	struct fifo_chunk *last;
	size_t len;              /* bytes held */
	size_t head;             /* bytes of the first chunk that are dropped */
	struct fifo_chunk *mark; /* the chunk in which the mark stands; NULL: at the front */
	size_t mark_offset;      /* in that chunk */
};

/* One stretch of bytes, as in struct iovec. */
struct fifo_span {
	const uint8_t *data;
	size_t len;
};

void fifo_clear(struct fifo *fifo);

/* All or nothing; false if out of memory. */
bool fifo_append(struct fifo *fifo, const uint8_t *data, size_t len);

/* The first stretch; len 0 if empty. */
struct fifo_span fifo_front(const struct fifo *fifo);

/* Drops `len` bytes, at most all; a mark must not be left behind. */
void fifo_drop(struct fifo *fifo, size_t len);

/*
 * The mark divides what was read but must be kept from what was not read yet. Fills up to `most`
 * spans with the bytes behind it; returns how many.
 */
size_t fifo_spans(const struct fifo *fifo, struct fifo_span *spans, size_t most);

/* Moves the mark over `len` bytes that are there. */
void fifo_advance(struct fifo *fifo, size_t len);

#endif
