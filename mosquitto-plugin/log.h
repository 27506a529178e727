/* SPDX-License-Identifier: MIT */
/*
 * Lines on their way from the worker to the broker's log, which only the broker's thread may
 * touch. A ring with one writer and one reader: full means that lines are dropped and counted.
 */
#ifndef MOSQUITTO_PLUGIN_LOG_H
#define MOSQUITTO_PLUGIN_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mquic.h>

#define LOG_LINE_SIZE 320
#define LOG_LINES     256 /* a power of two */

struct log_ring {
	atomic_uint written; /* lines ever written; only the writer changes it */
	atomic_uint drained; /* lines ever read; only the reader changes it */
	atomic_uint dropped;
	struct {
		enum mquic_log_level level;
		char text[LOG_LINE_SIZE];
	} lines[LOG_LINES];
};

/* Before there are lines: which are too much. Of the one plugin that a broker loads. */
void log_limit(enum mquic_log_level level);

/*
 * Writer: queues a line. What a client sent may be in it: what could forge a line becomes '?', see
 * mquic_text_printable(). A text that stands in quotes must have gone through that already.
 */
__attribute__((format(printf, 3, 4))) void log_push(struct log_ring *ring,
						    enum mquic_log_level level, const char *format,
						    ...);

/* Main thread: writes what is queued to the broker's log. One load if there is nothing. */
void log_drain(struct log_ring *ring);

/* Main thread: writes one line to the broker's log, cleaned like those of log_push(). */
__attribute__((format(printf, 2, 3))) void log_now(enum mquic_log_level level, const char *format,
						   ...);

#endif
