/* SPDX-License-Identifier: MIT */
/*
 * Numbers by numbers: open addressing, with room for as many as there are. On the way of every
 * message. See merge-body.h.
 */
#include <stdlib.h>

#include "mqtt/merge-body.h"

#define BITS_MIN 3

/* Of a client that has nothing out a kilobyte stays: twenty messages at a time fit there. */
#define SIZE_KEPT 64

void merge_ids_clear(struct merge_ids *ids)
{
	free(ids->entries);
	ids->entries = NULL;
	ids->size = 0;
	ids->count = 0;
	ids->room = 0;
}

/* Neighbours come to lie apart (Knuth's multiplication): in a row, as far as can be. */
static size_t place_of(const struct merge_ids *ids, uint32_t key)
{
	return key * 2654435769u >> ids->shift;
}

/* Where the key is, or would go. */
static struct merge_entry *entry_of(const struct merge_ids *ids, uint32_t key)
{
	size_t at = place_of(ids, key);

	while (ids->entries[at].key != 0 && ids->entries[at].key != key)
		at = (at + 1) & (ids->size - 1);
	return &ids->entries[at];
}

uint64_t merge_ids_get(const struct merge_ids *ids, uint32_t key)
{
	const struct merge_entry *entry = ids->count > 0 ? entry_of(ids, key) : NULL;

	return entry == NULL || entry->key == 0 ? 0 : entry->value;
}

/* Rare: apart from what is on the way of a message. */
__attribute__((cold)) static bool grow(struct merge_ids *ids)
{
	unsigned bits = ids->size == 0 ? BITS_MIN : 32 - ids->shift + 1;
	size_t size = (size_t)1 << bits;
	struct merge_ids made = {
		.entries = calloc(size, sizeof(*made.entries)),
		.size = size,
		.count = ids->count,
		.room = size / 2,
		.shift = 32 - bits,
	};
	size_t i;

	if (made.entries == NULL)
		return false;
	for (i = 0; i < ids->size; i++)
		if (ids->entries[i].key != 0)
			*entry_of(&made, ids->entries[i].key) = ids->entries[i];
	free(ids->entries);
	*ids = made;
	return true;
}

bool merge_ids_put(struct merge_ids *ids, uint32_t key, uint64_t value)
{
	struct merge_entry *entry;

	/* What is replaced stays where it is: others may be walking over it. */
	if (ids->count == ids->room && merge_ids_get(ids, key) == 0 && !grow(ids))
		return false;
	entry = entry_of(ids, key);
	ids->count += entry->key == 0;
	entry->key = key;
	entry->value = value;
	return true;
}

/* Those behind the gap that came to lie there for want of place move up. */
static void close_gap(struct merge_ids *ids, size_t gap)
{
	size_t mask = ids->size - 1;
	size_t at;

	for (at = (gap + 1) & mask; ids->entries[at].key != 0; at = (at + 1) & mask) {
		size_t home = place_of(ids, ids->entries[at].key);

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		ids->entries[gap] = ids->entries[at];
		gap = at;
	}
	ids->entries[gap].key = 0;
}

void merge_ids_remove(struct merge_ids *ids, uint32_t key)
{
	struct merge_entry *entry = ids->count > 0 ? entry_of(ids, key) : NULL;

	if (entry == NULL || entry->key == 0)
		return;
	close_gap(ids, (size_t)(entry - ids->entries));
	if (--ids->count == 0 && ids->size > SIZE_KEPT)
		merge_ids_clear(ids);
}
