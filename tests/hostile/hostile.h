/* SPDX-License-Identifier: MIT */
/*
 * A peer that speaks correct QUIC and TLS until it is told to lie: a client or a server, at a bare
 * address of the simulated network (sim.h). Handshake by GnuTLS, packets and their protection by
 * itself, so that nothing keeps it from putting any frame at any encryption level, any bytes into
 * any TLS message, and packets in any order.
 *
 * It answers each datagram at once, with what is due at each level in one datagram: ACK, frames
 * that were queued, TLS messages. It has no timers; what it has to say is said again by
 * hostile_resend().
 *
 *     hostile_queue()   frames that go with its next answer, or with hostile_flush()
 *     hostile_packet()  a packet of these frames alone, hostile_send() what was added so far
 *     on_message        every TLS message of its own, before it goes: may change it
 *     on_params         its transport parameters, before they go
 */
#ifndef MQUIC_TESTS_HOSTILE_H
#define MQUIC_TESTS_HOSTILE_H

#include <gnutls/gnutls.h>

#include "frames.h"
#include "octets.h"
#include "protect.h"
#include "sim.h"

#define HOSTILE_CID 8

/* As GnuTLS numbers them. */
enum hostile_level {
	HOSTILE_INITIAL,
	HOSTILE_EARLY,
	HOSTILE_HANDSHAKE,
	HOSTILE_APP,
	HOSTILE_LEVELS
};

/* What the TLS sessions of a hostile peer need, made once. */
struct hostile_identity {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_priority_t retry_priority; /* brings about a HelloRetryRequest */
};

/* Certificate and key are files; both NULL: none. */
void hostile_identity_make(struct hostile_identity *identity, const char *certificate,
			   const char *key);
void hostile_identity_free(struct hostile_identity *identity);

/* What is wrong with a packet; all zero: nothing. */
struct hostile_lie {
	uint8_t reserved;    /* the two reserved bits, 0 to 3 */
	uint8_t number_len;  /* bytes of the packet number, 0: four */
	int64_t number_step; /* added to the number that is due */
	uint32_t version;    /* 0: 1 */
	uint8_t type_bits;   /* of the long header, changed */
	bool no_fixed_bit;
	bool other_phase;       /* the key phase bit says what the keys do not */
	bool spoilt;            /* its tag is wrong */
	bool other_destination; /* an identifier nobody has given */
	int64_t length_step;    /* added to the long header's length */
};

/* A packet number space's or a level's half of the work. */
struct hostile_space {
	uint64_t next_number;
	uint64_t largest;
	uint64_t seen; /* bit n: largest - n came */
	bool any;
	bool ack_due;
};

struct hostile_stage {
	struct protect_keys send;
	struct protect_keys receive;
	struct octets queue;
	struct octets crypto; /* TLS messages, from the first byte on */
	size_t crypto_sent;
	uint8_t heard[8192]; /* TLS messages of the endpoint, as far as they came */
	uint8_t heard_bits[1024];
	size_t heard_taken;
};

struct hostile {
	struct sim *sim;
	struct sim_host *probe;
	struct address to;
	bool server;
	gnutls_session_t tls;
	const struct hostile_identity *identity;

	/* Set before it speaks. */
	bool hello_retry;  /* sees to a HelloRetryRequest */
	bool demand_retry; /* a server: sends Retry first */
	bool no_params;    /* never heard of transport parameters */
	size_t own_len;    /* of its first connection identifier, 0 to 20 */
	size_t token_len;  /* of a server's Retry */
	const char *alpn;  /* NULL: none */
	void (*on_message)(struct hostile *peer, enum hostile_level level, struct octets *message);
	void (*on_params)(struct hostile *peer, struct octets *params);
	void (*on_confirmed)(struct hostile *peer); /* its handshake is complete */
	void *user;

	/* How it behaves, at any time. */
	bool mute;                               /* reads, and says nothing by itself */
	bool no_acks;                            /* nor ACK, but goes on otherwise */
	bool no_crypto;                          /* keeps its TLS messages */
	bool no_done;                            /* a server: no HANDSHAKE_DONE */
	bool split;                              /* one packet in a datagram */
	bool app_first;                          /* 1-RTT packets in a datagram before the others */
	bool no_responses;                       /* to PATH_CHALLENGE */
	struct hostile_lie lies[HOSTILE_LEVELS]; /* about what goes by itself */

