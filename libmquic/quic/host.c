/* SPDX-License-Identifier: MIT */
#include "quic/host.h"

#include <stdlib.h>

#include "quic/admission.h"
#include "quic/demux.h"
#include "quic/random.h"
#include "quic/routes.h"
#include "quic/udp.h"
#include "quic/watch.h"

static enum mquic_status open_udp(struct quic_host *host, struct wire **wire,
				  const struct address *local, const struct address *remote)
{
	if (host->watch == NULL)
		host->watch = watch_new(host);
	return udp_open(wire, host, &demux_reader, local, remote, endpoint_error(host->endpoint));
}

struct quic_host *host_of(const struct mquic_endpoint *endpoint)
{
	struct endpoint_child *child = endpoint_child(endpoint, ENDPOINT_TRANSPORTS, host_orphan);

	return child == NULL ? NULL : list_entry(child, struct quic_host, child);
}

void host_free(struct quic_host *host)
{
	watch_free(host->watch);
	tickets_clear(&host->tickets);
	routes_fini(host);
	admission_fini(host);
	udp_batch_free(host->batch);
	free(host->burst);
	free(host);
}

/* Peers choose some of the keys: the hash of both is keyed. */
static bool init_tables(struct quic_host *host)
{
	uint64_t secret[2];

	random_fill((uint8_t *)secret, sizeof(secret));
	return routes_init(host, secret) && admission_init(host, secret);
}

static struct quic_host *host_new(struct mquic_endpoint *endpoint)
{
	struct quic_host *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return NULL;
	made->endpoint = endpoint;
	made->open_wire = open_udp;
	list_init(&made->listeners);
	list_init(&made->connections);
	list_init(&made->closings);
	list_init(&made->acceptable);
	list_init(&made->newcomers.waiting);
	tickets_init(&made->tickets);
	made->batch = udp_batch_new();
	made->burst = malloc(WIRE_BURST_BYTES);
	if (made->batch == NULL || made->burst == NULL || !init_tables(made)) {
		host_free(made);
		return NULL;
	}
	made->child.orphan = host_orphan;
	endpoint_adopt(endpoint, ENDPOINT_TRANSPORTS, &made->child);
	return made;
}

struct quic_host *host_get(struct mquic_endpoint *endpoint)
{
	struct quic_host *host = host_of(endpoint);

	if (host == NULL)
		host = host_new(endpoint);
	if (host == NULL)
		(void)error_set(endpoint_error(endpoint), MQUIC_ERR_MEMORY, "out of memory");
	return host;
}
