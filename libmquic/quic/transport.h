/* SPDX-License-Identifier: MIT */
/*
 * The body of a connection, shared by the files of this room.
 *
 *     HANDSHAKE ──complete──▶ READY ──┬─ we close, or it fails ──▶ ENDED, closing.c answers for 3 PTO
 *         │                           ├─ the peer closes ────────▶ ENDED, closing.c drains for 3 PTO
 *         │                           └─ idle, stateless reset ──▶ ENDED
 *         ├─ next address of the name (dial.c) ──▶ HANDSHAKE
 *         └─ refused, timed out, not trusted ────▶ ENDED
 *
 * ngtcp2's callbacks (callbacks.c) only record. What follows from them is done by the
 * connection's task, after ngtcp2 has returned: connection_run() tells the observer, writes
 * packets and sets the timer.
 */
#ifndef MQUIC_QUIC_TRANSPORT_H
#define MQUIC_QUIC_TRANSPORT_H

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/connection.h"
#include "quic/endpoint.h"
#include "quic/memory.h"
#include "tls/order.h"
#include "tls/tls.h"

struct udp_reader;

enum connection_state {
	CONNECTION_HANDSHAKE,
	CONNECTION_READY,
	CONNECTION_ENDED
};

/* What a connection identifier of the server side leads to. */
enum target_kind {
	TARGET_CONNECTION,
	TARGET_CLOSING
};

struct quic_target {
	enum target_kind kind;
	struct list routes; /* of struct quic_route */
};

struct quic_route {
	struct table_entry entry;
	struct list link;
	struct quic_target *target;
};

/* What is known of the path of a connection's next wire. */
enum path_answer {
	PATH_UNKNOWN,
	PATH_VALID,
	PATH_FAILED
};

/* Connections of one kind and address prefix that may give way, the oldest first (admission.c). */
struct quic_crowd {
	struct list link;    /* one of endpoint->crowds, by how many they are */
	struct list members; /* of struct mquic_connection */
	uint32_t count;
};

/* Connections of one address prefix. */
struct quic_address {
	struct table_entry entry;
	uint32_t connections;
	struct quic_crowd crowds[CROWD_KINDS];
};

/* What a client tries, until one address answers. */
struct quic_dial {
	struct mquic_connection *connection;
	struct address candidates[ADDRESS_CANDIDATES];
	size_t count;
	size_t next;
	struct timer timer; /* gives up on an address that keeps silent */
	uint32_t offered;   /* the version of QUIC that it offers in place of ours, 0: none so far */
	char *host;
};

struct quic_counters {
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint64_t packets_sent;
	uint64_t packets_received;
	uint64_t packets_lost; /* on streams that are closed */
	uint64_t handshake_us;
};

/* An address of the client that is not proven yet, and what it costs so far. */
struct quic_unproven {
	struct address local;
	struct address remote;
	uint64_t received;
	uint64_t sent;
};

/* A client's packets that came too early (held.c). */
struct quic_held {
	struct list packets;
	size_t count;
	bool open; /* ngtcp2 is past the handshake: nothing is too early any more */
};

/* What ngtcp2's pacer has not been told (pace.c). */
struct quic_pace {
	size_t untold;	  /* bytes that were sent */
	uint64_t last_ns; /* the latest time that ngtcp2 was told of anything */
	bool busy;	  /* more than a flight was sent since nothing was on its way */
};

/* How large packets get through (mtu.c). */
struct quic_mtu {
	size_t lost;	   /* the size that was found to get through no more; 0: none was */
	bool narrow;	   /* not even those get through that QUIC cannot do without */
	uint64_t large_ns; /* when a packet of more than 1200 bytes last left */
	uint64_t retry_ns; /* when one is tried again */
	uint64_t pause_ns; /* what was waited for that */
	/* The one that is tried now, by the last bytes in it; until_ns 0: none is. */
	uint64_t until_ns;
	int64_t stream;
	uint64_t end;
	size_t losses;
};