	/* What it knows. */
	uint8_t own[20];
	uint8_t destination[20];
	size_t destination_len;
	uint8_t original[20]; /* the first destination */
	size_t original_len;
	uint8_t retry_source[HOSTILE_CID];
	bool retried;
	struct octets token;
	struct hostile_stage stages[HOSTILE_LEVELS];
	struct hostile_space spaces[HOSTILE_LEVELS]; /* EARLY's is APP's */
	bool phase_sent;
	bool phase_received;
	struct octets datagram; /* being made */
	bool complete;
	int tls_error;
	uint8_t tls_alert;

	/* What the endpoint said. */
	unsigned int datagrams;
	unsigned int handshake_dones;
	unsigned int path_responses;
	unsigned int hello_retries;
	unsigned int retries;
	unsigned int version_negotiations;
	uint8_t new_cids[8][20]; /* of NEW_CONNECTION_ID, not used yet */
	size_t new_cid_lens[8];
	size_t new_cid_count;
	uint64_t stream_bytes;
	uint64_t max_streams; /* of MAX_STREAMS, bidirectional; 0: none came */
	bool closed;
	bool closed_by_application;
	uint64_t close_code;
	enum hostile_level close_level;
};

/* A peer at 10.0.0.`number`:`port`, that speaks with `to`. A client says nothing so far. */
struct hostile *hostile_client_new(struct sim *sim, const struct hostile_identity *identity,
				   unsigned int number, uint16_t port, const struct address *to);
struct hostile *hostile_server_new(struct sim *sim, const struct hostile_identity *identity,
				   unsigned int number, uint16_t port);
/* Its probe is the simulator's. */
void hostile_free(struct hostile *peer);

/* A client's first flight. */
void hostile_start(struct hostile *peer);
/* Frames for the next packet of the level. */
void hostile_queue(struct hostile *peer, enum hostile_level level, const struct octets *frames);
/* TLS bytes at their place in the level's stream. */
void hostile_say_tls(struct hostile *peer, enum hostile_level level, const void *data, size_t len);
/* Sends what is due at all levels whose keys are there. */
void hostile_flush(struct hostile *peer);
/* Says the level's TLS messages again. */
void hostile_resend(struct hostile *peer, enum hostile_level level);

/* Adds a packet to the datagram being made; nothing without keys. */
void hostile_packet(struct hostile *peer, enum hostile_level level, const struct octets *frames,
		    const struct hostile_lie *lie);
/* Sends the datagram being made. */
void hostile_send(struct hostile *peer);
/* These bytes as a datagram. */
void hostile_send_raw(struct hostile *peer, const uint8_t *data, size_t len);
/* One 1-RTT packet of these frames. */
void hostile_say(struct hostile *peer, const struct octets *frames);
/* A Retry packet to the client, whether there was one before or not. */
void hostile_send_retry(struct hostile *peer);

/* The next key phase for what is sent; the endpoint is expected to follow. */
void hostile_update_keys(struct hostile *peer);
/* Uses the next identifier that the endpoint has given, if there is one. */
void hostile_use_new_cid(struct hostile *peer);

/* Helpers for on_params: removes a parameter, adds one. */
void params_remove(struct octets *params, uint64_t id);
void params_put(struct octets *params, uint64_t id, const void *data, size_t len);
void params_number(struct octets *params, uint64_t id, uint64_t value);

/*
 * For on_message: where an extension of a ClientHello, EncryptedExtensions or ServerHello begins,
 * 0 if it has none; removes it, gives it another type, adds one in front or at the end.
 */
size_t message_extension(const struct octets *message, uint16_t type);
void message_remove_extension(struct octets *message, uint16_t type);
void message_rename_extension(struct octets *message, uint16_t type, uint16_t other);
void message_add_extension(struct octets *message, uint16_t type, const void *data, size_t len);
void message_append_extension(struct octets *message, uint16_t type, const void *data, size_t len);

#endif
