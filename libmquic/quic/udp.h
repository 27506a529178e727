/* SPDX-License-Identifier: MIT */
/* UDP sockets as wires: batches in with recvmmsg and GRO, batches out with GSO, ECN marks. */
#ifndef MQUIC_QUIC_UDP_H
#define MQUIC_QUIC_UDP_H

#include "core/loop.h"
#include "quic/wire.h"

struct quic_host;
struct udp_batch;

/* Where received datagrams go, and what happens when the system reports an errno instead. */
struct udp_reader {
	void (*receive)(struct quic_host *host, struct wire *wire, const struct datagram *datagram);
	void (*failed)(struct quic_host *host, struct wire *wire, int code);
};

/*
 * Opens a socket bound to `local` (NULL: any) and, if `remote` is given, connected to it, and
 * adds it to the loop. MQUIC_ERR_SYSTEM with a sentence.
 */
enum mquic_status udp_open(struct wire **wire, struct quic_host *host,
			   const struct udp_reader *reader, const struct address *local,
			   const struct address *remote, struct error *error);

/*
 * The same with a duplicate of `fd`, bound and not connected, which stays the caller's; for good,
 * who has succeeded closes it.
 */
enum mquic_status udp_adopt(struct wire **wire, struct quic_host *host,
			    const struct udp_reader *reader, int fd, struct error *error);

/* Buffers for reading, shared by all sockets of a host; NULL if out of memory. */
struct udp_batch *udp_batch_new(void);
void udp_batch_free(struct udp_batch *batch);

#endif
