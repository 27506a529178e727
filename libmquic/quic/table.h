/* SPDX-License-Identifier: MIT */
/*
 * Hash table from short byte strings (connection identifiers, address prefixes) to entries that
 * live inside their owners. Peers choose some of the keys, so the hash is keyed (SipHash) and
 * nobody can aim at one bucket.
 */
#ifndef MQUIC_QUIC_TABLE_H
#define MQUIC_QUIC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_KEY_MAX 20

struct table_entry {
	struct table_entry *next;
	uint8_t key_len;
	uint8_t key[TABLE_KEY_MAX];
};

struct table {
	struct table_entry **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	uint64_t secret[2];
};

/* False if out of memory. `secret` is random. */
bool table_init(struct table *table, const uint64_t secret[2]);
/* The entries are the caller's. */
void table_fini(struct table *table);

/* Adds an entry under a key of 1 to TABLE_KEY_MAX bytes that is not there yet. Cannot fail. */
void table_add(struct table *table, struct table_entry *entry, const uint8_t *key, size_t len);
/* Removes an entry that is there. */
void table_remove(struct table *table, struct table_entry *entry);
/* The entry under the key, or NULL. */
struct table_entry *table_find(const struct table *table, const uint8_t *key, size_t len);

#endif
