/* SPDX-License-Identifier: MIT */
/* A client's end of a connection: making ngtcp2's part of it. */
#ifndef MQUIC_QUIC_CLIENT_H
#define MQUIC_QUIC_CLIENT_H

#include "core/address.h"
#include "mquic.h"

struct mquic_connection;

enum mquic_status transport_client(struct mquic_connection *connection,
				   const struct address *remote);

#endif
