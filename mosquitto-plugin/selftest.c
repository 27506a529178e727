/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "selftest.h"
#include "../server/clock.h"
#include "../server/proxy.h"

#define LIMIT_MS 10000

/* How long the last question rests when it could not be asked. */
#define PAUSE_MS 1000

/*
 * Lengths of what follows the fixed header, longest first: all that any broker takes, and the
 * least that max_packet_size can be set to.
 */
static const uint32_t sizes[] = {HANDOFF_CONNECT_BODY_MAX, 4096, 256, 19};

/* Versions of MQTT; the broker may have some of them turned off. */
static const uint8_t levels[] = {4, 5, 3};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* From here on there is room for a password, and for an identifier that says who it is. */
#define ROOMY 100

/* The length that is enough for a login that may succeed: nobody else has that identifier. */
#define ENOUGH_SIZE 2

const char selftest_logins_elsewhere[] =
	"logins on the hand-off socket do not come to this plugin: put its \"plugin\" line under "
	"that listener (per_listener_settings true) or before all listeners, and before any other "
	"\"plugin\" line";

static enum selftest_state enter(struct selftest *selftest, enum selftest_state state)
{
	selftest_end(selftest);
	selftest->state = state;
	return state;
}

static enum selftest_state fail(struct selftest *selftest, const char *failure)
{
	/* Nothing depends on the last question but what the answer is for: it is asked again. */
	if (selftest->question == SELFTEST_ANONYMOUS) {
		selftest->again_ms = clock_ms() + PAUSE_MS;
		return enter(selftest, SELFTEST_PASSED);
	}
	selftest->failure = failure;
	return enter(selftest, SELFTEST_FAILED);
}

/* ---- What is sent ---------------------------------------------------------- */

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

/* A field of that length: what there is of `text`, then filling. */
static uint8_t *put_field(uint8_t *at, const char *text, size_t len)
{
	size_t text_len = strlen(text);

	*at++ = (uint8_t)(len >> 8);
	*at++ = (uint8_t)len;
	memset(at, 'x', len);
	memcpy(at, text, text_len < len ? text_len : len);
	return at + len;
}

/* The fixed header, protocol, flags, keep-alive of a minute, properties, identifier. */
static uint8_t *put_head(uint8_t *at, uint32_t body_len, uint8_t level, uint8_t flags,
			 const char *client_id)
{
	uint32_t left = body_len;

	*at++ = 0x10;
	for (; left > 127; left >>= 7)
		*at++ = (uint8_t)(left | 0x80);
	*at++ = (uint8_t)left;
	at = level == 3 ? put_field(at, "MQIsdp", 6) : put_field(at, "MQTT", 4);
	at = put(at, (const uint8_t[]){level, flags, 0, 60}, 4);
	if (level == 5)
		*at++ = 0;
	return put_field(at, client_id, strlen(client_id));
}

/*
 * CONNECT (section 3.1) with clean session and the token as user name. Where there is room, with a
 * password, since other plugins pass on logins without. The login is refused by us, so no client
 * of that name ever exists.
 */
static size_t write_login(struct selftest *selftest, uint8_t *out)
{
	uint32_t body_len = sizes[selftest->size];
	uint8_t level = levels[selftest->level];
	bool roomy = body_len >= ROOMY;
	char token[TOKEN_TEXT_LEN + 1];
	uint8_t *at = put_head(out, body_len, level, roomy ? 0xc2 : 0x82,
			       roomy ? "mquic-self-test" : "m");
	size_t head = body_len > 16383 ? 4 : body_len > 127 ? 3 : 2;
	size_t rest = body_len - ((size_t)(at - out) - head) - 2;

	token_text(&selftest->token, token);
	selftest->username_len = roomy ? (rest - 2) / 2 : rest;
	at = put_field(at, token, selftest->username_len);
	if (roomy)
		at = put_field(at, "none", rest - 2 - selftest->username_len);
	return (size_t)(at - out);
}

/* A CONNECT that is right up to the identifier, with a byte too much behind it. */
static size_t write_question(const struct selftest *selftest, uint8_t *out)
{
	uint8_t level = levels[selftest->level];
	uint32_t body_len = level == 3 ? 16 : level == 5 ? 15 : 14;
	uint8_t *at = put_head(out, body_len, level, 0x02, "m");

	*at++ = 0;
	return (size_t)(at - out);
}

static size_t write_connect(struct selftest *selftest, uint8_t *out)
{
	return selftest->question == SELFTEST_PREFIXES ? write_question(selftest, out)
						       : write_login(selftest, out);
}

static enum selftest_state try_next_size(struct selftest *selftest, const char *failure)
{
	if (selftest->question != SELFTEST_LOGIN)
		return fail(selftest, selftest_logins_elsewhere);
	if (++selftest->size == COUNT(sizes))
		return fail(selftest, failure);
	return enter(selftest, SELFTEST_IDLE);
}

static enum selftest_state say_connect(struct selftest *selftest, bool proxy)
{
	uint8_t *bytes = malloc(PROXY_HEADER_MAX + HANDOFF_CONNECT_MAX);
	size_t len = 0;
	ssize_t sent;

