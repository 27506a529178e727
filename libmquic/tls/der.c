/* SPDX-License-Identifier: MIT */
#include "tls/der.h"

#include <stddef.h>

/* Tags of one byte and lengths of at most three: no certificate has others. */
#define MAX_LENGTH_BYTES 3

static bool read_length(const gnutls_datum_t *rest, size_t *used, size_t *len)
{
	size_t bytes;

	*used = 2;
	*len = rest->data[1];
	if (*len < 0x80)
		return true;
	bytes = *len & 0x7f;
	if (bytes == 0 || bytes > MAX_LENGTH_BYTES || rest->size < 2 + bytes)
		return false;
	for (*len = 0; bytes > 0; bytes--)
		*len = *len << 8 | rest->data[(*used)++];
	return true;
}

bool der_take(gnutls_datum_t *rest, unsigned char *tag, gnutls_datum_t *content)
{
	size_t used;
	size_t len;

	if (rest->size < 2 || (rest->data[0] & 0x1f) == 0x1f)
		return false;
	if (!read_length(rest, &used, &len) || rest->size - used < len)
		return false;
	*tag = rest->data[0];
	content->data = rest->data + used;
	content->size = (unsigned int)len;
	rest->data += used + len;
	rest->size -= (unsigned int)(used + len);
	return true;
}
