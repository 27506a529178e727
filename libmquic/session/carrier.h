/* SPDX-License-Identifier: MIT */
/*
 * What a session needs of a transport. Each kind of one is a file of its own, carrier-quic.c say,
 * and a row in the table of carrier.c: nothing else in this room knows which there are.
 *
 *     dial ──▶ on its way ──ready──▶ in use ──ended──▶ over, but it can still be asked
 *                   └─ ended ─────────────────────────▲
 *
 * A carrier brings lanes: bytes both ways, in order, bounded by what the other side has room for.
 * What is sent before the carrier is ready leaves as soon as it can.
 *
 * It tells its user from a task or timer of its own, never from within a call. The user may call
 * it then, but not free it. Nothing is told once `ended` was.
 */
#ifndef MQUIC_SESSION_CARRIER_H
#define MQUIC_SESSION_CARRIER_H

#include "core/error.h"
#include "mquic.h"

struct carrier;
struct carrier_lane;

/* Why a carrier is over. */
struct carrier_end {
	enum mquic_status status;
	enum mquic_origin origin;
	uint64_t code;
	bool hung_up; /* by the server, of its own accord: what was sent to it may be why */
	char text[240];
};

/* Who is told what happens. */
struct carrier_user {
	void (*ready)(void *self);
	/* There are bytes on a lane, or their end, or there will be none any more. */
	void (*readable)(void *self, struct carrier_lane *lane);
	/* There is room again after MQUIC_ERR_AGAIN, or the server wants no more. */
	void (*writable)(void *self, struct carrier_lane *lane);
	/* The server has acknowledged the last byte of ours. */
	void (*flushed)(void *self, struct carrier_lane *lane);
	void (*ended)(void *self, const struct carrier_end *end);
};

/* Where to, and for whom. */
struct carrier_plan {
	struct mquic_endpoint *endpoint;
	struct mquic_settings *settings; /* the user's own, for a carrier to fit to its needs */
	const char *host;
	uint16_t port;     /* 0: the usual one */
	uint64_t quiet_ms; /* how long the user may have nothing to say; it must not end by that */
	const struct carrier_user *user;
	void *self;
};

/* How far what was sent on a lane has come. */
struct carrier_progress {
	uint64_t taken;
	uint64_t acknowledged; /* of those */
};

struct carrier_kind {
	/* Sets out for the server. Settings, host and all are not needed any more afterwards. */
	enum mquic_status (*dial)(struct carrier **carrier, const struct carrier_plan *plan,
				  struct error *error);
	/* Ends it, with a reason for the server, which may be NULL; `ended` follows. */
	void (*close)(struct carrier *carrier, const char *reason);
	/* At once, and silently to the user. Its lanes are closed before. */
	void (*free)(struct carrier *carrier);
	/* The connection of QUIC that it is, for the program to look at; else NULL. */
	struct mquic_connection *(*connection)(const struct carrier *carrier);

	/* One more lane; MQUIC_ERR_UNSUPPORTED: there are no more to be had of this kind. */
	enum mquic_status (*open)(struct carrier_lane **lane, struct carrier *carrier);
	/* Nobody wants to know of it any more. */
	void (*close_lane)(struct carrier_lane *lane);
	/*
	 * Shows the oldest bytes, to be consumed in part or whole. `*len` 0: these were the last.
	 * MQUIC_ERR_AGAIN: none now. MQUIC_ERR_CLOSED: they were cut off.
	 */
	enum mquic_status (*peek)(struct carrier_lane *lane, const uint8_t **data, size_t *len);
	void (*consume)(struct carrier_lane *lane, size_t len);
	/*
	 * Takes what there is room for. MQUIC_ERR_AGAIN: nothing now, `writable` follows.
	 * MQUIC_ERR_CLOSED: the server wants no more, also if there is nothing to send.
	 */
	enum mquic_status (*send)(struct carrier_lane *lane, const uint8_t *data, size_t len,
				  size_t *sent);
	struct carrier_progress (*progress)(const struct carrier_lane *lane);
};

/* What each kind begins its own structs with. */
struct carrier {
	const struct carrier_kind *kind;
};

struct carrier_lane {
	const struct carrier_kind *kind;
};

/* ---- Calling them ---- */

static inline void carrier_close(struct carrier *carrier, const char *reason)
{
	carrier->kind->close(carrier, reason);
}

/* NULL is fine. */
static inline void carrier_free(struct carrier *carrier)
{
	if (carrier != NULL)
		carrier->kind->free(carrier);
}

static inline struct mquic_connection *carrier_connection(const struct carrier *carrier)
{
	return carrier->kind->connection(carrier);
}

static inline enum mquic_status carrier_open(struct carrier_lane **lane, struct carrier *carrier)
{
	return carrier->kind->open(lane, carrier);
}

/* NULL is fine. */
static inline void carrier_close_lane(struct carrier_lane *lane)
{
	if (lane != NULL)
		lane->kind->close_lane(lane);
}

static inline enum mquic_status carrier_peek(struct carrier_lane *lane, const uint8_t **data,
					     size_t *len)
{
	return lane->kind->peek(lane, data, len);
}

static inline void carrier_consume(struct carrier_lane *lane, size_t len)
{
	lane->kind->consume(lane, len);
}

static inline enum mquic_status carrier_send(struct carrier_lane *lane, const uint8_t *data,
					     size_t len, size_t *sent)
{
	return lane->kind->send(lane, data, len, sent);
}

static inline struct carrier_progress carrier_progress(const struct carrier_lane *lane)
{
	return lane->kind->progress(lane);
}

/* ---- Which there are ---- */

/* The kind that a session uses unless it is told otherwise (carrier.c). */
const struct carrier_kind *carrier_usual(void);

/* MQTT over QUIC (carrier-quic.c). */
extern const struct carrier_kind carrier_quic;

#endif
