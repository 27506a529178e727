/* SPDX-License-Identifier: MIT */
/* %j and %J of -F: a message as an object of JSON, with mosquitto_sub's names. */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <mquic.h>

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct json_style {
	bool parsed; /* the payload is JSON itself, not a string */
	bool pretty; /* on several lines */
};

/*
 * Prints the object. Bytes of a payload that are no UTF-8 become U+FFFD. Nothing is printed if
 * the payload has to be JSON and is not; that is then said, with the topic.
 */
void json_print(FILE *out, const struct mquic_message *message, const struct timespec *now,
		struct json_style style);

#endif
