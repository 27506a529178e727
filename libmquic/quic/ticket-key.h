/* SPDX-License-Identifier: MIT */
/* What a listener's session tickets are encrypted with (RFC 8446 section 4.6.1). */
#ifndef MQUIC_QUIC_TICKET_KEY_H
#define MQUIC_QUIC_TICKET_KEY_H

#include "core/error.h"
#include "mquic.h"

struct quic_host;
struct quic_listener;

/*
 * For a new listener and one that is reloaded: reads the key's file if one is named, and makes it if
 * it is not there. Else the key is what the workers of the server share, or random. MQUIC_ERR_TLS:
 * the file is something else.
 */
enum mquic_status ticket_key_keep(struct quic_host *host, struct quic_listener *listener);

#endif