struct mquic_connection {
	struct quic_target target;
	struct list link;        /* endpoint->connections */
	struct list accept_link; /* endpoint->acceptable */
	struct list crowd_link;	 /* of the crowd it is in, if any */
	struct mquic_endpoint *endpoint;
	struct quic_listener *listener; /* server side only */
	struct mquic_settings *settings;
	struct tls_credentials *credentials;
	struct tls_session *tls; /* gone once the handshake is complete */
	struct tls_order order;
	struct quic_held held;   /* a client's */
	ngtcp2_conn *conn;       /* NULL once ended */
	ngtcp2_crypto_conn_ref reference;
	struct wire *wire;
	struct wire *next_wire; /* a client's, while its path is validated (migrate.c) */
	enum path_answer path_answer;
	struct quic_dial *dial;
	struct quic_address *address;
	unsigned int crowd_kind;

	struct timer timer;
	struct task task;
	struct list streams;    /* all */
	struct list sendable;   /* have bytes or FIN to send, and credit as far as known */
	struct list touched;    /* have something to tell */
	struct list waiting;    /* not opened yet */
	struct list stopping;	/* opened with a stop to tell, see stream_stop_opened() */
	struct list acceptable; /* opened by the peer, not accepted yet */

	const struct connection_observer *observer;
	void *observer_self;
	struct mquic_event *last_event; /* made beforehand: the end is told even without memory */
	bool stream_acceptable_queued;

	enum connection_state state;
	int failure;             /* an ngtcp2 error to act on; 0: none */
	uint64_t refused;        /* the code a packet was refused with (guard.c) */
	bool owned;		 /* a handle is out */
	bool handshake_done;     /* recorded by the callback, acted on by the task */
	bool handshake_told;
	bool new_streams;
	bool news;		 /* packets were read since its task ran */
	bool reset_by_peer;      /* stateless reset */
	bool heard;              /* any packet at all */
	bool end_told;
	struct quic_end end;
	struct error error;
	void *userdata;
	struct tls_facts facts;
	struct address peer; /* the last that was proven */
	struct address local;
	struct quic_unproven unproven;
	struct quic_mtu mtu;
	struct quic_pace pace;
	char peer_text[ADDRESS_TEXT_SIZE];
	char local_text[ADDRESS_TEXT_SIZE];
	uint64_t started_ns;
	struct quic_counters counters;
	struct quic_memory memory;
	ngtcp2_conn_info last_info; /* kept for after the end */
};

/* ---- connection.c: life ---- */

struct mquic_connection *connection_new(struct mquic_endpoint *endpoint);
/* Frees everything; no handle and no observer may know it any more. */
void connection_destroy(struct mquic_connection *connection);
/* Frees what an attempt to connect made: ngtcp2's and TLS's part, on a client the socket. */
void connection_strip(struct mquic_connection *connection);
/* Ends it without a word to the peer; the observer hears of it from the task. */
void connection_drop(struct mquic_connection *connection);
/* Something could not be told: it ends with the next task, and that is told. */
void connection_out_of_memory(struct mquic_connection *connection);
/* A datagram for it came in on the wire. */
void connection_read(struct mquic_connection *connection, struct wire *wire,
		     const struct datagram *datagram);
void connection_set_peer(struct mquic_connection *connection, const ngtcp2_path *path);
const struct connection_observer *connection_events(void); /* notify.c */

/* ---- ending.c: why a connection ends ---- */

/* Keeps the first reason given. */
__attribute__((format(printf, 5, 6))) void connection_set_end(struct mquic_connection *connection,
							      enum mquic_status status,
							      enum mquic_origin origin,
							      uint64_t code, const char *format,
							      ...);
/* The path does not carry packets of the size that QUIC needs. */
void connection_set_end_narrow(struct mquic_connection *connection, enum mquic_status status);
/* What follows from an error of ngtcp2: why is kept, the peer is told, the connection ends. */
void connection_fail(struct mquic_connection *connection, int ngtcp2_error);

/* ---- client.c, server.c: making ngtcp2's part ---- */

enum mquic_status transport_client(struct mquic_connection *connection,
				   const struct address *remote);
enum mquic_status transport_server(struct mquic_connection *connection, const ngtcp2_pkt_hd *hd,
				   const struct datagram *datagram, const ngtcp2_cid *original);

/* ---- transport.c: what both sides do for it ---- */

