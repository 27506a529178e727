/* SPDX-License-Identifier: MIT */
/* The log sink of one endpoint. Lines carry no payload, password or key. */
#ifndef MQUIC_CORE_LOG_H
#define MQUIC_CORE_LOG_H

#include "mquic.h"

struct log {
	mquic_log_sink sink;
	enum mquic_log_level level;
	void *userdata;
};

/* Formats one line and hands it to the sink, if there is one and the level is wanted. */
__attribute__((format(printf, 3, 4))) void log_line(const struct log *log,
						    enum mquic_log_level level, const char *format,
						    ...);

/* Without log lines (-Dlog=false) the compiler checks a call and then drops it, text and all. */
#define log_at(log, level, ...) (MQUIC_LOG_LINES ? log_line(log, level, __VA_ARGS__) : (void)0)

#define log_error(log, ...)   log_at(log, MQUIC_LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_at(log, MQUIC_LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...)    log_at(log, MQUIC_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...)   log_at(log, MQUIC_LOG_DEBUG, __VA_ARGS__)

#endif
