/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <mquic.h>

#include "greeting.h"

static const char mark[sizeof(((struct greeting *)0)->mark)] = "mquic\r\n";

_Static_assert(sizeof(struct greeting) == 48, "it stays as it is");
_Static_assert(sizeof(MQUIC_VERSION_STRING) <= sizeof(((struct greeting *)0)->program), "it fits");

bool greeting_send(int fd)
{
	struct greeting greeting = {.version = GREETING_VERSION, .program = MQUIC_VERSION_STRING};

	memcpy(greeting.mark, mark, sizeof(mark));
	return send(fd, &greeting, sizeof(greeting), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Descriptors that came along are closed by the system. */
enum channel_status greeting_receive(int fd, struct greeting *greeting)
{
	uint8_t bytes[sizeof(*greeting) + 1];
	ssize_t got;

	do
		got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (got < 0 && channel_may_go_on(errno));
	if (got < 0)
		return errno == EAGAIN ? CHANNEL_EMPTY : CHANNEL_ENDED;
	if (got == 0)
		return CHANNEL_ENDED;
	memcpy(greeting, bytes, sizeof(*greeting));
	if (got != (ssize_t)sizeof(*greeting) ||
	    memcmp(greeting->mark, mark, sizeof(greeting->mark)) != 0)
		return CHANNEL_BROKEN;
	/* It goes into a line. */
	greeting->program[sizeof(greeting->program) - 1] = '\0';
	mquic_text_printable(greeting->program, sizeof(greeting->program), greeting->program,
			     MQUIC_NUL_TERMINATED, 0);
	return CHANNEL_RECEIVED;
}

bool greeting_is_ours(const struct greeting *greeting)
{
	return greeting->version == GREETING_VERSION;
}
