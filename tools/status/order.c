/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "status/order.h"

struct order {
	const char *name;
	int (*compare)(const void *left, const void *right);
};

#define FACTS(client) (&((const struct found_client *)(client))->facts)

/* They have come in this order: worker, number. */
static int by_client(const void *left, const void *right)
{
	const struct found_client *a = left;
	const struct found_client *b = right;

	if (a->worker != b->worker)
		return a->worker < b->worker ? -1 : 1;
	return a->facts.number < b->facts.number ? -1 : a->facts.number > b->facts.number;
}

static int largest_first(uint64_t left, uint64_t right, const void *a, const void *b)
{
	return left != right ? (left > right ? -1 : 1) : by_client(a, b);
}

#define NUMBER(column, member)                                                                     \
	static int by_##column(const void *left, const void *right)                                \
	{                                                                                          \
		return largest_first(FACTS(left)->member, FACTS(right)->member, left, right);      \
	}

#define TEXT(column)                                                                               \
	static int by_##column(const void *left, const void *right)                                \
	{                                                                                          \
		int order = strcmp(FACTS(left)->column, FACTS(right)->column);                     \
                                                                                                   \
		return order != 0 ? order : by_client(left, right);                                \
	}

NUMBER(age, age_ms)
NUMBER(rtt, rtt_us)
NUMBER(streams, streams)
NUMBER(queued, queued)
NUMBER(memory, memory)
TEXT(address)
TEXT(user)
TEXT(id)

/* In millionths, so that it stays a whole number. */
static uint64_t loss(const struct client_facts *facts)
{
	return facts->sent == 0 ? 0 : (uint64_t)(1e6 * (double)facts->lost / (double)facts->sent);
}

static int by_loss(const void *left, const void *right)
{
	return largest_first(loss(FACTS(left)), loss(FACTS(right)), left, right);
}

static const struct order orders[] = {
	{"client", by_client}, {"address", by_address}, {"age", by_age},
	{"rtt", by_rtt},       {"loss", by_loss},       {"streams", by_streams},
	{"queued", by_queued}, {"memory", by_memory},   {"user", by_user},
	{"id", by_id},
};

const struct order *order_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(orders[i].name, name) == 0)
			return &orders[i];
	return NULL;
}

const char *order_names(void)
{
	return "client, address, age, rtt, loss, streams, queued, memory, user or id";
}

void order_sort(const struct order *order, struct found *found)
{
	if (found->count > 0)
		qsort(found->clients, found->count, sizeof(*found->clients), order->compare);
}
