/* SPDX-License-Identifier: MIT */
/*
 * Two workers that were taken over say what they like to the plugin, over real channels, while the
 * broker asks about clients. An input is a list of actions: eight bytes each, and the bytes of a
 * packet behind those that send some.
 *
 *     what · worker · of which token · listener, flags · number · descriptors · two lengths
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker.h"
#include "fuzz.h"
#include "greeting.h"
#include "identity.h"
#include "inbox.h"

#define WORKERS     2
#define CLIENTS     4
#define MOST        6
#define ACTION_SIZE 8
#define ROUND       16

/* What is no message of the channel. */
enum action {
	ACTION_RAW = CHANNEL_TYPES,
	ACTION_GREET,
	ACTION_TAKE,
	ACTION_TAKE_SHOWN,
	ACTION_FORGET,
	ACTION_FIND,
	ACTION_END,
	ACTIONS
};

struct scene {
	struct inbox inbox;
	struct process workers[WORKERS];
	int ends[WORKERS];
	int pair[2];           /* what stands for a client's socket, and the broker's end of it */
	char clients[CLIENTS]; /* the broker's pointers are into this */
};

static struct scene scene;

void mosquitto_log_printf(int level, const char *format, ...)
{
	(void)level;
	(void)format;
}

/* ---- The scene ------------------------------------------------------------------------ */

static void open_worker(unsigned int i)
{
	int ends[2];

	MUST(channel_open(ends));
	process_init(&scene.workers[i], i + 1);
	scene.workers[i].channel = ends[0];
	scene.ends[i] = ends[1];
}

static void close_worker(unsigned int i)
{
	close(scene.workers[i].channel);
	close(scene.ends[i]);
	identities_drop(scene.inbox.identities, i + 1);
}

static void open_scene(bool by_certificate)
{
	unsigned int i;

	memset(&scene, 0, sizeof(scene));
	scene.inbox.identities = identities_new(MOST, WORKERS);
	scene.inbox.by_certificate = by_certificate;
	MUST(scene.inbox.identities != NULL);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, scene.pair) == 0);
	for (i = 0; i < WORKERS; i++)
		open_worker(i);
}

static void close_scene(void)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++)
		close_worker(i);
	identities_free(scene.inbox.identities);
	close(scene.pair[0]);
	close(scene.pair[1]);
}

/* The lowest descriptor that is free: the same again if none has leaked. */
static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	MUST(fd >= 0);
	close(fd);
	return fd;
}

/* ---- What workers say ----------------------------------------------------------------- */

