/* SPDX-License-Identifier: MIT */
#include "quic/random.h"

#include <sys/random.h>

void random_fill(uint8_t *bytes, size_t len)
{
	/* Up to 256 bytes getrandom neither fails nor is interrupted once the pool is ready. */
	while (len > 0) {
		size_t part = len < 256 ? len : 256;
		ssize_t got = getrandom(bytes, part, 0);

		if (got > 0) {
			bytes += got;
			len -= (size_t)got;
		}
	}
}
