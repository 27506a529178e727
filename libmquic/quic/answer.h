/* SPDX-License-Identifier: MIT */
/* What a server says to a datagram that belongs to no connection, without keeping anything. */
#ifndef MQUIC_QUIC_ANSWER_H
#define MQUIC_QUIC_ANSWER_H

#include <ngtcp2/ngtcp2.h>

#include "quic/host.h"

/* It must prove its address first. */
void answer_retry(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		  const ngtcp2_pkt_hd *hd);
/* It does not get in; `setting`: what has set the limit that keeps it out, or NULL. */
void answer_refusal(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_pkt_hd *hd, uint64_t code, const char *reason,
		    const char *setting);
/* A packet of a connection that is not ours any more (RFC 9000 section 10.3). */
void answer_unknown(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_version_cid *ids);
/* It wants a version of QUIC that we do not speak. */
void answer_version(struct quic_host *host, struct wire *wire, const struct datagram *datagram,
		    const ngtcp2_version_cid *ids);

#endif
