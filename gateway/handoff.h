/* SPDX-License-Identifier: MIT */
/* The unix socket on which the broker takes our clients. */
#ifndef GATEWAY_HANDOFF_H
#define GATEWAY_HANDOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The longest CONNECT that a broker takes, without and with its fixed header. */
#define HANDOFF_CONNECT_BODY_MAX 100000
#define HANDOFF_CONNECT_MAX      (HANDOFF_CONNECT_BODY_MAX + 4)

/* What the self-test has found out about the other side. */
struct handoff_terms {
	size_t connect_max; /* the longest CONNECT that is known to be taken */
	bool names_are_ids; /* use_username_as_clientid: a token would become an identifier */
	bool unproven;      /* no login was ever seen: the first client has to show it */
	bool is_open;       /* 2.0: whoever nobody has an opinion about may come in */
};

enum handoff_status {
	HANDOFF_CONNECTED,
	HANDOFF_BUSY,   /* the listener's backlog of ten is full: try again in a millisecond */
	HANDOFF_FULL,   /* too few descriptors left */
	HANDOFF_ABSENT, /* nobody listens there */
	HANDOFF_FOREIGN /* another process listens there */
};

/*
 * Connects without ever blocking. HANDOFF_CONNECTED: `*fd` is a non-blocking socket whose other
 * end is proved to be in the process `broker`. Descriptors above `highest_fd` are given back.
 */
enum handoff_status handoff_dial(const char *path, pid_t broker, int highest_fd, int *fd);

/* Whether the other end of a stream socket is in that process; false for anything else. */
bool handoff_leads_to(int fd, pid_t broker);

/* Whether there is no such socket any more. */
bool handoff_is_gone(const char *path);

/* What is wrong, for people. Static. */
const char *handoff_text(enum handoff_status status);

#endif
