/* SPDX-License-Identifier: MIT */
#include "octets.h"

#include <string.h>

void octets_put(struct octets *octets, const void *data, size_t len)
{
	octets_insert(octets, octets->len, data, len);
}

void octets_number(struct octets *octets, uint64_t value, size_t bytes)
{
	uint8_t encoded[8];
	size_t i;

	for (i = 0; i < bytes; i++)
		encoded[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
	octets_put(octets, encoded, bytes);
}

void octets_wide_varint(struct octets *octets, uint64_t value, size_t bytes)
{
	static const uint64_t most[] = {0x3f, 0x3fff, 0x3fffffff, 0x3fffffffffffffff};
	size_t log = 0;

	while (log < 3 && (value > most[log] || (size_t)1 << log < bytes))
		log++;
	octets_number(octets, (value & most[log]) | (uint64_t)log << ((8U << log) - 2),
		      (size_t)1 << log);
}

void octets_varint(struct octets *octets, uint64_t value)
{
	octets_wide_varint(octets, value, 1);
}

void octets_zeros(struct octets *octets, size_t count)
{
	if (count > OCTETS_SIZE - octets->len)
		return;
	memset(octets->data + octets->len, 0, count);
	octets->len += count;
}

void octets_cut(struct octets *octets, size_t at, size_t count)
{
	if (at > octets->len || count > octets->len - at)
		return;
	memmove(octets->data + at, octets->data + at + count, octets->len - at - count);
	octets->len -= count;
}

void octets_insert(struct octets *octets, size_t at, const void *data, size_t len)
{
	if (at > octets->len || len > OCTETS_SIZE - octets->len || len == 0)
		return;
	memmove(octets->data + at + len, octets->data + at, octets->len - at);
	memcpy(octets->data + at, data, len);
	octets->len += len;
}

const uint8_t *view_take(struct octets_view *view, uint64_t len)
{
	const uint8_t *taken = view->data;

	if (len > view->left) {
		view->failed = true;
		view->left = 0;
		return NULL;
	}
	view->data += len;
	view->left -= (size_t)len;
	return taken;
}

uint64_t view_number(struct octets_view *view, size_t bytes)
{
	const uint8_t *from = view_take(view, bytes);
	uint64_t value = 0;
	size_t i;

	for (i = 0; from != NULL && i < bytes; i++)
		value = value << 8 | from[i];
	return value;
}

uint64_t view_varint(struct octets_view *view)
{
	size_t bytes = view->left == 0 ? 1 : (size_t)1 << (view->data[0] >> 6);

	return view_number(view, bytes) & (UINT64_MAX >> (2 + 8 * (8 - bytes)));
}
