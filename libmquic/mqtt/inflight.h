/* SPDX-License-Identifier: MIT */
/*
 * QoS 1 and 2 state by packet identifier, both ways (MQTT 5.0 sections 4.3 and 4.4), and the queue
 * of what we still have to send.
 *
 * Ours, from queue to settled. `lost` is the loss of the network connection; "absent" means that
 * CONNACK says the server has no session.
 *
 *                 ┌───────────────────────── lost: queued again, DUP ────────────────┐
 *                 ▼                                                                  │
 *     add ──▶ QUEUED ──sent, QoS 1──▶ WAIT_PUBACK ──PUBACK──▶ settled                │
 *                 │                        └─────────────────────────────────────────┤
 *                 ├───sent, QoS 2──▶ WAIT_PUBREC ──PUBREC ≥ 0x80──▶ settled          │
 *                 │                    │   └─────────────────────────────────────────┘
 *                 │                    └──PUBREC──▶ WAIT_PUBCOMP ──PUBCOMP──▶ settled
 *                 │                                   │        └──lost, absent──▶ settled, 0x92
 *                 │                                   └──lost, present, or PUBREC again: PUBREL
 *                 ├───sent, (UN)SUBSCRIBE──▶ WAIT_SUBACK ──SUBACK, UNSUBACK, lost──▶ gone
 *                 └───sent, QoS 0──▶ gone
 *
 * Theirs. Without manual acknowledgement QoS 1 needs no state, and QoS 2 starts in WAIT_PUBREL.
 *
 *     PUBLISH ──▶ WAIT_ACK ──ack──▶ ACKED ──its turn, QoS 1──▶ gone: PUBACK
 *                                     └─────its turn, QoS 2──▶ WAIT_PUBREL: PUBREC
 *     WAIT_PUBREL ──PUBREL──▶ gone: PUBCOMP          WAIT_PUBREL ──PUBLISH again──▶ PUBREC again
 *     lost: QoS 1 is gone (the server sends it again), QoS 2 stays; absent: all are gone
 */
#ifndef MQUIC_MQTT_INFLIGHT_H
#define MQUIC_MQTT_INFLIGHT_H

#include "core/list.h"
#include "mqtt/message.h"
#include "mqtt/packet-id.h"

/* ---- Ours ---- */

enum mqtt_outgoing_state {
	MQTT_OUT_QUEUED,
	MQTT_OUT_WAIT_PUBACK,
	MQTT_OUT_WAIT_PUBREC,
	MQTT_OUT_WAIT_PUBCOMP,
	MQTT_OUT_WAIT_SUBACK
};

/* What a SUBSCRIBE asks of the server that it may not offer. */
#define MQTT_NEEDS_WILDCARDS 0x01
#define MQTT_NEEDS_SHARED    0x02
#define MQTT_NEEDS_IDS       0x04

struct mqtt_outgoing {
	struct list link;
	enum mqtt_type type; /* MQTT_PUBLISH, MQTT_SUBSCRIBE or MQTT_UNSUBSCRIBE */
	enum mqtt_outgoing_state state;
	uint16_t packet_id; /* 0 for QoS 0 */
	size_t cost;
	struct mquic_message *message; /* PUBLISH before PUBREC */
	uint8_t *packet;               /* the others: encoded, until sent */
	size_t packet_len;
	size_t filter_count;
	unsigned int needs;
	uint64_t turn;   /* its place among all that was sent on this connection; 0: not sent */
	uint8_t endings; /* connections that the server ended at it; see suspect.h */
};

/* ---- Theirs ---- */

enum mqtt_incoming_state {
	MQTT_IN_WAIT_ACK,
	MQTT_IN_ACKED,
	MQTT_IN_WAIT_PUBREL
};

struct mqtt_incoming {
	struct list link; /* in WAIT_ACK and ACKED: the order of arrival among their QoS */
	enum mqtt_incoming_state state;
	uint16_t packet_id;
	uint8_t qos;
	uint8_t reason;
	bool counted; /* came on this connection: counts against our receive maximum */
};

struct mqtt_inflight {
	struct packet_id_table outgoing;
	struct list queue;
	struct list sent;
	uint16_t last_id;
	size_t window;     /* PUBLISH packets sent on this connection and not settled */
	size_t messages;   /* QoS 1 and 2 messages not settled, queued ones included */
	size_t cost;       /* bytes of all of ours */
	uint64_t turns;    /* given so far */
	uint64_t answered; /* the latest turn that the server has answered on this connection */

