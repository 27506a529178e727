/* SPDX-License-Identifier: MIT */
/*
 * Which clients are there, in memory that outlives the process: whoever comes after one that has
 * died tells them by it that their connections are gone, even those that say nothing by themselves
 * for an hour. It holds a note of libmquic's for each, see mquic_connection_reset_note().
 */
#ifndef SERVER_ROLL_H
#define SERVER_ROLL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <mquic.h>

/* One place of the memory. */
struct roll_entry {
	atomic_uint len; /* of the note; 0: nobody has this place */
	uint8_t note[MQUIC_RESET_NOTE_MAX];
};

/* No place. */
#define ROLL_NONE UINT32_MAX

/* As many places as one server may have at all. */
#define ROLL_PLACES_MAX 1000000

struct roll;

/*
 * Memory for so many clients that nobody can make smaller, a descriptor that is closed at exec; -1:
 * errno says why.
 */
int roll_make(size_t places);

/* Has it in view; the descriptor stays the caller's. NULL: it is none, or there is no memory. */
struct roll *roll_open(int fd);

/* A place for this connection's note, ROLL_NONE if all are taken. `roll` NULL: none. */
uint32_t roll_enter(struct roll *roll, const struct mquic_connection *connection);

/* The note anew: addresses and identifiers change. Nothing without a place. */
void roll_renew(struct roll *roll, uint32_t place, const struct mquic_connection *connection);

/* It is gone, or told by other means. Nothing without a place. */
void roll_leave(struct roll *roll, uint32_t place);

/* NULL is fine. */
void roll_close(struct roll *roll);

#endif
