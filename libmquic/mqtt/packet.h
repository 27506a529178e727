/* SPDX-License-Identifier: MIT */
/*
 * The fixed header (MQTT 5.0 section 2.1) and the cutting of a byte stream into packets. The
 * codec of each kind of packet is in the header of its name: connect.h, publish.h, ack.h,
 * subscribe.h, disconnect.h, ping.h.
 */
#ifndef MQUIC_MQTT_PACKET_H
#define MQUIC_MQTT_PACKET_H

#include "core/buf.h"
#include "mqtt/reason.h"

enum mqtt_type {
	MQTT_CONNECT = 1,
	MQTT_CONNACK = 2,
	MQTT_PUBLISH = 3,
	MQTT_PUBACK = 4,
	MQTT_PUBREC = 5,
	MQTT_PUBREL = 6,
	MQTT_PUBCOMP = 7,
	MQTT_SUBSCRIBE = 8,
	MQTT_SUBACK = 9,
	MQTT_UNSUBSCRIBE = 10,
	MQTT_UNSUBACK = 11,
	MQTT_PINGREQ = 12,
	MQTT_PINGRESP = 13,
	MQTT_DISCONNECT = 14,
	MQTT_AUTH = 15
};

/* Protocol levels of CONNECT (section 3.1.2.2). */
#define MQTT_3_1   3
#define MQTT_3_1_1 4
#define MQTT_5     5

/* Largest fixed header and largest packet. */
#define MQTT_HEADER_MAX 5
#define MQTT_PACKET_MAX 268435460u

/* A whole packet, its body still encoded; points into somebody's buffer. */
struct mqtt_packet {
	enum mqtt_type type;
	uint8_t flags;     /* the lower half of the first byte */
	struct bytes body; /* all that follows the fixed header */
};

/* "CONNECT" and so on; "packet" for an unknown type. Static. */
const char *mqtt_type_text(enum mqtt_type type);

/* Whether the flags are those that section 2.1.3 fixes for the type; PUBLISH has none fixed. */
bool mqtt_packet_flags_valid(const struct mqtt_packet *packet);

/*
 * Looks at the start of a packet. Returns the length of the fixed header with `*body_len` set, 0
 * if more bytes are needed, or -1 if the type is 0 or the remaining length is overlong (1.5.5).
 */
int mqtt_header_read(struct bytes bytes, uint32_t *body_len);

/* Writes a fixed header. A body over 268435455 bytes makes the writer fail. */
void mqtt_header_write(struct buf_writer *writer, enum mqtt_type type, uint8_t flags,
		       size_t body_len);

/* The bytes a packet with a body of this length has. */
size_t mqtt_packet_size(size_t body_len);

/* What a byte stream is cut with. Holds at most one packet that came in pieces. */
struct mqtt_framing {
	struct buf_writer assembly; /* grows with what has come, not with what is announced */
	bool shown;                 /* the packet in the assembly has been handed out */
	uint32_t maximum_publish;   /* packet sizes, header included */
	uint32_t maximum_other;
};

enum mqtt_framing_result {
	MQTT_FRAMING_PACKET,    /* a packet is there */
	MQTT_FRAMING_MORE,      /* all bytes are taken, and the packet is not complete */
	MQTT_FRAMING_MALFORMED, /* not MQTT */
	MQTT_FRAMING_TOO_LARGE, /* larger than the maximum */
	MQTT_FRAMING_MEMORY
};

/* Other packets than PUBLISH are also held to MQTT_CONTROL_MAX. */
#define MQTT_CONTROL_MAX 1048576u

void mqtt_framing_init(struct mqtt_framing *framing, uint32_t maximum_packet_size);
void mqtt_framing_clear(struct mqtt_framing *framing);

/*
 * Takes bytes from the front of `input` until one packet is complete. The packet points into
 * the input if it was complete there, else into the assembly, and is valid until the next call.
 */
enum mqtt_framing_result mqtt_framing_next(struct mqtt_framing *framing, struct bytes *input,
					   struct mqtt_packet *packet);

#endif
