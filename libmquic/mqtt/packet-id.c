/* SPDX-License-Identifier: MIT */
#include "mqtt/packet-id.h"

#include <stdlib.h>
#include <string.h>

void packet_id_init(struct packet_id_table *table)
{
	memset(table, 0, sizeof(*table));
}

void packet_id_clear(struct packet_id_table *table)
{
	size_t page;

	for (page = 0; page < PACKET_ID_PAGES; page++)
		free(table->pages[page]);
	packet_id_init(table);
}

void *packet_id_get(const struct packet_id_table *table, uint16_t id)
{
	void **page = table->pages[id / PACKET_ID_PAGE_SIZE];

	return page == NULL ? NULL : page[id % PACKET_ID_PAGE_SIZE];
}

bool packet_id_put(struct packet_id_table *table, uint16_t id, void *value)
{
	void ***page = &table->pages[id / PACKET_ID_PAGE_SIZE];

	if (*page == NULL)
		*page = calloc(PACKET_ID_PAGE_SIZE, sizeof(**page));
	if (*page == NULL)
		return false;
	(*page)[id % PACKET_ID_PAGE_SIZE] = value;
	table->used[id / PACKET_ID_PAGE_SIZE]++;
	table->count++;
	return true;
}

void packet_id_remove(struct packet_id_table *table, uint16_t id)
{
	size_t index = id / PACKET_ID_PAGE_SIZE;

	if (packet_id_get(table, id) == NULL)
		return;
	table->pages[index][id % PACKET_ID_PAGE_SIZE] = NULL;
	table->count--;
	if (--table->used[index] > 0)
		return;
	free(table->pages[index]);
	table->pages[index] = NULL;
}

uint16_t packet_id_next_free(const struct packet_id_table *table, uint16_t last)
{
	if (table->count >= UINT16_MAX)
		return 0;
	do
		last = last == UINT16_MAX ? 1 : (uint16_t)(last + 1);
	while (packet_id_get(table, last) != NULL);
	return last;
}
