/* SPDX-License-Identifier: MIT */
/* What all listeners together have to say of certificates that end. */
#include <string.h>

#include "quic/host.h"
#include "quic/listener.h"
#include "tls/tls.h"

/* Listeners on several addresses mostly have the same files: each is spoken of once. */
static bool said_before(struct quic_host *host, const struct quic_listener *listener, uint32_t days,
			const char *text)
{
	struct error other;
	struct list *node;
	size_t i;

	for (node = host->listeners.next; node != &listener->link; node = node->next) {
		const struct quic_listener *earlier = list_entry(node, struct quic_listener, link);

		for (i = 0; tls_credentials_expiring(earlier->credentials, days, i, &other); i++)
			if (strcmp(other.text, text) == 0)
				return true;
	}
	return false;
}

static const char *expiring(struct quic_host *host, uint32_t days, size_t index)
{
	struct list *node;
	size_t i;

	for (node = host->listeners.next; node != &host->listeners; node = node->next) {
		struct quic_listener *listener = list_entry(node, struct quic_listener, link);

		for (i = 0;
		     tls_credentials_expiring(listener->credentials, days, i, &host->expiring); i++)
			if (!said_before(host, listener, days, host->expiring.text) && index-- == 0)
				return host->expiring.text;
	}
	return NULL;
}

const char *mquic_endpoint_expiring(struct mquic_endpoint *endpoint, uint32_t days, size_t index)
{
	struct quic_host *host;

	if (endpoint == NULL || endpoint_check_fork(endpoint, endpoint_error(endpoint)) != MQUIC_OK)
		return NULL;
	host = host_of(endpoint);
	return host == NULL ? NULL : expiring(host, days, index);
}
