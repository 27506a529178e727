/* SPDX-License-Identifier: MIT */
/*
 * The body of a merge, shared by its files. Calls go one way:
 *
 *     merge ─▶ merge-take, merge-give ─▶ merge-request ─▶ merge-filters, merge-ids, merge-out
 *       │                                    └─▶ merge-subscribe ─┘
 *       └────▶ merge-watch ─────────────────┘     merge-scan shows it what passes by,
 *   merge-pass ─────┘                             but for what tells at a glance
 */
#ifndef MQUIC_MQTT_MERGE_BODY_H
#define MQUIC_MQTT_MERGE_BODY_H

#include "core/list.h"
#include "mqtt/alias.h"
#include "mqtt/merge.h"
#include "mqtt/packet.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"

/* ---- merge-ids.c: numbers by numbers ---- */

struct merge_entry {
	uint32_t key; /* 0: free */
	uint64_t value;
};

struct merge_ids {
	struct merge_entry *entries;
	size_t size; /* a power of two, or 0 */
	size_t count;
	size_t room;    /* for so many: beyond half of the size they would come to lie in heaps */
	unsigned shift; /* 32 less the bits of the size */
};

void merge_ids_clear(struct merge_ids *ids);
/* 0 if there is none. */
uint64_t merge_ids_get(const struct merge_ids *ids, uint32_t key);
/* A key and a value other than 0; replaces what is there. False if out of memory. */
bool merge_ids_put(struct merge_ids *ids, uint32_t key, uint64_t value);
void merge_ids_remove(struct merge_ids *ids, uint32_t key);

/* ---- merge-scan.c: packets that pass by ---- */

struct merge_scan {
	struct buf_writer head; /* of a packet, as far as it must be seen and has come */
	bool shown;             /* it has been handed out */
	size_t skip;            /* bytes of the packet that need not be seen */
};

/*
 * Takes bytes from the front of `input`, not beyond the end of a packet. True: enough of one is
 * there, in `packet`; of PUBLISH that is what is before the properties, of others all.
 */
bool merge_scan_next(struct merge_scan *scan, struct bytes *input, struct mqtt_packet *packet);
/* Whether it stands between two packets. */
bool merge_scan_is_between(const struct merge_scan *scan);
/* The same, and there is nothing to tidy up: the scan need not see what starts here. */
static inline bool merge_scan_is_clear(const struct merge_scan *scan)
{
	return scan->skip == 0 && scan->head.len == 0;
}

/* ---- merge-filters.c: who has subscribed to what ---- */

/* Instead of a slot: of a stream that is gone; of any. */
#define MERGE_NOBODY  0xff
#define MERGE_ANYBODY 0xfe

#define MERGE_FILTERS_MAX      512
#define MERGE_FILTER_BYTES_MAX 262144u

struct merge_filter {
	uint8_t *text;
	uint32_t len;
	uint32_t route;     /* our subscription identifier at the broker, 0: none */
	uint32_t client_id; /* the client's own, 0: none */
	uint16_t request;   /* the broker's identifier of a SUBSCRIBE not answered yet, else 0 */
	uint8_t slot;
	uint8_t qos;       /* asked for */
	bool as_published; /* all messages keep their mark of being retained */
};

/* Requests that the broker has not answered: beyond it streams wait, or are not watched. */
#define MERGE_REQUESTS_MAX      64
#define MERGE_REQUEST_BYTES_MAX 262144u

struct merge_filters {
	struct merge_filter *items; /* the oldest first */
	size_t count;
	size_t bytes;
};

static inline struct bytes merge_filter_text(const struct merge_filter *filter)
{
	return bytes_of(filter->text, filter->len);
}

void merge_filters_clear(struct merge_filters *filters);
struct merge_filter *merge_filters_find(const struct merge_filters *filters, struct bytes text,
					size_t slot);
/* Whether somebody but this slot has subscribed to it. */
bool merge_filters_has_other(const struct merge_filters *filters, struct bytes text, size_t slot);
/* The highest QoS that somebody but this slot has asked for with it. */
uint8_t merge_filters_qos_of_others(const struct merge_filters *filters, struct bytes text,
				    size_t slot);
bool merge_filters_has_room(const struct merge_filters *filters, const struct mqtt_subscribe *more);
/* Notes it as the newest. False if out of memory. */
bool merge_filters_hold(struct merge_filters *filters, struct bytes text,
			const struct merge_filter *facts);
void merge_filters_remove(struct merge_filters *filters, size_t at);
/* Forgets it, of this slot or MERGE_NOBODY alone, or of MERGE_ANYBODY. */
void merge_filters_release(struct merge_filters *filters, struct bytes text, size_t slot);