void transport_fill_settings(ngtcp2_settings *to, struct mquic_connection *connection);
void transport_fill_params(ngtcp2_transport_params *to, const struct mquic_settings *from);
void transport_random_cid(ngtcp2_cid *cid, size_t len);
/* Loads credentials, if the ngtcp2 at hand is one that can be used with them. */
enum mquic_status transport_credentials(struct tls_credentials **credentials,
					const struct mquic_settings *settings, enum tls_role role,
					struct error *error);
enum mquic_status transport_new_tls(struct mquic_connection *connection, const char *server_name);
/* Joins TLS and QUIC, the last step. */
void transport_attach_tls(struct mquic_connection *connection);
/* What ngtcp2 calls on both sides (callbacks.c). */
extern const ngtcp2_callbacks transport_callbacks;

/* The addresses of a datagram as ngtcp2 wants them; points into the datagram. */
ngtcp2_path transport_path(struct wire *wire, const struct datagram *datagram);
/* The other way round. */
struct address transport_address(const ngtcp2_addr *from);

/* ---- unproven.c: a client's new address, until it is proven ---- */

/* A datagram was read. */
void unproven_heard(struct mquic_connection *connection, const struct datagram *datagram);
/* How much room the next packet may have, of what is wanted; at least 1. */
size_t unproven_room(struct mquic_connection *connection, size_t wanted);
/* A packet goes. */
void unproven_sent(struct mquic_connection *connection, const ngtcp2_path *path, size_t len);

/* ---- guard.c: rules of QUIC that ngtcp2 does not see to ---- */

/* ngtcp2_conn_read_pkt(), and what a packet is refused for in connection->refused. */
int guard_read(struct mquic_connection *connection, const ngtcp2_path *path,
	       const ngtcp2_pkt_info *info, const struct datagram *datagram);
/* ngtcp2's callback for it. */
int guard_decrypt(uint8_t *to, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *keys,
		  const uint8_t *data, size_t len, const uint8_t *nonce, size_t nonce_len,
		  const uint8_t *header, size_t header_len);

/* ---- held.c: what a client reads only when it is past the handshake ---- */

void held_init(struct quic_held *held);
/* How many bytes of a datagram may be read now; keeps the rest. */
size_t held_split(struct quic_held *held, const struct datagram *datagram);
/* What may be read by now, in order: the caller frees `memory` when it is. False: nothing. */
bool held_take(struct quic_held *held, struct datagram *datagram, void **memory);
/* For another attempt, or the end. */
void held_clear(struct quic_held *held);

/* ---- pace.c: a flight that goes at once ---- */

/* To be called before ngtcp2 is told a new time, with that: what was sent may be paid for by now.
 */
void pace_look(struct mquic_connection *connection, uint64_t now_ns);
/* A turn of writing begins. */
void pace_begin(struct mquic_connection *connection);
/* A packet goes in it. */
void pace_packet(struct mquic_connection *connection, size_t len);
/* The turn ends; more waits for the next. */
void pace_sent(struct mquic_connection *connection, bool more);

/* ---- mtu.c: a path that carries large packets no more (RFC 9000 section 14.3) ---- */

/* Notices what time tells. */
void mtu_look(struct mquic_connection *connection);
/* How much room the next packet may have, of what is wanted. */
size_t mtu_room(struct mquic_connection *connection, size_t wanted);
/* A packet goes; the last bytes in it are of that stream, NULL if there are no new ones. */
void mtu_sent(struct mquic_connection *connection, size_t len, const struct mquic_stream *last);
/* The system has not taken packets of that size: false if QUIC cannot do without them. */
bool mtu_refused(struct mquic_connection *connection, size_t len);
/* A router has said that one was too large. */
void mtu_told(struct mquic_connection *connection);
/* All up to stream->output_acked has arrived. */
void mtu_acknowledged(struct mquic_connection *connection, const struct mquic_stream *stream);

/* ---- dial.c ---- */

/* Goes on with the next address of the name; false if there is none that a socket can be opened to:
 * then the attempt before goes on, unless memory ran out and conn is NULL. */
bool dial_next(struct mquic_connection *connection);
/* A socket towards an address, from the address that the settings name; else with a sentence. */
enum mquic_status dial_open_wire(struct mquic_connection *connection, struct wire **wire,
				 const struct address *remote);
/* Goes on with the version of QUIC that the present address offers; false if that is none. */
bool dial_offered(struct mquic_connection *connection);
void dial_free(struct mquic_connection *connection);

