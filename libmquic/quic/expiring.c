/* SPDX-License-Identifier: MIT */
/* What all listeners together have to say of certificates that end. */
#include <string.h>

#include "quic/endpoint.h"
#include "tls/tls.h"

/* Listeners on several addresses mostly have the same files: each is spoken of once. */
static bool said_before(struct mquic_endpoint *endpoint, const struct quic_listener *listener,
			uint32_t days, const char *text)
{
	struct error other;
	struct list *node;
	size_t i;

	for (node = endpoint->listeners.next; node != &listener->link; node = node->next) {
		const struct quic_listener *earlier = list_entry(node, struct quic_listener, link);

		for (i = 0; tls_credentials_expiring(earlier->credentials, days, i, &other); i++)
			if (strcmp(other.text, text) == 0)
				return true;
	}
	return false;
}

const char *mquic_endpoint_expiring(struct mquic_endpoint *endpoint, uint32_t days, size_t index)
{
	struct list *node;
	size_t i;

	if (endpoint == NULL || endpoint_check_fork(endpoint, &endpoint->error) != MQUIC_OK)
		return NULL;
	for (node = endpoint->listeners.next; node != &endpoint->listeners; node = node->next) {
		struct quic_listener *listener = list_entry(node, struct quic_listener, link);

		for (i = 0;
		     tls_credentials_expiring(listener->credentials, days, i, &endpoint->expiring);
		     i++)
			if (!said_before(endpoint, listener, days, endpoint->expiring.text) &&
			    index-- == 0)
				return endpoint->expiring.text;
	}
	return NULL;
}
