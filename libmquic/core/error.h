/* SPDX-License-Identifier: MIT */
/* The sentence that an object keeps about its last failed call. */
#ifndef MQUIC_CORE_ERROR_H
#define MQUIC_CORE_ERROR_H

#include "mquic.h"

struct error {
	char text[240];
};

/* Stores the sentence and returns `status`, so that callers can `return error_set(...)`. */
__attribute__((format(printf, 3, 4))) enum mquic_status error_set(struct error *error,
								  enum mquic_status status,
								  const char *format, ...);

/* The same for a sentence that is ready, and comes often: no formatting. */
enum mquic_status error_say(struct error *error, enum mquic_status status, const char *sentence);

/* As error_set() with ": " and the text of errno value `code` behind the sentence. */
__attribute__((format(printf, 3, 4))) enum mquic_status error_set_system(struct error *error,
									 int code,
									 const char *format, ...);

/*
 * The same for objects of which there are many: no more than the address of the sentence, which
 * is a literal, is kept.
 */
static inline enum mquic_status error_note(const char **note, enum mquic_status status,
					   const char *sentence)
{
	*note = sentence;
	return status;
}

#endif
