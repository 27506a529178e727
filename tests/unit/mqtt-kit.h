/* SPDX-License-Identifier: MIT */
/* What tests of the MQTT room share: packets from hexadecimal text, reading and writing again. */
#ifndef MQUIC_TESTS_MQTT_KIT_H
#define MQUIC_TESTS_MQTT_KIT_H

#include "mqtt/packet.h"

/* Bytes from text such as "10 0c 00 04 'MQTT' 05"; spaces are free. Released with free(). */
uint8_t *kit_bytes(const char *hex, size_t *len);

/* The packet in `bytes`, which must be exactly one. False if the framing refuses it. */
bool kit_packet(struct bytes bytes, struct mqtt_packet *packet);

/*
 * Reads a packet of any kind and, if it is well-formed, writes it again to `writer` from what was
 * read.
 */
enum mqtt_reason kit_again(struct buf_writer *writer, const struct mqtt_packet *packet,
			   int version);

#endif
