/* SPDX-License-Identifier: MIT */
/*
 * What the plugin reads of a worker that was taken over, and a worker of what is not its plugin. The
 * first byte of the input says whose packet the rest is.
 */
#include <string.h>

#include "channel.h"
#include "fuzz.h"

/* Within the packet, with its NUL behind it. */
static void check_text(const struct channel_text *text, const uint8_t *packet, size_t size)
{
	const char *begin = (const char *)packet;

	if (text->data == NULL)
		return;
	MUST(text->data >= begin && text->len < size);
	MUST(text->data + text->len < begin + size);
	MUST(text->data[text->len] == '\0');
}

static void check(const struct channel_message *message, bool of_worker, const uint8_t *packet,
		  size_t size)
{
	MUST(of_worker == (message->type >= CHANNEL_READY));
	MUST(message->fd == -1);
	check_text(&message->text, packet, size);
	check_text(&message->more, packet, size);
	MUST(message->text.data == NULL || strlen(message->text.data) == message->text.len);
	MUST(message->type != CHANNEL_LINE || message->number <= MQUIC_LOG_DEBUG);
	MUST(message->type != CHANNEL_ANNOUNCE || message->number < CHANNEL_KINDS);
	MUST(message->type != CHANNEL_LIST || message->number <= OPTIONS_WORKERS_MAX);
	MUST(message->type != CHANNEL_SOCKET || message->number < OPTIONS_LISTEN_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel_message message;

	if (size > 0 && channel_parse(data + 1, size - 1, (data[0] & 1) != 0, &message))
		check(&message, (data[0] & 1) != 0, data + 1, size - 1);
	return 0;
}
