/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "quic/host.h"
#include "quic/routes.h"

bool routes_init(struct quic_host *host, const uint64_t secret[2])
{
	return table_init(&host->routes, secret);
}

void routes_fini(struct quic_host *host)
{
	table_fini(&host->routes);
}

bool route_add(struct quic_host *host, struct quic_target *target, const uint8_t *cid, size_t len)
{
	struct quic_route *route;

	/* Two clients may pick the same first identifier; the second then fails to connect. */
	if (len == 0 || len > TABLE_KEY_MAX || table_find(&host->routes, cid, len) != NULL)
		return false;
	route = malloc(sizeof(*route));
	if (route == NULL)
		return false;
	route->target = target;
	table_add(&host->routes, &route->entry, cid, len);
	list_append(&target->routes, &route->link);
	return true;
}

static void drop(struct quic_host *host, struct quic_route *route)
{
	table_remove(&host->routes, &route->entry);
	list_remove(&route->link);
	if (route->target->heard == route)
		route->target->heard = NULL;
	free(route);
}

void route_remove(struct quic_host *host, struct quic_target *target, const ngtcp2_cid *cid)
{
	struct table_entry *entry = table_find(&host->routes, cid->data, cid->datalen);
	struct quic_route *route = list_entry(entry, struct quic_route, entry);

	if (entry != NULL && route->target == target)
		drop(host, route);
}

void route_remove_all(struct quic_host *host, struct quic_target *target)
{
	while (!list_is_empty(&target->routes))
		drop(host, list_entry(target->routes.next, struct quic_route, link));
}

void route_move_all(struct quic_target *from, struct quic_target *to)
{
	struct list *node;

	from->heard = NULL;
	while ((node = list_take_first(&from->routes)) != NULL) {
		list_entry(node, struct quic_route, link)->target = to;
		list_append(&to->routes, node);
	}
}
