/* SPDX-License-Identifier: MIT */
/* Tokens, the table behind them, and the dialing of the plugin. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "handoff.h"
#include "identity.h"
#include "token.h"
#include "unit.h"

static struct identities *table;
static char clients[4]; /* addresses that stand for the broker's clients */

#define CLIENT(n) ((const struct mosquitto *)(const void *)&clients[n])

static void setup(void)
{
	table = identities_new();
	ck_assert_ptr_nonnull(table);
}

static void teardown(void)
{
	identities_free(table);
}

START_TEST(a_token_survives_being_written)
{
	int i;

	for (i = 0; i < 256; i++) {
		char text[TOKEN_TEXT_LEN + 1];
		struct token drawn, parsed;

		ck_assert(token_draw(&drawn));
		drawn.bytes[TOKEN_BYTES - 1] = (uint8_t)i;
		token_text(&drawn, text);
		ck_assert_uint_eq(strlen(text), TOKEN_TEXT_LEN);
		ck_assert_uint_eq(strcspn(text, "'\\/+#% "), TOKEN_TEXT_LEN);
		ck_assert(token_parse(text, &parsed));
		ck_assert(token_equal(&drawn, &parsed));
	}
}
END_TEST

/* RFC 4648 section 10 has the letters; that the last one has nothing to spare is ours. */
START_TEST(a_token_is_written_as_base64url)
{
	struct token token;
	char text[TOKEN_TEXT_LEN + 1];

	memcpy(token.bytes, "foobarfoobar\xff\xff\xff\xff", TOKEN_BYTES);
	token_text(&token, text);
	ck_assert_str_eq(text, "Zm9vYmFyZm9vYmFy_____w");
}
END_TEST

START_TEST(tokens_differ)
{
	struct token one, two;

	ck_assert(token_draw(&one));
	ck_assert(token_draw(&two));
	ck_assert(!token_equal(&one, &two));
	two = one;
	two.bytes[TOKEN_BYTES - 1] ^= 1;
	ck_assert(!token_equal(&one, &two));
}
END_TEST

START_TEST(what_is_no_token_is_not_parsed)
{
	static const char *const bad[] = {
		"",
		"alice",
		"AAAAAAAAAAAAAAAAAAAAA",   /* one short */
		"AAAAAAAAAAAAAAAAAAAAAAA", /* one long */
		"AAAAAAAAAAAAAAAAAAAAAB",  /* bits in the spare part */
		"AAAAAAAAAA+AAAAAAAAAAA",
		"AAAAAAAAAA=AAAAAAAAAAA",
		"AAAAAAAAAA AAAAAAAAAAA",
		"qt1!0123456789abcdef01",
	};
	struct token token;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!token_parse(bad[i], &token), "%s", bad[i]);
	ck_assert(!token_parse(NULL, &token));
}
END_TEST

START_TEST(a_token_is_good_for_one_login)
{
	struct identity *identity = identity_new(table, IDENTITY_CERTIFICATE, "alice", "[::1]:5");
	struct token token = *identity_token(identity);
	struct identity_facts facts;
	enum identity_kind kind;

	ck_assert(!identity_find(table, CLIENT(0), &kind));
	ck_assert(identity_take(table, &token, CLIENT(0), &facts));
	ck_assert_int_eq(facts.kind, IDENTITY_CERTIFICATE);
	ck_assert_str_eq(facts.name, "alice");
	ck_assert_str_eq(facts.peer, "[::1]:5");
	free(facts.name);
	ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
	ck_assert(!identity_take(table, &token, CLIENT(1), &facts));
	ck_assert(identity_find(table, CLIENT(0), &kind));
	ck_assert_int_eq(kind, IDENTITY_CERTIFICATE);
	identity_free(table, identity);
	ck_assert(!identity_find(table, CLIENT(0), &kind));
}
END_TEST

START_TEST(a_token_dies_with_its_client)
{
	struct identity *identity = identity_new(table, IDENTITY_CLIENT, NULL, "peer");
	struct token token = *identity_token(identity);
	struct identity_facts facts;

	identity_free(table, identity);
	ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
	identity_free(table, NULL);
}
END_TEST

