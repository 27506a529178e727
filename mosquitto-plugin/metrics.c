/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker.h"
#include "log.h"
#include "metrics.h"
#include "../server/clock.h"
#include "../server/openmetrics.h"

/* How long workers have to answer, and for how long their answers will do. */
#define PATIENCE_MS 200
#define FRESH_MS    500

/* As the broker publishes its own. */
#define SYS_QOS 2

/* Anybody may read it, for it is read by another user. */
#define FILE_MODE 0644

/* ---- Topics ------------------------------------------------------------------------ */

/* Of this worker, or of all. */
static void publish(size_t worker, const char *name, uint64_t value)
{
	char topic[128];
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, value);

	if (worker == 0)
		snprintf(topic, sizeof(topic), "$SYS/broker/mquic/%s", name);
	else
		snprintf(topic, sizeof(topic), "$SYS/broker/mquic/worker/%zu/%s", worker, name);
	mosquitto_broker_publish_copy(NULL, topic, len, text, SYS_QOS, true, NULL);
}

/* What is as it was stands in the retained message. */
static void publish_news(const struct metrics *metrics, size_t worker)
{
	const struct counters *now = &metrics->now[worker];
	const struct counters *last = &metrics->last[worker];
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		if ((worker != 0 || !counter_rows[i].is_of_workers) &&
		    (!metrics->shown || last->at[i] != now->at[i]))
			publish(worker, counter_rows[i].topic, now->at[i]);
}

static void publish_all(struct metrics *metrics)
{
	size_t i;

	for (i = 0; i <= metrics->workers; i++)
		publish_news(metrics, i);
	memcpy(metrics->last, metrics->now, sizeof(metrics->last));
	metrics->shown = true;
}

/* ---- Text ---------------------------------------------------------------------------- */

void metrics_write(const struct metrics *metrics, FILE *out, enum metrics_format format)
{
	struct metrics_part parts[OPTIONS_WORKERS_MAX];
	size_t i;

	for (i = 0; i < metrics->workers; i++) {
		parts[i].counters = &metrics->now[i + 1];
		snprintf(parts[i].worker, sizeof(parts[i].worker), "%u", (unsigned int)(i + 1));
	}
	openmetrics_write(out, format, parts, metrics->workers);
}

/* ---- The file ------------------------------------------------------------------------ */

/* node_exporter takes files of this name, and nothing but the older format. */
static enum metrics_format format_of(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && strcmp(path + len - 5, ".prom") == 0 ? METRICS_PROMETHEUS : METRICS_OPEN;
}

/* 0, or the error's number. */
static int write_text(const struct metrics *metrics, int fd)
{
	FILE *out = fdopen(fd, "w");
	bool good;

	if (out == NULL) {
		close(fd);
		return ENOMEM;
	}
	metrics_write(metrics, out, format_of(metrics->options->metrics));
	/* The broker's umask changes with what it is about. */
	good = fchmod(fd, FILE_MODE) == 0 && ferror(out) == 0;
	return fclose(out) == 0 && good ? 0 : errno;
}

/* Under another name first, so that nobody reads half of it. */
static int replace(const struct metrics *metrics)
{
	const char *path = metrics->options->metrics;
	char other[PATH_MAX];
	int code, fd;

	if (snprintf(other, sizeof(other), "%s.new", path) >= (int)sizeof(other))
		return ENAMETOOLONG;
	/* What is there may be a pipe of somebody's that nobody reads, or a link to another file. */
	unlink(other);
	fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return errno;
	code = write_text(metrics, fd);
	if (code == 0 && rename(other, path) != 0)
		code = errno;
	if (code != 0)
		unlink(other);
	return code;
}

/* Said once, and again if it has been written in between. */
static void write_file(struct metrics *metrics)
{
	int code = replace(metrics);

	if (code != 0 && !metrics->file_failed)
		log_now(MQUIC_LOG_WARNING,
			"mquic: plugin_opt_metrics: %s cannot be written: %s; name a file in a "
			"directory that the broker's user may write to",
			metrics->options->metrics, strerror(code));
	metrics->file_failed = code != 0;
}

/* ---- Time ------------------------------------------------------------------------------ */

/* Somebody has asked, and may have left without looking at the answers: they are old by now. */
static bool is_asked(const struct metrics *metrics, uint64_t now_ms)
{
	return metrics->asked && now_ms < metrics->until_ms + FRESH_MS;
}

bool metrics_gather(struct metrics *metrics, struct workers *workers)
{
	uint64_t now_ms = clock_ms();

	if (metrics->taken_ms != 0 && now_ms - metrics->taken_ms < FRESH_MS)
		return true;
	if (!is_asked(metrics, now_ms)) {
		workers_count(workers);
		metrics->asked = true;
		metrics->until_ms = now_ms + PATIENCE_MS;
	}
	if (!workers_have_counted(workers) && now_ms < metrics->until_ms)
		return false;
	metrics->workers = workers_counters(workers, metrics->now);
	metrics->taken_ms = now_ms;
	metrics->asked = false;
	return true;
}

void metrics_tick(struct metrics *metrics, struct workers *workers)
{
	uint64_t interval_ms = (uint64_t)metrics->options->sys_interval_s * 1000;
	uint64_t now_ms;

	if (interval_ms == 0)
		return;
	now_ms = clock_ms();
	if (now_ms < metrics->next_ms || !metrics_gather(metrics, workers))
		return;
	metrics->next_ms = now_ms + interval_ms;
	publish_all(metrics);
	if (metrics->options->metrics != NULL)
		write_file(metrics);
}
