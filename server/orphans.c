/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orphans.h"
#include "roll.h"

/* So many at once and the time until the next: ten thousand have heard of it in a second. */
#define AT_ONCE  64
#define PAUSE_MS 5

/* Those that are there, behind the others. */
static void take_present(struct orphans *orphans, const struct roll_entry *read, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (read[i].len > 0 && read[i].len <= sizeof(read[i].note))
			memcpy(&orphans->entries[orphans->count++], &read[i], sizeof(read[i]));
}

static bool make_room(struct orphans *orphans, size_t more)
{
	size_t count = orphans->count + more;
	struct roll_entry *entries;

	if (count > ROLL_PLACES_MAX)
		return false;
	entries = realloc(orphans->entries, count * sizeof(*entries));
	if (entries != NULL)
		orphans->entries = entries;
	return entries != NULL;
}

/* A page's worth at a time: most places are empty. */
static void take_all(struct orphans *orphans, int fd, size_t places)
{
	struct roll_entry read[AT_ONCE];
	size_t at = 0;

	while (at < places) {
		ssize_t got = pread(fd, read, sizeof(read), (off_t)(at * sizeof(read[0])));
		size_t count = got <= 0 ? 0 : (size_t)got / sizeof(read[0]);

		if (count == 0 || !make_room(orphans, count))
			return;
		take_present(orphans, read, count);
		at += count;
	}
}

void orphans_take(struct orphans *orphans, int fd)
{
	struct stat about;

	if (fstat(fd, &about) == 0 && about.st_size > 0)
		take_all(orphans, fd, (size_t)about.st_size / sizeof(struct roll_entry));
	close(fd);
}

/* One that is refused by all is garbage. */
static void tell(const struct roll_entry *entry, struct mquic_endpoint *const *endpoints,
		 size_t count)
{
	size_t i = 0;

	while (i < count &&
	       mquic_endpoint_send_reset(endpoints[i], entry->note, entry->len) != MQUIC_OK)
		i++;
}

int orphans_tell(struct orphans *orphans, struct mquic_endpoint *const *endpoints, size_t count)
{
	size_t until = orphans->told + AT_ONCE;

	for (; orphans->told < orphans->count && orphans->told < until; orphans->told++)
		tell(&orphans->entries[orphans->told], endpoints, count);
	if (orphans->told < orphans->count)
		return PAUSE_MS;
	orphans_free(orphans);
	return -1;
}

void orphans_free(struct orphans *orphans)
{
	free(orphans->entries);
	memset(orphans, 0, sizeof(*orphans));
}
