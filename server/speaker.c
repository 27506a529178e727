/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"
#include "speaker.h"

/* Lines about clients: at once, and per second after that. */
#define AT_ONCE 50
#define PER_S   5

/* How often it is told what was not said. */
#define TELL_MS 1000

#define LINE_SIZE 1024

void speaker_init(struct speaker *speaker, const struct door *door)
{
	*speaker = (struct speaker){
		.door = door,
		.limiter = {.at_once = AT_ONCE, .per_s = PER_S},
	};
}

static void say(struct speaker *speaker, enum mquic_log_level level, const char *format,
		va_list arguments)
{
	char line[LINE_SIZE];

	vsnprintf(line, sizeof(line), format, arguments);
	mquic_text_printable(line, sizeof(line), line, MQUIC_NUL_TERMINATED, 0);
	speaker->door->say(speaker->door->keeper, level, line);
}

void speaker_say(struct speaker *speaker, enum mquic_log_level level, const char *format, ...)
{
	va_list arguments;

	if (!speaker_wants(speaker, level))
		return;
	va_start(arguments, format);
	say(speaker, level, format, arguments);
	va_end(arguments);
}

void speaker_say_about_client(struct speaker *speaker, enum mquic_log_level level,
			      const char *format, ...)
{
	va_list arguments;

	if (!speaker_wants(speaker, level))
		return;
	if (!limiter_spend(&speaker->limiter, clock_ms())) {
		speaker->unsaid++;
		return;
	}
	va_start(arguments, format);
	say(speaker, level, format, arguments);
	va_end(arguments);
}

bool speaker_catch_up(struct speaker *speaker, uint64_t now_ms)
{
	unsigned int unsaid = speaker->unsaid;

	if (unsaid == 0)
		return true;
	if (now_ms - speaker->told_ms < TELL_MS)
		return false;
	speaker->unsaid = 0;
	speaker->told_ms = now_ms;
	speaker_say(speaker, MQUIC_LOG_WARNING, "%u log lines were dropped", unsaid);
	return true;
}

/* A prefix that names the listener, or none. */
static const char *named(const char *listener, char *prefix, size_t size)
{
	prefix[0] = '\0';
	if (listener != NULL)
		snprintf(prefix, size, "listener %s: ", listener);
	return prefix;
}

void speaker_repeat(struct speaker *speaker, const char *listener, enum mquic_log_level level,
		    const char *line)
{
	char prefix[64];

	named(listener, prefix, sizeof(prefix));
	/*
	 * A client is never more to libmquic than a notice: warnings are about the listener. Debug
	 * lines, which nobody gets who has not asked for them, are all said.
	 */
	if (level == MQUIC_LOG_INFO)
		speaker_say_about_client(speaker, level, "%sQUIC client %s", prefix, line);
	else
		speaker_say(speaker, level, "%s%s", prefix, line);
}
