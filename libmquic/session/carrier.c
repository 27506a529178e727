/* SPDX-License-Identifier: MIT */
/* The kinds of carriers that there are. */
#include "session/carrier.h"

static const struct carrier_kind *const kinds[] = {
	&carrier_quic,
};

const struct carrier_kind *carrier_usual(void)
{
	return kinds[0];
}
