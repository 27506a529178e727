/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "roll.h"

struct roll {
	struct roll_entry *entries;
	uint32_t count;
	uint32_t free_count;
	uint32_t free[]; /* places that nobody has */
};

static struct roll *roll_new(size_t count)
{
	struct roll *roll = calloc(1, sizeof(*roll) + count * sizeof(roll->free[0]));
	uint32_t i;

	if (roll == NULL)
		return NULL;
	roll->count = (uint32_t)count;
	roll->free_count = roll->count;
	/* Low ones first: pages that are never touched take no memory. */
	for (i = 0; i < roll->count; i++)
		roll->free[i] = roll->count - 1 - i;
	return roll;
}

struct roll *roll_open(int fd)
{
	struct roll *roll;
	struct stat about;
	size_t count;

	if (fstat(fd, &about) != 0 || about.st_size < (off_t)sizeof(*roll->entries))
		return NULL;
	count = (size_t)about.st_size / sizeof(*roll->entries);
	if (count > ROLL_PLACES_MAX)
		return NULL;
	roll = roll_new(count);
	if (roll == NULL)
		return NULL;
	roll->entries = mmap(NULL, count * sizeof(*roll->entries), PROT_READ | PROT_WRITE,
			     MAP_SHARED, fd, 0);
	if (roll->entries != MAP_FAILED)
		return roll;
	free(roll);
	return NULL;
}

/* Whenever it is cut short, there is a whole note or none. */
static void write_note(struct roll_entry *entry, const struct mquic_connection *connection)
{
	size_t len;

	atomic_store(&entry->len, 0);
	len = mquic_connection_reset_note(connection, entry->note, sizeof(entry->note));
	atomic_store(&entry->len, (unsigned int)len);
}

uint32_t roll_enter(struct roll *roll, const struct mquic_connection *connection)
{
	uint32_t place;

	if (roll == NULL || roll->free_count == 0)
		return ROLL_NONE;
	place = roll->free[--roll->free_count];
	write_note(&roll->entries[place], connection);
	return place;
}

void roll_renew(struct roll *roll, uint32_t place, const struct mquic_connection *connection)
{
	if (place != ROLL_NONE)
		write_note(&roll->entries[place], connection);
}

void roll_leave(struct roll *roll, uint32_t place)
{
	if (place == ROLL_NONE)
		return;
	atomic_store(&roll->entries[place].len, 0);
	roll->free[roll->free_count++] = place;
}

void roll_close(struct roll *roll)
{
	if (roll == NULL)
		return;
	munmap(roll->entries, roll->count * sizeof(*roll->entries));
	free(roll);
}
