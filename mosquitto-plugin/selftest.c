/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "handoff.h"
#include "selftest.h"

#define LIMIT_MS 10000

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum selftest_state fail(struct selftest *selftest, const char *failure)
{
	selftest_end(selftest);
	selftest->failure = failure;
	selftest->state = SELFTEST_FAILED;
	return selftest->state;
}

/*
 * MQTT 3.1.1 CONNECT (section 3.1) with clean session, keep-alive of a minute, the token as user
 * name and a password, since other plugins pass on logins without. The login is refused by us,
 * so no client of that name ever exists.
 */
static size_t write_connect(uint8_t *out, const struct token *token)
{
	static const char start[] = "\x10\x00\x00\x04MQTT\x04\xc2\x00\x3c\x00\x0fmquic-self-test";
	static const char password[] = "\x00\x04none";
	size_t start_len = sizeof(start) - 1;
	size_t username_len = 0;
	char *username = token_username(token, NULL, 0, &username_len);
	uint8_t *at = out + start_len;

	if (username == NULL)
		return 0;
	memcpy(out, start, start_len);
	*at++ = 0;
	*at++ = (uint8_t)username_len;
	memcpy(at, username, username_len);
	memcpy(at + username_len, password, sizeof(password) - 1);
	at += username_len + sizeof(password) - 1;
	out[1] = (uint8_t)(at - out - 2);
	free(username);
	return (size_t)(at - out);
}

static enum selftest_state say_connect(struct selftest *selftest, bool proxy)
{
	uint8_t bytes[HANDOFF_PROXY_MAX + 128];
	size_t header_len = 0;
	size_t len;

	if (proxy)
		header_len = handoff_proxy_header(bytes, "127.0.0.1:0", "127.0.0.1:0");
	len = write_connect(bytes + header_len, &selftest->token);
	if (len == 0)
		return fail(selftest, "out of memory");
	len += header_len;
	if (send(selftest->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		return fail(selftest, "the broker closes connections to the hand-off socket at "
				      "once: look at the limits of that listener");
	selftest->state = SELFTEST_WAITING;
	return selftest->state;
}

static enum selftest_state start(struct selftest *selftest, const char *handoff, bool proxy)
{
	if (selftest->deadline_ms == 0) {
		selftest->deadline_ms = clock_ms() + LIMIT_MS;
		if (!token_draw(&selftest->token))
			return fail(selftest, "the system gives no random numbers");
	}
	switch (handoff_dial(handoff, INT_MAX, &selftest->fd)) {
	case HANDOFF_CONNECTED:
		return say_connect(selftest, proxy);
	case HANDOFF_BUSY:
		if (clock_ms() < selftest->deadline_ms)
			return selftest->state;
		return fail(selftest, "the broker takes no connections on the hand-off socket");
	case HANDOFF_FOREIGN:
		return fail(selftest, "another process listens on the hand-off socket: give this "
				      "broker a path of its own");
	case HANDOFF_FULL:
		return fail(selftest, "no file descriptor is left: raise the broker's limit "
				      "(LimitNOFILE)");
	default:
		return fail(selftest, "this broker does not listen there: add \"listener 0\" with "
				      "the path of plugin_opt_handoff, or correct the path");
	}
}

/* The broker answers or hangs up only after the login, which we ought to have seen. */
static enum selftest_state wait_login(struct selftest *selftest, bool proxy)
{
	uint8_t answer[8];
	ssize_t got = recv(selftest->fd, answer, sizeof(answer), MSG_DONTWAIT);

	if (got > 0)
		return fail(selftest,
			    "logins on the hand-off socket do not come to this plugin: put its "
			    "\"plugin\" line under that listener (per_listener_settings true) or "
			    "before all listeners, and before any other \"plugin\" line");
	if (got == 0 || errno != EAGAIN)
		return fail(selftest,
			    proxy ? "the broker hung up: give the hand-off listener the line "
				    "\"enable_proxy_protocol 2\", or remove "
				    "plugin_opt_proxy_protocol"
				  : "the broker hung up before any login: look at the limits of "
				    "the hand-off listener, and if it has \"enable_proxy_protocol "
				    "2\", add \"plugin_opt_proxy_protocol 2\"");
	if (clock_ms() >= selftest->deadline_ms)
		return fail(selftest, "the broker does not answer on the hand-off socket; if that "
				      "listener has \"enable_proxy_protocol 2\", add "
				      "\"plugin_opt_proxy_protocol 2\"");
	return selftest->state;
}

enum selftest_state selftest_tick(struct selftest *selftest, const char *handoff, bool proxy)
{
	switch (selftest->state) {
	case SELFTEST_IDLE:
		return start(selftest, handoff, proxy);
	case SELFTEST_WAITING:
		return wait_login(selftest, proxy);
	default:
		return selftest->state;
	}
}

bool selftest_login(struct selftest *selftest, const struct token *token)
{
	if (selftest->state != SELFTEST_WAITING || !token_equal(&selftest->token, token))
		return false;
	selftest_end(selftest);
	selftest->state = SELFTEST_PASSED;
	return true;
}

void selftest_end(struct selftest *selftest)
{
	if (selftest->fd >= 0)
		close(selftest->fd);
	selftest->fd = -1;
}