START_TEST(a_pointer_used_again_stands_for_the_new_client)
{
	struct identity *old = identity_new(table, IDENTITY_CERTIFICATE, "alice", "old");
	struct identity *new = identity_new(table, IDENTITY_CLIENT, NULL, "new");
	struct identity_facts facts;
	enum identity_kind kind;

	ck_assert(identity_take(table, identity_token(old), CLIENT(0), &facts));
	free(facts.name);
	ck_assert(identity_take(table, identity_token(new), CLIENT(0), &facts));
	ck_assert(identity_find(table, CLIENT(0), &kind));
	ck_assert_int_eq(kind, IDENTITY_CLIENT);
	identity_free(table, old);
	ck_assert(identity_find(table, CLIENT(0), &kind));
	identity_free(table, new);
	ck_assert(!identity_find(table, CLIENT(0), &kind));
}
END_TEST

START_TEST(a_forgotten_pointer_stands_for_nobody)
{
	struct identity *identity = identity_new(table, IDENTITY_CERTIFICATE, "alice", "peer");
	struct identity_facts facts;
	enum identity_kind kind;

	identity_forget(table, CLIENT(0));
	ck_assert(identity_take(table, identity_token(identity), CLIENT(0), &facts));
	free(facts.name);
	identity_forget(table, CLIENT(0));
	ck_assert(!identity_find(table, CLIENT(0), &kind));
	identity_forget(table, CLIENT(0));
	identity_free(table, identity);
}
END_TEST

/* ---- Known by the socket ------------------------------------------------- */

static int ends[2]; /* the worker's and the broker's */

