/* SPDX-License-Identifier: MIT */
/* Lookups on helper threads; what they look up is played, so that it takes as long as it is let. */
#include "unit.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/resolve.h"

#define LOOKUPS 12

static struct loop loop;
static struct resolver resolver;
static struct lookup lookups[LOOKUPS];
static struct resolve_answer answers[LOOKUPS];
static unsigned int told[LOOKUPS];
static size_t order[LOOKUPS]; /* in which they were told */
static size_t told_count;
static bool no_memory;

/* Names that begin with "slow" wait for a byte in this pipe each. */
static int gate[2];
/* Each call of find() leaves a byte here when it begins, and one there when it ends. */
static int begun[2];
static int ended[2];

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

static void leave_byte(int fd)
{
	ck_assert_int_eq(write(fd, "x", 1), 1);
}

static void take_byte(int fd)
{
	char byte;

	while (read(fd, &byte, 1) != 1)
		ck_assert_int_eq(errno, EINTR);
}

static int find(struct addresses *found, const char *host, uint16_t port)
{
	struct error ignored;
	int code = 0;

	leave_byte(begun[1]);
	if (strncmp(host, "slow", 4) == 0)
		take_byte(gate[0]);
	if (strstr(host, "unknown") != NULL)
		code = EAI_NONAME;
	else if (strstr(host, "broken") != NULL)
		code = EAI_SYSTEM;
	found->count = code == 0 ? 1 : 0;
	if (code == 0)
		(void)address_parse(&found->list[0], "192.0.2.1", port, &ignored);
	leave_byte(ended[1]);
	errno = EMFILE;
	return code;
}

static void done(struct lookup *lookup, const struct resolve_answer *answer)
{
	size_t i = (size_t)(lookup - lookups);

	answers[i] = *answer;
	told[i]++;
	order[told_count++] = i;
}

static void set_up(void)
{
	size_t i;

	ck_assert_int_eq(loop_init(&loop), 0);
	ck_assert_int_eq(pipe(gate), 0);
	ck_assert_int_eq(pipe(begun), 0);
	ck_assert_int_eq(pipe(ended), 0);
	resolver_init(&resolver, &loop);
	resolver.find = find;
	memset(told, 0, sizeof(told));
	told_count = 0;
	for (i = 0; i < LOOKUPS; i++)
		lookups[i] = (struct lookup){.done = done};
}

static void tear_down(void)
{
	size_t i;

	resolver_fini(&resolver);
	loop_fini(&loop);
	for (i = 0; i < 2; i++) {
		(void)close(gate[1 - i]);
		(void)close(begun[i]);
		(void)close(ended[i]);
	}
}

static void look_up(size_t i, const char *host, const char *other)
{
	ck_assert(lookup_start(&lookups[i], &resolver, host, other, 80));
}

/* One turn of the loop, once there is a reason for it. */
static void turn(void)
{
	struct pollfd fd = {.fd = loop.epoll_fd, .events = POLLIN};

	ck_assert_int_ge(poll(&fd, 1, 30000), 1);
	ck_assert_int_eq(loop_dispatch(&loop), 0);
	resolver_collect(&resolver);
}

static void wait_until_told(size_t count)
{
	while (told_count < count)
		turn();
}

static void wait_for(int fd, size_t count)
{
	while (count-- > 0)
		take_byte(fd);
}

static bool is_readable(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return poll(&one, 1, 0) == 1;
}

static void expect_address(size_t i)
{
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_uint_eq(told[i], 1);
	ck_assert_int_eq(answers[i].code, 0);
	ck_assert_uint_eq(answers[i].found.count, 1);
	address_print(&answers[i].found.list[0], text);
	ck_assert_str_eq(text, "192.0.2.1:80");
	ck_assert_ptr_null(lookups[i].job);
}

START_TEST(lookup_is_told_through_the_loop)
{
	look_up(0, "slow.example", NULL);
	wait_for(begun[0], 1);
	ck_assert(!is_readable(loop.epoll_fd));
	resolver_collect(&resolver);
	ck_assert_uint_eq(told[0], 0);
	leave_byte(gate[1]);
	wait_until_told(1);
	expect_address(0);
	resolver_collect(&resolver);
	ck_assert_uint_eq(told[0], 1);
	ck_assert_uint_eq(resolver.running, 0);
}
END_TEST

START_TEST(other_name_is_looked_up_if_the_first_is_unknown)
{
	look_up(0, "unknown.example", "known.example");
	look_up(1, "unknown.example", "broken.example");
	look_up(2, "broken.example", "known.example");
	wait_until_told(3);
	expect_address(0);
	ck_assert_int_eq(answers[1].code, EAI_NONAME);
	ck_assert_int_eq(answers[2].code, EAI_SYSTEM);
	ck_assert_int_eq(answers[2].system, EMFILE);
}
END_TEST

