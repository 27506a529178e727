/* SPDX-License-Identifier: MIT */
/* CONNECT and CONNACK (MQTT 5.0 sections 3.1 and 3.2). */
#ifndef MQUIC_MQTT_CONNECT_H
#define MQUIC_MQTT_CONNECT_H

#include "mqtt/packet.h"
#include "mqtt/property.h"
#include "mquic.h"

/* CONNECT. Everything points into the packet; bytes with NULL data are absent. */
struct mqtt_connect {
	int version; /* MQTT_3_1, MQTT_3_1_1 or MQTT_5 */
	bool bridge; /* the bit 0x80 of the level, with which Mosquitto's bridges announce
			themselves */
	bool clean_start;
	uint16_t keep_alive_s;
	struct bytes client_id;
	bool has_will;
	uint8_t will_qos;
	bool will_retain;
	struct bytes will_topic;
	struct bytes will_payload;
	struct bytes username;
	struct bytes password;
	struct mqtt_properties properties;
	struct mqtt_properties will_properties;
	/* reading: where in the body the flags are, and the user name is or would be */
	size_t flags_at;
	size_t username_at;
};

/*
 * Reads a CONNECT of level 3 ("MQIsdp"), 4 or 5. MQTT_UNSUPPORTED_VERSION: another level. Level 3
 * is read as its brokers do: names may be missing although their flags are set.
 */
enum mqtt_reason mqtt_connect_read(struct mqtt_connect *connect, const struct mqtt_packet *packet);
void mqtt_connect_write(struct buf_writer *writer, const struct mqtt_connect *connect);

struct mqtt_connack {
	bool session_present;
	uint8_t reason; /* a 5.0 reason code in every version */
	struct mqtt_properties properties;
};

enum mqtt_reason mqtt_connack_read(struct mqtt_connack *connack, const struct mqtt_packet *packet,
				   int version);
void mqtt_connack_write(struct buf_writer *writer, const struct mqtt_connack *connack, int version);

/* ---- For those who look at a client's CONNECT before it goes on to a broker ---- */

enum mqtt_scan {
	MQTT_SCAN_MORE, /* not complete; `*total` tells how long it will be, 0 if not known yet */
	MQTT_SCAN_COMPLETE, /* the first `*total` bytes are the packet */
	MQTT_SCAN_MALFORMED /* no CONNECT starts like this */
};

/*
 * Looks at the first bytes of a stream, where only CONNECT may stand. Does not look into its body:
 * that is for mqtt_connect_parse().
 */
enum mqtt_scan mqtt_connect_scan(const uint8_t *data, size_t len, size_t *total);

/* Reads a complete CONNECT packet, fixed header included; else as mqtt_connect_read(). */
enum mqtt_reason mqtt_connect_parse(struct mqtt_connect *connect, const uint8_t *packet,
				    size_t len);

/*
 * Makes a copy of a complete CONNECT packet in which the user name is `name`, whether it had one
 * or not; everything else stays byte for byte but the remaining length. `*out` is to be released
 * with free(). MQUIC_ERR_PROTOCOL: the packet is malformed. MQUIC_ERR_INVALID: the name is not
 * UTF-8 of at most 65535 bytes. MQUIC_ERR_TOO_LARGE: the packet would be too large.
 */
enum mquic_status mqtt_connect_replace_username(const uint8_t *packet, size_t len, const char *name,
						size_t name_len, uint8_t **out, size_t *out_len);

#endif