static struct identity *show(const char *connect, const char *client_id)
{
	struct iovec part = {(void *)(uintptr_t)connect, strlen(connect)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct identity *identity = identity_new(table, IDENTITY_CLIENT, "carol", "peer");

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert(identity_show(table, identity, ends[0], &message, client_id));
	return identity;
}

static void hide(struct identity *identity)
{
	identity_free(table, identity);
	close(ends[0]);
	close(ends[1]);
}

static bool is_taken(const char *client_id)
{
	struct identity_facts facts;

	if (!identity_take_shown(table, CLIENT(0), client_id, &facts))
		return false;
	ck_assert_str_eq(facts.name, "carol");
	free(facts.name);
	return true;
}

START_TEST(a_shown_client_is_taken_when_all_of_it_was_read)
{
	struct identity *identity = show("CONNECT", "phone");
	struct token token = *identity_token(identity);
	struct identity_facts facts;
	enum identity_kind kind;
	char buffer[8];

	ck_assert(!is_taken("phone"));
	ck_assert_int_eq(read(ends[1], buffer, 3), 3);
	ck_assert(!is_taken("phone"));
	ck_assert_int_eq(read(ends[1], buffer, 4), 4);
	ck_assert(!is_taken("watch"));
	ck_assert(!is_taken(NULL));
	ck_assert(!identity_was_taken(table, identity));
	ck_assert(!identities_were_taken(table));
	ck_assert(is_taken("phone"));
	ck_assert(identity_was_taken(table, identity));
	ck_assert(identities_were_taken(table));
	ck_assert(identity_find(table, CLIENT(0), &kind));
	ck_assert(!is_taken("phone"));
	ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
	hide(identity);
	ck_assert(!identity_find(table, CLIENT(0), &kind));
}
END_TEST

START_TEST(a_shown_client_that_was_refused_is_never_taken)
{
	struct identity *identity = show("CONNECT", NULL);
	char buffer[8];

	ck_assert_int_eq(read(ends[1], buffer, 7), 7);
	shutdown(ends[1], SHUT_RDWR);
	ck_assert(!is_taken("anything"));
	hide(identity);
}
END_TEST

START_TEST(a_shown_client_that_was_answered_is_never_taken)
{
	struct identity *identity = show("CONNECT", NULL);
	char buffer[8];

	ck_assert_int_eq(read(ends[1], buffer, 7), 7);
	ck_assert_int_eq(write(ends[1], "CONNACK", 7), 7);
	ck_assert(!is_taken("anything"));
	hide(identity);
}
END_TEST

START_TEST(what_does_not_fit_into_the_socket_is_not_shown)
{
	static char connect[1 << 22];
	struct iovec part = {connect, sizeof(connect)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct identity *identity = identity_new(table, IDENTITY_CLIENT, NULL, "peer");

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert(!identity_show(table, identity, ends[0], &message, NULL));
	while (recv(ends[1], connect, sizeof(connect), MSG_DONTWAIT) > 0)
		;
	ck_assert(!is_taken("anything"));
	hide(identity);
}
END_TEST

START_TEST(thousands_find_their_own)
{
	enum {
		THOUSANDS = 20000
	};
	static struct identity *all[THOUSANDS];
	static char addresses[THOUSANDS];
	struct identity_facts facts;
	enum identity_kind kind;
	int i;

	for (i = 0; i < THOUSANDS; i++)
		all[i] = identity_new(table, i % 2 ? IDENTITY_CLIENT : IDENTITY_REFUSED, NULL, "x");
	for (i = 0; i < THOUSANDS; i++)
		ck_assert(identity_take(table, identity_token(all[i]),
					(const struct mosquitto *)(const void *)&addresses[i],
					&facts));
	for (i = 0; i < THOUSANDS; i++) {
		ck_assert(identity_find(
			table, (const struct mosquitto *)(const void *)&addresses[i], &kind));
		ck_assert_int_eq(kind, i % 2 ? IDENTITY_CLIENT : IDENTITY_REFUSED);
	}
	for (i = 0; i < THOUSANDS; i++)
		identity_free(table, all[i]);
}
END_TEST

static void *come_and_go(void *argument)
{
	int i;

	(void)argument;
	for (i = 0; i < 20000; i++)
		identity_free(table, identity_new(table, IDENTITY_CERTIFICATE, "bob", "peer"));
	return NULL;
}

/* Interesting under a sanitizer, above all. */
START_TEST(two_threads_may_use_the_table)
{
	struct identity_facts facts;
	enum identity_kind kind;
	struct token token;
	pthread_t worker;
	int i;

	ck_assert_int_eq(pthread_create(&worker, NULL, come_and_go, NULL), 0);
	for (i = 0; i < 20000; i++) {
		ck_assert(token_draw(&token));
		ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
		ck_assert(!identity_find(table, CLIENT(i % 4), &kind));
		identity_forget(table, CLIENT(i % 4));
	}
	pthread_join(worker, NULL);
}
END_TEST

static atomic_bool shown_enough;

static void *show_and_hide(void *argument)
{
	int i;

	(void)argument;
	for (i = 0; i < 5000; i++)
		hide(show("CONNECT", NULL));
	atomic_store(&shown_enough, true);
	return NULL;
}

/* Before it is sent a socket is as empty as after it was read: that must not be seen. */
START_TEST(what_nobody_has_read_is_never_taken)
{
	pthread_t worker;

	atomic_store(&shown_enough, false);
	ck_assert_int_eq(pthread_create(&worker, NULL, show_and_hide, NULL), 0);
	while (!atomic_load(&shown_enough))
		ck_assert(!is_taken("anything"));
	pthread_join(worker, NULL);
}
END_TEST

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	return fd;
}

START_TEST(dialing_never_waits)
{
	char directory[] = "/tmp/mquic-dial-XXXXXX";
	char path[64];
	int listener, first, second, third;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	strcpy(path, directory);
	strcat(path, "/s");
	ck_assert_int_eq(handoff_dial(path, 1000, &first), HANDOFF_ABSENT);
	listener = listen_at(path);
	ck_assert_int_eq(handoff_dial(path, 1000, &first), HANDOFF_CONNECTED);
	ck_assert_int_eq(handoff_dial(path, 1000, &second), HANDOFF_BUSY);
	ck_assert_int_eq(handoff_dial(path, listener, &third), HANDOFF_FULL);
	close(first);
	close(listener);
	ck_assert_int_eq(handoff_dial(path, 1000, &first), HANDOFF_ABSENT);
	unlink(path);
	rmdir(directory);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&a_token_survives_being_written,
		&a_token_is_written_as_base64url,
		&tokens_differ,
		&what_is_no_token_is_not_parsed,
		&a_token_is_good_for_one_login,
		&a_token_dies_with_its_client,
		&a_pointer_used_again_stands_for_the_new_client,
		&a_forgotten_pointer_stands_for_nobody,
		&a_shown_client_is_taken_when_all_of_it_was_read,
		&a_shown_client_that_was_refused_is_never_taken,
		&a_shown_client_that_was_answered_is_never_taken,
		&what_does_not_fit_into_the_socket_is_not_shown,
		&thousands_find_their_own,
		&two_threads_may_use_the_table,
		&what_nobody_has_read_is_never_taken,
		&dialing_never_waits,
	};

	return unit_run("plugin-identity", setup, teardown, tests, COUNT(tests));
}