	if (bytes == NULL)
		return fail(selftest, "out of memory");
	if (proxy)
		len = proxy_header(bytes, "127.0.0.1:0", "127.0.0.1:0", "");
	len += write_connect(selftest, bytes + len);
	sent = send(selftest->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	free(bytes);
	if (sent != (ssize_t)len)
		return try_next_size(selftest,
				     "the broker closes connections to the hand-off socket at "
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
	switch (handoff_dial(handoff, getpid(), INT_MAX, &selftest->fd)) {
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

/* ---- What comes back ------------------------------------------------------- */

/* The length of the whole CONNECT that was sent last, fixed header included. */
static size_t connect_size(const struct selftest *selftest)
{
	uint32_t body_len = sizes[selftest->size];

	return body_len + (body_len > 16383 ? 4 : body_len > 127 ? 3 : 2);
}

/*
 * CONNACK before any login: the broker does not like the version or the identifier, or has asked
 * somebody else.
 */
static enum selftest_state answered(struct selftest *selftest, const uint8_t *answer, size_t len)
{
	uint8_t code = len >= 4 && answer[0] == 0x20 ? answer[3] : 0;

	if (selftest->question == SELFTEST_ANONYMOUS) {
		if (selftest->came_unnamed)
			selftest->terms.is_open = code != 0x05 && code != 0x87;
		selftest->again_ms = 0;
		return enter(selftest, SELFTEST_PASSED);
	}
	if (code == 0x01 || code == 0x84) {
		if (++selftest->level == COUNT(levels))
			return fail(selftest, "the hand-off listener takes no version of MQTT: "
					      "look at its accept_protocol_versions");
		return enter(selftest, SELFTEST_IDLE);
	}
	if (code != 0x05 && code != 0x87)
		return fail(selftest, selftest_logins_elsewhere);
	if (selftest->question == SELFTEST_PREFIXES) {
		selftest->terms.connect_max = connect_size(selftest);
		selftest->terms.unproven = true;
		return enter(selftest, SELFTEST_PASSED);
	}
	selftest->question = SELFTEST_PREFIXES;
	return enter(selftest, SELFTEST_IDLE);
}

static enum selftest_state wait_login(struct selftest *selftest, bool proxy)
{
	uint8_t answer[64];
	ssize_t got = recv(selftest->fd, answer, sizeof(answer), MSG_DONTWAIT);

	if (got > 0)
		return answered(selftest, answer, (size_t)got);
	if (got == 0 || errno != EAGAIN)
		return try_next_size(
			selftest,
			proxy ? "the broker hung up: give the hand-off listener the line "
				"\"enable_proxy_protocol 2\", or remove plugin_opt_proxy_protocol"
			      : "the broker hung up before any login: look at the limits of the "
				"hand-off listener, and if it has \"enable_proxy_protocol 2\", add "
				"\"plugin_opt_proxy_protocol 2\"");
	if (clock_ms() >= selftest->deadline_ms)
		return fail(selftest, "the broker does not answer on the hand-off socket; if that "
				      "listener has \"enable_proxy_protocol 2\", add "
				      "\"plugin_opt_proxy_protocol 2\"");
	return selftest->state;
}

enum selftest_state selftest_tick(struct selftest *selftest, const char *handoff, bool proxy)
{
	if (selftest->state == SELFTEST_WAITING)
		wait_login(selftest, proxy);
	/* At once: without anything to do the broker may sleep for seconds. */
	if (selftest->state == SELFTEST_IDLE)
		start(selftest, handoff, proxy);
	return selftest->state;
}

/* ---- The login ------------------------------------------------------------- */

static bool is_own(const struct selftest *selftest, const char *username)
{
	size_t len = selftest->username_len;
	char token[TOKEN_TEXT_LEN + 1];

	if (selftest->state != SELFTEST_WAITING || selftest->question == SELFTEST_PREFIXES ||
	    username == NULL || strlen(username) != len)
		return false;
	token_text(&selftest->token, token);
	return strncmp(username, token, len < TOKEN_TEXT_LEN ? len : TOKEN_TEXT_LEN) == 0;
}

void selftest_ask_again(struct selftest *selftest)
{
	if (!selftest->may_ask_anonymous || selftest->terms.unproven ||
	    selftest->state != SELFTEST_PASSED || sizes[selftest->size] < ROOMY)
		return;
	selftest->question = SELFTEST_ANONYMOUS;
	selftest->came_unnamed = false;
	selftest->deadline_ms = 0;
	if (selftest->size < ENOUGH_SIZE)
		selftest->size = ENOUGH_SIZE;
	enter(selftest, SELFTEST_IDLE);
}

bool selftest_is_unanswered(const struct selftest *selftest)
{
	return selftest->again_ms != 0 && selftest->state == SELFTEST_PASSED &&
	       clock_ms() >= selftest->again_ms;
}

enum selftest_verdict selftest_login(struct selftest *selftest, const char *client_id,
				     const char *username)
{
	if (!is_own(selftest, username))
		return SELFTEST_FOREIGN;
	if (selftest->question == SELFTEST_ANONYMOUS) {
		selftest->came_unnamed = true;
		return SELFTEST_UNNAME;
	}
	selftest->terms.connect_max = connect_size(selftest);
	selftest->terms.names_are_ids = client_id != NULL && strcmp(client_id, username) == 0;
	enter(selftest, SELFTEST_PASSED);
	selftest_ask_again(selftest);
	return SELFTEST_REFUSE;
}

void selftest_end(struct selftest *selftest)
{
	if (selftest->fd >= 0)
		close(selftest->fd);
	selftest->fd = -1;
}
