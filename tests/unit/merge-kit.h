/* SPDX-License-Identifier: MIT */
/*
 * A merge between a broker and streams that are played by the test. What it says is compared as
 * text, one word for each packet:
 *
 *     CONNACK  PUBLISH:q1,7,a/b,hello  PUBACK:7  SUBSCRIBE:3,a/#,b  SUBACK:3,01,80  PINGREQ
 *
 * A filter has its options behind it, a/#@2, if they are not 0. Behind a PUBLISH and SUBSCRIBE of
 * MQTT 5.0 stands /id for each subscription identifier and =alias for a topic alias; R before the
 * QoS: retained. Identifiers of the merge itself are shown as "ours".
 */
#ifndef MQUIC_TESTS_MERGE_KIT_H
#define MQUIC_TESTS_MERGE_KIT_H

#include <check.h>

#include "mqtt/merge.h"
#include "mqtt/packet.h"

struct kit_message {
	int qos;
	uint16_t id;
	const char *topic;
	const char *payload;
	uint32_t subscription_id; /* 0: none */
	uint16_t alias;           /* 0: none */
	bool retain;
};

extern struct merge *kit_merge;
/* What the broker said last of a SUBSCRIBE: its identifier for deliveries, 0: none. */
extern uint32_t kit_route;
/* What CONNACK says, of 5.0. */
extern uint16_t kit_receive_maximum;
extern bool kit_no_subscription_ids;

/* CONNECT and CONNACK have passed; the second call opens a data stream, which starts the merge. */
void kit_connect(int version);
void kit_open_slot(size_t slot);
void kit_close(void);

/* Packets, valid until the next one is made. */
struct bytes kit_publish(const struct kit_message *message);
struct bytes kit_ack(enum mqtt_type type, uint16_t id, uint8_t reason);
/* Filters divided by spaces; a number behind the type is the client's identifier. */
struct bytes kit_subscribe(uint16_t id, const char *filters, uint32_t subscription_id);
struct bytes kit_unsubscribe(uint16_t id, const char *filters);
struct bytes kit_suback(enum mqtt_type type, uint16_t id, const char *codes);
struct bytes kit_plain(enum mqtt_type type);

/* A message of this QoS and identifier, on topic "t"; one of the broker. */
struct bytes kit_message(int qos, uint16_t id);
struct bytes kit_delivery(int qos, uint16_t id, const char *topic, uint32_t route);

/* All of it is taken, or the test fails. */
void kit_take(size_t slot, struct bytes bytes);
/* Some of it must be left. */
void kit_take_not(size_t slot, struct bytes bytes);
void kit_give(struct bytes bytes);
/* What has gone up, or to a stream, since it was looked at last. */
void kit_expect_up(const char *text);
void kit_expect(size_t slot, const char *text);
/* Both of nothing at all. */
void kit_expect_silence(void);
/* Subscribes, is answered, and nothing is left to expect. The route of 5.0 is in kit_route. */
void kit_is_subscribed(size_t slot, uint16_t id, const char *filter, uint32_t subscription_id);

/* Slots 1 and 2 are, to "a". */
void kit_both_are_subscribed(void);

/* Fixtures: connected, with the control stream and slots 1 and 2. */
void kit_two_of_3(void);
void kit_two_of_5(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Tests of one fixture, NULL: none, whose `_i` is the version. */
struct kit_case {
	const char *name;
	void (*set_up)(void);
	int version;
	const TTest *const *const *tests;
	size_t count;
};

/* What main() returns. */
int kit_run(const char *suite, const struct kit_case *cases, size_t count);

#endif
