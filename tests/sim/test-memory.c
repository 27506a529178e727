/* SPDX-License-Identifier: MIT */
/*
 * Memory runs out at every single allocation of a client's and a server's life, once or for good.
 * Whatever happens then: no crash, no leak, nothing left behind, and the application hears of it.
 */
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define ALLOCATIONS_MAX 5000

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool armed;
static bool for_good;
static unsigned int until_failure;
static bool failed;

static bool must_fail(void)
{
	if (!armed || sim_is_allocating())
		return false;
	if (until_failure > 0 && --until_failure > 0)
		return false;
	if (failed && !for_good)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return must_fail() ? NULL : __real_realloc(old, size);
}

/* The application: a client that sends, a server that echoes. Nothing here may allocate. */
static struct mquic_connection *accepted;
static struct mquic_stream *ours;
static struct mquic_stream *theirs;
static unsigned int closed;
static size_t echoed;

static void echo(struct mquic_stream *stream)
{
	const uint8_t *data;
	size_t len;
	size_t sent;

	while (stream != NULL && mquic_stream_peek(stream, &data, &len) == MQUIC_OK && len > 0) {
		if (stream == ours)
			echoed += len;
		else if (mquic_stream_send(stream, data, len, &sent) != MQUIC_OK)
			(void)mquic_connection_close(accepted, 1, NULL);
		(void)mquic_stream_consume(stream, len);
	}
}

static void on_event(struct sim_host *host, struct mquic_event *event)
{
	switch (mquic_event_type(event)) {
	case MQUIC_EVENT_ACCEPTABLE:
		(void)mquic_endpoint_accept(host->endpoint, &accepted);
		break;
	case MQUIC_EVENT_STREAM_ACCEPTABLE:
		(void)mquic_connection_accept_stream(mquic_event_connection(event), &theirs);
		break;
	case MQUIC_EVENT_STREAM_READABLE:
		echo(mquic_event_stream(event));
		break;
	case MQUIC_EVENT_CONNECTION_CLOSED:
		closed++;
		break;
	default:
		break;
	}
}

/* All of it with memory running out at the nth allocation. False once there are not that many. */
static bool live(unsigned int nth)
{
	static const uint8_t bytes[20000];
	bool refused = false;
	size_t sent;

	accepted = NULL;
	ours = theirs = NULL;
	closed = 0;
	echoed = 0;
	until_failure = nth;
	failed = false;
	pair.client->on_event = on_event;
	pair.server->on_event = on_event;
	pair_listen();
	armed = true;
	(void)mquic_connection_dial(&pair.dialed, pair.client->endpoint, pair.client_settings,
				    PAIR_HOST, PAIR_PORT);
	if (pair.dialed != NULL && mquic_stream_open(&ours, pair.dialed) == MQUIC_OK)
		refused = mquic_stream_send(ours, bytes, sizeof(bytes), &sent) != MQUIC_OK;
	sim_run(pair.sim, 15 * SIM_SECOND);
	armed = false;
	/* Whoever waits hears of it long before the idle timeout. */
	ck_assert_msg(ours == NULL || refused || closed > 0 || echoed == sizeof(bytes),
		      "allocation %u: neither delivered nor told", nth);
	mquic_stream_free(ours);
	mquic_stream_free(theirs);
	mquic_connection_free(accepted);
	mquic_connection_free(pair.dialed);
	pair.dialed = NULL;
	sim_run(pair.sim, 60 * SIM_SECOND);
	pair_expect_empty(pair.client);
	return failed;
}

START_TEST(memory_may_run_out_anywhere)
{
	unsigned int nth;

	for_good = _i == 1;
	for (nth = 1; live(nth); nth++) {
		ck_assert_uint_lt(nth, ALLOCATIONS_MAX);
		pair_reopen(nth);
	}
	ck_assert_uint_eq(echoed, 20000); /* the last time nothing failed */
	ck_assert_uint_gt(nth, 30);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sim-memory");
	TCase *group = tcase_create("memory");

	tcase_add_unchecked_fixture(group, pair_certificates_make, pair_certificates_remove);
	tcase_add_checked_fixture(group, pair_open, pair_close);
	tcase_set_timeout(group, 240);
	tcase_add_loop_test(group, memory_may_run_out_anywhere, 0, 2);
	suite_add_tcase(suite, group);
	return kit_main(suite);
}
