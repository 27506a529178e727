/* SPDX-License-Identifier: MIT */
/* The server's lines, on their way through the door. Of the worker's thread. */
#ifndef SERVER_SPEAKER_H
#define SERVER_SPEAKER_H

#include <stdbool.h>

#include <mquic.h>

#include "door.h"
#include "limiter.h"

struct speaker {
	const struct door *door;
	struct limiter limiter; /* of lines about clients */
	unsigned int unsaid;    /* those that were one too many, since it was told */
	uint64_t told_ms;       /* when it was told how many */
};

void speaker_init(struct speaker *speaker, const struct door *door);

/* Whether lines of this level are wanted. */
static inline bool speaker_wants(const struct speaker *speaker, enum mquic_log_level level)
{
	return level <= speaker->door->level;
}

/*
 * Says a line, if its level is wanted. What a client sent may be in it: what could forge a line
 * becomes '?', see mquic_text_printable(). A text that stands in quotes must have gone through
 * that already.
 */
__attribute__((format(printf, 3, 4))) void speaker_say(struct speaker *speaker,
						       enum mquic_log_level level,
						       const char *format, ...);

/*
 * The same for what any stranger can cause, so that no flood of clients becomes a flood of lines:
 * after a burst a few lines per second are said and the others counted.
 */
__attribute__((format(printf, 3, 4))) void speaker_say_about_client(struct speaker *speaker,
								    enum mquic_log_level level,
								    const char *format, ...);

/* Tells how many lines were not said, at most once a second. False: it will have to, later. */
bool speaker_catch_up(struct speaker *speaker, uint64_t now_ms);

/* Says a line of libmquic's about this listener; NULL: it is the only one. */
void speaker_repeat(struct speaker *speaker, const char *listener, enum mquic_log_level level,
		    const char *line);

#endif
