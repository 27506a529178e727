/* SPDX-License-Identifier: MIT */
/*
 * The first packet of either side of the channel, before all that channel.h tells of. It stays as it
 * is in all versions: a package may replace the program while the broker runs, with the plugin of
 * before in its memory.
 */
#ifndef GATEWAY_GREETING_H
#define GATEWAY_GREETING_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

/* Another one with each change of what goes over the channel, once a version was released. */
#define GREETING_VERSION 1

struct greeting {
	char mark[8];
	uint32_t version;
	char program[36]; /* whose it is: "0.1.0", for people */
};

/* Says which version this side is. False: the channel has ended. */
bool greeting_send(int fd);

/* Reads what the other side is. CHANNEL_BROKEN: what comes first is no greeting. */
enum channel_status greeting_receive(int fd, struct greeting *greeting);

/* Whether both sides understand each other. */
bool greeting_is_ours(const struct greeting *greeting);

#endif
