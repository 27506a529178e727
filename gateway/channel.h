/* SPDX-License-Identifier: MIT */
/*
 * What a plugin and a worker beside the broker tell each other, over a pair of SOCK_SEQPACKET
 * sockets: one message a packet, in the byte order of the machine, never blocking.
 *
 *     plugin                                             worker
 *        │◀── the greetings of both, see greeting.h ──────▶│
 *        ├──── option, … , socket, … , places, … , roll ───▶│
 *        ├──── share, configure ───────────────────────────▶│ reads options, listens
 *        │◀─── line, … , ready  or  failed ─────────────────┤
 *        ├──── start, for each listener ───────────────────▶│ serves
 *        │◀─── announce (before CONNECT), present, gone ────┤
 *        ├──── taken, reload, expiring, count, … , stop ──▶│
 *        │◀─── line, bypassed, counters, pong ──────────────┤
 *
 * The end of either side is the end of the channel. A worker may have been taken over by whoever
 * it talks to, so what comes from it is checked like anything from the network.
 */
#ifndef GATEWAY_CHANNEL_H
#define GATEWAY_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handoff.h"
#include "options.h"
#include "token.h"
#include "../server/proxy.h"

/* The descriptor that a worker finds its end under. */
#define CHANNEL_FD 3

/* The longest texts: a value of an option, a line, and what MQTT 1.5.4 lets a string have. */
#define CHANNEL_OPTION_MAX  4096
#define CHANNEL_LINE_MAX    1023
#define CHANNEL_SECRET_LEN  32
#define CHANNEL_STRING_MAX  65535
#define CHANNEL_CONNECT_MAX (PROXY_HEADER_MAX + HANDOFF_CONNECT_MAX)

/* Bytes of the largest packet of either side. */
#define CHANNEL_PACKET_MAX (64 + CHANNEL_STRING_MAX + CHANNEL_CONNECT_MAX)

enum channel_type {
	/* Of the plugin. `listener`: which one, from 0. */
	CHANNEL_OPTION, /* text: its name; more: its value */
	CHANNEL_SOCKET, /* listener; number: which of its addresses; fd: a bound UDP socket */
	CHANNEL_PLACES, /* listener; limit: its max_connections */
	CHANNEL_ROLL,   /* fd: memory to keep the roll in, see server/roll.h */
	CHANNEL_SHARE,  /* number: which worker, from 0; limit: of how many; text: their secret */
	CHANNEL_CONFIGURE, /* number: which worker; flags: BROKER_2_1 */
	CHANNEL_START,    /* listener; limit: the longest CONNECT; flags: NAMES_ARE_IDS, UNPROVEN */
	CHANNEL_SHUT,     /* listener: serve it no more */
	CHANNEL_ORPHANS,  /* fd: the roll of one that has died */
	CHANNEL_TAKEN,    /* listener: the broker has asked about a client of it, so it does ask */
	CHANNEL_RELOAD,   /* read certificates and keys again */
	CHANNEL_EXPIRING, /* say which certificates end */
	CHANNEL_COUNT,    /* tell what was counted */
	CHANNEL_LIST,  /* number: which worker; fd: who wants to know its clients, see control.h */
	CHANNEL_CLOSE, /* the same; limit: which client is to be sent away */
	CHANNEL_PING,
	CHANNEL_STOP, /* flags: REPLACED */
	/* Of the worker. */
	CHANNEL_READY,  /* it listens, and waits for START */
	CHANNEL_FAILED, /* it cannot. text: why */
	CHANNEL_LINE,   /* number: enum mquic_log_level; text */
	CHANNEL_ANNOUNCE, /* token; listener; number: enum channel_kind; text: user name; more: address */
	CHANNEL_PRESENT,  /* token; text: client identifier; more: CONNECT; fd: to send it on */
	CHANNEL_GONE,     /* token */
	CHANNEL_BYPASSED, /* token; listener: the broker has let it in without asking */
	CHANNEL_COUNTERS, /* more: struct counters_packet */
	CHANNEL_PONG,
	CHANNEL_TYPES
};

enum channel_flags {
	CHANNEL_BROKER_2_1 = 1,
	CHANNEL_NAMES_ARE_IDS = 2,
	CHANNEL_UNPROVEN = 4,
	CHANNEL_REPLACED = 8, /* the broker goes on, with another worker */
};

/* Who a client is, as far as its certificate says. */
enum channel_kind {
	CHANNEL_KIND_CLIENT,      /* its own user name and password decide */
	CHANNEL_KIND_CERTIFICATE, /* its certificate has decided: the name is the user name */
	CHANNEL_KIND_REFUSED,     /* a certificate without a usable name where one is demanded */
	CHANNEL_KINDS
};

/*
 * Received, it has a NUL behind it, and none in it unless it is CONNECT or counters. NULL: there is
 * none.
 */
struct channel_text {
	const char *data;
	size_t len;
};

struct channel_message {
	enum channel_type type;
	uint32_t flags;
	uint32_t listener;
	uint32_t number;
	uint32_t limit;
	struct token token;
	struct channel_text text;
	struct channel_text more;
	int fd; /* -1 for none; of a received message it is the receiver's to close */
};

enum channel_status {
	CHANNEL_RECEIVED,
	CHANNEL_EMPTY, /* nothing for now */
	CHANNEL_ENDED, /* the other side is gone */
	CHANNEL_BROKEN /* it says what it may not */
};

/* Makes both ends, close-on-exec. False: errno says why. */
bool channel_open(int ends[2]);

/* The process that has made the channel; 0: there is no telling. */
pid_t channel_peer(int fd);

/* Ends with a NUL. */
struct channel_text channel_text(const char *text);

/* False: it is full or has ended, and nothing was sent. */
bool channel_send(int fd, const struct channel_message *message);

/* Whether reading failed with this error for now only: it is to be tried again at once. */
bool channel_may_go_on(int code);

/*
 * Reads one message of the worker, or of the plugin, into `packet`, to which its texts point.
 * `size`: CHANNEL_PACKET_MAX for the plugin, less for what is shorter.
 */
enum channel_status channel_receive(int fd, bool of_worker, uint8_t *packet, size_t size,
				    struct channel_message *message);

/* The same of a packet that is here, without its descriptor. False: it is none. */
bool channel_parse(const uint8_t *packet, size_t size, bool of_worker,
		   struct channel_message *message);

#endif
