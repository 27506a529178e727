/* SPDX-License-Identifier: MIT */
/* Reading payloads: lines as they come, or a whole file at once. */
#ifndef TOOLS_INPUT_H
#define TOOLS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MQTT 5.0 1.5.5: a packet holds at most this, topic and header included. */
#define INPUT_MAX 268435455

/* Bytes read from a descriptor and not yet used. */
struct input {
	int fd;
	uint8_t *data;
	size_t start, end, size; /* unused bytes are from start to end, of size allocated */
	size_t searched;         /* bytes behind start known to hold no newline */
	bool over;               /* nothing more will come */
};

void input_init(struct input *input, int fd);
void input_free(struct input *input);
/*
 * One read(), to be called when the descriptor can be read, so that it does not block. False
 * after an error, which has then been printed: whole lines are still there, half a line is not.
 */
bool input_read(struct input *input);
/*
 * Shows the next line without its newline; the last one may lack it. False: none is there
 * yet. The same line is shown until input_consume_line(). Valid until input_read().
 */
bool input_line(struct input *input, const uint8_t **line, size_t *len);
void input_consume_line(struct input *input);

/* Reads to the end; blocks. `*data` is to be freed. False after printing an error. */
bool input_read_all(int fd, const char *name, uint8_t **data, size_t *len);
/* Like input_read_all(), of a file. */
bool input_read_file(const char *path, uint8_t **data, size_t *len);

#endif