/* Who gets a delivery. */
struct merge_choice {
	uint32_t slots; /* a bit for each */
	bool known;     /* it was for somebody, even if that is gone */
	uint32_t client_ids[MERGE_SLOTS];
};

void merge_filters_choose_by_route(const struct merge_filters *filters, uint32_t route,
				   struct bytes topic, bool retain, struct merge_choice *choice);
void merge_filters_choose_by_topic(const struct merge_filters *filters, struct bytes topic,
				   bool retain, struct merge_choice *choice);

/* ---- The body ---- */

/* What a client's packet identifier stands for. */
enum merge_kind {
	MERGE_QOS1 = 1,
	MERGE_QOS2,     /* PUBLISH has gone up */
	MERGE_RECEIVED, /* PUBREC has come back */
	MERGE_RELEASED, /* PUBREL has gone up */
	MERGE_SUBSCRIBE,
	MERGE_UNSUBSCRIBE
};

/* Where a delivery stands. */
enum merge_phase {
	MERGE_WANTS_PUBACK = 1,
	MERGE_WANTS_PUBREC,
	MERGE_WANTS_PUBCOMP
};

struct merge_delivery {
	uint16_t slots;   /* that have got it */
	uint16_t waiting; /* of them, those that have not acknowledged */
	enum merge_phase phase;
};

struct merge_slot {
	bool open;
	bool finished;
	enum mqtt_reason fault;
	struct mqtt_framing framing;
	struct buf_writer parked; /* packets that wait for the broker's receive maximum */
	struct buf_writer output;
	struct mqtt_alias_in aliases; /* of the client on this stream */
	size_t requests;              /* identifiers of it that are out */
	size_t deliveries;            /* that it has not acknowledged */
	uint64_t acknowledged;
	uint64_t dropped;
};

/* What CONNACK allows. */
struct merge_limits {
	uint32_t receive_maximum;
	uint32_t maximum_packet;
	uint16_t alias_maximum;
	uint8_t maximum_qos;
	bool retain;
	bool subscription_ids;
};

struct merge {
	int version;
	bool accepted;
	bool failed;
	bool raw_up;   /* the control stream is within a packet of before the start */
	bool raw_down; /* so is the broker */
	bool stays;    /* DISCONNECT waits */
	bool broken;   /* what comes on the control stream is no MQTT: the broker's to judge */
	struct merge_limits limits;
	struct merge_scan client;
	struct merge_scan broker;
	struct merge_ids taken; /* the broker's number of a request: slot, kind, client's number */
	size_t publishes;       /* of them, PUBLISH; counted from the start on */
	struct merge_filters filters;
	struct list requests; /* SUBSCRIBE and UNSUBSCRIBE to be answered */
	size_t request_count;
	size_t request_bytes;

	/* started */
	struct merge_slot *slots;
	struct merge_ids given;       /* slot and client's number: the broker's number */
	struct merge_ids deliveries;  /* the broker's number: struct merge_delivery */
	struct mqtt_alias_in aliases; /* of the broker */
	struct mqtt_framing down;
	struct buf_writer up;
	uint16_t last_id;
	uint32_t first_route; /* chance, lest those of an earlier connection be taken for ours */
	uint32_t routes;      /* made so far */
	size_t turn;          /* whose parked packets are looked at first */
	uint8_t pings[16];    /* whose PINGREQ is to be answered, the oldest first */
	size_t ping_count;
};

/* Gives a data stream up, or, slot 0, nothing. */
void merge_blame(struct merge *merge, size_t slot, enum mqtt_reason reason);

/* Whether a topic or filter has more levels than the broker takes. */
bool merge_is_too_deep(struct bytes topic);

/* ---- merge-out.c: packets written, identifiers noted ---- */

/* The packet as it is. */
void merge_write(struct merge *merge, struct buf_writer *to, const struct mqtt_packet *packet);
/* With two bytes of its body changed. */
void merge_write_with_id(struct merge *merge, struct buf_writer *to,
			 const struct mqtt_packet *packet, size_t at, uint16_t id);
/* A PUBACK, PUBREC, PUBREL or PUBCOMP that says nothing but yes. */
void merge_write_ack(struct merge *merge, struct buf_writer *to, enum mqtt_type type, uint16_t id);
/* What becomes of a PUBLISH of 5.0; else its properties stay as they are, byte by byte. */
struct merge_changes {
	uint16_t id;
	bool alias;         /* keeps its topic alias */
	uint32_t ids_end;   /* loses subscription identifiers from here on */
	uint32_t client_id; /* gets this one; 0: none */
};