START_TEST(so_many_run_at_once_and_the_rest_waits_its_turn)
{
	size_t i;

	for (i = 0; i < LOOKUPS; i++)
		look_up(i, "slow.example", NULL);
	wait_for(begun[0], RESOLVE_THREADS);
	ck_assert_uint_eq(resolver.running, RESOLVE_THREADS);
	for (i = 0; i < LOOKUPS - RESOLVE_THREADS; i++) {
		ck_assert(!is_readable(begun[0]));
		leave_byte(gate[1]);
		wait_until_told(i + 1);
		wait_for(begun[0], 1);
		ck_assert_uint_eq(resolver.running, RESOLVE_THREADS);
	}
	for (i = 0; i < RESOLVE_THREADS; i++)
		leave_byte(gate[1]);
	wait_until_told(LOOKUPS);
	for (i = 0; i < LOOKUPS; i++)
		expect_address(i);
	/* What came last was not among the first to be told. */
	for (i = 0; i < RESOLVE_THREADS; i++)
		ck_assert_uint_lt(order[i], LOOKUPS - 1);
}
END_TEST

START_TEST(cancelled_lookup_is_not_told)
{
	size_t i;

	for (i = 0; i < RESOLVE_THREADS; i++)
		look_up(i, "slow.example", NULL);
	wait_for(begun[0], RESOLVE_THREADS);
	look_up(4, "a.example", NULL);
	look_up(5, "b.example", NULL);
	lookup_cancel(&lookups[0]);
	lookup_cancel(&lookups[4]);
	lookup_cancel(&lookups[4]); /* once more does no harm */
	/* Its thread goes on and counts. */
	ck_assert_uint_eq(resolver.running, RESOLVE_THREADS);
	for (i = 0; i < RESOLVE_THREADS; i++)
		leave_byte(gate[1]);
	wait_until_told(RESOLVE_THREADS);
	ck_assert_uint_eq(told[0] + told[4], 0);
	expect_address(1);
	expect_address(2);
	expect_address(3);
	expect_address(5);
	while (resolver.running > 0)
		turn();
	ck_assert(list_is_empty(&resolver.jobs));
}
END_TEST

static void cancel_others(struct lookup *lookup, const struct resolve_answer *answer)
{
	size_t i;

	done(lookup, answer);
	for (i = 0; i < 3; i++)
		lookup_cancel(&lookups[i]);
	lookups[3].done = done;
	look_up(3, "next.example", NULL);
}

START_TEST(who_is_told_may_cancel_and_begin_others)
{
	size_t i;

	for (i = 0; i < 3; i++) {
		lookups[i].done = cancel_others;
		look_up(i, "some.example", NULL);
	}
	/* All have been found before the first is told. */
	wait_for(ended[0], 3);
	while (told_count == 0)
		turn();
	ck_assert_uint_eq(told[0] + told[1] + told[2], 1);
	wait_until_told(2);
	expect_address(3);
}
END_TEST

START_TEST(end_does_not_wait_for_lookups)
{
	size_t i;

	for (i = 0; i < RESOLVE_THREADS; i++)
		look_up(i, "slow.example", NULL);
	for (; i < LOOKUPS; i++)
		look_up(i, "waits.example", NULL);
	lookup_cancel(&lookups[1]);
	wait_for(begun[0], RESOLVE_THREADS);
	resolver_fini(&resolver); /* or it hangs here: nothing goes through the gate yet */
	for (i = 0; i < LOOKUPS; i++)
		ck_assert_ptr_null(lookups[i].job);
	for (i = 0; i < RESOLVE_THREADS; i++)
		leave_byte(gate[1]);
	wait_for(ended[0], RESOLVE_THREADS);
	ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(end_takes_what_was_found_and_not_told)
{
	look_up(0, "some.example", NULL);
	wait_for(ended[0], 1);
	while (!is_readable(loop.epoll_fd))
		(void)poll(NULL, 0, 1);
	resolver_fini(&resolver);
	ck_assert_uint_eq(told_count, 0);
}
END_TEST

static int signals_blocked;

static int look_at_signals(struct addresses *found, const char *host, uint16_t port)
{
	sigset_t blocked;
	int each;

	(void)host;
	(void)port;
	found->count = 0;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	for (each = 1; each < 32; each++)
		signals_blocked +=
			each != SIGKILL && each != SIGSTOP && sigismember(&blocked, each) == 1;
	return 0;
}

START_TEST(signals_are_for_the_threads_of_the_program)
{
	sigset_t before;
	sigset_t after;
	int each;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	resolver.find = look_at_signals;
	look_up(0, "some.example", NULL);
	wait_until_told(1);
	ck_assert_int_eq(signals_blocked, 29);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (each = 1; each < 32; each++)
		ck_assert_int_eq(sigismember(&before, each), sigismember(&after, each));
}
END_TEST

static int no_thread(struct resolver *given, struct resolve_job *job)
{
	(void)given;
	(void)job;
	return EAGAIN;
}

START_TEST(thread_that_cannot_begin_is_told_like_any_answer)
{
	struct error error;

	resolver.begin = no_thread;
	look_up(0, "some.example", NULL);
	ck_assert_uint_eq(told[0], 0);
	wait_until_told(1);
	ck_assert(answers[0].no_thread);
	ck_assert_int_eq(resolve_explain(&answers[0], "some.example", &error), MQUIC_ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error.text, "no thread"));
	ck_assert_ptr_nonnull(strstr(error.text, "some.example"));
	ck_assert_uint_eq(resolver.running, 0);
}
END_TEST

