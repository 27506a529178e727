/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

void input_init(struct input *input, int fd)
{
	memset(input, 0, sizeof(*input));
	input->fd = fd;
}

void input_free(struct input *input)
{
	free(input->data);
	input->data = NULL;
}

/* Makes room for one more chunk behind `end`, first by moving, then by growing. */
static bool make_room(struct input *input)
{
	size_t used = input->end - input->start;
	uint8_t *data;

	if (input->size - input->end >= CHUNK)
		return true;
	if (input->start > 0) {
		memmove(input->data, input->data + input->start, used);
		input->start = 0;
		input->end = used;
	}
	if (input->size - input->end >= CHUNK)
		return true;
	if (used > INPUT_MAX) {
		say_error("The input is longer than the %d bytes MQTT can carry.", INPUT_MAX);
		return false;
	}
	data = realloc(input->data, used * 2 + CHUNK);
	if (!data) {
		say_error("Out of memory.");
		return false;
	}
	input->data = data;
	input->size = used * 2 + CHUNK;
	return true;
}

/* Nothing more will come, and what is left without its newline is half of a line. */
static bool break_off(struct input *input)
{
	while (input->end > input->start && input->data[input->end - 1] != '\n')
		input->end--;
	input->searched = 0;
	input->over = true;
	return false;
}

bool input_read(struct input *input)
{
	ssize_t got;

	if (!make_room(input))
		return break_off(input);
	got = read(input->fd, input->data + input->end, input->size - input->end);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got < 0) {
		say_error("Cannot read the input: %s.", strerror(errno));
		return break_off(input);
	}
	if (got == 0)
		input->over = true;
	input->end += (size_t)got;
	return true;
}

bool input_line(struct input *input, const uint8_t **line, size_t *len)
{
	size_t used = input->end - input->start;
	const uint8_t *newline;

	if (used == 0)
		return false;
	*line = input->data + input->start;
	newline = memchr(*line + input->searched, '\n', used - input->searched);
	if (!newline) {
		input->searched = used;
		*len = used;
		return input->over;
	}
	*len = (size_t)(newline - *line);
	input->searched = *len; /* the next look finds it at once */
	return true;
}

void input_consume_line(struct input *input)
{
	const uint8_t *line;
	size_t len;

	if (!input_line(input, &line, &len))
		return;
	input->start += len;
	if (input->start < input->end)
		input->start++; /* its newline */
	input->searched = 0;
}

/* So that a descriptor that does not block by itself does here. */
static bool wait_for(int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	return poll(&readable, 1, -1) > 0 || errno == EINTR;
}

/* Reads to the end; what there is stays in `input`. */
static bool read_to_end(struct input *input, const char *name)
{
	while (!input->over)
		if (!wait_for(input->fd) || !input_read(input))
			return false;
	if (input->end > INPUT_MAX) {
		say_error("%s is longer than the %d bytes MQTT can carry.", name, INPUT_MAX);
		return false;
	}
	return true;
}

bool input_read_all(int fd, const char *name, uint8_t **data, size_t *len)
{
	struct input input;

	input_init(&input, fd);
	if (!read_to_end(&input, name)) {
		input_free(&input);
		return false;
	}
	*data = input.data;
	*len = input.end;
	return true;
}

bool input_read_file(const char *path, uint8_t **data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool done;

	if (fd < 0) {
		say_error("Unable to open file \"%s\": %s.", path, strerror(errno));
		return false;
	}
	done = input_read_all(fd, path, data, len);
	close(fd);
	return done;
}
