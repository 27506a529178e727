/* SPDX-License-Identifier: MIT */
/*
 * What stands between the server and a broker. The server accepts QUIC clients and carries their
 * bytes; whoever runs it knows which broker they are for, who may come in, and where lines go, and
 * stands behind this door.
 *
 *     CONNECT ──▶ announce ──▶ dial ──▶ bytes ──▶ answered ──▶ bytes ──▶ gone
 *                    │         │ ▲ │                 │
 *            refuses │    BUSY └─┘ │ CLOSED          │ refuses, or no word came: silent
 *                    ▼             ▼                 ▼
 *                   the client reads code and reason, then gone
 *
 * All calls come from the thread that runs the worker, and none may block. `keeper` is whoever
 * stands behind the door, `pass` what it has made of the client.
 */
#ifndef SERVER_DOOR_H
#define SERVER_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mquic.h>

struct msghdr;

/* Why a client is sent away: what it reads in CONNECTION_CLOSE. A log line says the same. */
struct door_refusal {
	uint64_t code;      /* enum mquic_close_code */
	const char *reason; /* a sentence, valid until the next call */
};

/* What the door makes of a client. */
struct door_pass {
	unsigned int listener; /* that the client has come by; set before the door is asked */
	void *guest;           /* the door's own; NULL: none, and gone() is not called */
	const char *username; /* for CONNECT, valid until the next call; NULL: as the client said */
	const char *known_as; /* in lines, valid until the next call; NULL: as the client said */
	bool alone;           /* nothing goes behind CONNECT before the broker has answered */
	bool by_hand;         /* CONNECT goes through present(), and nothing behind it, as above */
};

enum door_dial {
	DOOR_CONNECTED,
	DOOR_BUSY,  /* try again in a millisecond, for ten seconds at the most */
	DOOR_CLOSED /* and stays so */
};

struct door {
	void *keeper;
	enum mquic_log_level level; /* say() wants no lines above this one */

	/*
	 * A descriptor of the door's own, and what is called when it is `readable`, and before the
	 * worker rests. False: something is left to be done; it is called again soon. NULL: there
	 * is no such descriptor.
	 */
	int fd;
	bool (*attend)(void *keeper, bool readable);

	/*
	 * CONNECT is here: who is this, and by which user name will the broker know it? One of
	 * protocol 0 was not understood; it goes to the broker as well, for its answer. False: not
	 * in here, see `refusal`. The relay is SHOWN, and only to be looked at.
	 */
	bool (*announce)(void *keeper, const struct mquic_relay *relay, struct door_pass *pass,
			 struct door_refusal *refusal);

	/*
	 * A non-blocking stream socket to the broker, which becomes the server's. It may still be
	 * connecting. Both other answers have a sentence in `refusal`.
	 */
	enum door_dial (*dial)(void *keeper, const struct door_pass *pass, int *fd,
			       struct door_refusal *refusal);

	/*
	 * Sends the first bytes of a client whose pass says `by_hand`: all of CONNECT and nothing
	 * but CONNECT, in one send. False: the broker takes them not. NULL: no pass says so.
	 */
	bool (*present)(void *keeper, const struct door_pass *pass, const struct mquic_relay *relay,
			int fd, const struct msghdr *connect);

	/* The broker's first words. False: they must not reach the client. NULL: they always may. */
	bool (*answered)(void *keeper, const struct door_pass *pass, const uint8_t *data,
			 size_t len, struct door_refusal *refusal);

	/*
	 * The broker has hung up without a word, perhaps before it had read all of CONNECT
	 * (`unread`). False, or NULL: the door has no explanation, the server's will do.
	 */
	bool (*silent)(void *keeper, const struct door_pass *pass, bool unread,
		       struct door_refusal *refusal);

	/*
	 * The broker has hung up on a client that it has spoken to. Why, for the client to read
	 * beside code 0; NULL, or no such call: the door has no idea.
	 */
	const char *(*hung_up)(void *keeper, const struct door_pass *pass);

	/* The client is gone for good; its socket to the broker is closed right after this. */
	void (*gone)(void *keeper, const struct door_pass *pass);

	/* One line without newline, see speaker.h. */
	void (*say)(void *keeper, enum mquic_log_level level, const char *line);
};

#endif
