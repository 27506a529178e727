/* SPDX-License-Identifier: MIT */
/* A client's end of a connection: making ngtcp2's part of it. */
#ifndef MQUIC_QUIC_CLIENT_H
#define MQUIC_QUIC_CLIENT_H

#include "core/address.h"
#include "mquic.h"

struct attempt;
struct mquic_connection;

/* What the certificate of the server must be for. */
const char *client_server_name(const struct mquic_connection *connection);

/* `offered`: the version of QUIC that the server wants in place of the first of ours; 0: none. */
enum mquic_status client_begin(struct attempt *attempt, const struct address *remote,
			       uint32_t offered);

#endif
