/* SPDX-License-Identifier: MIT */
/*
 * load COMMAND [--option=value …]: one kind of load on a broker; see loads.h for what each
 * does and how it is started from outside. Counts and times are bounded by its options.
 */
#include "loads.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void fail(const char *format, ...)
{
	va_list args;

	fputs("load: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static bool take_text(struct options *options, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **place;
	} texts[] = {
		{"transport", &options->transport},   {"host", &options->host},
		{"cafile", &options->cafile},         {"topic", &options->topic},
		{"congestion", &options->congestion},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].place = value;
			return true;
		}
	return false;
}

static bool take_number(struct options *options, const char *name, const char *value)
{
	const struct {
		const char *name;
		uint64_t *place;
	} numbers[] = {
		{"port", &options->port},
		{"protocol", &options->protocol},
		{"keep-alive-s", &options->keep_alive_s},
		{"qos", &options->qos},
		{"size", &options->size},
		{"count", &options->count},
		{"window", &options->window},
		{"publishers", &options->publishers},
		{"subscribers", &options->subscribers},
		{"at-once", &options->at_once},
		{"gap-us", &options->gap_us},
		{"timeout-ms", &options->timeout_ms},
		{"hold", &options->hold},
		{"again", &options->again},
	};
	char *end;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(name, numbers[i].name) == 0) {
			*numbers[i].place = strtoull(value, &end, 10);
			return end != value && *end == '\0';
		}
	return false;
}

static void take(struct options *options, char *word)
{
	char *value = strchr(word, '=');

	if (strncmp(word, "--", 2) != 0 || value == NULL)
		fail("%s is no --option=value", word);
	*value++ = '\0';
	if (!take_text(options, word + 2, value) && !take_number(options, word + 2, value))
		fail("%s is not known, or %s is no number", word, value);
}

/* One descriptor per client and some. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	const struct {
		const char *name;
		int (*run)(const struct transport *transport, const struct options *options);
	} loads[] = {
		{"flow", load_flow},
		{"transfer", load_transfer},
		{"connects", load_connects},
		{"idle", load_idle},
	};
	struct options options = {
		.transport = "quic",
		.host = "127.0.0.1",
		.topic = "bench",
		.congestion = "cubic",
		.protocol = 5,
		.keep_alive_s = 60,
		.qos = 0,
		.size = 64,
		.count = 1000,
		.window = 20,
		.publishers = 1,
		.subscribers = 1,
		.at_once = 1,
		.timeout_ms = 60000,
	};
	const struct transport *transport;

	for (int i = 2; i < argc; i++)
		take(&options, argv[i]);
	if (options.cafile == NULL)
		fail("--cafile is missing");
	transport =
		strcmp(options.transport, "quic") == 0 ? &transport_mquic : &transport_mosquitto;
	prctl(PR_SET_TIMERSLACK, 1);
	/* OpenSSL writes to sockets that the peer has reset. */
	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	for (size_t i = 0; argc > 1 && i < sizeof(loads) / sizeof(loads[0]); i++)
		if (strcmp(argv[1], loads[i].name) == 0)
			return loads[i].run(transport, &options);
	fail("usage: load flow|transfer|connects|idle --transport=quic|tls|tcp --port=N --cafile=F "
	     "…");
}
