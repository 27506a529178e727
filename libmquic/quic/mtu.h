/* SPDX-License-Identifier: MIT */
/* A path that carries large packets no more (RFC 9000 section 14.3). */
#ifndef MQUIC_QUIC_MTU_H
#define MQUIC_QUIC_MTU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt;
struct mquic_stream;

/*
 * So many full packets make it worth while to find out whether larger ones get through. Who sends
 * a message now and then has fewer, and four probes would be most of what it sends.
 */
#define MTU_BULK 4

/* How large packets get through (mtu.c). */
struct quic_mtu {
	unsigned int full; /* packets that could have been larger, up to MTU_BULK */
	size_t lost;       /* the size that was found to get through no more; 0: none was */
	bool narrow;       /* not even those get through that QUIC cannot do without */
	uint64_t large_ns; /* when a packet of more than 1200 bytes last left */
	uint64_t retry_ns; /* when one is tried again */
	uint64_t pause_ns; /* what was waited for that */
	/* The one that is tried now, by the last bytes in it; until_ns 0: none is. */
	uint64_t until_ns;
	int64_t stream;
	uint64_t end;
	size_t losses;
};

/* Notices what time tells. */
void mtu_look(struct attempt *attempt);
/* How much room the next packet may have, of what is wanted: no more than is of use. */
size_t mtu_room(struct attempt *attempt, size_t wanted);
/* A packet goes; the last bytes in it are of that stream, NULL if there are no new ones. */
void mtu_sent(struct attempt *attempt, size_t len, const struct mquic_stream *last);
/* The system has not taken packets of that size: false if QUIC cannot do without them. */
bool mtu_refused(struct attempt *attempt, size_t len);
/* A router has said that one was too large. */
void mtu_told(struct attempt *attempt);
/* All up to stream->output_acked has arrived. */
void mtu_acknowledged(struct attempt *attempt, const struct mquic_stream *stream);

#endif