void merge_write_publish(struct merge *merge, struct buf_writer *to,
			 const struct mqtt_publish *publish, const struct merge_changes *changes);
/* With another identifier at the front, for a stream unless it is gone or has too much to read. */
void merge_output_with_id(struct merge *merge, size_t slot, const struct mqtt_packet *packet,
			  uint16_t id);

struct merge_request_id {
	uint8_t slot; /* or MERGE_NOBODY */
	enum merge_kind kind;
	uint16_t client_id; /* 0: of ours */
};

/* As it is kept in `taken`. */
static inline uint64_t merge_id_value(const struct merge_request_id *request)
{
	return request->slot | (uint64_t)request->kind << 8 | (uint64_t)request->client_id << 16;
}

/* False: no such request is out. */
bool merge_find_id(const struct merge *merge, uint16_t id, struct merge_request_id *request);
/* Notes what stands behind the broker's number. */
void merge_note_id(struct merge *merge, uint16_t id, const struct merge_request_id *request);
void merge_drop_id(struct merge *merge, uint16_t id);
/* At the start: counts what is out, which keeps its numbers. */
void merge_count_ids(struct merge *merge);
/*
 * The broker's number for a request: that it has, the client's own, or another. 0: none is free, or
 * the data stream has a message out with the client's and this is none, or the other way round.
 */
uint16_t merge_make_id(struct merge *merge, const struct merge_request_id *request);
/* Gives a data stream up if there is no number for its request. */
void merge_blame_without_id(struct merge *merge, size_t slot, uint16_t id);
/* The broker's number that a client's stands for, 0: none. */
uint16_t merge_id_of(const struct merge *merge, size_t slot, uint16_t client_id);

bool merge_find_delivery(const struct merge *merge, uint16_t id, struct merge_delivery *delivery);
void merge_note_delivery(struct merge *merge, uint16_t id, const struct merge_delivery *delivery);

/* ---- merge-request.c: SUBSCRIBE, UNSUBSCRIBE and what answers them ---- */

/* Notes what passes by. */
void merge_watch_subscribe(struct merge *merge, const struct mqtt_packet *packet);
void merge_take_subscribe(struct merge *merge, size_t slot, const struct mqtt_packet *packet);
void merge_take_unsubscribe(struct merge *merge, size_t slot, const struct mqtt_packet *packet);
/* SUBACK or UNSUBACK; to nobody while the stream's bytes only pass by. */
void merge_answer_request(struct merge *merge, const struct mqtt_packet *packet);
/* Drops the subscriptions of a stream. */
void merge_unsubscribe_all(struct merge *merge, size_t slot);
void merge_forget_requests(struct merge *merge);

/* ---- merge-subscribe.c: SUBSCRIBE as the broker gets it ---- */

/* An identifier for subscriptions; 0: the broker takes none. */
uint32_t merge_next_route(struct merge *merge);
/*
 * What a slot has asked, with the broker's identifier of it, the route, and, for each filter, the
 * highest QoS that a slot has asked for. True: that is higher than what this one has.
 */
bool merge_write_subscribe(struct merge *merge, const struct mqtt_packet *packet,
			   const struct mqtt_subscribe *asked, const struct merge_filter *facts);
/* In a SUBACK that was written last: no filter is granted a higher QoS than was asked for. */
void merge_lower_codes(struct buf_writer *written, struct bytes section, size_t count);

/* ---- merge-watch.c: one packet that passes by, as merge_scan_next() shows it ---- */

void merge_watch_client_packet(struct merge *merge, const struct mqtt_packet *packet);
void merge_watch_broker_packet(struct merge *merge, const struct mqtt_packet *packet);
/* What is left of the bytes: fewer, by a packet at most, or one has begun. */
struct bytes merge_watch_client_closely(struct merge *merge, struct bytes bytes);
struct bytes merge_watch_broker_closely(struct merge *merge, struct bytes bytes);

/* ---- merge-take.c ---- */

/* One packet of a client. */
void merge_take_packet(struct merge *merge, size_t slot, const struct mqtt_packet *packet);
/* Whether PUBLISH with QoS 1 and 2 must wait. */
bool merge_must_wait(const struct merge *merge);

/* ---- merge-give.c ---- */

/* One packet of the broker. */
void merge_give_packet(struct merge *merge, const struct mqtt_packet *packet);
/* What the broker says of itself. */
void merge_read_connack(struct merge *merge, const struct mqtt_packet *packet);
/* A stream says no more: what the broker has of it is released. `gone`: it hears no more, too. */
void merge_release_all(struct merge *merge, size_t slot, bool gone);
/* Settles what a stream that is gone has not acknowledged. */
void merge_settle(struct merge *merge, size_t slot);

#endif
