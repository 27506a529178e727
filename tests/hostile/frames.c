/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <string.h>

void frame_numbers(struct octets *to, const uint64_t *numbers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		octets_varint(to, numbers[i]);
}

void frame_crypto(struct octets *to, uint64_t offset, const void *data, size_t len)
{
	FRAME(to, FRAME_CRYPTO, offset, len);
	octets_put(to, data, len);
}

void frame_stream(struct octets *to, uint64_t id, uint64_t offset, const void *data, size_t len,
		  bool fin)
{
	FRAME(to, FRAME_STREAM | 6U | (fin ? 1U : 0U), id, offset, len);
	octets_put(to, data, len);
}

void frame_new_cid(struct octets *to, uint64_t number, uint64_t retire_prior_to, const void *cid,
		   size_t len)
{
	uint8_t token[16];

	/* Any will do, but not the same for two identifiers. */
	memset(token, (int)(0x60 + number % 64), sizeof(token));
	FRAME(to, FRAME_NEW_CONNECTION_ID, number, retire_prior_to);
	octets_number(to, len, 1);
	octets_put(to, cid, len);
	octets_put(to, token, sizeof(token));
}

void frame_path(struct octets *to, enum frame_type type, const uint8_t data[8])
{
	FRAME(to, type);
	octets_put(to, data, 8);
}

void frame_close(struct octets *to, enum frame_type type, uint64_t code)
{
	FRAME(to, type, code);
	if (type == FRAME_CLOSE)
		octets_varint(to, 0);
	octets_varint(to, 0);
}
