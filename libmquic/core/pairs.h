/* SPDX-License-Identifier: MIT */
/*
 * Pairs of texts in one block, for what a peer sends many of: to hold them takes no more bytes
 * than they took on the wire. Made once, then walked, forward for the most part.
 */
#ifndef MQUIC_CORE_PAIRS_H
#define MQUIC_CORE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

struct pair_texts {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

struct pairs {
	char *block;
	size_t size;
	size_t used;
	size_t count;
	size_t at_index; /* the pair that was looked at last, and where it begins */
	size_t at;
};

/* Lengths of 16 bits stand before the texts of a pair. */
#define PAIRS_HEAD 4

/* Makes room, once, for `count` pairs whose texts have `bytes` bytes. False if out of memory. */
bool pairs_reserve(struct pairs *pairs, size_t count, size_t bytes);
void pairs_clear(struct pairs *pairs);

/* Adds a copy, each text of at most 65535 bytes; what there is no room for is left out. */
void pairs_add(struct pairs *pairs, const struct pair_texts *texts);

/* One step is taken for each pair between this one and the last; false past the end. */
bool pairs_get(struct pairs *pairs, size_t index, struct pair_texts *texts);

#endif