static void send_packet(unsigned int worker, struct iovec *parts, size_t count, int fds)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = count};

	if (fds > 0) {
		size_t len = sizeof(int) * (size_t)fds;

		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(len);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(&control.head), scene.pair, len);
	}
	(void)sendmsg(scene.ends[worker], &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Two texts of `bytes`, of which there are as many as both are long; 255: none. */
static void say(const uint8_t action[ACTION_SIZE], const uint8_t *bytes)
{
	uint32_t text_len = action[6], more_len = action[7];
	struct {
		uint32_t type, flags, listener, number, limit, text_len, more_len;
		struct token token;
	} head = {
		.type = action[0] % ACTIONS,
		.flags = action[3] & 15,
		.listener = action[3] >> 4,
		.number = action[4],
		.text_len = text_len == 255 ? UINT32_MAX : text_len,
		.more_len = more_len == 255 ? UINT32_MAX : more_len,
		.token.bytes[15] = action[2] % 8,
	};
	static char nul = '\0';
	struct iovec parts[] = {
		{&head, sizeof(head)},
		{(void *)(uintptr_t)bytes, text_len == 255 ? 0 : text_len},
		{&nul, text_len != 255},
		{(void *)(uintptr_t)(bytes + (text_len == 255 ? 0 : text_len)),
		 more_len == 255 ? 0 : more_len},
		{&nul, more_len != 255},
	};

	send_packet(action[1] % WORKERS, parts, 5, action[5] % 3);
}

static void say_raw(const uint8_t action[ACTION_SIZE], const uint8_t *bytes)
{
	struct iovec part = {(void *)(uintptr_t)bytes, action[6]};

	send_packet(action[1] % WORKERS, &part, 1, action[5] % 3);
}

/* ---- What the broker does ------------------------------------------------------------- */

static const struct mosquitto *client_of(const uint8_t action[ACTION_SIZE])
{
	return (const struct mosquitto *)(const void *)&scene.clients[action[4] % CLIENTS];
}

static void check_facts(struct identity_facts *facts)
{
	MUST(memchr(facts->peer, '\0', sizeof(facts->peer)) != NULL);
	MUST((unsigned int)facts->kind < CHANNEL_KINDS);
	/* Names without a password are for those whose certificate has them. */
	MUST(facts->kind != CHANNEL_KIND_CERTIFICATE ||
	     (facts->name != NULL && scene.inbox.by_certificate));
	free(facts->name);
}

static void take(const uint8_t action[ACTION_SIZE])
{
	struct token token = {.bytes[15] = action[2] % 8};
	struct identity_facts facts;

	if (identity_take(scene.inbox.identities, &token, client_of(action), &facts)) {
		check_facts(&facts);
		/* It is used up. */
		MUST(!identity_take(scene.inbox.identities, &token, client_of(action), &facts));
	}
}

static void take_shown(const uint8_t action[ACTION_SIZE])
{
	struct identity_facts facts;
	char bytes[256];

	/* It has read what was sent. */
	(void)recv(scene.pair[1], bytes, sizeof(bytes), MSG_DONTWAIT);
	if (identity_take_shown(scene.inbox.identities, client_of(action),
				(action[3] & 1) != 0 ? "id" : NULL, &facts))
		check_facts(&facts);
}

static void look(unsigned int i)
{
	if (inbox_read(&scene.inbox, &scene.workers[i], ROUND))
		return;
	/* It is ended, and another one is started. */
	close_worker(i);
	open_worker(i);
}

/* Returns how many bytes of a packet it has used. */
static size_t act(const uint8_t action[ACTION_SIZE], const uint8_t *bytes, size_t size)
{
	size_t text = action[6] == 255 ? 0 : action[6], more = action[7] == 255 ? 0 : action[7];
	enum channel_kind kind;

	switch (action[0] % ACTIONS) {
	case ACTION_RAW:
		if (size < action[6])
			return 0;
		say_raw(action, bytes);
		return action[6];
	case ACTION_GREET:
		(void)greeting_send(scene.ends[action[1] % WORKERS]);
		return 0;
	case ACTION_TAKE:
		take(action);
		return 0;
	case ACTION_TAKE_SHOWN:
		take_shown(action);
		return 0;
	case ACTION_FORGET:
		identity_forget(scene.inbox.identities, client_of(action));
		return 0;
	case ACTION_FIND:
		(void)identity_find(scene.inbox.identities, client_of(action), &kind);
		return 0;
	case ACTION_END:
		shutdown(scene.ends[action[1] % WORKERS], SHUT_RDWR);
		return 0;
	default:
		if (size < text + more)
			return 0;
		say(action, bytes);
		return text + more;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before = lowest_free();
	size_t at = 1;
	unsigned int i;

	if (size == 0)
		return 0;
	open_scene((data[0] & 1) != 0);
	/* Most inputs are about what comes after the greeting. */
	for (i = 0; i < WORKERS && (data[0] & 2) == 0; i++)
		MUST(greeting_send(scene.ends[i]));
	while (size - at >= ACTION_SIZE) {
		const uint8_t *action = data + at;

		at += ACTION_SIZE;
		at += act(action, data + at, size - at);
		look(action[1] % WORKERS);
	}
	close_scene();
	MUST(lowest_free() == before);
	return 0;
}
