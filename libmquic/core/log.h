/* SPDX-License-Identifier: MIT */
/* The log sink of one endpoint. Lines carry no payload, password or key. */
#ifndef MQUIC_CORE_LOG_H
#define MQUIC_CORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mquic.h"

/* What lines name by a number. */
enum log_object {
	LOG_CONNECTION,
	LOG_SESSION,
	LOG_RELAY,
	LOG_OBJECTS
};

/* Who erred, where something went wrong. */
enum log_culprit {
	LOG_CALLER, /* who uses the library */
	LOG_PEER,   /* or the way to it */
	LOG_SYSTEM,
	LOG_MQUIC
};

struct log {
	mquic_log_sink sink;
	enum mquic_log_level level;
	void *userdata;
	uint64_t numbers[LOG_OBJECTS]; /* given out so far */
};

/* The number of one more object: 1, 2 ... of each kind, and of one endpoint. */
static inline uint64_t log_number(struct log *log, enum log_object object)
{
	return ++log->numbers[object];
}

/* Whether anybody listens. */
static inline bool log_wants(const struct log *log, enum mquic_log_level level)
{
	return log->sink != NULL && level <= log->level;
}

/* Formats one line and hands it to the sink, if there is one and the level is wanted. */
__attribute__((format(printf, 3, 4))) void log_line(const struct log *log,
						    enum mquic_log_level level, const char *format,
						    ...);

/* What the macros log_step...() below call when somebody listens. */
void log_step_line(const struct log *log, const char *what, uint64_t number, const char *from,
		   const char *to);
void log_part_step_line(const struct log *log, const char *whole, uint64_t number, const char *part,
			int64_t part_number, const char *from, const char *to);
void log_fault_line(const struct log *log, const char *what, uint64_t number, const char *from,
		    const char *to, enum log_culprit culprit, const char *sentence);

/* Who erred if a connection or session ended like that. */
static inline enum log_culprit log_culprit_of(enum mquic_origin origin, enum mquic_status status)
{
	if (origin == MQUIC_ORIGIN_SYSTEM || status == MQUIC_ERR_MEMORY)
		return LOG_SYSTEM;
	return origin == MQUIC_ORIGIN_LOCAL ? LOG_CALLER : LOG_PEER;
}

/* Without log lines (-Dlog=false) the compiler checks a call and then drops it, text and all. */
#define log_at(log, level, ...) (MQUIC_LOG_LINES ? log_line(log, level, __VA_ARGS__) : (void)0)

#define log_error(log, ...)   log_at(log, MQUIC_LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_at(log, MQUIC_LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...)    log_at(log, MQUIC_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...)   log_at(log, MQUIC_LOG_DEBUG, __VA_ARGS__)

/* For steps of state machines: nothing is called or computed while nobody listens. */
#define log_debug_call(log, call)                                                                  \
	(MQUIC_LOG_LINES && log_wants(log, MQUIC_LOG_DEBUG) ? call : (void)0)

/* A step of a state machine: "session 3: CONNECTING → CONNECTED". */
#define log_step(log, what, number, from, to)                                                      \
	log_debug_call(log, log_step_line(log, what, number, from, to))

/* One of a part: "connection 3: stream 4: SEND → DATA_SENT". */
#define log_part_step(log, whole, number, part, part_number, from, to)                             \
	log_debug_call(log, log_part_step_line(log, whole, number, part, part_number, from, to))

/* A step that somebody's fault led to: "session 3: CONNECTING → ENDED (peer: ...)". */
#define log_step_fault(log, what, number, from, to, culprit, sentence)                             \
	log_debug_call(log, log_fault_line(log, what, number, from, to, culprit, sentence))

#endif