	struct packet_id_table incoming;
	struct list unacknowledged[2]; /* QoS 1, QoS 2 */
	size_t incoming_count;         /* those counted */
};

void mqtt_inflight_init(struct mqtt_inflight *inflight);
void mqtt_inflight_clear(struct mqtt_inflight *inflight);

/* The connection is gone; see the pictures. */
void mqtt_inflight_lost(struct mqtt_inflight *inflight);

/*
 * The server has no session: nothing queued is a duplicate to it, and its own identifiers mean
 * nothing any more. What is left in `sent` waits for PUBCOMP in vain; the caller settles it.
 */
void mqtt_inflight_absent(struct mqtt_inflight *inflight);

/* An entry for a PUBLISH that owns the message; NULL if out of memory: the message is untouched. */
struct mqtt_outgoing *mqtt_outgoing_for_message(struct mquic_message *message);
/* An entry for another packet. */
struct mqtt_outgoing *mqtt_outgoing_new(enum mqtt_type type);
/* Frees an entry that is not in the queue. */
void mqtt_outgoing_free(struct mqtt_outgoing *outgoing);

/* The next free identifier, 0 if there is none. */
uint16_t mqtt_inflight_free_id(const struct mqtt_inflight *inflight);

/* Puts an entry, its cost known, at the end of the queue. False if out of memory: not queued. */
bool mqtt_inflight_enqueue(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing);

/* The entry to send next, NULL if the queue is empty. */
struct mqtt_outgoing *mqtt_inflight_next(const struct mqtt_inflight *inflight);

/* It has been sent: waits for its answer, or is gone. */
void mqtt_inflight_sent(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing);

/* PUBREC came: the message is the server's now, which makes it WAIT_PUBCOMP. */
void mqtt_inflight_taken(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing);

/* Its PUBREL goes out again on a new connection. */
void mqtt_inflight_resumed(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing);

/* Forgets the entry, wherever it is. */
void mqtt_inflight_settle(struct mqtt_inflight *inflight, struct mqtt_outgoing *outgoing);

enum mqtt_step {
	MQTT_STEP_IGNORE,    /* an answer to nothing */
	MQTT_STEP_SETTLE,    /* it is settled */
	MQTT_STEP_TAKE,      /* the server has taken it: PUBREL */
	MQTT_STEP_REPEAT,    /* PUBREL again */
	MQTT_STEP_NOT_FOUND, /* PUBREL with 0x92 */
	MQTT_STEP_VIOLATION  /* this answer is not one to what was sent */
};

/* What PUBACK, PUBREC or PUBCOMP does to the entry it names, NULL if there is none. Pure. */
enum mqtt_step mqtt_outgoing_step(const struct mqtt_outgoing *outgoing, enum mqtt_type type,
				  uint8_t reason);

enum mqtt_arrival {
	MQTT_ARRIVAL_NEW,       /* deliver it */
	MQTT_ARRIVAL_DUPLICATE, /* delivered before, its acknowledgement is still to come */
	MQTT_ARRIVAL_REPEAT,    /* delivered before: PUBREC again */
	MQTT_ARRIVAL_VIOLATION, /* the identifier is in use for another QoS */
	MQTT_ARRIVAL_TOO_MANY,  /* more than `maximum` unsettled */
	MQTT_ARRIVAL_MEMORY
};

/* A QoS 1 or 2 message has come; NEW has been recorded. */
enum mqtt_arrival mqtt_inflight_arrived(struct mqtt_inflight *inflight, uint16_t packet_id,
					uint8_t qos, bool manual, size_t maximum);

/* The application has acknowledged it; false if nothing of that identifier waits for it. */
bool mqtt_inflight_acknowledge(struct mqtt_inflight *inflight, uint16_t packet_id, uint8_t reason);

/* Takes the next acknowledgement whose turn it is; `ack` gets type, identifier and reason. */
bool mqtt_inflight_next_ack(struct mqtt_inflight *inflight, enum mqtt_type *type,
			    uint16_t *packet_id, uint8_t *reason);

/* PUBREL came: SETTLE: PUBCOMP; NOT_FOUND: PUBCOMP with 0x92; VIOLATION: there was no PUBREC. */
enum mqtt_step mqtt_inflight_released(struct mqtt_inflight *inflight, uint16_t packet_id);

#endif
