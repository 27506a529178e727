/* SPDX-License-Identifier: MIT */
#include "quic/steer.h"

#include "quic/random.h"
#include "quic/token.h"

/* mquic.h promises the place to whoever steers. */
#define PLACE 1

#define CONFIGURATION 0xe0

void steer_choose(ngtcp2_cid *cid, const struct mquic_settings *settings)
{
	cid->datalen = QUIC_CID_LEN;
	random_fill(cid->data, QUIC_CID_LEN);
	if (settings->workers == 1)
		return;
	cid->data[0] &= (uint8_t)~CONFIGURATION;
	cid->data[PLACE] = (uint8_t)settings->worker;
}

bool steer_is_ours(const uint8_t *cid, const struct mquic_settings *settings)
{
	return cid[PLACE] % settings->workers == settings->worker;
}
