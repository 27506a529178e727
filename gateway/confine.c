/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "confine.h"
#include "sandbox.h"

/* What the system or the build cannot do is no reason to refuse, but one to say so. */
static void say_what_is_missing(struct keeper *keeper)
{
	if (!sandbox_can_filter())
		keeper->door.say(keeper, MQUIC_LOG_WARNING,
				 "the worker's system calls are not filtered: it was built without "
				 "libseccomp");
	if (!realm_exists())
		keeper->door.say(keeper, MQUIC_LOG_INFO,
				 "the worker may read whatever the broker's user may: this system "
				 "does not have Landlock");
}

/* Files that SIGHUP has read again: those of the lines, and the one with a default. */
static size_t gather(const struct configuration *given, const char **paths)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < given->line_count; i++)
		if (options_is_read_again(given->lines[i].name))
			paths[count++] = given->lines[i].value;
	if (given->options.reset_key_file != NULL)
		paths[count++] = given->options.reset_key_file;
	return count;
}

bool confine(const struct configuration *given, struct keeper *keeper,
	     char error[OPTIONS_ERROR_SIZE])
{
	const char *paths[OPTIONS_LINES_MAX + 1];
	const struct sandbox sandbox = {
		.strict = given->options.sandbox,
		.realm =
			{
				.read = paths,
				.count = gather(given, paths),
				.written = given->options.keylog_file,
			},
	};

	if (sandbox.strict)
		say_what_is_missing(keeper);
	if (sandbox_enter(&sandbox))
		return true;
	snprintf(error, OPTIONS_ERROR_SIZE,
		 "plugin_opt_sandbox: the system refuses: %s. With \"plugin_opt_sandbox false\" "
		 "the worker runs without",
		 strerror(errno));
	return false;
}
