/* SPDX-License-Identifier: MIT */
/* Lines for the broker's log, which only the broker's thread may touch. */
#ifndef MOSQUITTO_PLUGIN_LOG_H
#define MOSQUITTO_PLUGIN_LOG_H

#include <mquic.h>

/* Before there are lines: which are too much. Of the one plugin that a broker loads. */
void log_limit(enum mquic_log_level level);

/*
 * Writes one line to the broker's log. What a client or a worker sent may be in it: what could forge
 * a line becomes '?', see mquic_text_printable(). A text that stands in quotes must have gone
 * through that already.
 */
__attribute__((format(printf, 2, 3))) void log_now(enum mquic_log_level level, const char *format,
						   ...);

#endif