START_TEST(lookup_without_memory_does_not_begin)
{
	bool started;

	no_memory = true;
	started = lookup_start(&lookups[0], &resolver, "some.example", NULL, 80);
	no_memory = false;
	ck_assert(!started);
	ck_assert_ptr_null(lookups[0].job);
	ck_assert(list_is_empty(&resolver.jobs));
}
END_TEST

START_TEST(child_of_fork_lets_lookups_be)
{
	pid_t child;
	int status = -1;
	size_t i;

	for (i = 0; i <= RESOLVE_THREADS; i++)
		look_up(i, "slow.example", NULL);
	wait_for(begun[0], RESOLVE_THREADS);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		lookup_cancel(&lookups[0]);
		lookup_cancel(&lookups[RESOLVE_THREADS]);
		resolver_fini(&resolver);
		_exit(lookups[1].job == NULL ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (i = 0; i <= RESOLVE_THREADS; i++)
		leave_byte(gate[1]);
	wait_until_told(RESOLVE_THREADS + 1);
	for (i = 0; i <= RESOLVE_THREADS; i++)
		expect_address(i);
}
END_TEST

static void expect_sentence(int code, enum mquic_status status, const char *part)
{
	struct resolve_answer answer = {.code = code, .system = EMFILE};
	struct error error;

	ck_assert_int_eq(resolve_explain(&answer, "some.example", &error), status);
	ck_assert_msg(strstr(error.text, part) != NULL, "\"%s\" lacks \"%s\"", error.text, part);
	ck_assert_ptr_nonnull(strstr(error.text, "some.example"));
}

START_TEST(answers_without_an_address_are_explained)
{
	expect_sentence(EAI_NONAME, MQUIC_ERR_RESOLVE, "cannot be found");
	expect_sentence(EAI_FAIL, MQUIC_ERR_RESOLVE, "cannot be found");
	expect_sentence(EAI_AGAIN, MQUIC_ERR_RESOLVE, "DNS server");
	expect_sentence(EAI_SYSTEM, MQUIC_ERR_SYSTEM, "Too many open files");
	expect_sentence(EAI_MEMORY, MQUIC_ERR_MEMORY, "out of memory");
	expect_sentence(0, MQUIC_ERR_RESOLVE, "no IP address");
}
END_TEST

START_TEST(system_is_asked)
{
	resolver.find = address_find;
	look_up(0, "localhost", NULL);
	look_up(1, "no.such.host.invalid", NULL);
	wait_until_told(2);
	ck_assert_int_eq(answers[0].code, 0);
	ck_assert_uint_ge(answers[0].found.count, 1);
	ck_assert_int_ne(answers[1].code, 0);
	ck_assert_uint_eq(answers[1].found.count, 0);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&lookup_is_told_through_the_loop,
		&other_name_is_looked_up_if_the_first_is_unknown,
		&so_many_run_at_once_and_the_rest_waits_its_turn,
		&cancelled_lookup_is_not_told,
		&who_is_told_may_cancel_and_begin_others,
		&end_does_not_wait_for_lookups,
		&end_takes_what_was_found_and_not_told,
		&signals_are_for_the_threads_of_the_program,
		&thread_that_cannot_begin_is_told_like_any_answer,
		&lookup_without_memory_does_not_begin,
		&child_of_fork_lets_lookups_be,
		&answers_without_an_address_are_explained,
		&system_is_asked,
	};

	return unit_run("resolve", set_up, tear_down, tests, COUNT(tests));
}
