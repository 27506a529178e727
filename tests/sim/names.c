/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define NAMES_MAX     32
#define LOOKUPS_MAX   64
#define ENDPOINTS_MAX 256

struct name {
	const char *text;
	unsigned int number;
};

struct asked {
	struct mquic_endpoint *endpoint; /* NULL: freed meanwhile */
	struct resolve_job *job;
	uint64_t at_ns;
};

static struct name names[NAMES_MAX];
static size_t name_count;
static struct mquic_endpoint *endpoints[ENDPOINTS_MAX];
static size_t endpoint_count;
static const uint64_t *clock_ns;
static struct asked asked[LOOKUPS_MAX];
static size_t asked_count;
static unsigned int begun;
static uint64_t delay_ns;
static int failure;
static int failure_system;

void names_add(const char *name, unsigned int number)
{
	if (name_count == NAMES_MAX)
		abort();
	names[name_count++] = (struct name){.text = name, .number = number};
}

void names_set_delay(uint64_t given_ns)
{
	delay_ns = given_ns;
}

void names_set_failure(int code, int system)
{
	failure = code;
	failure_system = system;
}

unsigned int names_asked(void)
{
	return begun;
}

static int find(struct addresses *found, const char *host, uint16_t port)
{
	size_t i;

	found->count = 0;
	errno = failure_system;
	if (failure != 0)
		return failure;
	for (i = 0; i < name_count; i++)
		if (strcmp(names[i].text, host) == 0)
			found->list[found->count++] = sim_address(names[i].number, port);
	return found->count > 0 ? 0 : EAI_NONAME;
}

static struct mquic_endpoint *endpoint_of(const struct resolver *resolver)
{
	size_t i = 0;

	while (endpoint_resolver(endpoints[i]) != resolver)
		i++;
	return endpoints[i];
}

static int begin(struct resolver *resolver, struct resolve_job *job)
{
	if (asked_count == LOOKUPS_MAX)
		return EAGAIN;
	asked[asked_count++] = (struct asked){
		.endpoint = endpoint_of(resolver),
		.job = job,
		.at_ns = delay_ns == UINT64_MAX ? UINT64_MAX : *clock_ns + delay_ns,
	};
	begun++;
	return 0;
}

void names_attach(struct mquic_endpoint *endpoint, const uint64_t *now_ns)
{
	if (endpoint_count == ENDPOINTS_MAX)
		abort();
	endpoints[endpoint_count++] = endpoint;
	clock_ns = now_ns;
	endpoint_resolver(endpoint)->find = find;
	endpoint_resolver(endpoint)->begin = begin;
}

void names_detach(const struct mquic_endpoint *endpoint)
{
	size_t i;

	for (i = 0; i < asked_count; i++)
		if (asked[i].endpoint == endpoint)
			asked[i].endpoint = NULL;
	for (i = 0; i < endpoint_count && endpoints[i] != endpoint;)
		i++;
	if (i < endpoint_count)
		endpoints[i] = endpoints[--endpoint_count];
}

uint64_t names_next(void)
{
	uint64_t next_ns = UINT64_MAX;
	size_t i;

	for (i = 0; i < asked_count; i++)
		if (asked[i].at_ns < next_ns)
			next_ns = asked[i].at_ns;
	return next_ns;
}

/* The endpoint hears of it in a turn of its own. */
static void answer(size_t i)
{
	struct asked answered = asked[i];

	asked[i] = asked[--asked_count];
	resolve_job_run(answered.job);
	if (answered.endpoint != NULL)
		endpoint_turn(answered.endpoint);
}

bool names_run(uint64_t now_ns)
{
	size_t i;

	for (i = 0; i < asked_count; i++)
		if (asked[i].at_ns <= now_ns) {
			answer(i);
			return true;
		}
	return false;
}

void names_clear(void)
{
	while (asked_count > 0)
		answer(0);
	name_count = 0;
	begun = 0;
	delay_ns = 0;
	failure = failure_system = 0;
}
