/* SPDX-License-Identifier: MIT */
#include "quic/table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 64

static uint64_t rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein): enough for a table, and short. */
static uint64_t sip_hash(const uint64_t secret[2], const uint8_t *data, size_t len)
{
	uint64_t v[4] = {
		secret[0] ^ 0x736f6d6570736575U,
		secret[1] ^ 0x646f72616e646f6dU,
		secret[0] ^ 0x6c7967656e657261U,
		secret[1] ^ 0x7465646279746573U,
	};
	uint64_t last = (uint64_t)len << 56;
	uint64_t word;
	size_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, data + i, sizeof(word));
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (; i < len; i++)
		last |= (uint64_t)data[i] << (8 * (i % 8));
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool table_init(struct table *table, const uint64_t secret[2])
{
	table->buckets = calloc(FIRST_BUCKETS, sizeof(*table->buckets));
	table->bucket_count = FIRST_BUCKETS;
	table->count = 0;
	table->secret[0] = secret[0];
	table->secret[1] = secret[1];
	return table->buckets != NULL;
}

void table_fini(struct table *table)
{
	free(table->buckets);
	table->buckets = NULL;
}

static struct table_entry **bucket_of(const struct table *table, const uint8_t *key, size_t len)
{
	uint64_t hash = sip_hash(table->secret, key, len);

	return &table->buckets[hash & (table->bucket_count - 1)];
}

static void push(struct table *table, struct table_entry *entry)
{
	struct table_entry **bucket = bucket_of(table, entry->key, entry->key_len);

	entry->next = *bucket;
	*bucket = entry;
}

/* Without memory for more buckets the chains grow longer, which is slower and still right. */
static void grow(struct table *table)
{
	struct table_entry **old = table->buckets;
	size_t old_count = table->bucket_count;
	struct table_entry **buckets = calloc(old_count * 2, sizeof(*buckets));
	size_t i;

	if (buckets == NULL)
		return;
	table->buckets = buckets;
	table->bucket_count = old_count * 2;
	for (i = 0; i < old_count; i++) {
		while (old[i] != NULL) {
			struct table_entry *entry = old[i];

			old[i] = entry->next;
			push(table, entry);
		}
	}
	free(old);
}

void table_add(struct table *table, struct table_entry *entry, const uint8_t *key, size_t len)
{
	if (table->count >= table->bucket_count)
		grow(table);
	memcpy(entry->key, key, len);
	entry->key_len = (uint8_t)len;
	push(table, entry);
	table->count++;
}

void table_remove(struct table *table, struct table_entry *entry)
{
	struct table_entry **link = bucket_of(table, entry->key, entry->key_len);

	while (*link != NULL && *link != entry)
		link = &(*link)->next;
	if (*link == NULL)
		return;
	*link = entry->next;
	table->count--;
}

struct table_entry *table_find(const struct table *table, const uint8_t *key, size_t len)
{
	struct table_entry *entry;

	if (len == 0 || len > TABLE_KEY_MAX)
		return NULL;
	for (entry = *bucket_of(table, key, len); entry != NULL; entry = entry->next)
		if (entry->key_len == len && memcmp(entry->key, key, len) == 0)
			return entry;
	return NULL;
}
