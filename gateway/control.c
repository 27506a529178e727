/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "control.h"

bool control_read_request(struct control_request *request, const void *bytes, size_t len)
{
	if (len != sizeof(*request))
		return false;
	memcpy(request, bytes, sizeof(*request));
	return request->version == CONTROL_VERSION &&
	       (request->wish == CONTROL_LIST || request->wish == CONTROL_CLOSE ||
		request->wish == CONTROL_RESTART);
}

#define ENDS(text) (memchr((text), '\0', sizeof(text)) != NULL)

static bool has_texts(const struct client_facts *facts)
{
	return ENDS(facts->address) && ENDS(facts->cipher) && ENDS(facts->id) && ENDS(facts->user);
}

static bool has_clients(const struct control_packet *packet, size_t len)
{
	uint32_t count = packet->head.count;
	uint32_t i;

	if (count == 0 || count > CONTROL_CLIENTS_MAX ||
	    len != sizeof(packet->head) + count * sizeof(packet->clients[0]))
		return false;
	for (i = 0; i < count; i++)
		if (!has_texts(&packet->clients[i]))
			return false;
	return true;
}

bool control_check_answer(const struct control_packet *packet, size_t len)
{
	if (len < sizeof(packet->head) || packet->head.version != CONTROL_VERSION ||
	    packet->head.kind < CONTROL_ASKED || packet->head.kind > CONTROL_UNKNOWN)
		return false;
	if (packet->head.kind == CONTROL_CLIENTS)
		return has_clients(packet, len);
	return len == sizeof(packet->head);
}
