/* SPDX-License-Identifier: MIT */
/* The plugin's self-test: what it does with a broker that cannot be asked for a while. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "selftest.h"
#include "unit.h"

static char directory[] = "/tmp/mquic-selftest-XXXXXX";
static char path[sizeof(directory) + 16];
static int listener = -1;
static struct selftest selftest;

static void listen_there(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
}

static void go_away(void)
{
	close(listener);
	unlink(path);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/quic.sock", directory);
	listen_there();
	selftest = (struct selftest){.fd = -1, .may_ask_anonymous = true};
}

static void teardown(void)
{
	selftest_end(&selftest);
	go_away();
	rmdir(directory);
}

/* What the plugin's callback gets to see of the login that was sent, as user name. */
static void login_comes(enum selftest_verdict expected)
{
	char token[TOKEN_TEXT_LEN + 1];
	char *name = malloc(selftest.username_len + 1);

	ck_assert_ptr_nonnull(name);
	token_text(&selftest.token, token);
	memset(name, 'x', selftest.username_len);
	memcpy(name, token, TOKEN_TEXT_LEN);
	name[selftest.username_len] = '\0';
	ck_assert_int_eq(selftest_login(&selftest, "mquic-self-test", name), expected);
	free(name);
}

/* Dials, says CONNECT, sees its login; then the broker's answer to a login without a name. */
static void ask(uint8_t code)
{
	const uint8_t connack[] = {0x20, 2, 0, code};
	int accepted;

	ck_assert_int_eq(selftest_tick(&selftest, path, false), SELFTEST_WAITING);
	accepted = accept(listener, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	login_comes(SELFTEST_UNNAME);
	ck_assert_int_eq(send(accepted, connack, sizeof(connack), 0), sizeof(connack));
	ck_assert_int_eq(selftest_tick(&selftest, path, false), SELFTEST_PASSED);
	close(accepted);
}

/* A broker that was found to be open. */
static void pass(void)
{
	ck_assert_int_eq(selftest_tick(&selftest, path, false), SELFTEST_WAITING);
	close(accept(listener, NULL, NULL));
	login_comes(SELFTEST_REFUSE);
	ask(0);
	ck_assert(selftest.terms.is_open);
	ck_assert(!selftest_is_unanswered(&selftest));
}

START_TEST(open_broker_is_found_out)
{
	pass();
}
END_TEST

START_TEST(closed_broker_is_found_out_after_reload)
{
	pass();
	selftest_ask_again(&selftest);
	ask(5);
	ck_assert(!selftest.terms.is_open);
}
END_TEST

START_TEST(question_without_an_answer_is_asked_again)
{
	int rounds;

	pass();
	go_away();
	selftest_ask_again(&selftest);
	ck_assert_int_eq(selftest_tick(&selftest, path, false), SELFTEST_PASSED);
	ck_assert(selftest.terms.is_open); /* what is not known is as it was */
	ck_assert_msg(!selftest_is_unanswered(&selftest), "no pause");
	listen_there();
	for (rounds = 0; rounds < 1000 && !selftest_is_unanswered(&selftest); rounds++)
		usleep(10000);
	ck_assert(selftest_is_unanswered(&selftest));
	selftest_ask_again(&selftest);
	ask(5);
	ck_assert(!selftest.terms.is_open);
	ck_assert(!selftest_is_unanswered(&selftest));
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&open_broker_is_found_out,
		&closed_broker_is_found_out_after_reload,
		&question_without_an_answer_is_asked_again,
	};

	return unit_run("plugin-selftest", setup, teardown, tests, COUNT(tests));
}
