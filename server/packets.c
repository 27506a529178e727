/* SPDX-License-Identifier: MIT */
#include "packets.h"

/* The first byte of these has no flags (MQTT 5.0 section 2.1.3). */
#define CONNACK    0x20
#define DISCONNECT 0xe0

#define LAST_SHIFT 21

void packets_init(struct packets *packets)
{
	*packets = (struct packets){
		.state = PACKETS_FIRST,
		.connack = PACKETS_NONE,
		.disconnect = PACKETS_NONE,
	};
}

/* The codes: the second byte of CONNACK (3.2.2), the first one of DISCONNECT (3.14.2.1). */
static void look(struct packets *packets, uint8_t byte)
{
	uint32_t at = packets->size - packets->left;

	if (packets->first == CONNACK && at == 1)
		packets->connack = byte;
	else if (packets->first == DISCONNECT && at == 0)
		packets->disconnect = byte;
}

static void begin_body(struct packets *packets)
{
	if (packets->first == DISCONNECT)
		packets->disconnect = 0;
	packets->left = packets->size;
	packets->state = packets->left > 0 ? PACKETS_BODY : PACKETS_FIRST;
}

static void take_digit(struct packets *packets, uint8_t digit)
{
	packets->size |= (uint32_t)(digit & 0x7f) << packets->shift;
	if ((digit & 0x80) == 0)
		begin_body(packets);
	else if (packets->shift == LAST_SHIFT)
		packets->state = PACKETS_LOST;
	else
		packets->shift += 7;
}

static void begin(struct packets *packets, uint8_t first)
{
	packets->first = first;
	packets->size = 0;
	packets->shift = 0;
	packets->state = PACKETS_LENGTH;
}

/* As much of the body as is there; how much that is. */
static size_t pass(struct packets *packets, const uint8_t *data, size_t len)
{
	size_t passed = len < packets->left ? len : packets->left;
	size_t i;

	for (i = 0; i < passed && packets->size - packets->left < 2; i++, packets->left--)
		look(packets, data[i]);
	packets->left -= (uint32_t)(passed - i);
	if (packets->left == 0)
		packets->state = PACKETS_FIRST;
	return passed;
}

void packets_follow(struct packets *packets, const uint8_t *data, size_t len)
{
	size_t at = 0;

	while (at < len && packets->state != PACKETS_LOST)
		if (packets->state == PACKETS_BODY)
			at += pass(packets, data + at, len - at);
		else if (packets->state == PACKETS_LENGTH)
			take_digit(packets, data[at++]);
		else
			begin(packets, data[at++]);
}
