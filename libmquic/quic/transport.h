/* SPDX-License-Identifier: MIT */
/* What making a client's connection (client.c) and a server's (server.c) have in common. */
#ifndef MQUIC_QUIC_TRANSPORT_H
#define MQUIC_QUIC_TRANSPORT_H

#include <ngtcp2/ngtcp2.h>

#include "quic/wire.h"
#include "tls/tls.h"
#include "mquic.h"

struct attempt;

void transport_fill_settings(ngtcp2_settings *to, struct attempt *attempt);
void transport_fill_params(ngtcp2_transport_params *to, const struct mquic_settings *from);
void transport_random_cid(ngtcp2_cid *cid, size_t len);
/* Loads credentials, if the ngtcp2 at hand is one that can be used with them. */
enum mquic_status transport_credentials(struct tls_credentials **credentials,
					const struct mquic_settings *settings, enum tls_role role,
					struct error *error);
enum mquic_status transport_new_tls(struct attempt *attempt, const char *server_name);
/* Joins TLS and QUIC, the last step. */
void transport_attach_tls(struct attempt *attempt);

#endif
