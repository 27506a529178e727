/* SPDX-License-Identifier: MIT */
#include "core/key-pairs.h"

#include <stdlib.h>
#include <string.h>

static void clear(struct key_pair *pair)
{
	free(pair->cert_file);
	free(pair->key_file);
}

bool key_pairs_add(struct key_pairs *pairs, const char *cert_file, const char *key_file)
{
	struct key_pair added = {strdup(cert_file), strdup(key_file)};
	struct key_pair *larger = reallocarray(pairs->all, pairs->count + 1, sizeof(*larger));

	if (larger != NULL)
		pairs->all = larger;
	if (larger == NULL || added.cert_file == NULL || added.key_file == NULL) {
		clear(&added);
		return false;
	}
	pairs->all[pairs->count++] = added;
	return true;
}

bool key_pairs_copy(struct key_pairs *pairs, const struct key_pairs *others)
{
	size_t i;

	for (i = 0; i < others->count; i++)
		if (!key_pairs_add(pairs, others->all[i].cert_file, others->all[i].key_file))
			return false;
	return true;
}

bool key_pairs_are_same(const struct key_pairs *a, const struct key_pairs *b)
{
	size_t i;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++)
		if (strcmp(a->all[i].cert_file, b->all[i].cert_file) != 0 ||
		    strcmp(a->all[i].key_file, b->all[i].key_file) != 0)
			return false;
	return true;
}

void key_pairs_clear(struct key_pairs *pairs)
{
	while (pairs->count > 0)
		clear(&pairs->all[--pairs->count]);
	free(pairs->all);
	pairs->all = NULL;
}
