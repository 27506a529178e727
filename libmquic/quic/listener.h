/* SPDX-License-Identifier: MIT */
/* The addresses an endpoint listens on, and what to say to a datagram that is nobody's. */
#ifndef MQUIC_QUIC_LISTENER_H
#define MQUIC_QUIC_LISTENER_H

#include "core/list.h"
#include "mquic.h"
#include "quic/token.h"
#include "quic/wire.h"

struct quic_host;
struct tls_credentials;

/* One listening address. Connections point to it; it lives as long as the host. */
struct quic_listener {
	struct list link;
	struct mquic_settings *settings;
	struct tls_credentials *credentials;
	struct wire *wire;
	uint8_t reset_key[TOKEN_SECRET_LEN]; /* kept in a file, if there is one */
	uint8_t ticket_key[TOKEN_SECRET_LEN];
	bool has_ticket_key;
	struct token_secrets secrets;
};

/* Adds a listener on a wire that is given, which the host then owns. */
enum mquic_status listener_add(struct quic_host *host, const struct mquic_settings *settings,
			       struct wire *wire);
void listener_free_all(struct quic_host *host);
/* A datagram that came in on a listener's wire. */
void listener_receive(struct quic_host *host, struct wire *wire, const struct datagram *datagram);

#endif
