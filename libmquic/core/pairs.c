/* SPDX-License-Identifier: MIT */
#include "core/pairs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool pairs_reserve(struct pairs *pairs, size_t count, size_t bytes)
{
	memset(pairs, 0, sizeof(*pairs));
	pairs->size = count * PAIRS_HEAD + bytes;
	if (pairs->size == 0)
		return true;
	pairs->block = malloc(pairs->size);
	return pairs->block != NULL;
}

void pairs_clear(struct pairs *pairs)
{
	free(pairs->block);
	memset(pairs, 0, sizeof(*pairs));
}

static void store(struct pairs *pairs, const void *data, size_t len)
{
	if (len > 0)
		memcpy(pairs->block + pairs->used, data, len);
	pairs->used += len;
}

void pairs_add(struct pairs *pairs, const struct pair_texts *texts)
{
	uint16_t head[2] = {(uint16_t)texts->name_len, (uint16_t)texts->value_len};

	if (texts->name_len > UINT16_MAX || texts->value_len > UINT16_MAX ||
	    PAIRS_HEAD + texts->name_len + texts->value_len > pairs->size - pairs->used)
		return;
	store(pairs, head, PAIRS_HEAD);
	store(pairs, texts->name, texts->name_len);
	store(pairs, texts->value, texts->value_len);
	pairs->count++;
}

bool pairs_get(struct pairs *pairs, size_t index, struct pair_texts *texts)
{
	uint16_t head[2];

	if (index >= pairs->count)
		return false;
	if (index < pairs->at_index) {
		pairs->at_index = 0;
		pairs->at = 0;
	}
	memcpy(head, pairs->block + pairs->at, PAIRS_HEAD);
	while (pairs->at_index < index) {
		pairs->at += PAIRS_HEAD + (size_t)head[0] + head[1];
		pairs->at_index++;
		memcpy(head, pairs->block + pairs->at, PAIRS_HEAD);
	}
	texts->name = pairs->block + pairs->at + PAIRS_HEAD;
	texts->name_len = head[0];
	texts->value = texts->name + head[0];
	texts->value_len = head[1];
	return true;
}
