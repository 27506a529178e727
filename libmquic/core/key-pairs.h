/* SPDX-License-Identifier: MIT */
/* Files of certificates, each with the file of its private key. */
#ifndef MQUIC_CORE_KEY_PAIRS_H
#define MQUIC_CORE_KEY_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

struct key_pair {
	char *cert_file;
	char *key_file;
};

struct key_pairs {
	struct key_pair *all;
	size_t count;
};

/* Adds copies. False: out of memory. */
bool key_pairs_add(struct key_pairs *pairs, const char *cert_file, const char *key_file);

/* Adds copies of all; those that were made are there even if it fails. */
bool key_pairs_copy(struct key_pairs *pairs, const struct key_pairs *others);

/* In the same order, too. */
bool key_pairs_are_same(const struct key_pairs *a, const struct key_pairs *b);

void key_pairs_clear(struct key_pairs *pairs);

#endif
