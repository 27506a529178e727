/* SPDX-License-Identifier: MIT */
/*
 * Several streams of one client, one broker. What EMQX does with a session for each stream is
 * done here with the one session that any broker has: bytes in, bytes out.
 *
 *     stream 0 ──take──┐                        ┌──give── bytes of the broker
 *     stream 4 ──take──┼──▶ up: to the broker   ├──▶ output of stream 0
 *     stream 8 ──take──┘                        ├──▶ output of stream 4 ...
 *
 * As long as there is one stream only, its bytes pass by outside and are watched: where packets
 * end, which identifiers are out, what is subscribed to. That is all there is to know when the
 * second stream comes.
 *
 * - Packet identifiers of requests are the stream's own; to the broker goes the same number if it
 *   is free, another if not. Those of deliveries are the broker's, whatever stream they go to.
 * - A delivery goes to the streams whose subscription it is for. MQTT 5.0 tells by a subscription
 *   identifier, which is put into SUBSCRIBE and taken out of PUBLISH, where the client's own
 *   comes back. 3.1.1 has none: topics and filters are compared.
 * - What goes to several streams is acknowledged when the last of them has done so.
 * - What a stream that is gone has left is settled for it: deliveries are acknowledged, messages
 *   of QoS 2 that are whole are released, filters of nobody else are unsubscribed from.
 */
#ifndef MQUIC_MQTT_MERGE_H
#define MQUIC_MQTT_MERGE_H

#include "core/buf.h"
#include "mqtt/reason.h"

/* Streams of one client at a time, the control stream included: a slot for each, 0 is that. */
#define MERGE_SLOTS 16

/* Subscription identifiers from here on are ours. */
#define MERGE_SUBSCRIPTION_ID 0x0f000000u
#define MERGE_ROUTES          0x01000000u

/* Packets of a data stream, as EMQX has it. */
#define MERGE_PACKET_MAX 1048576u
/* What may wait for a stream that takes nothing, beyond which QoS 0 is dropped. */
#define MERGE_OUTPUT_SOFT 65536u
/* Beyond which a data stream is given up, and the broker waits for the control stream. */
#define MERGE_OUTPUT_HARD 1048576u
/* What may wait for all data streams, if a message beyond that bound is to go to one more. */
#define MERGE_OUTPUT_ALL 16777216u

struct merge;

/* For a client of this version of MQTT, whose CONNECT goes by first. NULL: out of memory. */
struct merge *merge_new(int version);
void merge_free(struct merge *merge);
/* Bytes it takes. */
size_t merge_memory(const struct merge *merge);
/* Whether memory has run out; nothing it says counts then. */
bool merge_has_failed(const struct merge *merge);

/* ---- One stream: what has passed by ---- */

void merge_watch_client(struct merge *merge, struct bytes bytes);
void merge_watch_broker(struct merge *merge, struct bytes bytes);
/* Whether the broker has taken the client (CONNACK). */
bool merge_is_accepted(const struct merge *merge);

/* ---- Several ---- */

/* From now on all bytes go through it. Slot 0 is open. Chance is any number. False: no memory. */
bool merge_start(struct merge *merge, uint32_t chance);
bool merge_is_started(const struct merge *merge);
/* Opens a free slot. */
void merge_open(struct merge *merge, size_t slot);
/*
 * Takes a client's bytes from the front of `input`; those of a packet that must wait stay there.
 * What is wrong with a data stream is recorded, see merge_fault().
 */
void merge_take(struct merge *merge, size_t slot, struct bytes *input);
/* Whether DISCONNECT of the control stream is taken; if not it waits, as it does not at first. */
void merge_let_leave(struct merge *merge, bool may);
/* Takes all bytes of the broker. */
void merge_give(struct merge *merge, struct bytes bytes);
/* Whether the broker should wait: the control stream takes nothing. */
bool merge_is_full(const struct merge *merge);

/* For the broker. */
struct bytes merge_up(const struct merge *merge);
void merge_consume_up(struct merge *merge, size_t len);
/* For a stream. */
struct bytes merge_output(const struct merge *merge, size_t slot);
void merge_consume_output(struct merge *merge, size_t slot, size_t len);

/* Why a data stream must be given up, MQTT_SUCCESS: it need not. */
enum mqtt_reason merge_fault(const struct merge *merge, size_t slot);
/* Messages of QoS 0 that a stream lost because it took nothing. */
uint64_t merge_dropped(const struct merge *merge, size_t slot);
/* Deliveries that it has not acknowledged, and how often it has acknowledged one. */
size_t merge_unacknowledged(const struct merge *merge, size_t slot, uint64_t *acknowledged);

/* The client sends no more on this data stream, but may get answers to what it has sent. */
void merge_finish(struct merge *merge, size_t slot);
/* Finished, and there is nothing more to come. */
bool merge_is_finished(const struct merge *merge, size_t slot);
/* The data stream is gone; the slot is free. */
void merge_close(struct merge *merge, size_t slot);

#endif
