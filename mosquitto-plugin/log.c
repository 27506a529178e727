/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "broker.h"
#include "log.h"

/* Set while there is one thread. */
static enum mquic_log_level limit = MQUIC_LOG_INFO;

void log_limit(enum mquic_log_level level)
{
	limit = level;
}

/* The broker's level for ours; NOTICE is what it uses for clients that come and go. */
static int broker_level(enum mquic_log_level level)
{
	switch (level) {
	case MQUIC_LOG_ERROR:
		return MOSQ_LOG_ERR;
	case MQUIC_LOG_WARNING:
		return MOSQ_LOG_WARNING;
	case MQUIC_LOG_INFO:
		return MOSQ_LOG_NOTICE;
	default:
		return MOSQ_LOG_DEBUG;
	}
}

/* Long enough for what is cut off to be no half of a character. */
#define WHOLE_LINE_SIZE 1024

static void push(struct log_ring *ring, enum mquic_log_level level, const char *format,
		 va_list arguments)
{
	unsigned int written = atomic_load_explicit(&ring->written, memory_order_relaxed);
	unsigned int drained = atomic_load_explicit(&ring->drained, memory_order_acquire);
	unsigned int slot = written % LOG_LINES;
	char line[WHOLE_LINE_SIZE];

	if (level > limit)
		return;
	if (written - drained == LOG_LINES) {
		atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
		return;
	}
	vsnprintf(line, sizeof(line), format, arguments);
	mquic_text_printable(ring->lines[slot].text, LOG_LINE_SIZE, line, MQUIC_NUL_TERMINATED, 0);
	ring->lines[slot].level = level;
	atomic_store_explicit(&ring->written, written + 1, memory_order_release);
}

void log_push(struct log_ring *ring, enum mquic_log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	push(ring, level, format, arguments);
	va_end(arguments);
}

void log_drain(struct log_ring *ring)
{
	unsigned int drained = atomic_load_explicit(&ring->drained, memory_order_relaxed);
	unsigned int written = atomic_load_explicit(&ring->written, memory_order_acquire);
	unsigned int dropped;

	if (drained == written)
		return;
	for (; drained != written; drained++) {
		unsigned int slot = drained % LOG_LINES;

		mosquitto_log_printf(broker_level(ring->lines[slot].level), "%s",
				     ring->lines[slot].text);
		atomic_store_explicit(&ring->drained, drained + 1, memory_order_release);
	}
	dropped = atomic_exchange_explicit(&ring->dropped, 0, memory_order_relaxed);
	if (dropped > 0)
		mosquitto_log_printf(MOSQ_LOG_WARNING, "mquic: %u log lines were dropped", dropped);
}

void log_now(enum mquic_log_level level, const char *format, ...)
{
	char line[WHOLE_LINE_SIZE];
	va_list arguments;

	if (level > limit)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	mquic_text_printable(line, sizeof(line), line, MQUIC_NUL_TERMINATED, 0);
	mosquitto_log_printf(broker_level(level), "%s", line);
}
