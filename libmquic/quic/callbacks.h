/* SPDX-License-Identifier: MIT */
/* What ngtcp2 calls on both sides. */
#ifndef MQUIC_QUIC_CALLBACKS_H
#define MQUIC_QUIC_CALLBACKS_H

#include <ngtcp2/ngtcp2.h>

extern const ngtcp2_callbacks transport_callbacks;

#endif
