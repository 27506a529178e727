/* SPDX-License-Identifier: MIT */
#include "tls/order.h"

#include <string.h>

/* RFC 8446 section 4 and 6. */
#define CLIENT_HELLO         1
#define SERVER_HELLO         2
#define NEW_SESSION_TICKET   4
#define ENCRYPTED_EXTENSIONS 8
#define CERTIFICATE          11
#define CERTIFICATE_REQUEST  13
#define CERTIFICATE_VERIFY   15
#define FINISHED             20

#define UNEXPECTED_MESSAGE 10

#define BIT(type) (UINT32_C(1) << (type))

/*
 * What the peer may send, by our role and the level. KeyUpdate is nowhere (RFC 9001 section 6),
 * nor is EndOfEarlyData (section 8.3); a client has nothing to say after its Finished.
 */
static const uint32_t allowed[2][3] = {
	[TLS_CLIENT] =
		{
			[TLS_LEVEL_INITIAL] = BIT(SERVER_HELLO),
			[TLS_LEVEL_HANDSHAKE] = BIT(ENCRYPTED_EXTENSIONS) |
						BIT(CERTIFICATE_REQUEST) | BIT(CERTIFICATE) |
						BIT(CERTIFICATE_VERIFY) | BIT(FINISHED),
			[TLS_LEVEL_1RTT] = BIT(NEW_SESSION_TICKET),
		},
	[TLS_SERVER] =
		{
			[TLS_LEVEL_INITIAL] = BIT(CLIENT_HELLO),
			[TLS_LEVEL_HANDSHAKE] =
				BIT(CERTIFICATE) | BIT(CERTIFICATE_VERIFY) | BIT(FINISHED),
		},
};

void tls_order_init(struct tls_order *order, enum tls_role role)
{
	*order = (struct tls_order){.role = role};
}

/* Keys may change behind these, so nothing may follow in the same breath (RFC 8446 section 5.1). */
static bool ends_a_flight(uint8_t type)
{
	return type == CLIENT_HELLO || type == SERVER_HELLO || type == FINISHED;
}

static bool may_come(const struct tls_order *order, uint8_t type)
{
	if (order->finished != (order->level == TLS_LEVEL_1RTT))
		return false;
	return type < 32 && (allowed[order->role][order->level] & BIT(type)) != 0;
}

/* Takes bytes of the header, and judges the message once its type is there. */
static bool take_header(struct tls_order *order, const uint8_t *data, size_t len, size_t *used)
{
	size_t wanted = TLS_MESSAGE_HEADER - order->header_len;
	size_t taken = len < wanted ? len : wanted;

	memcpy(order->header + order->header_len, data, taken);
	order->header_len += taken;
	*used += taken;
	order->left = (uint32_t)order->header[1] << 16 | (uint32_t)order->header[2] << 8 |
		      order->header[3];
	return may_come(order, order->header[0]);
}

/* The message is whole. */
static bool end_message(struct tls_order *order, size_t behind)
{
	uint8_t type = order->header[0];

	memset(order->header, 0, sizeof(order->header));
	order->header_len = 0;
	order->finished = order->finished || type == FINISHED;
	return behind == 0 || !ends_a_flight(type);
}

static bool take_message(struct tls_order *order, const uint8_t *data, size_t len, size_t *used)
{
	size_t rest;

	if (order->header_len < TLS_MESSAGE_HEADER &&
	    !take_header(order, data + *used, len - *used, used))
		return false;
	if (order->header_len < TLS_MESSAGE_HEADER)
		return true;
	rest = len - *used;
	if (rest < order->left) {
		order->left -= (uint32_t)rest;
		*used = len;
		return true;
	}
	*used += order->left;
	order->left = 0;
	return end_message(order, len - *used);
}

uint8_t tls_order_check(struct tls_order *order, enum tls_level level, const uint8_t *data,
			size_t len)
{
	size_t used = 0;

	/* No way back to a lower level, and no message across two. */
	if (level < order->level || (level > order->level && order->header_len > 0))
		return UNEXPECTED_MESSAGE;
	order->level = level;
	while (used < len)
		if (!take_message(order, data, len, &used))
			return UNEXPECTED_MESSAGE;
	return 0;
}
