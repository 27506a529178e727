/* SPDX-License-Identifier: MIT */
#include "payload.h"

#include "../common/clock.h"
#include "../common/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void payload_init(struct payload *payload, const struct pub_options *options)
{
	memset(payload, 0, sizeof(*payload));
	payload->options = options;
	input_init(&payload->lines, STDIN_FILENO);
}

void payload_free(struct payload *payload)
{
	input_free(&payload->lines);
	free(payload->data);
}

/*
 * What makes the payload may have failed, and an empty one clears what the broker retains: that
 * has to be asked for.
 */
static bool check_not_empty(const struct payload *payload, const char *name)
{
	if (payload->len > 0)
		return true;
	say_error("Zero length input: %s is empty. Use -n to publish an empty message.", name);
	return false;
}

bool payload_load(struct payload *payload)
{
	switch (payload->options->source) {
	case SOURCE_TEXT:
		payload->len = strlen(payload->options->value);
		payload->data = (uint8_t *)strdup(payload->options->value);
		if (!payload->data)
			say_error("Out of memory.");
		return payload->data != NULL;
	case SOURCE_FILE:
		return input_read_file(payload->options->value, &payload->data, &payload->len) &&
		       check_not_empty(payload, payload->options->value);
	case SOURCE_STDIN:
		return input_read_all(STDIN_FILENO, "Standard input", &payload->data,
				      &payload->len) &&
		       check_not_empty(payload, "Standard input");
	default:
		return true;
	}
}

bool payload_next(struct payload *payload, const uint8_t **data, size_t *len)
{
	if (payload->options->source == SOURCE_LINES)
		return input_line(&payload->lines, data, len);
	*data = payload->data;
	*len = payload->len;
	return payload->published < payload->options->repeat && clock_ms() >= payload->next_at_ms;
}

void payload_consume(struct payload *payload)
{
	payload->published++;
	if (payload->options->source == SOURCE_LINES)
		input_consume_line(&payload->lines);
	else
		payload->next_at_ms = clock_ms() + payload->options->repeat_delay_ms;
}

bool payload_is_over(struct payload *payload)
{
	const uint8_t *data;
	size_t len;

	if (payload->options->source != SOURCE_LINES)
		return payload->published >= payload->options->repeat;
	return payload->lines.over && !input_line(&payload->lines, &data, &len);
}

uint64_t payload_next_at_ms(struct payload *payload)
{
	const uint8_t *data;
	size_t len;

	if (payload_next(payload, &data, &len))
		return 0;
	if (payload->options->source != SOURCE_LINES &&
	    payload->published < payload->options->repeat)
		return payload->next_at_ms;
	return UINT64_MAX;
}
