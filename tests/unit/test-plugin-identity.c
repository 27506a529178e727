/* SPDX-License-Identifier: MIT */
/* Tokens, the table behind them, and the dialing of the plugin. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "handoff.h"
#include "identity.h"
#include "token.h"
#include "unit.h"

static struct identities *table;
static char clients[4]; /* addresses that stand for the broker's clients */

#define MOST 30000

#define CLIENT(n) ((const struct mosquitto *)(const void *)&clients[n])

static void setup(void)
{
	table = identities_new(MOST, 1);
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

static struct token announced_as(unsigned int worker, enum channel_kind kind, const char *name,
				 const char *peer)
{
	struct identity_facts facts = {.kind = kind, .name = (char *)(uintptr_t)name};
	struct token token;

	strcpy(facts.peer, peer);
	ck_assert(token_draw(&token));
	ck_assert(identity_add(table, worker, &token, &facts));
	return token;
}

START_TEST(each_listener_has_its_own_clients)
{
	struct identity_facts given = {.kind = CHANNEL_KIND_CLIENT, .listener = 2, .peer = "x"};
	struct identity_facts facts;
	struct token token;

	ck_assert(token_draw(&token));
	ck_assert(identity_add(table, 1, &token, &given));
	ck_assert(!identity_is_waiting(table, 1, 0, &token));
	ck_assert(identity_is_waiting(table, 1, 2, &token));
	ck_assert(identity_take(table, &token, CLIENT(0), &facts));
	ck_assert_uint_eq(facts.listener, 2);
	ck_assert(!identities_were_taken(table, 0));
	ck_assert(identities_were_taken(table, 2));
}
END_TEST

START_TEST(a_token_is_good_for_one_login)
{
	struct token token = announced_as(1, CHANNEL_KIND_CERTIFICATE, "alice", "[::1]:5");
	struct identity_facts facts;
	enum channel_kind kind;

	ck_assert(!identity_find(table, CLIENT(0), &kind));
	ck_assert(identity_is_waiting(table, 1, 0, &token));
	ck_assert(identity_take(table, &token, CLIENT(0), &facts));
	ck_assert(!identity_is_waiting(table, 1, 0, &token));
	ck_assert_int_eq(facts.kind, CHANNEL_KIND_CERTIFICATE);
	ck_assert_str_eq(facts.name, "alice");
	ck_assert_str_eq(facts.peer, "[::1]:5");
	free(facts.name);
	ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
	ck_assert(!identity_take(table, &token, CLIENT(1), &facts));
	ck_assert(identity_find(table, CLIENT(0), &kind));
	ck_assert_int_eq(kind, CHANNEL_KIND_CERTIFICATE);
	identity_remove(table, 1, &token);
	ck_assert(!identity_find(table, CLIENT(0), &kind));
}
END_TEST

START_TEST(a_token_dies_with_its_client)
{
	struct token token = announced_as(1, CHANNEL_KIND_CLIENT, NULL, "peer");
	struct identity_facts facts;

	identity_remove(table, 1, &token);
	ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
	identity_remove(table, 1, &token);
}
END_TEST

START_TEST(a_token_cannot_be_announced_twice)
{
	struct token token = announced_as(1, CHANNEL_KIND_CERTIFICATE, "alice", "peer");
	struct identity_facts other = {.kind = CHANNEL_KIND_CERTIFICATE};
	struct identity_facts facts;

	ck_assert(!identity_add(table, 2, &token, &other));
	ck_assert(!identity_add(table, 1, &token, &other));
	ck_assert(identity_take(table, &token, CLIENT(0), &facts));
	ck_assert_str_eq(facts.name, "alice");
	free(facts.name);
	ck_assert(!identity_add(table, 2, &token, &other));
}
END_TEST

START_TEST(a_worker_has_no_say_in_the_clients_of_others)
{
	struct token token = announced_as(1, CHANNEL_KIND_CLIENT, "alice", "peer");
	struct token theirs = announced_as(2, CHANNEL_KIND_CLIENT, "bob", "peer");
	struct identity_facts facts;

	identity_remove(table, 2, &token);
	ck_assert(!identity_is_waiting(table, 2, 0, &token));
	ck_assert(identity_is_waiting(table, 1, 0, &token));
	identities_drop(table, 2);
	ck_assert(!identity_take(table, &theirs, CLIENT(0), &facts));
	ck_assert(identity_take(table, &token, CLIENT(0), &facts));
	free(facts.name);
}
END_TEST

START_TEST(the_table_has_an_end)
{
	struct identity_facts facts = {.kind = CHANNEL_KIND_CLIENT};
	struct token token, first;
	unsigned int count = 0;

	ck_assert(token_draw(&first));
	token = first;
	while (identity_add(table, 1, &token, &facts)) {
		ck_assert_uint_le(++count, MOST);
		ck_assert(token_draw(&token));
	}
	ck_assert_uint_eq(count, MOST);
	/* Another worker has room of its own. */
	ck_assert(identity_add(table, 2, &token, &facts));
	identity_remove(table, 2, &token);
	identity_remove(table, 1, &first);
	ck_assert(identity_add(table, 1, &token, &facts));
}
END_TEST

/* Whatever a worker says, it does not fill the broker's memory with names. */
START_TEST(names_have_an_end)
{
	static char name[60001];
	struct identity_facts facts = {.kind = CHANNEL_KIND_CLIENT, .name = name};
	struct token first, next;
	size_t count;

	memset(name, 'x', sizeof(name) - 1);
	ck_assert(token_draw(&first));
	ck_assert(identity_add(table, 1, &first, &facts));
	for (count = 1; count < MOST && token_draw(&next); count++)
		if (!identity_add(table, 1, &next, &facts))
			break;
	ck_assert_uint_ge(count, 250);
	ck_assert_uint_le(count, 500);
	ck_assert(identity_add(table, 2, &next, &facts));
	identity_remove(table, 2, &next);
	/* Who has logged in needs the name no more. */
	ck_assert(identity_take(table, &first, CLIENT(0), &facts));
	ck_assert(identity_add(table, 1, &next, &facts));
	identity_remove(table, 1, &next);
	ck_assert(identity_add(table, 1, &next, &facts));
	free(facts.name);
}
END_TEST

START_TEST(a_pointer_used_again_stands_for_the_new_client)
{
	struct token old = announced_as(1, CHANNEL_KIND_CERTIFICATE, "alice", "old");
	struct token new = announced_as(1, CHANNEL_KIND_CLIENT, NULL, "new");
	struct identity_facts facts;
	enum channel_kind kind;

	ck_assert(identity_take(table, &old, CLIENT(0), &facts));
	free(facts.name);
	ck_assert(identity_take(table, &new, CLIENT(0), &facts));
	ck_assert(identity_find(table, CLIENT(0), &kind));
	ck_assert_int_eq(kind, CHANNEL_KIND_CLIENT);
	identity_remove(table, 1, &old);
	ck_assert(identity_find(table, CLIENT(0), &kind));
	identity_remove(table, 1, &new);
	ck_assert(!identity_find(table, CLIENT(0), &kind));
}
END_TEST

START_TEST(a_forgotten_pointer_stands_for_nobody)
{
	struct token token = announced_as(1, CHANNEL_KIND_CERTIFICATE, "alice", "peer");
	struct identity_facts facts;
	enum channel_kind kind;

	identity_forget(table, CLIENT(0));
	ck_assert(identity_take(table, &token, CLIENT(0), &facts));
	free(facts.name);
	identity_forget(table, CLIENT(0));
	ck_assert(!identity_find(table, CLIENT(0), &kind));
	identity_forget(table, CLIENT(0));
	identity_remove(table, 1, &token);
}
END_TEST

/* ---- Known by the socket ------------------------------------------------- */

static int ends[2]; /* the worker's and the broker's */

/* The same socket as a worker sends it. */
static bool show_as(const struct token *token, const char *connect, const char *client_id, int fd)
{
	const struct channel_message message = {
		.type = CHANNEL_PRESENT,
		.token = *token,
		.text = channel_text(client_id),
		.more = channel_text(connect),
		.fd = dup(fd),
	};

	return identity_show(table, 1, &message);
}

static struct token show(const char *connect, const char *client_id)
{
	struct token token = announced_as(1, CHANNEL_KIND_CLIENT, "carol", "peer");

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert(show_as(&token, connect, client_id, ends[0]));
	return token;
}

static void hide(const struct token *token)
{
	identity_remove(table, 1, token);
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
	struct token token = show("CONNECT", "phone");
	struct identity_facts facts;
	enum channel_kind kind;
	char buffer[8];

	ck_assert(!is_taken("phone"));
	ck_assert_int_eq(read(ends[1], buffer, 3), 3);
	ck_assert(!is_taken("phone"));
	ck_assert_int_eq(read(ends[1], buffer, 4), 4);
	ck_assert(!is_taken("watch"));
	ck_assert(!is_taken(NULL));
	ck_assert(identity_is_waiting(table, 1, 0, &token));
	ck_assert(!identities_were_taken(table, 0));
	ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
	ck_assert(is_taken("phone"));
	ck_assert(!identity_is_waiting(table, 1, 0, &token));
	ck_assert(identities_were_taken(table, 0));
	ck_assert(identity_find(table, CLIENT(0), &kind));
	ck_assert(!is_taken("phone"));
	ck_assert(!identity_take(table, &token, CLIENT(0), &facts));
	hide(&token);
	ck_assert(!identity_find(table, CLIENT(0), &kind));
}
END_TEST

START_TEST(a_shown_client_that_was_refused_is_never_taken)
{
	struct token token = show("CONNECT", NULL);
	char buffer[8];

	ck_assert_int_eq(read(ends[1], buffer, 7), 7);
	shutdown(ends[1], SHUT_RDWR);
	ck_assert(!is_taken("anything"));
	hide(&token);
}
END_TEST

START_TEST(a_shown_client_that_was_answered_is_never_taken)
{
	struct token token = show("CONNECT", NULL);
	char buffer[8];

	ck_assert_int_eq(read(ends[1], buffer, 7), 7);
	ck_assert_int_eq(write(ends[1], "CONNACK", 7), 7);
	ck_assert(!is_taken("anything"));
	hide(&token);
}
END_TEST

/* The table keeps no socket open that its worker has closed. */
START_TEST(the_broker_sees_the_end_of_a_shown_client)
{
	struct token token = show("CONNECT", NULL);
	char buffer[8];

	ck_assert_int_eq(read(ends[1], buffer, 7), 7);
	close(ends[0]);
	ck_assert_int_eq(recv(ends[1], buffer, 1, MSG_DONTWAIT), -1);
	identity_remove(table, 1, &token);
	ck_assert_int_eq(recv(ends[1], buffer, 1, MSG_DONTWAIT), 0);
	close(ends[1]);
}
END_TEST

START_TEST(what_does_not_fit_into_the_socket_is_not_shown)
{
	static char connect[1 << 22];
	struct token token = announced_as(1, CHANNEL_KIND_CLIENT, NULL, "peer");

	memset(connect, 'x', sizeof(connect) - 1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert(!show_as(&token, connect, NULL, ends[0]));
	while (recv(ends[1], connect, sizeof(connect), MSG_DONTWAIT) > 0)
		;
	ck_assert(!is_taken("anything"));
	hide(&token);
}
END_TEST

/* A worker that was taken over may send any descriptor. */
START_TEST(what_does_not_lead_to_this_process_is_not_shown)
{
	static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
	struct token token;
	size_t i;
	int fd;

	for (i = 0; i < COUNT(types); i++) {
		token = announced_as(1, CHANNEL_KIND_CLIENT, NULL, "peer");
		ck_assert_int_eq(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, ends), 0);
		ck_assert(!show_as(&token, "CONNECT", NULL, ends[0]));
		hide(&token);
	}
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	token = announced_as(1, CHANNEL_KIND_CLIENT, NULL, "peer");
	ck_assert(!show_as(&token, "CONNECT", NULL, fd));
	close(fd);
	token = announced_as(2, CHANNEL_KIND_CLIENT, NULL, "peer");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert(!show_as(&token, "CONNECT", NULL, ends[0]));
	hide(&token);
}
END_TEST

START_TEST(thousands_find_their_own)
{
	enum {
		THOUSANDS = 20000
	};
	static struct token all[THOUSANDS];
	static char addresses[THOUSANDS];
	struct identity_facts facts;
	enum channel_kind kind;
	int i;

	for (i = 0; i < THOUSANDS; i++)
		all[i] = announced_as(1, i % 2 ? CHANNEL_KIND_CLIENT : CHANNEL_KIND_REFUSED, NULL,
				      "x");
	for (i = 0; i < THOUSANDS; i++)
		ck_assert(identity_take(table, &all[i],
					(const struct mosquitto *)(const void *)&addresses[i],
					&facts));
	for (i = 0; i < THOUSANDS; i++) {
		ck_assert(identity_find(
			table, (const struct mosquitto *)(const void *)&addresses[i], &kind));
		ck_assert_int_eq(kind, i % 2 ? CHANNEL_KIND_CLIENT : CHANNEL_KIND_REFUSED);
	}
	for (i = 0; i < THOUSANDS; i++)
		identity_remove(table, 1, &all[i]);
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
	ck_assert_int_eq(handoff_dial(path, getpid(), 1000, &first), HANDOFF_ABSENT);
	listener = listen_at(path);
	ck_assert_int_eq(handoff_dial(path, getpid(), 1000, &first), HANDOFF_CONNECTED);
	ck_assert_int_eq(handoff_dial(path, getpid(), 1000, &second), HANDOFF_BUSY);
	ck_assert_int_eq(handoff_dial(path, getpid(), listener, &third), HANDOFF_FULL);
	close(first);
	close(listener);
	ck_assert_int_eq(handoff_dial(path, getpid(), 1000, &first), HANDOFF_ABSENT);
	unlink(path);
	rmdir(directory);
}
END_TEST

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of tokens that a worker which was taken over has chosen: they differ in four bytes alone. */
static double cost_of_tokens(size_t at)
{
	const struct identity_facts facts = {.kind = CHANNEL_KIND_CLIENT};
	double since = cpu_s();
	struct token token = {{0}};
	uint32_t i;

	for (i = 0; i < MOST; i++) {
		memcpy(token.bytes + at, &i, sizeof(i));
		ck_assert(identity_add(table, 1, &token, &facts));
	}
	for (; i < 3 * MOST; i++) {
		memcpy(token.bytes + at, &i, sizeof(i));
		identity_remove(table, 1, &token);
	}
	identities_drop(table, 1);
	return cpu_s() - since;
}

/* All in one chain cost a hundred times as much. */
START_TEST(a_worker_cannot_choose_tokens_that_cost_time)
{
	double costs[TOKEN_BYTES / 4];
	double least = 3600;
	size_t i;

	for (i = 0; i < COUNT(costs); i++) {
		costs[i] = cost_of_tokens(4 * i);
		least = costs[i] < least ? costs[i] : least;
	}
	for (i = 0; i < COUNT(costs); i++)
		ck_assert_double_lt(costs[i], 20 * least + 0.1);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&a_token_survives_being_written,
		&a_token_is_written_as_base64url,
		&tokens_differ,
		&what_is_no_token_is_not_parsed,
		&each_listener_has_its_own_clients,
		&a_token_is_good_for_one_login,
		&a_token_dies_with_its_client,
		&a_token_cannot_be_announced_twice,
		&a_worker_has_no_say_in_the_clients_of_others,
		&the_table_has_an_end,
		&names_have_an_end,
		&a_pointer_used_again_stands_for_the_new_client,
		&a_forgotten_pointer_stands_for_nobody,
		&a_shown_client_is_taken_when_all_of_it_was_read,
		&a_shown_client_that_was_refused_is_never_taken,
		&a_shown_client_that_was_answered_is_never_taken,
		&the_broker_sees_the_end_of_a_shown_client,
		&what_does_not_fit_into_the_socket_is_not_shown,
		&what_does_not_lead_to_this_process_is_not_shown,
		&thousands_find_their_own,
		&a_worker_cannot_choose_tokens_that_cost_time,
		&dialing_never_waits,
	};

	return unit_run("plugin-identity", setup, teardown, tests, COUNT(tests));
}
