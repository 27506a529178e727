/* SPDX-License-Identifier: MIT */
/* A table from packet identifiers, 1 to 65535, to pointers. Memory follows the number in use. */
#ifndef MQUIC_MQTT_PACKET_ID_H
#define MQUIC_MQTT_PACKET_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_ID_PAGES     256
#define PACKET_ID_PAGE_SIZE 256

struct packet_id_table {
	void **pages[PACKET_ID_PAGES]; /* made and freed as identifiers come and go */
	uint16_t used[PACKET_ID_PAGES];
	size_t count;
};

/* Makes it empty. */
void packet_id_init(struct packet_id_table *table);
/* Frees the table, not what it points to. */
void packet_id_clear(struct packet_id_table *table);

/* NULL if the identifier is free. */
void *packet_id_get(const struct packet_id_table *table, uint16_t id);
/* Stores a pointer, not NULL, under a free identifier; false if out of memory. */
bool packet_id_put(struct packet_id_table *table, uint16_t id, void *value);
/* Frees the identifier. */
void packet_id_remove(struct packet_id_table *table, uint16_t id);

/* The first free identifier behind `last`, 0 if there is none. */
uint16_t packet_id_next_free(const struct packet_id_table *table, uint16_t last);

#endif