/* ---- migrate.c: a client that changes its address (RFC 9000 section 9) ---- */

/* Tries another path if the system would now send from another address. `cannot_send`: on the
 * present one. */
void migrate_if_moved(struct mquic_connection *connection, bool cannot_send);
void migrate_all_that_moved(struct mquic_endpoint *endpoint);
/* Records what ngtcp2 knows of a path, on either side. */
void migrate_path_answered(struct mquic_connection *connection, const ngtcp2_path *path,
			   ngtcp2_path_validation_result result);
/* Acts on it: the next wire takes over, or goes. */
void migrate_settle(struct mquic_connection *connection);

/* ---- writer.c ---- */

/* Sends what is due. May end the connection. Returns why the peer cannot be reached, 0 if it can.
 */
int writer_run(struct mquic_connection *connection);

/* ---- closing.c: what remains of a connection for a while (RFC 9000 section 10.2) ---- */

/* Sends CONNECTION_CLOSE, if ngtcp2 can, and leaves a memory of it that answers late packets. */
void closing_start(struct mquic_connection *connection, const ngtcp2_ccerr *error);
/* Sends CONNECTION_CLOSE, once: what nobody asked for leaves no memory. */
void closing_dismiss(struct mquic_connection *connection, uint64_t code, const char *reason);
/* Leaves a memory that swallows late packets. */
void closing_drain(struct mquic_connection *connection);
struct quic_closing;
void closing_read(struct quic_closing *closing, const struct datagram *datagram);
void closing_free(struct quic_closing *closing);
struct quic_closing *closing_of_target(struct quic_target *target);
struct quic_closing *closing_of_link(struct list *link);

/* ---- demux.c ---- */

void demux_receive(struct mquic_endpoint *endpoint, struct wire *wire,
		   const struct datagram *datagram);
/* The system says that the connection's peer cannot be reached. */
void demux_unreachable(struct mquic_connection *connection, int code);
extern const struct udp_reader demux_reader;

/*
 * ---- The server side ----
 *
 * Of this, a build without it keeps what any connection calls, with nothing to do: no-server.c.
 */

/* ---- listener.c ---- */

/* The tables of what the server side knows; false if out of memory. */
bool listener_init(struct mquic_endpoint *endpoint);
void listener_fini(struct mquic_endpoint *endpoint);
void listener_free_all(struct mquic_endpoint *endpoint);
/* A datagram that came in on a listener's wire. */
void listener_receive(struct mquic_endpoint *endpoint, struct wire *wire,
		      const struct datagram *datagram);
/* Sends one packet back to where a datagram came from; len 0: none. */
void listener_reply(struct wire *wire, const struct datagram *to, const uint8_t *packet,
		    size_t len);

/* ---- accept.c: the way in ---- */

/* An Initial packet that belongs to no connection: admits, refuses, or demands Retry. */
void accept_initial(struct mquic_endpoint *endpoint, struct wire *wire,
		    const struct datagram *datagram, const ngtcp2_pkt_hd *hd);
/* Its handshake is complete: it waits for mquic_endpoint_accept(). */
void accept_tell(struct mquic_connection *connection);
void accept_retry(struct mquic_endpoint *endpoint, struct wire *wire,
		  const struct datagram *datagram, const ngtcp2_pkt_hd *hd);

/* ---- admission.c: who gets a place, and who gives way ---- */

/* What becomes of a newcomer. */
struct admission {
	const char *objection;		    /* the limit that is reached; NULL: there is room */
	struct mquic_connection *gives_way; /* the one whose place it may take all the same */
	bool retry;			    /* it must prove its address first */
};

/* Its tables; false if out of memory. */
bool admission_init(struct mquic_endpoint *endpoint, const uint64_t secret[2]);
struct admission admission_judge(struct mquic_endpoint *endpoint,
				 const struct mquic_settings *settings,
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

/* ---- routes.c: identifiers to targets ---- */

bool route_add(struct mquic_endpoint *endpoint, struct quic_target *target, const uint8_t *cid,
	       size_t len);
void route_remove(struct mquic_endpoint *endpoint, struct quic_target *target,
		  const ngtcp2_cid *cid);
void route_remove_all(struct mquic_endpoint *endpoint, struct quic_target *target);
void route_move_all(struct quic_target *from, struct quic_target *to);

#endif
