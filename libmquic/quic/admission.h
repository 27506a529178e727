/* SPDX-License-Identifier: MIT */
/* Who gets a place on a server, and who gives way. */
#ifndef MQUIC_QUIC_ADMISSION_H
#define MQUIC_QUIC_ADMISSION_H

#include "core/address.h"
#include "core/list.h"
#include "mquic.h"
#include "quic/table.h"

struct mquic_connection;
struct quic_host;

/* Whether a client has shown that it receives at the address it sends from. */
enum address_proof {
	ADDRESS_UNPROVEN,
	ADDRESS_PROVEN,
	ADDRESS_PROOFS
};

/* Connections that may give way to newcomers: handshakes by the proof of their address ... */
#define CROWD_KINDS (ADDRESS_PROOFS + 1)
/* ... and those that are complete, and have said nothing yet that would deserve a place. */
#define CROWD_WAITING ADDRESS_PROOFS

/* Sizes of crowds, by powers of two: more handshakes than 2^20 are not allowed. */
#define CROWD_LEVELS 21

/* Connections of one kind and address prefix that may give way, the oldest first (admission.c). */
struct quic_crowd {
	struct list link;    /* one of host->places.crowds, by how many they are */
	struct list members; /* of struct mquic_connection */
	uint32_t count;
};

/* Connections of one address prefix. */
struct quic_address {
	struct table_entry entry;
	uint32_t connections;
	struct quic_crowd crowds[CROWD_KINDS];
};

/* The places of a server, and who has them. */
struct quic_places {
	struct table addresses;                        /* of struct quic_address */
	struct list crowds[CROWD_KINDS][CROWD_LEVELS]; /* of struct quic_crowd */
	uint32_t connections;
	uint32_t handshakes; /* in flight */
};

/* The place of a server's connection. */
struct quic_place {
	struct quic_address *address; /* NULL: it has none */
	struct list link;             /* of the crowd it is in, if any */
	unsigned int kind;            /* of that crowd */
};

/* What becomes of a newcomer. */
struct admission {
	const char *objection;              /* the limit that is reached; NULL: there is room */
	const char *setting;                /* what sets that limit */
	struct mquic_connection *gives_way; /* the one whose place it may take all the same */
	bool retry;                         /* it must prove its address first */
};

/* Its tables; false if out of memory. */
bool admission_init(struct quic_host *host, const uint64_t secret[2]);
void admission_fini(struct quic_host *host);
struct admission admission_judge(struct quic_host *host, const struct mquic_settings *settings,
				 const struct address *remote, enum address_proof proof);
/* Counts a connection that begins its handshake; false if out of memory. */
bool admission_enter(struct mquic_connection *connection, const struct address *remote,
		     enum address_proof proof);
/* Its client has shown that the address is its own. */
void admission_proven(struct mquic_connection *connection);
/* Its handshake is complete: it waits. */
void admission_handshake_over(struct mquic_connection *connection);
/* It gives back all that it was counted for. */
void admission_leave(struct mquic_connection *connection);

#endif
