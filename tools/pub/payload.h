/* SPDX-License-Identifier: MIT */
/* What mquic-pub publishes: one payload, as often as is asked, or line after line. */
#ifndef PUB_PAYLOAD_H
#define PUB_PAYLOAD_H

#include "../common/input.h"
#include "options.h"

struct payload {
	const struct pub_options *options;
	struct input lines;
	uint8_t *data; /* of all sources but lines */
	size_t len;
	uint64_t next_at_ms; /* the next repetition */
	uint32_t published;
};

void payload_init(struct payload *payload, const struct pub_options *options);
void payload_free(struct payload *payload);
/* Reads what is not read line by line; false after saying why it cannot be published. */
bool payload_load(struct payload *payload);
/* Shows what is to be published next; false if there is none now. */
bool payload_next(struct payload *payload, const uint8_t **data, size_t *len);
/* When payload_next() will show one: 0 for now, UINT64_MAX for when more has been read. */
uint64_t payload_next_at_ms(struct payload *payload);
/* What was shown is published. */
void payload_consume(struct payload *payload);
/* Whether all there is has been consumed. */
bool payload_is_over(struct payload *payload);

#endif
